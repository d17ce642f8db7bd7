//! Truth runs: a real stream through a network of the lab, and what its receiver saw.
//!
//! [`carry`] sends H.264 and AAC with a real ffmpeg from one namespace to a [`Receiver`] in another and
//! says whether the stream survived; `survival.rs` holds the criteria. Everything ends in bounded time:
//! a run lasts [`Stream::seconds`], and [`BEGINS`] more at most until it has begun.
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures of a minute's stream"
)]

pub mod arrival;
pub mod baseline;
pub mod delivery;
pub mod encoder;
pub mod rtmp;
pub mod sender;
pub mod source;
pub mod srt;
pub mod stand;
pub mod survival;
pub mod table;
pub mod transport;
pub mod watch;

use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::ground::namespace::Namespace;
use delivery::Delivery;
use rtmp::RtmpReceiver;
use sender::{Sender, Socket};
use source::Source;
use srt::{SrtReceiver, within};
use survival::{BEGINS, SETTLE};
pub use survival::{Outcome, Survival};
use watch::{LATE, Watch};

/// What RTMP encoders send with: CUBIC on Windows, macOS and Linux as they come.
const CONGESTION_CONTROL: &str = "cubic";

/// A stream to send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    pub protocol: Protocol,
    /// Picture and sound together, without what the protocol adds (RTMP 3 %, SRT 8 %).
    pub kbps: u32,
    /// How long it runs from its first arrival.
    pub seconds: u32,
    /// SRT's latency.
    #[serde(default = "srt_default")]
    pub latency_ms: u32,
    /// The check that is golive's word on it, where the network's verdict is about another stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
}

fn srt_default() -> u32 {
    120
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    Rtmp,
    Srt,
}

impl std::fmt::Display for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let megabits = f64::from(self.kbps) / 1000.0;
        match self.protocol {
            Protocol::Rtmp => write!(f, "RTMP {megabits} Mb/s, {} s", self.seconds),
            Protocol::Srt => {
                write!(f, "SRT {megabits} Mb/s, latency {} ms, {} s", self.latency_ms, self.seconds)
            }
        }
    }
}

/// Where streams end: an RTMP server, and an SRT listener per stream.
pub struct Receiver {
    platform: String,
    rtmp: RtmpReceiver,
    rtmp_port: u16,
    srt_port: u16,
}

impl Receiver {
    /// Starts one in a namespace. SRT listens only while a stream is carried.
    pub fn start(platform: &Namespace, rtmp_port: u16, srt_port: u16) -> Self {
        let rtmp = RtmpReceiver::start(platform, rtmp_port);
        Self { platform: platform.name().to_owned(), rtmp, rtmp_port, srt_port }
    }
}

/// Sends a stream from `laptop` to the receiver, which `host` names (an address, or a name that the
/// laptop resolves), and says what became of it.
pub fn carry(laptop: &Namespace, receiver: &Receiver, host: &str, stream: &Stream) -> Survival {
    let source = Source::of(stream.kbps);
    let host = host.parse::<IpAddr>().map_or(host.to_owned(), |address| match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    });
    let watch = Watch::start();
    let survival = match stream.protocol {
        Protocol::Rtmp => carry_rtmp(laptop, receiver, &host, stream, &source),
        Protocol::Srt => carry_srt(laptop, receiver, &host, stream, &source),
    };
    let late = watch.worst();
    let slow = || format!("this machine was too busy: a thread woke {} ms late", late.as_millis());
    survival.spoilt((late > LATE).then(slow)).spoilt(no_room())
}

/// Why the recording may be cut short: a full disk.
fn no_room() -> Option<String> {
    let written = tempfile::NamedTempFile::new().and_then(|mut file| {
        std::io::Write::write_all(&mut file, &vec![1; 4 << 20])?;
        file.as_file().sync_data()
    });
    written.err().map(|error| format!("no room to record: {error}"))
}

fn carry_rtmp(
    laptop: &Namespace,
    receiver: &Receiver,
    host: &str,
    stream: &Stream,
    source: &Source,
) -> Survival {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let key = format!("truth{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let address = format!("rtmp://{host}:{}/live/{key}", receiver.rtmp_port);
    let receiver = &receiver.rtmp;
    let mut sender = Sender::start(laptop, &source.file, "flv", &address);
    let mut end = None;
    within(BEGINS, || {
        receiver.state(&key).0 || sender.ended().inspect(|why| end = Some(why.clone())).is_some()
    });
    if !receiver.state(&key).0 {
        return Survival::unborn(stream, format!("no connection: {}", end.as_deref().unwrap_or("silence")));
    }
    let began = Instant::now();
    let mut socket = None;
    within(Duration::from_secs(stream.seconds.into()), || {
        if socket.is_none() && began.elapsed() > Duration::from_secs(1) {
            socket = sender.socket();
        }
        let ended = sender.ended().map(|why| format!("ffmpeg: {why}"));
        end = ended.or_else(|| receiver.state(&key).1.map(|why| format!("the server's side: {why}")));
        end.is_some()
    });
    let last = sender.socket().or(socket);
    let finish = receiver.now();
    drop(sender);
    let Some(publication) = receiver.publication(&key) else {
        return Survival::invalid(stream, "the receiver lost its record");
    };
    let mut gaps = publication.gaps;
    // What would have come had the line not been silent at the end.
    gaps.push(arrival::Gap { from: publication.last, lasted: finish.saturating_sub(publication.last) });
    let delivery = Delivery { messages: publication.messages, gaps, end: finish };
    let dropped = encoder::replay(&delivery, unseen(source, &delivery), SETTLE.as_secs_f64());
    let spoilt = match &last {
        None if end.is_none() => Some("ss shows no connection of ffmpeg".to_owned()),
        Some(Socket { congestion_control, .. }) if congestion_control != CONGESTION_CONTROL => {
            Some(format!("sent over {congestion_control}, not over {CONGESTION_CONTROL}"))
        }
        _ => None,
    };
    Survival::of_rtmp(stream, &delivery, (dropped, last.unwrap_or_default()), end).spoilt(spoilt)
}

/// What was due by the end of the run and has not arrived.
fn unseen(source: &Source, delivery: &Delivery) -> impl Iterator<Item = arrival::Message> {
    let live = Duration::from_secs_f64(delivery.live().unwrap_or_default().max(0.0));
    let from = delivery.delivered() + Duration::from_millis(1);
    source.due(from, delivery.end.saturating_sub(live))
}

fn carry_srt(
    laptop: &Namespace,
    receiver: &Receiver,
    host: &str,
    stream: &Stream,
    source: &Source,
) -> Survival {
    let mut listener = SrtReceiver::start(&receiver.platform, receiver.srt_port, stream.latency_ms);
    // ffmpeg counts the latency in microseconds.
    let latency = u64::from(stream.latency_ms) * 1000;
    let address = format!("srt://{host}:{}?mode=caller&latency={latency}&pkt_size=1316", receiver.srt_port);
    let mut sender = Sender::start(laptop, &source.file, "mpegts", &address);
    let mut end = None;
    within(BEGINS, || listener.begun() || sender.ended().inspect(|why| end = Some(why.clone())).is_some());
    if !listener.begun() {
        return Survival::unborn(stream, format!("no connection: {}", end.as_deref().unwrap_or("silence")));
    }
    let began = Instant::now();
    within(Duration::from_secs(stream.seconds.into()), || {
        end = sender.ended().map(|why| format!("ffmpeg: {why}"));
        if end.is_none() && listener.ended() {
            end = Some(format!("the receiver's side: {}", listener.log().lines().last().unwrap_or_default()));
        }
        end.is_some()
    });
    let ran = began.elapsed();
    // The receiver first: the sender's farewell would make it throw away what it holds.
    let seen = listener.finish(SETTLE);
    drop(sender);
    Survival::of_srt(stream, seen, ran, end)
}

/// Does `jobs`, at most `at_once` at a time: streams that each have a line of their own. The results
/// are in the jobs' order.
pub fn side_by_side<T: Send>(jobs: Vec<Box<dyn FnOnce() -> T + Send + '_>>, at_once: usize) -> Vec<T> {
    let count = jobs.len();
    let queue = Mutex::new(jobs.into_iter().enumerate());
    let results = Mutex::new((0..count).map(|_| None).collect::<Vec<_>>());
    std::thread::scope(|scope| {
        for _ in 0..at_once.clamp(1, count.max(1)) {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().next();
                    let Some((place, job)) = next else { break };
                    let result = job();
                    results.lock().unwrap()[place] = Some(result);
                }
            });
        }
    });
    results.into_inner().unwrap().into_iter().flatten().collect()
}

/// Sets CUBIC on the route that leads to `network` through `device`, where `via` is the gateway.
pub fn over_cubic(laptop: &Namespace, network: &str, via: Option<&str>, device: &str) {
    let mut route = vec!["route", "replace", network];
    if network.contains(':') {
        route.insert(0, "-6");
    }
    route.extend(via.iter().flat_map(|via| ["via", via]));
    route.extend(["dev", device, "congctl", CONGESTION_CONTROL]);
    laptop.ip(&route);
}
