//! A table of bad policies: what is written, where the error points, and its words.

use std::path::Path;

use golive::policy::{Disk, MAX_FILE, load, load_from};

use super::{GOOD, Memory, load as load_text};

/// Replaces one line of the good policy, finds the mistakes, and holds each to place and words.
#[track_caller]
fn expect(old: &str, new: &str, mistakes: &[(usize, usize, &[&str])]) {
    assert!(GOOD.contains(old), "{old}");
    let text = GOOD.replacen(old, new, 1);
    let found = load_text(&text).err().unwrap_or_else(|| panic!("no mistake found in\n{text}"));
    let shown = found.to_string();
    assert_eq!(found.list().len(), mistakes.len(), "{shown}");
    for (one, (line, column, words)) in found.list().iter().zip(mistakes) {
        let place = one.place.as_ref().unwrap();
        assert_eq!((place.line, place.column), (*line, *column), "{shown}");
        let message = one.to_string();
        for word in *words {
            assert!(message.contains(word), "{word:?} is not in: {message}");
        }
    }
}

#[test]
fn keys_and_probes_that_do_not_exist() {
    expect("[event]", "[evnt]", &[(2, 2, &["unknown key `evnt` in the file", "did you mean `event`?"])]);
    expect("title =", "titel =", &[(3, 1, &["unknown key `titel` in [event]", "did you mean `title`?"])]);
    expect("[[check.tls]]", "[[check.tsl]]", &[(24, 9, &["no probe `tsl`", "did you mean `tls`?"])]);
    expect("[[check.tls]]", "[[check.banana]]", &[(24, 9, &["no probe `banana`", "`attest`", "`tls`"])]);
    expect(
        "handshake_ms",
        "handshake",
        &[(
            27,
            12,
            &["unknown key `handshake` in `limits` of [[check.tls]]", "did you mean `handshake_ms`?"],
        )],
    );
    expect(
        "host =",
        "hots =",
        &[(26, 12, &["unknown key `hots` in `target` of [[check.tls]]", "did you mean `host`?"])],
    );
    expect("enforcement =", "enforcment =", &[(20, 1, &["unknown key `enforcment` in [[check.attest]]"])]);
}

#[test]
fn words_that_are_not_in_the_list() {
    expect(
        "\"waivable\"",
        "\"waiveable\"",
        &[(20, 15, &["`waiveable` is no value of `enforcement`", "did you mean `waivable`?"])],
    );
    expect(
        "golive-policy/1",
        "golive-policy/2",
        &[(1, 10, &["does not read policies of `golive-policy/2`", "golive-policy/1"])],
    );
    expect(
        "schema = \"golive-policy/1\"",
        "",
        &[(1, 1, &["does not say that it is a policy", "begin it with schema"])],
    );
}

#[test]
fn values_of_the_wrong_kind() {
    expect(
        "6000",
        "\"6000\"",
        &[(14, 14, &["`video_kbps` must be a whole number from 0 up, not text in quotes"])],
    );
    expect(
        "6000",
        "-6000",
        &[(14, 14, &["`video_kbps` must be a whole number from 0 up, not the number -6000"])],
    );
    expect("1.5\n", "true\n", &[(16, 12, &["`headroom` must be a number, not the word true"])]);
    expect(
        "[[check.tls]]",
        "[check.tls]",
        &[(24, 1, &["`tls` must be a list, not a table", "[[check.tls]] with two brackets"])],
    );
    expect("\"7d\"", "\"7 days\"", &[(23, 13, &["a whole number and a unit", "\"7d\""])]);
    expect("\"7d\"", "\"0d\"", &[(23, 13, &["a whole number and a unit"])]);
    expect("\"7d\"", "\"99999w\"", &[(23, 13, &["up to ten years"])]);
    expect("id = \"stop\"", "id = \"Stop it\"", &[(18, 6, &["`Stop it` is not a name"])]);
    expect("[people.it]", "[people.IT]", &[(6, 9, &["`IT` is not a name"])]);
}

#[test]
fn dates_without_their_offset() {
    let advice = "write it like 2026-12-04T";
    expect(
        "2026-12-04T14:00:00+01:00",
        "2026-12-04",
        &[(4, 10, &["leaves out the time and the offset", advice])],
    );
    expect(
        "2026-12-04T14:00:00+01:00",
        "2026-12-04T14:00:00",
        &[(4, 10, &["leaves out the offset", advice])],
    );
    expect(
        "2026-12-04T14:00:00+01:00",
        "14:00:00",
        &[(4, 10, &["leaves out the date and the offset", advice])],
    );
    expect(
        "2026-12-04T14:00:00+01:00",
        "\"4 December\"",
        &[(4, 10, &["`4 December` is not a date-time with offset"])],
    );
    expect("2026-12-04T15:30:00+01:00", "2026-12-04T13:30:00+01:00", &[(5, 8, &["not after it starts"])]);
}

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

#[test]
fn many_mistakes_are_found_in_one_go() {
    let text = GOOD
        .replace("title =", "titel =")
        .replace("\"waivable\"", "\"waivabel\"")
        .replace("handshake_ms = 1500", "handshake_ms = -1")
        .replace("network = \"it\"", "network = \"nobody\"");
    let error = load_text(&text).unwrap_err();
    let lines: Vec<usize> = error.list().iter().map(|one| one.place.as_ref().unwrap().line).collect();
    assert_eq!(lines, [3, 9, 20, 27], "{error}");
}

#[test]
fn grammar_stops_a_file_and_names_the_line() {
    for (text, line) in [
        ("schema = \"golive-policy/1\"\n[event\ntitle = \"x\"\n", 2),
        ("schema = \"golive-policy/1\"\nschema = \"golive-policy/1\"\n", 2),
        ("schema = \"golive-policy/1\n", 1),
        ("schema = golive\n", 1),
    ] {
        let error = load_text(text).unwrap_err();
        assert_eq!(error.list()[0].place.as_ref().unwrap().line, line, "{error}");
        assert!(error.to_string().contains("not TOML"), "{error}");
    }
}

#[test]
fn what_is_no_policy_file_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let large = vec![b'#'; usize::try_from(MAX_FILE).unwrap() + 1];
    for (path, words) in [
        (folder.path().to_owned(), "this is a folder, not a policy file"),
        (folder.path().join("nonesuch.toml"), "there is no such file"),
        (folder.path().join("baseline.toml"), "write \"builtin:baseline\""),
        (file("latin1.toml", b"schema = \"golive-policy/1\"\ntitle = \"caf\xe9\"\n"), "line 2 is not UTF-8"),
        (file("large.toml", &large), "larger than 256 KiB"),
        ("/dev/zero".into(), "not a regular file"),
        ("builtin:basline".into(), "did you mean `baseline`?"),
    ] {
        let error = load(&path).unwrap_err().to_string();
        assert!(error.contains(words), "{words} is not in: {error}");
    }
    assert!(load_from(Path::new("builtin:demo"), &Disk).is_ok());
}

#[test]
fn a_hostile_file_cannot_act_on_the_terminal() {
    let escape = "\u{1b}]0;owned\u{7}\u{202e}";
    for text in [
        GOOD.replace("title =", &format!("\"ti{escape}\" =")),
        GOOD.replace("\"waivable\"", &format!("\"wai\\u001b\\u0007{}\"", "\u{202e}")),
        GOOD.replace("id = \"stop\"", "id = \"s\\u001b[31m\""),
        GOOD.replace("[people.it]", &format!("[people.\"{}\"]", "\u{202e}")),
        GOOD.replace("7d", &format!("7{}d", "\u{9b}")),
        format!("{GOOD}\n{escape}"),
        GOOD.replace("[event]", "extends = [\"\\u001b[31m.toml\"]\n[event]"),
    ] {
        let shown = load_text(&text).unwrap_err().to_string();
        let acts = |c: char| {
            (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!shown.contains(acts), "{shown:?}");
    }
}

#[test]
fn depth_and_size_are_bounded() {
    let dots = vec!["a"; 20_000].join(".");
    let brackets = "[".repeat(100_000);
    for text in
        [format!("{dots} = 1"), format!("x = {brackets}"), format!("[{dots}]"), "a=1\n".repeat(40_000)]
    {
        assert!(load_text(&text).is_err());
    }
    let many: Vec<String> = (0..2000).map(|n| format!("unknown{n} = 1")).collect();
    let error = load_text(&format!("schema = \"golive-policy/1\"\n{}", many.join("\n"))).unwrap_err();
    assert!(error.list().len() <= 60, "{}", error.list().len());
}

#[test]
fn a_policy_cannot_extend_itself_nor_for_ever() {
    let head = "schema = \"golive-policy/1\"\n";
    let cycle = Memory::of(&[
        ("a.toml", &format!("{head}extends = [\"b.toml\"]\n")),
        ("b.toml", &format!("{head}extends = [\"./c.toml\", \"x/../a.toml\"]\n")),
        ("c.toml", head),
    ]);
    let error = cycle.load("a.toml").unwrap_err().to_string();
    assert!(
        error.contains("b.toml:2:24: a policy cannot extend itself: a.toml → b.toml → a.toml"),
        "{error}"
    );

    let chain: Vec<(String, String)> =
        (0..40).map(|n| (format!("{n}.toml"), format!("{head}extends = [\"{}.toml\"]\n", n + 1))).collect();
    let chain: Vec<(&str, &str)> = chain.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let error = Memory::of(&chain).load("0.toml").unwrap_err().to_string();
    assert!(error.contains("15.toml:2:12: `16.toml` is the 17th file of a chain"), "{error}");
}
