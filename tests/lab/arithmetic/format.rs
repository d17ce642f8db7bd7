//! What a scenario may write, and what it is told when it errs.

use crate::wan::{Line, Way};

fn line(toml: &str) -> Line {
    Line::written(toml)
}

const EVERYTHING: &str = r#"
seed = 7
mtu = 1492

[up]
mtu_black_hole = 1300
policer = { rate_mbps = 10, burst_bytes = 4_000_000 }
rate_mbps = 8
boost = { rate_mbps = 40, seconds = 10 }
queue_bytes = 200_000
outages = [{ every_s = 30, for_s = 2 }, { at_s = 5.5, for_s = 0.5 }]
loss = { percent = 0.5, bursts = { every_s = 5, for_ms = 200, percent = 90 } }
delay_ms = 20
jitter = { ms = 15, every_ms = 40 }
duplicate_percent = 0.1

[down]
trace = { synthetic = "lte", start_s = 30 }
outages = { at_s = 3, for_s = 1 }
jitter = { ms = 8, reorder = true }
boost = { rate_mbps = 40, bytes = 1000 }
"#;

#[test]
fn a_line_reads_from_toml() {
    let read = line(EVERYTHING);
    assert_eq!((read.seed, read.mtu, read.up.mtu_black_hole), (7, 1492, Some(1300)));
    assert_eq!(read.up.outages.0.len(), 2);
    assert_eq!(read.down.outages.0[0].at_s, Some(3.0));
    assert!(read.down.jitter.unwrap().reorder);
    assert!(line("").check().is_ok(), "a wire that adds nothing");
}

/// Each is refused, with these words.
#[test]
fn errors_say_what_is_wrong() {
    for (toml, words) in [
        ("up = { rate = 8 }", "unknown field `rate`, expected one of `mtu_black_hole`"),
        ("up = { rate_mbps = -1 }", "expected a number above 0"),
        ("up = { loss = { percent = 101 } }", "expected a number from 0 to 100"),
        ("up = { jitter = { ms = 3, reordering = true } }", "unknown field `reordering`"),
        ("up = { outages = 3 }", "expected an outage such as { every_s = 30, for_s = 2 }"),
        ("up = { outages = { every_s = 3 } }", "missing field `for_s`"),
        ("up = { trace = 3 }", "expected a trace's file name"),
        ("up = { trace = { synthetic = \"cable\" } }", "unknown variant `cable`, expected one of `lte`"),
    ] {
        let said = toml::from_str::<Line>(toml).expect_err(toml).to_string();
        assert!(said.contains(words), "{toml}\n{said}");
    }
    for (toml, words) in [
        ("up = { rate_mbps = 8, trace = { steps = [[1, 1]] } }", "up: rate_mbps and trace: one of them"),
        ("down = { boost = { rate_mbps = 8, seconds = 1 } }", "down: a boost needs the rate_mbps"),
        ("up = { rate_mbps = 8, boost = { rate_mbps = 9 } }", "either seconds or bytes"),
        ("up = { rate_mbps = 8, boost = { rate_mbps = 7, bytes = 1 } }", "above the rate_mbps after it"),
        ("up = { queue_bytes = 8 }", "queue_bytes needs a rate_mbps or a trace"),
        ("up = { outages = { for_s = 8 } }", "an outage needs at_s or every_s"),
        ("up = { outages = { for_s = 8, every_s = 7 } }", "for_s must be below its every_s"),
        ("up = { loss = { bursts = { every_s = 1, for_ms = 1000 } } }", "for_ms must be below its every_s"),
        ("up = { jitter = { ms = 1, reorder = true, every_ms = 2 } }", "no every_ms"),
        ("up = { trace = { steps = [[1, 0]] } }", "never carries anything"),
        ("up = { trace = {} }", "one of file, synthetic, steps"),
    ] {
        let said = line(toml).check().expect_err(toml);
        assert!(said.contains(words), "{toml}\n{said}");
    }
}

#[test]
fn a_way_is_written_in_rust_too() {
    let up = Way { rate_mbps: Some(8.0), delay_ms: 20.0, ..Way::default() };
    assert!(Line { up, ..Line::default() }.check().is_ok());
}
