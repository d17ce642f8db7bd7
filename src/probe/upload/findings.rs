//! The finding codes of `upload`.

use crate::model::Code;

macro_rules! codes {
    ($($NAME:ident $id:literal $means:literal)*) => {
        $(pub(super) const $NAME: Code = Code { id: $id, means: $means };)*
        pub(super) const CODES: &[Code] = &[$($NAME),*];
    };
}

codes! {
    COMPLETE "upload.complete" "The test ran to its end."
    CANCELLED "upload.cancelled" "The run was stopped before the test was over."
    FAR_END_ENDED "upload.far_end_ended" "The far end ended the test: one of its caps, or it was stopped."
    FAR_END_LOST "upload.far_end_lost" "The far end went away during the test: the instrument failed, not the line."
    CUT "upload.cut" "Something cut the connection while the far end was still there."
    LINE_DEAD "upload.line_dead" "Nothing came back any more during the test, nor on a new connection."
    RATE_OK "upload.rate_sufficient" "95 % of seconds carried what is needed."
    RATE_LOW "upload.rate_too_low" "More than 5 % of seconds carried less than is needed."
    RATE_UNPROVEN "upload.rate_unproven" "The test does not show what the line can carry: too short, or held up by something else than the line."
    WORST_OK "upload.worst_10s_sufficient" "The slowest ten seconds carried what is needed."
    WORST_LOW "upload.worst_10s_too_low" "The slowest ten seconds carried less than is needed."
    FELL "upload.rate_fell" "The rate fell for good during the test: an opening boost, or a policer."
    STALL_OK "upload.no_long_stall" "No pause was longer than is allowed."
    STALLED "upload.stalled" "A pause was longer than is allowed."
    GAPS_OK "upload.gaps_few" "No more gaps than are allowed."
    GAPS_MANY "upload.gaps_many" "More gaps than are allowed."
    RTT_OK "upload.loaded_rtt_low" "The round trip stays short while sending."
    RTT_HIGH "upload.bufferbloat" "The round trip becomes long while sending: a queue on the way fills up."
    RTT_UNKNOWN "upload.loaded_rtt_unknown" "This system does not tell the round trip while sending."
    RESENT_OK "upload.retransmits_few" "Little had to be sent again."
    RESENT_MANY "upload.retransmits_many" "Much had to be sent again: packets are lost on the way."
    RESENT_UNKNOWN "upload.retransmits_unknown" "This system does not tell what had to be sent again."
    LONG_ENOUGH "upload.long_enough" "It was measured as long as is asked."
    TOO_SHORT "upload.too_short" "It was not measured as long as is asked: gaps may have been missed."
    CONGESTION_OK "upload.congestion_as_asked" "The test used the congestion control that was asked for."
    CONGESTION_OTHER "upload.congestion_other" "The test used another congestion control than an encoder will, so its figures may flatter."
    SUSPECT "upload.instrument_suspect" "A computer at one end was too busy to tell a pause of the line from its own."
}
