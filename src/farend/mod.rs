//! The far end: what IT runs in a cloud or at the studio, so that somebody sees what arrives.
//!
//! One TCP port serves control (TLS with a key of its own, pinned by the policy) and upload
//! data, and tells how other hosts' TLS looks from here; the same UDP port reflects STAMP; media listeners stand beside, on their own ports.
//!
//! It cannot be used against others: no reply is larger than what was received until the
//! caller has proved its address and the token; every session is capped ([`session::Caps`]).

mod control;
mod datagrams;
mod door;
mod hold;
pub mod identity;
mod listen;
pub mod log;
pub mod meter;
pub mod name_server;
pub mod notary;
mod registry;
pub mod rtmp;
pub mod session;
pub mod srt;
pub mod stamp;
pub mod time_server;
mod upload;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::{TcpListener, UdpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::model::{Pin, Secret};
use crate::net::tls::Roots;
use door::House;
use identity::{Identity, IdentityError};
use log::Log;
use notary::{Allowed, Notary};
use session::{Caps, Registry};

/// What to serve, and where.
#[derive(Debug, Clone)]
pub struct Config {
    /// Control and upload (TCP) and STAMP (UDP, same port). Port 0 takes any that is free.
    pub listen: SocketAddr,
    /// RTMP listener, if any.
    pub rtmp: Option<SocketAddr>,
    /// SRT listener, if any.
    pub srt: Option<SocketAddr>,
    /// Directory that keeps key and token; `None` makes new ones that nobody keeps.
    pub state: Option<PathBuf>,
    /// What it allows.
    pub caps: Caps,
    /// Hosts whose TLS it looks at for who has the token.
    pub notary: Vec<Allowed>,
    /// What it holds their certificates against: [`Roots::system`] but in tests.
    pub roots: Roots,
    /// Where notices go.
    pub log: Log,
}

impl Config {
    /// On loopback, any free ports, nothing kept: for the demo and for tests.
    pub fn loopback() -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            listen: any,
            rtmp: Some(any),
            srt: Some(any),
            state: None,
            caps: Caps::default(),
            notary: Vec::new(),
            roots: Roots::system(),
            log: Log::none(),
        }
    }
}

/// Why a far end could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Key or token.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A port.
    #[error("cannot listen on {address} ({what}): {error}")]
    Listen {
        /// Which service.
        what: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
}

/// Where a running far end listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// Control and upload (TCP), STAMP (UDP).
    pub control: SocketAddr,
    /// RTMP, if it is served.
    pub rtmp: Option<SocketAddr>,
    /// SRT, if it is served.
    pub srt: Option<SocketAddr>,
}

/// A far end that serves until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub addresses: Addresses,
    /// Pin of its key, for the policy.
    pub pin: Pin,
    /// Token, for the policy.
    pub token: Secret,
    /// Stream key (RTMP) or stream id (SRT) that its media listeners admit.
    pub media_key: Secret,
    registry: Arc<Registry>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Running {
    /// Its sessions.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// Stops serving and waits until every session is closed.
    pub async fn stop(self) {
        self.registry.stop();
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.registry.stop();
        self.stop.cancel();
    }
}

/// The far end.
#[derive(Debug)]
pub struct FarEnd;

impl FarEnd {
    /// Binds every socket, then serves in tasks of the current runtime.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        let identity = match &config.state {
            Some(dir) => Identity::kept(dir)?,
            None => Identity::ephemeral()?,
        };
        let tls = identity.tls()?;
        let (control, stamp) = same_port(config.listen).await?;
        let pushes = socket2::SockRef::from(&stamp).try_clone().map_err(listen("stamp", config.listen))?;
        let rtmp = match config.rtmp {
            Some(address) => Some(TcpListener::bind(address).await.map_err(listen("rtmp", address))?),
            None => None,
        };
        let srt = match config.srt {
            Some(address) => Some(UdpSocket::bind(address).await.map_err(listen("srt", address))?),
            None => None,
        };
        let addresses = Addresses {
            control: control.local_addr().map_err(listen("control", config.listen))?,
            rtmp: rtmp.as_ref().and_then(|listener| listener.local_addr().ok()),
            srt: srt.as_ref().and_then(|socket| socket.local_addr().ok()),
        };
        let (media_key, log) = (identity.media_key(), config.log);
        let registry = Registry::new(config.caps, media_key.clone());
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let house = Arc::new(House {
            registry: Arc::clone(&registry),
            log: log.clone(),
            token: identity.token.clone(),
            notary: Notary::new(config.notary, config.roots),
            tls: tls.into(),
            pushes: pushes.into(),
            rtmp: addresses.rtmp.map(|address| address.port()),
            srt: addresses.srt.map(|address| address.port()),
            stop: stop.clone(),
            tasks: tasks.clone(),
        });
        tasks.spawn(door::serve(control, house));
        tasks.spawn(stamp::serve(stamp, Arc::clone(&registry), log.clone(), stop.clone()));
        if let Some(listener) = rtmp {
            tasks.spawn(rtmp::serve(listener, Arc::clone(&registry), log.clone(), stop.clone()));
        }
        if let Some(socket) = srt {
            tasks.spawn(srt::serve(socket, Arc::clone(&registry), log.clone(), stop.clone()));
        }
        Ok(Running { addresses, pin: identity.pin, token: identity.token, media_key, registry, stop, tasks })
    }
}

fn listen(what: &'static str, address: SocketAddr) -> impl FnOnce(io::Error) -> StartError {
    move |error| StartError::Listen { what, address, error }
}

/// TCP and UDP on one port number. With port 0 the system's choice for TCP may be taken for
/// UDP: then another one is tried.
async fn same_port(address: SocketAddr) -> Result<(TcpListener, UdpSocket), StartError> {
    let mut attempts = 16;
    loop {
        let tcp = TcpListener::bind(address).await.map_err(listen("control", address))?;
        let port = tcp.local_addr().map_err(listen("control", address))?.port();
        let udp = SocketAddr::new(address.ip(), port);
        match datagrams::bind(udp).and_then(|socket| UdpSocket::from_std(socket.into())) {
            Ok(socket) => return Ok((tcp, socket)),
            Err(_) if address.port() == 0 && attempts > 0 => attempts -= 1,
            Err(error) => return Err(listen("stamp", udp)(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn control_and_stamp_share_a_port_number() {
        let running = FarEnd::start(Config::loopback()).await.unwrap();
        assert_ne!(running.addresses.control.port(), 0);
        running.stop().await;
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listen = taken.local_addr().unwrap();
        let error = FarEnd::start(Config { listen, ..Config::loopback() }).await.unwrap_err();
        assert!(error.to_string().contains(&listen.to_string()), "{error}");
    }
}
