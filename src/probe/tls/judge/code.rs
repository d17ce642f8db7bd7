//! Codes of `tls` findings.

crate::codes! {
    NO_ADDRESS = "tls.no_address", "The host's name gave no address.";
    NO_CONNECTION = "tls.no_connection", "No address of the host accepts a TCP connection.";
    ADDRESS_DEAD = "tls.address_dead", "One address of the host accepts no TCP connection while another does.";
    NO_FAMILY = "tls.no_family", "This network has no route for an address family, and the other one works.";
    NOT_TLS = "tls.not_tls", "Something that is not TLS answers on the port.";
    KILLED = "tls.killed", "TCP connects, but the TLS handshake is cut off.";
    REFUSED = "tls.refused", "The server ends the handshake with an alert.";
    VERSION_REFUSED = "tls.version_refused", "The server speaks neither TLS 1.2 nor 1.3.";
    FAILED = "tls.failed", "The handshake failed in another way.";
    PUBLIC = "tls.publicly_trusted", "The chain ends at one of Mozilla's roots: nobody is in between.";
    MACHINE = "tls.trusted_by_machine", "This machine trusts the chain, which is what the policy asks.";
    PINNED_ONLY = "tls.trusted_by_pin", "The policy trusts the key itself, whoever signed it.";
    INTERCEPTED = "tls.intercepted", "Only this machine's own store trusts the chain: somebody in between signs in the server's name.";
    UNTRUSTED = "tls.untrusted", "Neither Mozilla's roots nor this machine's store trust the chain.";
    MACHINE_DISTRUSTS = "tls.machine_distrusts", "Mozilla's roots trust the chain, but this machine's own store does not.";
    EXPIRED = "tls.expired", "A certificate of the chain has run out.";
    NOT_YET_VALID = "tls.not_yet_valid", "A certificate of the chain is not valid yet, or a clock is wrong.";
    OUTLASTS = "tls.outlasts", "The chain stays valid for as long as it is needed.";
    EXPIRES_EARLY = "tls.expires_early", "A certificate of the chain runs out before the event ends.";
    NAME = "tls.name_matches", "The certificate is made out to the name that was asked for.";
    WRONG_NAME = "tls.wrong_name", "The certificate is made out to other names.";
    PIN = "tls.pin_matches", "The server's key is one that the policy names.";
    PIN_OTHER = "tls.pin_differs", "The server's key is none of those that the policy names.";
    SCTS = "tls.scts", "The certificate carries as many transparency stamps as asked.";
    SCTS_FEW = "tls.scts_missing", "The certificate carries fewer transparency stamps than asked.";
    SAME_OUTSIDE = "tls.same_key_outside", "The far end sees the same key at this host: nobody is in between.";
    PUBLIC_OUTSIDE = "tls.public_outside_too", "The far end sees another key, and each is public or pinned: large services have many.";
    OTHER_OUTSIDE = "tls.other_key_outside", "The far end sees another key at this host than is shown here.";
    ANSWERS_OUTSIDE = "tls.answers_outside", "No handshake from here, and the far end has one: this network stops it.";
    SILENT_OUTSIDE = "tls.silent_outside", "The far end has no handshake with this host either.";
    FAR_END_INTERCEPTED = "tls.far_end_intercepted", "The chain is public here and not where the far end is: somebody is in between there.";
    NO_NOTARY = "tls.notary_unavailable", "The far end could not tell what it sees at this host.";
    HELLO = "tls.hello_arrives", "The TLS hello that arrives at the far end is the one that was sent.";
    REOPENED = "tls.reopened", "TLS to the far end is opened and begun anew on the way.";
    VERSION = "tls.version", "The TLS version is new enough.";
    VERSION_OLD = "tls.version_old", "The TLS version is older than the policy allows.";
    ALPN = "tls.alpn", "The server chose a protocol that the policy allows.";
    ALPN_OTHER = "tls.alpn_other", "The server chose no protocol that the policy allows.";
    HANDSHAKE = "tls.handshake", "The handshake is quick enough.";
    SLOW = "tls.slow", "The handshake takes longer than the policy allows.";
}
