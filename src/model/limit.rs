//! Limits: what a policy asks of a reading. A later layer may tighten, never loosen.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Display};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The reading may not exceed this.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct AtMost<T>(pub T);

/// The reading may not fall below this.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct AtLeast<T>(pub T);

/// The reading must be this. Layers must agree on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Exactly<T>(pub T);

/// The reading must be one of these. A later layer may only take some away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct OneOf<T>(pub Vec<T>);

/// One limit: how a later layer's value combines with an earlier one.
pub trait Limit: Clone {
    /// True when `self`, from a later layer, asks less than `earlier`.
    fn loosens(&self, earlier: &Self) -> bool;
    /// `≤ 5`, `≥ 2`, `= "open"`.
    fn show(&self) -> String;
    /// Why nothing can meet it, if so (a negative bound, not a number).
    fn impossible(&self) -> Option<String>;
}

/// A value that a limit can bound.
pub trait Bound: Clone + PartialOrd + Display {
    /// Why no reading can stand against this bound, if so.
    fn nonsense(&self) -> Option<&'static str> {
        None
    }
}

impl Bound for u64 {}
impl Bound for u32 {}
impl Bound for jiff::Timestamp {}
impl Bound for f64 {
    fn nonsense(&self) -> Option<&'static str> {
        if !self.is_finite() {
            Some("is not a finite number")
        } else if *self < 0.0 {
            Some("is negative, which no reading can meet")
        } else {
            None
        }
    }
}

impl<T: Bound> Limit for AtMost<T> {
    fn loosens(&self, earlier: &Self) -> bool {
        self.0 > earlier.0
    }
    fn show(&self) -> String {
        format!("≤ {}", self.0)
    }
    fn impossible(&self) -> Option<String> {
        self.0.nonsense().map(|why| format!("{} {why}", self.0))
    }
}

impl<T: Bound> Limit for AtLeast<T> {
    fn loosens(&self, earlier: &Self) -> bool {
        self.0 < earlier.0
    }
    fn show(&self) -> String {
        format!("≥ {}", self.0)
    }
    fn impossible(&self) -> Option<String> {
        self.0.nonsense().map(|why| format!("{} {why}", self.0))
    }
}

impl<T: Clone + PartialEq + Debug> Limit for Exactly<T> {
    fn loosens(&self, earlier: &Self) -> bool {
        self.0 != earlier.0
    }
    fn show(&self) -> String {
        format!("= {:?}", self.0)
    }
    fn impossible(&self) -> Option<String> {
        None
    }
}

impl<T: Clone + PartialEq + Debug> Limit for OneOf<T> {
    fn loosens(&self, earlier: &Self) -> bool {
        self.0.iter().any(|value| !earlier.0.contains(value))
    }
    fn show(&self) -> String {
        format!("one of {:?}", self.0)
    }
    fn impossible(&self) -> Option<String> {
        self.0.is_empty().then(|| "an empty list allows nothing".to_owned())
    }
}

/// A later layer asks less than an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loosened {
    /// The limit's key.
    pub field: &'static str,
    /// What the earlier layer asks.
    pub earlier: String,
    /// What the later layer asks.
    pub later: String,
}

/// One limit for display.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LimitRow {
    /// The limit's key, such as `handshake_ms`.
    pub field: String,
    /// `≤ 1500`.
    pub bound: String,
}

/// All limits of one probe: a struct of optional limits, made by [`limits!`](crate::limits).
pub trait Limits:
    Debug + Clone + Default + PartialEq + Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static
{
    /// Takes over each limit of `later` that is set; an error lists those that would loosen.
    fn tighten(&mut self, later: &Self) -> Result<(), Vec<Loosened>>;
    /// The limits that are set.
    fn rows(&self) -> Vec<LimitRow>;
    /// Limits that nothing can meet: key and why.
    fn impossible(&self) -> BTreeMap<&'static str, String>;
    /// Key of every limit, set or not.
    fn fields() -> &'static [&'static str];
}

impl Display for Loosened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {} loosens the earlier {}", self.field, self.later, self.earlier)
    }
}

/// Declares a probe's limits: each field an optional [`Limit`], absent = not judged.
///
/// ```
/// use golive::model::{AtMost, Limits};
/// golive::limits! {
///     /// Limits of an example.
///     pub struct Example {
///         /// Longest answer, ms.
///         pub answer_ms: AtMost<f64>,
///     }
/// }
/// let mut earlier = Example { answer_ms: Some(AtMost(50.0)) };
/// assert!(earlier.tighten(&Example { answer_ms: Some(AtMost(80.0)) }).is_err());
/// assert!(earlier.tighten(&Example { answer_ms: Some(AtMost(20.0)) }).is_ok());
/// assert_eq!(earlier.answer_ms, Some(AtMost(20.0)));
/// ```
#[macro_export]
macro_rules! limits {
    ($(#[$doc:meta])* pub struct $Name:ident { $($(#[$fdoc:meta])* pub $field:ident: $Limit:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct $Name {
            $($(#[$fdoc])* #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<$Limit>,)*
        }

        impl $crate::model::Limits for $Name {
            fn tighten(&mut self, later: &Self) -> Result<(), Vec<$crate::model::Loosened>> {
                #[allow(unused_imports, unused_mut, reason = "a probe may have no limits")]
                use $crate::model::limit::Limit as _;
                let mut loosened = Vec::<$crate::model::Loosened>::new();
                $(match (&self.$field, &later.$field) {
                    (Some(earlier), Some(new)) if new.loosens(earlier) => loosened.push($crate::model::Loosened {
                        field: stringify!($field), earlier: earlier.show(), later: new.show(),
                    }),
                    (_, Some(new)) => self.$field = Some(new.clone()),
                    _ => {}
                })*
                if loosened.is_empty() { Ok(()) } else { Err(loosened) }
            }

            fn rows(&self) -> Vec<$crate::model::LimitRow> {
                #[allow(unused_imports, reason = "a probe may have no limits")]
                use $crate::model::limit::Limit as _;
                let rows: Vec<Option<$crate::model::LimitRow>> = vec![$(self.$field.as_ref().map(|limit| {
                    $crate::model::LimitRow { field: stringify!($field).to_owned(), bound: limit.show() }
                })),*];
                rows.into_iter().flatten().collect()
            }

            fn impossible(&self) -> std::collections::BTreeMap<&'static str, String> {
                #[allow(unused_imports, reason = "a probe may have no limits")]
                use $crate::model::limit::Limit as _;
                let all: Vec<Option<(&'static str, String)>> = vec![
                    $(self.$field.as_ref().and_then(|limit| limit.impossible()).map(|why| (stringify!($field), why))),*
                ];
                all.into_iter().flatten().collect()
            }

            fn fields() -> &'static [&'static str] {
                &[$(stringify!($field)),*]
            }
        }
    };
}
