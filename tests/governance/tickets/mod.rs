//! `golive attach` against servers that check every method, path, header and byte as the vendors'
//! pages say, and fail as real ones do.

mod desk;
mod tls;
mod troubles;
pub mod vendors;

use std::process::Command;

use base64::Engine as _;
use serde_json::Value;

use crate::event::{Event, golive, told};
use crate::screen::Terminal;
use desk::Desk;
use vendors::{Kept, SYS_ID, TOKEN, USER};

/// A report that both signed, with a PDF beside it.
fn event() -> Event {
    let event = Event::new();
    event.go("runs/a");
    event.signed("runs/a", "it", "go", &[]);
    event.signed("runs/a", "marketing", "go", &[]);
    event
}

const FILES: [&str; 7] = [
    "report.pdf",
    "report.json",
    "report.it.decision.json",
    "report.it.sig.txt",
    "report.marketing.decision.json",
    "report.marketing.sig.txt",
    "report.allowed_signers.txt",
];

/// `Basic …` of user and token, as RFC 7617 writes it.
fn basic() -> String {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{TOKEN}"));
    format!("Basic {pair}")
}

fn attach(event: &Event, arguments: &[&str]) -> (i32, String) {
    told(&command(event).args(arguments).output().unwrap())
}

fn command(event: &Event) -> Command {
    of_run(event, "runs/a")
}

/// `golive attach` of a run, with the token in the environment.
fn of_run(event: &Event, run: &str) -> Command {
    let mut command = golive();
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(name);
    }
    command.env("GOLIVE_TICKET_TOKEN", TOKEN).env("RUST_LOG", "trace").arg("attach").arg(event.path(run));
    command
}

/// A run goes into a ServiceNow change; gives what the change holds then, by name.
pub fn in_service_now(event: &Event, run: &str) -> Vec<(String, Vec<u8>)> {
    let kept = Kept::default();
    let desk = vendors::service_now(&kept, vec![]);
    let mut command = of_run(event, run);
    command.args(["--servicenow", &desk.url(), "--change", SYS_ID, "--user", USER, "--fields"]);
    let (code, said) = told(&command.output().unwrap());
    assert!(code == 0 && said.contains("attached: report.pdf"), "{code} {said}");
    assert!(!desk.lines().iter().any(|line| line.contains("approv")), "it approves nothing");
    let kept = kept.lock().unwrap();
    kept.clone()
}

fn to_service_now(event: &Event, desk: &Desk, more: &[&str]) -> (i32, String) {
    let url = desk.url();
    attach(event, &[&["--servicenow", &url, "--change", SYS_ID, "--user", USER], more].concat())
}

fn to_jira(event: &Event, desk: &Desk) -> (i32, String) {
    attach(event, &["--jira", &desk.url(), "--issue", "OPS-123", "--user", USER])
}

/// What is kept is what lies in the folder, in order, each once.
#[track_caller]
fn all_kept(event: &Event, kept: &Kept) {
    let kept = kept.lock().unwrap();
    let names: Vec<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, FILES);
    for (name, bytes) in kept.iter() {
        assert_eq!(&std::fs::read(event.path("runs/a").join(name)).unwrap(), bytes, "{name}");
    }
}

#[test]
fn service_now_gets_raw_files_and_fields() {
    let (event, kept) = (event(), Kept::default());
    let desk = vendors::service_now(&kept, vec![]);
    let (code, said) = to_service_now(&event, &desk, &["--fields"]);
    assert_eq!(code, 0, "{said}");
    all_kept(&event, &kept);
    let heard = desk.heard();
    for upload in heard.iter().filter(|heard| heard.method == "POST") {
        let kind = match upload.target.rsplit_once('.').unwrap().1 {
            "pdf" => "application/pdf",
            "json" => "application/json",
            _ => "text/plain",
        };
        assert_eq!(upload.header("content-type"), Some(kind));
        assert_eq!(upload.header("accept"), Some("application/json"));
        assert!(upload.header("user-agent").unwrap().starts_with("golive/"));
    }
    let patch = heard.last().unwrap();
    assert_eq!(patch.method, "PATCH");
    let fields: Value = serde_json::from_slice(&patch.body).unwrap();
    let names: Vec<&String> = fields.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["justification", "implementation_plan", "risk_impact_analysis", "backout_plan", "test_plan"]
    );
    assert!(fields["justification"].as_str().unwrap().contains("Autumn product launch"));
    assert!(!desk.lines().iter().any(|line| line.contains("approv")), "it approves nothing");
    assert!(!said.contains(TOKEN) && said.contains("attached: report.pdf"), "{said}");

    // the same again: the same bytes are there already, and nothing is sent twice
    let (code, said) = to_service_now(&event, &desk, &[]);
    assert!(code == 0 && said.contains("there already, the same bytes: report.it.sig.txt"), "{said}");
    all_kept(&event, &kept);
}

#[test]
fn jira_gets_one_part_named_file() {
    let (event, kept) = (event(), Kept::default());
    let desk = vendors::jira(&kept, 10 << 20, vec![]);
    let (code, said) = to_jira(&event, &desk);
    assert_eq!(code, 0, "{said}");
    all_kept(&event, &kept);
    let lines = desk.lines();
    assert_eq!(lines[0], "GET /rest/api/3/attachment/meta", "the limit is asked for first");
    assert_eq!(lines.len(), 2 + FILES.len());
    for upload in desk.heard().iter().skip(2) {
        assert_eq!(upload.header("x-atlassian-token"), Some("no-check"));
        assert_eq!(upload.header("accept"), Some("application/json"));
    }
}

#[test]
fn a_file_over_jiras_limit_is_explained_before_anything_is_sent() {
    let (event, kept) = (event(), Kept::default());
    let desk = vendors::jira(&kept, 100, vec![]);
    let (code, said) = to_jira(&event, &desk);
    assert_eq!(code, 69, "{said}");
    assert!(said.contains("this site takes 100 at most") && said.contains("nothing was sent"), "{said}");
    assert!(desk.heard().iter().all(|heard| heard.method == "GET"));
}

#[test]
fn jsm_keeps_temporary_files_and_shows_them_to_no_customer() {
    let (event, kept) = (event(), Kept::default());
    let desk = vendors::jsm(&kept, vec![]);
    let (code, said) = attach(&event, &["--jsm", &desk.url(), "--servicedesk", "10", "--request", "OPS-9"]);
    assert_eq!(code, 0, "{said}");
    all_kept(&event, &kept);
    assert_eq!(desk.lines().len(), 2 + FILES.len());
    assert!(desk.heard().iter().all(|heard| heard.header("x-experimentalapi") == Some("opt-in")));
}

#[test]
fn a_dry_run_shows_every_call_and_sends_none() {
    let (event, kept) = (event(), Kept::default());
    let desk = vendors::service_now(&kept, vec![]);
    let url = desk.url();
    let mut command = command(&event);
    command.env_remove("GOLIVE_TICKET_TOKEN").args([
        "--servicenow",
        &url,
        "--change",
        SYS_ID,
        "--fields",
        "--dry-run",
    ]);
    let (code, said) = told(&command.output().unwrap());
    assert_eq!(code, 0, "{said}");
    assert!(desk.heard().is_empty());
    let file = format!(
        "POST {url}/api/now/attachment/file?table_name=change_request&table_sys_id={SYS_ID}&file_name="
    );
    assert!(FILES.iter().all(|name| said.contains(&format!("{file}{name}\n"))), "{said}");
    assert!(said.contains(&format!("PATCH {url}/api/sn_chg_rest/change/{SYS_ID}")), "{said}");
    assert!(said.contains("Authorization: Bearer [secret]") && said.contains("\"backout_plan\""), "{said}");
}

#[test]
fn wrong_places_and_missing_tokens_are_wrong_arguments() {
    let event = event();
    for (url, record, words) in [
        ("http://ticket.example.com", SYS_ID, "use https://"),
        ("https://bot:canary@ticket.example.com", SYS_ID, "every list of processes shows"),
        ("https://ticket.example.com", "CHG0031337", "Copy sys_id"),
    ] {
        let (code, said) = attach(&event, &["--servicenow", url, "--change", record]);
        assert!(code == 64 && said.contains(words) && !said.contains("canary@"), "{code} {said}");
    }
    let mut command = command(&event);
    command.env_remove("GOLIVE_TICKET_TOKEN").args(["--jira", "http://127.0.0.1:9", "--issue", "OPS-1"]);
    let (code, said) = told(&command.output().unwrap());
    assert!(code == 64 && said.contains("GOLIVE_TICKET_TOKEN is not set"), "{said}");
}

#[test]
fn the_token_may_come_from_a_file() {
    let (event, kept) = (event(), Kept::default());
    let desk = vendors::jira(&kept, 10 << 20, vec![]);
    let file = event.path("token.txt");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let mut command = command(&event);
    command.env_remove("GOLIVE_TICKET_TOKEN").args([
        "--jira",
        &desk.url(),
        "--issue",
        "OPS-123",
        "--user",
        USER,
    ]);
    let (code, said) = told(&command.arg("--token-file").arg(&file).output().unwrap());
    assert_eq!(code, 0, "{said}");
    all_kept(&event, &kept);
}

#[test]
fn the_token_may_be_asked_for_at_the_terminal() {
    let (event, kept) = (event(), Kept::default());
    let desk = vendors::jira(&kept, 10 << 20, vec![]);
    let arguments =
        format!("attach runs/a --jira {} --issue OPS-123 --user {USER} --token-prompt", desk.url());
    let mut terminal = Terminal::start(&event, &arguments);
    terminal.shows("Token of the ticket system: ");
    terminal.press(&format!("{TOKEN}\r"));
    assert_eq!(terminal.ends(), Some(0), "{}", terminal.text());
    assert!(terminal.text().contains("attached: report.pdf"), "{}", terminal.text());
    assert!(!terminal.text().contains(TOKEN), "what is typed is not shown");
    all_kept(&event, &kept);
}

#[test]
fn a_forged_report_goes_into_no_ticket() {
    let (event, kept) = (event(), Kept::default());
    let desk = vendors::jira(&kept, 10 << 20, vec![]);
    let file = event.path("runs/a/report.json");
    let text = std::fs::read_to_string(&file).unwrap().replacen("\"M. Keller\"", "\"N. Keller\"", 1);
    std::fs::write(&file, text).unwrap();
    let (code, said) = to_jira(&event, &desk);
    assert!(code == 79 && said.contains("nothing was attached"), "{said}");
    assert!(desk.heard().is_empty());
}
