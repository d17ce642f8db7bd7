//! The firewall change request as a table for people: the same cells in every format.

use std::fmt::{self, Write as _};

use super::markdown::{code, plain};
use super::moment::Clock;
use crate::model::Transport;
use crate::report::rules::{ChangeRequest, Purpose, Rule, Scope, Shut, of_report};
use crate::report::v1::Document;

/// One opening in words. Raw text of policy and report: whoever draws it escapes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The rule's name.
    pub name: String,
    /// Who sends: path and addresses, or that they are not known.
    pub from: String,
    /// Where these addresses come from, or what to put in their place.
    pub from_note: String,
    /// To whom: the name, the addresses, and the vendor's list.
    pub to: Vec<String>,
    /// `TCP 443, 1935`.
    pub service: String,
    /// Each check with its reason and what was found.
    pub why: Vec<String>,
    /// Checks that must pass afterwards.
    pub checks: String,
}

/// The openings in words.
pub fn rows(request: &ChangeRequest) -> Vec<Row> {
    request.rules.iter().map(row).collect()
}

/// What the report's readings show to be blocked or left open; `None` when that is nothing, or
/// when this build cannot read the report's policy.
pub fn of(document: &Document) -> Option<ChangeRequest> {
    of_report(document, Scope::Blocked).ok().filter(ChangeRequest::asks)
}

fn row(rule: &Rule) -> Row {
    let shown = |addresses: &[std::net::IpAddr]| {
        addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    let path = rule.source.path.as_ref().map_or("this machine", |path| path.as_str());
    let from = match rule.source.addresses.as_slice() {
        [] => format!("{path}: address not known"),
        known => format!("{path}: {}", shown(known)),
    };
    let destination = &rule.destination;
    let mut to: Vec<String> = destination.name.iter().cloned().collect();
    if !destination.addresses.is_empty() {
        to.push(shown(&destination.addresses));
    }
    to.extend(destination.vendor_list.map(|list| format!("vendor's list: {}, {}", list.entry, list.url)));
    to.extend(destination.doubt.clone());
    let reason = |reason: &crate::report::rules::Reason| match &reason.found {
        Some(found) => format!("{}: {}; found {found}", reason.check, reason.why),
        None => format!("{}: {}", reason.check, reason.why),
    };
    let mut why: Vec<String> = rule.reasons.iter().map(reason).collect();
    if rule.purpose == Purpose::Measuring {
        why.push("only to measure; the event itself does not need it".to_owned());
    }
    let checks: Vec<&str> = rule.reasons.iter().map(|reason| reason.check.as_str()).collect();
    Row {
        name: rule.name.clone(),
        from,
        from_note: format!("source {path}: {}", rule.source.note),
        to,
        service: service(rule.transport, &rule.ports),
        why,
        checks: checks.join(", "),
    }
}

fn service(transport: Transport, ports: &[u16]) -> String {
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    format!("{} {}", if transport == Transport::Udp { "UDP" } else { "TCP" }, ports.join(", "))
}

/// What is to be known of the senders, each once.
pub fn notes(request: &ChangeRequest) -> Vec<String> {
    let mut notes: Vec<String> = rows(request).into_iter().map(|row| row.from_note).collect();
    notes.sort();
    notes.dedup();
    notes
}

/// `TCP 1935 to host`, with what was found.
pub fn shut(shut: &Shut) -> String {
    let found = shut.found.as_ref().map(|found| format!("; found {found}")).unwrap_or_default();
    format!("{} to {}: {}{found}", service(shut.transport, &[shut.port]), shut.host, shut.why)
}

/// From when to when, in words.
pub fn window(request: &ChangeRequest, clock: &Clock) -> String {
    match (&request.from, &request.until) {
        (Some(from), Some(until)) => {
            format!("open from {}, close after {}", clock.at(from.at()), clock.at(until.at()))
        }
        (None, Some(until)) => format!("close after {}", clock.at(until.at())),
        (Some(from), None) => {
            format!("open from {}; the policy does not say until when", clock.at(from.at()))
        }
        (None, None) => "the policy does not say from when to when: close after the event".to_owned(),
    }
}

/// The commands that verify, first that it is open, then that it is closed again.
pub fn verify(request: &ChangeRequest) -> [String; 2] {
    let file = crate::report::line(&request.policy);
    [format!("golive check {file}"), format!("golive check {file} --close-out")]
}

/// What tells the rules of a request from others.
pub const OURS: &str = "Names of rules of this request begin with";

/// The command that writes what takes a rule back.
pub const BACK_OUT: &str = "golive rules REPORT --format VENDOR --back-out";

/// The request by itself, as Markdown.
pub fn document(request: &ChangeRequest) -> String {
    let mut out = String::new();
    let change = request.change.as_deref().unwrap_or("without a number");
    // writing to a String cannot fail
    let _ = writeln!(out, "# Firewall change request {}: {}\n", plain(change), plain(&request.event));
    let _ = writeln!(out, "Derived by golive from {}.\n", plain(&request.basis));
    let _ = section(&mut out, request, &Clock::of_request(request));
    out
}

/// The request as a part of a report in Markdown, below its heading.
pub fn section(out: &mut String, request: &ChangeRequest, clock: &Clock) -> fmt::Result {
    if request.rules.is_empty() {
        writeln!(out, "No opening is asked for.")?;
    } else {
        writeln!(out, "Outwards only; {}.\n", plain(&window(request, clock)))?;
        writeln!(out, "| Rule | From | To | Service | Why |")?;
        writeln!(out, "|---|---|---|---|---|")?;
    }
    let cells = |all: &[String]| all.iter().map(|cell| plain(cell)).collect::<Vec<_>>().join("<br>");
    for row in rows(request) {
        let Row { name, from, to, service, why, .. } = row;
        writeln!(
            out,
            "| {} | {} | {} | {service} | {} |",
            code(&name),
            plain(&from),
            cells(&to),
            cells(&why)
        )?;
    }
    writeln!(out)?;
    for note in notes(request) {
        writeln!(out, "- {}", plain(&note))?;
    }
    for entry in &request.shut {
        let word =
            if entry.open { "**Is open and must be closed: remove its rule**" } else { "Must stay closed" };
        writeln!(out, "- {word}: `{}`, {}", entry.check, plain(&shut(entry)))?;
    }
    if request.shut.iter().any(|entry| entry.open) {
        writeln!(out, "- {} {}", OURS, code(&request.prefix()))?;
    }
    for left in &request.left_out {
        writeln!(out, "- No rule for `{}`: {}", left.check, plain(&left.why))?;
    }
    let [open, closed] = verify(request);
    writeln!(out, "- Verify: {}; after the event: {}", code(&open), code(&closed))?;
    writeln!(out, "- Back out: {}", code(BACK_OUT))
}

/// The request as CSV (RFC 4180), one rule a line; what a spreadsheet would compute is made text.
pub fn csv(request: &ChangeRequest) -> String {
    const HEAD: [&str; 13] = [
        "rule",
        "state",
        "source",
        "destination",
        "service",
        "direction",
        "why",
        "open from",
        "close after",
        "verify",
        "checks",
        "back out",
        "note",
    ];
    let mut out = line(&HEAD);
    let when = |when: &Option<crate::model::When>| when.as_ref().map(ToString::to_string).unwrap_or_default();
    let (from, until) = (when(&request.from), when(&request.until));
    let [open, closed] = verify(request);
    for row in rows(request) {
        let Row { name, from: source, from_note, to, service, why, checks } = row;
        let (to, why, back_out) = (to.join("; "), why.join("; "), format!("remove {name}"));
        out += &line(&[
            &name, "open", &source, &to, &service, "out", &why, &from, &until, &open, &checks, &back_out,
            &from_note,
        ]);
    }
    for entry in &request.shut {
        let state = if entry.open { "IS OPEN: remove its rule" } else { "must stay closed" };
        let service = service(entry.transport, &[entry.port]);
        let (host, why, check) = (&entry.host, &entry.why, entry.check.as_str());
        out += &line(&["", state, "", host, &service, "out", why, "", "", &closed, check, "", ""]);
    }
    out
}

fn line(cells: &[&str]) -> String {
    let cell = |cell: &&str| {
        let shown = crate::report::line(cell).replace('"', "\"\"");
        let computes = shown.starts_with(['=', '+', '-', '@']);
        format!("\"{}{shown}\"", if computes { "'" } else { "" })
    };
    cells.iter().map(cell).collect::<Vec<_>>().join(",") + "\r\n"
}
