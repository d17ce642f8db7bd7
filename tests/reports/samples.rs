//! Documents put together by hand, one per verdict: renderings are functions of the document
//! alone, so they need no probe and no run.

use golive::judge::{Rank, Reason, Word};
use golive::model::{
    Area, Cause, CheckId, Effect, Enforcement, Finding, LimitRow, NotMeasured, Outcome, PathName, Role,
    Series, SourceAddress, StreamName, When,
};
use golive::policy::{Accepts, Authorisation, Event, Layer, Waiver};
use golive::report::policy_digest;
use golive::report::v1::{
    AccountableDoc, CheckDoc, Document, MeasuredDoc, NotAskedDoc, PolicyDoc, RunDoc, SCHEMA, StreamDoc,
    VerdictDoc, WaiverDoc, WaiverState,
};
use serde_json::json;

pub fn id(name: &str) -> CheckId {
    CheckId::new(name).unwrap()
}

pub fn role(name: &str) -> Role {
    Role::new(name).unwrap()
}

pub fn area(name: &str) -> Area {
    Area::new(name).unwrap()
}

pub fn when(text: &str) -> When {
    When::try_from(text.to_owned()).unwrap()
}

pub fn instant(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}

pub fn finding(code: &str, effect: Effect, expected: &str, observed: &str, remedy: &str) -> Finding {
    Finding {
        code: code.into(),
        effect,
        expected: expected.into(),
        observed: observed.into(),
        remedy: remedy.into(),
    }
}

/// A passing check with one finding.
pub fn check(name: &str, probe: &str, target: &str, owner: &str) -> CheckDoc {
    CheckDoc {
        id: id(name),
        probe: probe.into(),
        target: target.into(),
        path: Some(PathName::new("primary").unwrap()),
        enforcement: Enforcement::Hard,
        owner: area(owner),
        why: format!("The policy's reason for {name}."),
        asks: format!("What {probe} asks"),
        misleads: format!("how {probe} misleads"),
        viewers: String::new(),
        limits: vec![],
        outcome: Outcome::Pass,
        findings: vec![],
        waiver: None,
        expires: Some(instant("2026-12-05T13:00:00Z")),
        measured: Some(MeasuredDoc {
            started: instant("2026-12-03T12:58:03Z"),
            offset_ms: 3120.5,
            took_ms: 412.25,
            source: SourceAddress { interface: Some("eth0".into()), address: None },
        }),
        not_measured: None,
        reading: Some(json!({ probe: { "method": "sample" } })),
        series: vec![],
    }
}

fn dns() -> CheckDoc {
    CheckDoc {
        findings: vec![
            finding(
                "dns.answered",
                Effect::Pass,
                "an address within 500 ms",
                "203.0.113.10 and 2001:db8::10 after 12 ms",
                "",
            ),
            finding("dns.honest", Effect::Pass, "no answer for a name that does not exist", "NXDOMAIN", ""),
        ],
        limits: vec![LimitRow { field: "answer_ms".into(), bound: "≤ 500".into() }],
        why: "Without the address of the ingest no encoder can start.".into(),
        ..check("ingest.name", "dns", "a.rtmps.example.net", "network")
    }
}

fn rtmp() -> CheckDoc {
    CheckDoc {
        findings: vec![
            finding(
                "rtmp.accepted",
                Effect::Pass,
                "connect accepted by application `live2`",
                "NetConnection.Connect.Success",
                "",
            ),
            finding("rtmp.handshake", Effect::Pass, "handshake ≤ 1500 ms", "83 ms", ""),
        ],
        limits: vec![LimitRow { field: "handshake_ms".into(), bound: "≤ 1500".into() }],
        why: "The encoder speaks RTMPS to this address. If the handshake fails here, nothing goes out."
            .into(),
        viewers: "The stream would not start: viewers would see the platform's waiting page.".into(),
        reading: Some(json!({ "rtmp": { "method": "rtmps connect", "attempts": [
            { "contact": { "remote": "203.0.113.10:443", "local": "192.0.2.7:50412", "offset_ms": 0.4, "took_ms": 83.2 },
              "reply": "NetConnection.Connect.Success" },
        ] } })),
        ..check("ingest.primary", "rtmp", "rtmps://a.rtmps.example.net:443/live2", "network")
    }
}

/// Kilobits a second per 100 ms: steady, one dip, one gap.
fn rates(level: f64) -> Vec<Option<f64>> {
    (0..600_u32)
        .map(|n| {
            let wave = f64::from(n % 17) * 31.0 - f64::from(n % 23) * 27.0;
            let dip = if (300..312).contains(&n) { 0.35 } else { 1.0 };
            (!(420..431).contains(&n)).then_some(((level + wave) * dip).max(0.0))
        })
        .collect()
}

fn upload(level: f64) -> CheckDoc {
    let series = Series {
        title: "Upload as the far end counted it".into(),
        unit: "kb/s".into(),
        step_ms: 100.0,
        values: rates(level),
        required: Some(9467.0),
    };
    CheckDoc {
        findings: vec![
            finding(
                "upload.rate",
                Effect::Pass,
                "≥ 9467 kb/s in 95 % of seconds",
                "11 840 kb/s (5th percentile)",
                "",
            ),
            finding("upload.stall", Effect::Pass, "longest stall ≤ 700 ms", "310 ms", ""),
        ],
        limits: vec![
            LimitRow { field: "rate_kbps".into(), bound: "≥ 9467".into() },
            LimitRow { field: "stall_ms".into(), bound: "≤ 700".into() },
        ],
        enforcement: Enforcement::Waivable,
        why: "6 Mb/s of picture needs a line that never falls below it, not one that reaches it on average."
            .into(),
        viewers: "The picture would freeze, stutter or turn blurry whenever the line falls behind.".into(),
        reading: Some(
            json!({ "upload": { "method": "golive far end, tcp, 1 stream, cubic", "arrived_kbps": series.values } }),
        ),
        series: vec![series],
        ..check("uplink.primary", "upload", "far end cloud, 60 s", "network")
    }
}

fn attest() -> CheckDoc {
    CheckDoc {
        findings: vec![finding(
            "attest.answered",
            Effect::Pass,
            "yes from marketing: May somebody stop the stream within 10 seconds?",
            "yes from M. Keller as marketing (run sheet v3)",
            "",
        )],
        path: None,
        ..check("stop.authority", "attest", "May somebody stop the stream within 10 seconds?", "brand")
    }
}

fn event() -> Event {
    Event {
        title: "Autumn product launch".into(),
        starts: Some(when("2026-12-04T14:00:00+01:00")),
        ends: Some(when("2026-12-04T15:30:00+01:00")),
        time_zone: None,
        venue: Some("Hall 3, main stage".into()),
        objective: Some("Show the new range to 4,000 registered dealers, live, with questions.".into()),
        change: Some("CHG0031337".into()),
        way_back: Some("The producer stops the encoder (red key, desk 2); M. Keller switches the page to the holding slide within a minute.".into()),
    }
}

fn policy() -> PolicyDoc {
    let resolved = json!({ "schema": "golive-policy/1", "event": { "title": "Autumn product launch" } });
    let layer = |name: &str, byte: char| Layer {
        name: name.into(),
        sha256: byte.to_string().repeat(64),
        provenance: None,
    };
    PolicyDoc {
        sha256: policy_digest(&resolved),
        layers: vec![layer("baseline.toml", 'a'), layer("launch.toml", 'b')],
        resolved,
    }
}

/// GO.
pub fn go() -> Document {
    let named = |what: &str, who: &str, name: &str| AccountableDoc {
        area: area(what),
        role: role(who),
        name: Some(name.into()),
    };
    let people = [("it", "R. Osei"), ("marketing", "M. Keller")];
    Document {
        schema: SCHEMA.into(),
        golive: "0.1.0".into(),
        verdict: VerdictDoc {
            word: Word::Go,
            exit_code: 0,
            reasons: vec![],
            evaluated_at: instant("2026-12-03T13:01:00Z"),
            expires: Some(instant("2026-12-05T13:00:00Z")),
        },
        run: RunDoc {
            id: "20261203T125800Z-4f1c".into(),
            started: instant("2026-12-03T12:58:00Z"),
            finished: instant("2026-12-03T13:00:41Z"),
            interrupted: false,
            resumed: false,
            platform: "linux x86_64".into(),
            vantage: None,
        },
        event: event(),
        authorisation: Some(Authorisation {
            by: role("it"),
            window: None,
            reference: Some("CHG0031337, task 2".into()),
        }),
        people: people.map(|(who, name)| (role(who), name.to_owned())).into(),
        accountable: vec![
            named("brand", "marketing", "M. Keller"),
            named("network", "it", "R. Osei"),
            AccountableDoc { area: area("production"), role: role("provider"), name: None },
        ],
        streams: vec![StreamDoc {
            name: StreamName::new("main").unwrap(),
            to: "rtmps://a.rtmps.example.net:443/live2".into(),
            video_kbps: 6000,
            audio_kbps: 128,
            overhead: 0.03,
            headroom: 1.5,
            needed_kbps: 9468,
        }],
        checks: vec![dns(), rtmp(), upload(12_300.0), attest()],
        waivers: vec![],
        not_asked: vec![NotAskedDoc {
            probe: "srt".into(),
            asks: "Whether an SRT listener completes the handshake".into(),
        }],
        codes: [
            ("dns.answered", "The name has an address, and it came in time."),
            ("dns.honest", "The name server does not invent answers."),
            ("dns.slow", "The name server takes close to its limit."),
            ("rtmp.accepted", "The ingest speaks RTMP and accepts the application."),
            ("rtmp.handshake", "The ingest answered the handshake in time."),
            ("rtmp.not_rtmp", "Something answers on the port, but not in RTMP."),
            ("upload.rate", "The line carries what the stream needs."),
            ("upload.stall", "No pause was longer than an encoder can hide."),
            ("upload.too_slow", "The line carries less than the stream needs."),
            ("attest.answered", "The role that was asked gave the answer that the policy wants."),
        ]
        .map(|(code, means)| (code.to_owned(), means.to_owned()))
        .into(),
        policy: policy(),
        ledger: None,
        close_out: None,
        again: None,
        revises: None,
        redacted: None,
    }
}

/// CONDITIONAL GO: an advisory failure, a warning and a waiver in use.
pub fn conditional() -> Document {
    let mut document = go();
    let waiver = Waiver {
        check: id("uplink.primary"),
        accepts: Accepts::Fail,
        reason: "The hall's line is shared until 13:00 only".into(),
        scope: Vec::new(),
        compensating: Some("encoder set to 4 Mb/s until then".into()),
        by: role("it"),
        expires: when("2026-12-04T16:00:00+01:00"),
        granted: None,
        renewals: None,
    };
    let upload = &mut document.checks[2];
    *upload = self::upload(9_300.0);
    upload.outcome = Outcome::Fail;
    upload.findings[0] = finding(
        "upload.too_slow",
        Effect::Fail,
        "≥ 9467 kb/s in 95 % of seconds",
        "8 904 kb/s (5th percentile)",
        "ask the venue for a dedicated uplink of 15 Mb/s, or send at 4 Mb/s",
    );
    upload.waiver = Some(waiver.clone());
    let dns = &mut document.checks[0];
    dns.outcome = Outcome::Warn;
    dns.findings[0].effect = Effect::Warn;
    dns.findings[0].code = "dns.slow".into();
    dns.findings[0].observed = "203.0.113.10 after 460 ms".into();
    dns.findings[0].remedy = "let the network team look at the resolver's delay".into();
    document.waivers =
        vec![WaiverDoc { waiver, approver: Some("R. Osei".into()), state: WaiverState::InUse }];
    document.verdict = VerdictDoc {
        word: Word::ConditionalGo,
        exit_code: 1,
        reasons: vec![
            reason(Rank::Condition, "ingest.name", "warns"),
            reason(Rank::Condition, "uplink.primary", "failed; accepted"),
        ],
        expires: Some(instant("2026-12-04T15:00:00Z")),
        ..document.verdict
    };
    document
}

/// NO-GO: the ingest answers in HTTP, the line is too slow, and more is not known.
pub fn no_go() -> Document {
    let mut document = conditional();
    document.waivers[0].state = WaiverState::Expired;
    document.waivers[0].waiver.expires = when("2026-12-03T12:00:00+01:00");
    document.checks[2].waiver = None;
    let rtmp = &mut document.checks[1];
    rtmp.outcome = Outcome::Fail;
    rtmp.findings = vec![finding(
        "rtmp.not_rtmp",
        Effect::Fail,
        "an RTMP server at a.rtmps.example.net:443",
        "HTTP/1.1 400 Bad Request, Server: corporate-proxy",
        "let the network team allow TCP 443 to a.rtmps.example.net past the web proxy",
    )];
    document.checks.push(unmeasured());
    document.verdict = VerdictDoc {
        word: Word::NoGo,
        exit_code: 2,
        reasons: vec![
            reason(Rank::Blocks, "ingest.primary", "failed"),
            reason(Rank::Blocks, "uplink.primary", "failed"),
            reason(Rank::Unknown, "uplink.backup", "could not be established"),
            reason(Rank::Condition, "ingest.name", "warns"),
        ],
        ..document.verdict
    };
    document
}

/// INCONCLUSIVE: stopped by hand, one check not measured, one never reached.
pub fn inconclusive() -> Document {
    let mut document = go();
    document.run.interrupted = true;
    document.checks.push(unmeasured());
    document.checks.push(CheckDoc {
        outcome: Outcome::Unknown,
        measured: None,
        reading: None,
        expires: None,
        enforcement: Enforcement::Advisory,
        ..check("path.delay", "path", "far end cloud, 20 s", "network")
    });
    document.verdict = VerdictDoc {
        word: Word::Inconclusive,
        exit_code: 3,
        reasons: vec![
            reason(Rank::Unknown, "uplink.backup", "could not be established"),
            Reason {
                rank: Rank::Unknown,
                check: None,
                text: "the run was stopped before it was over".into(),
            },
            reason(Rank::Condition, "path.delay", "(advisory) could not be established"),
        ],
        ..document.verdict
    };
    document
}

fn unmeasured() -> CheckDoc {
    CheckDoc {
        path: Some(PathName::new("backup").unwrap()),
        outcome: Outcome::Unknown,
        reading: None,
        expires: None,
        not_measured: Some(NotMeasured::new(
            Cause::NoPath,
            "interface wwan0 is not there",
            "plug the cellular modem in, then run golive again",
        )),
        viewers: "When the first line fails, the stream stops: there is no second one.".into(),
        ..check("uplink.backup", "upload", "far end cloud, 30 s", "network")
    }
}

fn reason(rank: Rank, check: &str, text: &str) -> Reason {
    Reason { rank, check: Some(id(check)), text: format!("{check} {text}") }
}

/// Name and document of each verdict.
pub fn all() -> [(&'static str, Document); 4] {
    [("go", go()), ("conditional", conditional()), ("no_go", no_go()), ("inconclusive", inconclusive())]
}
