//! Can the encoder stream from here? Directly, through a proxy only, or not at all.

mod code;
mod named;
mod through;

use super::{Limits, Reached, Reading, Way};
use crate::model::{AtLeast, Finding, WireText};
use crate::net::tls::Identity;

pub(super) use code::CODES;

const NETWORK: &str = "network team";

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let through = reading.through.iter().filter_map(|through| through.reached.as_ref());
    let by_proxy = through.map(|reached| who(limits, reached)).any(|who| who == Who::Ingest);
    let needs_direct = limits.way.is_none_or(|AtLeast(way)| way == Way::Direct);
    let (direct, is_direct) = direct(limits, reading, by_proxy, needs_direct);
    let mut findings = vec![direct];
    findings.extend(named::findings(reading));
    // What keeps a proxy from serving matters where the stream has no other way.
    let matters = !is_direct && (needs_direct || !by_proxy);
    findings
        .extend(reading.through.iter().map(|through| through::finding(limits, reading, through, matters)));
    findings
}

/// Who answers where the ingest should.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    Ingest,
    /// Somebody else; what was seen.
    Other(String),
    /// Nobody; how it ended.
    Nobody(String),
}

fn who(limits: &Limits, reached: &Reached) -> Who {
    match reached {
        Reached::Rtmp { .. } => Who::Ingest,
        Reached::Tls(identity) => certificate(limits, identity),
        Reached::Stranger { protocol, said } => {
            let start: String = said.as_str().chars().take(60).collect();
            Who::Other(format!("{protocol} answers: {start}"))
        }
        Reached::NotConnected { failure, detail } if detail.is_empty() => Who::Nobody(failure.to_string()),
        Reached::NotConnected { failure, detail } => Who::Nobody(format!("{failure} ({detail})")),
        Reached::Cut { failure, detail } if detail.is_empty() => {
            Who::Nobody(format!("it connects, then: {failure}"))
        }
        Reached::Cut { failure, detail } => Who::Nobody(format!("it connects, then: {failure} ({detail})")),
    }
}

fn certificate(limits: &Limits, identity: &Identity) -> Who {
    let pinned = limits.pins.as_ref().is_some_and(|pins| identity.pinned(&pins.0));
    if identity.proves_name() || pinned {
        return Who::Ingest;
    }
    let issuer = identity.leaf().map_or_else(WireText::default, |leaf| leaf.issuer.clone());
    Who::Other(if identity.intercepted() {
        format!("a certificate by {issuer}, whom only this machine trusts")
    } else if identity.name_matches {
        format!("a certificate that Mozilla's roots do not trust, by {issuer}")
    } else {
        format!("a certificate for another name, by {issuer}")
    })
}

/// What is reached without a proxy; and whether it is the ingest.
fn direct(limits: &Limits, reading: &Reading, by_proxy: bool, needs_direct: bool) -> (Finding, bool) {
    const EXPECTED: &str = "the ingest itself, without a proxy";
    let url = WireText::from(reading.url.as_str());
    let seen: Vec<(Who, String)> = reading
        .direct
        .attempts
        .iter()
        .map(|reach| (who(limits, &reach.reached), reach.contact.remote.to_string()))
        .collect();
    if let Some((_, at)) = seen.iter().find(|(who, _)| *who == Who::Ingest) {
        return (Finding::pass(code::DIRECT, EXPECTED, format!("{url} answers (at {at})")), true);
    }
    if let Some((Who::Other(what), at)) = seen.iter().find(|(who, _)| matches!(who, Who::Other(_))) {
        let remedy = format!(
            "{NETWORK}: something in between answers in the ingest's place (a proxy or filter that nobody is told \
             of); exempt this host and port from it. If the ingest is your own, name its key in `pins`"
        );
        return (Finding::fail(code::NOT_INGEST, EXPECTED, format!("{what} (at {at})"), remedy), false);
    }
    let observed = match (reading.direct.lookup, seen.first()) {
        (Some(failure), _) => format!("{url}: {failure}"),
        (None, Some((Who::Nobody(how), at))) => format!("{how} (at {at})"),
        _ => return (Finding::unknown(code::BLOCKED, EXPECTED, "none tried", "run the check again"), false),
    };
    if by_proxy && !needs_direct {
        let observed = format!("{observed}; through a proxy it answers, which will do");
        return (Finding::pass(code::THROUGH, "the ingest itself, on any way", observed), false);
    }
    let finding = if by_proxy {
        let remedy = format!(
            "{NETWORK}: allow TCP to the ingest's host and port without the proxy: OBS and most encoders use none \
             for RTMP, whatever this machine's settings say. Or send with an encoder or a relay that can use \
             CONNECT, and set `way = \"any\"` in the policy"
        );
        let observed = format!("{observed}; through a proxy it answers");
        Finding::fail(code::ONLY_THROUGH, EXPECTED, observed, remedy)
    } else {
        let remedy = format!("{NETWORK}: allow TCP to the ingest's host and port (see `golive rules`)");
        Finding::fail(code::BLOCKED, EXPECTED, observed, remedy)
    };
    (finding, false)
}
