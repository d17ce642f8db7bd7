//! The part of the policy about lines: ways out, streams, far end, and the checks that need them.

use std::fmt::Write as _;

use super::answers::{Answers, Platform};
use super::document::quoted;
use crate::probe::Kind;

/// What the upload test sends at most, as a multiple of the media: twice the usual headroom.
const AT_MOST: u64 = 3;

/// How long a reading of the day of the show holds.
pub(super) const OF_THE_DAY: &str = "4h";
/// The same in seconds.
pub(super) const OF_THE_DAY_S: u64 = 4 * 3600;

/// What the policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// A survey, days or weeks before.
    Survey,
    /// The day of the show: the same checks once more, in less than three minutes.
    Day,
}

impl Occasion {
    /// How long a reading holds that the survey lets hold for `survey`.
    const fn holds(self, survey: &'static str) -> &'static str {
        match self {
            Self::Survey => survey,
            Self::Day => OF_THE_DAY,
        }
    }
}

/// The layer of second ways out fits: somebody counts what arrives, and the ingest speaks RTMP. On the day
/// its questions to people have been answered.
pub(super) fn bonded(answers: &Answers, occasion: Occasion) -> bool {
    occasion == Occasion::Survey
        && answers.backup_interface.is_some()
        && answers.far_end.is_some()
        && !to_srt(answers)
}

fn to_srt(answers: &Answers) -> bool {
    answers.platforms.first().is_some_and(|platform| platform.to.starts_with("srt:"))
}

pub(super) fn write(out: &mut String, answers: &Answers, occasion: Occasion) {
    paths(out, answers);
    for platform in &answers.platforms {
        stream(out, answers, platform);
    }
    for platform in &answers.platforms {
        ingests(out, platform, occasion);
    }
    backup(out, answers, occasion);
    line(out, answers, occasion);
}

fn paths(out: &mut String, answers: &Answers) {
    let ways = [("primary", &answers.interface), ("backup", &answers.backup_interface)];
    if ways.iter().all(|(_, interface)| interface.is_none()) {
        out.push_str(
            "\n# Ways out of the building; checks name theirs by path = \"primary\". Without one they take the system's.\n\
             # [path.primary]\n# interface = \"eth0\"\n# [path.backup]\n# interface = \"wwan0\"\n",
        );
        return;
    }
    out.push_str("\n# Ways out of the building.\n");
    for (name, interface) in ways {
        if let Some(interface) = interface {
            let _ = writeln!(out, "[path.{name}]\ninterface = {}", quoted(interface));
        }
    }
}

fn stream(out: &mut String, answers: &Answers, platform: &Platform) {
    let _ = writeln!(
        out,
        "\n# What will be sent; the upload that is needed follows from it.\n[stream.{}]",
        platform.stream
    );
    if platform.to_is_open {
        let _ = writeln!(out, "to = {}", quoted(&platform.to));
    }
    let _ = writeln!(out, "video_kbps = {}\naudio_kbps = {}", answers.video_kbps, answers.audio_kbps);
    if platform.layer.is_none() {
        out.push_str("# Half as much again as the stream needs: below fails.\nheadroom = 1.5\n");
    } else {
        out.push_str("# headroom = 2.0     the platform's layer has one; here it may be raised\n");
    }
}

/// Addresses that the platform gives for this event.
fn ingests(out: &mut String, platform: &Platform, occasion: Occasion) {
    for (kind, id, url) in &platform.checks {
        let _ = writeln!(
            out,
            "\n[[check.{}]]\nid = {}\ntarget = {{ url = {} }}",
            kind.name(),
            quoted(id),
            quoted(url)
        );
        if platform.layer.is_none() {
            let why = "a port that opens is not yet an ingest that takes the stream";
            binding(out, "hard", why, occasion.holds("7d"));
        } else if occasion == Occasion::Day {
            let _ = writeln!(out, "valid_for = \"{OF_THE_DAY}\"");
        }
    }
}

fn binding(out: &mut String, enforcement: &str, why: &str, valid_for: &str) {
    let _ = writeln!(
        out,
        "enforcement = \"{enforcement}\"\nowner = \"network\"\nwhy = \"{why}\"\nvalid_for = \"{valid_for}\""
    );
}

fn backup(out: &mut String, answers: &Answers, occasion: Occasion) {
    let Some(platform) = answers.platforms.first().filter(|_| answers.backup_interface.is_some()) else {
        return;
    };
    let (kind, id) = if to_srt(answers) { (Kind::Srt, "backup.srt") } else { (Kind::Rtmp, "backup.ingest") };
    let url = quoted(&platform.to);
    out.push_str("\n# The second way out.\n");
    let _ = writeln!(out, "[[check.{}]]\nid = \"{id}\"\ntarget = {{ url = {url} }}", kind.name());
    let why = "the second way out is worth nothing if the ingest cannot be reached on it";
    on_backup(out, answers, occasion, why);
    if answers.far_end.is_some() {
        let _ = writeln!(out, "\n[[check.upload]]\nid = \"backup.upload\"\ntarget = {}", upload(answers, 60));
        let why = "a cellular line of last month is another one among a thousand telephones";
        on_backup(out, answers, occasion, why);
    }
}

/// What the layer of second ways out does not say already.
fn on_backup(out: &mut String, answers: &Answers, occasion: Occasion, why: &str) {
    if !bonded(answers, occasion) {
        out.push_str("path = \"backup\"\n");
        binding(out, "waivable", why, occasion.holds("2d"));
    }
}

/// An upload test of all streams at once, replayed as the first one.
fn upload(answers: &Answers, seconds: u32) -> String {
    let count = u64::try_from(answers.platforms.len()).unwrap_or(1);
    let media = answers.video_kbps.saturating_add(answers.audio_kbps).saturating_mul(count);
    let stream = answers.platforms.first().map_or("main", |platform| platform.stream.as_str());
    format!(
        "{{ far_end = \"cloud\", seconds = {seconds}, at_most_kbps = {}, stream = {} }}",
        media.saturating_mul(AT_MOST),
        quoted(stream)
    )
}

fn line(out: &mut String, answers: &Answers, occasion: Occasion) {
    out.push_str(
        "\n# A `golive far-end` in a cloud or at the studio counts what arrives; it prints these lines.\n",
    );
    let mut rest = String::new();
    let (address, pin) = answers.far_end.clone().unwrap_or_else(|| {
        ("far-end.example.net:8443".to_owned(), "sha256:… as the far end prints it".to_owned())
    });
    let _ = writeln!(rest, "[far_end.cloud]\naddress = {}\npin = {}", quoted(&address), quoted(&pin));
    rest.push_str("token = { env = \"GOLIVE_TOKEN\" }\n\n");
    rest.push_str(match occasion {
        Occasion::Survey => {
            "# A minute shows half of the lines that will fail; before the show ask for 600 seconds.\n"
        }
        Occasion::Day => {
            "# A minute shows that nothing broke since the survey, not that an hour will hold.\n"
        }
    });
    let _ = writeln!(rest, "[[check.upload]]\nid = \"line.upload\"\ntarget = {}", upload(answers, 60));
    if answers.platforms.len() > 1 {
        let _ = writeln!(
            rest,
            "# All streams at once, with half as much again and RTMP's own 3 %.\nlimits = {{ rate_kbps = {} }}",
            together(answers)
        );
    }
    on_primary(&mut rest, answers);
    let why = "the stream needs this rate in every second, not on average";
    binding(&mut rest, "hard", why, occasion.holds("8d"));
    if occasion == Occasion::Survey {
        rest.push_str(
            "# At the event's weekday and hour; measured at another, it is a warning.\nsame_slot = true\n",
        );
    }
    rest.push('\n');
    let packets = (answers.video_kbps.saturating_add(answers.audio_kbps) * 1000 / 8 / 1316).max(10);
    let _ = writeln!(
        rest,
        "[[check.path]]\nid = \"line.path\"\n# As many packets a second as the stream makes.\n\
         target = {{ to = {{ far_end = \"cloud\" }}, packets_per_s = {packets}, seconds = 20 }}"
    );
    on_primary(&mut rest, answers);
    binding(
        &mut rest,
        "waivable",
        "packets that are lost or late are what viewers see as blocks and frozen pictures",
        occasion.holds("1d"),
    );
    if answers.far_end.is_some() {
        out.push_str(&rest);
    } else {
        out.push_str("# NOT MEASURED YET: without it nobody knows whether the line carries the stream. Take the # away.\n");
        for line in rest.lines() {
            let _ = writeln!(out, "{}", format!("# {line}").trim_end());
        }
    }
}

fn on_primary(out: &mut String, answers: &Answers) {
    if answers.interface.is_some() {
        out.push_str("path = \"primary\"\n");
    }
}

/// Kb/s that all streams need together.
fn together(answers: &Answers) -> u64 {
    let count = u64::try_from(answers.platforms.len()).unwrap_or(1);
    let media = answers.video_kbps.saturating_add(answers.audio_kbps).saturating_mul(count);
    media.saturating_mul(1545).div_ceil(1000)
}
