//! Holds the link against what the policy asks of it.

use super::{Duplex, Limits, Medium, Reading};
use crate::model::{Finding, OneOf, text};

crate::codes! {
    MEDIUM = "link.medium", "What the link is made of is as the policy asks.";
    VPN = "link.vpn", "The stream would leave through a VPN.";
    NOT_ALLOWED = "link.not_allowed", "The link is of a kind that the policy does not allow.";
    NOT_PREFERRED = "link.not_preferred", "The link is of a kind that the policy allows with a warning only.";
    NO_CARRIER = "link.no_carrier", "No cable is plugged in, or no access point is joined.";
    SPEED = "link.speed", "The link itself is fast enough.";
    SLOW = "link.slow", "The link itself is slower than the policy asks.";
    DUPLEX = "link.duplex", "The cable's duplex is as the policy asks.";
    OTHER_DUPLEX = "link.other_duplex", "The cable's duplex is not as the policy asks.";
    MTU = "link.mtu", "The interface lets packets of the size through that the policy asks.";
    SMALL_MTU = "link.small_mtu", "The interface's largest packet is smaller than the policy asks.";
    CLEAN = "link.clean", "Few packets were in error on the link.";
    ERRORS = "link.errors", "More packets were in error on the link than the policy allows.";
    GATEWAY = "link.gateway", "The default gateway answers in time.";
    GATEWAY_FAR = "link.gateway_far", "The default gateway answers later than the policy allows.";
    GATEWAY_SILENT = "link.gateway_silent", "The default gateway does not answer, or was not asked, which says nothing about its delay.";
    AWAKE = "link.awake", "The system's power saving for the device is as the policy asks.";
    POWER_SAVING = "link.power_saving", "The system's power saving for the device is not as the policy asks.";
    SEVERAL_ROUTES = "link.several_routes", "Two default routes have the same rank: which one the stream takes is left to chance.";
    NOT_TOLD = "link.not_told", "The driver does not tell this figure.";
}

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let mut found = vec![medium(limits, reading)];
    if reading.carrier == Some(false) {
        let remedy = format!("plug the cable of {} in, or join the access point", name(reading));
        found.push(Finding::fail(NO_CARRIER, "a carrier", format!("{}: none", name(reading)), remedy));
    }
    found.extend(speed(limits, reading));
    found.extend(duplex(limits, reading));
    found.extend(mtu(limits, reading));
    found.extend(errors(limits, reading));
    found.extend(gateway(limits, reading));
    found.extend(power(limits, reading));
    found.extend(several(reading));
    found
}

fn name(reading: &Reading) -> String {
    text::escape(&reading.interface).into_owned()
}

fn medium(limits: &Limits, reading: &Reading) -> Finding {
    let allowed = |list: &Option<OneOf<Medium>>| list.as_ref().is_none_or(|l| l.0.contains(&reading.medium));
    let words = |list: &Option<OneOf<Medium>>| {
        list.as_ref().map(|list| list.0.iter().map(Medium::to_string).collect::<Vec<_>>().join(" or "))
    };
    let observed = format!("{} is {}", name(reading), reading.medium);
    let vpn = reading.medium == Medium::Vpn;
    let cable = "connect this machine by cable to the network that the stream will use";
    let remedy = if vpn {
        "leave the VPN, or exempt the ingest from it: the stream would leave from the VPN's far end, at its speed"
    } else {
        cable
    };
    if !allowed(&limits.media) {
        let expected = words(&limits.media).unwrap_or_default();
        return Finding::fail(if vpn { VPN } else { NOT_ALLOWED }, expected, observed, remedy);
    }
    let named = limits.media.is_some() || limits.preferred.is_some();
    if !allowed(&limits.preferred) || vpn && !named {
        let expected = words(&limits.preferred).unwrap_or_else(|| "no VPN".to_owned());
        return Finding::warn(if vpn { VPN } else { NOT_PREFERRED }, expected, observed, remedy);
    }
    let expected = words(&limits.preferred).or_else(|| words(&limits.media));
    Finding::pass(MEDIUM, expected.unwrap_or_else(|| "any link".to_owned()), observed)
}

/// A limit whose figure the driver does not tell: no pass.
fn not_told(reading: &Reading, expected: String, what: &str) -> Finding {
    let observed = format!("the driver of {} does not tell its {what}", name(reading));
    Finding::warn(NOT_TOLD, expected, observed, format!("look up the {what} of this link by hand"))
}

fn speed(limits: &Limits, reading: &Reading) -> Option<Finding> {
    let least = limits.speed_mbps?.0;
    let expected = format!("≥ {least} Mb/s");
    Some(match reading.speed_mbps {
        None => not_told(reading, expected, "speed"),
        Some(speed) => {
            let observed = format!("{} has {speed} Mb/s", name(reading));
            if f64::from(speed) >= least {
                Finding::pass(SPEED, expected, observed)
            } else {
                let remedy = "use a faster port, and a cable with all eight wires: a damaged one falls back to 100 or 10 Mb/s";
                Finding::fail(SLOW, expected, observed, remedy)
            }
        }
    })
}

fn duplex(limits: &Limits, reading: &Reading) -> Option<Finding> {
    let wanted = limits.duplex.as_ref()?.0;
    let word = |duplex| if duplex == Duplex::Full { "full duplex" } else { "half duplex" };
    Some(match reading.duplex {
        // Only a cable has one.
        None if reading.medium != Medium::Wired => return None,
        None => not_told(reading, word(wanted).to_owned(), "duplex"),
        Some(duplex) => {
            let observed = format!("{} is at {}", name(reading), word(duplex));
            if duplex == wanted {
                Finding::pass(DUPLEX, word(wanted), observed)
            } else {
                let remedy = "let both ends of the cable negotiate (switch port and this machine): one that is set by hand makes the other fall back to half duplex";
                Finding::fail(OTHER_DUPLEX, word(wanted), observed, remedy)
            }
        }
    })
}

fn mtu(limits: &Limits, reading: &Reading) -> Option<Finding> {
    let least = limits.mtu_bytes?.0;
    let expected = format!("MTU ≥ {least} bytes");
    Some(match reading.mtu_bytes {
        None => not_told(reading, expected, "MTU"),
        Some(mtu) => {
            let observed = format!("{} has an MTU of {mtu} bytes", name(reading));
            if mtu >= least {
                Finding::pass(MTU, expected, observed)
            } else {
                let remedy = "raise the MTU of this interface, or send smaller packets (SRT's payload size): larger ones are cut or lost";
                Finding::fail(SMALL_MTU, expected, observed, remedy)
            }
        }
    })
}

fn errors(limits: &Limits, reading: &Reading) -> Option<Finding> {
    let most = limits.errors_per_million?.0;
    let expected = format!("≤ {most} packets in error of a million");
    let (Some(packets), Some(errors)) = (reading.packets, reading.errors) else {
        return Some(not_told(reading, expected, "errors"));
    };
    let lost = reading.carrier_losses.unwrap_or(0);
    let observed = format!("{}: {errors} of {packets} packets, carrier lost {lost} times", name(reading));
    // Of no packets at all the share of errors is none.
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    let share = errors as f64 / packets.saturating_add(errors).max(1) as f64 * 1e6;
    Some(if share <= most {
        Finding::pass(CLEAN, expected, observed)
    } else {
        let remedy =
            "try another cable and another port of the switch: errors on a link are damage, not load";
        Finding::fail(ERRORS, expected, observed, remedy)
    })
}

fn gateway(limits: &Limits, reading: &Reading) -> Option<Finding> {
    let most = limits.gateway_ms?.0;
    let expected = format!("the gateway answers within {most} ms");
    let remedy =
        "ask for `gateway = true` in the target; if the gateway answers no pings, leave this limit out";
    let Some(gateway) = &reading.gateway else {
        let observed = "the default gateway was not asked, or this link has none";
        return Some(Finding::unknown(GATEWAY_SILENT, expected, observed, remedy));
    };
    let (answered, asked) = (gateway.round_trips_ms.len(), gateway.requests);
    let mut sorted = gateway.round_trips_ms.clone();
    sorted.sort_by(f64::total_cmp);
    let Some(median) = sorted.get(answered / 2) else {
        let observed = format!("{} answered none of {asked} requests", gateway.address);
        return Some(Finding::unknown(GATEWAY_SILENT, expected, observed, remedy));
    };
    let observed =
        format!("{} answered {answered} of {asked} requests, in {median:.1} ms (median)", gateway.address);
    Some(if *median <= most {
        Finding::pass(GATEWAY, expected, observed)
    } else {
        let remedy =
            "move nearer to the access point or take a cable; over a cable, find what loads the gateway";
        Finding::fail(GATEWAY_FAR, expected, observed, remedy)
    })
}

fn power(limits: &Limits, reading: &Reading) -> Option<Finding> {
    let wanted = limits.power_saving.as_ref()?.0;
    let word = |saving| if saving { "power saving on" } else { "power saving off" };
    let expected = word(wanted).to_owned();
    Some(match reading.power_saving {
        None => not_told(reading, expected, "power saving"),
        Some(saving) if saving == wanted => {
            Finding::pass(AWAKE, expected, format!("{}: {}", name(reading), word(saving)))
        }
        Some(saving) => {
            let remedy = format!(
                "write `{}` to /sys/class/net/{}/device/power/control until the event is over",
                if wanted { "auto" } else { "on" },
                name(reading)
            );
            Finding::warn(POWER_SAVING, expected, format!("{}: {}", name(reading), word(saving)), remedy)
        }
    })
}

/// Two best default routes of one family by different interfaces.
fn several(reading: &Reading) -> Vec<Finding> {
    let of = |ipv6: bool| {
        let family = || reading.default_routes.iter().filter(move |route| route.ipv6 == ipv6);
        let best = family().map(|route| route.metric).min()?;
        let first = family().find(|route| route.metric == best)?;
        let other = family().find(|route| route.metric == best && route.interface != first.interface)?;
        let (one, two) = (text::escape(&first.interface), text::escape(&other.interface));
        let observed = format!(
            "{} default routes by {one} and by {two}, both with metric {best}",
            if ipv6 { "IPv6" } else { "IPv4" }
        );
        let remedy =
            format!("give the default route by {two} a larger metric, or take it away for the event");
        Some(Finding::warn(SEVERAL_ROUTES, "one best default route", observed, remedy))
    };
    [of(false), of(true)].into_iter().flatten().collect()
}
