//! Sends, while the far end counts.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout, timeout_at};

use super::tally::Tally;
use super::{Attempt, Ending, Reading, SLOT_MS, Sender, Target};
use crate::model::{Cause, Contact, Failure, FarEnd, NotMeasured, WireText};
use crate::net::clock::Origin;
use crate::net::congestion;
use crate::net::dial;
use crate::net::failure::classify;
use crate::net::far_end::{Control, Lost, PATIENCE};
use crate::net::tcp_info;
use crate::probe::Env;
use crate::wire::control::{DATA_MAGIC, Ended, Reply, Request};

/// Seconds beyond the test's own that it may take at most.
pub(super) const SECONDS_MORE: f64 = 90.0;
/// No sign of life for so long ends the test: what OBS takes for a lost connection.
const DEAD: Duration = Duration::from_secs(15);
/// How long the far end's last word may take, since the line may be in an outage just then.
const LAST_WORD: Duration = Duration::from_secs(15);
/// The same when the run is being stopped.
const LAST_WORD_CANCELLED: Duration = Duration::from_secs(2);
/// Most that lies unsent in the kernel: little, so that a sender that stops has stopped.
const UNSENT: u32 = 128 * 1024;
/// Most that is written at once.
const CHUNK: usize = 64 * 1024;
/// Random bytes that are sent over and over: what compresses would flatter.
const NOISE: usize = 1024 * 1024;
/// What may be sent at once beyond the even pace.
const BURST: u64 = 64 * 1024;

/// Bytes that the target allows to be written.
pub(super) fn byte_budget(target: &Target) -> u64 {
    // Kilobits a second are 125 bytes a second; two seconds more than asked, see `sending_time`.
    target
        .at_most_kbps
        .saturating_mul(125)
        .saturating_mul(u64::from(target.seconds) + 2)
        .saturating_add(BURST)
}

pub(super) async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let far_end = env.far_ends.get(&target.far_end).ok_or_else(|| {
        NotMeasured::new(
            Cause::FarEnd,
            format!("the policy has no far end {}", target.far_end),
            "add it to the policy",
        )
    })?;
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
    Cancelled,
    /// The far end's own word on it came early.
    Ended(Ended),
    /// The control connection was lost.
    Control(Lost),
    /// The data connection failed.
    Data(Failure),
    /// No sign of life for [`DEAD`].
    Silence,
}

struct Test<'a> {
    target: &'a Target,
    env: &'a Env,
    control: Control,
    stream: TcpStream,
    data: Contact,
    idle_rtt_ms: Vec<f64>,
    congestion: Option<String>,
    paced: bool,
    noise: Vec<u8>,
    tally: Tally,
    started: Instant,
    alive: Instant,
    written: u64,
    late: Duration,
    far_end_late_ms: Option<u64>,
}

impl<'a> Test<'a> {
    async fn prepare(target: &'a Target, env: &'a Env, far_end: &FarEnd) -> Result<Self, NotMeasured> {
        let mut control = Control::connect(far_end, &env.source, &env.origin).await?;
        let idle_rtt_ms = control.ping(10, Duration::from_millis(40)).await?;
        let budget = byte_budget(target);
        let seconds = target.seconds + 60;
        let (ticket, grant) = control.open_upload(seconds, budget.saturating_add(1024)).await?;
        if grant.bytes < budget || grant.seconds < target.seconds + 5 {
            let detail = format!(
                "the far end allows {} s and {} bytes a session; this test takes {} s and up to {budget} bytes",
                grant.seconds, grant.bytes, target.seconds
            );
            let remedy = "ask for less in the policy, or start `golive far-end` with larger caps";
            return Err(NotMeasured::new(Cause::FarEnd, detail, remedy));
        }
        let mut paced = false;
        let prepare = |socket: &socket2::Socket| {
            congestion::ask(socket, target.congestion);
            congestion::keep_unsent_below(socket, UNSENT);
            paced = congestion::pace(socket, target.at_most_kbps.saturating_mul(125));
        };
        let dialled = dial::tcp_with(control.remote(), &env.source, PATIENCE, &env.origin, prepare).await?;
        let dialled = dialled.map_err(|missed| {
            NotMeasured::new(
                Cause::FarEnd,
                format!("no data connection to {}: {}", control.remote(), missed.failure),
                "control was let through a moment before: ask the network team what limits connections to this host",
            )
        })?;
        let congestion = congestion::in_force(&socket2::SockRef::from(&dialled.stream));
        let mut noise = vec![0; NOISE];
        getrandom::fill(&mut noise).map_err(|error| {
            NotMeasured::new(Cause::Broken, format!("no random bytes: {error}"), "report this")
        })?;
        noise[..DATA_MAGIC.len()].copy_from_slice(&DATA_MAGIC);
        noise[DATA_MAGIC.len()..DATA_MAGIC.len() + 16].copy_from_slice(&ticket.0);
        let now = Instant::now();
        Ok(Self {
            target,
            env,
            control,
            stream: dialled.stream,
            data: dialled.contact,
            idle_rtt_ms,
            congestion,
            paced,
            noise,
            tally: Tally::default(),
            started: now,
            alive: now,
            written: 0,
            late: Duration::ZERO,
            far_end_late_ms: None,
        })
    }

    /// Slots that are asked for.
    fn wanted_slots(&self) -> usize {
        self.target.seconds as usize * 1000 / SLOT_MS as usize
    }

    /// A little longer than asked, so that every slot is full: the far end's clock starts half a
    /// round trip after ours.
    fn sending_time(&self) -> Duration {
        let slowest = self.idle_rtt_ms.iter().copied().fold(0.0, f64::max).min(1000.0);
        Duration::from_secs(self.target.seconds.into()) + Duration::from_secs_f64(0.3 + slowest / 1000.0)
    }

    /// Bytes that may have been written by now.
    fn allowance(&self) -> u64 {
        let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        // kb/s times ms is bits; a fiftieth more, so that the kernel's finer pacing rules.
        let even = self.target.at_most_kbps.saturating_mul(ms) / 8;
        let even = if self.paced { even.saturating_add(even / 50) } else { even };
        even.saturating_add(BURST).min(byte_budget(self.target))
    }

    async fn send(&mut self) -> Stop {
        let end = self.started + self.sending_time();
        let mut tick = interval(Duration::from_millis(SLOT_MS.into()));
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let room = usize::try_from(self.allowance().saturating_sub(self.written)).unwrap_or(usize::MAX);
            let pause = Instant::now() + Duration::from_millis(5);
            tokio::select! {
                () = self.env.cancel.cancelled() => return Stop::Cancelled,
                () = sleep_until(end) => return Stop::Done,
                due = tick.tick() => {
                    self.late = self.late.max(due.elapsed());
                    self.look();
                    if self.alive.elapsed() >= DEAD {
                        return Stop::Silence;
                    }
                }
                reply = self.control.next() => match reply {
                    Ok(Reply::Ended { how, late_ms, .. }) => {
                        self.far_end_late_ms = Some(late_ms);
                        return Stop::Ended(how);
                    }
                    Ok(reply) => self.hear(&reply),
                    Err(lost) => return Stop::Control(lost),
                },
                ready = self.stream.writable(), if room > 0 => {
                    if let Err(error) = ready.and_then(|()| self.write(room)) {
                        return Stop::Data(classify(&error));
                    }
                }
                () = sleep_until(pause), if room == 0 => {}
            }
        }
    }

    /// Writes what fits. The first bytes are magic and ticket; then noise, round and round.
    fn write(&mut self, room: usize) -> std::io::Result<()> {
        let at = usize::try_from(self.written % NOISE as u64).unwrap_or(0);
        let rest = self.noise.get(at..).unwrap_or_default();
        let chunk = rest.get(..room.min(CHUNK)).unwrap_or(rest);
        match self.stream.try_write(chunk) {
            Ok(count) => {
                self.written += count as u64;
                Ok(())
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Looks at the kernel's figures.
    fn look(&mut self) {
        let Some(info) = tcp_info::read(&self.stream) else { return };
        let offset_ms = self.started.elapsed().as_secs_f64() * 1000.0;
        if self.tally.kernel(offset_ms, info) {
            self.alive = Instant::now();
        }
        if let Some(rtt_ms) = info.rtt_ms {
            self.env.progress.sample("rtt_ms", self.env.origin.ms(), rtt_ms);
        }
    }

    fn hear(&mut self, reply: &Reply) {
        let (arrived, fresh) = self.tally.reply(reply, self.wanted_slots());
        if arrived {
            self.alive = Instant::now();
        }
        let start_ms = self.env.origin.ms_at(self.started.into_std());
        for (slot, bytes) in fresh {
            #[expect(clippy::cast_precision_loss, reason = "for the eye; both are far below 2^52")]
            let (offset_ms, kbps) =
                (start_ms + (slot + 1) as f64 * f64::from(SLOT_MS), bytes as f64 * 8.0 / f64::from(SLOT_MS));
            self.env.progress.sample("upload_kbps", offset_ms, kbps);
        }
    }

    /// Gets the far end's last word, or finds out why there is none.
    async fn finish(&mut self, stop: Stop, far_end: &FarEnd) -> Ending {
        match stop {
            Stop::Done | Stop::Cancelled => {
                let cancelled = matches!(stop, Stop::Cancelled);
                let patience = if cancelled { LAST_WORD_CANCELLED } else { LAST_WORD };
                let heard = match self.control.send(&Request::Close {}).await {
                    Ok(()) => self.last_word(patience).await,
                    Err(lost) => Err(lost),
                };
                match heard {
                    _ if cancelled => Ending::Cancelled,
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
                Ok(Ok(reply)) => self.hear(&reply),
                Ok(Err(lost)) => return Err(lost),
                Err(_) => return Err(Lost { failure: Failure::TimedOut, detail: WireText::default() }),
            }
        }
    }

    /// The connection died without a word. Whether the far end is still there tells a line that
    /// failed from an instrument that did.
    async fn autopsy(&self, what: &str, far_end: &FarEnd) -> Ending {
        let silent_ms = self.alive.elapsed().as_secs_f64() * 1000.0;
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
        // What still lies unsent goes with the connection: the line is free from here on.
        let _ = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        self.tally.cut_to(self.wanted_slots());
        if self.tally.slots.is_empty() {
            return_nothing(&ending)?;
        }
        let last = self.tally.last.unwrap_or_default();
        let failed = self
            .control
            .missed
            .iter()
            .map(|missed| Attempt { contact: missed.contact.clone(), failure: Some(missed.failure) });
        let used = Attempt { contact: self.control.contact.clone(), failure: None };
        Ok(Reading {
            method: "one TCP connection, counted by the far end".to_owned(),
            far_end: self.target.far_end.clone(),
            attempts: failed.chain([used]).collect(),
            data: self.data,
            seen_as: self.tally.seen_as,
            asked_seconds: self.target.seconds,
            at_most_kbps: self.target.at_most_kbps,
            congestion_asked: self.target.congestion,
            congestion: self.congestion,
            slot_ms: SLOT_MS,
            arrived_bytes: self.tally.slots,
            gaps: self.tally.gaps,
            gaps_left_out: self.tally.gaps_left_out,
            idle_rtt_ms: self.idle_rtt_ms,
            loaded_rtt: self.tally.loaded_rtt,
            sender: Sender {
                written_bytes: self.written,
                sent_bytes: last.bytes_sent,
                resent_bytes: last.bytes_resent,
                busy_ms: last.busy_ms,
                receiver_limited_ms: last.receiver_limited_ms,
                late_ms: self.late.as_secs_f64() * 1000.0,
                paced: self.paced,
            },
            far_end_late_ms: self.far_end_late_ms,
            ending,
        })
    }
}

/// Nothing was counted: a question that could not be asked, unless it was the line that failed.
fn return_nothing(ending: &Ending) -> Result<(), NotMeasured> {
    let (why, remedy) = match ending {
        Ending::Cut { .. } | Ending::LineDead { .. } => return Ok(()),
        Ending::Cancelled => return Err(NotMeasured::cancelled()),
        Ending::Complete => {
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
