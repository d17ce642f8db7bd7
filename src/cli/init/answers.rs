//! What the policy is made from, complete.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::Args;
use crate::cli::exit;
use crate::policy::{self, BUILTINS, Disk, left_open};
use crate::probe::Kind;

/// A platform whose ingest is named by hand.
pub(super) const OTHER: &str = "other";
/// Kb/s of sound where nobody says.
pub(super) const AUDIO_KBPS: u64 = 128;

/// All answers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answers {
    pub platforms: Vec<Platform>,
    pub title: String,
    pub starts: String,
    pub ends: String,
    /// An IANA name; `None` where only an offset is known.
    pub time_zone: Option<String>,
    pub venue: Option<String>,
    pub objective: Option<String>,
    pub video_kbps: u64,
    pub audio_kbps: u64,
    pub it: String,
    pub marketing: String,
    pub provider: Option<String>,
    pub security: Option<String>,
    pub change: Option<String>,
    pub interface: Option<String>,
    pub backup_interface: Option<String>,
    /// Address and pin.
    pub far_end: Option<(String, String)>,
    pub corporate_lan: bool,
}

/// A platform, with what its layer leaves open filled in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Platform {
    /// Name of its layer; `None` for one that golive does not carry.
    pub layer: Option<String>,
    /// Name of its stream.
    pub stream: String,
    /// Where to.
    pub to: String,
    /// The layer leaves it to us where to.
    pub to_is_open: bool,
    /// Checks whose target is ours to name: probe, id, address.
    pub checks: Vec<(Kind, String, String)>,
}

/// What a platform needs before it is complete.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wanted {
    pub name: String,
    layer: Option<String>,
    open: policy::Open,
}

impl Wanted {
    /// The platform of this name.
    pub fn find(name: &str) -> Result<Self, String> {
        if name == OTHER {
            return Ok(Self { name: OTHER.to_owned(), layer: None, open: policy::Open::default() });
        }
        let known = || BUILTINS.iter().filter_map(|(known, _)| known.strip_prefix("platforms/"));
        let Some(found) = known().find(|known| *known == name) else {
            let help = policy::hint(name, known().chain([OTHER]))
                .unwrap_or_else(|| format!("`golive policy list` names them; `{OTHER}` is any other"));
            return Err(format!("golive carries no platform `{name}`; {help}"));
        };
        let layer = format!("builtin:platforms/{found}");
        let open = left_open(Path::new(&layer), &Disk).map_err(|error| error.to_string())?;
        Ok(Self { name: found.to_owned(), layer: Some(layer), open })
    }

    /// The checks for which an address is to be named.
    pub fn ingests(&self) -> Vec<String> {
        match &self.layer {
            None => vec!["main.ingest".to_owned()],
            Some(_) => self.open.checks.iter().map(|(_, id)| id.to_string()).collect(),
        }
    }

    /// Most video that it takes, kb/s.
    pub fn video_at_most_kbps(&self) -> Option<u64> {
        self.open.streams.iter().filter_map(|stream| stream.video_at_most_kbps).min()
    }

    /// Complete, with one address for each of [`Self::ingests`].
    pub fn with(self, urls: &[String]) -> Platform {
        let first = urls.first().cloned().unwrap_or_default();
        let Some(layer) = self.layer else {
            let kind = if first.starts_with("srt:") { Kind::Srt } else { Kind::Rtmp };
            return Platform {
                layer: None,
                stream: "main".to_owned(),
                checks: vec![(kind, "main.ingest".to_owned(), first.clone())],
                to: first,
                to_is_open: true,
            };
        };
        let stream = self.open.streams.first();
        let own = stream.and_then(|stream| stream.to.clone());
        let checks = self.open.checks.iter().zip(urls);
        Platform {
            layer: Some(layer),
            stream: stream.map(|stream| stream.name.to_string()).unwrap_or_default(),
            to_is_open: own.is_none(),
            to: own.unwrap_or(first),
            checks: checks.map(|((kind, id), url)| (*kind, id.to_string(), url.clone())).collect(),
        }
    }
}

pub(super) fn usage(message: impl Into<String>) -> anyhow::Error {
    exit::Failure::new(exit::USAGE, message).into()
}

impl Answers {
    /// From the command line alone.
    pub fn of(args: &Args) -> anyhow::Result<Self> {
        let needed = [
            (args.platforms.is_empty(), "--platform"),
            (args.title.is_none(), "--title"),
            (args.starts.is_none(), "--starts"),
            (args.ends.is_none(), "--ends"),
            (args.video_kbps.is_none(), "--video-kbps"),
            (args.it.is_none(), "--it"),
            (args.marketing.is_none(), "--marketing"),
        ];
        let missing: Vec<&str> = needed.iter().filter(|(missing, _)| *missing).map(|row| row.1).collect();
        if !missing.is_empty() {
            return Err(usage(format!(
                "there is no terminal to ask at, and these are not given: {}",
                missing.join(" ")
            )));
        }
        let wanted = args.platforms.iter().map(|name| Wanted::find(name)).collect::<Result<Vec<_>, _>>();
        let wanted = wanted.map_err(usage)?;
        let asked: Vec<String> = wanted.iter().flat_map(Wanted::ingests).collect();
        if asked.len() != args.ingests.len() {
            let of = if asked.is_empty() { String::new() } else { format!(": for {}", asked.join(", ")) };
            return Err(usage(format!(
                "--ingest is needed {} times and given {} times{of}",
                asked.len(),
                args.ingests.len()
            )));
        }
        let mut urls = args.ingests.as_slice();
        let mut platforms = Vec::new();
        for one in wanted {
            let (own, rest) = urls.split_at(one.ingests().len());
            platforms.push(one.with(own));
            urls = rest;
        }
        Self::with(args, platforms)
    }

    /// From the command line, once it is complete, and the platforms.
    pub fn with(args: &Args, platforms: Vec<Platform>) -> anyhow::Result<Self> {
        let streams: BTreeSet<&str> = platforms.iter().map(|platform| platform.stream.as_str()).collect();
        if streams.len() != platforms.len() {
            return Err(usage("a platform is named twice"));
        }
        let zone = zone(args.time_zone.as_deref()).map_err(usage)?;
        let time = |text: &Option<String>| when(text.as_deref().unwrap_or_default(), &zone).map_err(usage);
        let given = |text: &Option<String>| text.clone().unwrap_or_default();
        Ok(Self {
            platforms,
            title: given(&args.title),
            starts: time(&args.starts)?,
            ends: time(&args.ends)?,
            time_zone: zone.iana_name().map(str::to_owned),
            venue: args.venue.clone(),
            objective: args.objective.clone(),
            video_kbps: args.video_kbps.unwrap_or_default(),
            audio_kbps: args.audio_kbps.unwrap_or(AUDIO_KBPS),
            it: given(&args.it),
            marketing: given(&args.marketing),
            provider: args.provider.clone(),
            security: args.security.clone(),
            change: args.change.clone(),
            interface: args.interface.clone(),
            backup_interface: args.backup_interface.clone(),
            far_end: args.far_end.clone().zip(args.pin.clone()),
            corporate_lan: args.corporate_lan,
        })
    }
}

/// The venue's time zone, else this machine's.
pub(super) fn zone(name: Option<&str>) -> Result<TimeZone, String> {
    match name {
        None => Ok(TimeZone::system()),
        Some(name) => TimeZone::get(name)
            .map_err(|_| format!("`{name}` is no time zone of the tz database, such as Europe/Berlin")),
    }
}

/// A time as a policy wants it, with its offset: as given, or of the venue's clock on the wall.
pub(super) fn when(text: &str, zone: &TimeZone) -> Result<String, String> {
    let text = text.trim();
    if text.parse::<jiff::Timestamp>().is_ok() {
        return Ok(text.to_owned());
    }
    let wall: Option<DateTime> = text.replace(' ', "T").parse().ok().filter(|_| text.contains(':'));
    let at = wall.and_then(|wall| zone.to_ambiguous_zoned(wall).unambiguous().ok());
    at.map(|at| at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
        .ok_or_else(|| format!("`{text}` is no time such as 2026-12-04 14:00, or none on the venue's clock"))
}
