//! A policy file as it is written: every part may be missing, because layers add up.
//! Strict serde, keyed tables, no `flatten` and no `untagged`: a misspelt key keeps its place.

use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::again::Again;
use super::pace::Pace;
use super::provenance::Provenance;
use super::provider::ProviderDraft;
use super::redaction::Redaction;
use super::signatures::SignaturesDraft;
use super::validity::Validity;
use super::waiver::{WaiverDraft, WaiverRulesDraft};
use crate::model::{
    Area, CheckId, Enforcement, FarEndName, Limits, Loosened, PathName, Pin, Role, SecretSource, StreamName,
    When,
};
use crate::probe::{Kind, Probe, Question, for_each_probe};

/// A golive policy: what IT and marketing agreed on before a live stream.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "golive policy")]
pub struct Draft {
    /// Always `"golive-policy/1"`.
    #[schemars(extend("const" = super::SCHEMA))]
    pub schema: Option<String>,
    /// Layers that this file builds on, base first: paths relative to this file, or `builtin:NAME`.
    /// A later layer may tighten what an earlier one asks, never loosen it. A layer is pinned to
    /// its contents by `"NAME#sha256=DIGEST"`; `golive policy resolve` prints the digests.
    pub extends: Vec<String>,
    /// Where this file's facts are from, and by when they are to be read again.
    pub provenance: Option<Provenance>,
    /// The event.
    pub event: EventDraft,
    /// The roles that sign or answer.
    pub people: BTreeMap<Role, PersonDraft>,
    /// Exactly one role per area: `network = "it"`.
    pub accountable: BTreeMap<Area, Role>,
    /// Who project-manages the event, and whether a provider is appointed or why none is. It answers
    /// the `attest` questions that say `answered_by = "provider"`.
    pub provider: Option<ProviderDraft>,
    /// Who allowed the traffic; needed for every target that is not this machine itself.
    pub authorisation: Option<AuthorisationDraft>,
    /// Who must sign the report, and how.
    pub signatures: SignaturesDraft,
    /// What a redacted copy of the report replaces (`golive redact`).
    pub redaction: Redaction,
    /// How fast questions are asked: hundreds of ports at once want a larger number than the usual.
    pub pace: Pace,
    /// What a run that measures some checks again may take over of the others (`golive check --again`).
    pub again: Again,
    /// Ways out of the building.
    pub path: BTreeMap<PathName, PathDraft>,
    /// What will be sent.
    pub stream: BTreeMap<StreamName, StreamDraft>,
    /// Far ends: a `golive far-end` that IT runs elsewhere.
    pub far_end: BTreeMap<FarEndName, FarEndDraft>,
    /// What every check of a kind must keep, whatever its own table says.
    pub every: FloorTables,
    /// The checks: one `[[check.PROBE]]` table each.
    pub check: CheckTables,
    /// How long waivers may hold, and how often they may be renewed.
    pub waiver_rules: WaiverRulesDraft,
    /// Dated acceptances of one outcome by a named role.
    pub waiver: Vec<WaiverDraft>,
}

/// The event.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EventDraft {
    /// Its title.
    pub title: Option<String>,
    /// When it starts: a date-time with offset, without quotes.
    pub starts: Option<When>,
    /// When it ends: a date-time with offset, without quotes.
    pub ends: Option<When>,
    /// The time zone of the place, such as `Europe/Berlin` (default: the offset of `starts`):
    /// `same_slot` counts weekday and hour in it.
    pub time_zone: Option<String>,
    /// Where it takes place.
    pub venue: Option<String>,
    /// Marketing's objective, in one sentence.
    pub objective: Option<String>,
    /// The change request that the report belongs to.
    pub change: Option<String>,
    /// The way back: who stops the stream, and how.
    pub way_back: Option<String>,
}

/// Somebody who signs or answers.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonDraft {
    /// Name.
    #[schemars(with = "String")]
    pub name: Option<String>,
    /// Public key, OpenSSH format: the line of a `.pub` file. Ed25519 or ECDSA. Where it is given,
    /// nothing but a signature by it is this role's decision: a name or a ticket alone is none.
    pub key: Option<String>,
    /// Until when that key may sign: a date-time with offset, without quotes.
    pub key_until: Option<When>,
}

/// Who allowed the traffic.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorisationDraft {
    /// The role.
    #[schemars(with = "Role")]
    pub by: Option<Role>,
    /// When probing is allowed; always, when absent.
    pub window: Option<WindowDraft>,
    /// Ticket or mail that says so.
    pub reference: Option<String>,
}

/// From when to when.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowDraft {
    /// First instant: a date-time with offset, without quotes.
    #[schemars(with = "When")]
    pub from: Option<When>,
    /// Last instant: a date-time with offset, without quotes.
    #[schemars(with = "When")]
    pub to: Option<When>,
}

/// A way out of the building: an interface, a source address, or both.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PathDraft {
    /// Interface to bind to, such as `eth0`.
    pub interface: Option<String>,
    /// Source address to bind to.
    pub source: Option<IpAddr>,
}

/// A stream that will be sent.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StreamDraft {
    /// Where to, without a key: `rtmps://host:443/app` or `srt://host:9000`.
    pub to: Option<String>,
    /// Video bit rate, kb/s. A later layer may raise it.
    pub video_kbps: Option<u64>,
    /// Audio bit rate, kb/s. A later layer may raise it.
    pub audio_kbps: Option<u64>,
    /// Factor on top of bit rate and protocol overhead, at least 1. A later layer may raise it.
    pub headroom: Option<f64>,
    /// Most video that the ingest takes, kb/s. A later layer may lower it.
    pub video_at_most_kbps: Option<u64>,
    /// Most audio that the ingest takes, kb/s. A later layer may lower it.
    pub audio_at_most_kbps: Option<u64>,
    /// SRT's latency, ms; 120, libsrt's default, when left out. A later layer may lower it.
    pub latency_ms: Option<u16>,
}

/// A far end.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FarEndDraft {
    /// `host:port` of its service.
    pub address: Option<String>,
    /// Pin of its key, as `golive far-end` prints it: `sha256:` and 64 hexadecimal digits.
    pub pin: Option<Pin>,
    /// Token that admits us: `{ env = "NAME" }` or `{ file = "PATH" }`.
    pub token: Option<SecretSource>,
}

/// One check: a question, its limits and how binding it is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckDraft<T, L> {
    /// Unique id, such as `ingest.primary`; a later layer tightens the check with the same id.
    #[schemars(with = "CheckId")]
    pub id: Option<CheckId>,
    /// What to ask. Supplied by one layer.
    pub target: Option<T>,
    /// What the answer is held against; an absent limit is not judged.
    pub limits: Option<L>,
    /// How binding it is. A later layer may only raise it.
    pub enforcement: Option<Enforcement>,
    /// The area that owns the remedy; `[accountable]` names its role.
    pub owner: Option<Area>,
    /// Why it is asked, for people.
    pub why: Option<String>,
    /// How long a reading holds, such as `"7d"`, `"12h"` or `"30m"` (default: one day). A later
    /// layer may only shorten it.
    pub valid_for: Option<Validity>,
    /// Ask that it is measured at the event's weekday and hour, from one hour before its start to its
    /// end: at another time the outcome is a warning at best. A later layer may only ask it.
    pub same_slot: Option<bool>,
    /// The way out to measure (default: the system's).
    pub path: Option<PathName>,
}

/// What every check of a kind must keep: its own table may tighten it, never loosen it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FloorDraft<L> {
    /// Limits that hold for each check of this kind.
    pub limits: Option<L>,
    /// Longest time that a reading may hold.
    pub valid_for: Option<Validity>,
}

/// A check's parts that do not depend on its kind.
#[derive(Debug, Clone)]
pub struct Row {
    /// Position among the tables of its kind in its file.
    pub index: usize,
    /// Unique id.
    pub id: Option<CheckId>,
    /// Question and limits.
    pub asked: Asked,
    /// How binding it is.
    pub enforcement: Option<Enforcement>,
    /// The area that owns the remedy.
    pub owner: Option<Area>,
    /// Why it is asked.
    pub why: Option<String>,
    /// How long a reading holds.
    pub valid_for: Option<Validity>,
    /// Measured at the event's weekday and hour.
    pub same_slot: Option<bool>,
    /// The way out.
    pub path: Option<PathName>,
}

/// What every check of one kind must keep.
#[derive(Debug, Clone)]
pub struct Floor {
    /// The limits; never a target.
    pub asked: Asked,
    /// Longest time that a reading may hold.
    pub valid_for: Option<Validity>,
}

macro_rules! tables {
    ($($module:ident $Type:ident,)*) => {
        /// Checks by probe.
        #[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct CheckTables {
            $(#[doc = concat!("Checks of the `", stringify!($module), "` probe.")]
            pub $module: Vec<CheckDraft<
                <crate::probe::$module::$Type as Probe>::Target,
                <crate::probe::$module::$Type as Probe>::Limits,
            >>,)*
        }

        /// What every check of a kind must keep, by probe.
        #[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct FloorTables {
            $(#[doc = concat!("What every `", stringify!($module), "` check must keep.")]
            pub $module: Option<FloorDraft<<crate::probe::$module::$Type as Probe>::Limits>>,)*
        }

        impl CheckTables {
            /// All checks, by kind and then in the order of the file.
            pub fn rows(self) -> Vec<Row> {
                let mut rows = Vec::new();
                $(rows.extend(self.$module.into_iter().enumerate().map(|(index, check)| Row {
                    index,
                    id: check.id,
                    asked: Asked::$Type { target: check.target, limits: check.limits.unwrap_or_default() },
                    enforcement: check.enforcement,
                    owner: check.owner,
                    why: check.why,
                    valid_for: check.valid_for,
                    same_slot: check.same_slot,
                    path: check.path,
                }));)*
                rows
            }
        }

        impl FloorTables {
            /// All floors that the file has.
            pub fn rows(self) -> Vec<Floor> {
                let mut rows = Vec::new();
                $(rows.extend(self.$module.map(|floor| Floor {
                    asked: Asked::$Type { target: None, limits: floor.limits.unwrap_or_default() },
                    valid_for: floor.valid_for,
                }));)*
                rows
            }
        }

        /// A question whose target may still be missing.
        #[derive(Debug, Clone)]
        #[allow(clippy::large_enum_variant, reason = "a policy holds tens of questions, not thousands")]
        pub enum Asked {
            $(#[doc = concat!("Of `", stringify!($module), "`.")]
            $Type {
                /// What to ask.
                target: Option<<crate::probe::$module::$Type as Probe>::Target>,
                /// What the answer is held against.
                limits: <crate::probe::$module::$Type as Probe>::Limits,
            },)*
        }

        impl Asked {
            /// Nothing asked yet, of this kind.
            pub fn nothing(kind: Kind) -> Self {
                match kind { $(Kind::$Type => Self::$Type { target: None, limits: Default::default() },)* }
            }

            /// Which kind it is.
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$Type { .. } => Kind::$Type,)* }
            }

            /// True when a target is there.
            pub const fn has_target(&self) -> bool {
                match self { $(Self::$Type { target, .. } => target.is_some(),)* }
            }

            /// Takes over `later`'s limits where they tighten; those that loosen are returned.
            /// A `later` of another kind changes nothing.
            pub fn tighten(&mut self, later: &Self) -> Result<(), Vec<Loosened>> {
                match (self, later) {
                    $((Self::$Type { limits, .. }, Self::$Type { limits: later, .. }) => limits.tighten(later),)*
                    #[allow(unreachable_patterns, reason = "unreachable while there is one probe only")]
                    _ => Ok(()),
                }
            }

            /// Takes over `later`'s target; false when there is one already and it differs.
            pub fn supply(&mut self, later: &Self) -> bool {
                match (self, later) {
                    $((Self::$Type { target, .. }, Self::$Type { target: Some(later), .. }) => {
                        *target.get_or_insert_with(|| later.clone()) == *later
                    })*
                    _ => true,
                }
            }

            /// The question, once there is a target.
            pub fn question(self) -> Option<Question> {
                match self { $(Self::$Type { target, limits } => {
                    target.map(|target| Question::$Type { target, limits })
                })* }
            }
        }
    };
}

for_each_probe!(tables);
