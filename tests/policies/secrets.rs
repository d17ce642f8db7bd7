//! Whatever is wrong with a policy, its error never shows a secret.

use proptest::prelude::*;

use super::load;

const CANARY: &str = "hunter2hunter2";

const SECRETIVE: &str = r#"schema = "golive-policy/1"
# the old key was hunter2hunter2
[event]
title = "Launch" # not hunter2hunter2
[people.it]
name = "A. Person"
[accountable]
network = "it"
brand = "it"
production = "it"
[stream.main]
to = "rtmp://127.0.0.1/live/hunter2hunter2?key=hunter2hunter2"
video_kbps = 6000
audio_kbps = 128
headroom = 1.5
[far_end.cloud]
address = "127.0.0.1:8443"
pin = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
token = { value = "hunter2hunter2" }
[[check.srt]]
id = "ingest"
target = { url = "srt://127.0.0.1:9000", passphrase = { value = "hunter2hunter2" } }
enforcement = "hard"
owner = "network"
why = "w"
"#;

#[track_caller]
fn hides(text: &str) {
    if let Err(error) = load(text) {
        let shown = format!("{error}\n{error:?}");
        assert!(!shown.contains(CANARY), "{shown}");
    }
}

#[test]
fn a_secret_in_the_wrong_shape_is_not_shown() {
    for (old, new) in [
        ("{ value = \"hunter2hunter2\" }\n[[", "\"hunter2hunter2\"\n[["),
        ("token = { value", "token = { valeu"),
        ("token = { value", "tokn = { value"),
        ("passphrase = { value", "passphrase = { valeu"),
        ("passphrase = { value = \"hunter2hunter2\" }", "passphrase = \"hunter2hunter2\""),
        ("passphrase = { value = \"hunter2hunter2\" }", "pasphrase = \"hunter2hunter2\""),
        ("token = { value = \"hunter2hunter2\" }", "token = hunter2hunter2"),
        ("token = { value = \"hunter2hunter2\" }", "token = { value = \"hunter2hunter2 }"),
        ("token = { value = \"hunter2hunter2\" }", "token = \"\"\"\nhunter2hunter2\n\"\"\""),
        ("token = { value = \"hunter2hunter2\" }", "token = [\"hunter2hunter2\"]"),
        ("token = { value = \"hunter2hunter2\" }", "token = { value = \"x\" } hunter2hunter2"),
        ("address = \"127.0.0.1:8443\"", "address = 5 # hunter2hunter2"),
        ("title = \"Launch\"", "title = 5"),
        ("video_kbps = 6000", "video_kbps = 0.5"),
        ("rtmp://127.0.0.1", "rtmp://hunter2hunter2:hunter2hunter2@127.0.0.1"),
        ("rtmp://127.0.0.1", "gopher://127.0.0.1"),
        ("to = \"rtmp", "too = \"rtmp"),
        ("srt://127.0.0.1:9000", "srt://127.0.0.1:9000?passphrase=hunter2hunter2"),
        ("srt://127.0.0.1:9000", "srt://127.0.0.1/?streamid=hunter2hunter2"),
        ("srt://127.0.0.1:9000", "http://x:hunter2hunter2@127.0.0.1"),
    ] {
        assert!(SECRETIVE.contains(old), "{old}");
        let text = SECRETIVE.replacen(old, new, 1);
        assert!(load(&text).is_err(), "{new} is a mistake");
        hides(&text);
    }
}

/// Whoever has the key in an address sends the test card to the event's own channel.
#[test]
fn a_key_in_a_targets_address_is_refused_and_not_shown() {
    let srt = "[[check.srt]]\nid = \"ingest\"\ntarget = { url = \"srt://127.0.0.1:9000\", passphrase = { value = \"hunter2hunter2\" } }";
    let plain = SECRETIVE.replace("/hunter2hunter2?key=hunter2hunter2", "");
    for (probe, target) in [
        ("rtmp", r#"url = "rtmp://127.0.0.1:9/live?key=hunter2hunter2""#),
        (
            "hls_push",
            r#"url = "https://127.0.0.1/hls?cid=hunter2hunter2&copy=0&file={file}", publish = "test", media_kbps = 6128"#,
        ),
        (
            "rehearsal",
            r#"url = "rtmp://127.0.0.1/live?key=hunter2hunter2", publish = "test", test_key = { env = "K" }, seconds = 30, media_kbps = 3000"#,
        ),
        (
            "upload",
            r#"ingest = { url = "rtmp://127.0.0.1/live?key=hunter2hunter2", publish = "test", test_key = { env = "K" } }"#,
        ),
        (
            "turn",
            r#"urls = ["turn:u:hunter2hunter2@127.0.0.1:3478"], username = "event", credential = { env = "X" }"#,
        ),
        (
            "turn",
            r#"urls = ["turn:127.0.0.1:3478?credential=hunter2hunter2"], username = "event", credential = { env = "X" }"#,
        ),
        (
            "turn",
            r#"urls = ["tern:u:hunter2hunter2@127.0.0.1:3478"], username = "event", credential = { env = "X" }"#,
        ),
        ("turn", r#"url = ["turn:u:hunter2hunter2@127.0.0.1:3478"]"#),
    ] {
        let check = format!("[[check.{probe}]]\nid = \"ingest\"\ntarget = {{ {target} }}");
        assert!(plain.contains(srt));
        let text = plain.replace(srt, &check);
        let error = load(&text).unwrap_err().to_string();
        let said = ["looks like a stream key", "a TURN address is `turn:host:port?transport=udp`", "url"];
        assert!(said.iter().any(|said| error.contains(said)), "{error}");
        hides(&text);
    }
}

#[test]
fn a_policy_that_is_right_does_not_show_its_secrets_either() {
    let text = SECRETIVE.replace("/hunter2hunter2?key=hunter2hunter2", "");
    let policy = load(&text).unwrap();
    assert!(!format!("{policy:?}").contains(CANARY));
    assert!(!serde_json::to_string(&policy).unwrap().contains(CANARY));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// One slip of the keyboard anywhere but in the secret itself.
    #[test]
    fn no_slip_gives_a_secret_away(at in 0..SECRETIVE.len(), with in "[ -~\n]{0,2}", length in 0..3usize) {
        let end = (at + length).min(SECRETIVE.len());
        let touches = SECRETIVE.match_indices(CANARY).any(|(start, _)| at < start + CANARY.len() && end > start);
        if !touches {
            hides(&format!("{}{with}{}", &SECRETIVE[..at], &SECRETIVE[end..]));
        }
    }

    /// No text makes the reader panic.
    #[test]
    fn any_text_is_read(text in "\\PC{0,200}", at in 0..SECRETIVE.len()) {
        let _ = load(&text).map_err(|error| error.to_string());
        let _ = load(&format!("{}{text}{}", &SECRETIVE[..at], &SECRETIVE[at..])).map_err(|error| error.to_string());
    }
}
