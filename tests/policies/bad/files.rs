//! What is no policy file, or one that would harm who reads it.

use std::path::Path;

use golive::policy::{Disk, MAX_FILE, load, load_from};

use super::super::{GOOD, Memory, load as load_text};

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
