//! One enum over all probes, made from the list in `probe/mod.rs`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{About, Env, Light, Probe, Problem, for_each_probe};
use crate::model::{
    Code, Demand, FarEnd, FarEndName, Finding, Lane, LimitRow, Limits, NotMeasured, Series, Stakes,
};

macro_rules! registry {
    ($($module:ident $Type:ident,)*) => {
        /// A kind of question.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Kind {
            $(#[doc = concat!("`", stringify!($module), "`")] $Type,)*
        }

        impl Kind {
            /// Every kind, in the order in which people read them.
            pub const ALL: &'static [Self] = &[$(Self::$Type),*];

            /// The word in policies.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$Type => super::$module::$Type::NAME,)* }
            }

            /// When most of the kind may run beside others.
            pub const fn lane(self) -> Lane {
                match self { $(Self::$Type => super::$module::$Type::LANE,)* }
            }

            /// What it is, for people.
            pub const fn about(self) -> About {
                match self { $(Self::$Type => super::$module::$Type::ABOUT,)* }
            }

            /// What viewers would notice if the event went ahead although a check fails.
            pub const fn viewers(self) -> &'static str {
                match self { $(Self::$Type => super::$module::$Type::VIEWERS,)* }
            }

            /// Its finding codes.
            pub const fn codes(self) -> &'static [Code] {
                match self { $(Self::$Type => super::$module::$Type::CODES,)* }
            }

            /// The pages of its finding codes ([`crate::model::Page::all`]).
            pub const fn pages(self) -> &'static str {
                match self { $(Self::$Type => super::$module::$Type::PAGES,)* }
            }

            /// Keys of its limits.
            pub fn limit_fields(self) -> &'static [&'static str] {
                match self { $(Self::$Type => <super::$module::$Type as Probe>::Limits::fields(),)* }
            }
        }

        /// What to ask and what to hold the answer against.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        #[allow(clippy::large_enum_variant, reason = "a policy holds tens of questions, not thousands")]
        pub enum Question {
            $(#[doc = concat!("Of [`super::", stringify!($module), "`].")]
            $Type {
                /// What to ask.
                target: <super::$module::$Type as Probe>::Target,
                /// What the answer is held against.
                limits: <super::$module::$Type as Probe>::Limits,
            },)*
        }

        impl Question {
            /// Which kind it is.
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$Type { .. } => Kind::$Type,)* }
            }

            /// When it may run beside others.
            pub fn lane(&self) -> Lane {
                match self { $(Self::$Type { target, .. } => super::$module::$Type::lane(target),)* }
            }

            /// The target in a few words: escaped, at most 160 characters, never a secret.
            pub fn brief(&self) -> String {
                super::brief::bounded(&match self {
                    $(Self::$Type { target, .. } => super::$module::$Type::brief(target),)*
                })
            }

            /// What measuring will cost at most.
            pub fn demand(&self, far_ends: &BTreeMap<FarEndName, FarEnd>) -> Demand {
                match self { $(Self::$Type { target, .. } => super::$module::$Type::demand(target, far_ends),)* }
            }

            /// Mistakes that the types cannot express.
            pub fn problems(&self, far_ends: &BTreeMap<FarEndName, FarEnd>, stakes: &Stakes) -> Vec<Problem> {
                match self { $(Self::$Type { target, limits } => {
                    super::$module::$Type::problems(target, limits, far_ends, stakes)
                })* }
            }

            /// Fills what the policy leaves open from the event's facts.
            pub fn derive(&mut self, stakes: &Stakes) {
                match self { $(Self::$Type { target, limits } => super::$module::$Type::derive(target, limits, stakes),)* }
            }

            /// As a watch may ask it, or why it may not ([`Probe::light`]).
            pub fn light(&self) -> Result<Light<Self>, &'static str> {
                match self { $(Self::$Type { target, limits } => {
                    let Light { ask, at_least_s } = super::$module::$Type::light(target)?;
                    Ok(Light { ask: Self::$Type { target: ask, limits: limits.clone() }, at_least_s })
                })* }
            }

            /// The limits that are set.
            pub fn limit_rows(&self) -> Vec<LimitRow> {
                match self { $(Self::$Type { limits, .. } => limits.rows(),)* }
            }

            /// Limits that nothing can meet: key and why.
            pub fn impossible(&self) -> BTreeMap<&'static str, String> {
                match self { $(Self::$Type { limits, .. } => limits.impossible(),)* }
            }

            /// Holds a reading against this question's limits; `None` when the reading is of
            /// another kind (a report put together wrongly).
            pub fn judge(&self, reading: &Reading) -> Option<Vec<Finding>> {
                match (self, reading) {
                    $((Self::$Type { limits, .. }, Reading::$Type(reading)) => {
                        Some(super::$module::$Type::judge(limits, reading))
                    })*
                    #[allow(unreachable_patterns, reason = "unreachable while there is one probe only")]
                    _ => None,
                }
            }
        }

        impl Question {
            /// Series worth drawing; none when the reading is of another kind.
            pub fn series(&self, reading: &Reading) -> Vec<Series> {
                match (self, reading) {
                    $((Self::$Type { limits, .. }, Reading::$Type(reading)) => {
                        super::$module::$Type::series(limits, reading)
                    })*
                    #[allow(unreachable_patterns, reason = "unreachable while there is one probe only")]
                    _ => Vec::new(),
                }
            }
        }

        /// What a probe saw.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        #[expect(clippy::large_enum_variant, reason = "a run holds tens of readings, not thousands")]
        pub enum Reading {
            $(#[doc = concat!("Of [`super::", stringify!($module), "`].")]
            $Type(<super::$module::$Type as Probe>::Reading),)*
        }

        impl Reading {
            /// Which kind it is.
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$Type(_) => Kind::$Type,)* }
            }

            /// When its truth dates from, if not from when it was measured.
            pub fn as_of(&self) -> Option<jiff::Timestamp> {
                match self { $(Self::$Type(reading) => super::$module::$Type::as_of(reading),)* }
            }

            /// Until when it counts by its own account, if it says so.
            pub fn until(&self) -> Option<jiff::Timestamp> {
                match self { $(Self::$Type(reading) => super::$module::$Type::until(reading),)* }
            }
        }

        /// Asks a question.
        pub async fn measure(question: &Question, env: &Env) -> Result<Reading, NotMeasured> {
            match question { $(
                Question::$Type { target, .. } => super::$module::$Type::measure(target, env).await.map(Reading::$Type),
            )* }
        }
    };
}

for_each_probe!(registry);

/// Name and page of every probe, for help and README.
pub fn catalogue() -> impl Iterator<Item = (Kind, About)> {
    Kind::ALL.iter().map(|kind| (*kind, kind.about()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_and_named_after_their_probe() {
        let mut seen = BTreeSet::new();
        for kind in Kind::ALL {
            assert!(!kind.codes().is_empty(), "{} has no codes", kind.name());
            for code in kind.codes() {
                assert!(code.id.starts_with(&format!("{}.", kind.name())), "{}", code.id);
                assert!(seen.insert(code.id), "{} is declared twice", code.id);
                assert!(!code.means.is_empty());
            }
        }
    }

    #[test]
    fn a_probe_is_named_like_its_folder() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }
}
