//! Holds what was seen of the stream against what it must come through with.

use super::need::{self, Carried, float, longest, sum};
use super::{Limits, Reading, codes};
use crate::media::LEAST_KBPS;
use crate::model::risk::{BRIDGE_PAUSES, Standing, Stated};
use crate::model::{AtLeast, AtMost, Code, Finding, text};
use crate::net::encoder::{End, Take};
use crate::wire::control::FAR_END_ENDED;

/// Share of dropped pictures over which OBS warns.
const WARN_SHARE: f64 = 0.01;
/// This computer was busy for so long that it may have made a gap itself, in milliseconds.
const BUSY_MS: f64 = 200.0;
/// A share of dropped pictures that no busy moment explains.
const BEYOND_DOUBT: f64 = 0.2;

const AGAIN: &str = "run the check again";
const NETWORK: &str = "ask the network team for a line or a quality-of-service class that carries it, use a \
     cable, or send over SRT with a fit latency";
const LESS: &str = "lower the bit rate; ask the network team for a line or a quality-of-service class that \
     carries it; use a cable, or send over SRT with a fit latency";

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let Some(take) = &reading.take else { return vec![not_started(reading)] };
    // What people look for stands first.
    let mut findings = vec![
        if reading.srt_counts.is_some() {
            too_late(limits, reading, take)
        } else {
            dropped(limits, reading, take)
        },
        ending(reading, take),
    ];
    findings.extend(limits.lag_ms.map(|limit| lag(limit, reading, take)));
    findings.extend(limits.stall_ms.map(|limit| stall(limit, reading, take)));
    findings.extend(latency(reading));
    findings.extend(rate(reading, take));
    findings.extend(risk(limits, reading));
    findings.extend(limits.seconds.map(|limit| duration(limit, take)));
    findings.extend(congestion(reading));
    findings
}

fn stream(reading: &Reading) -> String {
    format!("{} kb/s for {} s to {}", reading.media_kbps, reading.asked_seconds, text::escape(&reading.url))
}

fn not_started(reading: &Reading) -> Finding {
    if let Some(failure) = reading.unresolved {
        let remedy = "check the ingest's name in the policy, then this network's name servers (`dns` checks)";
        return Finding::fail(codes::NO_ADDRESS, stream(reading), failure.words(), remedy);
    }
    let tried: Vec<String> = reading
        .attempts
        .iter()
        .filter_map(|attempt| Some(format!("{}: {}", attempt.contact.remote, attempt.failed.as_ref()?)))
        .collect();
    if tried.is_empty() {
        let remedy = "run the check again; if it stays so, golive is at fault";
        return Finding::unknown(codes::NOT_STARTED, stream(reading), "no address was tried", remedy);
    }
    let remedy =
        "look at the `rtmp`, `srt` and `port` checks of this ingest: they tell why; check the test key";
    Finding::fail(codes::NOT_STARTED, stream(reading), tried.join("; "), remedy)
}

fn ending(reading: &Reading, take: &Take) -> Finding {
    let expected = stream(reading);
    let played = format!("{:.0} s", take.took_ms / 1000.0);
    let fail = |code, observed: String, remedy| Finding::fail(code, stream(reading), observed, remedy);
    match &take.end {
        End::Complete => Finding::pass(codes::COMPLETE, expected, played),
        End::Cancelled => {
            Finding::unknown(codes::CANCELLED, expected, format!("stopped after {played}"), AGAIN)
        }
        End::Collapsed => fail(
            codes::COLLAPSED,
            format!("ended after {played}: a fourth of it or more was lost for 12 s"),
            LESS,
        ),
        End::SendTimedOut => fail(
            codes::TIMED_OUT,
            format!("after {played} nothing got out any more, and the encoder gave up"),
            "ask the network team whether the line failed at this time, or what ends long connections silently",
        ),
        End::Closed { reset } => {
            let how = if *reset { "reset" } else { "closed" };
            let remedy = "check that the test key may be live for so long; ask the network team what ends long or \
                          fast connections to this host, and have the ingest exempted";
            fail(codes::CUT, format!("{how} after {played}"), remedy)
        }
        End::Refused { code, description } if code.as_str() == FAR_END_ENDED => {
            let remedy =
                "start `golive far-end` again, with larger caps if it says so, then run the check again";
            Finding::unknown(codes::FAR_END_ENDED, expected, format!("after {played}: {description}"), remedy)
        }
        End::Refused { code, description } => fail(
            codes::REFUSED,
            format!("refused after {played}: {code} “{description}”"),
            "check the test key, and whether the account may go live",
        ),
        End::Silent => fail(
            codes::SILENT,
            format!("nothing came back for 5 s, after {played}"),
            "ask the network team whether the line failed at this time, or what drops long UDP flows",
        ),
        End::Broken { problem } => {
            Finding::unknown(codes::BROKEN, expected, format!("after {played}: {problem}"), AGAIN)
        }
    }
}

/// A pause outside its limit: the network's, unless this computer was busy and that `explains` it.
fn trouble(
    code: Code,
    take: &Take,
    explains: bool,
    expected: String,
    observed: String,
    remedy: &str,
) -> Finding {
    if take.late_max_ms >= BUSY_MS && explains {
        return suspect(take, expected, &observed);
    }
    Finding::fail(code, expected, observed, remedy)
}

fn suspect(take: &Take, expected: String, observed: &str) -> Finding {
    let observed = format!("{observed}, but this computer was busy for {:.0} ms itself", take.late_max_ms);
    let remedy = "close what else runs on this computer, then run the check again";
    Finding::unknown(codes::SUSPECT, expected, observed, remedy)
}

/// Whether a pause of this computer explains what lasted so long where less is allowed.
fn explains(take: &Take, ms: u64, allowed: u64) -> bool {
    float(ms) <= float(allowed) + take.late_max_ms
}

/// What to do where a path carries about so much.
fn lower(kbps: u64) -> String {
    match kbps * 4 / 5 {
        less if less >= LEAST_KBPS => format!("lower the bit rate to {less} kb/s or less, or {NETWORK}"),
        _ => NETWORK.to_owned(),
    }
}

/// What is allowed of a standstill: what the policy says, and over SRT what the agreed latency bridges.
fn allowed(limit: AtMost<u64>, reading: &Reading) -> (u64, &'static str) {
    let bridged = need::bridged(reading);
    if bridged > limit.0 { (bridged, ", which SRT's latency bridges") } else { (limit.0, "") }
}

fn dropped(limits: &Limits, reading: &Reading, take: &Take) -> Finding {
    let (dropped, pictures) = (sum(&take.seconds, |s| s.dropped), sum(&take.seconds, |s| s.pictures));
    let share = float(dropped) / float(pictures.max(1));
    let allowed = limits.dropped_share.map_or(1.0, |limit| limit.0);
    let expected = match limits.dropped_share {
        Some(limit) => format!("≤ {} of pictures dropped by the encoder", percent(limit.0)),
        None => format!("≤ {} of pictures dropped by the encoder, or OBS warns", percent(WARN_SHARE)),
    };
    let first = take.seconds.iter().position(|second| second.dropped > 0);
    let when = first.map_or(String::new(), |second| format!(", the first after {second} s"));
    let observed = format!("{} ({dropped} of {pictures}{when})", percent(share));
    if take.seconds.is_empty() {
        return Finding::unknown(codes::KEPT_UP, expected, "less than a second was played", AGAIN);
    }
    let remedy = match need::carried(reading) {
        Some(Carried::About(kbps)) => lower(kbps),
        _ => LESS.to_owned(),
    };
    if share > allowed {
        trouble(codes::DROPPED, take, share < BEYOND_DOUBT, expected, observed, &remedy)
    } else if share > WARN_SHARE {
        Finding::warn(codes::DROPPED_SOME, expected, observed, remedy)
    } else {
        Finding::pass(codes::KEPT_UP, expected, observed)
    }
}

fn too_late(limits: &Limits, reading: &Reading, take: &Take) -> Finding {
    let counts = reading.srt_counts.clone().unwrap_or_default();
    let minutes = (take.took_ms / 60_000.0).max(f64::MIN_POSITIVE);
    let rate = float(counts.too_late) / minutes;
    let lost = percent(float(counts.lost) / float(counts.packets.max(1)));
    let observed = format!(
        "{} of {} packets ({rate:.1} a minute); {lost} were lost on the way, {} sent again",
        counts.too_late, counts.packets, counts.repeated
    );
    let Some(limit) = limits.too_late_per_minute else {
        return Finding::pass(codes::REPAIRED, "packets in time to be played", observed);
    };
    let expected = format!("≤ {} packets a minute too late to be played", limit.0);
    if rate <= limit.0 {
        return Finding::pass(codes::REPAIRED, expected, observed);
    }
    let share = float(counts.too_late) / float(counts.packets.max(1));
    let remedy = match (need::carried(reading), need::latency(reading)) {
        (Some(Carried::About(kbps)), _) => lower(kbps),
        (_, Some(latency)) => {
            format!("set the latency to {} ms or more on both sides, and rehearse again", latency.ms)
        }
        _ => NETWORK.to_owned(),
    };
    trouble(codes::TOO_LATE, take, share < BEYOND_DOUBT, expected, observed, &remedy)
}

fn lag(limit: AtMost<u64>, reading: &Reading, take: &Take) -> Finding {
    let (allowed, why) = allowed(limit, reading);
    let expected = format!("≤ {allowed} ms behind live{why}");
    let worst = take.seconds.iter().enumerate().filter_map(|(at, second)| Some((second.lag_ms?, at)));
    let Some((worst, at)) = worst.max_by_key(|(lag, _)| *lag) else {
        let remedy = "measure from Linux, or take the limit out of the policy";
        return Finding::unknown(codes::LAG_OK, expected, "not known on this system", remedy);
    };
    let observed = format!("at most {worst} ms, after {at} s");
    if u64::from(worst) <= allowed {
        Finding::pass(codes::LAG_OK, expected, observed)
    } else {
        let own = explains(take, worst.into(), allowed);
        trouble(codes::LAGGED, take, own, expected, observed, NETWORK)
    }
}

fn stall(limit: AtMost<u64>, reading: &Reading, take: &Take) -> Finding {
    let (allowed, why) = allowed(limit, reading);
    let expected = format!("no standstill over {allowed} ms{why}");
    let longest = longest(&take.stalls);
    let count = (take.stalls.len() as u64).saturating_add(take.stalls_left_out);
    let observed = if count == 0 {
        "none of 200 ms or more".to_owned()
    } else {
        format!("{longest} ms; {count} of 200 ms or more")
    };
    if longest <= allowed {
        return Finding::pass(codes::STALL_OK, expected, observed);
    }
    let remedy = "find what pauses the line (Wi-Fi roaming, a backup job, a policer, a failover), use a cable, or \
                  stream over SRT with a latency beyond the pause";
    trouble(codes::STALLED, take, explains(take, longest, allowed), expected, observed, remedy)
}

fn latency(reading: &Reading) -> Option<Finding> {
    let planned = reading.srt.as_ref()?.latency_ms;
    let need = need::latency(reading)?;
    let take = reading.take.as_ref()?;
    let sure = need::confidence(take.seconds.len());
    let expected = format!("{planned} ms of SRT latency, as agreed with the ingest");
    let about = if need.seen { "needs" } else { "needs more than was rehearsed, about" };
    let round_trip = take.round_trip_ms.unwrap_or_default();
    let observed =
        format!("this path {about} {} ms (round trip {round_trip:.0} ms; {sure} confidence)", need.ms);
    Some(if need.ms <= planned {
        Finding::pass(codes::LATENCY_OK, expected, observed)
    } else {
        let remedy = format!("set the latency to {} ms or more on both sides, and rehearse again", need.ms);
        Finding::warn(codes::LATENCY_SHORT, expected, observed, remedy)
    })
}

fn rate(reading: &Reading, take: &Take) -> Option<Finding> {
    let sure = need::confidence(take.seconds.len());
    let expected = format!("{} kb/s of pictures and sound", reading.media_kbps);
    Some(match need::carried(reading)? {
        Carried::AtLeast(kbps) => {
            let observed = format!("the path carries {kbps} kb/s, perhaps more ({sure} confidence)");
            Finding::pass(codes::RATE_OK, expected, observed)
        }
        Carried::About(kbps) => {
            let observed =
                format!("the path carries about {kbps} kb/s at its slow moments ({sure} confidence)");
            Finding::warn(codes::RATE_HIGH, expected, observed, lower(kbps))
        }
    })
}

/// What the watched time says of the whole stream, in words for page 1.
fn risk(limits: &Limits, reading: &Reading) -> Option<Finding> {
    let watched = need::watched(reading).filter(|watched| watched.seconds >= 1.0)?;
    let stated = Stated::of(watched, limits.stream_s, limits.gap_risk);
    Some(match stated.standing {
        Standing::Within => Finding::pass(codes::RISK, stated.expected, stated.observed),
        Standing::Beyond if own_doing(limits, reading) => {
            suspect(reading.take.as_ref()?, stated.expected, &stated.observed)
        }
        Standing::Beyond => Finding::fail(codes::RISK_HIGH, stated.expected, stated.observed, BRIDGE_PAUSES),
        Standing::Unproven => {
            Finding::unknown(codes::RISK_UNPROVEN, stated.expected, stated.observed, stated.longer)
        }
    })
}

/// Whether this computer's own pauses may be all that puts the chance of a gap beyond what is allowed.
fn own_doing(limits: &Limits, reading: &Reading) -> bool {
    let Some(take) = reading.take.as_ref().filter(|take| take.late_max_ms >= BUSY_MS) else { return false };
    let share = |lost: u64, of: u64| float(lost) / float(of.max(1));
    let dropped = share(sum(&take.seconds, |s| s.dropped), sum(&take.seconds, |s| s.pictures));
    let too_late = share(sum(&take.seconds, |s| s.too_late), sum(&take.seconds, |s| s.packets));
    let beyond_doubt = dropped.max(too_late) >= BEYOND_DOUBT;
    need::watched_but(reading, take.late_max_ms, beyond_doubt).is_some_and(|watched| {
        Stated::of(watched, limits.stream_s, limits.gap_risk).standing != Standing::Beyond
    })
}

fn duration(limit: AtLeast<u32>, take: &Take) -> Finding {
    let expected = format!("≥ {} s played", limit.0);
    let observed = format!("{:.0} s", take.took_ms / 1000.0);
    if take.took_ms + 50.0 >= f64::from(limit.0) * 1000.0 {
        return Finding::pass(codes::LONG_ENOUGH, expected, observed);
    }
    Finding::unknown(codes::TOO_SHORT, expected, observed, "run the check again and let it come to its end")
}

fn congestion(reading: &Reading) -> Option<Finding> {
    let asked = reading.congestion_asked?;
    let used = reading.congestion.as_deref();
    let Some(name) = asked.kernel_name() else {
        let used = used.map_or("not known".into(), text::escape);
        return Some(Finding::pass(codes::CONGESTION_OK, "the system's own", used));
    };
    Some(match used {
        Some(used) if used == name => Finding::pass(codes::CONGESTION_OK, name, used),
        _ => {
            let remedy = format!(
                "run golive as root, or allow it to everybody: sysctl net.ipv4.tcp_allowed_congestion_control=\"reno {name}\""
            );
            let used = used.map_or("not known".into(), text::escape);
            Finding::warn(codes::CONGESTION_OTHER, name, used, remedy)
        }
    })
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent == 0.0 || percent >= 9.95 { format!("{percent:.0} %") } else { format!("{percent:.1} %") }
}
