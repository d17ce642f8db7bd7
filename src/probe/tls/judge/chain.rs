//! Holds what a server showed itself to be against the limits.

use super::super::{Limits, RootSet, interceptor};
use super::code;
use crate::model::{AtLeast, Finding};
use crate::net::tls::{Certificate, Identity, Standing, Trust};

pub(super) fn findings(limits: &Limits, server_name: &str, identity: &Identity) -> Vec<Finding> {
    let roots = limits.roots.map_or(RootSet::Public, |AtLeast(roots)| roots);
    let mut findings = vec![trust(roots, limits, identity), name(server_name, identity)];
    if roots == RootSet::Public
        && identity.mozilla.trust == Trust::Trusted
        && matches!(identity.machine.trust, Trust::Untrusted | Trust::Expired | Trust::NotYetValid)
    {
        findings.push(Finding::warn(
            code::MACHINE_DISTRUSTS,
            "trusted by this machine's own store, too",
            format!("{} ({} roots in the store)", identity.machine.detail, identity.machine_roots),
            "IT: update this machine's root certificates (ca-certificates); programs that use them will refuse this host",
        ));
    }
    findings.extend(pins(limits, identity));
    findings.extend(valid_until(roots, limits, identity));
    findings.extend(scts(limits, identity));
    findings
}

fn trust(roots: RootSet, limits: &Limits, identity: &Identity) -> Finding {
    const PUBLIC: &str = "a chain that Mozilla's roots trust";
    const MACHINE: &str = "a chain that this machine's store trusts";
    let (machine, mozilla) = (&identity.machine, &identity.mozilla);
    match roots {
        RootSet::Pinned => pinned(limits, identity),
        RootSet::Machine if machine.trust == Trust::Trusted => {
            Finding::pass(code::MACHINE, MACHINE, signed_by(identity))
        }
        RootSet::Machine if mozilla.trust == Trust::Trusted => {
            Finding::pass(code::PUBLIC, MACHINE, signed_by(identity))
        }
        RootSet::Machine => {
            let standing = if machine.trust.anchored() { machine } else { mozilla };
            distrusted(MACHINE, identity, standing)
        }
        RootSet::Public if mozilla.trust == Trust::Trusted => {
            Finding::pass(code::PUBLIC, PUBLIC, signed_by(identity))
        }
        RootSet::Public if identity.intercepted() => intercepted(PUBLIC, identity),
        RootSet::Public => distrusted(PUBLIC, identity, mozilla),
    }
}

fn intercepted(expected: &str, identity: &Identity) -> Finding {
    let product = interceptor::product(&identity.chain)
        .map_or_else(String::new, |product| format!("; its issuer is known from {product}"));
    let observed = format!("only this machine's own store trusts it: {}{product}", signed_by(identity));
    Finding::fail(
        code::INTERCEPTED,
        expected,
        observed,
        "network team: exempt this host from TLS inspection. If it is the company's own server, say so in the policy \
         with a pin or roots = \"machine\"",
    )
}

fn distrusted(expected: &str, identity: &Identity, standing: &Standing) -> Finding {
    let dates = identity.leaf().map_or_else(String::new, |leaf| {
        format!("valid from {} to {}, it is {}", leaf.not_before, leaf.not_after, identity.verified_at)
    });
    match standing.trust {
        Trust::Expired => Finding::fail(
            code::EXPIRED,
            "a chain whose dates hold",
            dates,
            "ask the host's operator to renew its certificate; compare this machine's clock first",
        ),
        Trust::NotYetValid => Finding::fail(
            code::NOT_YET_VALID,
            "a chain whose dates hold",
            dates,
            "compare this machine's clock with the time; if it is right, ask the host's operator",
        ),
        Trust::Trusted | Trust::Untrusted | Trust::NoStore => Finding::fail(
            code::UNTRUSTED,
            expected,
            format!(
                "neither Mozilla's roots nor this machine trust it: {}; {}",
                signed_by(identity),
                standing.detail
            ),
            untrusted_remedy(identity),
        ),
    }
}

fn untrusted_remedy(identity: &Identity) -> &'static str {
    match identity.chain.as_slice() {
        [leaf] if identity.presented == 1 && !leaf.self_issued() => {
            "ask the host's operator whether its intermediate certificate is missing; if the operator knows nothing of \
             this issuer, the network team must say who answers in its place"
        }
        _ => {
            "ask the host's operator for a certificate of a public authority, or pin its key in the policy \
             (roots = \"pinned\"); if the operator knows nothing of this issuer, somebody is in between"
        }
    }
}

fn pinned(limits: &Limits, identity: &Identity) -> Finding {
    const EXPECTED: &str = "a key that the policy names";
    let Some(leaf) = identity.leaf() else {
        return Finding::unknown(
            code::PIN_OTHER,
            EXPECTED,
            "the certificate cannot be read",
            "ask the host's operator",
        );
    };
    let known = limits.pins.as_ref().is_some_and(|pins| identity.pinned(&pins.0));
    if !known {
        return differs(EXPECTED.to_owned(), leaf);
    }
    if identity.verified_at > leaf.not_after {
        let observed = format!("it ran out on {}", leaf.not_after);
        return Finding::fail(
            code::EXPIRED,
            "a certificate whose dates hold",
            observed,
            "ask the host's operator to renew it",
        );
    }
    Finding::pass(code::PINNED_ONLY, EXPECTED, leaf.spki.to_string())
}

fn pins(limits: &Limits, identity: &Identity) -> Option<Finding> {
    let pins = limits.pins.as_ref().filter(|_| limits.roots != Some(AtLeast(RootSet::Pinned)))?;
    let expected = pins.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    let Some(leaf) = identity.leaf() else {
        return Some(Finding::unknown(
            code::PIN_OTHER,
            expected,
            "the certificate cannot be read",
            "ask the host's operator",
        ));
    };
    Some(if identity.pinned(&pins.0) {
        Finding::pass(code::PIN, expected, leaf.spki.to_string())
    } else {
        differs(expected, leaf)
    })
}

fn differs(expected: String, leaf: &Certificate) -> Finding {
    let observed = format!("{} of {}", leaf.spki, leaf.subject);
    Finding::fail(
        code::PIN_OTHER,
        expected,
        observed,
        "ask the host's operator whether the key was changed; if it was not, somebody is in between",
    )
}

fn name(server_name: &str, identity: &Identity) -> Finding {
    let expected = format!("a certificate made out to {}", crate::model::text::escape(server_name));
    if identity.name_matches {
        return Finding::pass(code::NAME, expected, "it is");
    }
    let observed = match identity.leaf() {
        None => "the certificate cannot be read".to_owned(),
        Some(leaf) if leaf.sans.is_empty() => format!("it names no host ({})", leaf.subject),
        Some(leaf) => {
            let shown: Vec<&str> = leaf.sans.iter().take(4).map(crate::model::WireText::as_str).collect();
            let more = leaf.sans_total.saturating_sub(shown.len());
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            format!("it is made out to {}{more}", shown.join(", "))
        }
    };
    let remedy =
        "check host and server_name in the policy; if they are right, another server answers at this address";
    Finding::fail(code::WRONG_NAME, expected, observed, remedy)
}

fn valid_until(roots: RootSet, limits: &Limits, identity: &Identity) -> Option<Finding> {
    let AtLeast(needed) = limits.valid_until?;
    let until = match roots {
        RootSet::Public => identity.mozilla.until,
        RootSet::Machine => identity.mozilla.until.max(identity.machine.until),
        RootSet::Pinned => identity.leaf().map(|leaf| leaf.not_after),
    };
    // A chain that nobody trusts now is a finding of its own.
    let until = until?;
    let (expected, observed) = (format!("valid until {needed}"), format!("valid until {until}"));
    Some(if until >= needed {
        Finding::pass(code::OUTLASTS, expected, observed)
    } else {
        let remedy = "ask the host's operator to renew the certificate before the event";
        Finding::fail(code::EXPIRES_EARLY, expected, observed, remedy)
    })
}

fn scts(limits: &Limits, identity: &Identity) -> Option<Finding> {
    let AtLeast(least) = limits.scts?;
    let found = identity.leaf().map_or(0, |leaf| leaf.scts);
    let (expected, observed) =
        (format!("{least} transparency stamps or more"), format!("{found} in the certificate"));
    Some(if u32::try_from(found).unwrap_or(u32::MAX) >= least {
        Finding::pass(code::SCTS, expected, observed)
    } else {
        let remedy = "ask who signed this certificate: public authorities stamp theirs, private ones do not";
        Finding::fail(code::SCTS_FEW, expected, observed, remedy)
    })
}

fn signed_by(identity: &Identity) -> String {
    match (identity.leaf(), identity.chain.last()) {
        (Some(leaf), Some(_)) if leaf.self_issued() => format!("signed by itself ({})", leaf.subject),
        (Some(leaf), Some(last)) if last.issuer != leaf.issuer => {
            format!("signed by {}, by {}", leaf.issuer, last.issuer)
        }
        (Some(leaf), _) => format!("signed by {}", leaf.issuer),
        _ => "the certificate cannot be read".to_owned(),
    }
}
