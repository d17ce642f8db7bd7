//! The data connections: filled within the target's cap, watched by the kernel's figures.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::task::Poll;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

use super::{BURST, DEAD, byte_budget, unsent};
use crate::model::{Cause, Contact, Failure, NotMeasured};
use crate::net::failure::classify;
use crate::net::far_end::PATIENCE;
use crate::net::noise::{CHUNK, Noise};
use crate::net::{congestion, dial, tcp_info};
use crate::probe::Env;
use crate::probe::upload::kernel::Kernel;
use crate::probe::upload::{Sender, Target};

/// Why sending ended.
#[derive(Debug)]
pub(super) enum Spent {
    /// It was sent as long as was asked.
    Done,
    /// A data connection failed.
    Broken(Failure),
    /// No sign of life for [`DEAD`].
    Silence,
}

/// One data connection.
#[derive(Debug)]
struct Stream {
    socket: TcpStream,
    /// What its bytes begin with.
    head: Vec<u8>,
    written: u64,
}

/// All data connections of a test.
#[derive(Debug)]
pub(super) struct Load<'a> {
    env: &'a Env,
    kbps: u64,
    budget: u64,
    streams: Vec<Stream>,
    contact: Option<Contact>,
    noise: Noise,
    tick: Interval,
    late: Duration,
    turn: usize,
    paced: bool,
    /// Bytes of heads that were sent before the start.
    before: u64,
    /// Congestion control in force on the first connection.
    pub(super) congestion: Option<String>,
    /// Where offsets count from.
    pub(super) started: Instant,
    /// When something was last acknowledged or reported.
    pub(super) alive: Instant,
    /// What the kernel told.
    pub(super) kernel: Kernel,
}

impl<'a> Load<'a> {
    /// Without connections yet. Looks at the kernel's figures every `look_ms`.
    pub(super) fn new(target: &Target, env: &'a Env, look_ms: u64) -> Result<Self, NotMeasured> {
        let noise = Noise::new().map_err(|error| {
            NotMeasured::new(Cause::Broken, format!("no random bytes: {error}"), "report this")
        })?;
        let mut tick = interval(Duration::from_millis(look_ms));
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let now = Instant::now();
        Ok(Self {
            env,
            kbps: target.at_most_kbps,
            budget: byte_budget(target),
            streams: Vec::new(),
            contact: None,
            noise,
            tick,
            late: Duration::ZERO,
            turn: 0,
            paced: true,
            before: 0,
            congestion: None,
            started: now,
            alive: now,
            kernel: Kernel::default(),
        })
    }

    /// Opens one more connection, whose bytes begin with `head`.
    pub(super) async fn open(
        &mut self,
        remote: SocketAddr,
        head: Vec<u8>,
        target: &Target,
    ) -> Result<(), NotMeasured> {
        // One connection may take all. Of several each may take twice its share.
        let share = target.at_most_kbps.saturating_mul(125) / u64::from(target.streams.div_ceil(2).max(1));
        let mut paced = false;
        let prepare = |socket: &socket2::Socket| {
            congestion::ask(socket, target.congestion);
            congestion::keep_unsent_below(socket, unsent(share));
            paced = congestion::pace(socket, share);
        };
        let dialled = dial::tcp_with(remote, &self.env.source, PATIENCE, &self.env.origin, prepare).await?;
        let dialled = dialled.map_err(|missed| {
            NotMeasured::new(
                Cause::FarEnd,
                format!("no data connection to {remote}: {}", missed.failure),
                "control was let through a moment before: ask the network team what limits connections to this host",
            )
        })?;
        self.paced &= paced;
        if self.streams.is_empty() {
            self.congestion = congestion::in_force(&socket2::SockRef::from(&dialled.stream));
            self.contact = Some(dialled.contact);
        }
        self.streams.push(Stream { socket: dialled.stream, head, written: 0 });
        Ok(())
    }

    /// Sends every connection's head now: the other side waits for it before it lets data come.
    pub(super) async fn send_heads(&mut self) -> Result<(), Failure> {
        for stream in &mut self.streams {
            while let Some(rest) = rest_of(&stream.head, stream.written) {
                stream.socket.writable().await.map_err(|error| classify(&error))?;
                match stream.socket.try_write(rest) {
                    Ok(count) => stream.written += count as u64,
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(classify(&error)),
                }
            }
        }
        Ok(())
    }

    /// The clock of the test starts here.
    pub(super) fn start(&mut self) {
        let now = Instant::now();
        (self.started, self.alive) = (now, now);
        self.before = self.all_written();
        // What the connections took to open is no lateness of this machine.
        self.tick.reset();
        self.look();
    }

    /// Bytes written on each connection.
    pub(super) fn written(&self) -> Vec<u64> {
        self.streams.iter().map(|stream| stream.written).collect()
    }

    /// True when all that was written since the start is acknowledged.
    pub(super) fn is_all_acknowledged(&self) -> bool {
        self.kernel.acknowledged.total() >= self.all_written() - self.before
    }

    fn all_written(&self) -> u64 {
        self.streams.iter().map(|stream| stream.written).sum()
    }

    /// Milliseconds since the start.
    pub(super) fn offset_ms(&self) -> f64 {
        self.started.elapsed().as_secs_f64() * 1000.0
    }

    /// Milliseconds since the last sign of life.
    pub(super) fn silent_ms(&self) -> f64 {
        self.alive.elapsed().as_secs_f64() * 1000.0
    }

    /// Bytes that may have been written by now.
    fn allowance(&self) -> u64 {
        let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        // kb/s times ms is bits; a fiftieth more, so that the kernel's finer pacing rules.
        let even = self.kbps.saturating_mul(ms) / 8;
        let even = if self.paced { even.saturating_add(even / 50) } else { even };
        even.saturating_add(BURST).min(self.budget)
    }

    /// Sends a little, or looks at the kernel's figures; may be dropped at any point.
    pub(super) async fn step(&mut self, end: Instant) -> Option<Spent> {
        let room = usize::try_from(self.allowance().saturating_sub(self.all_written())).unwrap_or(usize::MAX);
        let pause = Instant::now() + Duration::from_millis(5);
        tokio::select! {
            () = sleep_until(end) => return Some(Spent::Done),
            due = self.tick.tick() => {
                self.late = self.late.max(due.elapsed());
                self.look();
                if self.alive.elapsed() >= DEAD {
                    return Some(Spent::Silence);
                }
            }
            ready = writable(&self.streams, self.turn), if room > 0 => {
                if let Err(error) = ready.and_then(|index| self.write(index, room)) {
                    return Some(Spent::Broken(classify(&error)));
                }
            }
            () = sleep_until(pause), if room == 0 => {}
        }
        None
    }

    /// Writes what fits. The first bytes are the head; then noise, round and round.
    fn write(&mut self, index: usize, room: usize) -> std::io::Result<()> {
        self.turn = index + 1;
        let Some(stream) = self.streams.get_mut(index) else { return Ok(()) };
        let sent = if let Some(rest) = rest_of(&stream.head, stream.written) {
            stream.socket.try_write(rest.get(..room).unwrap_or(rest))
        } else {
            let at = usize::try_from(stream.written % CHUNK as u64).unwrap_or(0);
            self.noise.send(&stream.socket, at, room)
        };
        match sent {
            Ok(count) => stream.written += count as u64,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Looks at the kernel's figures.
    pub(super) fn look(&mut self) {
        let infos: Option<Vec<_>> =
            self.streams.iter().map(|stream| tcp_info::read(&stream.socket)).collect();
        let offset_ms = self.offset_ms();
        let Some(infos) = infos else { return };
        if self.kernel.look(offset_ms, &infos) {
            self.alive = Instant::now();
        }
        if let Some(rtt_ms) = self.kernel.last.and_then(|info| info.rtt_ms) {
            self.env.progress.sample("rtt_ms", self.env.origin.ms(), rtt_ms);
        }
    }

    /// Shows slots as they become known.
    pub(super) fn show(&self, fresh: impl IntoIterator<Item = (usize, u64)>) {
        let start_ms = self.env.origin.ms_at(self.started.into_std());
        for (slot, bytes) in fresh {
            super::sample(self.env, start_ms, slot, bytes);
        }
    }

    /// Shows what was acknowledged; takes and gives how many slots are shown.
    pub(super) fn show_acknowledged(&self, shown: usize) -> usize {
        let start_ms = self.env.origin.ms_at(self.started.into_std());
        super::show(self.env, start_ms, &self.kernel.acknowledged.slots, shown)
    }

    /// What the sending kernel counted.
    pub(super) fn sender(&self) -> Sender {
        Sender {
            written_bytes: self.all_written(),
            late_ms: self.late.as_secs_f64() * 1000.0,
            paced: self.paced,
            ..self.kernel.sender()
        }
    }

    /// Ends the connections at once, whatever is still unsent, and gives what was seen.
    pub(super) fn end(self) -> (Contact, Kernel) {
        for stream in &self.streams {
            let _ = socket2::SockRef::from(&stream.socket).set_linger(Some(Duration::ZERO));
        }
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let none = Contact { remote: nowhere, local: None, offset_ms: 0.0, took_ms: 0.0 };
        (self.contact.unwrap_or(none), self.kernel)
    }
}

fn rest_of(head: &[u8], written: u64) -> Option<&[u8]> {
    head.get(usize::try_from(written).ok()?..).filter(|rest| !rest.is_empty())
}

/// The next connection that takes bytes, beginning with that whose turn it is.
async fn writable(streams: &[Stream], turn: usize) -> std::io::Result<usize> {
    poll_fn(|context| {
        for n in 0..streams.len() {
            let index = (turn + n) % streams.len();
            let Some(stream) = streams.get(index) else { continue };
            if let Poll::Ready(ready) = stream.socket.poll_write_ready(context) {
                return Poll::Ready(ready.map(|()| index));
            }
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CheckId, HostPort};

    #[tokio::test]
    async fn what_the_connections_took_to_open_is_no_lateness() {
        let env = Env::bare(CheckId::new("upload").unwrap());
        let server = HostPort::try_from("192.0.2.1:5201".to_owned()).unwrap();
        let mut load = Load::new(&Target::to_iperf3(server, 5, 6_000), &env, 20).unwrap();
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        load.start();
        let end = Instant::now() + Duration::from_millis(100);
        while load.step(end).await.is_none() {}
        assert!(load.sender().late_ms < 1_000.0, "{}", load.sender().late_ms);
    }
}
