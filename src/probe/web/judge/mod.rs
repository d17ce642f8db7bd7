//! Holds what came to a viewer's browser against what should have.

mod code;
mod downlink;
mod step;
mod stream;

use super::{Content, Inspection, Limits, Reading};
use crate::model::{AtLeast, AtMost, Finding, WireText};
use crate::net::viewer::Way;

pub(super) use code::CODES;

/// Who can mend what stands in the way.
const NETWORK: &str = "network team";
/// Who can mend what is wrong at the other end.
const PUBLISHER: &str = "whoever runs the page or stream (platform, agency)";

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let mut findings: Vec<Finding> = match reading.kind {
        Content::Page => vec![step::trouble(reading).unwrap_or_else(|| page(reading))],
        Content::Hls | Content::Dash => match step::trouble(reading) {
            Some(trouble) => vec![trouble],
            None => stream::findings(limits, reading),
        },
    };
    findings.extend(step::untrusted(reading));
    findings.extend(inspection(limits, reading));
    findings.extend(time(limits, reading));
    findings.extend(downlink::finding(limits, reading));
    findings
}

/// The address with the way that was taken to it.
fn asked(reading: &Reading) -> String {
    let url = WireText::from(reading.url.without_query());
    match &reading.way {
        Way::Direct { .. } => url.to_string(),
        Way::Proxy { url: proxy, place, .. } => format!("{url} through {proxy} (named by {place})"),
    }
}

fn page(reading: &Reading) -> Finding {
    let expected = asked(reading);
    let Some(step) = reading.steps.last() else {
        return Finding::unknown(code::REFUSED, expected, "nothing was asked", "run the check again");
    };
    let came = step::came(step);
    match reading.holds_text {
        Some(true) => Finding::pass(code::PAGE, format!("{expected}, with its text"), came),
        None => {
            Finding::pass(code::PAGE, expected, format!("{came}; the policy names no text to know it by"))
        }
        Some(false) => {
            let remedy = format!(
                "open it in a browser here: if it is another page (block page, sign-in, wall of cookies), {NETWORK}: \
                 let it pass, or {PUBLISHER}: mend it; if it is the right one, correct `contains` in the policy"
            );
            Finding::fail(code::OTHER_PAGE, format!("{expected}, with its text"), came, remedy)
        }
    }
}

fn inspection(limits: &Limits, reading: &Reading) -> Option<Finding> {
    let identities =
        || reading.steps.iter().filter_map(|step| Some((step, &step.session.as_ref()?.identity)));
    identities().next()?;
    let opened = identities().find(|(_, identity)| identity.intercepted());
    let expected = match limits.inspection {
        Some(AtLeast(Inspection::Allowed)) => "TLS may be opened on the way",
        Some(AtLeast(Inspection::Forbidden)) | None => "nobody in between opens TLS",
    };
    let Some((step, identity)) = opened else {
        return Some(Finding::pass(code::NOT_INSPECTED, expected, "nobody does"));
    };
    let issuer = identity.leaf().map(|leaf| leaf.issuer.to_string()).unwrap_or_default();
    let observed = format!("{}: signed by {issuer}, whom only this machine trusts", step.host);
    let remedy = format!(
        "{NETWORK}: exempt the event's hosts from inspection, or make sure that the proxy carries video for all \
         viewers, and say so in the policy (`inspection = \"allowed\"`)"
    );
    Some(match limits.inspection {
        Some(AtLeast(Inspection::Allowed)) => Finding::pass(code::INSPECTED, expected, observed),
        Some(AtLeast(Inspection::Forbidden)) => Finding::fail(code::INSPECTED, expected, observed, remedy),
        None => Finding::warn(code::INSPECTED, expected, observed, remedy),
    })
}

fn time(limits: &Limits, reading: &Reading) -> Option<Finding> {
    let took_ms = reading.took_ms?;
    let AtMost(most) = limits.took_ms?;
    let what = if reading.kind == Content::Page { "the whole page" } else { "the first segment" };
    let expected = format!("{what} within {most:.0} ms");
    let slowest = reading.steps.iter().max_by(|a, b| a.took_ms.total_cmp(&b.took_ms));
    let slowest = slowest.map_or_else(String::new, |step| {
        format!("; longest: {} from {}, {:.0} ms", step.what.words(), step.host, step.took_ms)
    });
    let observed = format!("{took_ms:.0} ms{slowest}");
    if took_ms <= most {
        return Some(Finding::pass(code::IN_TIME, expected, observed));
    }
    let remedy = format!(
        "{NETWORK}: compare with another network; if it is fast there, look at proxy, DNS and how full the line is; \
         if it is slow everywhere, {PUBLISHER}: look at the server"
    );
    Some(Finding::fail(code::SLOW, expected, observed, remedy))
}
