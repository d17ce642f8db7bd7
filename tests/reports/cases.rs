//! A policy and readings of it, for what must be judged: unlike `samples`, through real probes.

use std::collections::BTreeMap;

use golive::evidence::{Evidence, Measured, Measurement};
use golive::judge;
use golive::model::{CheckId, SourceAddress, WireText};
use golive::policy::{self, Policy};
use golive::report::v1::{Document, RunDoc};
use serde_json::{Value, json};

use crate::samples::{id, instant};

/// When everything below was measured.
pub const MEASURED: &str = "2026-12-03T12:58:03Z";
/// A time at which all of it still counts.
pub const JUDGED: &str = "2026-12-03T13:00:00Z";

/// A policy that asks a person, a certificate and an ingest, all on loopback.
pub const POLICY: &str = r#"
schema = "golive-policy/1"

[event]
title = "Autumn product launch"

[people.it]
name = "R. Osei"
[people.marketing]
name = "M. Keller"

[accountable]
network = "it"
brand = "marketing"
production = "marketing"

[[check.attest]]
id = "stop.authority"
target = { question = "May somebody stop the stream?", of = "marketing" }
enforcement = "waivable"
owner = "brand"
why = "what is live cannot be taken back"
valid_for = "7d"

[[check.rtmp]]
id = "ingest.primary"
target = { url = "rtmp://127.0.0.1:11935/live" }
limits = { handshake_ms = 1500.0 }
enforcement = "hard"
owner = "network"
why = "the stream's way in"
valid_for = "7d"

[[check.tls]]
id = "ingest.certificate"
target = { host = "127.0.0.1", port = 18443, server_name = "ingest.example" }
limits = { roots = "machine" }
enforcement = "advisory"
owner = "network"
why = "an inspecting proxy reads the stream key"
valid_for = "7d"
"#;

/// Loads a policy from its text.
pub fn load(text: &str) -> Policy {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("policy.toml");
    std::fs::write(&file, text).unwrap();
    let mut policy = policy::load(&file).unwrap();
    // the folder is another at each run
    policy.layers.iter_mut().for_each(|layer| layer.name = "policy.toml".into());
    policy
}

fn contact(port: u16) -> Value {
    json!({ "remote": format!("127.0.0.1:{port}"), "local": "127.0.0.1:40000", "offset_ms": 0.5, "took_ms": 0.3 })
}

pub fn attest() -> Value {
    json!({ "attest": {
        "question": "May somebody stop the stream?",
        "asked": "marketing",
        "answer": {
            "check": "stop.authority", "yes": true, "role": "marketing", "name": "M. Keller",
            "at": MEASURED, "evidence": "run sheet v3",
        },
    } })
}

/// An ingest's answer; `end` as its probe writes it.
pub fn rtmp(end: &Value) -> Value {
    json!({ "rtmp": {
        "url": "rtmp://127.0.0.1:11935/live", "publish": "never", "method": "rtmp connect",
        "resolve_ms": 0.0, "unresolved": null,
        "attempts": [{
            "contact": contact(11935), "tls": null, "handshake_ms": 80.25, "echoed": true,
            "connect_ms": 12.5, "server": "FMS/3,5,7,7009", "publish_ms": null, "media": null, "end": end,
        }],
    } })
}

/// A handshake whose certificate bears this name.
pub fn tls(name: &str) -> Value {
    let name = WireText::from(name);
    let standing = |trust: &str| json!({ "trust": trust, "detail": name, "until": null });
    json!({ "tls": {
        "method": "tls handshake", "host": "127.0.0.1", "server_name": "ingest.example", "lookup": null,
        "attempts": [{ "contact": contact(18443), "answer": { "session": {
            "version": "1.3", "cipher": "TLS13_AES_128_GCM_SHA256", "alpn": null, "handshake_ms": 9.5,
            "identity": {
                "chain": [{
                    "subject": name, "issuer": name, "sans": [name], "sans_total": 1,
                    "not_before": "2026-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z",
                    "serial": "01", "spki": format!("sha256:{}", "ab".repeat(32)), "scts": 0,
                }],
                "presented": 1, "name_matches": false, "mozilla": standing("untrusted"),
                "machine": standing("untrusted"), "machine_roots": 140, "verified_at": MEASURED,
            },
        } } }],
    } })
}

/// Readings by check.
pub fn evidence(readings: &[(&str, Value)]) -> Evidence {
    let measurement = |(check, reading): &(&str, Value)| -> (CheckId, Measurement) {
        let reading = serde_json::from_value(reading.clone()).unwrap();
        let measurement = Measurement {
            check: id(check),
            started: instant(MEASURED),
            offset_ms: 1.5,
            took_ms: 92.75,
            source: SourceAddress::default(),
            result: Measured::Reading(reading),
        };
        (id(check), measurement)
    };
    let measurements: BTreeMap<_, _> = readings.iter().map(measurement).collect();
    Evidence { measurements, interrupted: false }
}

/// All is well but the certificate (advisory): CONDITIONAL GO.
pub fn well() -> Evidence {
    evidence(&[
        ("stop.authority", attest()),
        ("ingest.primary", rtmp(&json!("accepted"))),
        ("ingest.certificate", tls("CN=ingest.example")),
    ])
}

/// The document of these readings, judged at [`JUDGED`].
pub fn document(policy: &Policy, evidence: &Evidence) -> Document {
    let verdict = judge::evaluate(policy, evidence, instant(JUDGED));
    let run = RunDoc {
        id: "20261203T125800Z".into(),
        started: instant("2026-12-03T12:58:00Z"),
        finished: instant("2026-12-03T12:59:00Z"),
        interrupted: false,
        resumed: false,
        platform: "linux x86_64".into(),
        vantage: None,
    };
    golive::report::build(run, policy, evidence, &verdict)
}
