//! Finding codes.

crate::codes! {
    COMPLETE = "rehearsal.complete", "The test stream was played to its end.";
    KEPT_UP = "rehearsal.kept_up", "The encoder's queue dropped no more pictures than are allowed.";
    DROPPED_SOME = "rehearsal.dropped_some", "The encoder dropped more than one picture of a hundred: OBS warns of it.";
    DROPPED = "rehearsal.dropped_frames", "The encoder had to drop more pictures than are allowed: the path did not keep up.";
    LAG_OK = "rehearsal.in_step", "The ingest stayed as close to live as is asked.";
    LAGGED = "rehearsal.fell_behind", "The ingest fell further behind live than is allowed.";
    STALL_OK = "rehearsal.no_long_stall", "The stream never stood still for longer than is allowed.";
    STALLED = "rehearsal.stalled", "The stream stood still for longer than is allowed.";
    REPAIRED = "rehearsal.repaired_in_time", "No more packets came too late to be played than are allowed.";
    TOO_LATE = "rehearsal.packets_too_late", "More packets came too late to be played than are allowed: the picture breaks up.";
    LATENCY_OK = "rehearsal.latency_enough", "The planned SRT latency is enough for what this path lost and repaired.";
    LATENCY_SHORT = "rehearsal.latency_short", "The planned SRT latency is shorter than this path needs.";
    RATE_OK = "rehearsal.rate_carried", "The path carried the bit rate that was played.";
    RATE_HIGH = "rehearsal.rate_too_high", "The path carries less than the bit rate that was played.";
    RISK = "rehearsal.risk", "What the time that was watched says of the whole event.";
    RISK_HIGH = "rehearsal.risk_too_high", "The event's stream would meet a damaging gap more likely than is allowed.";
    RISK_UNPROVEN = "rehearsal.risk_unproven", "No gap was seen, but not for long enough to promise as much as is asked.";
    LONG_ENOUGH = "rehearsal.long_enough", "It was played as long as is asked.";
    TOO_SHORT = "rehearsal.too_short", "It was not played as long as is asked: gaps may have been missed.";
    CONGESTION_OK = "rehearsal.congestion_as_asked", "The stream was sent with the congestion control that was asked for.";
    CONGESTION_OTHER = "rehearsal.congestion_other", "The stream was sent with another congestion control than an encoder's, so it may flatter.";
    SUSPECT = "rehearsal.instrument_suspect", "This computer was too busy to tell the network's pauses from its own.";

    CANCELLED = "rehearsal.cancelled", "The run was stopped before the stream was over.";
    NO_ADDRESS = "rehearsal.no_address", "The ingest's name gives no address.";
    NOT_STARTED = "rehearsal.not_started", "No address of the ingest took the stream.";
    COLLAPSED = "rehearsal.collapsed", "For twelve seconds a fourth of the stream or more was lost: it was ended early.";
    TIMED_OUT = "rehearsal.send_timed_out", "The network took nothing for so long that an encoder gives up.";
    CUT = "rehearsal.cut", "The ingest, or something on the way, ended the stream.";
    FAR_END_ENDED = "rehearsal.far_end_ended", "The golive far end ended the stream itself: at one of its caps, or because it was stopped.";
    REFUSED = "rehearsal.refused", "The ingest refused the stream while it ran.";
    SILENT = "rehearsal.silent", "The ingest fell silent while the stream ran.";
    BROKEN = "rehearsal.broken", "The stream ended by a fault of the ingest's answers or of this computer.";
}
