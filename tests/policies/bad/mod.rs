//! A table of bad policies: what is written, where the error points, and its words. Here what is no
//! word, value or date of a policy.

mod files;
mod meaning;

use super::{GOOD, load as load_text};

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
