//! What each proxy does for the ingest.

use super::{NETWORK, Who, code, who};
use crate::model::{Code, Effect, Finding, WireText};
use crate::net::proxy::Connect;
use crate::probe::proxy::{Limits, Reading, Through};

/// `matters`: the stream has no other way than a proxy's.
pub(super) fn finding(limits: &Limits, reading: &Reading, through: &Through, matters: bool) -> Finding {
    let url = WireText::from(reading.url.as_str());
    let expected = format!("{url} through {}{}", through.url, known(through));
    let say = |code: Code, observed: String, remedy: String, unless: Effect| {
        let effect = if matters { Effect::Fail } else { unless };
        match effect {
            Effect::Pass => {
                Finding::pass(code, &*expected, format!("{observed}; the stream does not need it"))
            }
            Effect::Warn => Finding::warn(code, &*expected, observed, remedy),
            _ => Finding::fail(code, &*expected, observed, remedy),
        }
    };
    match &through.connect {
        Connect::NotAsked { why } if matters => {
            let remedy = "run the ingest's own check from the encoder, through this proxy";
            Finding::unknown(code::NOT_ASKED, expected, why.to_string(), remedy)
        }
        Connect::NotAsked { why } => say(code::NOT_ASKED, why.to_string(), String::new(), Effect::Pass),
        Connect::None { failure, detail, connected } => {
            let words = if detail.is_empty() { failure.to_string() } else { format!("{failure} ({detail})") };
            let observed = if *connected { format!("it connects, then: {words}") } else { words };
            let remedy = format!(
                "whoever set it: check the proxy's address, or take it out of this machine's settings; {NETWORK}: \
                 programs that heed them reach nothing"
            );
            say(code::UNREACHABLE, observed, remedy, Effect::Warn)
        }
        answered if answered.is_open() => tunnel(limits, through, &say, &expected),
        Connect::Answered { status: 407, offers, .. } => {
            let offers: Vec<&str> = offers.iter().map(WireText::as_str).collect();
            let offers = if offers.is_empty() { "nothing".to_owned() } else { offers.join(", ") };
            let shown =
                if through.credentials { "; the name and password shown to it do not do" } else { "" };
            let remedy = format!(
                "{NETWORK}: let the encoder's address pass without a sign-in: encoders cannot answer {offers}"
            );
            say(code::AUTH, format!("407, it takes {offers}{shown}"), remedy, Effect::Pass)
        }
        Connect::Answered { status, reason, .. } => {
            let seen = format!("{status} {reason}");
            if through.on_443.as_ref().is_some_and(Connect::is_open) {
                let remedy = format!(
                    "{NETWORK}: let the proxy connect to the ingest's port; or use the ingest's RTMPS address on \
                     port 443"
                );
                return say(code::ONLY_443, format!("{seen}; on port 443 it connects"), remedy, Effect::Pass);
            }
            let remedy = format!("{NETWORK}: let the proxy connect to the ingest's host and port");
            say(code::REFUSED, seen, remedy, Effect::Pass)
        }
    }
}

fn tunnel(
    limits: &Limits,
    through: &Through,
    say: &dyn Fn(Code, String, String, Effect) -> Finding,
    expected: &str,
) -> Finding {
    let reached = through.reached.as_ref().map(|reached| who(limits, reached));
    match reached {
        Some(Who::Ingest) => Finding::pass(code::THROUGH, expected, "it answers"),
        Some(Who::Other(what)) => {
            let remedy = format!(
                "{NETWORK}: exempt the ingest's host from inspection on the proxy: it reads the stream key, and \
                 often cannot pass the stream on"
            );
            say(code::INTERCEPTS, what, remedy, Effect::Warn)
        }
        Some(Who::Nobody(how)) => {
            let remedy =
                format!("{NETWORK}: the proxy says that it connects to the ingest, and nothing comes back");
            say(code::DEAD, how, remedy, Effect::Pass)
        }
        None => {
            say(code::DEAD, "nothing was tried".to_owned(), "run the check again".to_owned(), Effect::Pass)
        }
    }
}

fn known(through: &Through) -> String {
    through.product.as_ref().map_or_else(String::new, |product| format!(" ({product}, by its own words)"))
}
