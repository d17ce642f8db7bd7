//! What of a question's traffic a firewall must let out, and what its reading says of it.

use std::collections::BTreeMap;

use super::Purpose;
use crate::model::{Contact, Endpoint, FarEnd, FarEndName, Transport};
use crate::net::viewer::Way;
use crate::policy::Check;
use crate::probe::{Question, Reading, port};

/// One host and port that a check needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    pub endpoint: Endpoint,
    pub purpose: Purpose,
}

/// Codes of findings that a firewall's rule can mend: the traffic did not get through, or
/// something on the way took the server's place.
pub const BLOCKED: &[&str] = &[
    "port.spoofed",
    "port.reset_after_data",
    "port.no_answer",
    "port.refused",
    "port.prohibited",
    "port.filtered",
    "port.unreachable",
    "port.local_policy",
    "port.udp_silent",
    "port.udp_dropped",
    "port.udp_one_way",
    "tls.no_connection",
    "tls.address_dead",
    "tls.killed",
    "rtmp.refused",
    "rtmp.filtered",
    "rtmp.prohibited",
    "rtmp.local_policy",
    "rtmp.unreachable",
    "rtmp.killed",
    "rtmp.swallowed",
    "srt.silent",
    "srt.silent_conclusion",
    "srt.refused",
    "srt.prohibited",
    "srt.unreachable",
    "srt.local_policy",
    "rist.silent",
    "rist.refused",
    "rist.prohibited",
    "rist.unreachable",
    "rist.local_policy",
    "whip.not_connected",
    "whip.local_policy",
    "whip.ice_silent",
    "whip.ice_barred",
    "turn.silent",
    "turn.refused",
    "turn.prohibited",
    "turn.unreachable",
    "turn.local_policy",
    "turn.killed",
    "turn.not_turn",
    "turn.tls_failed",
    "hls_push.no_connection",
    "hls_push.tls_failed",
    "hls_push.name_killed",
    "hls_push.cut",
    "hls_push.silent",
    "upload.line_dead",
    "upload.cut",
    "rehearsal.not_started",
    "rehearsal.cut",
    "rehearsal.silent",
    "path.silent",
    "path.blocked_out",
    "path.blocked_back",
    "path.refused",
    "path.prohibited",
    "path.unreachable",
    "path.local_policy",
    "dns.silent",
    "dns.unreachable",
    "portal.no_answer",
    "nat.not_told",
    "session.cut_on_the_way",
    "session.forgotten",
    "session.not_begun",
    "clock.by_https",
    "clock.not_told",
    "proxy.blocked",
    "proxy.only_through",
    "proxy.not_the_ingest",
    "web.no_connection",
    "web.killed",
    "web.name_killed",
];

/// Codes by which a resolver's answer for a name is not to be built upon.
pub const DOUBTED: &[&str] =
    &["dns.wrong_address", "dns.private_address", "dns.block_page", "dns.differs_from_reference"];

/// Whether the check asks that a port be blocked.
pub fn must_be_shut(check: &Check) -> Option<&port::Target> {
    match &check.question {
        Question::Port { target, limits }
            if limits.expect.as_ref().is_some_and(|expect| expect.0 == port::Expect::Blocked) =>
        {
            Some(target)
        }
        _ => None,
    }
}

/// What must be let out. Controls, decoys and references are the probe's own and no part of it.
///
/// # Errors
/// Why the check needs traffic for which no rule is asked.
#[allow(clippy::match_wildcard_for_single_variants, reason = "a new probe needs no rule until it is listed")]
pub fn flows(check: &Check, far_ends: &BTreeMap<FarEndName, FarEnd>) -> Result<Vec<Flow>, &'static str> {
    let of = |purpose: Purpose, endpoints: Vec<Endpoint>| {
        endpoints.into_iter().map(|endpoint| Flow { endpoint, purpose }).collect::<Vec<_>>()
    };
    let demanded = || check.question.demand(far_ends).endpoints;
    Ok(match &check.question {
        Question::Port { target, .. } => {
            let endpoint = Endpoint::new(&target.host, target.port, target.transport);
            of(Purpose::Event, vec![endpoint])
        }
        // The way without a proxy: who names the ingest first asks for that.
        Question::Proxy { .. } => of(Purpose::Event, demanded().into_iter().take(1).collect()),
        Question::Rtmp { .. }
        | Question::Srt { .. }
        | Question::Tls { .. }
        | Question::Turn { .. }
        | Question::Rehearsal { .. } => of(Purpose::Event, demanded()),
        // The media's own port, too: the next one only carries the simple profile's RTCP.
        Question::Rist { target, .. } => {
            let media = Endpoint::new(&*target.host, target.port, Transport::Udp);
            let others = demanded().into_iter().filter(|at| at.port != target.port);
            of(Purpose::Event, std::iter::once(media).chain(others).collect())
        }
        // The page only: the portal's API is the network's own.
        Question::Portal { target, .. } => {
            let page = Endpoint::new(target.url.host(), target.url.port(), Transport::Tcp);
            of(Purpose::Measuring, vec![page])
        }
        // The date of a web server only stands in where NTP is blocked.
        Question::Clock { .. } => {
            of(Purpose::Event, demanded().into_iter().filter(|at| at.transport == Transport::Udp).collect())
        }
        // The gateway stands inside.
        Question::Upload { .. } | Question::Path { .. } | Question::Session { .. } | Question::Nat { .. } => {
            of(Purpose::Measuring, demanded().into_iter().filter(|at| !at.implied).collect())
        }
        // A WHIP session's media goes to addresses that only the answer names.
        Question::Whip { .. } | Question::Web { .. } | Question::HlsPush { .. } => {
            of(Purpose::Event, demanded().into_iter().filter(|at| !at.implied).collect())
        }
        Question::Dns { target, .. } if target.resolvers.is_empty() => {
            return Err("this machine's own resolvers are asked, inside the network");
        }
        Question::Dns { target, .. } => {
            let place = |resolver: &String| match Endpoint::split(resolver) {
                Some((host, port)) => (host.to_owned(), port),
                None => (resolver.clone(), 53),
            };
            // A long answer comes over TCP (RFC 7766).
            let both = |(host, port): (String, u16)| {
                [Transport::Udp, Transport::Tcp].map(|transport| Endpoint::new(&*host, port, transport))
            };
            of(Purpose::Event, target.resolvers.iter().map(place).flat_map(both).collect())
        }
        _ => Vec::new(),
    })
}

/// The exchanges with the host that the check names, in order.
pub fn contacts(reading: &Reading) -> Vec<&Contact> {
    match reading {
        Reading::Port(port) => {
            let attempts = port.addresses.iter().flat_map(|address| &address.attempts);
            attempts.map(|attempt| &attempt.contact).collect()
        }
        Reading::Tls(tls) => tls.attempts.iter().map(|attempt| &attempt.contact).collect(),
        Reading::Proxy(proxy) => proxy.direct.attempts.iter().map(|attempt| &attempt.contact).collect(),
        Reading::Portal(portal) => portal.attempts.iter().map(|attempt| &attempt.contact).collect(),
        Reading::Rtmp(rtmp) => rtmp.attempts.iter().map(|attempt| &attempt.contact).collect(),
        Reading::Srt(srt) => srt.attempts.iter().map(|attempt| &attempt.contact).collect(),
        Reading::Rist(rist) => rist.attempts.iter().map(|attempt| &attempt.contact).collect(),
        Reading::Whip(whip) => whip.attempts.iter().map(|attempt| &attempt.contact).collect(),
        Reading::Turn(turn) => turn.attempts.iter().map(|attempt| &attempt.contact).collect(),
        Reading::Upload(upload) => upload.attempts.iter().map(|attempt| &attempt.contact).collect(),
        Reading::Rehearsal(take) => take.attempts.iter().map(|attempt| &attempt.contact).collect(),
        Reading::Nat(nat) => {
            let asked = nat.servers.iter().flat_map(|server| &server.asked);
            asked.map(|asked| &asked.contact).collect()
        }
        Reading::Web(web) if matches!(web.way, Way::Direct { .. }) => {
            web.steps.iter().filter_map(|step| step.contact.as_ref()).collect()
        }
        Reading::HlsPush(push) if matches!(push.way, Way::Direct { .. }) => {
            push.pushes.iter().filter_map(|push| push.contact.as_ref()).collect()
        }
        Reading::Session(session) => session.sessions.iter().map(|held| &held.contact).collect(),
        Reading::Clock(clock) => {
            let asked = clock.servers.iter().flat_map(|server| &server.asked);
            asked.map(|asked| &asked.contact).collect()
        }
        Reading::Path(path) => path.flows.iter().map(|flow| &flow.contact).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Kind;

    #[test]
    fn every_code_is_a_probes() {
        for code in BLOCKED.iter().chain(DOUBTED) {
            let known = Kind::ALL.iter().flat_map(|kind| kind.codes()).any(|known| known.id == *code);
            assert!(known, "{code}");
        }
    }
}
