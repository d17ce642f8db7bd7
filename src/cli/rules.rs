//! `golive rules`: the firewall change request.

use std::io::{self, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{exit, load};
use crate::model::{PathName, text};
use crate::report::rules::emit::Direction;
use crate::report::rules::{self, ChangeRequest, Emitted, Scope, Site, emit};
use crate::report::{change_request, write_whole};

/// Write the firewall change request: the least that the event needs let out, and nothing else.
///
/// From a report: what its readings show to be blocked, with the addresses that were resolved.
/// From a policy: all that it needs, as far as it says it by itself; nothing is resolved. As a
/// table for people (md, csv, json), or as configuration that opens it; with --back-out, what takes
/// it back. Notes on what must be completed go to stderr.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A policy, a run's report.json, or the run's folder.
    file: PathBuf,
    /// The form.
    #[arg(long, value_enum, default_value_t = Format::Md)]
    format: Format,
    /// From a report: everything that the event needs, not only what is blocked.
    #[arg(long)]
    all: bool,
    /// Instead of the openings, what takes them back.
    #[arg(long)]
    back_out: bool,
    /// The encoder's address as the firewall sees it, of one path (`primary=192.0.2.7`) or of all;
    /// several may be given.
    #[arg(long, value_name = "[PATH=]ADDRESS", value_parser = sender)]
    source: Vec<Sender>,
    /// The chain, access list or security group that the rules go into. By default `inet filter
    /// forward` (nftables), `FORWARD` (iptables), `inside_access_in` (asa).
    #[arg(long, value_name = "NAME")]
    chain: Option<String>,
    /// Zone or interface that traffic comes from: `trust` (panos, junos-srx), `any` (fortigate).
    #[arg(long, value_name = "ZONE")]
    from_zone: Option<String>,
    /// Zone or interface that traffic goes to: `untrust` (panos, junos-srx), `any` (fortigate).
    #[arg(long, value_name = "ZONE")]
    to_zone: Option<String>,
    /// Where to write it (whole or not at all); stdout by default.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A table in Markdown, for a ticket.
    Md,
    /// A table for spreadsheets.
    Csv,
    /// Plain data.
    Json,
    /// nftables, for `nft -f`.
    Nftables,
    /// iptables and ip6tables, a shell script.
    Iptables,
    /// Cisco ASA.
    Asa,
    /// Palo Alto PAN-OS, `set` commands.
    Panos,
    /// Fortinet `FortiOS`.
    Fortigate,
    /// Juniper SRX, `set` commands.
    JunosSrx,
    /// Windows Firewall, `PowerShell`.
    Windows,
    /// AWS security group, JSON.
    Aws,
}

impl Format {
    const fn vendor(self) -> Option<rules::Format> {
        Some(match self {
            Self::Md | Self::Csv | Self::Json => return None,
            Self::Nftables => rules::Format::Nftables,
            Self::Iptables => rules::Format::Iptables,
            Self::Asa => rules::Format::Asa,
            Self::Panos => rules::Format::Panos,
            Self::Fortigate => rules::Format::Fortigate,
            Self::JunosSrx => rules::Format::JunosSrx,
            Self::Windows => rules::Format::Windows,
            Self::Aws => rules::Format::Aws,
        })
    }
}

/// An address, of one path or of all.
#[derive(Debug, Clone)]
struct Sender(Option<PathName>, IpAddr);

fn sender(given: &str) -> Result<Sender, String> {
    let (path, address) = match given.split_once('=') {
        Some((path, address)) => (Some(PathName::new(path).map_err(|error| error.to_string())?), address),
        None => (None, given),
    };
    Ok(Sender(path, address.parse().map_err(|_| "give an IPv4 or IPv6 address".to_owned())?))
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut request = request(&args.file, args.all)?;
    let mut paths: Vec<&Option<PathName>> = args.source.iter().map(|sender| &sender.0).collect();
    paths.sort();
    paths.dedup();
    for path in paths {
        let of_path = args.source.iter().filter(|sender| &sender.0 == path).map(|sender| sender.1);
        request.send_from(path.as_ref(), &of_path.collect::<Vec<_>>());
    }
    let shown = match args.format.vendor() {
        Some(vendor) => configuration(args, &request, vendor)?,
        None if args.back_out => {
            let message = "--back-out needs a firewall's format, such as --format nftables";
            return Err(exit::Failure::new(exit::USAGE, message).into());
        }
        None => match args.format {
            Format::Csv => change_request::csv(&request),
            Format::Json => serde_json::to_string_pretty(&request)? + "\n",
            _ => change_request::document(&request),
        },
    };
    match &args.out {
        Some(file) => write_whole(file, shown.as_bytes())?,
        None => io::stdout().lock().write_all(shown.as_bytes())?,
    }
    if !request.asks() {
        writeln!(io::stderr(), "golive: nothing is to be opened or closed (see --all)")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The configuration; its notes go to stderr, where a pipe does not swallow them.
fn configuration(args: &Args, request: &ChangeRequest, vendor: rules::Format) -> anyhow::Result<String> {
    let site = Site::new(args.chain.clone(), args.from_zone.clone(), args.to_zone.clone())
        .map_err(|error| exit::Failure::new(exit::USAGE, error.to_string()))?;
    let direction = if args.back_out { Direction::BackOut } else { Direction::Open };
    let Emitted { text: written, notes } = emit(request, vendor, direction, &site);
    let mut stderr = io::stderr().lock();
    for note in notes {
        writeln!(stderr, "golive: {}", text::escape(&note))?;
    }
    Ok(written)
}

fn request(file: &Path, all: bool) -> anyhow::Result<ChangeRequest> {
    if !file.is_dir() && file.extension().is_none_or(|ending| ending != "json") {
        return Ok(rules::of_policy(&load::policy(file)?));
    }
    let scope = if all { Scope::All } else { Scope::Blocked };
    let document = load::report(file)?;
    Ok(rules::of_report(&document, scope)
        .map_err(|error| exit::Failure::new(exit::DATA, error.to_string()))?)
}
