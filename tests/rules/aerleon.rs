//! The same request written by aerleon: both must allow the same packets.
//!
//! Differences that are right are argued in `tests/golden/rules/README.md`, and stated here one by
//! one, so that another one fails.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use golive::report::rules::emit::Direction;
use golive::report::rules::{ChangeRequest, Format, Site, emit};
use serde_json::{Value, json};

use crate::request::request;

/// Protocol, source, destination, port, action.
type Allowed = BTreeSet<(String, String, String, u16, String)>;

#[derive(serde::Deserialize)]
struct Both {
    golive: Allowed,
    aerleon: Option<Allowed>,
}

/// Where `tests/setup` puts it.
fn python() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
    let python = target.join("aerleon/bin/python");
    assert!(
        python.is_file(),
        "aerleon is missing: python3 -m venv {0} && {0}/bin/pip install aerleon==1.18.0 (tests/setup does it)",
        target.join("aerleon").display()
    );
    python
}

fn compare(request: &ChangeRequest) -> BTreeMap<String, Both> {
    let rule = |rule: &golive::report::rules::Rule| {
        json!({
            "name": rule.name, "sources": rule.source.addresses, "ports": rule.ports,
            "destinations": rule.destination.addresses, "protocol": rule.transport,
        })
    };
    let named = |rule: &golive::report::rules::Rule| {
        rule.destination.name.clone().map(|name| (name, json!(rule.destination.addresses)))
    };
    let config = |format: Format| {
        let text = emit(request, format, Direction::Open, &Site::default()).text;
        (format.word().to_owned(), Value::from(text))
    };
    let asked = json!({
        "rules": request.rules.iter().map(rule).collect::<Vec<_>>(),
        "names": request.rules.iter().filter_map(named).collect::<serde_json::Map<_, _>>(),
        "configs": Format::ALL.map(config).into_iter().collect::<serde_json::Map<_, _>>(),
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules/with_aerleon.py");
    let mut command = Command::new(python());
    command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "with_aerleon.py failed:\n{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What the request itself allows.
fn meant(request: &ChangeRequest, with_source: bool) -> Allowed {
    let mut allowed = Allowed::new();
    for leg in request.legs() {
        for (source, destination) in
            leg.sources.iter().flat_map(|source| leg.destinations.iter().map(move |to| (source, to)))
        {
            for port in &leg.rule.ports {
                let source = if with_source { source.to_string() } else { String::new() };
                let transport = format!("{:?}", leg.rule.transport).to_lowercase();
                allowed.insert((transport, source, destination.to_string(), *port, "accept".into()));
            }
        }
    }
    allowed
}

#[test]
fn every_vendors_text_allows_what_aerleons_allows() {
    let request = request();
    let both = compare(&request);
    assert_eq!(both.len(), Format::ALL.len());
    for (vendor, Both { golive, aerleon }) in &both {
        assert_eq!(golive, &meant(&request, vendor != "aws"), "{vendor}: golive's text");
        match (vendor.as_str(), aerleon) {
            // aerleon writes no security groups
            ("aws", aerleon) => assert!(aerleon.is_none()),
            // aerleon's ASA access lists are IPv4 only
            ("asa", Some(aerleon)) => {
                let v4: Allowed = golive.iter().filter(|allowed| !allowed.2.contains(':')).cloned().collect();
                assert!(v4.len() < golive.len());
                assert_eq!(&v4, aerleon, "asa");
            }
            (vendor, Some(aerleon)) => assert_eq!(golive, aerleon, "{vendor}"),
            (vendor, None) => panic!("{vendor}: aerleon wrote nothing"),
        }
    }
}

#[test]
fn the_comparison_can_fail() {
    let mut request = request();
    let mut other = request.clone();
    other.rules[0].ports.push(2222);
    let more = meant(&other, true);
    assert_ne!(compare(&request)["nftables"].golive, more);
    request.rules[0].ports.push(2222);
    assert_eq!(compare(&request)["nftables"].golive, more);
}
