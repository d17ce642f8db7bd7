//! Which sessions lived long enough, and who ended the others.

use std::fmt::Write as _;

use super::findings::{
    BY_FAR_END, CUT, ENDED, FAMILY_UNUSED, FORGOTTEN, LIVES, NO_ADDRESS, NOT_BEGUN, TOO_SHORT,
};
use super::{FarEndSaw, Held, How, Kind, Limits, Reading};
use crate::model::{Code, Failure, Family, Finding};

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    if let Some(why) = reading.lookup {
        let observed = format!("{}: {}", reading.host, why.words());
        let remedy = format!("network team: make {} resolve here", reading.host);
        return vec![Finding::unknown(NO_ADDRESS, "an address", observed, remedy)];
    }
    let any = reading.sessions.iter().any(|held| held.failure.is_none());
    let sessions = reading.sessions.iter().map(|held| one(limits, reading, held, any));
    let unasked = reading.unasked.iter().map(|unasked| {
        let observed = format!("{}: {}", unasked.remote, unasked.why);
        Finding::pass(FAMILY_UNUSED, "one address family reaches the far end", observed)
    });
    sessions.chain(unasked).collect()
}

fn one(limits: &Limits, reading: &Reading, held: &Held, any: bool) -> Finding {
    let limit = limits.of(held.kind);
    let expected = limit.map_or_else(
        || format!("{}: told, not judged", held.kind.words()),
        |seconds| format!("{} lives for {seconds} s or longer", held.kind.words()),
    );
    let ip = held.contact.remote.ip();
    let family = Family::of(ip).word();
    if let Some(failure) = held.failure {
        let observed = format!("{family} {ip}: {}", failure.words());
        if failure == Failure::NetUnreachable && any {
            return Finding::pass(FAMILY_UNUSED, "one address family reaches the far end", observed);
        }
        return Finding::unknown(NOT_BEGUN, expected, observed, allow(held.kind));
    }
    let Some(cut) = held.cut else {
        let observed = format!("{family} {ip}: alive after {} s", reading.asked_s);
        let enough = limit.is_none_or(|limit| reading.asked_s >= limit);
        let remedy = "hold the session for longer: `seconds` of the target";
        return if enough {
            Finding::pass(LIVES, expected, observed)
        } else {
            Finding::unknown(TOO_SHORT, expected, observed, remedy)
        };
    };
    let (code, observed, remedy) = explain(held, cut.how);
    let observed = format!("{family} {ip}: {observed}");
    match limit {
        // As long as was asked, before something ended it all the same.
        Some(limit) if held.alive_ms >= f64::from(limit) * 1000.0 => Finding::pass(LIVES, expected, observed),
        Some(_) if [ENDED.id, BY_FAR_END.id].contains(&code.id) => {
            Finding::unknown(code, expected, observed, remedy)
        }
        Some(_) => Finding::fail(code, expected, observed, remedy),
        // No stream is idle: firewalls may forget what is.
        None => Finding::pass(code, expected, observed),
    }
}

fn explain(held: &Held, how: How) -> (Code, String, String) {
    let mut observed = said(held, how);
    let Some(far) = &held.far_end else {
        observed.push_str("; the far end could not be asked afterwards");
        let remedy = "look whether the far end still runs and what it logged, then run the check again";
        return (ENDED, observed, remedy.to_owned());
    };
    let at = far.ended_ms.map_or_else(String::new, |ms| format!(" after {:.1} s", ms / 1000.0));
    let _ = match (far.ended, how) {
        (Some(FarEndSaw::OwnDoing), _) => {
            let _ = write!(observed, "; the far end ended it itself{at}");
            let remedy = "start `golive far-end` with larger caps, or ask for less";
            return (BY_FAR_END, observed, remedy.to_owned());
        }
        // What it saw after our own giving up is our own doing.
        (_, How::Silence) if far.last_ms > held.alive_ms + 1000.0 => {
            write!(observed, "; ours still arrived at the far end: the way back is dead")
        }
        (_, How::Silence) => write!(observed, "; the far end sent nothing that would end it"),
        (None, _) => write!(observed, "; the far end did not send that, and took it for open still"),
        (Some(FarEndSaw::Reset), _) => {
            write!(observed, "; the far end did not send that, and got a reset itself{at}")
        }
        (Some(FarEndSaw::Closed), _) => {
            write!(observed, "; the far end did not send that, and was closed itself{at}")
        }
    };
    let transport = if matches!(held.kind, Kind::TcpIdle | Kind::TcpBusy) { "TCP" } else { "UDP" };
    match how {
        How::Silence => (
            FORGOTTEN,
            observed,
            format!(
                "network team: raise the firewall's {transport} session time-out for this destination, or find \
                 what drops sessions of this age or size"
            ),
        ),
        How::Reset | How::Closed => (
            CUT,
            observed,
            format!(
                "network team: find the firewall or proxy that ends {transport} sessions of this age or size, and \
                 exempt the ingest from it"
            ),
        ),
    }
}

fn said(held: &Held, how: How) -> String {
    let seconds = held.cut.map_or(0.0, |cut| cut.at_ms) / 1000.0;
    match (how, held.kind) {
        (How::Reset, _) => format!("reset after {seconds:.1} s"),
        (How::Closed, _) => format!("closed after {seconds:.1} s"),
        (How::Silence, Kind::UdpIdle) => {
            let again =
                if held.revived == Some(true) { "; it went on when this side sent again" } else { "" };
            format!("what the far end sent after the silence did not come through{again}")
        }
        (How::Silence, Kind::TcpIdle) => "dead after the silence: no answer came any more".to_owned(),
        (How::Silence, _) => format!("nothing came back any more after {seconds:.1} s"),
    }
}

fn allow(kind: Kind) -> String {
    let transport = if matches!(kind, Kind::TcpIdle | Kind::TcpBusy) { "TCP" } else { "UDP" };
    format!("network team: allow {transport} to the far end's port and back, then run the check again")
}
