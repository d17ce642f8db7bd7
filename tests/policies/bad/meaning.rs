//! What reads well and cannot be meant: names that nothing has, limits that nothing meets, streams,
//! checks, waivers and far ends that make no sense.

use super::super::{GOOD, load as load_text};
use super::expect;

#[test]
fn names_that_nothing_has() {
    expect(
        "network = \"it\"",
        "network = \"itt\"",
        &[(9, 11, &["nobody in [people] has the role `itt`", "did you mean `it`?"])],
    );
    expect(
        "owner = \"network\"",
        "owner = \"netwrok\"",
        &[(21, 9, &["nobody is [accountable] for the area `netwrok`", "did you mean `network`?"])],
    );
    expect(
        "of = \"it\"",
        "of = \"marketing\"",
        &[(19, 61, &["nobody in [people] has the role `marketing`"])],
    );
    expect(
        "why = \"nobody may listen\"",
        "why = \"x\"\npath = \"primary\"",
        &[(31, 8, &["there is no [path] named `primary`", "add [path.primary]"])],
    );
}

#[test]
fn limits_that_nothing_can_meet() {
    expect("handshake_ms = 1500", "handshake_ms = -1", &[(27, 27, &["`handshake_ms` -1 is negative"])]);
    expect(
        "handshake_ms = 1500",
        "handshake_ms = nan",
        &[(27, 27, &["`handshake_ms` NaN is not a finite number"])],
    );
    expect("handshake_ms = 1500", "pins = []", &[(27, 12, &["`pins` an empty list allows nothing"])]);
}

#[test]
fn limits_outside_their_unit() {
    for (probe, target, limit, words) in [
        ("rtmp", "url = \"rtmp://127.0.0.1/live\"", "tcp_ms = 0", "`tcp_ms` of 0 ms: nothing is that fast"),
        ("path", "to = { ping = \"127.0.0.1\" }", "loss_percent = 101", "`loss_percent` is more than 100 %"),
        (
            "upload",
            "far_end = \"cloud\", seconds = 60, at_most_kbps = 9000",
            "rate_kbps = 1, retransmit_share = 2",
            "`retransmit_share` is a share, from 0 to 1",
        ),
        (
            "upload",
            "far_end = \"cloud\", seconds = 60, at_most_kbps = 9000",
            "rate_kbps = 1, loss_share = 1",
            "`loss_share` lets all be lost",
        ),
    ] {
        let error = probe_error(probe, target, limit).unwrap();
        assert!(error.contains(words), "{words} is not in: {error}");
    }
    assert_eq!(probe_error("path", "to = { ping = \"127.0.0.1\" }", "longest_burst_ms = 0"), None);
}

/// The errors of a policy with one more check and a far end.
fn probe_error(probe: &str, target: &str, limits: &str) -> Option<String> {
    let pin = "0".repeat(64);
    load_text(&format!(
        "{GOOD}[far_end.cloud]\naddress = \"127.0.0.1:8443\"\npin = \"sha256:{pin}\"\ntoken = {{ env = \"T\" }}\n\
         [[check.{probe}]]\nid = \"x\"\ntarget = {{ {target} }}\nlimits = {{ {limits} }}\nenforcement = \"hard\"\n\
         owner = \"network\"\nwhy = \"w\"\n"
    ))
    .err()
    .map(|error| error.to_string())
}

#[test]
fn names_in_targets_are_names_of_the_policy() {
    for (probe, target, words) in [
        (
            "upload",
            "far_end = \"clout\", seconds = 60, at_most_kbps = 9000, stream = \"main\"",
            "there is no [far_end] named `clout`; did you mean `cloud`?",
        ),
        (
            "upload",
            "far_end = \"cloud\", seconds = 60, at_most_kbps = 9000, stream = \"mian\"",
            "there is no [stream] named `mian`; did you mean `main`?",
        ),
        (
            "path",
            "to = { far_end = \"clout\" }",
            "there is no [far_end] named `clout`; did you mean `cloud`?",
        ),
    ] {
        let error = probe_error(probe, target, "").unwrap();
        assert!(error.contains(words), "{words} is not in: {error}");
        assert_eq!(error.matches("p.toml:").count(), 1, "said once: {error}");
    }
}

#[test]
fn an_address_with_a_stream_key_is_refused() {
    for probe in ["rtmp://127.0.0.1/live/abcd-1234-efgh-5678", "rtmps://127.0.0.1/live/live_123456_abcdef"] {
        let error = probe_error("rtmp", &format!("url = \"{probe}\""), "").unwrap();
        assert!(error.contains("holds what looks like a stream key"), "{error}");
        assert!(!error.contains("efgh") && !error.contains("abcdef"), "{error}");
    }
}

#[test]
fn streams_that_make_no_sense() {
    for headroom in ["0.99", "nan", "inf", "-1.5", "1000"] {
        expect("1.5\n", &format!("{headroom}\n"), &[(16, 12, &["is not a number from 1 to 100"])]);
    }
    expect("headroom = 1.5\n", "", &[(12, 9, &["[stream.main] has no headroom", "add headroom = 1.5"])]);
    expect("6000", "60000000", &[(14, 14, &["no stream has this bit rate", "kb/s"])]);
    expect("rtmp://127.0.0.1/live", "srt://h:1?passphrase=0123456789", &[(13, 6, &["holds a key"])]);
    expect("rtmp://127.0.0.1/live", "rtmp://me:geheim@h/live", &[(13, 6, &["user name or password"])]);
    expect("rtmp://127.0.0.1/live", "127.0.0.1", &[(13, 6, &["no address of an ingest"])]);
    expect("rtmp://127.0.0.1/live", "gopher://h/", &[(13, 6, &["streams go to"])]);
}

#[test]
fn checks_that_are_incomplete_or_twice() {
    expect(
        "id = \"certificate\"",
        "id = \"stop\"",
        &[(25, 6, &["the id `stop` is taken", "p.toml:18:6: by this check"])],
    );
    expect("id = \"certificate\"\n", "", &[(24, 1, &["a check of `tls` has no id"])]);
    expect(
        "enforcement = \"hard\"\nowner = \"network\"\n",
        "",
        &[(25, 6, &["the check `certificate` has no enforcement and owner", "\"hard\"", "[accountable]"])],
    );
    expect("port = 443 }", "prot = 443 }", &[(26, 32, &["unknown key `prot`", "did you mean `port`?"])]);
    expect("host = \"127.0.0.1\", ", "", &[(26, 10, &["`host` is missing in `target` of [[check.tls]]"])]);
}

#[test]
fn an_empty_policy_is_not_a_policy() {
    let facts = &GOOD[..GOOD.find("[[check.attest]]").unwrap()];
    let error = load_text(facts).unwrap_err().to_string();
    assert!(error.contains("empty policy: it has no check"), "{error}");
    let advisory = GOOD.replace("\"hard\"", "\"advisory\"").replace("\"waivable\"", "\"advisory\"");
    let error = load_text(&advisory).unwrap_err().to_string();
    assert!(error.contains("empty policy: every check is advisory"), "{error}");
    assert!(load_text("").unwrap_err().to_string().contains("does not say that it is a policy"));
}

#[test]
fn waivers_that_waive_nothing() {
    let waiver = "[[waiver]]\ncheck = \"CHECK\"\naccepts = \"fail\"\nreason = \"r\"\ncompensating = \"c\"\nby = \"it\"\n\
                  expires = 2026-12-04T16:00:00+01:00\n";
    let with = |waiver: &str| load_text(&format!("{GOOD}{waiver}"));
    assert_eq!(with(&waiver.replace("CHECK", "stop")).unwrap().waivers.len(), 1);
    for (text, words) in [
        (
            waiver.replace("CHECK", "stopp"),
            "p.toml:32:9: there is no check with the id `stopp`; did you mean `stop`?",
        ),
        (waiver.replace("CHECK", "certificate"), "is hard: nobody can waive it"),
        (
            waiver.replace("CHECK", "stop").replace("\"it\"", "\"boss\""),
            "nobody in [people] has the role `boss`",
        ),
        (
            waiver.replace("CHECK", "stop").replace("compensating = \"c\"\n", ""),
            "this waiver has no compensating",
        ),
        (waiver.replace("CHECK", "stop").replace("\"r\"", "\" \""), "this waiver has no reason"),
        (waiver.replace("CHECK", "stop").replace("fail", "failure"), "did you mean `fail`?"),
        ("[[waiver]]\n".into(), "this waiver has no check, accepts, reason, compensating, by and expires"),
        (
            waiver.replace("CHECK", "stop").replace("T16:00:00+01:00", ""),
            "leaves out the time and the offset",
        ),
        (waiver.replace("[[waiver]]", "[waiver]"), "write [[waiver]] with two brackets"),
    ] {
        let error = with(&text).unwrap_err();
        assert_eq!(error.list().len(), 1, "{error}");
        assert!(error.to_string().contains(words), "{words} is not in: {error}");
    }
}

#[test]
fn far_ends_and_authorisations_are_whole() {
    let add = |text: &str| load_text(&format!("{GOOD}{text}")).map_err(|error| error.to_string());
    let far_end = format!(
        "[far_end.cloud]\naddress = \"far.example:8443\"\npin = \"sha256:{}\"\ntoken = {{ env = \"T\" }}\n",
        "0".repeat(64)
    );
    assert!(add(&far_end).is_ok());
    for (text, words) in [
        (far_end.replace(":8443", ""), "a far end's address is host and port"),
        (far_end.replace("sha256", "sha1"), "a pin is `sha256:`"),
        (far_end.replace("token = { env = \"T\" }\n", ""), "[far_end.cloud] has no token"),
        (far_end.replace("env = \"T\"", "env = \"T\", file = \"f\""), "a secret is { env = "),
        ("[authorisation]\nby = \"it\"\nwindow = { from = 2026-12-04T14:00:00Z }\n".into(), "[authorisation.window] has no to"),
        (
            "[authorisation]\nby = \"it\"\nwindow = { from = 2026-12-04T14:00:00Z, to = 2026-12-04T13:00:00Z }\n".into(),
            "not after it begins",
        ),
        ("[authorisation]\nreference = \"CHG1\"\n".into(), "[authorisation] has no by"),
        ("[path.primary]\n".into(), "[path.primary] has no interface"),
        ("[path.primary]\nsource = \"10.0.0\"\n".into(), "invalid IP address"),
        (
            "[path.primary]\ninterface = \"eth0\"\n[path.backup]\ninterface = \"eth0\"\n".into(),
            "[path.primary] is the same way out as [path.backup]",
        ),
    ] {
        let error = add(&text).unwrap_err();
        assert!(error.contains(words), "{words} is not in: {error}");
    }
}
