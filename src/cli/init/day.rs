//! The policy of the day of the show: the survey's checks under the same ids, in less than three minutes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::answers::Answers;
use super::document::{extends, facts, layers, quoted};
use super::ways::{self, OF_THE_DAY, OF_THE_DAY_S, Occasion};
use crate::cli::load::DEFAULT;
use crate::model::CheckId;
use crate::policy::{Check, Policy};
use crate::run::people::question;

/// Questions of the survey that are asked on the day, too, and how long an answer holds then: one that
/// every policy with a date must ask, and one about who is in the room.
const ASKED: [(&str, &str); 2] = [("governance.provider", "30d"), ("governance.stop", OF_THE_DAY)];

/// Where it is written: `show-day.toml` beside golive.toml, `NAME-show-day.toml` beside another NAME.toml.
pub(super) fn path(out: &Path) -> PathBuf {
    if out.file_name().is_some_and(|name| name == DEFAULT) {
        return out.with_file_name("show-day.toml");
    }
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    out.with_file_name(format!("{stem}-show-day.toml"))
}

/// The file, but for [`of_the_layers`].
pub(super) fn text(answers: &Answers, survey: &Policy, file: &Path, now: Timestamp) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name = crate::model::text::escape(&name);
    let mut out = format!(
        "# The day of the show, some two hours before, begun by `golive init`: the checks of the survey with the same
# ids, in less than three minutes, held against the survey's report:
#   golive check {name} --compare reports/RUN
# It does not replace the survey. Event, people and lines are the survey's: change them in both.
schema = \"golive-policy/1\"

{}",
        extends(&layers(answers))
    );
    facts(&mut out, answers, now);
    ways::write(&mut out, answers, Occasion::Day);
    out.push_str("\n# What people answer on the day, too.\n");
    for (id, valid_for) in ASKED {
        let check = CheckId::new(id).ok().and_then(|id| survey.check(&id));
        out.extend(check.and_then(|check| asked(check, valid_for)));
    }
    out
}

fn asked(check: &Check, valid_for: &str) -> Option<String> {
    let target = toml::Value::try_from(question(&check.question)?).ok()?;
    Some(format!(
        "[[check.attest]]\nid = {}\ntarget = {target}\nenforcement = {}\nowner = {}\nwhy = {}\nvalid_for = \"{valid_for}\"\n",
        quoted(check.id.as_str()),
        quoted(check.enforcement.word()),
        quoted(check.owner.as_str()),
        quoted(&check.why)
    ))
}

/// The end of the file, from what the rest comes to: the platforms' checks count for the day only if they
/// were measured on it.
pub(super) fn of_the_layers(rest: &Policy) -> String {
    let mut out = String::new();
    let longer = rest
        .checks
        .iter()
        .filter(|check| check.valid_for_s > OF_THE_DAY_S && question(&check.question).is_none());
    for check in longer {
        let (kind, id) = (check.question.kind().name(), quoted(check.id.as_str()));
        let _ = writeln!(out, "[[check.{kind}]]\nid = {id}\nvalid_for = \"{OF_THE_DAY}\"");
    }
    if out.is_empty() {
        out
    } else {
        format!("\n# The platform's checks count only if they were measured on the day.\n{out}")
    }
}
