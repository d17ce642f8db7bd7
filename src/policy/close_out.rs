//! After the event: the policy that asks whether what was opened for it is closed again.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, Policy};
use crate::model::{CheckId, Endpoint, Enforcement, Exactly, HostPort, Transport};
use crate::probe::{Question, port};
use crate::wire::knock::Protocol;

/// What stands before the event's title in a close-out.
pub const TITLE: &str = "Close-out: ";

/// What made a policy a close-out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CloseOut {
    /// Only these checks were blocked before the event, so only theirs was opened; all, when
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<BTreeSet<CheckId>>,
    /// Checks that are not asked, and why.
    pub left_out: BTreeMap<CheckId, String>,
}

/// What one check becomes.
enum Turned {
    /// Its port must be blocked.
    Shut(Box<port::Target>),
    /// It asked that already.
    AsItIs,
    /// It is left out, and why.
    LeftOut(&'static str),
}

/// The policy turned round: what it wanted open must be blocked, and everything is required, so
/// that GO means closed. `opened` limits it to what was blocked before.
///
/// A block counts only beside a control that answers: the check's own, another check's of the same
/// host, or the TLS port of the same host, unless that is to be closed, too.
pub fn close_out(policy: &Policy, opened: Option<&BTreeSet<CheckId>>) -> Policy {
    let turn = |check: &Check| turned(check, policy, opened);
    let mut record = CloseOut { opened: opened.cloned(), left_out: BTreeMap::new() };
    let mut closing: Vec<(Check, Box<port::Target>)> = Vec::new();
    let mut checks: Vec<Check> = Vec::new();
    for check in &policy.checks {
        match turn(check) {
            Turned::LeftOut(why) => {
                record.left_out.insert(check.id.clone(), why.to_owned());
            }
            Turned::AsItIs => checks.push(check.clone()),
            Turned::Shut(target) => {
                let same = |(other, have): &&mut (Check, Box<port::Target>)| {
                    other.path == check.path && place(have) == place(&target)
                };
                match closing.iter_mut().find(same) {
                    // the same port again: a control that it names serves both
                    Some((other, have)) => {
                        have.control = have.control.take().or(target.control);
                        record.left_out.insert(check.id.clone(), format!("{} asks the same port", other.id));
                    }
                    None => closing.push((check.clone(), target)),
                }
            }
        }
    }
    let shut: BTreeSet<_> = closing.iter().map(|(_, target)| place(target)).collect();
    for (check, mut target) in closing {
        target.control = target.control.or_else(|| control(policy, &target.host, &shut));
        checks.push(Check {
            question: Question::Port {
                target: *target,
                limits: port::Limits { expect: Some(Exactly(port::Expect::Blocked)) },
            },
            enforcement: Enforcement::Hard,
            why: format!("opened for the event, and to be closed after it: {}", check.why),
            ..check
        });
    }
    let mut event = policy.event.clone();
    event.title.insert_str(0, TITLE);
    // a waiver accepted that something was closed, which is not what is asked now
    Policy { event, checks, waivers: Vec::new(), close_out: Some(record), ..policy.clone() }
}

fn place(target: &port::Target) -> (String, u16, Transport) {
    (target.host.to_ascii_lowercase(), target.port, target.transport)
}

#[allow(clippy::match_wildcard_for_single_variants, reason = "a new probe opens no port until it is listed")]
fn turned(check: &Check, policy: &Policy, opened: Option<&BTreeSet<CheckId>>) -> Turned {
    let target = match &check.question {
        Question::Port { limits, .. }
            if limits.expect.as_ref().is_some_and(|expect| expect.0 == port::Expect::Blocked) =>
        {
            return Turned::AsItIs;
        }
        Question::Port { target, .. } => Some(target.clone()),
        Question::Rtmp { target, .. } => ingest(check, policy, &target.url),
        Question::Rehearsal { target, .. } => ingest(check, policy, &target.url),
        Question::Srt { .. } => ingest(check, policy, "srt:"),
        Question::Proxy { target, .. } => ingest(check, policy, &target.url),
        Question::Dns { .. } => return Turned::LeftOut("names are looked up every day"),
        Question::Clock { .. } => return Turned::LeftOut("clocks are set every day"),
        Question::Tls { .. } => {
            return Turned::LeftOut(
                "it asks who answers, not whether the port is open; it may serve as control",
            );
        }
        Question::Portal { .. } => return Turned::LeftOut("it asks whether a portal holds this machine"),
        Question::Web { .. } => return Turned::LeftOut("viewers open pages every day"),
        Question::Whip { .. } => {
            return Turned::LeftOut("its media goes where its answer says: close those UDP ports by hand");
        }
        Question::Rist { .. } => {
            return Turned::LeftOut("a port check cannot ask RIST: close its UDP port by hand");
        }
        Question::Turn { .. } => {
            return Turned::LeftOut("a port check cannot ask TURN: close its ports by hand, but 443");
        }
        Question::HlsPush { .. } => {
            return Turned::LeftOut("a port check cannot push HLS: close its port by hand, but 443");
        }
        Question::Upload { .. } | Question::Path { .. } | Question::Session { .. } | Question::Nat { .. } => {
            return Turned::LeftOut(
                "it only measures: close its far end's port by hand, or ask it by a port check",
            );
        }
        _ => return Turned::LeftOut("it opens no port"),
    };
    match target {
        Some(_) if opened.is_some_and(|opened| !opened.contains(&check.id)) => {
            Turned::LeftOut("it was not blocked before the event, so nothing was opened for it")
        }
        Some(target) => Turned::Shut(Box::new(target)),
        None => Turned::LeftOut("its address names no port"),
    }
}

/// The port of an ingest, asked in the protocol that the URL names.
fn ingest(check: &Check, policy: &Policy, url: &str) -> Option<port::Target> {
    let ask = match url.split(':').next() {
        Some("rtmps" | "https") => Protocol::Tls,
        Some("srt") => Protocol::Srt,
        _ => Protocol::Rtmp,
    };
    let Endpoint { host, port, transport, .. } =
        check.question.demand(&policy.far_ends).endpoints.into_iter().next()?;
    Some(port::Target { host, port, transport, ask: Some(ask), control: None, decoy: None, far_end: None })
}

/// A port of the same host that surely answers and is not to be closed itself.
fn control(policy: &Policy, host: &str, shut: &BTreeSet<(String, u16, Transport)>) -> Option<String> {
    let same = |named: &str| named.eq_ignore_ascii_case(host);
    let candidate = |check: &Check| match &check.question {
        Question::Port { target, .. } => {
            let (host, port) = Endpoint::split(target.control.as_deref()?)?;
            Some(HostPort { host: host.to_owned(), port })
        }
        Question::Tls { target, .. } => Some(HostPort { host: target.host.clone(), port: target.port }),
        _ => None,
    };
    let fit = |place: &HostPort| {
        same(&place.host) && !shut.contains(&(place.host.to_ascii_lowercase(), place.port, Transport::Tcp))
    };
    policy.checks.iter().filter_map(candidate).find(fit).map(|place| place.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"
schema = "golive-policy/1"
[event]
title = "Launch"
[people.it]
name = "Ida Tellers"
[accountable]
network = "it"
brand = "it"
production = "it"
[authorisation]
by = "it"
[[check.rtmp]]
id = "ingest.rtmp"
target = { url = "rtmp://live.example.com:1935/live" }
limits = { tcp_ms = 500.0 }
enforcement = "waivable"
owner = "network"
why = "the way in"
valid_for = "1d"
[[check.srt]]
id = "ingest.srt"
target = { url = "srt://live.example.com:9000" }
limits = { handshake_ms = 500.0 }
enforcement = "advisory"
owner = "network"
why = "the second way in"
valid_for = "1d"
[[check.tls]]
id = "certificate"
target = { host = "Live.example.com", port = 443 }
limits = { roots = "public" }
enforcement = "hard"
owner = "network"
why = "who answers"
valid_for = "1d"
[[check.port]]
id = "rules.rtmp"
target = { host = "live.example.com", port = 1935, ask = "rtmp" }
limits = { expect = "open" }
enforcement = "hard"
owner = "network"
why = "the port"
valid_for = "1d"
[[check.port]]
id = "rules.shut"
target = { host = "live.example.com", port = 8080, control = "live.example.com:443" }
limits = { expect = "blocked" }
enforcement = "advisory"
owner = "network"
why = "nobody needs it"
valid_for = "1d"
[[waiver]]
check = "ingest.rtmp"
accepts = "fail"
reason = "later"
compensating = "by cable"
by = "it"
expires = 2036-12-04T16:00:00+01:00
"#;

    fn policy() -> Policy {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("policy.toml");
        std::fs::write(&file, POLICY).unwrap();
        crate::policy::load(&file).unwrap()
    }

    fn asked(policy: &Policy) -> Vec<(&str, u16, &str, Option<&str>)> {
        let each = policy.checks.iter().map(|check| match &check.question {
            Question::Port { target, limits } => {
                assert_eq!(limits.expect, Some(Exactly(port::Expect::Blocked)));
                let over = if target.transport == Transport::Udp { "udp" } else { "tcp" };
                (check.id.as_str(), target.port, over, target.control.as_deref())
            }
            other => panic!("{other:?}"),
        });
        each.collect()
    }

    #[test]
    fn what_was_open_must_be_blocked_beside_a_control() {
        let closed = close_out(&policy(), None);
        let control = Some("Live.example.com:443");
        assert_eq!(
            asked(&closed),
            [
                ("rules.shut", 8080, "tcp", Some("live.example.com:443")),
                ("ingest.rtmp", 1935, "tcp", control),
                ("ingest.srt", 9000, "udp", control),
            ]
        );
        assert!(closed.checks[1..].iter().all(|check| check.enforcement == Enforcement::Hard));
        assert!(closed.waivers.is_empty());
        let left_out = closed.close_out.unwrap().left_out;
        let left_out: Vec<_> = left_out.iter().map(|(check, why)| (check.as_str(), &**why)).collect();
        assert_eq!(left_out[0].0, "certificate");
        assert!(left_out[1].1.ends_with("asks the same port"), "{left_out:?}");
    }

    #[test]
    fn only_what_was_blocked_before_was_opened() {
        let opened = BTreeSet::from([CheckId::new("ingest.srt").unwrap()]);
        let closed = close_out(&policy(), Some(&opened));
        let ids: Vec<_> = asked(&closed).iter().map(|check| check.0.to_owned()).collect();
        assert_eq!(ids, ["rules.shut", "ingest.srt"]);
        assert_eq!(closed.close_out.unwrap().left_out.len(), 3);
    }

    #[test]
    fn a_port_that_is_closed_is_no_control() {
        let mut policy = policy();
        for check in &mut policy.checks {
            if let Question::Tls { target, .. } = &mut check.question {
                target.port = 1935;
            }
        }
        policy.checks.retain(|check| check.id.as_str() != "rules.shut");
        assert!(asked(&close_out(&policy, None)).iter().all(|check| check.3.is_none()));
    }
}
