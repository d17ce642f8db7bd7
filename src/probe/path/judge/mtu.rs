//! The largest packet that passes: what is needed, what a router said, and what vanishes.

use super::figures::not_told;
use crate::model::{AtLeast, Code, Finding};
use crate::probe::path::findings::{MTU, MTU_BLACK_HOLE, MTU_LOW};
use crate::probe::path::{Flow, Limits, LostOn, PathMtu, Reading};

const LET_ICMP: &str = "network team: find the link or tunnel on the way that drops large packets in silence; let its ICMP \
                        \"fragmentation needed\" through, or give it the MTU that its neighbours have";

/// IP packets of the stream, in bytes.
fn own(reading: &Reading, flow: &Flow) -> u32 {
    u32::from(reading.payload_bytes) + if flow.contact.remote.is_ipv4() { 28 } else { 48 }
}

/// Sizes above it vanish, and nobody says so.
fn hole(mtu: &PathMtu) -> Option<u16> {
    mtu.bytes.filter(|bytes| mtu.steady && *bytes < mtu.asked_bytes && mtu.told.is_none())
}

/// Why nothing of the stream came back, when small packets did and its own size is beyond a hole.
pub(super) fn swallowed(reading: &Reading, flow: &Flow) -> Option<(Code, String, String)> {
    let mtu = flow.path_mtu.as_ref()?;
    let bytes = hole(mtu).filter(|bytes| flow.trouble.is_none() && u32::from(*bytes) < own(reading, flow))?;
    let way = match mtu.lost {
        Some(LostOn::WayOut) => " on the way out",
        Some(LostOn::WayBack) => " on the way back",
        Some(LostOn::BothWays) => ", some on each way",
        None => "",
    };
    let observed = format!(
        "packets of {bytes} bytes come back, those of the stream with {} bytes vanish{way}, and no router says why",
        own(reading, flow)
    );
    Some((MTU_BLACK_HOLE, observed, LET_ICMP.to_owned()))
}

/// Only answers are too large for the way back: a stream does not mind, and its loss and delay are
/// not known by packets of that size.
pub(super) fn back_only(reading: &Reading, flow: &Flow, place: &str) -> Option<Finding> {
    let lost = flow.path_mtu.as_ref()?.lost;
    let (code, observed, _) = swallowed(reading, flow).filter(|_| lost == Some(LostOn::WayBack))?;
    let remedy = format!("{LET_ICMP}; or measure with a smaller `payload_bytes`");
    Some(Finding::unknown(code, "packets come back", format!("{place}: {observed}"), remedy))
}

/// The largest packet against what is needed: the limit, or else what the stream sends.
pub(super) fn judge(limits: &Limits, reading: &Reading, flow: &Flow, place: &str) -> Option<Finding> {
    let limit = limits.mtu_bytes.map(|AtLeast(bytes)| bytes);
    let expected = |needed: u32| format!("packets of {needed} bytes pass whole");
    let found = flow.path_mtu.as_ref().and_then(|mtu| Some((mtu, mtu.bytes?)));
    let Some((mtu, bytes)) = found else {
        return limit.map(|needed| not_told(flow, expected(needed), place));
    };
    let needed = limit.unwrap_or_else(|| own(reading, flow));
    // Where nobody cut them, the stream's own packets have shown how much passes.
    let shown = if mtu.told.is_none() { own(reading, flow) } else { 0 };
    let bytes = u32::from(bytes).max(shown.min(mtu.asked_bytes.into()));
    let ways = if mtu.both_ways { "both ways" } else { "on the way out" };
    let mut observed = format!("{bytes} bytes pass {ways}, {place}");
    if let Some(told) = &mtu.told {
        let said = format!("; {} says that more is too large (it tells {} bytes)", told.from, told.mtu_bytes);
        observed.push_str(&said);
    }
    let hole = mtu.lost != Some(LostOn::WayBack) && hole(mtu).is_some();
    if hole {
        observed += "; larger ones vanish, and no router says why";
    } else if !mtu.steady {
        observed += "; larger ones came and went";
    }
    let narrower =
        "network team: find the link or tunnel with the lower MTU; or have the encoder send smaller packets";
    let passes = bytes >= needed;
    Some(match () {
        () if passes && hole && limit.is_none() => {
            Finding::warn(MTU_BLACK_HOLE, expected(mtu.asked_bytes.into()), observed, LET_ICMP)
        }
        () if passes => Finding::pass(MTU, expected(needed), observed),
        () if !mtu.steady => not_told(flow, expected(needed), place),
        () if hole => Finding::fail(MTU_BLACK_HOLE, expected(needed), observed, LET_ICMP),
        () if limit.is_some() => Finding::fail(MTU_LOW, expected(needed), observed, narrower),
        () => Finding::warn(MTU_LOW, expected(needed), observed, narrower),
    })
}
