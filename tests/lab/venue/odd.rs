//! What else the platform may run: servers that are mute, odd or ill. Real servers of that kind
//! are hard to have on demand; each here does one thing wrong and the rest right.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use golive::wire::ntp::{Claim, answer};
use golive::wire::rtmp::server::{Server, Step};
use golive::wire::srt::{Listener, ListenerEvent, ListenerOptions, Rejection};
use serde::Deserialize;
use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::address;
use crate::ground::namespace::Namespace;

/// One server: `[[platform.odd]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Odd {
    pub port: u16,
    pub does: Does,
}

/// What it does.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// TCP: accepts and says nothing.
    Mute,
    /// TCP: accepts and closes.
    Close,
    /// TCP: accepts, and resets at the first bytes.
    Reset,
    /// TCP: says this at once, and stays.
    Say(String),
    /// RTMP, well until some moment.
    Rtmp(Rtmp),
    /// UDP: never answers.
    UdpMute,
    /// UDP: answers this to whatever comes.
    UdpSay(String),
    /// SRT, well until the caller asks to be let in.
    Srt(Srt),
    /// NTP that no right server would speak.
    Ntp(Ntp),
}

/// What a time server tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ntp {
    /// The time so many seconds from now.
    Ahead(u32),
    /// Nothing: a kiss-o'-death.
    Kiss,
    /// That its own clock is not synchronised.
    Unsynchronised,
}

/// RTMP that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rtmp {
    at: Moment,
    then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    Handshake,
    Connect,
    Publish,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    Mute,
    Close,
    /// Sends what is no RTMP.
    Garbage,
    /// Refuses by this code.
    Refuse(String),
    /// Waits so many milliseconds and goes on.
    Wait(u64),
}

/// What becomes of an SRT caller.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Srt {
    /// Refused with this number of SRT's API.
    Reject(u32),
    /// Let in, and hung up on.
    HangUp,
    /// Let in after so many milliseconds.
    Wait(u64),
}

/// It runs until dropped.
pub struct Running {
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Odd {
    /// Starts it on the platform's addresses.
    pub fn start(&self, place: &Namespace) -> Running {
        let addresses: Vec<SocketAddr> =
            address::PLATFORM.map(|ip| SocketAddr::new(ip.parse().unwrap(), self.port)).into();
        let (does, stop) = (self.does.clone(), CancellationToken::new());
        let stopped = stop.clone();
        let thread = match does {
            Does::UdpMute | Does::UdpSay(_) | Does::Srt(_) | Does::Ntp(_) => {
                let sockets = place.run(|| addresses.iter().map(bind_udp).collect::<Vec<_>>());
                in_thread(stopped, move || {
                    Box::pin(async move {
                        futures::future::join_all(sockets.into_iter().map(|it| datagrams(it, &does))).await;
                    })
                })
            }
            does => {
                let listeners = place.run(|| addresses.iter().map(bind_tcp).collect::<Vec<_>>());
                in_thread(stopped, move || {
                    Box::pin(async move {
                        futures::future::join_all(listeners.into_iter().map(|it| streams(it, &does))).await;
                    })
                })
            }
        };
        Running { stop, thread: Some(thread) }
    }
}

fn bind_udp(at: &SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind(at).unwrap_or_else(|error| panic!("UDP {at}: {error}"));
    socket.set_nonblocking(true).unwrap();
    socket
}

fn bind_tcp(at: &SocketAddr) -> TcpListener {
    let socket = TcpListener::bind(at).unwrap_or_else(|error| panic!("TCP {at}: {error}"));
    socket.set_nonblocking(true).unwrap();
    socket
}

type Work = std::pin::Pin<Box<dyn Future<Output = ()>>>;

/// Sockets stay in the namespace that they were made in; the thread need not be there.
fn in_thread(stop: CancellationToken, work: impl FnOnce() -> Work + Send + 'static) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            tokio::select! {
                () = stop.cancelled() => {}
                () = work() => {}
            }
        });
    })
}

async fn streams(listener: TcpListener, does: &Does) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        let does = does.clone();
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let _ = one(stream, &does).await;
        });
    }
}

async fn one(mut stream: TcpStream, does: &Does) -> std::io::Result<()> {
    match does {
        Does::Close => return Ok(()),
        Does::Reset => {
            let _ = stream.read(&mut [0; 2048]).await?;
            return SockRef::from(&stream).set_linger(Some(Duration::ZERO));
        }
        Does::Say(text) => stream.write_all(text.as_bytes()).await?,
        Does::Rtmp(odd) => return rtmp(stream, odd).await,
        _ => {}
    }
    rest(stream).await
}

/// Hears the caller out.
async fn rest(mut stream: TcpStream) -> std::io::Result<()> {
    while stream.read(&mut vec![0; 65536]).await? > 0 {}
    Ok(())
}

async fn rtmp(mut stream: TcpStream, odd: &Rtmp) -> std::io::Result<()> {
    let mut server = Server::new(1);
    server.unlock();
    let mut buffer = vec![0; 65536];
    let mut moment = Some(Moment::Handshake);
    loop {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        server.receive(&buffer[..length]);
        loop {
            if moment == Some(odd.at) {
                match &odd.then {
                    Then::Mute => return rest(stream).await,
                    Then::Close => return Ok(()),
                    Then::Garbage => {
                        stream.write_all(&server.outgoing()).await?;
                        stream.write_all(&[0xff; 4096]).await?;
                        return rest(stream).await;
                    }
                    Then::Refuse(code) => server.refuse(code, "not today"),
                    Then::Wait(ms) => {
                        tokio::time::sleep(Duration::from_millis(*ms)).await;
                        server.accept();
                    }
                }
            } else if moment.is_some_and(|moment| moment != Moment::Handshake) {
                server.accept();
            }
            stream.write_all(&server.outgoing()).await?;
            moment = match server.step() {
                Some(Step::Connect { .. }) => Some(Moment::Connect),
                Some(Step::Publish { .. }) => Some(Moment::Publish),
                Some(Step::Failed(_)) => return Ok(()),
                Some(_) => None,
                None => break,
            };
        }
        moment = None;
    }
}

async fn datagrams(socket: UdpSocket, does: &Does) {
    let socket = tokio::net::UdpSocket::from_std(socket).unwrap();
    let mut buffer = [0; 2048];
    match does {
        Does::UdpSay(text) => loop {
            if let Ok((_, peer)) = socket.recv_from(&mut buffer).await {
                let _ = socket.send_to(text.as_bytes(), peer).await;
            }
        },
        Does::Srt(then) => srt(&socket, then).await,
        Does::Ntp(tells) => loop {
            if let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
                let _ = socket.send_to(&time(*tells, &buffer[..length]), peer).await;
            }
        },
        _ => loop {
            let _ = socket.recv_from(&mut buffer).await;
        },
    }
}

/// The answer to an NTP request, wrong as the scenario wants it.
fn time(tells: Ntp, request: &[u8]) -> Vec<u8> {
    let (leap, stratum, ahead) = match tells {
        Ntp::Ahead(seconds) => (0, 2, seconds),
        Ntp::Kiss => (3, 0, 0),
        Ntp::Unsynchronised => (3, 16, 0),
    };
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let then = since + Duration::from_secs(ahead.into());
    let then = golive::wire::stamp::Ntp::from_unix_ns(u64::try_from(then.as_nanos()).unwrap());
    answer(request, Claim { leap, stratum, reference: *b"RATE" }, then).map(Vec::from).unwrap_or_default()
}

async fn srt(socket: &tokio::net::UdpSocket, then: &Srt) {
    let mut listener = Listener::new(&ListenerOptions::default(), Instant::now()).unwrap();
    let mut buffer = [0; 2048];
    let mut waiting = Vec::new();
    loop {
        let soon = Instant::now() + Duration::from_millis(10);
        tokio::select! {
            received = socket.recv_from(&mut buffer) => if let Ok((length, peer)) = received {
                listener.receive(Instant::now(), peer, &buffer[..length]);
            },
            () = tokio::time::sleep_until(soon.into()) => listener.timeout(Instant::now()),
        }
        while let Some(event) = listener.event() {
            let ListenerEvent::Called(call) = event else { continue };
            match then {
                Srt::Reject(code) => {
                    listener.reject(call.id, Rejection::from_code(*code));
                }
                Srt::HangUp => {
                    listener.accept(call.id, Instant::now());
                    waiting.push((Instant::now() + Duration::from_millis(100), call.id));
                }
                Srt::Wait(ms) => waiting.push((Instant::now() + Duration::from_millis(*ms), call.id)),
            }
        }
        waiting.retain(|&(due, id)| {
            let is_due = due <= Instant::now();
            match then {
                Srt::HangUp if is_due => {
                    listener.close(id, Instant::now());
                }
                _ if is_due => {
                    listener.accept(id, Instant::now());
                }
                _ => {}
            }
            !is_due
        });
        while let Some((to, bytes)) = listener.transmit() {
            let _ = socket.send_to(&bytes, to).await;
        }
    }
}
