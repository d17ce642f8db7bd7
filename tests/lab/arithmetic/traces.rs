//! Traces from files, and made up.

use std::path::Path;

use crate::wan::trace::{Synthetic, Trace, parse};

fn mbps(trace: &Trace, folder: Option<&Path>) -> Result<f64, String> {
    trace.load_from(folder).map(|capacity| capacity.mean() as f64 / 1e6)
}

fn of(file: &str) -> Trace {
    Trace { file: Some(file.to_owned()), ..Trace::default() }
}

#[test]
fn csv_is_read() {
    let steps = parse("t_s,up_mbps\n0.0,8\n0.5,2.5\n1.0,0\n").unwrap();
    assert_eq!(steps, [(0.5, 8.0), (0.5, 2.5), (0.5, 0.0)]);
    for (text, words) in [
        ("t_s,up_mbps\n0.0,8\n0.5;2", "line 3: no comma"),
        ("t_s,up_mbps\n0.0,8\n0.5,x", "line 3: \"x\" is no number"),
        ("t_s,up_mbps\n0.0,8", "fewer than two lines"),
        ("time,rate\n1,2", "line 1: \"time,rate\" is no number"),
        ("", "empty"),
        ("5\n4\n", "go back at 4 ms"),
    ] {
        assert!(parse(text).unwrap_err().contains(words), "{text}");
    }
}

/// A chance is 1500 bytes: 12 Mb/s for a millisecond.
#[test]
fn mahimahi_is_read() {
    let steps = parse("1\n1\n2\n5\n5\n5\n").unwrap();
    assert_eq!(steps, [(1e-3, 24.0), (1e-3, 12.0), (0.002, 0.0), (1e-3, 36.0)]);
    let ten_ms = (1..=10).map(|at| format!("{at}\n")).collect::<String>();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("steady.up"), ten_ms).unwrap();
    assert_eq!(mbps(&of("steady.up"), Some(folder.path())), Ok(12.0));
}

/// The recorded ones, where they are: each has the mean that its manifest says.
#[test]
fn recorded_traces_have_their_mean() {
    let Some(folder) = std::env::var_os("GOLIVE_TRACES") else { return };
    let folder = Path::new(&folder);
    let manifest = std::fs::read_to_string(folder.join("MANIFEST.csv")).unwrap();
    for line in manifest.lines().skip(1) {
        let columns: Vec<&str> = line.split(',').collect();
        let (mean, wanted) =
            (mbps(&of(columns[0]), Some(folder)).unwrap(), columns[3].parse::<f64>().unwrap());
        assert!((mean - wanted).abs() <= 0.02 * wanted + 0.02, "{}: {mean}, wanted {wanted}", columns[0]);
    }
    let (lines, csv) = (of("TMobile-LTE-short.up.gz"), of("mm_TMobile-LTE-short.csv"));
    let (lines, csv) = (mbps(&lines, Some(folder)).unwrap(), mbps(&csv, Some(folder)).unwrap());
    assert!((lines / csv - 1.0).abs() < 0.02, "{lines} and {csv} Mb/s");
}

/// Where no file can be had, and only there.
#[test]
fn made_up_traces_stand_in() {
    let (file, both) = (of("x.csv"), Trace { synthetic: Some(Synthetic::Lte), ..of("x.csv") });
    assert!(mbps(&file, None).unwrap_err().contains("set GOLIVE_TRACES to its folder, or add synthetic"));
    assert!(mbps(&both, Some(Path::new("/nonesuch"))).unwrap_err().contains("/nonesuch/x.csv: No such file"));
    for (kind, least, most) in [
        (Synthetic::Lte, 8.0, 18.0),
        (Synthetic::Wifi, 7.5, 8.5),
        (Synthetic::Starlink, 3.5, 6.5),
        (Synthetic::Subway, 0.3, 0.8),
    ] {
        let mean = mbps(&Trace { synthetic: Some(kind), ..Trace::default() }, None).unwrap();
        assert!((least..most).contains(&mean), "{kind:?}: {mean} Mb/s");
    }
    assert_eq!(mbps(&both, None), mbps(&Trace { file: None, ..both.clone() }, None));
}
