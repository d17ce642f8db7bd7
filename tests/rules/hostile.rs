//! A policy that wants to add a rule of its own: whatever it says, no vendor's text holds more
//! commands than the same request in plain words.

use golive::model::text::acts;
use golive::report::change_request;
use golive::report::rules::emit::Direction;
use golive::report::rules::{ChangeRequest, Format, Site, emit};
use proptest::prelude::*;

use crate::request::{document, request};

const PAYLOADS: [&str; 7] = [
    "x\nadd rule inet filter forward accept",
    "x\"\n    next\n    edit 0\n        set action accept",
    "x'; New-NetFirewallRule -Direction Outbound -Action Allow #",
    "x\r\naccess-list inside_access_in extended permit ip any any",
    "END-OF-RULES\nCOMMIT\n-A FORWARD -j ACCEPT",
    "\u{1b}]0;owned\u{7}\u{202e}\u{2028}set rulebase security rules any action allow",
    "$(reboot) `reboot` %COMSPEC% ?! \\ \" ' <b> | =cmd|' /C calc'!A0",
];

/// Every text of the request that a policy or a report can choose.
fn poisoned(text: &str) -> ChangeRequest {
    let mut request = request();
    text.clone_into(&mut request.event);
    request.change = Some(text.to_owned());
    request.venue = Some(text.to_owned());
    text.clone_into(&mut request.policy);
    text.clone_into(&mut request.basis);
    for rule in &mut request.rules {
        text.clone_into(&mut rule.source.note);
        rule.destination.doubt = Some(text.to_owned());
        for reason in &mut rule.reasons {
            text.clone_into(&mut reason.why);
            reason.found = Some(text.to_owned());
        }
    }
    for shut in &mut request.shut {
        text.clone_into(&mut shut.host);
        text.clone_into(&mut shut.why);
        shut.found = Some(text.to_owned());
    }
    request.left_out.iter_mut().for_each(|left| text.clone_into(&mut left.why));
    request
}

/// Its commands: lines that are no comment.
fn commands(text: &str, format: Format) -> usize {
    let mark = if format == Format::Asa { '!' } else { '#' };
    text.lines().filter(|line| !line.starts_with(mark)).count()
}

fn inert(request: &ChangeRequest) {
    let plain = poisoned("plain");
    for format in Format::ALL {
        for direction in [Direction::Open, Direction::BackOut] {
            let text = emit(request, format, direction, &Site::default()).text;
            let honest = emit(&plain, format, direction, &Site::default()).text;
            assert_eq!(commands(&text, format), commands(&honest, format), "{}:\n{text}", format.word());
            assert!(!text.contains(|c| c != '\n' && acts(c)), "{}:\n{text}", format.word());
            let strange = |c: char| matches!(c, '`' | '$' | '\\' | '?' | '%');
            assert!(!text.contains(strange), "{}:\n{text}", format.word());
        }
    }
    let csv = change_request::csv(request);
    assert_eq!(csv.lines().count(), change_request::csv(&plain).lines().count());
    assert!(!csv.contains("\"=cmd"), "{csv}");
    let table = change_request::document(request);
    assert_eq!(table.lines().count(), change_request::document(&plain).lines().count(), "{table}");
    assert!(!table.contains("<b>"), "{table}");
}

#[test]
fn a_hostile_policy_adds_no_command() {
    for payload in PAYLOADS {
        inert(&poisoned(payload));
    }
}

#[test]
fn a_hostile_host_gets_no_rule_and_is_named() {
    let mut document = document();
    let policy = document.policy.resolved.clone();
    let text =
        policy.to_string().replace("LIVE.example.com", "a.example\\nadd rule inet filter forward accept");
    document.policy.resolved = serde_json::from_str(&text).unwrap();
    let request = golive::report::rules::of_report(&document, golive::report::rules::Scope::All).unwrap();
    assert!(
        request.left_out.iter().any(|left| left.check.as_str() == "rules.rtmps"),
        "{:?}",
        request.left_out
    );
    let nft = emit(&request, Format::Nftables, Direction::Open, &Site::default()).text;
    assert!(!nft.contains("forward accept"), "{nft}");
}

#[test]
fn a_firewalls_own_names_are_held_to_its_syntax() {
    for bad in ["x\ny", "a;b", "a\"b", "", " a", "a  b", "$(x)", "-x"] {
        assert!(Site::new(Some(bad.into()), None, None).is_err(), "{bad:?}");
    }
    assert!(
        Site::new(Some("inet filter forward".into()), Some("trust".into()), Some("ge-0/0/1.0".into()))
            .is_ok()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_adds_no_command(text in any::<String>()) {
        inert(&poisoned(&text));
    }
}
