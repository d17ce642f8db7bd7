//! What a watch asks, how often, and what it leaves out. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::model::{CheckId, Demand, Lane, PathName};
use crate::policy::{Check, Policy};
use crate::probe::{Kind, Light};
use crate::run::plan::Item;

/// The path whose checks are watched where a policy has one of this name and nobody named another.
pub const BACKUP: &str = "backup";
/// Most that one look may send, in bytes, and most that it may take: bounds that only a hostile peer comes
/// near to.
const MOST_SENT: u64 = 1 << 20;
const MOST_TAKEN: u64 = 8 << 20;

/// How the user wants it.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// How often each check is looked at.
    pub every: Duration,
    /// All looks together send at most so many bits per second, since what the stream needs is the way
    /// out: intervals grow until they keep to it.
    pub most_sent_bps: u64,
    /// The paths whose checks are looked at; the backup, else all, when empty.
    pub paths: Vec<PathName>,
}

/// What will be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchPlan {
    /// The policy with nothing but the questions that are asked, in the form in which they are.
    pub policy: Policy,
    /// Each of its checks, in its order.
    pub watched: Vec<Watched>,
    /// What is left out, in the order of the whole policy.
    pub left_out: Vec<LeftOut>,
    /// True when intervals had to grow to keep to [`Wish::most_sent_bps`].
    pub stretched: bool,
}

/// A check that is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// When it may run, and what one look costs at most.
    pub item: Item,
    /// How often it is looked at.
    pub every: Duration,
}

impl Watched {
    /// The same for the judge of a timeline.
    pub fn interval(&self) -> SignedDuration {
        SignedDuration::try_from(self.every).unwrap_or(SignedDuration::MAX)
    }
}

/// A check that is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The check.
    pub check: CheckId,
    /// Its kind.
    pub probe: Kind,
    /// Why.
    pub why: String,
}

impl WatchPlan {
    /// Plans a watch of a policy.
    pub fn new(policy: &Policy, wish: &Wish) -> Self {
        let paths = paths(policy, wish);
        let (mut checks, mut watched, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        for check in &policy.checks {
            match light(policy, check, &paths) {
                Ok((check, demand, at_least_s)) => {
                    let item = Item {
                        index: checks.len(),
                        check: check.id.clone(),
                        lane: check.question.kind().lane(),
                        demand,
                    };
                    let every = wish.every.max(Duration::from_secs(at_least_s.into()));
                    watched.push(Watched { item, every });
                    checks.push(check);
                }
                Err(why) => {
                    left_out.push(LeftOut { check: check.id.clone(), probe: check.question.kind(), why });
                }
            }
        }
        let stretched = stretch(&mut watched, wish.most_sent_bps);
        let waivers = Vec::new();
        Self { policy: Policy { checks, waivers, ..policy.clone() }, watched, left_out, stretched }
    }

    /// Bits per second that all looks send at most, and take at most were every answer as long as golive
    /// reads.
    pub fn most_bps(&self) -> [u64; 2] {
        [bps(&self.watched, |demand| demand.bytes_up), bps(&self.watched, |demand| demand.bytes_down)]
    }

    /// When the watch must end: the event's end or `--for`, and never after the authorisation; with what
    /// it ends by. `None` = when somebody stops it.
    pub fn ends(&self, lasting: Option<SignedDuration>, now: Timestamp) -> Option<(Timestamp, &'static str)> {
        let asked = match lasting {
            Some(lasting) => Some((now.saturating_add(lasting).unwrap_or(Timestamp::MAX), "--for")),
            None => self.policy.event.ends.as_ref().map(|ends| (ends.at(), "the event's end")),
        };
        let window = self.policy.authorisation.as_ref().and_then(|given| given.window.as_ref());
        let window = window.map(|window| (window.to.at(), "the end of the authorisation"));
        asked.into_iter().chain(window).min_by_key(|(at, _)| *at)
    }
}

fn paths(policy: &Policy, wish: &Wish) -> Vec<PathName> {
    if wish.paths.is_empty() {
        return policy.paths.keys().filter(|name| name.as_str() == BACKUP).cloned().collect();
    }
    wish.paths.clone()
}

/// The check as it is asked, with its cost; or why it is not.
fn light(policy: &Policy, check: &Check, paths: &[PathName]) -> Result<(Check, Demand, u32), String> {
    let Light { ask, at_least_s } = check.question.light()?;
    if let Some(path) = &check.path
        && !paths.is_empty()
        && !paths.contains(path)
    {
        let names: Vec<&str> = paths.iter().map(PathName::as_str).collect();
        return Err(format!("it goes out over {path}, and {} is watched", names.join(", ")));
    }
    let demand = ask.demand(&policy.far_ends);
    for (bytes, most, word) in [(demand.bytes_up, MOST_SENT, "send"), (demand.bytes_down, MOST_TAKEN, "take")]
    {
        if bytes > most {
            let kib = |bytes: u64| bytes >> 10;
            return Err(format!("one look could {word} {} KiB, and {} are the most", kib(bytes), kib(most)));
        }
    }
    // during the event it is the event's hour, and a rehearsal is watched at another on purpose
    Ok((Check { question: ask, same_slot: false, ..check.clone() }, demand, at_least_s))
}

fn bps(watched: &[Watched], bytes: fn(&Demand) -> u64) -> u64 {
    #[expect(clippy::cast_precision_loss, reason = "a look is bounded far below 2^52")]
    let each = |one: &Watched| bytes(&one.item.demand) as f64 * 8.0 / one.every.as_secs_f64().max(0.001);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive; `as` saturates")]
    let sum = watched.iter().map(each).sum::<f64>().ceil() as u64;
    sum
}

/// Makes intervals longer, all alike, until the looks keep to the budget; true when that was needed.
fn stretch(watched: &mut [Watched], most_bps: u64) -> bool {
    let sum = bps(watched, |demand| demand.bytes_up);
    if sum <= most_bps {
        return false;
    }
    #[expect(clippy::cast_precision_loss, reason = "a look is bounded far below 2^52")]
    let times = sum as f64 / most_bps.max(1) as f64;
    for one in watched {
        // up, so that rounding never goes over the budget
        let every = Duration::try_from_secs_f64((one.every.as_secs_f64() * times * 10.0).ceil() / 10.0);
        one.every = every.unwrap_or(Duration::MAX);
    }
    true
}

/// True while a check of this lane must run alone among those that measure delay.
pub const fn is_alone(lane: Lane) -> bool {
    matches!(lane, Lane::Delay)
}
