//! The policy: what IT and marketing agreed on. TOML layers become one checked [`Policy`].

mod acceptance;
mod accountable;
mod again;
mod answers;
mod authorise;
mod check;
mod close_out;
mod dates;
mod diagnostic;
mod diff;
mod draft;
mod event;
mod facts;
mod keyed;
mod layer;
mod limits;
mod names;
mod nearest;
mod open;
mod parse;
mod provenance;
mod provider;
mod remarks;
mod pace;
mod redaction;
mod resolve;
mod rule;
mod schema;
mod shape;
mod signatures;
mod slot;
mod source;
mod stack;
mod stream;
mod text;
mod validity;
mod waiver;
mod wording;

pub use again::Again;
pub use answers::{answers, misfit};
pub use authorise::{NotAuthorised, authorise};
pub use close_out::{CloseOut, TITLE as CLOSE_OUT_TITLE, close_out};
pub use diagnostic::{Diagnostic, Diagnostics};
pub use diff::diff;
pub use event::{Authorisation, Event, Person, Route, Stream, Window};
pub(crate) use nearest::hint;
pub use open::{Open, OpenStream, left_open};
pub use pace::Pace;
pub use provenance::Provenance;
pub use provider::Provider;
pub use redaction::{Redaction, Sensitive};
pub use remarks::remarks;
pub use schema::{schema, schema_file};
pub use signatures::{Level, Revoked, Signatures};
pub use slot::Slot;
pub use source::{BUILTINS, Disk, Files, MAX_FILE};
pub use text::Place;
pub use waiver::{Accepts, Waiver};

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Area, CheckId, Enforcement, FarEnd, FarEndName, PathName, Role, Stakes, StreamName};
use crate::probe::Question;

/// The `schema` that a policy file must name.
pub const SCHEMA: &str = "golive-policy/1";

/// A checked policy: every id resolves, every limit can be met, nothing is empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Policy {
    /// [`SCHEMA`].
    pub schema: String,
    /// The event.
    pub event: Event,
    /// Roles that sign or answer.
    pub people: BTreeMap<Role, Person>,
    /// Exactly one role per area.
    pub accountable: BTreeMap<Area, Role>,
    /// Who project-manages, and whether a provider is appointed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// Who allowed the traffic, and when; needed beyond loopback.
    pub authorisation: Option<Authorisation>,
    /// Who must sign the report, and how.
    #[serde(default, skip_serializing_if = "Signatures::is_default")]
    pub signatures: Signatures,
    /// What a redacted copy of the report replaces.
    #[serde(default, skip_serializing_if = "Redaction::is_default")]
    pub redaction: Redaction,
    /// How fast questions are asked.
    #[serde(default, skip_serializing_if = "Pace::is_default")]
    pub pace: Pace,
    /// What a run that measures some checks again may take over of the others.
    #[serde(default, skip_serializing_if = "Again::is_default")]
    pub again: Again,
    /// Ways out of the building.
    pub paths: BTreeMap<PathName, Route>,
    /// What will be sent.
    pub streams: BTreeMap<StreamName, Stream>,
    /// Far ends.
    pub far_ends: BTreeMap<FarEndName, FarEnd>,
    /// The checks, in the order of the files.
    pub checks: Vec<Check>,
    /// Dated acceptances.
    pub waivers: Vec<Waiver>,
    /// The files that it was made from, base first.
    pub layers: Vec<Layer>,
    /// What made it a close-out; none for a policy as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close_out: Option<CloseOut>,
}

/// One question with its limits and how binding it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Unique id.
    pub id: CheckId,
    /// The way out to measure; `None` = the system's default.
    pub path: Option<PathName>,
    /// What to ask and what to hold the answer against.
    pub question: Question,
    /// How binding it is.
    pub enforcement: Enforcement,
    /// The area that owns the remedy.
    pub owner: Area,
    /// Why it is asked, for people.
    pub why: String,
    /// How long a reading holds, in seconds.
    pub valid_for_s: u64,
    /// It must be measured at the event's weekday and hour.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same_slot: bool,
}

impl Check {
    /// How long a reading holds.
    pub fn valid_for(&self) -> SignedDuration {
        SignedDuration::try_from(Duration::from_secs(self.valid_for_s)).unwrap_or(SignedDuration::MAX)
    }
}

/// One file of the stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Layer {
    /// File name as given, or `builtin:NAME`.
    pub name: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// Where its facts are from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
}

/// Reads and checks the policy at `path`, a file or `builtin:NAME`, with all that it extends.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn load(path: &Path) -> Result<Policy, Diagnostics> {
    load_from(path, &Disk)
}

/// Reads a layer that is no policy by itself (a baseline, a platform): its words and its
/// limits must be right and must not loosen what it extends; what it leaves open is left open.
///
/// # Errors
/// As [`load`], but for what is missing.
pub fn load_layer(path: &Path, files: &dyn Files) -> Result<Vec<Layer>, Diagnostics> {
    let stack::Stack { layers, heads, mut errors, lost } =
        stack::Stack::read(&source::Address::new(path), files);
    if !lost {
        layer::merge(&layers, &mut errors);
    }
    if errors.is_empty() { Ok(heads) } else { Err(Diagnostics::sorted(errors, &heads)) }
}

/// The policy at `path` with all its layers as one file, each value with the place that it
/// comes from in a comment; secrets are left out.
///
/// # Errors
/// As [`load`].
pub fn resolve(path: &Path, files: &dyn Files) -> Result<String, Diagnostics> {
    let (policy, places) = read(path, files)?;
    Ok(resolve::render(&policy, &places))
}

/// As [`load`], reading files through `files`.
pub fn load_from(path: &Path, files: &dyn Files) -> Result<Policy, Diagnostics> {
    read(path, files).map(|(policy, _)| policy)
}

/// Key in the merged policy (checks by id) → file and line of its value.
type Places = BTreeMap<text::KeyPath, Place>;

fn read(path: &Path, files: &dyn Files) -> Result<(Policy, Places), Diagnostics> {
    let stack::Stack { layers, heads, mut errors, lost } =
        stack::Stack::read(&source::Address::new(path), files);
    if lost || layers.iter().any(|layer| layer.fatal) {
        return Err(Diagnostics::sorted(errors, &heads));
    }
    let merged = layer::merge(&layers, &mut errors);
    let policy = check::check(&merged, &layers, heads.clone(), &mut errors);
    if !errors.is_empty() {
        return Err(Diagnostics::sorted(errors, &heads));
    }
    let place = |(layer, path): &layer::Origin| layers[*layer].text.value(path);
    let places = merged.origins.iter().map(|(key, origin)| (key.clone(), place(origin))).collect();
    Ok((policy, places))
}

impl Policy {
    /// The same with its layers under the names that they have in `then`, if they are the same files: a
    /// policy is reached by other paths from other folders.
    #[must_use]
    pub fn named_as(mut self, then: &Self) -> Self {
        let digests =
            |policy: &Self| policy.layers.iter().map(|layer| layer.sha256.clone()).collect::<Vec<_>>();
        if digests(&self) == digests(then) {
            self.layers.clone_from(&then.layers);
        }
        self
    }

    /// The check with this id.
    pub fn check(&self, id: &CheckId) -> Option<&Check> {
        self.checks.iter().find(|check| &check.id == id)
    }

    /// Facts from which limits are derived.
    pub fn stakes(&self) -> Stakes {
        let (starts, ends) = (self.event.starts.as_ref(), self.event.ends.as_ref());
        let seconds = starts.zip(ends).map(|(starts, ends)| ends.at().duration_since(starts.at()).as_secs());
        Stakes {
            event_ends: ends.map(crate::model::When::at),
            event_seconds: seconds.and_then(|seconds| u64::try_from(seconds).ok()).filter(|s| *s > 0),
            streams: self.streams.iter().map(|(name, stream)| (name.clone(), stream.need())).collect(),
        }
    }
}
