//! Finding codes.

crate::codes! {
    PUBLISHED = "whip.published", "The server took the test stream by WebRTC and reported what arrived.";
    ANSWERS = "whip.answers", "A WHIP endpoint answers over HTTPS; nothing was published.";
    UNPROVEN = "whip.unproven", "A web server answers, but does not say whether it takes WHIP's offers.";
    NO_ADDRESS = "whip.no_address", "The endpoint's name gives no address.";
    NOT_CONNECTED = "whip.not_connected", "No TCP connection to the endpoint.";
    LOCAL = "whip.local_policy", "This machine's own rules forbid the connection, or sending media.";
    TLS_FAILED = "whip.tls_failed", "The endpoint's port opens, but TLS could not be set up.";
    UNTRUSTED = "whip.untrusted", "The endpoint's certificate is not trusted, or made out to another name.";
    INTERCEPTED = "whip.intercepted", "Only this machine trusts the endpoint's certificate: somebody in between reads the key.";
    UNANSWERED = "whip.unanswered", "The endpoint took the connection and gave no answer over HTTP.";
    UNAUTHORISED = "whip.unauthorised", "The endpoint does not accept the test key.";
    NOT_WHIP = "whip.not_whip", "What answers at this address is no WHIP endpoint.";
    MOVED = "whip.moved", "The endpoint sends the encoder elsewhere, where nobody was asked.";
    REFUSED = "whip.offer_refused", "The endpoint refused the offer.";
    SERVER_FAILED = "whip.server_failed", "The endpoint says that it failed or is overloaded.";
    NO_CODEC = "whip.no_codec", "The server takes no H.264 or no Opus.";
    NO_CANDIDATE = "whip.no_candidate", "The server names no UDP address where it would take media.";
    ICE_SILENT = "whip.ice_silent", "None of the server's media addresses answers over UDP.";
    ICE_BARRED = "whip.ice_barred", "The network says that the server's media addresses cannot be reached.";
    ONLY_RELAYED = "whip.only_relayed", "No media address answers over UDP; through the policy's TURN server the session comes about.";
    RELAY_FAILED = "whip.relay_failed", "The policy's TURN server lent no address, so that nothing went through it.";
    DTLS_FAILED = "whip.dtls_failed", "A media address answers, but the DTLS handshake fails.";
    CUT = "whip.cut", "Media was sent, and then the session broke off.";
    MEDIA_LOST = "whip.media_lost", "The session stands, and media stops arriving or never did.";
    UNREPORTED = "whip.unreported", "Media was sent, and the receiver reported on none of it.";
    IN_TIME = "whip.in_time", "Media could flow soon enough after the offer.";
    SLOW = "whip.slow", "It took too long from the offer until media could flow.";
    ROUND_TRIP = "whip.round_trip", "The round trip is short enough.";
    ROUND_TRIP_LONG = "whip.round_trip_long", "The round trip is longer than the limit.";
    LOSS = "whip.loss", "The receiver misses few enough packets.";
    LOSS_HIGH = "whip.loss_high", "The receiver misses more packets than the limit.";
    NOT_DELETED = "whip.not_deleted", "The server did not end the test session when asked to.";
}
