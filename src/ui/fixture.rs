//! A run made of event values, for the tests of all readers.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::evidence::{Measured, Measurement};
use crate::judge::{Judged, Rank, Reason, Verdict, Word};
use crate::model::{
    Area, Cause, CheckId, Effect, Enforcement, Finding, Lane, LimitRow, NotMeasured, Outcome, PathName, Role,
    SourceAddress,
};
use crate::policy::Policy;
use crate::probe::{Kind, Sample};
use crate::run::Event;
use crate::run::event::{CheckHead, FORMAT, Started};

/// How the run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Go,
    NoGo,
    /// Stopped by a key while the upload ran.
    Stopped,
}

pub(crate) fn start() -> Timestamp {
    "2026-12-04T08:30:00Z".parse().unwrap()
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

pub(crate) fn id(name: &str) -> CheckId {
    CheckId::new(name).unwrap()
}

fn kind(name: &str) -> Kind {
    serde_json::from_value(json!(name)).unwrap()
}

pub(crate) fn policy() -> Policy {
    serde_json::from_value(json!({
        "schema": crate::policy::SCHEMA,
        "event": {
            "title": "Autumn product launch", "venue": "Hall 3", "change": "CHG0031337",
            "starts": "2026-12-04T14:00:00+01:00", "ends": "2026-12-04T15:30:00+01:00",
        },
        "people": { "it": { "name": "Anna Berg" }, "marketing": { "name": "Tom Lind" } },
        "accountable": { "network": "it", "brand": "marketing" },
        "authorisation": null, "paths": {}, "streams": {}, "far_ends": {}, "checks": [],
        "waivers": [{
            "check": "uplink.backup", "accepts": "fail", "reason": "the wired line carries the stream alone",
            "by": "marketing", "expires": "2026-12-04T16:00:00+01:00",
        }],
        "layers": [],
    }))
    .unwrap()
}

fn head(
    name: &str,
    probe: &str,
    target: &str,
    lane: Lane,
    why: &str,
    limits: &[(&str, &str)],
    seconds: f64,
) -> CheckHead {
    let owner = if lane == Lane::Person { "brand" } else { "network" };
    CheckHead {
        id: id(name),
        probe: kind(probe),
        target: target.to_owned(),
        path: (lane == Lane::Load).then(|| PathName::new("primary").unwrap()),
        lane,
        enforcement: Enforcement::Hard,
        owner: Area::new(owner).unwrap(),
        accountable: Some(Role::new(if owner == "brand" { "marketing" } else { "it" }).unwrap()),
        why: why.to_owned(),
        limits: limits
            .iter()
            .map(|(field, bound)| LimitRow { field: (*field).to_owned(), bound: (*bound).to_owned() })
            .collect(),
        seconds,
    }
}

fn heads() -> Vec<CheckHead> {
    let mut heads = vec![
        head(
            "moderator",
            "attest",
            "Who moderates the chat, and can they stop it?",
            Lane::Person,
            "Nobody else can act on what viewers write.",
            &[("answer", "= true")],
            0.0,
        ),
        head(
            "dns.ingest",
            "dns",
            "ingest.example.net",
            Lane::Ask,
            "An encoder that cannot find its ingest never connects.",
            &[("answer_ms", "≤ 100")],
            2.0,
        ),
        head(
            "port.rtmps",
            "port",
            "ingest.example.net:443 tcp",
            Lane::Ask,
            "The firewall must let the stream out.",
            &[("expect", "= \"open\"")],
            3.0,
        ),
        head(
            "ingest.primary",
            "rtmp",
            "rtmps://ingest.example.net:443/live2",
            Lane::Ask,
            "This is where the stream goes. A middlebox that lets the port open and kills the protocol shows here only.",
            &[("handshake_ms", "≤ 1500")],
            5.0,
        ),
        head(
            "ingest.backup",
            "srt",
            "srt://backup.example.net:9000",
            Lane::Ask,
            "The encoder falls back to it when the primary ingest dies.",
            &[("handshake_ms", "≤ 1500")],
            4.0,
        ),
        head(
            "tls.ingest",
            "tls",
            "ingest.example.net:443",
            Lane::Ask,
            "A proxy that opens the stream's TLS breaks it sooner or later.",
            &[],
            3.0,
        ),
        head(
            "path.primary",
            "tls",
            "far-end.example.net:9411 udp",
            Lane::Delay,
            "Loss and jitter decide how far SRT can be trusted.",
            &[("rtt_ms", "≤ 80"), ("loss_percent", "≤ 0.5")],
            5.0,
        ),
        head(
            "uplink.primary",
            "tls",
            "far-end.example.net:9411",
            Lane::Load,
            "If the line carries less than the stream needs, viewers see stalls.",
            &[("rate_kbps", "≥ 9467")],
            10.0,
        ),
        head(
            "uplink.backup",
            "tls",
            "far-end.example.net:9411",
            Lane::Load,
            "The cellular line takes over when the wired one fails.",
            &[("rate_kbps", "≥ 9467")],
            10.0,
        ),
    ];
    heads[5].enforcement = Enforcement::Advisory;
    heads[8].enforcement = Enforcement::Waivable;
    heads[8].path = Some(PathName::new("backup").unwrap());
    heads
}

pub(crate) fn started() -> Event {
    Event::RunStarted(Box::new(Started {
        format: FORMAT.to_owned(),
        run: "20261204T083000Z".to_owned(),
        golive: "0.1.0".to_owned(),
        at: start(),
        policy: policy(),
        policy_source: "policies/launch.toml".to_owned(),
        answers_source: None,
        checks: heads(),
        seconds: 30.0,
    }))
}

pub(crate) fn finding(code: &str, effect: Effect, expected: &str, observed: &str, remedy: &str) -> Finding {
    Finding {
        code: code.to_owned(),
        effect,
        expected: expected.to_owned(),
        observed: observed.to_owned(),
        remedy: remedy.to_owned(),
    }
}

pub(crate) fn check_started(name: &str, offset_ms: f64) -> Event {
    Event::CheckStarted { check: id(name), offset_ms }
}

/// A measurement whose reading no screen looks at.
pub(crate) fn measured(name: &str, offset_ms: f64, took_ms: f64) -> Event {
    let reading = json!({ "reading": { "attest": {
        "question": "Who moderates?", "asked": "marketing",
        "answer": { "check": name, "yes": true, "role": "marketing", "name": "Tom Lind", "at": start() },
    }}});
    #[expect(clippy::cast_possible_truncation, reason = "a test's milliseconds")]
    let begun = start() + SignedDuration::from_millis(offset_ms as i64);
    Event::Measured {
        measurement: Box::new(Measurement {
            check: id(name),
            started: begun,
            offset_ms,
            took_ms,
            source: SourceAddress {
                interface: Some("eth0".to_owned()),
                address: Some("10.20.3.4".parse().unwrap()),
            },
            result: serde_json::from_value(reading).unwrap(),
        }),
    }
}

pub(crate) fn not_measured(name: &str, offset_ms: f64, took_ms: f64, why: NotMeasured) -> Event {
    let Event::Measured { mut measurement } = measured(name, offset_ms, took_ms) else { unreachable!() };
    measurement.result = Measured::NotMeasured(why);
    Event::Measured { measurement }
}

pub(crate) fn judgement(name: &str, outcome: Outcome, findings: Vec<Finding>) -> Judged {
    Judged { check: id(name), outcome, findings, waived: None, expires: Some(at(7 * 86_400)) }
}

/// All events of a run of half a minute.
pub(crate) fn run(end: End) -> Vec<Event> {
    let mut events = vec![started()];
    let mut judged: Vec<Judged> = Vec::new();
    let mut put = |events: &mut Vec<Event>, measured: Event, one: Judged| {
        events.push(measured);
        events.push(Event::Judged { judged: one.clone() });
        judged.push(one);
    };
    events.push(check_started("moderator", 1.0));
    put(&mut events, measured("moderator", 1.0, 0.4), person());
    for name in ["dns.ingest", "port.rtmps", "ingest.primary", "ingest.backup", "tls.ingest"] {
        events.push(check_started(name, 4.0));
    }
    put(&mut events, measured("dns.ingest", 4.0, 31.0), dns());
    put(&mut events, measured("port.rtmps", 4.0, 48.0), port());
    put(&mut events, measured("ingest.primary", 4.0, 412.0), primary(end));
    put(&mut events, measured("tls.ingest", 4.0, 460.0), tls());
    put(&mut events, measured("ingest.backup", 4.0, 2904.0), backup(end));
    events.push(check_started("path.primary", 3000.0));
    for step in 0..25 {
        let value = 21.0 + f64::from(step * 7 % 5);
        events.push(sample("path.primary", "rtt_ms", f64::from(step) * 200.0, value));
    }
    let (path_event, path_judged) = path(end);
    put(&mut events, path_event, path_judged);
    events.push(check_started("uplink.primary", 8100.0));
    for step in 0..100_u32 {
        let dip = if (40..52).contains(&step) { 5200.0 } else { 0.0 };
        let value = 13_800.0 + f64::from(step * 37 % 11) * 90.0 - dip + if step < 8 { 6000.0 } else { 0.0 };
        events.push(sample("uplink.primary", "upload_kbps", f64::from(step) * 100.0, value));
        if end == End::Stopped && step == 60 {
            events.push(Event::Interrupted { at: at(14), by: "q".to_owned() });
            break;
        }
    }
    if end == End::Stopped {
        put(
            &mut events,
            not_measured("uplink.primary", 8100.0, 6020.0, NotMeasured::cancelled()),
            Judged { expires: None, ..judgement("uplink.primary", Outcome::Unknown, Vec::new()) },
        );
        judged.push(Judged { expires: None, ..judgement("uplink.backup", Outcome::Unknown, Vec::new()) });
    } else {
        put(&mut events, measured("uplink.primary", 8100.0, 10_200.0), uplink(end));
        events.push(check_started("uplink.backup", 18_400.0));
        put(&mut events, measured("uplink.backup", 18_400.0, 10_100.0), uplink_backup(end));
    }
    events.push(finish(end, judged));
    events
}

fn sample(name: &str, series: &str, offset_ms: f64, value: f64) -> Event {
    Event::Sample { check: id(name), sample: Sample { series: series.to_owned(), offset_ms, value } }
}

fn person() -> Judged {
    let seen = "yes from Tom Lind as marketing (CHG0031337)";
    let asked = "yes from marketing: Who moderates the chat, and can they stop it?";
    judgement("moderator", Outcome::Pass, vec![finding("attest.answered", Effect::Pass, asked, seen, "")])
}

fn dns() -> Judged {
    let findings = vec![
        finding("dns.answered", Effect::Pass, "an answer within 100 ms", "203.0.113.7 after 31 ms", ""),
        finding("dns.honest", Effect::Pass, "no answer for a name that does not exist", "NXDOMAIN", ""),
    ];
    judgement("dns.ingest", Outcome::Pass, findings)
}

fn port() -> Judged {
    let pass = finding("port.open", Effect::Pass, "open", "open, TLS answered after 44 ms", "");
    judgement("port.rtmps", Outcome::Pass, vec![pass])
}

fn primary(end: End) -> Judged {
    if end != End::NoGo {
        let pass = finding(
            "rtmp.accepted",
            Effect::Pass,
            "connect accepted within 1500 ms",
            "accepted after 398 ms",
            "",
        );
        return judgement("ingest.primary", Outcome::Pass, vec![pass]);
    }
    let findings = vec![
        finding("rtmp.tls", Effect::Pass, "TLS for ingest.example.net", "TLS 1.3, ISRG Root X1", ""),
        finding(
            "rtmp.not_rtmp",
            Effect::Fail,
            "an RTMP handshake (S0 S1 S2) within 1500 ms",
            "HTTP/1.1 403 Forbidden, server: squid/5.7: a web proxy answered in the ingest's place",
            "let 10.20.3.0/24 reach ingest.example.net TCP 443 past the web proxy",
        ),
    ];
    judgement("ingest.primary", Outcome::Fail, findings)
}

fn tls() -> Judged {
    let warn = finding(
        "tls.expires_soon",
        Effect::Warn,
        "valid until 2026-12-18",
        "valid until 2026-12-11",
        "ask the ingest's operator to renew the certificate before the event",
    );
    judgement("tls.ingest", Outcome::Warn, vec![warn])
}

fn backup(end: End) -> Judged {
    if end == End::NoGo {
        let unknown = finding(
            "srt.silent",
            Effect::Unknown,
            "an answer to SRT induction",
            "no answer from 198.51.100.9:9000 to 6 packets in 2.9 s",
            "ask the ingest's operator whether its listener is up, then run again",
        );
        return judgement("ingest.backup", Outcome::Unknown, vec![unknown]);
    }
    let pass = finding("srt.accepted", Effect::Pass, "handshake within 1500 ms", "done after 71 ms", "");
    judgement("ingest.backup", Outcome::Pass, vec![pass])
}

fn path(end: End) -> (Event, Judged) {
    if end == End::NoGo {
        let why = NotMeasured::new(
            Cause::FarEnd,
            "the far end's key is not the pinned one",
            "copy the pin that `golive far-end` printed into the policy",
        );
        let event = not_measured("path.primary", 3000.0, 210.0, why);
        return (event, Judged { expires: None, ..judgement("path.primary", Outcome::Unknown, Vec::new()) });
    }
    let findings = vec![
        finding("path.delay", Effect::Pass, "≤ 80 ms at the 95th percentile", "24 ms", ""),
        finding("path.loss", Effect::Pass, "≤ 0.5 %", "0 of 250 packets", ""),
    ];
    (measured("path.primary", 3000.0, 5010.0), judgement("path.primary", Outcome::Pass, findings))
}

fn uplink(end: End) -> Judged {
    let effect = if end == End::NoGo { Effect::Fail } else { Effect::Pass };
    let (seen, remedy) = match effect {
        Effect::Fail => {
            ("8790 kb/s at the 5th percentile", "take other traffic off the line, or lower the bit rate")
        }
        _ => ("13800 kb/s at the 5th percentile", ""),
    };
    let rate = finding("upload.rate", effect, "≥ 9467 kb/s at the 5th percentile", seen, remedy);
    judgement("uplink.primary", effect.into(), vec![rate])
}

fn uplink_backup(end: End) -> Judged {
    let rate = finding(
        "upload.rate",
        Effect::Fail,
        "≥ 9467 kb/s at the 5th percentile",
        "4100 kb/s at the 5th percentile",
        "use a second modem, or accept that the backup carries a lower bit rate",
    );
    let pass = finding("upload.rate", Effect::Pass, "≥ 9467 kb/s at the 5th percentile", "11200 kb/s", "");
    match end {
        End::Go => judgement("uplink.backup", Outcome::Pass, vec![pass]),
        _ => judgement("uplink.backup", Outcome::Fail, vec![rate]),
    }
}

fn finish(end: End, mut checks: Vec<Judged>) -> Event {
    let reason =
        |rank, check: Option<&str>, text: &str| Reason { rank, check: check.map(id), text: text.to_owned() };
    let warns = reason(Rank::Condition, Some("tls.ingest"), "tls.ingest warns");
    let (word, reasons) = match end {
        End::Go => {
            let tls = checks.iter_mut().find(|judged| judged.check.as_str() == "tls.ingest").unwrap();
            tls.outcome = Outcome::Pass;
            let seen = "valid until 2027-02-11";
            tls.findings = vec![finding("tls.valid", Effect::Pass, "valid until 2026-12-18", seen, "")];
            (Word::Go, Vec::new())
        }
        End::NoGo => {
            let last = checks.last_mut().unwrap();
            last.waived = Some(0);
            let reasons = vec![
                reason(Rank::Blocks, Some("ingest.primary"), "ingest.primary failed"),
                reason(Rank::Blocks, Some("uplink.primary"), "uplink.primary failed"),
                reason(Rank::Unknown, Some("ingest.backup"), "ingest.backup could not be established"),
                reason(Rank::Unknown, Some("path.primary"), "path.primary could not be established"),
                warns,
                reason(
                    Rank::Condition,
                    Some("uplink.backup"),
                    "uplink.backup failed; accepted by marketing until 2026-12-04T16:00:00+01:00: the wired line carries the stream alone",
                ),
            ];
            (Word::NoGo, reasons)
        }
        End::Stopped => {
            let reasons = vec![
                reason(Rank::Unknown, Some("uplink.primary"), "uplink.primary could not be established"),
                reason(Rank::Unknown, Some("uplink.backup"), "uplink.backup could not be established"),
                reason(Rank::Unknown, None, "the run was stopped before it was over"),
                warns,
            ];
            (Word::Inconclusive, reasons)
        }
    };
    let ended = at(if end == End::Stopped { 15 } else { 29 });
    let verdict = Verdict { word, reasons, checks, evaluated_at: ended, expires: Some(at(7 * 86_400)) };
    let report = Some("reports/20261204T083000Z/report.html".to_owned());
    Event::RunFinished { at: ended, verdict: Box::new(verdict), report }
}
