//! To a golive far end: it counts what arrives, and reports every 100 ms.

use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use super::beside::{Beside, SETTLED};
use super::load::{Load, Spent};
use super::{
    LAST_WORD, LAST_WORD_CANCELLED, attempts, byte_budget, connections, is_out_of_reach, of_load,
    sending_time, too_thin, wanted_slots,
};
use crate::model::{Cause, Failure, FarEnd, NotMeasured, WireText};
use crate::net::clock::Origin;
use crate::net::dial;
use crate::net::far_end::{Control, Lost, PATIENCE};
use crate::probe::Env;
use crate::probe::upload::tally::Tally;
use crate::probe::upload::{Ending, Packets, Reading, SLOT_MS, Target};
use crate::wire::control::{DATA_MAGIC, Ended, Reply, Request};

pub(super) async fn measure(target: &Target, env: &Env, far_end: &FarEnd) -> Result<Reading, NotMeasured> {
    let mut test = tokio::select! {
        () = env.cancel.cancelled() => return Err(NotMeasured::cancelled()),
        test = Test::prepare(target, env, far_end) => test?,
    };
    let stop = test.send().await;
    let ending = test.finish(stop, far_end).await;
    test.reading(ending)
}

/// Why sending stopped.
#[derive(Debug)]
enum Stop {
    Done,
    /// The rest could not change the answer.
    Certain,
    Cancelled,
    /// The far end's own word on it came early.
    Ended(Ended),
    /// The control connection was lost.
    Control(Lost),
    /// The data connection failed.
    Data(Failure),
    /// No sign of life.
    Silence,
}

struct Test<'a> {
    target: &'a Target,
    env: &'a Env,
    control: Control,
    load: Load<'a>,
    idle_rtt_ms: Vec<f64>,
    tally: Tally,
    beside: Beside,
    far_end_late_ms: Option<u64>,
}

impl<'a> Test<'a> {
    async fn prepare(target: &'a Target, env: &'a Env, far_end: &FarEnd) -> Result<Self, NotMeasured> {
        let mut control = Control::connect(far_end, &env.source, &env.origin).await?;
        let idle_rtt_ms = control.ping(10, Duration::from_millis(40)).await?;
        let budget = byte_budget(target);
        let seconds = target.seconds + 60;
        let (ticket, grant) =
            control.open_upload(seconds, budget.saturating_add(1024), target.streams).await?;
        if grant.bytes < budget || grant.seconds < target.seconds + 5 {
            let detail = format!(
                "the far end allows {} s and {} bytes a session; this test takes {} s and up to {budget} bytes",
                grant.seconds, grant.bytes, target.seconds
            );
            let remedy = "ask for less in the policy, or start `golive far-end` with larger caps";
            return Err(NotMeasured::new(Cause::FarEnd, detail, remedy));
        }
        let mut load = Load::new(target, env, SLOT_MS.into())?;
        let head = [&DATA_MAGIC[..], &ticket.0].concat();
        for _ in 0..target.streams {
            load.open(control.remote(), head.clone(), target).await?;
        }
        let before = control.ip_bytes_carried();
        load.start();
        Ok(Self {
            target,
            env,
            control,
            load,
            idle_rtt_ms,
            tally: Tally::default(),
            beside: Beside::new(env, far_end, target.seconds, target.at_most_kbps, before),
            far_end_late_ms: None,
        })
    }

    async fn send(&mut self) -> Stop {
        let end = self.load.started + sending_time(self.target, &self.idle_rtt_ms);
        let remote = self.control.remote();
        loop {
            tokio::select! {
                () = self.env.cancel.cancelled() => return Stop::Cancelled,
                reply = self.control.next() => match reply {
                    Ok(Reply::Ended { how, late_ms, .. }) => {
                        self.far_end_late_ms = Some(late_ms);
                        return Stop::Ended(how);
                    }
                    Ok(reply) => if self.hear(&reply) && is_out_of_reach(self.target, &self.tally.slots) {
                        return Stop::Certain;
                    },
                    Err(lost) => return Stop::Control(lost),
                },
                due = self.beside.next(remote) => if let Some(number) = due {
                    self.beside.pinged(number);
                    if let Err(lost) = self.control.send(&Request::Ping { n: number }).await {
                        return Stop::Control(lost);
                    }
                },
                spent = self.load.step(end) => match spent {
                    Some(Spent::Done) => return Stop::Done,
                    Some(Spent::Broken(failure)) => return Stop::Data(failure),
                    Some(Spent::Silence) => return Stop::Silence,
                    None => {}
                }
            }
        }
    }

    /// True at a report of what arrived.
    fn hear(&mut self, reply: &Reply) -> bool {
        if let Reply::Pong { n } = reply {
            self.beside.answered(*n);
        }
        self.beside.control_sent(self.control.ip_bytes_carried());
        let (arrived, fresh) = self.tally.reply(reply, wanted_slots(self.target));
        if arrived {
            self.load.alive = Instant::now();
        }
        if let Some(kbps) = self.tally.last_second_kbps() {
            self.beside.keep_to(kbps);
        }
        self.load.show(fresh);
        matches!(reply, Reply::Arrivals { .. })
    }

    /// Gets the far end's last word, or finds out why there is none.
    async fn finish(&mut self, stop: Stop, far_end: &FarEnd) -> Ending {
        match stop {
            Stop::Done | Stop::Certain | Stop::Cancelled => {
                let certain = matches!(stop, Stop::Certain);
                let cancelled = matches!(stop, Stop::Cancelled);
                let patience = if cancelled { LAST_WORD_CANCELLED } else { LAST_WORD };
                let heard = match self.control.send(&Request::Close {}).await {
                    Ok(()) => self.last_word(patience).await,
                    Err(lost) => Err(lost),
                };
                match heard {
                    _ if cancelled => Ending::Cancelled,
                    Ok(Ended::Closed) if certain => too_thin(self.target, Ending::Complete),
                    Ok(Ended::Closed) => Ending::Complete,
                    Ok(how) => ended(how),
                    Err(lost) => self.autopsy(&format!("control: {}", lost.failure), far_end).await,
                }
            }
            Stop::Ended(how) => ended(how),
            Stop::Control(lost) => self.autopsy(&format!("control: {}", lost.failure), far_end).await,
            Stop::Data(failure) => match self.last_word(LAST_WORD).await {
                Ok(how) => ended(how),
                Err(lost) => {
                    let what = format!("data: {failure}; control: {}", lost.failure);
                    self.autopsy(&what, far_end).await
                }
            },
            Stop::Silence => self.autopsy("nothing was acknowledged any more", far_end).await,
        }
    }

    async fn last_word(&mut self, patience: Duration) -> Result<Ended, Lost> {
        let deadline = Instant::now() + patience;
        loop {
            match timeout_at(deadline, self.control.next()).await {
                Ok(Ok(Reply::Ended { how, late_ms, .. })) => {
                    self.far_end_late_ms = Some(late_ms);
                    return Ok(how);
                }
                Ok(Ok(reply)) => {
                    self.hear(&reply);
                }
                Ok(Err(lost)) => return Err(lost),
                Err(_) => return Err(Lost { failure: Failure::TimedOut, detail: WireText::default() }),
            }
        }
    }

    /// The connection died without a word. Whether the far end is still there tells a line that
    /// failed from an instrument that did.
    async fn autopsy(&mut self, what: &str, far_end: &FarEnd) -> Ending {
        let silent_ms = self.load.silent_ms();
        let (env, origin) = (self.env, Origin::start());
        let again = dial::tcp(self.control.remote(), &env.source, PATIENCE, &origin);
        let dialled = tokio::select! {
            () = env.cancel.cancelled() => return Ending::Cancelled,
            dialled = again => dialled,
        };
        let detail = |found: &str| WireText::from(format!("{what}; {found}"));
        match dialled {
            Ok(Ok(_)) => match timeout(2 * PATIENCE, Control::connect(far_end, &env.source, &origin)).await {
                Ok(Ok(_)) => {
                    Ending::Cut { detail: detail("the far end is there and admits a new connection") }
                }
                Ok(Err(error)) => Ending::FarEndLost { detail: detail(&error.detail) },
                Err(_) => Ending::LineDead { silent_ms, detail: detail("a new connection went dead too") },
            },
            Ok(Err(missed)) => {
                let found = detail(&format!("a new connection: {}", missed.failure));
                match missed.failure {
                    Failure::Refused | Failure::Reset => Ending::FarEndLost { detail: found },
                    _ => Ending::LineDead { silent_ms, detail: found },
                }
            }
            Err(no_path) => Ending::LineDead { silent_ms, detail: detail(&no_path.detail) },
        }
    }

    fn reading(mut self, ending: Ending) -> Result<Reading, NotMeasured> {
        self.tally.cut_to(wanted_slots(self.target));
        if self.tally.slots.is_empty() {
            return_nothing(&ending)?;
        }
        let attempts = attempts(&self.control.missed, &self.control.contact);
        let settled_ms = SETTLED.as_secs_f64() * 1000.0;
        let own = self.load.kernel.loaded_rtt.iter().filter(|sample| sample.offset_ms >= settled_ms);
        let own: Vec<f64> = own.map(|sample| sample.rtt_ms).collect();
        let responsiveness = self.beside.found(&own);
        let beside = self.beside.took(self.tally.slots.len());
        let segment = self.load.kernel.last.and_then(|info| info.segment(self.control.remote()));
        let packets = segment.zip(beside).map(|((payload_bytes, packet_bytes), beside_bytes)| Packets {
            payload_bytes,
            packet_bytes,
            beside_bytes,
        });
        Ok(Reading {
            responsiveness,
            packets,
            method: format!("{}, counted by the far end", connections(self.target)),
            seen_as: self.tally.seen_as,
            arrived_bytes: self.tally.slots,
            gaps: self.tally.gaps,
            gaps_left_out: self.tally.gaps_left_out,
            idle_rtt_ms: self.idle_rtt_ms,
            far_end_late_ms: self.far_end_late_ms,
            ..of_load(self.load, self.target, attempts, ending)
        })
    }
}

/// Nothing was counted: a question that could not be asked, unless it was the line that failed.
fn return_nothing(ending: &Ending) -> Result<(), NotMeasured> {
    let (why, remedy) = match ending {
        Ending::Cut { .. } | Ending::LineDead { .. } => return Ok(()),
        Ending::Cancelled => return Err(NotMeasured::cancelled()),
        Ending::Complete | Ending::TooThin { .. } => {
            ("it reported no arrivals".to_owned(), "run the same version of golive on both sides")
        }
        Ending::FarEndEnded { why } => {
            (format!("it ended the session: {why}"), "look at what `golive far-end` logged")
        }
        Ending::FarEndLost { detail } => (format!("it went away: {detail}"), "start `golive far-end` again"),
    };
    Err(NotMeasured::new(Cause::FarEnd, format!("nothing was counted by the far end: {why}"), remedy))
}

fn ended(how: Ended) -> Ending {
    match how {
        Ended::Closed => Ending::FarEndEnded { why: WireText::from("it closed the session") },
        Ended::DataClosed => {
            Ending::Cut { detail: WireText::from("the far end saw the data connection closed") }
        }
        Ended::DataReset => {
            Ending::Cut { detail: WireText::from("the far end saw the data connection reset") }
        }
        Ended::Refused(why) => Ending::FarEndEnded { why: WireText::from(why.words()) },
    }
}
