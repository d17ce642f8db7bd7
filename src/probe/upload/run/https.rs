//! To an HTTPS address that takes uploads. It tells nothing before its answer, so what was
//! acknowledged is the series; when the answer comes, all had arrived.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_rustls::client::TlsStream;

use super::{
    BURST, DEAD, LAST_WORD, addresses_of, attempts, bare, byte_budget, dial_any, is_out_of_reach, look_again,
    sending_time, too_thin, unconfirmed, unsent,
};
use crate::model::{Cause, Contact, Failure, NotMeasured, WireText};
use crate::net::failure::classify;
use crate::net::far_end::Missed;
use crate::net::tls::{self, Accept, Ask, Tap};
use crate::net::{congestion, tcp_info};
use crate::probe::Env;
use crate::probe::upload::kernel::Kernel;
use crate::probe::upload::{Answer, Ending, HttpsUrl, Reading, Sender, Target};
use crate::wire::http::{LAST_CHUNK, Response, Responses, chunk, meaning, remedy, request};

/// The kernel's figures are looked at so often, in milliseconds: gaps are known within that.
const LOOK_MS: u64 = 20;
/// How long the server may take to say whether it wants the body (RFC 9110, 10.1.1): many do not.
const EXPECT: Duration = Duration::from_secs(2);
/// Data in a chunk at most and at least, in bytes.
const CHUNK: std::ops::RangeInclusive<u64> = 1024..=16 * 1024;

type Stream = TlsStream<Tap<TcpStream>>;

pub(super) async fn measure(target: &Target, env: &Env, url: &HttpsUrl) -> Result<Reading, NotMeasured> {
    let mut test = tokio::select! {
        () = env.cancel.cancelled() => return Err(NotMeasured::cancelled()),
        test = Test::prepare(target, env, url) => test?,
    };
    let ending = test.send().await?;
    test.reading(ending)
}

struct Test<'a> {
    target: &'a Target,
    env: &'a Env,
    url: &'a HttpsUrl,
    reader: ReadHalf<Stream>,
    writer: WriteHalf<Stream>,
    responses: Responses,
    buffer: Vec<u8>,
    /// One chunk as it is sent over and over, its data's length, and how much of it is written.
    chunk: (Vec<u8>, u64, usize),
    /// The same socket, for the kernel's figures.
    twin: socket2::Socket,
    contact: Contact,
    missed: Vec<Missed>,
    inspected: bool,
    paced: bool,
    congestion: Option<String>,
    tick: Interval,
    late: Duration,
    started: Instant,
    alive: Instant,
    written: u64,
    kernel: Kernel,
    shown: usize,
    answer: Option<Answer>,
}

impl<'a> Test<'a> {
    async fn prepare(target: &'a Target, env: &'a Env, url: &'a HttpsUrl) -> Result<Self, NotMeasured> {
        let shown = url.to_string();
        let addresses = addresses_of(url.host(), url.port(), env).await?;
        let mut paced = false;
        let prepare = |socket: &socket2::Socket| {
            congestion::ask(socket, target.congestion);
            let most = target.at_most_kbps.saturating_mul(125);
            congestion::keep_unsent_below(socket, unsent(most));
            paced = congestion::pace(socket, most);
        };
        let remedy = "check the address in the policy, and let TCP to this host and port through";
        let (dialled, missed) = dial_any(&addresses, env, &shown, remedy, prepare).await?;
        let congestion = congestion::in_force(&socket2::SockRef::from(&dialled.stream));
        let twin = socket2::SockRef::from(&dialled.stream).try_clone().map_err(|error| {
            NotMeasured::new(Cause::Broken, format!("cannot watch the socket: {error}"), "report this")
        })?;
        let alpn = ["http/1.1".to_owned()];
        let ask = Ask { alpn: &alpn, ..Ask::new(url.host(), Accept::Trusted, &env.roots) };
        let connected = tls::connect(dialled.stream, &ask).await.map_err(|failed| no_tls(&shown, &failed))?;
        let (reader, writer) = tokio::io::split(connected.stream);
        let mut tick = interval(Duration::from_millis(LOOK_MS));
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let now = Instant::now();
        let mut test = Self {
            target,
            env,
            url,
            reader,
            writer,
            responses: Responses::default(),
            buffer: vec![0; 16 * 1024],
            chunk: noise(target)?,
            twin,
            contact: dialled.contact,
            missed,
            inspected: connected.session.identity.intercepted(),
            paced,
            congestion,
            tick,
            late: Duration::ZERO,
            started: now,
            alive: now,
            written: 0,
            kernel: Kernel::default(),
            shown: 0,
            answer: None,
        };
        test.greet().await?;
        Ok(test)
    }

    /// Sends the head, and waits a moment for a refusal before anything more is sent.
    async fn greet(&mut self) -> Result<(), NotMeasured> {
        let head = request(self.target.verb, &self.url.authority(), self.url.path());
        let lost = |failure: Failure| {
            let detail = format!("{}: the connection was lost before the upload began: {failure}", self.url);
            NotMeasured::new(Cause::FarEnd, detail, "look at the server's log, then run the check again")
        };
        let sent = async {
            self.writer.write_all(&head).await?;
            self.writer.flush().await
        };
        timeout(LAST_WORD, sent)
            .await
            .map_err(|_| lost(Failure::TimedOut))?
            .map_err(|error| lost(classify(&error)))?;
        match timeout(EXPECT, self.heard()).await {
            Ok(Ok(response)) if response.is_interim() => {}
            Ok(Ok(response)) => return Err(refused(self.url, &response)),
            Ok(Err(trouble)) => {
                return Err(NotMeasured::new(Cause::FarEnd, format!("{}: {trouble}", self.url), remedy(0)));
            }
            Err(_) => {} // It does not say: send, and see.
        }
        let now = Instant::now();
        (self.started, self.alive) = (now, now);
        // What the server took to say whether it wants the body is no lateness of this machine.
        self.tick.reset();
        self.look();
        if self.kernel.last.and_then(|info| info.bytes_acked).is_none() {
            return Err(super::no_acknowledgements());
        }
        Ok(())
    }

    /// The next response. May be dropped at any point without losing one.
    async fn heard(&mut self) -> Result<Response, String> {
        heard(&mut self.reader, &mut self.responses, &mut self.buffer).await
    }

    async fn send(&mut self) -> Result<Ending, NotMeasured> {
        let end = self.started + sending_time(self.target, &[self.contact.took_ms]);
        loop {
            let room = self.allowance().saturating_sub(self.written);
            let pause = Instant::now() + Duration::from_millis(5);
            tokio::select! {
                () = self.env.cancel.cancelled() => return Ok(Ending::Cancelled),
                () = sleep_until(end) => return Ok(self.finish().await),
                due = self.tick.tick() => {
                    self.late = self.late.max(due.elapsed());
                    self.look();
                    let slots = self.kernel.acknowledged.slots.get(..self.shown).unwrap_or_default();
                    if is_out_of_reach(self.target, slots) {
                        let ending = self.finish().await;
                        return Ok(too_thin(self.target, ending));
                    }
                    if self.alive.elapsed() >= DEAD {
                        return Ok(self.gone("nothing was acknowledged any more").await);
                    }
                }
                response = heard(&mut self.reader, &mut self.responses, &mut self.buffer) => match response {
                    Ok(response) if response.is_interim() => {}
                    Ok(response) => return self.answered_early(&response),
                    Err(trouble) => return Ok(self.gone(&trouble).await),
                },
                count = self.writer.write(self.chunk.0.get(self.chunk.2..).unwrap_or_default()), if room > 0 => {
                    match count {
                        Ok(count) => self.wrote(count),
                        Err(error) => return self.broken(&error).await,
                    }
                }
                () = sleep_until(pause), if room == 0 => {}
            }
        }
    }

    fn wrote(&mut self, count: usize) {
        self.written += count as u64;
        self.chunk.2 += count;
        if self.chunk.2 >= self.chunk.0.len() {
            self.chunk.2 = 0;
        }
    }

    /// A server that refuses may close before it reads all: its answer may lie here already.
    async fn broken(&mut self, error: &std::io::Error) -> Result<Ending, NotMeasured> {
        if let Ok(Ok(response)) = timeout(Duration::from_secs(1), self.heard()).await
            && !response.is_interim()
        {
            return self.answered_early(&response);
        }
        Ok(self.gone(&format!("data: {}", classify(error))).await)
    }

    /// An answer before the end: nothing worth telling was measured in the first seconds.
    fn answered_early(&mut self, response: &Response) -> Result<Ending, NotMeasured> {
        self.answer = Some(answer(response, 0.0));
        if self.started.elapsed() < Duration::from_secs(3) {
            return Err(refused(self.url, response));
        }
        let why = format!("it answered {} in the middle: it {}", words(response), meaning(response.status));
        Ok(Ending::FarEndEnded { why: WireText::from(why) })
    }

    async fn gone(&self, what: &str) -> Ending {
        let silent_ms = self.alive.elapsed().as_secs_f64() * 1000.0;
        look_again(self.contact.remote, silent_ms, what, self.env).await
    }

    /// Bytes that may have been written by now.
    fn allowance(&self) -> u64 {
        let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let even = self.target.at_most_kbps.saturating_mul(ms) / 8;
        let even = if self.paced { even.saturating_add(even / 50) } else { even };
        even.saturating_add(BURST.min(self.chunk.1)).min(byte_budget(self.target))
    }

    fn look(&mut self) {
        let Some(info) = tcp_info::read_socket(&socket2::SockRef::from(&self.twin)) else { return };
        let offset_ms = self.started.elapsed().as_secs_f64() * 1000.0;
        if self.kernel.look(offset_ms, &[info]) {
            self.alive = Instant::now();
        }
        if let Some(rtt_ms) = info.rtt_ms {
            self.env.progress.sample("rtt_ms", self.env.origin.ms(), rtt_ms);
        }
        let start_ms = self.env.origin.ms_at(self.started.into_std());
        self.shown = super::show(self.env, start_ms, &self.kernel.acknowledged.slots, self.shown);
    }

    async fn finish(&mut self) -> Ending {
        unconfirmed(self.last_word().await)
    }

    /// Ends the body, and waits for the answer: it comes when all has arrived.
    async fn last_word(&mut self) -> Ending {
        let rest = self.chunk.0.get(self.chunk.2..).filter(|_| self.chunk.2 > 0).unwrap_or_default();
        let tail = [rest, LAST_CHUNK].concat();
        let sent = async {
            self.writer.write_all(&tail).await?;
            self.writer.flush().await
        };
        match timeout(LAST_WORD, sent).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                return self
                    .broken(&error)
                    .await
                    .unwrap_or_else(|not| Ending::FarEndEnded { why: not.detail.into() });
            }
            Err(_) => return self.gone("the end of the body could not be sent").await,
        }
        let deadline = Instant::now() + LAST_WORD;
        let mut acknowledged = Instant::now();
        loop {
            tokio::select! {
                () = self.env.cancel.cancelled() => return Ending::Cancelled,
                () = sleep_until(deadline) => return self.gone("no answer to the whole upload").await,
                _ = self.tick.tick() => {
                    if self.kernel_grew() {
                        acknowledged = Instant::now();
                    }
                }
                response = heard(&mut self.reader, &mut self.responses, &mut self.buffer) => match response {
                    Ok(response) if response.is_interim() => {}
                    Ok(response) => {
                        self.answer = Some(answer(&response, acknowledged.elapsed().as_secs_f64() * 1000.0));
                        if response.is_success() {
                            return Ending::Complete;
                        }
                        let why = format!("it answered {}: it {}", words(&response), meaning(response.status));
                        return Ending::FarEndEnded { why: WireText::from(why) };
                    }
                    Err(trouble) => return self.gone(&trouble).await,
                },
            }
        }
    }

    fn kernel_grew(&mut self) -> bool {
        let before = self.kernel.acknowledged.total();
        self.look();
        self.kernel.acknowledged.total() > before
    }

    fn reading(mut self, ending: Ending) -> Result<Reading, NotMeasured> {
        // What still lies unsent goes with the connection.
        let _ = self.twin.set_linger(Some(Duration::ZERO));
        let offset_ms = self.started.elapsed().as_secs_f64() * 1000.0;
        let counted = std::mem::take(&mut self.kernel.acknowledged);
        let sender = Sender {
            written_bytes: self.written,
            late_ms: self.late.as_secs_f64() * 1000.0,
            paced: self.paced,
            ..self.kernel.sender()
        };
        let attempts = attempts(&self.missed, &self.contact);
        let through = if self.inspected { ", through something that inspects TLS" } else { "" };
        let idle_rtt_ms = vec![self.contact.took_ms];
        let reading = Reading {
            method: format!("one HTTPS upload{through}, counted by what was acknowledged"),
            congestion: self.congestion,
            idle_rtt_ms,
            loaded_rtt: self.kernel.loaded_rtt,
            sender,
            answer: self.answer,
            ..bare(self.target, attempts, self.contact, ending)
        };
        super::acknowledged(self.target, counted, offset_ms, reading)
    }
}

/// The next response. May be dropped at any point without losing one.
async fn heard(
    reader: &mut ReadHalf<Stream>,
    responses: &mut Responses,
    buffer: &mut [u8],
) -> Result<Response, String> {
    loop {
        if let Some(response) = responses.take().map_err(|bad| bad.to_string())? {
            return Ok(response);
        }
        match reader.read(buffer).await {
            Ok(0) => return Err("it closed the connection without an answer".to_owned()),
            Ok(count) => responses.receive(buffer.get(..count).unwrap_or_default()),
            Err(error) => return Err(format!("the connection was lost: {}", classify(&error))),
        }
    }
}

/// A chunk of random bytes, of about 20 ms, so that a slow test is even.
fn noise(target: &Target) -> Result<(Vec<u8>, u64, usize), NotMeasured> {
    let length = (target.at_most_kbps.saturating_mul(125) / 50).clamp(*CHUNK.start(), *CHUNK.end());
    let mut data = vec![0; usize::try_from(length).unwrap_or(1024)];
    getrandom::fill(&mut data).map_err(|error| {
        NotMeasured::new(Cause::Broken, format!("no random bytes: {error}"), "report this")
    })?;
    Ok((chunk(&data), length, 0))
}

fn words(response: &Response) -> String {
    match &response.location {
        Some(place) => format!("{} {} ({place})", response.status, response.reason),
        None => format!("{} {}", response.status, response.reason),
    }
}

fn answer(response: &Response, after_ms: f64) -> Answer {
    Answer { status: response.status, reason: response.reason.clone(), after_ms }
}

fn refused(url: &HttpsUrl, response: &Response) -> NotMeasured {
    let detail = format!("{url} answered {}: it {}", words(response), meaning(response.status));
    NotMeasured::new(Cause::FarEnd, detail, remedy(response.status))
}

fn no_tls(shown: &str, failed: &tls::Failed) -> NotMeasured {
    let detail = if failed.detail.is_empty() { String::new() } else { format!(" ({})", failed.detail) };
    let remedy = match failed.failure {
        Failure::Untrusted => {
            "give the server a certificate for its name from an authority that this machine trusts, and see \
             what the check `tls` says about what is in between"
        }
        _ => {
            "make sure that an HTTPS server listens there, and ask the network team what answers in its place"
        }
    };
    NotMeasured::new(Cause::FarEnd, format!("no TLS with {shown}: {}{detail}", failed.failure), remedy)
}
