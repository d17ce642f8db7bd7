//! Codes of `proxy` findings.

crate::codes! {
    NONE = "proxy.none", "Nothing names a proxy here.";
    NAMED = "proxy.named", "Something names a proxy here: environment, settings, a script, or the policy.";
    SCRIPT_FAILED = "proxy.script_failed", "A proxy script is named, and could not be fetched or run.";
    DIRECT = "proxy.direct", "The ingest itself answers without a proxy: an encoder that uses none can stream.";
    BLOCKED = "proxy.blocked", "The ingest is reached neither directly nor through a proxy.";
    ONLY_THROUGH = "proxy.only_through", "The ingest is reached through a proxy only, which OBS and most encoders do not use.";
    NOT_INGEST = "proxy.not_the_ingest", "Something else answers in the ingest's place: a proxy that nobody was told of.";
    THROUGH = "proxy.through", "The ingest itself is reached through the proxy.";
    INTERCEPTS = "proxy.intercepts", "Through the proxy, something else answers in the ingest's place.";
    AUTH = "proxy.auth_required", "The proxy wants a proof of who asks (HTTP 407).";
    REFUSED = "proxy.refused", "The proxy refuses to connect to the ingest.";
    ONLY_443 = "proxy.only_443", "The proxy connects to the ingest's host on port 443 and not on the ingest's port.";
    UNREACHABLE = "proxy.unreachable", "A proxy that is named here gives no answer in HTTP.";
    DEAD = "proxy.tunnel_dead", "The proxy says that it connects, and then nothing comes back.";
    NOT_ASKED = "proxy.not_asked", "A proxy of a kind that golive cannot ask.";
}
