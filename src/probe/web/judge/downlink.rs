//! Viewers × bit rate against what came when the line was loaded.

use super::{NETWORK, code};
use crate::model::{AtLeast, Finding};
use crate::net::viewer::{Download, Stopped};
use crate::probe::web::{Limits, Reading};

/// Seconds of full load without which nothing is said.
const ENOUGH: usize = 3;

/// What one viewer takes, kb/s: by the policy, or as the playlist announces.
fn of_one(limits: &Limits, reading: &Reading) -> Option<u64> {
    let announced = reading.stream.as_ref().and_then(|stream| stream.kbps);
    limits.viewer_kbps.map(|AtLeast(kbps)| kbps).or(announced)
}

pub(super) fn finding(limits: &Limits, reading: &Reading) -> Option<Finding> {
    let AtLeast(viewers) = limits.viewers?;
    let Some(each) = of_one(limits, reading) else {
        let remedy = "say what one viewer takes: `viewer_kbps` in the policy's limits";
        let observed = "the playlist announces no bit rate";
        return Some(Finding::unknown(
            code::DOWNLINK_UNKNOWN,
            format!("{viewers} viewers"),
            observed,
            remedy,
        ));
    };
    let need = viewers.saturating_mul(each);
    let expected = format!("{viewers} viewers × {each} kb/s = {need} kb/s");
    let Some(download) = &reading.download else {
        let remedy = "see what keeps the first segment away, then run the check again";
        return Some(Finding::unknown(code::DOWNLINK_UNKNOWN, expected, "nothing was downloaded", remedy));
    };
    Some(against(need, expected, download))
}

fn against(need: u64, expected: String, download: &Download) -> Finding {
    let mut sorted = download.kbps.clone();
    sorted.sort_by(f64::total_cmp);
    let seconds = sorted.len();
    let median = sorted.get(seconds / 2).copied().unwrap_or(0.0);
    let least = sorted.first().copied().unwrap_or(0.0);
    let observed = format!(
        "{median:.0} kb/s in the middle of {seconds} seconds, {least:.0} kb/s in the slowest, over {} connections{}",
        download.connections,
        ended(&download.ended)
    );
    let troubled = matches!(download.ended, Stopped::Trouble { .. });
    #[expect(clippy::cast_precision_loss, reason = "kb/s")]
    let need = need as f64;
    if seconds < ENOUGH || troubled {
        let remedy = match download.ended {
            Stopped::Volume => "raise `at_most_mb` of the download, or lower its `seconds` to 5",
            _ => "run the check again; if it ends so again, the stream's server allows no such load",
        };
        return Finding::unknown(code::DOWNLINK_UNKNOWN, expected, observed, remedy);
    }
    if median >= need {
        return Finding::pass(code::DOWNLINK, expected, observed);
    }
    let remedy = format!(
        "{NETWORK}: compare with another network first, since the stream's servers may give no more; then let fewer \
         people watch by themselves (one screen for a room), cap the quality, or set up a cache in the building (eCDN, \
         multicast)"
    );
    Finding::fail(code::DOWNLINK_THIN, expected, observed, remedy)
}

fn ended(ended: &Stopped) -> String {
    match ended {
        Stopped::Time => String::new(),
        Stopped::Volume => "; ended by its volume".to_owned(),
        Stopped::Trouble { detail } => format!("; ended early: {detail}"),
    }
}
