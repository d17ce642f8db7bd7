use jiff::Timestamp;

use super::*;
use crate::judge::watch::{Alert, Look, MOST_PERIODS, Record};
use crate::model::{Area, CheckId, Enforcement};
use crate::report::{LeftOutDoc, WATCH_SCHEMA, watch_html, watch_pdf};

const HOSTILE: &str = "<script>alert(1)</script>\u{1b}[31m\u{202e}`|[x](http://y)";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + seconds).unwrap()
}

/// A watch that flaps for long, with text that somebody else wrote.
fn document() -> WatchDoc {
    let check = CheckId::new("backup.ingest").unwrap();
    let every = jiff::SignedDuration::from_secs(30);
    let mut record = Record::default();
    for n in 0..600 {
        let outcome = [Outcome::Pass, Outcome::Fail, Outcome::Unknown][usize::try_from(n % 3).unwrap()];
        let (at, until) = (at(n * 30), at(n * 30 + 1));
        let (code, said) = (HOSTILE.to_owned(), HOSTILE.to_owned());
        record.take(&Look { at, until, outcome, code, said }, every);
    }
    let alert = Alert {
        number: 7,
        at: at(60),
        since: at(30),
        check: check.clone(),
        from: None,
        to: Outcome::Unknown,
        code: HOSTILE.to_owned(),
        said: HOSTILE.to_owned(),
        enforcement: Enforcement::Hard,
        owner: Area::new("network").unwrap(),
        accountable: None,
    };
    let watched = WatchedDoc {
        check: check.clone(),
        probe: HOSTILE.to_owned(),
        target: HOSTILE.to_owned(),
        path: None,
        enforcement: Enforcement::Hard,
        owner: Area::new("network").unwrap(),
        accountable: None,
        every_s: 30.0,
        looks: 600,
        state: record.alarm.state(),
        worst: record.worst,
        timeline: record.timeline,
    };
    let policy = crate::policy::Event {
        title: HOSTILE.to_owned(),
        starts: None,
        ends: None,
        time_zone: None,
        venue: None,
        objective: None,
        change: None,
        way_back: None,
    };
    WatchDoc {
        schema: WATCH_SCHEMA.to_owned(),
        golive: HOSTILE.to_owned(),
        watch: HOSTILE.to_owned(),
        started: at(0),
        finished: at(18_000),
        ended_by: HOSTILE.to_owned(),
        resumed: 1,
        event: policy,
        layers: Vec::new(),
        policy_sha256: String::new(),
        every_s: 30.0,
        most_sent_bps: 12_001,
        most_received_bps: 1,
        worst: Outcome::Fail,
        exit_code: 2,
        checks: vec![watched],
        left_out: vec![LeftOutDoc { check, probe: HOSTILE.to_owned(), why: HOSTILE.to_owned() }],
        alerts: vec![alert],
        alerts_in_all: 7,
        webhook: Some(crate::report::WebhookDoc {
            host: HOSTILE.to_owned(),
            delivered: 1,
            lost: 2,
            trouble: Some(HOSTILE.to_owned()),
        }),
    }
}

#[test]
fn a_watch_reads_back_and_is_bounded() {
    let document = document();
    let json = document.to_json().unwrap();
    assert!(!json.contains('\u{1b}') && !json.contains('\u{202e}'));
    assert_eq!(WatchDoc::read(json.as_bytes()).unwrap(), document);
    assert_eq!(document.checks[0].timeline.periods().len(), MOST_PERIODS);
    for wrong in ["", "{}", "[1]", "null", &json.replace("golive-watch/1", "golive-watch/2")] {
        assert!(WatchDoc::read(wrong.as_bytes()).is_err(), "{wrong}");
    }
    for cut in (0..json.len() - 1).step_by(997) {
        assert!(WatchDoc::read(&json.as_bytes()[..cut]).is_err(), "{cut}");
    }
}

#[test]
fn nothing_that_others_wrote_acts_in_any_form() {
    let document = document();
    for shown in [text(&document), markdown(&document), watch_html(&document)] {
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown}");
    }
    let page = watch_html(&document);
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;"), "escaped");
    let ticket = markdown(&document);
    assert!(!ticket.contains("<script") && !ticket.contains("\n[x]("), "{ticket}");
}

#[test]
fn a_watch_on_paper_is_the_same_bytes_each_time_and_carries_its_document() {
    let document = document();
    let stored = document.to_json().unwrap();
    let paper = watch_pdf(&document, stored.as_bytes()).unwrap();
    assert!(paper.starts_with(b"%PDF-"));
    assert_eq!(paper, watch_pdf(&document, stored.as_bytes()).unwrap());
    let has = |words: &[u8]| paper.windows(words.len()).any(|window| window == words);
    assert!(has(b"watch.json") && has(b"/EmbeddedFiles"));
}

#[test]
fn every_form_says_what_happened_and_what_is_left_to_the_document() {
    let document = document();
    for shown in [text(&document), markdown(&document), watch_html(&document)] {
        for words in
            ["160 older periods", "no verdict on the event", "13 kb/s", "6 earlier ones", "not watched"]
        {
            assert!(shown.to_lowercase().contains(words), "{words}: {shown}");
        }
    }
    let [well, gap] = shares(&document, &document.checks[0]).unwrap();
    // of the 400 oldest periods, which were put together, the worst counts
    assert!((100..=120).contains(&well) && gap == 0, "{well} {gap}");
    assert!(watch_html(&document).contains("at least 11."));
    assert!(strip::blocks(&document, &document.checks[0]).iter().all(|block| block.x + block.width <= 1000));
}
