//! Three hundred ports, a third of them dropped: golive beside nmap, which tells the same.
//!
//! By itself nmap waits a tenth of a second for what does not answer where the first answers came at
//! once; a path whose answers then take longer would be called dropped. golive waits for three SYNs
//! (RFC 6298: after 0, 1 and 3 s), since "dropped" is a NO-GO. So nmap is run twice: by itself, and with
//! golive's patience, three probes in four seconds.

use futures::future::join_all;
use golive::model::CheckId;
use golive::probe::port::{Port, Target};
use golive::probe::{Env, Probe as _};

use crate::Effort;
use crate::ground::matrix::{Matrix, in_nmaps_words, places, target};
use crate::page::{Section, goal, median};

/// Three probes in four seconds, as golive waits.
const PATIENT: [&str; 8] = [
    "--min-rtt-timeout",
    "1333ms",
    "--initial-rtt-timeout",
    "1333ms",
    "--max-rtt-timeout",
    "1334ms",
    "--max-retries",
    "2",
];

pub fn compare(effort: Effort) -> Section {
    let matrix = Matrix::new();
    let places = places();
    let targets: Vec<Target> = places.keys().map(|place| toml::from_str(&target(*place)).unwrap()).collect();
    let env = Env::bare(CheckId::new("bench").unwrap());
    let (mut ours, mut theirs, mut hasty, mut agreed) = (Vec::new(), Vec::new(), Vec::new(), places.len());
    for _ in 0..effort.rounds {
        let began = std::time::Instant::now();
        let asked = join_all(targets.iter().map(|target| Port::measure(target, &env)));
        let readings = matrix.venue.run_async(asked);
        ours.push(began.elapsed().as_secs_f64());
        hasty.push(matrix.nmap(&[]).1.as_secs_f64());
        let (found, took) = matrix.nmap(&PATIENT);
        theirs.push(took.as_secs_f64());
        let same = places.keys().zip(&readings).filter(|(place, reading)| {
            let state = reading.as_ref().unwrap().addresses[0].attempts.last().unwrap().state;
            found.get(place).is_some_and(|word| word == in_nmaps_words(state))
        });
        agreed = agreed.min(same.count());
    }
    eprintln!("  golive {ours:.2?} s, nmap {theirs:.2?} s, by itself {hasty:.2?} s, agreed on {agreed}");
    let (golive, nmap, hasty) = (median(ours), median(theirs), median(hasty));
    Section {
        title: "Three hundred ports, a third of them dropped".to_owned(),
        how: format!(
            "150 TCP and 150 UDP ports of one host behind a firewall: 100 open, 100 closed, 100 dropped in silence; \
             golive's `port` for all at once, and `nmap -sT -sU`: with the same patience (three probes in 4 s), and by \
             itself, when it waits as long as the first answers suggest. {}; {}; {}.",
            goal("Goal: they agree on every port", agreed == places.len()),
            goal("in less time than nmap with the same patience", golive < nmap),
            goal("in little more than one time-out of 4 s", golive < 6.0),
        ),
        head: vec!["", "s", "ports on which both agree"],
        rows: vec![
            vec!["golive".to_owned(), format!("{golive:.2}"), format!("{agreed} of {}", places.len())],
            vec!["nmap, as patient".to_owned(), format!("{nmap:.2}"), String::new()],
            vec!["nmap by itself".to_owned(), format!("{hasty:.2}"), String::new()],
        ],
    }
}
