//! Ticket systems and networks on a bad day.

use std::time::{Duration, Instant};

use serde_json::json;

use super::desk::{Desk, Reply};
use super::vendors::{self, Kept, Mishap, SYS_ID, TOKEN, USER};
use super::{FILES, all_kept, attach, command, event, to_jira, to_service_now};
use crate::event::told;

/// How often a file was sent.
fn sent(desk: &Desk) -> usize {
    desk.heard().iter().filter(|heard| heard.method == "POST").count()
}

#[test]
fn refusals_are_explained_and_not_repeated() {
    for (status, words) in [
        (401, "does not accept the user or the token"),
        (403, "does not allow this user"),
        (404, "has no such record"),
        (413, "takes no file of this size"),
        (415, "takes no file of this type"),
    ] {
        let (event, kept) = (event(), Kept::default());
        let said_there = json!({ "error": { "message": "the vendor's words", "detail": "" } });
        let desk = vendors::service_now(&kept, vec![Mishap::Refused(Reply::json(status, &said_there))]);
        let (code, said) = to_service_now(&event, &desk, &[]);
        assert_eq!(code, 69, "{said}");
        assert!(said.contains("attaching report.pdf") && said.contains(words), "{status}: {said}");
        assert!(said.contains("it says: the vendor's words"), "{said}");
        assert_eq!(sent(&desk), 1, "a refusal is final");
        assert!(kept.lock().unwrap().is_empty() && !said.contains(TOKEN));
    }
}

#[test]
fn a_wrong_token_is_refused_as_the_vendor_does() {
    let (event, kept) = (event(), Kept::default());
    let desk = vendors::service_now(&kept, vec![]);
    let mut command = command(&event);
    command.env("GOLIVE_TICKET_TOKEN", "canary-of-a-wrong-token");
    command.args(["--servicenow", &desk.url(), "--change", SYS_ID, "--user", USER]);
    let (code, said) = told(&command.output().unwrap());
    assert!(code == 69 && said.contains("User Not Authenticated"), "{said}");
    assert!(!said.contains("canary-of"), "{said}");
}

#[test]
fn it_waits_as_long_as_it_is_told_to() {
    let (event, kept) = (event(), Kept::default());
    let busy = Reply::json(429, &json!({})).with("Retry-After", "2");
    let desk = vendors::jira(&kept, 10 << 20, vec![Mishap::Refused(busy)]);
    let began = Instant::now();
    let (code, said) = to_jira(&event, &desk);
    assert_eq!(code, 0, "{said}");
    assert!(began.elapsed() >= Duration::from_secs(2));
    all_kept(&event, &kept);
    assert_eq!(sent(&desk), FILES.len() + 1);
}

#[test]
fn nobody_waits_for_an_hour() {
    let (event, kept) = (event(), Kept::default());
    let busy = Reply::json(429, &json!({})).with("Retry-After", "3600");
    let desk = vendors::jira(&kept, 10 << 20, vec![Mishap::Refused(busy)]);
    let (code, said) = to_jira(&event, &desk);
    assert!(code == 69 && said.contains("takes no more requests for now"), "{said}");
    assert_eq!(sent(&desk), 1);
}

#[test]
fn a_server_that_fails_once_gets_the_file_once() {
    let (event, kept) = (event(), Kept::default());
    let failed = Mishap::Refused(Reply::new(500, "text/html", "<h1>oops</h1>"));
    let desk = vendors::service_now(&kept, vec![failed]);
    let (code, said) = to_service_now(&event, &desk, &[]);
    assert_eq!(code, 0, "{said}");
    all_kept(&event, &kept);
}

#[test]
fn a_lost_answer_is_looked_up_and_nothing_is_attached_twice() {
    for mishap in [Mishap::KeptUnsaid, Mishap::KeptHalfSaid] {
        let (event, kept) = (event(), Kept::default());
        let desk = vendors::service_now(&kept, vec![mishap.clone()]);
        let (code, said) = to_service_now(&event, &desk, &[]);
        assert!(code == 0 && said.contains("its list shows the file"), "{said}");
        all_kept(&event, &kept);

        let kept = Kept::default();
        let desk = vendors::jira(&kept, 10 << 20, vec![mishap.clone()]);
        assert_eq!(to_jira(&event, &desk).0, 0);
        all_kept(&event, &kept);

        let kept = Kept::default();
        let desk = vendors::jsm(&kept, vec![mishap]);
        let (code, said) =
            attach(&event, &["--jsm", &desk.url(), "--servicedesk", "10", "--request", "OPS-9"]);
        assert_eq!(code, 0, "{said}");
        all_kept(&event, &kept);
    }
}

#[test]
fn a_page_for_people_is_no_answer() {
    let (event, kept) = (event(), Kept::default());
    let page = Mishap::Refused(Reply::new(201, "text/html", "<title>Sign on</title>"));
    let desk = vendors::service_now(&kept, vec![page; 4]);
    let (code, said) = to_service_now(&event, &desk, &[]);
    assert_eq!(code, 69, "{said}");
    assert!(said.contains("answered with `text/html` and not with JSON"), "{said}");
    assert!(kept.lock().unwrap().is_empty());
}

#[test]
fn a_megabyte_of_escapes_acts_on_no_terminal() {
    let (event, kept) = (event(), Kept::default());
    let page = [b"\x1b]0;owned\x07\x1b[2J".as_slice(), &vec![b'A'; 1 << 20]].concat();
    let desk = vendors::service_now(&kept, vec![Mishap::Refused(Reply::new(403, "text/html", page))]);
    let (code, said) = to_service_now(&event, &desk, &[]);
    assert_eq!(code, 69);
    assert!(said.len() < 4000 && !said.contains('\u{1b}') && said.contains("\\u{1b}]0;owned"), "{said}");
}

#[test]
fn a_redirect_takes_the_token_nowhere() {
    for (status, answered) in [(302, 302), (307, 307), (308, 308)] {
        let event = event();
        let other = Desk::new(|_| Some(Reply::json(200, &json!({}))));
        let to = format!("{}/elsewhere", other.url().replace("127.0.0.1", "localhost"));
        let desk =
            Desk::new(move |_| Some(Reply::new(status, "text/html", "").with("Location", to.as_str())));
        let (code, said) = to_jira(&event, &desk);
        assert_eq!(code, 69, "{said}");
        assert!(said.contains("/elsewhere") && said.contains(&answered.to_string()), "{said}");
        assert!(other.heard().is_empty(), "the other host heard {:?}", other.lines());
    }
}

#[test]
fn nobody_there_is_said_after_a_few_attempts() {
    let event = event();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (code, said) = attach(&event, &["--jira", &format!("http://127.0.0.1:{port}"), "--issue", "OPS-123"]);
    assert!(code == 69 && said.contains("refused"), "{said}");
}

#[test]
fn proxies_of_the_environment_are_used_but_for_this_machine() {
    let event = event();
    let proxy = Desk::new(|_| Some(Reply::new(403, "text/plain", "not through here")));
    let mut through = command(&event);
    through.env("HTTPS_PROXY", proxy.url()).env("HTTP_PROXY", proxy.url()).env_remove("NO_PROXY");
    through.args(["--jira", "https://ticket.example.com", "--issue", "OPS-123", "--user", USER]);
    let (code, said) = told(&through.output().unwrap());
    assert_eq!(code, 69, "{said}");
    let heard = proxy.heard();
    assert!(!heard.is_empty() && heard.iter().all(|heard| heard.method == "CONNECT"), "{:?}", proxy.lines());
    assert!(
        heard.iter().all(|heard| heard.header("authorization").is_none()),
        "the token is for the site alone"
    );

    let (kept, before) = (Kept::default(), proxy.heard().len());
    let desk = vendors::jira(&kept, 10 << 20, vec![]);
    let mut direct = command(&event);
    direct.env("HTTP_PROXY", proxy.url()).args(["--jira", &desk.url(), "--issue", "OPS-123", "--user", USER]);
    let (code, said) = told(&direct.output().unwrap());
    assert_eq!(code, 0, "{said}");
    assert_eq!(proxy.heard().len(), before, "loopback needs no proxy");
}
