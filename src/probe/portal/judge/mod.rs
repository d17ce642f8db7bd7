//! Holds what came back against what should have.

mod api;
mod code;

use super::{Answer, Api, Attempt, Limits, Page, Reading};
use crate::model::{Failure, Finding, WireText};

pub(super) use code::CODES;

/// Who must do it.
const PERSON: &str = "whoever runs this machine";

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let mut findings = pages(limits, reading);
    findings.extend(api::findings(limits, reading));
    findings
}

fn pages(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let expected = expected(limits);
    if let Some(failure) = reading.lookup {
        let observed = format!("{}: {failure}", WireText::from(reading.url.host()));
        let remedy =
            "check the page's host in the policy; if it is right, the resolvers (see the dns checks)";
        return vec![Finding::unknown(code::NO_ADDRESS, expected, observed, remedy)];
    }
    if reading.attempts.is_empty() {
        return vec![Finding::unknown(code::NO_ANSWER, expected, "none asked", "run the check again")];
    }
    let is_page = |attempt: &Attempt| matches!(attempt.answer, Answer::Page(_));
    let some = reading.attempts.iter().any(is_page);
    Finding::at_places(reading.attempts.iter().filter_map(|attempt| {
        let finding = match &attempt.answer {
            Answer::Page(page) => page_finding(limits, reading, page),
            // This network has no such family, and the other one answers.
            Answer::None { failure: Failure::NetUnreachable, .. } if some => return None,
            Answer::None { failure, detail, connected } => none(limits, *failure, detail, *connected, some),
        };
        Some((finding, attempt.contact.remote))
    }))
}

fn expected(limits: &Limits) -> String {
    match &limits.body {
        Some(body) => format!("the page \"{}\"", WireText::from(body.0.trim())),
        None => "no content (204)".to_owned(),
    }
}

fn page_finding(limits: &Limits, reading: &Reading, page: &Page) -> Finding {
    let expected = expected(limits);
    let url = WireText::from(reading.url.without_query());
    let sign_in = format!(
        "{PERSON}: a captive portal holds it. Open {url} in a browser, accept or sign in, then run the check \
         again; for an encoder without a browser ask the venue to exempt its address"
    );
    match page.status {
        511 => Finding::fail(code::LOGIN, expected, "511 Network Authentication Required", sign_in),
        300..=399 if page.same_host => {
            let observed = format!("{}, to {}", page.status, leads(page));
            let remedy = "name in the policy a page that answers itself";
            Finding::unknown(code::MOVED, expected, observed, remedy)
        }
        300..=399 => {
            let observed = format!("{}, to {}", page.status, leads(page));
            Finding::fail(code::REDIRECTED, expected, observed, sign_in)
        }
        _ if is_as_expected(limits, page) => Finding::pass(
            code::FREE,
            expected,
            format!("as expected: HTTP {}{}", page.status, unsaid(&reading.api)),
        ),
        200..=299 => Finding::fail(code::SUBSTITUTED, expected, other(page), sign_in),
        status => {
            let remedy = format!(
                "open {url} in a browser: if it is a block page, ask the network team to let it pass; if the \
                 page is gone, name another in the policy"
            );
            Finding::unknown(code::ERROR, expected, format!("{status}: {}", other(page)), remedy)
        }
    }
}

fn is_as_expected(limits: &Limits, page: &Page) -> bool {
    match &limits.body {
        // Both went the same way: blanks cut off, escaped.
        Some(body) => page.status == 200 && page.whole && page.body == WireText::from(body.0.trim()),
        None => page.status == 204 && page.body_bytes == 0,
    }
}

fn leads(page: &Page) -> String {
    page.location.as_ref().map_or_else(|| "nowhere".to_owned(), ToString::to_string)
}

fn other(page: &Page) -> String {
    let kind = page.content_type.as_ref().map_or_else(String::new, |kind| format!(" of {kind}"));
    let cut = if page.whole { "" } else { " and more" };
    let start: String = page.body.as_str().chars().take(80).collect();
    match page.body_bytes {
        0 => "an empty page".to_owned(),
        bytes => format!("another page, {bytes} bytes{cut}{kind}: {start}"),
    }
}

/// What nobody said stays said: no API is no proof that a session has no end.
fn unsaid(api: &Api) -> &'static str {
    match api {
        Api::Unnamed { dhcp_readable: false } => {
            "; whether the network names a captive portal API (RFC 8910) could not be read here"
        }
        Api::Unnamed { dhcp_readable: true } => "; the network names no captive portal API (RFC 8910)",
        Api::Unrestricted => "; the network says that it has no captive portal (RFC 8910)",
        Api::Asked { .. } => "",
    }
}

fn none(limits: &Limits, failure: Failure, detail: &WireText, connected: bool, others: bool) -> Finding {
    let expected = expected(limits);
    let words = if detail.is_empty() { failure.to_string() } else { format!("{failure} ({detail})") };
    let observed = if connected { format!("connected, then: {words}") } else { words };
    if others {
        let remedy = "network team: find out why this address gives no page; the other one does";
        return Finding::warn(code::ADDRESS_DEAD, expected, observed, remedy);
    }
    let remedy = "open any http:// page in a browser: if a sign-in comes, accept and run the check again; else ask \
                  the network team to let HTTP (TCP 80) to this host pass, or name in the policy a page that does";
    Finding::unknown(code::NO_ANSWER, expected, observed, remedy)
}
