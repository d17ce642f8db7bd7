//! The request that everything here is about: a policy of its own and readings of a network that
//! blocks.

use std::collections::BTreeMap;
use std::path::Path;

use golive::evidence::{Evidence, Measured, Measurement};
use golive::judge;
use golive::model::{CheckId, SourceAddress};
use golive::policy::{self, Policy};
use golive::report::rules::{ChangeRequest, Scope, of_report};
use golive::report::v1::{Document, RunDoc};
use serde_json::{Value, json};

const AT: &str = "2026-12-03T12:58:03Z";

pub fn policy() -> Policy {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules/launch.toml");
    let mut policy = policy::load(&file).unwrap();
    policy.layers.iter_mut().for_each(|layer| layer.name = "launch.toml".into());
    policy
}

fn contact(remote: &str, local: Option<&str>) -> Value {
    json!({ "remote": remote, "local": local, "offset_ms": 0.5, "took_ms": 2000.0 })
}

/// RTMP's port, dropped; the machine's own address is known from the other readings.
fn rtmp(url: &str, remotes: &[&str]) -> Value {
    let end = json!({ "not_connected": { "failure": "timed_out", "icmp": null, "detail": "" } });
    let attempt = |remote: &&str| {
        json!({
            "contact": contact(remote, None), "tls": null, "handshake_ms": null, "echoed": null,
            "connect_ms": null, "server": null, "publish_ms": null, "media": null, "end": end,
        })
    };
    json!({ "rtmp": {
        "url": url, "publish": "never", "method": "rtmp connect", "resolve_ms": 1.0, "unresolved": null,
        "attempts": remotes.iter().map(attempt).collect::<Vec<_>>(),
    } })
}

fn port(host: &str, port: u16, state: &str, ways: &[(&str, &str)]) -> Value {
    let address = |(remote, local): &(&str, &str)| {
        json!({
            "family": if remote.starts_with('[') { "v6" } else { "v4" },
            "attempts": [{
                "contact": contact(remote, Some(local)), "state": state, "answer_ms": null, "icmp": null,
                "said": "", "looks_like": null, "detail": "",
            }],
            "control": null, "decoy": null,
        })
    };
    json!({ "port": {
        "method": "tcp connect", "host": host, "port": port, "transport": "tcp", "asked": null,
        "lookup": null, "addresses": ways.iter().map(address).collect::<Vec<_>>(),
    } })
}

fn srt() -> Value {
    json!({ "srt": {
        "method": "srt handshake", "host": "203.0.113.77", "port": 9000, "until": "induction",
        "with_passphrase": false, "asked_latency_ms": 120, "payload_bytes": 1316, "lookup": null,
        "attempts": [{
            "contact": contact("203.0.113.77:9000", None), "induction": null, "conclusion": null,
            "end": { "silent": "induction" },
        }],
    } })
}

fn evidence() -> Evidence {
    let (ingest4, ingest6) = ("203.0.113.10", "2001:db8:50::10");
    let (own4, own6) = ("192.168.10.20:40000", "[2001:db8:10::20]:40000");
    let rtmp_at = [format!("{ingest4}:1935"), format!("[{ingest6}]:1935")];
    let readings = [
        ("ingest.primary", rtmp("rtmp://live.example.com:1935/live2", &rtmp_at.each_ref().map(|at| &**at))),
        (
            "rules.rtmps",
            port(
                "LIVE.example.com",
                443,
                "reset_after_data",
                &[("203.0.113.10:443", own4), ("[2001:db8:50::10]:443", own6)],
            ),
        ),
        ("ingest.srt", srt()),
        (
            "ingest.ivs",
            rtmp("rtmps://fa723.global-contribute.live-video.net:443/app", &["198.51.100.99:443"]),
        ),
        ("rules.cleartext", port("live.example.com", 8080, "answered", &[("203.0.113.10:8080", own4)])),
    ];
    let measurement = |(check, reading): (&str, Value)| {
        let id = CheckId::new(check).unwrap();
        let measurement = Measurement {
            check: id.clone(),
            started: AT.parse().unwrap(),
            offset_ms: 1.5,
            took_ms: 2000.0,
            source: SourceAddress::default(),
            result: Measured::Reading(serde_json::from_value(reading).unwrap()),
        };
        (id, measurement)
    };
    let measurements: BTreeMap<_, _> = readings.into_iter().map(measurement).collect();
    Evidence { measurements, interrupted: false }
}

/// The report of that network.
pub fn document() -> Document {
    let (policy, evidence) = (policy(), evidence());
    let verdict = judge::evaluate(&policy, &evidence, "2026-12-03T13:00:00Z".parse().unwrap());
    let run = RunDoc {
        id: "20261203T125800Z".into(),
        started: "2026-12-03T12:58:00Z".parse().unwrap(),
        finished: "2026-12-03T12:59:00Z".parse().unwrap(),
        interrupted: false,
        resumed: false,
        platform: "linux x86_64".into(),
        vantage: None,
    };
    golive::report::build(run, &policy, &evidence, &verdict)
}

/// What its readings show to be blocked.
pub fn request() -> ChangeRequest {
    of_report(&document(), Scope::Blocked).unwrap()
}
