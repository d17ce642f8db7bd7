//! Codes of `hls_push` findings.

crate::codes! {
    TAKES = "hls_push.takes", "The server took every segment and playlist that was pushed to it.";
    IN_TIME = "hls_push.in_time", "Every segment was there before it would have been played out.";
    LATE = "hls_push.late", "A segment took longer to push than it plays: the stream falls behind.";
    UNAUTHORISED = "hls_push.unauthorised", "The server does not let us push there (401, 403): the key, or this network's address.";
    NO_PUT = "hls_push.no_put", "The server does not take this verb at this address (405, 501).";
    UNKNOWN = "hls_push.unknown_address", "The server does not know the address (404, 409, 410).";
    TOO_LARGE = "hls_push.too_large", "The server, or a proxy on the way, takes no body so large (413).";
    MOVED = "hls_push.moved", "It sends us elsewhere; encoders do not follow, and nothing was pushed there.";
    PAGE = "hls_push.page", "A web page came where the server should say that it took a file: most likely a block or sign-in page.";
    PORTAL = "hls_push.portal", "The network itself asks for a sign-in (HTTP 511, RFC 6585).";
    PROXY = "hls_push.proxy_refuses", "The proxy that this machine's settings name does not pass it on.";
    ERROR = "hls_push.error", "The server answers with an error of another kind.";
    CUT = "hls_push.cut", "The connection was cut while a file was pushed, or before an answer.";
    SILENT = "hls_push.silent", "A file was sent, or stuck on the way, and no answer came.";
    NOT_HTTP = "hls_push.not_http", "What answers does not speak HTTP.";
    NO_ADDRESS = "hls_push.no_address", "The server's name gives no address here.";
    NO_CONNECTION = "hls_push.no_connection", "No connection to the server comes about.";
    TLS_FAILED = "hls_push.tls_failed", "The TLS handshake does not come to its end.";
    NAME_KILLED = "hls_push.name_killed", "A handshake that names the host is killed, and the same address answers one that names nobody: a filter reads names.";
    UNTRUSTED = "hls_push.untrusted", "The server's certificate is not trusted here for its name, so nothing was pushed.";
    INTERCEPTED = "hls_push.intercepted", "Somebody in between opens TLS and signs in the host's name: the stream key can be read there.";
    DELETED = "hls_push.deleted", "What was pushed is deleted again.";
    NOT_DELETED = "hls_push.not_deleted", "What was pushed could not be deleted again.";
}
