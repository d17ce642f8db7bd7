//! Codes of `turn` findings.

crate::codes! {
    CARRIES = "turn.carries", "The relay gave us an address, and datagrams of WebRTC's size come through it.";
    CARRIES_NOTHING = "turn.carries_nothing", "The relay gave us an address, and nothing comes through it.";
    UNPROVEN = "turn.unproven", "The relay gave us an address, and will not relay to another one of its own: whether it carries stays open.";
    PRIVATE = "turn.private_relay", "The address that the relay gives out is one that the internet does not know.";
    UNAUTHORISED = "turn.unauthorised", "The server does not take this user name and credential (401).";
    FORBIDDEN = "turn.forbidden", "The server knows the user and forbids it to relay (403).";
    QUOTA = "turn.quota", "The server has no more relays for this user, or at all (486, 508).";
    ALTERNATE = "turn.alternate", "The server sends us to another one (300 Try Alternate), which was not asked.";
    REFUSED_BY_SERVER = "turn.error", "The server answers with an error of another kind.";
    UNSIGNED = "turn.unsigned", "A success came without the proof that its sender knows the credential: it may be anybody's.";
    NOT_TURN = "turn.not_turn", "Something else answers on this port: a web server or a proxy.";
    KILLED = "turn.killed", "There is a connection, and it ends or stays mute when TURN is spoken through it.";
    SILENT = "turn.silent", "Nothing came back: the port is blocked in silence, or nothing listens there.";
    REFUSED = "turn.refused", "The host says that nothing listens on this port.";
    PROHIBITED = "turn.prohibited", "A firewall says that this is forbidden (ICMP).";
    UNREACHABLE = "turn.unreachable", "There is no way to this address from this network.";
    LOCAL = "turn.local_policy", "This machine's own rules forbid sending to the server.";
    NO_ADDRESS = "turn.no_address", "The server's name gave no address.";
    FAMILY_ABSENT = "turn.family_absent", "This network has no such address family; the relay is reached by another.";
    TLS_FAILED = "turn.tls_failed", "The TLS handshake does not come to its end.";
    UNTRUSTED = "turn.untrusted", "The server's certificate is not trusted here for its name.";
    INTERCEPTED = "turn.intercepted", "The server's certificate is trusted by this machine alone: somebody in between opens TLS.";
    IN_TIME = "turn.round_trip", "The way through the relay is fast enough.";
    SLOW = "turn.round_trip_long", "The way through the relay takes longer than the limit.";
    LOSS = "turn.loss", "The relay loses no more than the limit.";
    LOSS_HIGH = "turn.loss_high", "The relay loses more than the limit.";
}
