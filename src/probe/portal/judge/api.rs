//! What the captive portal's API says.

use jiff::{SignedDuration, Timestamp};

use super::{PERSON, code};
use crate::model::{AtLeast, Finding, WireText};
use crate::probe::portal::{Api, ApiAnswer, Limits, Reading, Teller};
use crate::wire::captive::State;

pub(super) fn findings(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let Api::Asked { by, url, answer } = &reading.api else { return Vec::new() };
    match answer {
        ApiAnswer::None { failure, detail } => {
            let observed = if detail.is_empty() {
                format!("{url}: {failure}")
            } else {
                format!("{url}: {failure} ({detail})")
            };
            let remedy = match by {
                Teller::Policy => {
                    "check `api` in the policy; if it is right, ask who runs the captive portal"
                }
                Teller::Network => {
                    "network team: DHCP names a captive portal API (RFC 8910) that does not answer"
                }
            };
            vec![Finding::warn(code::API_FAILED, "an answer of the captive portal's API", observed, remedy)]
        }
        ApiAnswer::State(state) => state_findings(limits, reading.at, state),
    }
}

fn state_findings(limits: &Limits, at: Timestamp, state: &State) -> Vec<Finding> {
    const EXPECTED: &str = "captive: false (RFC 8908)";
    if state.captive {
        let remedy = format!(
            "{PERSON}: open {} in a browser, accept or sign in, then run the check again; for an encoder without \
             a browser ask the venue to exempt its address",
            page(state)
        );
        return vec![Finding::fail(code::API_CAPTIVE, EXPECTED, "captive: true", remedy)];
    }
    let mut findings = vec![Finding::pass(code::API_FREE, EXPECTED, "captive: false")];
    findings.extend(session(limits, at, state));
    findings.extend(allowance(limits, state));
    findings
}

fn session(limits: &Limits, at: Timestamp, state: &State) -> Option<Finding> {
    let seconds = state.seconds_remaining?;
    let whole = i64::try_from(seconds).map_or(SignedDuration::MAX, SignedDuration::from_secs);
    // Beyond all calendars: it lasts.
    let ends = at.checked_add(whole).unwrap_or(Timestamp::MAX);
    let observed = format!("{seconds} s left, until {}", shown(ends));
    let Some(AtLeast(until)) = limits.session_until else {
        return Some(Finding::pass(code::SESSION, "a session of the portal", observed));
    };
    let expected = format!("a session until {} at least", shown(until));
    if ends >= until {
        return Some(Finding::pass(code::SESSION, expected, observed));
    }
    let extend = if state.can_extend_session == Some(true) {
        format!("extend the session at {} shortly before the event", page(state))
    } else {
        format!("begin a new session at {} shortly before the event", page(state))
    };
    let remedy = format!(
        "{PERSON}: {extend}, and check again that it lasts; or ask the venue to exempt the encoder's address \
         from the portal for the day"
    );
    Some(Finding::warn(code::SESSION_SHORT, expected, observed, remedy))
}

fn allowance(limits: &Limits, state: &State) -> Option<Finding> {
    let bytes = state.bytes_remaining?;
    let observed = format!("{} MB left", bytes / 1_000_000);
    let Some(AtLeast(need)) = limits.bytes_remaining else {
        return Some(Finding::pass(code::ALLOWANCE, "an allowance of the portal", observed));
    };
    let expected = format!("{} MB at least", need.div_ceil(1_000_000));
    if bytes >= need {
        return Some(Finding::pass(code::ALLOWANCE, expected, observed));
    }
    let remedy = format!(
        "{PERSON}: buy or ask for more at {}, or ask the venue to exempt the encoder's address from the portal",
        page(state)
    );
    Some(Finding::warn(code::ALLOWANCE_SHORT, expected, observed, remedy))
}

fn page(state: &State) -> WireText {
    state.user_portal_url.clone().unwrap_or_else(|| WireText::from("the portal's page"))
}

fn shown(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
