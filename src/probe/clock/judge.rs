//! Whom to believe, and whether the clock is right enough.

use std::fmt::Write as _;

use super::findings::{
    BY_HTTPS, DISAGREE, MEASURED, NO_ANSWER, NONSENSE, OFFSET, REFUSED, SILENT, SYNCHRONISATION_UNKNOWN,
    SYNCHRONISED, TOO_COARSE, UNSYNCHRONISED, WRONG,
};
use super::{Asked, Limits, Outcome, Reading, Server};
use crate::model::{AtMost, Exactly, Family, Finding, text};

const SET_UP: &str =
    "IT: set this machine's time service to servers that it can reach, and let it set the clock";
const ALLOW: &str = "network team: let UDP 123 out to the policy's time servers, or name the network's own";

/// How far the clock is off, and by how much that may be wrong, ms.
#[derive(Clone, Copy)]
struct Off {
    ms: f64,
    error_ms: f64,
}

/// What one server told, at the address that told it best.
struct Witness<'a> {
    server: &'a Server,
    off: Off,
}

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let witnesses: Vec<Witness> = reading.servers.iter().filter_map(witness).collect();
    let mut findings = servers(reading, !witnesses.is_empty());
    let off = if witnesses.is_empty() {
        by_https(reading, &mut findings)
    } else {
        agreed(&witnesses, &mut findings)
    };
    if let (Some(off), Some(AtMost(limit))) = (off, limits.offset_ms) {
        findings.push(hold(off, limit));
    }
    if let Some(Exactly(wanted)) = limits.synchronised {
        findings.push(kept(reading, wanted));
    }
    findings
}

fn witness(server: &Server) -> Option<Witness<'_>> {
    let told = server.asked.iter().filter_map(|asked| match &asked.outcome {
        Outcome::Told(told) => Some(Off { ms: told.offset_ms, error_ms: told.error_ms() }),
        _ => None,
    });
    let off = told.min_by(|a, b| a.error_ms.total_cmp(&b.error_ms))?;
    Some(Witness { server, off })
}

/// What is to be said of single servers.
fn servers(reading: &Reading, any: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for server in &reading.servers {
        if server.asked.is_empty() && any {
            findings.push(Finding::pass(SILENT, "one of the time servers answers", named(server)));
        }
        for asked in &server.asked {
            let observed = seen(server, asked);
            match &asked.outcome {
                Outcome::Kiss(_) => findings.push(Finding::warn(
                    REFUSED,
                    "time servers tell the time",
                    observed,
                    "IT: name servers that serve this network; this one wants to be left alone",
                )),
                Outcome::Nonsense(_) => findings.push(Finding::warn(
                    NONSENSE,
                    "time servers tell the time",
                    observed,
                    "IT: name another time server; its owner should look at this one's clock",
                )),
                Outcome::Failed(_) if any => {
                    findings.push(Finding::pass(SILENT, "one of the time servers answers", observed));
                }
                Outcome::Failed(_) | Outcome::Told(_) => {}
            }
        }
    }
    findings
}

/// What most servers agree on (as in Marzullo's algorithm, RFC 5905, 11.2.1): the stretch that lies
/// within the errors of most of them.
fn agreed(witnesses: &[Witness], findings: &mut Vec<Finding>) -> Option<Off> {
    let low = |off: &Off| off.ms - off.error_ms;
    let high = |off: &Off| off.ms + off.error_ms;
    let within = |point: f64| {
        witnesses.iter().filter(move |w| low(&w.off) <= point && point <= high(&w.off)).collect::<Vec<_>>()
    };
    // Where the most agree, some server's stretch begins.
    let agreeing = witnesses.iter().map(|w| within(low(&w.off))).max_by_key(Vec::len)?;
    let from = agreeing.iter().map(|w| low(&w.off)).max_by(f64::total_cmp)?;
    let to = agreeing.iter().map(|w| high(&w.off)).min_by(f64::total_cmp)?;
    let all: Vec<String> =
        witnesses.iter().map(|w| format!("{} {}", named(w.server), shown(w.off))).collect();
    let all = all.join("; ");
    if agreeing.len() * 2 <= witnesses.len() {
        let remedy = "IT: name three time servers or more, and find out who answers in the place of those that are wrong";
        findings.push(Finding::unknown(DISAGREE, "most time servers agree", all, remedy));
        return None;
    }
    let off = Off { ms: f64::midpoint(from, to), error_ms: (to - from) / 2.0 };
    findings.push(Finding::pass(MEASURED, "time servers agree", all.clone()));
    if agreeing.len() < witnesses.len() {
        let outvoted = witnesses.iter().filter(|w| !agreeing.iter().any(|a| std::ptr::eq(*a, *w)));
        let outvoted: Vec<String> =
            outvoted.map(|w| format!("{} {}", named(w.server), shown(w.off))).collect();
        let observed = format!("{} against {} others", outvoted.join("; "), agreeing.len());
        let remedy = "IT: name another time server in the place of the one that is wrong";
        findings.push(Finding::warn(DISAGREE, "all time servers agree", observed, remedy));
    }
    Some(off)
}

/// The web server's date, where no time server told anything.
fn by_https(reading: &Reading, findings: &mut Vec<Finding>) -> Option<Off> {
    let silent: Vec<String> = reading.servers.iter().flat_map(all_seen).collect();
    let mut observed = silent.join("; ");
    let web = reading.https.as_ref();
    let dated = web.and_then(|web| web.told.as_ref());
    match (web, dated) {
        (Some(web), Some(dated)) if dated.vouched && !dated.cached => {
            let off = Off { ms: dated.offset_ms, error_ms: dated.error_ms };
            let _ = write!(observed, "; by the date of {}: {}", text::escape(&web.named), shown(off));
            findings.push(Finding::warn(BY_HTTPS, "a time server answers", observed, ALLOW));
            return Some(off);
        }
        (Some(web), _) => {
            let why = match (dated, web.failure.or(web.lookup)) {
                (Some(dated), _) if dated.cached => "a cache answered in its place",
                (Some(_), _) => "it holds no certificate that is trusted here",
                (None, Some(failure)) => failure.words(),
                (None, None) => "it was not asked",
            };
            let _ = write!(observed, "; no date of {}: {why}", text::escape(&web.named));
        }
        (None, _) => {}
    }
    findings.push(Finding::unknown(NO_ANSWER, "a time server answers", observed, ALLOW));
    None
}

/// Against the limit, with the measurement's own error on either side.
fn hold(off: Off, limit: f64) -> Finding {
    let (expected, observed) = (format!("≤ {limit} ms"), shown(off));
    if off.ms.abs() + off.error_ms <= limit {
        Finding::pass(OFFSET, expected, observed)
    } else if off.ms.abs() - off.error_ms > limit {
        Finding::fail(WRONG, expected, observed, SET_UP)
    } else {
        let remedy = "IT: name time servers that are nearer or more exact, or allow as much as they can tell";
        Finding::unknown(TOO_COARSE, expected, observed, remedy)
    }
}

fn kept(reading: &Reading, wanted: bool) -> Finding {
    let expected = if wanted { "a clock that is kept" } else { "a clock that is not kept" };
    let Some(kernel) = reading.kernel else {
        let remedy = "IT: look at the time service's own status, and put its answer into an attest check";
        return Finding::unknown(SYNCHRONISATION_UNKNOWN, expected, "this system does not tell", remedy);
    };
    let error_ms = kernel.max_error_us / 1000;
    let observed = if kernel.synchronised {
        format!("the kernel's clock is kept, and believed to be right to {error_ms} ms")
    } else {
        "the kernel calls its clock unsynchronised".to_owned()
    };
    match (kernel.synchronised, kernel.synchronised == wanted) {
        (true, true) => Finding::pass(SYNCHRONISED, expected, observed),
        (false, true) => Finding::pass(UNSYNCHRONISED, expected, observed),
        (true, false) => Finding::fail(SYNCHRONISED, expected, observed, "IT: stop the time service"),
        (false, false) => Finding::fail(UNSYNCHRONISED, expected, observed, SET_UP),
    }
}

fn named(server: &Server) -> String {
    let lookup = server.lookup.map_or_else(String::new, |why| format!(": {}", why.words()));
    format!("{}{lookup}", text::escape(&server.named))
}

fn all_seen(server: &Server) -> Vec<String> {
    if server.asked.is_empty() {
        return vec![named(server)];
    }
    server.asked.iter().map(|asked| seen(server, asked)).collect()
}

fn seen(server: &Server, asked: &Asked) -> String {
    let what = match &asked.outcome {
        Outcome::Told(told) => shown(Off { ms: told.offset_ms, error_ms: told.error_ms() }),
        Outcome::Failed(failure) => failure.words().to_owned(),
        Outcome::Kiss(word) => format!("refuses to tell the time ({word})"),
        Outcome::Nonsense(why) => why.to_string(),
    };
    let ip = asked.contact.remote.ip();
    format!("{} ({} {ip}): {what}", named(server), Family::of(ip).word())
}

/// For a person: this clock, not the server's.
fn shown(off: Off) -> String {
    let way = if off.ms > 0.0 { "behind" } else { "ahead" };
    let (ms, error) = (off.ms.abs(), off.error_ms);
    if ms >= 10_000.0 {
        format!("this clock is {:.1} s {way}, ± {:.1} s", ms / 1000.0, error / 1000.0)
    } else {
        format!("this clock is {ms:.1} ms {way}, ± {error:.1} ms")
    }
}
