//! The finding codes of `clock`.

crate::codes! {
    MEASURED = "clock.measured", "Time servers told the time, and most of them agree.";
    SILENT = "clock.server_silent", "A time server does not answer here, and another one does.";
    REFUSED = "clock.server_refuses", "A time server refuses to tell the time (kiss-o'-death).";
    NONSENSE = "clock.server_unfit", "A time server answers what no right clock would say.";
    DISAGREE = "clock.servers_disagree", "Time servers contradict each other: some are wrong, or somebody answers in their place.";
    BY_HTTPS = "clock.by_https", "No time server answers, so nothing keeps this clock; a web server's date tells it to the second.";
    NO_ANSWER = "clock.not_told", "Nobody who can be believed told the time, so how right this clock is is not known.";
    OFFSET = "clock.offset", "This machine's clock is as right as is asked.";
    WRONG = "clock.wrong", "This machine's clock is off by more than is allowed.";
    TOO_COARSE = "clock.too_coarse", "What was told is not exact enough to say whether the clock is right enough.";
    SYNCHRONISED = "clock.synchronised", "The kernel says that something keeps its clock right.";
    UNSYNCHRONISED = "clock.unsynchronised", "The kernel says that nothing keeps its clock right.";
    SYNCHRONISATION_UNKNOWN = "clock.synchronisation_unknown", "This system does not say whether anything keeps its clock right.";
}
