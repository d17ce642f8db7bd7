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
    TOO_THIN "upload.too_thin" "Ended early, since the answer was certain: the line carries less than the stream's own bit rate."
    ENDED_EARLY "upload.ended_early" "Ended early for want of rate, but by these limits, or for what held it up, that is no answer."
    CUT "upload.cut" "Something cut the connection while the far end was still there."
    LINE_DEAD "upload.line_dead" "Nothing came back any more during the test, nor on a new connection."
    RATE_OK "upload.rate_sufficient" "95 % of seconds carried what is needed."
    RATE_LOW "upload.rate_too_low" "More than 5 % of seconds carried less than is needed."
    RATE_UNEVEN "upload.rate_uneven" "Half of the seconds carried what is needed, not 95 %; what that means for the planned stream is said beside it."
    STREAM_OK "upload.stream_comes_through" "The planned stream, replayed over what arrived, comes through."
    STREAM_BREAKS "upload.stream_breaks" "The planned stream, replayed over what arrived, loses too many pictures."
    STREAM_SWINGS "upload.stream_swings" "The planned stream, replayed over what arrived, comes through, but the line swings too much for so short a look."
    LATENCY_SHORT "upload.latency_short" "SRT's latency is shorter than a keyframe takes on this line, with a round trip to repair it."
    STREAM_DOUBTFUL "upload.stream_doubtful" "The planned stream, replayed over what arrived, loses pictures once: that may be an accident or come again."
    RISK "upload.risk" "What the time that was watched says of the whole event."
    RISK_HIGH "upload.risk_too_high" "The event's stream would meet a damaging gap more likely than is allowed."
    RISK_UNPROVEN "upload.risk_unproven" "What was watched is too little to promise as much as is asked."
    RATE_UNPROVEN "upload.rate_unproven" "The test does not show what the line can carry: too short, or held up by something else than the line."
    WORST_OK "upload.worst_10s_sufficient" "The slowest ten seconds carried what is needed."
    WORST_LOW "upload.worst_10s_too_low" "The slowest ten seconds carried less than is needed."
    FELL "upload.rate_fell" "The rate fell for good during the test, and nothing tells why: an opening boost, or a policer."
    POLICED "upload.policed" "The rate fell for good, with losses and no longer round trip: a policer drops what exceeds it."
    BOOST_ENDED "upload.boost_ended" "A higher rate that was granted at first ended."
    QUEUE_FILLED "upload.queue_filled" "The rate fell for good while the round trip rose: the line became slower, or is shared since."
    PAUSES_RECUR "upload.pauses_recur" "Long pauses come again and again, at the same interval."
    HELD_UP_BY_CAP "upload.held_up_by_cap" "The test's own cap is what limited the rate."
    HELD_UP_BY_LINE "upload.held_up_by_line" "The line is what limited the rate."
    HELD_UP_BY_RECEIVER "upload.held_up_by_receiver" "The receiver's window is what limited the rate."
    HELD_UP_BY_SENDER "upload.held_up_by_sender" "This machine's send buffer is what limited the rate."
    STALL_OK "upload.no_long_stall" "No pause was longer than is allowed."
    STALLED "upload.stalled" "A pause was longer than is allowed."
    GAPS_OK "upload.gaps_few" "No more gaps than are allowed."
    GAPS_MANY "upload.gaps_many" "More gaps than are allowed."
    RTT_OK "upload.loaded_rtt_low" "The round trip stays short while sending."
    RTT_HIGH "upload.bufferbloat" "The round trip becomes long while sending: a queue on the way fills up."
    RTT_UNKNOWN "upload.loaded_rtt_unknown" "This system does not tell the round trip while sending."
    RPM_OK "upload.responsive" "The line answers quickly while sending."
    RPM_LOW "upload.unresponsive" "The line answers slowly while sending: others on it, and the chat beside the stream, will notice."
    RPM_UNKNOWN "upload.responsiveness_unknown" "How quickly the line answers while sending is known against a far end over TCP only."
    RESENT_OK "upload.retransmits_few" "Little had to be sent again."
    RESENT_MANY "upload.retransmits_many" "Much had to be sent again: packets are lost on the way."
    RESENT_UNKNOWN "upload.retransmits_unknown" "This system does not tell what had to be sent again."
    LOSS_OK "upload.loss_low" "Few datagrams were lost."
    LOSS_HIGH "upload.loss_high" "More datagrams were lost than is allowed."
    LOSS_UNKNOWN "upload.loss_unknown" "Lost datagrams are counted over UDP only, by the receiver."
    GAPS_UNKNOWN "upload.gaps_unknown" "The receiver tells whole seconds only, in which gaps hide."
    COUNT_CONFIRMED "upload.count_confirmed" "The receiver's own sum agrees with what was acknowledged."
    COUNT_LATE "upload.count_late" "The server answered long after all was acknowledged: something in between may have held the data back."
    COUNT_CONTRADICTED "upload.count_contradicted" "More was acknowledged than arrived: something in between acknowledges in the receiver's place, so the figures are not the line's."
    LONG_ENOUGH "upload.long_enough" "It was measured as long as is asked."
    TOO_SHORT "upload.too_short" "It was not measured as long as is asked: gaps may have been missed."
    CONGESTION_OK "upload.congestion_as_asked" "The test used the congestion control that was asked for."
    CONGESTION_OTHER "upload.congestion_other" "The test used another congestion control than an encoder will, so its figures may flatter."
    SUSPECT "upload.instrument_suspect" "A computer at one end was too busy to tell a pause of the line from its own."
}
