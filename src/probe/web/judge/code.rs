//! Codes of `web` findings.

crate::codes! {
    PAGE = "web.page", "The page came.";
    OTHER_PAGE = "web.other_page", "A page came, and it does not hold the text that the policy names.";
    PLAYS = "web.plays", "The playlist and a first segment came, and the segment is media.";
    NO_ADDRESS = "web.no_address", "The host's name gives no address here.";
    DNS_BLOCK = "web.dns_block", "The host's name leads to a filter's block page, or nowhere.";
    NO_CONNECTION = "web.no_connection", "No connection to the host comes about.";
    NAME_KILLED = "web.name_killed", "A handshake that names the host is killed, and the same address answers one that names nobody: a filter reads names.";
    KILLED = "web.killed", "There is a connection, and it ends or stalls before all has come.";
    BLOCKED = "web.blocked", "A web filter's block page came.";
    PORTAL = "web.portal", "The network itself asks for a sign-in (HTTP 511, RFC 6585).";
    PROXY = "web.proxy_refuses", "The proxy that this machine's settings name does not pass it on.";
    MOVED = "web.moved", "It leads to a host that the policy does not name, so nothing was asked there.";
    DIVERTED = "web.diverted", "Over a connection that proves nothing, it leads to a host that the policy does not name.";
    REFUSED = "web.refused", "The server, or something in its place, answers with an error.";
    UNTRUSTED = "web.untrusted", "The certificate is not trusted here for the host: browsers warn.";
    INSPECTED = "web.inspected", "Somebody in between opens TLS and signs in the host's name.";
    NOT_INSPECTED = "web.not_inspected", "Nobody in between opens TLS.";
    IN_TIME = "web.in_time", "It is there in time.";
    SLOW = "web.slow", "It takes longer than the policy allows.";
    NO_PLAYLIST = "web.no_playlist", "What came is no playlist or manifest that a player can use.";
    CONTENT_TYPE = "web.content_type", "The playlist is told apart by neither its name nor its content type.";
    CORS = "web.cors", "Browsers do not let the player read it: the server does not allow the player's site.";
    NO_SEGMENT = "web.no_segment", "The playlist came, and its first segment cannot be had.";
    NOT_MEDIA = "web.not_media", "What came as a segment is no media.";
    MOVES = "web.moves", "The stream is live and moves on.";
    STANDS = "web.stands", "The stream is announced as live, and nothing new came.";
    OTHER_LIVENESS = "web.not_as_planned", "The stream is a recording where it should be live, or live where it should be a recording.";
    DOWNLINK = "web.downlink", "As much comes as the viewers here need together.";
    DOWNLINK_THIN = "web.downlink_thin", "Less comes than the viewers here need together.";
    DOWNLINK_UNKNOWN = "web.downlink_unknown", "How much comes could not be measured, or not what a viewer takes.";
}
