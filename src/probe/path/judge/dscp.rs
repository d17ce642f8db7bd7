//! The class of service: kept, bleached, or unknown, each way by itself.

use crate::model::{Dscp, Finding};
use crate::probe::path::findings::{DSCP_BLEACHED, DSCP_KEPT, DSCP_UNKNOWN};
use crate::probe::path::{Flow, Limits, Marked, Seen};

/// As the other packets of a way came: of a few that differ nobody is to blame.
const MOST_PERCENT: u64 = 90;

/// What most packets of one way came with.
fn most(seen: &[Seen]) -> Option<Dscp> {
    let all: u64 = seen.iter().map(|seen| seen.packets).sum();
    seen.iter()
        .find(|seen| seen.packets > 0 && seen.packets * 100 >= all * MOST_PERCENT)
        .map(|seen| seen.dscp)
}

fn words(way: &str, marked: &Marked, seen: &[Seen]) -> String {
    match most(seen) {
        Some(dscp) if dscp == marked.sent => format!("{way}: kept"),
        Some(dscp) => format!("{way}: arrives as {dscp}"),
        None if seen.is_empty() => format!("{way}: unknown"),
        None => {
            let kinds: Vec<String> =
                seen.iter().map(|seen| format!("{} as {}", seen.packets, seen.dscp)).collect();
            format!("{way}: {}", kinds.join(", "))
        }
    }
}

/// The way out decides, since the stream goes there; the way back is shown, and warned of.
pub(super) fn judge(limits: &Limits, flow: &Flow, place: &str) -> Option<Finding> {
    let marked = flow.dscp.as_ref()?;
    let required = limits.dscp.is_some();
    let expected = format!("DSCP {} arrives as sent", marked.sent);
    let (out, back) = (words("out", marked, &marked.out), words("back", marked, &marked.back));
    let observed = format!("{out}, {back}, {place}");
    let kept = |seen: &[Seen]| most(seen) == Some(marked.sent);
    let remedy = format!(
        "network team: trust DSCP {} from this port, and ask the provider whether it is honoured beyond the building",
        marked.sent
    );
    if marked.out.is_empty() {
        let remedy = "measure to a far end, which says with which DSCP packets arrive";
        return Some(if required {
            Finding::unknown(DSCP_UNKNOWN, expected, observed, remedy)
        } else {
            Finding::warn(DSCP_UNKNOWN, expected, observed, remedy)
        });
    }
    let there = kept(&marked.out);
    Some(match () {
        () if there && (marked.back.is_empty() || kept(&marked.back)) => {
            Finding::pass(DSCP_KEPT, expected, observed)
        }
        () if !there && required => Finding::fail(DSCP_BLEACHED, expected, observed, remedy),
        () => Finding::warn(DSCP_BLEACHED, expected, observed, remedy),
    })
}
