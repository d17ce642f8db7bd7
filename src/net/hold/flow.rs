//! UDP flows that are held: busy ones, and idle ones that the far end sends to when their time is over.

use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::time::{sleep, sleep_until, timeout};

use super::stream::beats;
use super::{EVERY, Ground, Held, Hold, How};
use crate::model::{Contact, Failure, NotMeasured};
use crate::net::clock::Origin;
use crate::net::dial;
use crate::net::failure::classify;
use crate::wire::control::hold::{BEAT, Beat, PUSHED};

/// Datagrams that are sent to begin a flow or to see whether it is alive: some may be lost.
const TRIES: u32 = 3;

/// A flow's socket.
#[derive(Debug)]
pub struct UdpLine<'a> {
    ground: &'a Ground<'a>,
    slot: u8,
    socket: UdpSocket,
    next: u64,
    /// Addresses and times.
    pub contact: Contact,
}

/// What became of an idle flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Idle {
    /// Addresses and times.
    pub contact: Contact,
    /// Why the flow did not begin: nothing came back, or what the far end sent by itself did not come
    /// even at once.
    pub failure: Option<Failure>,
    /// For each time asked about: whether what the far end then sent came through.
    pub passed: Vec<(Duration, bool)>,
    /// Whether the flow went on when this side sent again.
    pub revived: bool,
}

impl<'a> UdpLine<'a> {
    async fn open(ground: &'a Ground<'a>, slot: u8) -> Result<Self, NotMeasured> {
        let offset_ms = ground.origin.ms();
        let socket = dial::udp(ground.remote, ground.source).await?;
        let local = socket.local_addr().ok();
        let contact = Contact { remote: ground.remote, local, offset_ms, took_ms: 0.0 };
        Ok(Self { ground, slot, socket, next: 0, contact })
    }

    async fn send(&mut self) -> Result<(), Failure> {
        let beat = Beat { ticket: self.ground.ticket, slot: self.slot, number: self.next };
        self.next += 1;
        self.socket.send(&beat.encode()).await.map(drop).map_err(|error| classify(&error))
    }

    /// The next datagram of this flow: its number.
    async fn hear(&self) -> Result<u64, Failure> {
        let mut room = [0; BEAT + 1];
        loop {
            let count = self.socket.recv(&mut room).await.map_err(|error| classify(&error))?;
            let beat = Beat::parse(room.get(..count).unwrap_or_default());
            if let Some(beat) =
                beat.filter(|beat| (beat.ticket, beat.slot) == (self.ground.ticket, self.slot))
            {
                return Ok(beat.number);
            }
        }
    }

    /// Waits for a datagram that fits.
    async fn await_one(&self, wait: Duration, fits: impl Fn(u64) -> bool) -> Result<(), Failure> {
        let wanted = async {
            while !fits(self.hear().await?) {}
            Ok(())
        };
        timeout(wait, wanted).await.unwrap_or(Err(Failure::TimedOut))
    }

    /// Sends, and waits for an answer to what was sent now.
    async fn look(&mut self, patience: Duration) -> Result<(), Failure> {
        let mut last = Err(Failure::TimedOut);
        let first = self.next;
        for _ in 0..TRIES {
            self.send().await?;
            last = self.await_one(patience / TRIES, |number| number >= first && number != PUSHED).await;
            if last != Err(Failure::TimedOut) {
                break;
            }
        }
        last
    }

    /// Has the far end send, and waits for it.
    async fn pushed(&self, patience: Duration) -> Result<bool, NotMeasured> {
        for _ in 0..TRIES {
            if !self.ground.push(self.slot).await? {
                return Ok(false);
            }
            if self.await_one(patience / TRIES, |number| number == PUSHED).await.is_ok() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Holds a flow with a datagram every [`EVERY`], and looks whether they come back.
///
/// # Errors
/// The path is not there.
pub async fn udp(ground: &Ground<'_>, slot: u8, plan: Hold) -> Result<Held, NotMeasured> {
    let mut line = UdpLine::open(ground, slot).await?;
    if let Err(failure) = line.look(plan.patience).await {
        return Ok(Held::never(line.contact, failure));
    }
    let (began, end) = (Origin::start(), Instant::now() + plan.hold);
    let mut held = Held::begins(line.contact.clone());
    let (mut beats, mut unanswered) = (beats(), 0);
    let most = plan.patience.as_millis().div_ceil(EVERY.as_millis());
    loop {
        tokio::select! {
            biased;
            heard = line.hear() => match heard {
                Ok(_) => (held.alive_ms, unanswered) = (began.ms(), 0),
                // ICMP about one datagram is not yet the end of the flow; it counts as no answer.
                Err(_) => sleep(EVERY).await,
            },
            () = sleep_until(end.into()) => break,
            _ = beats.tick() => {
                if unanswered >= most {
                    break;
                }
                unanswered += 1;
                let _ = line.send().await;
            }
        }
    }
    if unanswered >= most || line.look(plan.patience).await.is_err() {
        held.cut = Some((held.alive_ms, How::Silence));
    } else {
        held.alive_ms = began.ms();
    }
    held.contact.took_ms = ground.origin.ms() - held.contact.offset_ms;
    Ok(held)
}

/// Begins a flow, is silent for each of `times` in turn from the flow's last packet on, and has the far
/// end send then. Ends with the first that does not come through.
///
/// # Errors
/// The path is not there, or the far end can no longer be asked.
pub async fn idle(
    ground: &Ground<'_>,
    slot: u8,
    times: &[Duration],
    patience: Duration,
) -> Result<Idle, NotMeasured> {
    let mut line = UdpLine::open(ground, slot).await?;
    let mut idle = Idle { contact: line.contact.clone(), failure: None, passed: Vec::new(), revived: false };
    // The control: at once it must come through, or what follows says nothing.
    if let Err(failure) = line.look(patience).await {
        idle.failure = Some(failure);
    } else if !line.pushed(patience).await? {
        idle.failure = Some(Failure::TimedOut);
    }
    for &time in times.iter().take_while(|_| idle.failure.is_none()) {
        // A packet from inside begins the time anew: what came in from outside need not (RFC 4787, REQ-6).
        if let Err(failure) = line.look(patience).await {
            idle.failure = Some(failure);
            break;
        }
        sleep(time).await;
        let passed = line.pushed(patience).await?;
        idle.passed.push((time, passed));
        if !passed {
            break;
        }
    }
    if idle.failure.is_none() {
        idle.revived = line.look(patience).await.is_ok();
    }
    idle.contact.took_ms = ground.origin.ms() - idle.contact.offset_ms;
    Ok(idle)
}
