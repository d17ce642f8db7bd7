//! What becomes of each packet of one way, and when: pure, with time as an argument.

use crate::wan::bottleneck::{Bottleneck, bits};
use crate::wan::dice::Dice;
use crate::wan::line::{Bursts, Jitter, Outage, Policer, Way};

/// What becomes of a packet. Times are in ns since the line's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Never arrives.
    Lost(Cause),
    /// Comes out then, maybe twice.
    Arrives { at: u64, twice: bool },
}

/// Why a packet never arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    TooBig,
    Policed,
    QueueFull,
    Outage,
    Burst,
    Chance,
}

/// One way.
#[derive(Clone, Debug)]
pub struct Pipeline {
    black_hole: Option<u64>,
    policing: Option<Policing>,
    bottleneck: Bottleneck,
    cuts: Vec<Cut>,
    bursting: Option<Bursting>,
    loss_percent: f64,
    delay: u64,
    jitter: Option<Jitter>,
    duplicate_percent: f64,
    chance: Dice,
    jitter_dice: Dice,
    duplicates: Dice,
    /// How many came.
    number: u64,
    /// Of those that keep their order, when the last comes out.
    last: u64,
}

impl Pipeline {
    pub fn new(way: &Way, seed: u64) -> Result<Self, String> {
        if way.jitter.is_some_and(|jitter| jitter.reorder && jitter.every_ms.is_some()) {
            return Err("jitter that reorders is drawn for each packet: no every_ms".to_owned());
        }
        let bursting = way.loss.bursts.map(|bursts| Bursting::new(bursts, seed)).transpose()?;
        Ok(Self {
            black_hole: way.mtu_black_hole.map(|bytes| bytes as u64),
            policing: way.policer.map(Policing::new),
            bottleneck: Bottleneck::new(way)?,
            cuts: way.outages.0.iter().map(Cut::new).collect::<Result<_, _>>()?,
            bursting,
            loss_percent: way.loss.percent,
            delay: nanoseconds(way.delay_ms / 1e3),
            jitter: way.jitter,
            duplicate_percent: way.duplicate_percent,
            chance: Dice::new(seed, "chance"),
            jitter_dice: Dice::new(seed, "jitter"),
            duplicates: Dice::new(seed, "duplicates"),
            number: 0,
            last: 0,
        })
    }

    /// A packet of so many bytes comes now, not before the one before.
    pub fn packet(&mut self, now: u64, bytes: usize) -> Fate {
        let bytes = bytes as u64;
        self.number += 1;
        if self.black_hole.is_some_and(|most| bytes > most) {
            return Fate::Lost(Cause::TooBig);
        }
        if self.policing.as_mut().is_some_and(|policing| !policing.passes(now, bytes)) {
            return Fate::Lost(Cause::Policed);
        }
        let Some(left) = self.bottleneck.send(now, bytes) else {
            return Fate::Lost(Cause::QueueFull);
        };
        if self.cuts.iter().any(|cut| cut.covers(left)) {
            return Fate::Lost(Cause::Outage);
        }
        if self.bursting.as_mut().is_some_and(|bursting| bursting.takes(left, self.number)) {
            return Fate::Lost(Cause::Burst);
        }
        if self.chance.percent_at(self.loss_percent, self.number) {
            return Fate::Lost(Cause::Chance);
        }
        let twice = self.duplicates.percent_at(self.duplicate_percent, self.number);
        Fate::Arrives { at: self.arrival(left), twice }
    }

    fn arrival(&mut self, left: u64) -> u64 {
        let at = left + self.delay;
        let Some(jitter) = self.jitter else { return at };
        let most = jitter.ms / 1e3;
        if jitter.reorder {
            return at + nanoseconds(most * self.jitter_dice.unit_at(self.number));
        }
        let every = nanoseconds(jitter.every_ms.unwrap_or(jitter.ms) / 1e3).max(1);
        self.last = self.last.max(at + nanoseconds(most * self.jitter_dice.unit_at(left / every)));
        self.last
    }
}

/// Times out, in ns.
#[derive(Clone, Copy, Debug)]
struct Cut {
    first: u64,
    long: u64,
    every: Option<u64>,
}

impl Cut {
    fn new(outage: &Outage) -> Result<Self, String> {
        let every = outage.every_s.map(nanoseconds);
        let first = outage.at_s.map(nanoseconds).or(every).ok_or("an outage needs at_s or every_s")?;
        let long = nanoseconds(outage.for_s);
        if every.is_some_and(|every| every <= long) {
            return Err("an outage's for_s must be below its every_s".to_owned());
        }
        Ok(Self { first, long, every })
    }

    fn covers(&self, now: u64) -> bool {
        let since = now.checked_sub(self.first);
        since.is_some_and(|since| self.every.map_or(since, |every| since % every) < self.long)
    }
}

/// A token bucket, in bit·ns/s so that nothing is rounded.
#[derive(Clone, Debug)]
struct Policing {
    rate: u128,
    full: u128,
    holds: u128,
    then: u64,
}

impl Policing {
    fn new(policer: Policer) -> Self {
        let full = u128::from(policer.burst_bytes) * 8_000_000_000;
        Self { rate: u128::from(bits(policer.rate_mbps)), full, holds: full, then: 0 }
    }

    fn passes(&mut self, now: u64, bytes: u64) -> bool {
        let wanted = u128::from(bytes) * 8_000_000_000;
        self.holds = self.full.min(self.holds + self.rate * u128::from(now.saturating_sub(self.then)));
        self.then = now;
        let passes = self.holds >= wanted;
        if passes {
            self.holds -= wanted;
        }
        passes
    }
}

/// Good and bad times by turns, by the clock.
#[derive(Clone, Debug)]
struct Bursting {
    bursts: Bursts,
    clock: Dice,
    dice: Dice,
    bad: bool,
    until: u64,
}

impl Bursting {
    fn new(bursts: Bursts, seed: u64) -> Result<Self, String> {
        if bursts.for_ms / 1e3 >= bursts.every_s {
            return Err("a burst's for_ms must be below its every_s".to_owned());
        }
        let (clock, dice) = (Dice::new(seed, "bursts"), Dice::new(seed, "in a burst"));
        Ok(Self { bursts, clock, dice, bad: true, until: 0 })
    }

    /// Whether it takes a packet; `now` never goes back.
    fn takes(&mut self, now: u64, number: u64) -> bool {
        while self.until <= now {
            self.bad = !self.bad;
            let bad_mean = self.bursts.for_ms / 1e3;
            let mean = if self.bad { bad_mean } else { self.bursts.every_s - bad_mean };
            self.until += nanoseconds(self.clock.exponential(mean)).max(1);
        }
        self.bad && self.dice.percent_at(self.bursts.percent, number)
    }
}

fn nanoseconds(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64
}
