//! `golive plan`: what a run will contact and cost, before anything is sent.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::load;
use crate::model::{Lane, Transport};
use crate::policy::Policy;
use crate::run::Plan;
use crate::run::plan::volume;

/// Show what a check would contact and cost: hosts, ports, bytes, packets, seconds. Sends nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Policy file, or `builtin:NAME`; golive.toml when none is given.
    policy: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let policy = load::policy(&load::found(args.policy.as_deref())?)?;
    write(&mut io::stdout().lock(), &policy)?;
    load::authorised(&policy)?;
    Ok(ExitCode::SUCCESS)
}

fn write(out: &mut impl Write, policy: &Policy) -> io::Result<()> {
    let plan = Plan::new(policy);
    writeln!(
        out,
        "Plan for \"{}\": {} checks\n",
        crate::model::text::escape(&policy.event.title),
        plan.items.len()
    )?;
    for (lane, how) in [
        (Lane::Person, "asked of people"),
        (Lane::Ask, "side by side"),
        (Lane::Delay, "one at a time, while no load runs"),
        (Lane::Load, "alone"),
    ] {
        if plan.lane(lane).next().is_none() {
            continue;
        }
        writeln!(out, "{lane:?} — {how}, about {:.0} s", plan.lane_seconds(lane).ceil())?;
        for item in plan.lane(lane) {
            let Some(check) = policy.checks.get(item.index) else { continue };
            let target = check.question.brief();
            writeln!(out, "  {:<28} {:<7} {target}", check.id, check.question.kind().name())?;
        }
    }
    writeln!(
        out,
        "\nDestinations, at most (a check's whole volume is counted at each of its destinations):"
    )?;
    writeln!(out, "  {:<40} {:>9} {:>9} {:>8}  checks", "host port", "sent", "received", "packets")?;
    for (endpoint, cost) in plan.destinations() {
        let transport = match endpoint.transport {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
            Transport::Icmp => "icmp",
        };
        let place = format!("{} {} {transport}", endpoint.host, endpoint.port);
        let checks: Vec<&str> = cost.checks.iter().map(crate::model::CheckId::as_str).collect();
        let (up, down) = (volume(cost.bytes_up), volume(cost.bytes_down));
        writeln!(out, "  {place:<40} {up:>9} {down:>9} {:>8}  {}", cost.packets, checks.join(", "))?;
    }
    let (up, down, packets) = plan.totals();
    writeln!(
        out,
        "\nIn all: {} sent, {} received, {packets} packets, about {:.0} s",
        volume(up),
        volume(down),
        plan.seconds().ceil()
    )
}
