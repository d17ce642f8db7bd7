//! The text for every vendor, as it was reviewed.

use std::path::{Path, PathBuf};

use golive::model::Transport;
use golive::report::change_request;
use golive::report::rules::emit::Direction;
use golive::report::rules::{Format, Purpose, Site, emit, of_policy};

use crate::request::{policy, request};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/rules")
}

/// Holds the text against the golden file.
fn golden(name: &str, text: &str, stale: &mut Vec<String>) {
    let file = folder().join(name);
    if std::env::var_os("GOLIVE_UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    if std::fs::read_to_string(&file).unwrap_or_default() != text {
        stale.push(format!("{name} is now:\n{text}"));
    }
}

#[test]
fn every_vendors_text_is_the_reviewed_one() {
    let request = request();
    let mut stale = Vec::new();
    for format in Format::ALL {
        for (direction, ending) in [(Direction::Open, "open"), (Direction::BackOut, "back-out")] {
            let emitted = emit(&request, format, direction, &Site::default());
            golden(&format!("{}.{ending}.txt", format.word()), &emitted.text, &mut stale);
        }
    }
    golden("table.md", &change_request::document(&request), &mut stale);
    golden("table.csv", &change_request::csv(&request), &mut stale);
    golden("request.json", &(serde_json::to_string_pretty(&request).unwrap() + "\n"), &mut stale);
    assert!(stale.is_empty(), "{}", stale.join("\n"));
}

#[test]
fn only_what_is_blocked_is_asked_for_and_ports_of_one_host_are_one_rule() {
    let request = request();
    let rules: Vec<_> = request
        .rules
        .iter()
        .map(|rule| (rule.destination.name.as_deref(), rule.transport, &*rule.ports))
        .collect();
    assert_eq!(
        rules,
        [
            (Some("live.example.com"), Transport::Tcp, &[443, 1935][..]),
            (None, Transport::Udp, &[9000]),
            (Some("fa723.global-contribute.live-video.net"), Transport::Tcp, &[443]),
        ]
    );
    assert!(request.rules[2].destination.vendor_list.unwrap().entry.contains("IVS_LOW_LATENCY"));
    assert_eq!(request.rules[1].source.addresses, ["198.51.100.7".parse::<std::net::IpAddr>().unwrap()]);
    assert!(request.shut[0].open, "the port that must stay closed was found open");
}

#[test]
fn a_request_without_a_rule_touches_no_firewall() {
    let mut request = request();
    request.rules.clear();
    for format in Format::ALL.into_iter().filter(|format| *format != Format::Aws) {
        let text = emit(&request, format, Direction::Open, &Site::default()).text;
        assert!(text.lines().all(|line| line.starts_with(['#', '!'])), "{text}");
    }
}

#[test]
fn a_policy_alone_asks_for_all_it_needs_and_resolves_nothing() {
    let request = of_policy(&policy());
    assert_eq!(request.rules.len(), 3);
    assert!(request.rules.iter().all(|rule| rule.purpose == Purpose::Event));
    let named = request.rules.iter().filter(|rule| rule.destination.name.is_some());
    assert!(named.clone().all(|rule| rule.destination.addresses.is_empty()));
    assert!(request.left_out.iter().any(|left| left.check.as_str() == "line.echo"));
    // nftables knows no names: nothing is opened, and it says so
    let nft = emit(&request, Format::Nftables, Direction::Open, &Site::default());
    assert_eq!(nft.text.matches(" accept ").count(), 1, "{}", nft.text);
    assert_eq!(nft.notes.iter().filter(|note| note.contains("not written")).count(), 2, "{:?}", nft.notes);
}
