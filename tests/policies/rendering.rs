//! Errors and resolved policies as a person sees them.

use std::path::Path;

use golive::policy::resolve;

use super::{GOOD, Memory, load};

#[test]
fn an_error_shows_line_caret_and_the_nearest_word() {
    let text = GOOD
        .replace("title =", "titel =")
        .replace("[[check.tls]]", "[[check.tsl]]")
        .replace("\"7d\"", "\"a week\"");
    insta::assert_snapshot!(load(&text).unwrap_err());
}

#[test]
fn a_loosening_shows_both_lines() {
    let base = "schema = \"golive-policy/1\"\n[[check.tls]]\nid = \"certificate\"\n# of RFC 0000\nlimits.handshake_ms = 800\n";
    let top = GOOD.replacen('\n', "\nextends = [\"base.toml\"]\n", 1);
    insta::assert_snapshot!(
        Memory::of(&[("base.toml", base), ("top.toml", &top)]).load("top.toml").unwrap_err()
    );
}

#[test]
fn a_long_line_is_cut_around_the_caret() {
    let question = "Who? ".repeat(60);
    let text =
        GOOD.replace("May somebody stop the stream?", &question).replace("of = \"it\"", "of = \"itt\"");
    insta::assert_snapshot!(load(&text).unwrap_err());
}

#[test]
fn the_caret_stands_under_wide_and_escaped_text() {
    let text = GOOD
        .replace("title = \"Launch\"", "\"発表\\u001b\" = 1")
        .replace("why = \"nobody may listen\"", "\twhi = \"x\"");
    insta::assert_snapshot!(load(&text).unwrap_err());
}

#[test]
fn grammar_shows_no_value() {
    insta::assert_snapshot!(
        load("schema = \"golive-policy/1\"\n[far_end.cloud]\ntoken = hunter2 # x\n").unwrap_err()
    );
}

#[test]
fn a_resolved_policy_says_where_each_value_is_from() {
    let base = "schema = \"golive-policy/1\"\n[every.tls]\nlimits.version = \"1.2\"\n[[check.tls]]\nid = \"certificate\"\n\
                limits.handshake_ms = 9000\nlimits.roots = \"public\"\n[far_end.cloud]\naddress = \"127.0.0.1:8443\"\n";
    let pin = "0".repeat(64);
    let top = GOOD.replacen('\n', "\nextends = [\"base.toml\"]\n", 1)
        + &format!("[far_end.cloud]\npin = \"sha256:{pin}\"\ntoken = {{ value = \"hunter2\" }}\n")
        + "[[waiver]]\ncheck = \"stop\"\naccepts = \"unknown\"\nreason = \"line\\none \\\"two\\\"\"\ncompensating = \"c\"\n\
           by = \"it\"\nexpires = 2026-12-04T16:00:00+01:00\n";
    let files = Memory::of(&[("base.toml", base), ("top.toml", &top)]);
    let resolved = resolve(Path::new("top.toml"), &files).unwrap();
    assert!(!resolved.contains("hunter2"));
    insta::assert_snapshot!(resolved);

    let mut again = load(&resolved).unwrap();
    let mut policy = files.load("top.toml").unwrap();
    again.layers.clear();
    policy.layers.clear();
    assert_eq!(serde_json::to_value(&again).unwrap(), serde_json::to_value(&policy).unwrap());
}

#[test]
fn a_resolved_policy_cannot_act_on_the_terminal() {
    let text = GOOD.replace("nobody may listen", "x\\u001b[31m\\u202e\\u009b");
    let resolved = resolve(Path::new("p.toml"), &Memory::of(&[("p.toml", &text)])).unwrap();
    assert!(!resolved.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{resolved:?}");
    assert_eq!(load(&resolved).unwrap().checks[1].why, "x\u{1b}[31m\u{202e}\u{9b}");
}
