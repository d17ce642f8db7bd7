//! Holds what happened to the packets against the limits, each address family apart.

mod dscp;
mod figures;
mod mtu;

use std::fmt::Write as _;

use super::findings::{
    BLOCKED_BACK, BLOCKED_OUT, CUT_SHORT, FAMILY_UNUSED, LOCAL_POLICY, MEASURED, NO_ADDRESS, OTHER_ADDRESS,
    OTHER_METHOD, PROHIBITED, REFUSED, SILENT, UNEVEN, UNREACHABLE,
};
use super::{Flow, Limits, Method, Reading, RoundTrip, Timestamps};
use crate::model::{AtMost, Code, Failure, Family, Finding, Series};

/// Fewer than this share of the planned packets is too little to judge by.
const ENOUGH: f64 = 0.9;
/// A sender later than this in more than 1 % of its packets did not keep the stream's rhythm:
/// a gap that an encoder's packets would not have had.
const LATE_MS: f64 = 100.0;
/// Points of a drawn series.
const POINTS: usize = 500;

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    if reading.flows.is_empty() {
        let why = reading.lookup.unwrap_or(Failure::NoAddress).words();
        let remedy = format!("network team: make {} resolve here", reading.host);
        return vec![Finding::fail(NO_ADDRESS, "an address", format!("{}: {why}", reading.host), remedy)];
    }
    let any = reading.flows.iter().any(|flow| flow.received > 0 && !takes_the_place(reading, flow));
    // Of a family that could not be asked no good is said when the other one failed, too.
    let unasked = reading.unasked.iter().filter(|_| any).map(|unasked| {
        let family = Family::of(unasked.remote.ip()).word();
        let observed = format!("{} ({family}): {}", unasked.remote, unasked.why);
        Finding::pass(FAMILY_UNUSED, "one address family reaches the far end", observed)
    });
    let flows = reading.flows.iter().flat_map(|flow| judge_flow(limits, reading, flow, any));
    flows.chain(unasked).collect()
}

/// True for handshakes beside STAMP that got nothing: no other address family.
fn takes_the_place(reading: &Reading, flow: &Flow) -> bool {
    let here = |other: &Flow| other.contact.remote.ip() == flow.contact.remote.ip();
    flow.method == Method::Tcp && reading.flows.iter().any(|other| here(other) && other.method != Method::Tcp)
}

fn judge_flow(limits: &Limits, reading: &Reading, flow: &Flow, any: bool) -> Vec<Finding> {
    let place = place(flow);
    let sent_enough = count(flow.sent) >= ENOUGH * count(flow.planned);
    match &flow.round_trip {
        Some(trip) => {
            let mut findings = vec![Finding::pass(MEASURED, "packets come back", describe(flow, trip))];
            findings.extend(flow.instead_of.as_ref().map(|instead| {
                let observed =
                    format!("{}: {}, {}; TCP handshakes instead", place, instead.method, instead.why);
                let remedy =
                    "network team: handshakes tell delay, and little of loss; allow the method asked for";
                Finding::warn(OTHER_METHOD, format!("{} gets answers", instead.method), observed, remedy)
            }));
            if !sent_enough || flow.late_p99_ms > LATE_MS {
                findings.push(doubt(flow, sent_enough));
            } else {
                findings.extend(figures::hold_against(limits, flow, trip, &place));
                findings.extend(mtu::judge(limits, reading, flow, &place));
                findings.extend(dscp::judge(limits, flow, &place));
            }
            findings
        }
        // Stopped before anything could come back.
        None if flow.trouble.is_none() && !sent_enough => vec![doubt(flow, sent_enough)],
        None => vec![nothing_came(reading, flow, any)],
    }
}

fn place(flow: &Flow) -> String {
    format!("{} ({})", flow.contact.remote, Family::of(flow.contact.remote.ip()).word())
}

fn describe(flow: &Flow, trip: &RoundTrip) -> String {
    let mut text = format!(
        "{}, {}: {} of {} came back, round trip median {:.1} ms, 95 % {:.1} ms, worst {:.1} ms, jitter {:.1} ms",
        place(flow),
        flow.method.words(),
        flow.received,
        flow.sent,
        trip.p50_ms,
        trip.p95_ms,
        trip.max_ms,
        flow.jitter_ms
    );
    if let (Some(out), Some(back)) = (flow.jitter_out_ms, flow.jitter_back_ms) {
        let _ = write!(text, " (out {out:.1}, back {back:.1})");
    }
    if let Some(arrived) = flow.arrived {
        let (out, back) = (flow.sent.saturating_sub(arrived), arrived.saturating_sub(flow.received));
        if out + back > 0 {
            let _ = write!(text, "; lost {out} on the way out, {back} on the way back");
        }
    }
    text.push_str(match flow.timestamps {
        Some(Timestamps::Kernel) => "; times by the kernel",
        Some(Timestamps::User) => "; times by this program",
        None => "",
    });
    text
}

/// Why what was measured does not allow an answer.
fn doubt(flow: &Flow, sent_enough: bool) -> Finding {
    if sent_enough {
        return Finding::unknown(
            UNEVEN,
            format!("packets leave within {LATE_MS} ms of their time"),
            format!("99th percentile {:.1} ms late, worst {:.1} ms", flow.late_p99_ms, flow.late_max_ms),
            "close other programs on this machine, or take another one, and run the check again",
        );
    }
    let refused = if flow.not_sent > 0 {
        format!(", {} refused by this machine", flow.not_sent)
    } else {
        String::new()
    };
    Finding::unknown(
        CUT_SHORT,
        format!("{} packets", flow.planned),
        format!("{} sent{refused}", flow.sent),
        "run the check again to its end",
    )
}

fn nothing_came(reading: &Reading, flow: &Flow, any: bool) -> Finding {
    if let Some(finding) = mtu::back_only(reading, flow, &place(flow)).filter(|_| !any) {
        return finding;
    }
    let (code, observed, remedy) = mtu::swallowed(reading, flow).unwrap_or_else(|| explain(reading, flow));
    let (expected, observed) = ("packets come back", format!("{}: {observed}", place(flow)));
    if !any {
        return Finding::fail(code, expected, observed, remedy);
    }
    let no_route = flow.trouble.as_ref().is_some_and(|trouble| trouble.failure == Failure::NetUnreachable);
    if no_route {
        return Finding::pass(FAMILY_UNUSED, expected, observed);
    }
    let remedy = format!("the other address family works, but the encoder may pick this one; {remedy}");
    Finding::warn(code, expected, observed, remedy)
}

fn explain(reading: &Reading, flow: &Flow) -> (Code, String, String) {
    let (host, port) = (&reading.host, reading.port);
    let what = match flow.method {
        Method::Stamp | Method::StampSession => format!("UDP {port}"),
        Method::IcmpDatagram | Method::IcmpRaw => "ICMP echo".to_owned(),
        Method::Tcp => format!("TCP {}", flow.contact.remote.port()),
    };
    let allow = format!("network team: allow {what} to {host} and the answers back");
    if let Some(trouble) = &flow.trouble {
        let observed = format!("{}: {}", trouble.failure.words(), trouble.detail);
        let (code, remedy) = match trouble.failure {
            Failure::Refused => {
                (REFUSED, format!("start the reflector on {host}, UDP {port}, or correct the policy"))
            }
            Failure::Prohibited => (PROHIBITED, allow),
            Failure::LocalPolicy => {
                (LOCAL_POLICY, format!("allow {what} to {host} in this machine's own firewall"))
            }
            _ => (UNREACHABLE, format!("network team: there is no route to {host} from this network")),
        };
        return (code, observed, remedy);
    }
    let sent = flow.sent;
    match (flow.arrived, flow.arrived_from_elsewhere) {
        (Some(0), Some(elsewhere)) if elsewhere > 0 => (
            OTHER_ADDRESS,
            format!(
                "{elsewhere} of {sent} packets arrived, but from another address than the control connection"
            ),
            "network team: let UDP and TCP to the far end leave by the same public address".to_owned(),
        ),
        (Some(0), _) => (
            BLOCKED_OUT,
            format!(
                "none of {sent} packets arrived at the far end, which TCP reaches: UDP is blocked on the way out"
            ),
            allow,
        ),
        (Some(arrived), _) => (
            BLOCKED_BACK,
            format!("{arrived} of {sent} packets arrived at the far end, none of its answers here"),
            allow,
        ),
        (None, _) => (
            SILENT,
            format!("none of {sent} packets came back: blocked on the way, or nothing answers there"),
            format!("{allow}; make sure that something answers there"),
        ),
    }
}

/// The round trips of each family, the worst of each stretch where there are many.
pub(super) fn series(limits: &Limits, reading: &Reading) -> Vec<Series> {
    let required = [limits.round_trip_p95_ms, limits.round_trip_p99_ms, limits.round_trip_p50_ms];
    let required = required.into_iter().flatten().next().map(|AtMost(limit)| limit);
    let measured = reading.flows.iter().filter(|flow| flow.received > 0);
    let draw = |flow: &Flow| {
        let stretch = flow.round_trips_us.len().div_ceil(POINTS).max(1);
        let worst = |trips: &[Option<u32>]| trips.iter().flatten().max().map(|us| f64::from(*us) / 1000.0);
        Series {
            title: format!("Round trip, {}", Family::of(flow.contact.remote.ip()).word()),
            unit: "ms".to_owned(),
            step_ms: flow.step_ms * count(stretch as u64),
            values: flow.round_trips_us.chunks(stretch).map(worst).collect(),
            required,
        }
    };
    measured.map(draw).collect()
}

#[expect(clippy::cast_precision_loss, reason = "packet counts are far below 2^52")]
fn count(packets: u64) -> f64 {
    packets as f64
}
