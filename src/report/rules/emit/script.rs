//! A configuration in the making: lines, comments and notes.

use std::fmt::Write as _;

use super::{Direction, Emitted, Format, safe, schedule};
use crate::model::Transport;
use crate::report::rules::{ChangeRequest, Leg, Purpose, Rule};

/// Longest comment line, in characters.
const WIDE: usize = 200;

/// A configuration in the making.
pub struct Script {
    mark: &'static str,
    text: String,
    notes: Vec<String>,
    told: Option<String>,
}

impl Script {
    /// An empty one whose comments begin with `mark`.
    pub fn new(mark: &'static str) -> Self {
        Self { mark, text: String::new(), notes: Vec::new(), told: None }
    }

    /// A line as it stands: made of names, addresses and numbers only, or of what [`safe`] gave.
    pub fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    /// A comment, of any text.
    pub fn say(&mut self, comment: impl AsRef<str>) {
        let comment = safe::text(comment.as_ref(), WIDE);
        let _ = writeln!(self.text, "{} {comment}", self.mark);
    }

    /// Something that the person who loads it must know.
    pub fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// What it is, how long it may stay, how it is verified and taken back.
    pub fn head(&mut self, request: &ChangeRequest, format: Format, direction: Direction) {
        let change = request.change.as_deref().unwrap_or("without a number");
        let what = match direction {
            Direction::Open => "Firewall change request",
            Direction::BackOut => "Back-out of firewall change request",
        };
        self.say(format!("{what} {change} - {}", request.event));
        self.say(format!("Derived by golive from {}", request.basis));
        if direction == Direction::BackOut {
            return;
        }
        match (&request.from, &request.until) {
            (Some(from), Some(until)) => self.say(format!("Open from {from}, close after {until}")),
            (None, Some(until)) => self.say(format!("Close after {until}")),
            _ => self.say("The policy does not say until when: close after the event"),
        }
        if matches!(format, Format::Nftables | Format::Iptables | Format::Windows) && request.until.is_some()
        {
            self.say("These rules know no date: load the back-out then");
        }
        self.say("Outwards only; answers must come back by connection tracking");
        let policy = &request.policy;
        self.say(format!("Verify: golive check {policy}"));
        self.say(format!("Back out: golive rules REPORT --format {} --back-out", format.word()));
        self.say(format!("Verify that it is closed: golive check {policy} --close-out"));
        self.stays_closed(request);
    }

    fn stays_closed(&mut self, request: &ChangeRequest) {
        for shut in &request.shut {
            let transport = transport(shut.transport);
            let still = if shut.open { " (FOUND OPEN: remove the rule that opens it)" } else { "" };
            self.say(format!("Must stay closed: {transport} {} to {}{still}", shut.port, shut.host));
        }
        for left in &request.left_out {
            self.say(format!("No rule for {}: {}", left.check, left.why));
        }
    }

    /// Tells of each sender that is not known.
    pub fn placeholders(&mut self, request: &ChangeRequest, format: Format) {
        if matches!(format, Format::Windows | Format::Aws) {
            return; // the machine itself is the sender
        }
        for rule in request.rules.iter().filter(|rule| rule.source.addresses.is_empty()) {
            let path = rule.source.path.as_ref().map_or("default", |path| path.as_str());
            let note = format!("source of path {path}: {} (192.0.2.1, 2001:db8::1)", rule.source.note);
            self.note(note);
        }
    }

    /// The comment above a rule.
    pub fn about(&mut self, rule: &Rule) {
        for line in about(rule) {
            self.say(line);
        }
    }

    /// The comment above the first family of a rule.
    pub fn about_once(&mut self, rule: &Rule) {
        if self.told.as_ref() != Some(&rule.name) {
            self.about(rule);
            self.told = Some(rule.name.clone());
        }
    }

    /// Tells that a rule needs addresses and has none. True when it has some.
    pub fn has_addresses(&mut self, leg: &Leg) -> bool {
        if leg.destinations.is_empty() {
            let rule = leg.rule;
            let host = rule.destination.name.as_deref().unwrap_or_default();
            let why = rule
                .destination
                .doubt
                .as_deref()
                .unwrap_or("run golive check, then derive it from the report");
            let note = format!("{}: not written, since no address of {host} is known: {why}", rule.name);
            if !self.notes.contains(&note) {
                self.say(format!("NOT WRITTEN: {note}"));
            }
            self.note(note);
            return false;
        }
        true
    }

    /// The finished text; its notes stand in it as comments, where it has comments.
    pub fn end(mut self) -> Emitted {
        let notes = std::mem::take(&mut self.notes);
        if self.text.starts_with(self.mark) {
            let written = std::mem::take(&mut self.text);
            for note in &notes {
                if !note.contains("not written") {
                    self.say(format!("NOTE {note}"));
                }
            }
            self.text.push_str(&written);
        }
        Emitted { text: self.text, notes }
    }
}

/// `tcp` or `udp`.
pub const fn transport(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp | Transport::Icmp => "tcp",
    }
}

/// One line for a vendor's own description field, at most `max` characters.
pub fn description(request: &ChangeRequest, rule: &Rule, max: usize) -> String {
    let change = request.change.as_deref().unwrap_or(&request.event);
    let checks: Vec<&str> = rule.reasons.iter().map(|reason| reason.check.as_str()).collect();
    let why = rule.reasons.first().map_or("", |reason| reason.why.as_str());
    let until = request.until.as_ref().map(|until| format!("; until {until}")).unwrap_or_default();
    safe::text(&format!("{change} {}{until}: {}", checks.join(" "), why), max)
}

fn about(rule: &Rule) -> Vec<String> {
    let host = rule.destination.name.as_deref().unwrap_or("the address");
    let purpose = if rule.purpose == Purpose::Measuring { " (only to measure)" } else { "" };
    let mut lines = vec![format!("{}: {} to {host}{purpose}", rule.name, transport(rule.transport))];
    for reason in &rule.reasons {
        lines.push(format!("  {}: {}", reason.check, reason.why));
        lines.extend(reason.found.as_ref().map(|found| format!("  found {found}")));
    }
    if let Some(list) = &rule.destination.vendor_list {
        lines.push(format!("  its vendor's own list: {}, {}", list.entry, list.url));
    }
    lines.extend(rule.destination.doubt.as_ref().map(|doubt| format!("  NO ADDRESS USED: {doubt}")));
    lines
}

/// Addresses with a separator.
pub fn joined(addresses: &[std::net::IpAddr], between: &str) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}

/// The schedule's warning, where a schedule is written.
pub fn zone_note(script: &mut Script, request: &ChangeRequest) -> Option<schedule::Schedule> {
    let schedule = schedule::of(request)?;
    script.note(format!("the schedule is in {}: the firewall's clock must be, too", schedule.zone));
    Some(schedule)
}
