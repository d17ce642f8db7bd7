//! The probing side's connection to a far end: pin and token proved, one session at a time.
//!
//! ```no_run
//! # async fn example(env: golive::probe::Env, far_end: golive::model::FarEnd) -> Result<(), golive::model::NotMeasured> {
//! use golive::net::far_end::Control;
//! let mut control = Control::connect(&far_end, &env.source, &env.origin).await?;
//! let (ssid, grant) = control.open_stamp(30, 5_000).await?;
//! // … send STAMP packets with this SSID to `control.contact.remote` over UDP …
//! let ended = control.close().await?; // what the far end counted
//! # Ok(()) }
//! ```

mod echo;
mod notary;
mod reach;

pub use echo::{Echoed, echo};
use reach::{handshake, reach};

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::clock::Origin;
use super::dial;
use super::failure::classify;
use super::secret;
use super::tcp_info;
use super::tls::Tap;
use crate::model::{Cause, Contact, Failure, FarEnd, NotMeasured, SourceAddress, WireText};
use crate::wire::control::proof::{EXPORTED, EXPORTER};
use crate::wire::control::{Ended, Frames, Gap, Grant, Proof, Refusal, Reply, Request, Ticket, encode};

/// Longest wait for a name, a TCP handshake, a TLS handshake and each reply.
pub const PATIENCE: Duration = Duration::from_secs(8);

const RUNS: &str = "start `golive far-end` there, and let TCP to this host and port through";

/// A far end that has admitted us.
#[derive(Debug)]
pub struct Control {
    tls: TlsStream<Tap<TcpStream>>,
    frames: Frames,
    buffer: Vec<u8>,
    /// Addresses and time of the TCP handshake. Data and STAMP go to `remote` too.
    pub contact: Contact,
    /// Addresses that were tried before in vain.
    pub missed: Vec<Missed>,
    /// How long this connection took to open.
    pub opening: Opening,
    /// Our address as the far end sees it.
    pub seen: SocketAddr,
    /// Most that one session may use.
    pub cap: Grant,
    /// Port of its RTMP listener, if there is one.
    pub rtmp: Option<u16>,
    /// Port of its SRT listener, if there is one.
    pub srt: Option<u16>,
}

/// How long a connection took to open, in milliseconds: one round trip each where nothing is lost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Opening {
    /// TCP's handshake.
    pub tcp_ms: f64,
    /// TLS 1.3's handshake.
    pub tls_ms: f64,
    /// The first request and its answer.
    pub request_ms: f64,
}

/// An address of the far end that could not be connected to.
#[derive(Debug, Clone, PartialEq)]
pub struct Missed {
    /// Addresses and time.
    pub contact: Contact,
    /// Why.
    pub failure: Failure,
}

/// The control connection was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// How.
    pub failure: Failure,
    /// More, escaped; may be empty.
    pub detail: WireText,
}

/// A session's last word, with what was reported just before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// How it ended.
    pub how: Ended,
    /// Bytes that arrived in it.
    pub bytes: u64,
    /// Packets, or reads of a stream, that arrived in it.
    pub packets: u64,
    /// Packets with its id that came from another address than the control connection's, and
    /// were not answered: UDP and TCP leave this network by different addresses.
    pub foreign: u64,
    /// Milliseconds that it lasted, by the far end's clock.
    pub took_ms: u64,
    /// Latest that the far end's own timer fired, in milliseconds.
    pub late_ms: u64,
    /// Arrival reports that came on the way: first slot, bytes per slot, gaps.
    pub arrivals: Vec<(u32, Vec<u64>, Vec<Gap>)>,
}

impl Closed {
    /// Why what is missing may be the far end's own doing: it ended the session before it was asked to.
    pub fn early(&self, shown: &str) -> Option<NotMeasured> {
        match self.how {
            Ended::Refused(why) => Some(refused(shown, why, &WireText::default())),
            Ended::Closed | Ended::DataClosed | Ended::DataReset => None,
        }
    }
}

impl Control {
    /// Resolves, connects over the path (each address in the system's order until one answers,
    /// as an encoder does), holds the pin, proves the token.
    ///
    /// # Errors
    /// [`Cause::FarEnd`] with what is wrong and what to do; [`Cause::NoSecret`] when there is no
    /// token; [`Cause::NoPath`] when the path is not there.
    pub async fn connect(
        far_end: &FarEnd,
        source: &SourceAddress,
        origin: &Origin,
    ) -> Result<Self, NotMeasured> {
        let (host, stream, contact, missed) = reach(far_end, source, origin).await?;
        let control = Self::admitted(far_end, host, stream, contact).await?;
        Ok(Self { missed, ..control })
    }

    /// Connects once more, to this address alone: no name is looked up.
    ///
    /// # Errors
    /// As [`Control::connect`].
    pub async fn connect_to(
        remote: SocketAddr,
        far_end: &FarEnd,
        source: &SourceAddress,
        origin: &Origin,
    ) -> Result<Self, NotMeasured> {
        let host = far_end.host_port().map_or("", |(host, _)| host);
        let dialled = dial::tcp(remote, source, PATIENCE, origin).await?;
        let dialled = dialled.map_err(|missed| trouble(format!("{remote}: {}", missed.failure), RUNS))?;
        Self::admitted(far_end, host, dialled.stream, dialled.contact).await
    }

    /// Holds the pin, proves the token.
    async fn admitted(
        far_end: &FarEnd,
        host: &str,
        stream: TcpStream,
        contact: Contact,
    ) -> Result<Self, NotMeasured> {
        let token = secret::read(&far_end.token)?;
        let shown = &far_end.address;
        let greeted = Origin::start();
        let tls = handshake(stream, host, contact.remote, far_end).await?;
        let opening = Opening { tcp_ms: contact.took_ms, tls_ms: greeted.ms(), request_ms: 0.0 };
        let mut control = Self {
            tls,
            frames: Frames::default(),
            buffer: vec![0; 8192],
            seen: contact.remote,
            contact,
            missed: Vec::new(),
            opening,
            cap: Grant::default(),
            rtmp: None,
            srt: None,
        };
        let mut binding = [0; EXPORTED];
        let exported = control.tls.get_ref().1.export_keying_material(&mut binding, EXPORTER, None);
        exported.map_err(|error| trouble(format!("TLS to {shown}: {error}"), RUNS))?;
        let asked = Origin::start();
        control.send(&Request::hello(Proof::make(&token, &binding))).await.map_err(|lost| lost.at(shown))?;
        match control.answer(shown).await? {
            Reply::Welcome { seen, cap, rtmp, srt } => {
                control.opening.request_ms = asked.ms();
                (control.seen, control.cap, control.rtmp, control.srt) = (seen, cap, rtmp, srt);
                Ok(control)
            }
            _ => Err(nonsense(shown)),
        }
    }

    /// Where it is.
    pub const fn remote(&self) -> SocketAddr {
        self.contact.remote
    }

    /// Bytes of IP packets that the line carried of this connection so far; `None` where the system does not tell.
    pub fn ip_bytes_carried(&self) -> Option<u64> {
        let info = tcp_info::read(self.tls.get_ref().0.get_ref())?;
        info.ip_bytes_carried(self.contact.remote)
    }

    /// Opens an upload: the ticket for its data connections, and what it may use.
    pub async fn open_upload(
        &mut self,
        seconds: u32,
        bytes: u64,
        streams: u32,
    ) -> Result<(Ticket, Grant), NotMeasured> {
        let shown = self.remote().to_string();
        match self.ask(&Request::OpenUpload { seconds, bytes, streams }, &shown).await? {
            Reply::Upload { ticket, grant } => Ok((ticket, grant)),
            _ => Err(nonsense(&shown)),
        }
    }

    /// Opens an upload over UDP: the ticket that each datagram carries, and what it may use.
    pub async fn open_datagrams(
        &mut self,
        seconds: u32,
        bytes: u64,
        packets: u64,
    ) -> Result<(Ticket, Grant), NotMeasured> {
        let shown = self.remote().to_string();
        match self.ask(&Request::OpenDatagrams { seconds, bytes, packets }, &shown).await? {
            Reply::Upload { ticket, grant } => Ok((ticket, grant)),
            _ => Err(nonsense(&shown)),
        }
    }

    /// Opens STAMP reflection: the SSID to send, and what it may use.
    pub async fn open_stamp(&mut self, seconds: u32, packets: u64) -> Result<(u16, Grant), NotMeasured> {
        let shown = self.remote().to_string();
        match self.ask(&Request::OpenStamp { seconds, packets }, &shown).await? {
            Reply::Stamp { ssid, grant } => Ok((ssid, grant)),
            _ => Err(nonsense(&shown)),
        }
    }

    /// Has it listen on a UDP port: what comes from our address it counts and sends back.
    pub async fn open_listen(&mut self, port: u16, seconds: u32, packets: u64) -> Result<Grant, NotMeasured> {
        let shown = self.remote().to_string();
        match self.ask(&Request::OpenListen { port, seconds, packets }, &shown).await? {
            Reply::Listening { grant } => Ok(grant),
            _ => Err(nonsense(&shown)),
        }
    }

    /// Round trips over the control connection, in milliseconds, while no session is open.
    pub async fn ping(&mut self, count: u32, every: Duration) -> Result<Vec<f64>, NotMeasured> {
        let shown = self.remote().to_string();
        let mut times = Vec::new();
        for n in 0..count.min(100) {
            let start = Origin::start();
            match self.ask(&Request::Ping { n }, &shown).await? {
                Reply::Pong { n: back } if back == n => times.push(start.ms()),
                _ => return Err(nonsense(&shown)),
            }
            tokio::time::sleep(every).await;
        }
        Ok(times)
    }

    /// The next reply. May be dropped at any point without losing one.
    pub async fn next(&mut self) -> Result<Reply, Lost> {
        loop {
            match self.frames.take() {
                Ok(Some(reply)) => return Ok(reply),
                Ok(None) => {}
                Err(error) => {
                    return Err(Lost { failure: Failure::WrongProtocol, detail: error.to_string().into() });
                }
            }
            match self.tls.read(&mut self.buffer).await {
                Ok(0) => return Err(Lost { failure: Failure::Closed, detail: WireText::default() }),
                Ok(count) => self.frames.feed(self.buffer.get(..count).unwrap_or_default()),
                Err(error) => return Err(Lost::of(&error)),
            }
        }
    }

    /// Sends a request.
    pub async fn send(&mut self, request: &Request) -> Result<(), Lost> {
        let bytes = encode(request)
            .map_err(|error| Lost { failure: Failure::Other, detail: error.to_string().into() })?;
        let sent = async {
            self.tls.write_all(&bytes).await?;
            self.tls.flush().await
        };
        match timeout(PATIENCE, sent).await {
            Ok(sent) => sent.map_err(|error| Lost::of(&error)),
            Err(_) => Err(Lost { failure: Failure::TimedOut, detail: WireText::default() }),
        }
    }

    /// Ends the open session and waits for the far end's last word on it.
    pub async fn close(&mut self) -> Result<Closed, NotMeasured> {
        let shown = self.remote().to_string();
        self.send(&Request::Close {}).await.map_err(|lost| lost.at(&shown))?;
        let mut arrivals = Vec::new();
        loop {
            match self.answer(&shown).await? {
                Reply::Arrivals { first, bytes, gaps } => arrivals.push((first, bytes, gaps)),
                Reply::Attached { .. } | Reply::Pong { .. } => {}
                Reply::Ended { how, bytes, packets, foreign, took_ms, late_ms } => {
                    return Ok(Closed { how, bytes, packets, foreign, took_ms, late_ms, arrivals });
                }
                _ => return Err(nonsense(&shown)),
            }
        }
    }

    /// One request and its answer; a refusal is an error.
    pub(super) async fn ask(&mut self, request: &Request, shown: &str) -> Result<Reply, NotMeasured> {
        self.send(request).await.map_err(|lost| lost.at(shown))?;
        self.answer(shown).await
    }

    /// The next reply in time; a refusal is an error.
    async fn answer(&mut self, shown: &str) -> Result<Reply, NotMeasured> {
        match timeout(PATIENCE, self.next()).await {
            Ok(Ok(Reply::Refuse { why, detail })) => Err(refused(shown, why, &detail)),
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(lost)) => Err(lost.at(shown)),
            Err(_) => Err(Lost { failure: Failure::TimedOut, detail: WireText::default() }.at(shown)),
        }
    }
}

impl Lost {
    fn of(error: &std::io::Error) -> Self {
        Self { failure: classify(error), detail: error.to_string().into() }
    }

    /// As the reason for which nothing was measured.
    pub fn at(&self, shown: &str) -> NotMeasured {
        let words = match self.failure {
            Failure::TimedOut => "the far end no longer answers",
            Failure::Closed | Failure::Reset => "the far end closed the connection",
            _ => "the connection to the far end was lost",
        };
        let detail = if self.detail.is_empty() { String::new() } else { format!(" ({})", self.detail) };
        trouble(
            format!("{words} {shown}: {}{detail}", self.failure),
            "look at what `golive far-end` logged, then run the check again",
        )
    }
}

fn trouble(detail: impl Into<String>, remedy: &str) -> NotMeasured {
    NotMeasured::new(Cause::FarEnd, detail, remedy)
}

pub(super) fn nonsense(shown: &str) -> NotMeasured {
    trouble(
        format!("{shown} answered with another message than the protocol asks for"),
        "run the same version of golive on both sides",
    )
}

fn refused(shown: &str, why: Refusal, detail: &WireText) -> NotMeasured {
    let remedy = match why {
        Refusal::WrongToken => {
            "put the token that `golive far-end` prints where the policy says the token is"
        }
        Refusal::Version | Refusal::BadRequest | Refusal::UnknownSession => {
            "run the same version of golive on both sides"
        }
        Refusal::TooManySessions | Refusal::TooManyGuests => {
            "wait until other runs against this far end are over, then run the check again"
        }
        Refusal::Bytes | Refusal::Packets | Refusal::Time => {
            "ask for less in the policy, or start `golive far-end` with larger caps"
        }
        Refusal::OtherAddress => "let UDP and TCP to the far end leave by the same public address",
        Refusal::NotOffered => "start `golive far-end` with this service",
        Refusal::NotAllowed => "start `golive far-end` with `--notary` and this host",
        Refusal::TooManyLooks => "wait a minute, then run the check again",
        Refusal::Stopping => "start `golive far-end` again, then run the check again",
    };
    let more = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
    trouble(format!("the far end {shown} refused: {why}{more}"), remedy)
}
