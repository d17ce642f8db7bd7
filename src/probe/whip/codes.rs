//! Finding codes.

use crate::model::Code;

const fn code(id: &'static str, means: &'static str) -> Code {
    Code { id, means }
}

pub(super) const PUBLISHED: Code =
    code("whip.published", "The server took the test stream by WebRTC and reported what arrived.");
pub(super) const ANSWERS: Code =
    code("whip.answers", "A WHIP endpoint answers over HTTPS; nothing was published.");
pub(super) const UNPROVEN: Code =
    code("whip.unproven", "A web server answers, but does not say whether it takes WHIP's offers.");
pub(super) const NO_ADDRESS: Code = code("whip.no_address", "The endpoint's name gives no address.");
pub(super) const NOT_CONNECTED: Code = code("whip.not_connected", "No TCP connection to the endpoint.");
pub(super) const LOCAL: Code =
    code("whip.local_policy", "This machine's own rules forbid the connection, or sending media.");
pub(super) const TLS_FAILED: Code =
    code("whip.tls_failed", "The endpoint's port opens, but TLS could not be set up.");
pub(super) const UNTRUSTED: Code =
    code("whip.untrusted", "The endpoint's certificate is not trusted, or made out to another name.");
pub(super) const INTERCEPTED: Code = code(
    "whip.intercepted",
    "Only this machine trusts the endpoint's certificate: somebody in between reads the key.",
);
pub(super) const UNANSWERED: Code =
    code("whip.unanswered", "The endpoint took the connection and gave no answer over HTTP.");
pub(super) const UNAUTHORISED: Code = code("whip.unauthorised", "The endpoint does not accept the test key.");
pub(super) const NOT_WHIP: Code = code("whip.not_whip", "What answers at this address is no WHIP endpoint.");
pub(super) const MOVED: Code =
    code("whip.moved", "The endpoint sends the encoder elsewhere, where nobody was asked.");
pub(super) const REFUSED: Code = code("whip.offer_refused", "The endpoint refused the offer.");
pub(super) const SERVER_FAILED: Code =
    code("whip.server_failed", "The endpoint says that it failed or is overloaded.");
pub(super) const NO_CODEC: Code = code("whip.no_codec", "The server takes no H.264 or no Opus.");
pub(super) const NO_CANDIDATE: Code =
    code("whip.no_candidate", "The server names no UDP address where it would take media.");
pub(super) const ICE_SILENT: Code =
    code("whip.ice_silent", "None of the server's media addresses answers over UDP.");
pub(super) const ICE_BARRED: Code =
    code("whip.ice_barred", "The network says that the server's media addresses cannot be reached.");
pub(super) const ONLY_RELAYED: Code = code(
    "whip.only_relayed",
    "No media address answers over UDP; through the policy's TURN server the session comes about.",
);
pub(super) const RELAY_FAILED: Code =
    code("whip.relay_failed", "The policy's TURN server lent no address, so that nothing went through it.");
pub(super) const DTLS_FAILED: Code =
    code("whip.dtls_failed", "A media address answers, but the DTLS handshake fails.");
pub(super) const CUT: Code = code("whip.cut", "Media was sent, and then the session broke off.");
pub(super) const MEDIA_LOST: Code =
    code("whip.media_lost", "The session stands, and media stops arriving or never did.");
pub(super) const UNREPORTED: Code =
    code("whip.unreported", "Media was sent, and the receiver reported on none of it.");
pub(super) const IN_TIME: Code = code("whip.in_time", "Media could flow soon enough after the offer.");
pub(super) const SLOW: Code = code("whip.slow", "It took too long from the offer until media could flow.");
pub(super) const ROUND_TRIP: Code = code("whip.round_trip", "The round trip is short enough.");
pub(super) const ROUND_TRIP_LONG: Code =
    code("whip.round_trip_long", "The round trip is longer than the limit.");
pub(super) const LOSS: Code = code("whip.loss", "The receiver misses few enough packets.");
pub(super) const LOSS_HIGH: Code = code("whip.loss_high", "The receiver misses more packets than the limit.");
pub(super) const NOT_DELETED: Code =
    code("whip.not_deleted", "The server did not end the test session when asked to.");

pub(super) const ALL: &[Code] = &[
    PUBLISHED,
    ANSWERS,
    UNPROVEN,
    NO_ADDRESS,
    NOT_CONNECTED,
    LOCAL,
    TLS_FAILED,
    UNTRUSTED,
    INTERCEPTED,
    UNANSWERED,
    UNAUTHORISED,
    NOT_WHIP,
    MOVED,
    REFUSED,
    SERVER_FAILED,
    NO_CODEC,
    NO_CANDIDATE,
    ICE_SILENT,
    ICE_BARRED,
    ONLY_RELAYED,
    RELAY_FAILED,
    DTLS_FAILED,
    CUT,
    MEDIA_LOST,
    UNREPORTED,
    IN_TIME,
    SLOW,
    ROUND_TRIP,
    ROUND_TRIP_LONG,
    LOSS,
    LOSS_HIGH,
    NOT_DELETED,
];
