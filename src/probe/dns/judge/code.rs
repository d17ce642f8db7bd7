//! Codes of `dns` findings.

crate::codes! {
    SILENT = "dns.silent", "A resolver does not answer.";
    UNREACHABLE = "dns.unreachable", "A resolver cannot be reached, or nothing listens there.";
    GARBAGE = "dns.garbage", "What comes back from a resolver is no answer to the question.";
    NO_SUCH_NAME = "dns.no_such_name", "A resolver says that the name does not exist.";
    SERVFAIL = "dns.servfail", "A resolver failed to look the name up.";
    BOGUS = "dns.dnssec_bogus", "A resolver checks the name's DNSSEC signatures and they do not hold: it answers only when it need not check.";
    REFUSED = "dns.refused", "A resolver refuses to look the name up.";
    ERROR = "dns.error", "A resolver answers with another error.";
    NO_ADDRESS = "dns.no_address", "The name exists but has no address.";
    HALF = "dns.half_answered", "A resolver answers for one address family and fails for the other.";
    TRUNCATED = "dns.truncated", "An answer is cut short and cannot be fetched whole over TCP.";
    RESOLVED = "dns.resolved", "A resolver gives addresses that nothing speaks against.";
    EXPECTED = "dns.expected_addresses", "Every address is one that the policy names.";
    PROVEN = "dns.proven", "The addresses show a valid certificate for the name.";
    WRONG = "dns.wrong_address", "An address is not the name's: the policy does not name it, or it cannot show a valid certificate.";
    PRIVATE = "dns.private_address", "A public name has an address that cannot serve the public.";
    BLOCK_PAGE = "dns.block_page", "An address is a known block page.";
    UNPROVEN = "dns.unproven", "The addresses could not be asked for proof, so nothing is known.";
    PROOF_INTERCEPTED = "dns.proof_intercepted", "Somebody in between answers for the addresses, so they prove nothing.";
    REWRITTEN = "dns.nxdomain_rewritten", "A resolver invents addresses for names that do not exist.";
    CONTROL = "dns.control_clean", "Random names do not exist, as it must be.";
    CONTROL_FAILED = "dns.control_failed", "The control question got no yes or no, so the resolver's honesty is unknown.";
    AGREES = "dns.agrees_with_reference", "The answer has an address in common with the one outside.";
    DIFFERS = "dns.differs_from_reference", "The answer has no address in common with the one outside, and nothing proves it.";
    DENIED = "dns.denied_here", "The name exists outside, and a resolver here denies it.";
    NO_REFERENCE = "dns.no_reference", "The resolver outside could not be asked, so nothing was compared.";
    SPLIT = "dns.split_horizon", "The name has one answer inside this network and another, or none, elsewhere.";
    SEARCH_FIRST = "dns.search_domain_first", "Programs here try a search domain behind the name first, and get another host.";
    SIGNED = "dns.dnssec_kept", "A resolver passes the name's DNSSEC signatures on, or the name has none.";
    VALIDATED = "dns.dnssec_validated", "A resolver says that it verified the name's DNSSEC signatures.";
    STRIPPED = "dns.dnssec_stripped", "The name is signed, and a resolver leaves the signatures out.";
    UNVALIDATED = "dns.dnssec_unvalidated", "A resolver passes the name's DNSSEC signatures on and does not verify them.";
    SIGNED_UNKNOWN = "dns.dnssec_unknown", "No signatures came, and nothing tells whether the name has any.";
    LATENCY = "dns.latency", "A resolver answers quickly enough.";
    SLOW = "dns.slow", "A resolver takes longer than the policy allows.";
}
