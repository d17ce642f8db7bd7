//! A TCP connection that is held.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Interval, MissedTickBehavior, interval_at, sleep_until, timeout};

use super::{EVERY, Ground, Held, Hold, How, Load};
use crate::model::{Failure, NotMeasured};
use crate::net::clock::Origin;
use crate::net::dial;
use crate::net::failure::classify;
use crate::wire::control::hold::head;

/// What is sent to see whether a connection is alive.
const PROBE: [u8; 16] = *b"golive still up?";
/// Longest wait for a handshake.
const CONNECT: Duration = Duration::from_secs(5);

/// Opens a connection in a slot, holds it, and looks at its end whether it is alive.
///
/// # Errors
/// The path is not there.
pub async fn tcp(ground: &Ground<'_>, slot: u8, load: Load, plan: Hold) -> Result<Held, NotMeasured> {
    let remote: SocketAddr = ground.remote;
    let dialled = match dial::tcp(remote, ground.source, CONNECT, ground.origin).await? {
        Ok(dialled) => dialled,
        Err(undialled) => return Ok(Held::never(undialled.contact, undialled.failure)),
    };
    let mut line = Line { stream: dialled.stream, began: Origin::start(), sent: 0, came: 0, alive_ms: 0.0 };
    let mut held = Held::begins(dialled.contact);
    let started = Instant::now();
    let begun = async {
        line.stream.write_all(&head(&ground.ticket, slot)).await.map_err(|error| of(&error))?;
        line.look(plan.patience).await
    };
    if let Err(how) = begun.await {
        held.failure = Some(match how {
            How::Reset => Failure::Reset,
            How::Closed => Failure::Closed,
            How::Silence => Failure::TimedOut,
        });
        return Ok(held);
    }
    let outcome = match line.pass(started + plan.hold, load, plan).await {
        Ok(()) => line.look(plan.patience).await,
        cut => cut,
    };
    held.alive_ms = line.alive_ms;
    held.cut = outcome.err().map(|how| match how {
        // It died at some time after the last sign of life.
        How::Silence => (line.alive_ms, how),
        How::Reset | How::Closed => (line.began.ms(), how),
    });
    held.contact.took_ms = ground.origin.ms() - held.contact.offset_ms;
    Ok(held)
}

fn of(error: &std::io::Error) -> How {
    if classify(error) == Failure::Closed { How::Closed } else { How::Reset }
}

struct Line {
    stream: TcpStream,
    began: Origin,
    sent: u64,
    came: u64,
    alive_ms: f64,
}

impl Line {
    /// What has come back until now, at least one byte.
    async fn hear(&mut self) -> Result<(), How> {
        let mut room = [0; 4 * 1024];
        match self.stream.read(&mut room).await {
            Ok(0) => Err(How::Closed),
            Ok(count) => {
                self.came += count as u64;
                self.alive_ms = self.began.ms();
                Ok(())
            }
            Err(error) => Err(of(&error)),
        }
    }

    /// Sends something, and waits until all that was ever sent has come back.
    async fn look(&mut self, patience: Duration) -> Result<(), How> {
        self.stream.write_all(&PROBE).await.map_err(|error| of(&error))?;
        self.sent += PROBE.len() as u64;
        while self.came < self.sent {
            timeout(patience, self.hear()).await.map_err(|_| How::Silence)??;
        }
        Ok(())
    }

    /// Lets the time pass until `end`.
    async fn pass(&mut self, end: Instant, load: Load, plan: Hold) -> Result<(), How> {
        let mut beats = beats();
        let chunk = match load {
            Load::Idle => Vec::new(),
            Load::Busy(bytes) => vec![b'.'; bytes],
        };
        // Counted in sendings and not by the clock: a computer that stood still sends none.
        let most = plan.patience.as_millis().div_ceil(EVERY.as_millis());
        let mut unanswered = 0;
        loop {
            tokio::select! {
                biased;
                heard = self.hear() => {
                    heard?;
                    unanswered = 0;
                }
                () = sleep_until(end.into()) => return Ok(()),
                _ = beats.tick(), if load != Load::Idle => {
                    if unanswered >= most {
                        return Err(How::Silence);
                    }
                    unanswered += 1;
                    match timeout(EVERY, self.stream.write(&chunk)).await {
                        Ok(Ok(count)) => self.sent += count as u64,
                        Ok(Err(error)) => return Err(of(&error)),
                        Err(_) => {} // the send queue is full: nothing is acknowledged any more
                    }
                }
            }
        }
    }
}

/// The rhythm of a busy session.
pub(super) fn beats() -> Interval {
    let mut beats = interval_at(tokio::time::Instant::now() + EVERY, EVERY);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beats
}
