//! The finding codes of `path`.

use crate::model::Code;

pub(super) const MEASURED: Code =
    Code { id: "path.measured", means: "Packets came back: delay, jitter and loss are known." };
pub(super) const NO_ADDRESS: Code =
    Code { id: "path.no_address", means: "The name of the other side gave no address." };
pub(super) const SILENT: Code = Code {
    id: "path.silent",
    means: "Nothing came back: the packets are blocked on the way, or nothing answers there.",
};
pub(super) const BLOCKED_OUT: Code = Code {
    id: "path.blocked_out",
    means: "UDP is blocked on the way out: none arrived at the far end, which TCP reached in the same minute.",
};
pub(super) const BLOCKED_BACK: Code = Code {
    id: "path.blocked_back",
    means: "UDP is blocked on the way back: the far end got our packets, we got none of its answers.",
};
pub(super) const OTHER_ADDRESS: Code = Code {
    id: "path.other_address",
    means: "UDP leaves this network by another public address than TCP, so the far end does not answer it.",
};
pub(super) const REFUSED: Code =
    Code { id: "path.refused", means: "The host says that nothing listens on this UDP port (ICMP)." };
pub(super) const PROHIBITED: Code =
    Code { id: "path.prohibited", means: "A firewall says that this is forbidden (ICMP)." };
pub(super) const UNREACHABLE: Code =
    Code { id: "path.unreachable", means: "There is no way to this address from this network." };
pub(super) const LOCAL_POLICY: Code =
    Code { id: "path.local_policy", means: "This machine's own rules forbid sending these packets." };
pub(super) const FAMILY_UNUSED: Code = Code {
    id: "path.family_unused",
    means: "The other side has addresses of a family that this network does not have; it is reached by the other.",
};
pub(super) const CUT_SHORT: Code =
    Code { id: "path.cut_short", means: "Fewer packets were sent than planned: too little to judge by." };
pub(super) const UNEVEN: Code = Code {
    id: "path.uneven",
    means: "This machine was too busy to send evenly: what was measured may be its own doing.",
};
pub(super) const LOSS: Code = Code { id: "path.loss", means: "Loss is within its limit." };
pub(super) const LOSS_HIGH: Code =
    Code { id: "path.loss_high", means: "More packets are lost than the limit." };
pub(super) const BURST: Code =
    Code { id: "path.burst", means: "The longest burst of loss is within its limit." };
pub(super) const BURST_LONG: Code =
    Code { id: "path.burst_long", means: "Packets are lost for longer at a time than the limit." };
pub(super) const JITTER: Code = Code { id: "path.jitter", means: "Jitter is within its limit." };
pub(super) const JITTER_HIGH: Code =
    Code { id: "path.jitter_high", means: "Delay varies more than the limit." };
pub(super) const ROUND_TRIP: Code =
    Code { id: "path.round_trip", means: "The round trip is within its limit." };
pub(super) const ROUND_TRIP_LONG: Code =
    Code { id: "path.round_trip_long", means: "The round trip takes longer than the limit." };
pub(super) const ORDER: Code = Code { id: "path.order", means: "Reordering is within its limit." };
pub(super) const REORDERED: Code =
    Code { id: "path.reordered", means: "More packets overtake each other than the limit." };
pub(super) const SINGLE: Code = Code { id: "path.single", means: "Duplication is within its limit." };
pub(super) const DUPLICATED: Code =
    Code { id: "path.duplicated", means: "More packets come twice than the limit." };

pub(super) const OTHER_METHOD: Code = Code {
    id: "path.other_method",
    means: "The method that was asked for got nothing; TCP handshakes were timed instead.",
};
pub(super) const NOT_TOLD: Code = Code {
    id: "path.not_told",
    means: "There is a limit for something that this method, or this system, cannot tell.",
};
pub(super) const MTU: Code = Code { id: "path.mtu", means: "Packets as large as is needed pass whole." };
pub(super) const MTU_LOW: Code = Code {
    id: "path.mtu_low",
    means: "A link on the way is narrower than is needed, and says so (ICMP), or it is this machine's own.",
};
pub(super) const MTU_BLACK_HOLE: Code = Code {
    id: "path.mtu_black_hole",
    means: "Packets above some size vanish, and nobody says so: small ones pass, and the stream's do not.",
};
pub(super) const DSCP_KEPT: Code =
    Code { id: "path.dscp_kept", means: "The class of service (DSCP) arrives as it was sent." };
pub(super) const DSCP_BLEACHED: Code = Code {
    id: "path.dscp_bleached",
    means: "The network takes the class of service (DSCP) away, or changes it.",
};
pub(super) const DSCP_UNKNOWN: Code = Code {
    id: "path.dscp_unknown",
    means: "The other side does not say with which class of service (DSCP) packets arrive.",
};

pub(super) const CODES: &[Code] = &[
    MEASURED,
    NO_ADDRESS,
    SILENT,
    BLOCKED_OUT,
    BLOCKED_BACK,
    OTHER_ADDRESS,
    REFUSED,
    PROHIBITED,
    UNREACHABLE,
    LOCAL_POLICY,
    FAMILY_UNUSED,
    CUT_SHORT,
    UNEVEN,
    LOSS,
    LOSS_HIGH,
    BURST,
    BURST_LONG,
    JITTER,
    JITTER_HIGH,
    ROUND_TRIP,
    ROUND_TRIP_LONG,
    ORDER,
    REORDERED,
    SINGLE,
    DUPLICATED,
    OTHER_METHOD,
    NOT_TOLD,
    MTU,
    MTU_LOW,
    MTU_BLACK_HOLE,
    DSCP_KEPT,
    DSCP_BLEACHED,
    DSCP_UNKNOWN,
];
