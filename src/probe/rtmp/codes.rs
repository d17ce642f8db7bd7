//! Finding codes.

crate::codes! {
    ACCEPTED = "rtmp.accepted", "The server answered as an RTMP ingest and accepted the application.";
    PUBLISHED = "rtmp.published", "The server took the test stream for as long as it was sent.";
    IN_TIME = "rtmp.in_time", "A phase took no longer than its limit.";
    SLOW = "rtmp.slow", "A phase took longer than its limit.";
    FAMILY_ABSENT = "rtmp.family_absent", "This machine has no way to addresses of one family; the other one works.";

    NO_ADDRESS = "rtmp.no_address", "The ingest's name gives no address.";
    PORT_REFUSED = "rtmp.refused", "The port is closed: the connection was refused.";
    FILTERED = "rtmp.filtered", "Nothing came back from the port: something drops the packets.";
    PROHIBITED = "rtmp.prohibited", "A firewall says that the port is forbidden.";
    LOCAL = "rtmp.local_policy", "This machine's own rules forbid the connection.";
    UNREACHABLE = "rtmp.unreachable", "There is no way to the address from here.";

    NOT_TLS = "rtmp.not_tls", "The port opens, but what answers does not speak TLS.";
    TLS_FAILED = "rtmp.tls_failed", "The port opens, but TLS could not be set up.";
    UNTRUSTED = "rtmp.untrusted", "The server's certificate is not trusted, or made out to another name.";
    INTERCEPTED = "rtmp.intercepted", "Only this machine trusts the certificate: somebody in between may read the stream.";

    KILLED = "rtmp.killed", "The port opens, but the connection is ended as soon as RTMP is spoken.";
    SWALLOWED = "rtmp.swallowed", "The port opens, but RTMP gets no answer.";
    NOT_RTMP = "rtmp.not_rtmp", "The port opens, but what answers is no RTMP server.";
    MALFORMED = "rtmp.malformed", "What answers breaks RTMP's rules.";
    NO_ANSWER = "rtmp.no_answer", "An RTMP server is there, but it left a request unanswered.";

    APP_REFUSED = "rtmp.app_refused", "The server refused the application.";
    APP_CLOSED = "rtmp.app_closed", "The server ended the connection when it heard the application.";
    KEY_IN_USE = "rtmp.key_in_use", "The server refused the stream key: it is in use or not valid.";
    PUBLISH_REFUSED = "rtmp.publish_refused", "The server refused to have something published.";
    PUBLISH_CLOSED = "rtmp.publish_closed", "The server ended the connection when it was asked to publish.";
    CUT = "rtmp.cut", "The server consented to the stream and then ended it.";
    STALLED = "rtmp.stalled", "The server consented to the stream, and then nothing more got through to it.";
}
