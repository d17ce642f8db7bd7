//! What the operating system asks of the screen.

use std::io;

/// What the system asks.
pub(super) enum Signal {
    /// `SIGTERM`, `SIGHUP`: leave now.
    Leave,
    /// `SIGINT` from outside: like Ctrl-C.
    Interrupt,
    /// `SIGCONT`: the terminal may have been used by others meanwhile.
    Continued,
}

#[cfg(unix)]
pub(super) struct Signals {
    term: tokio::signal::unix::Signal,
    hup: tokio::signal::unix::Signal,
    int: tokio::signal::unix::Signal,
    cont: tokio::signal::unix::Signal,
    /// Caught so that it does nothing: sleeping would spoil what is being measured.
    stop: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            hup: signal(SignalKind::hangup())?,
            int: signal(SignalKind::interrupt())?,
            cont: signal(SignalKind::from_raw(libc::SIGCONT))?,
            stop: signal(SignalKind::from_raw(libc::SIGTSTP))?,
        })
    }

    pub(super) async fn next(&mut self) -> Signal {
        loop {
            tokio::select! {
                _ = self.term.recv() => return Signal::Leave,
                _ = self.hup.recv() => return Signal::Leave,
                _ = self.int.recv() => return Signal::Interrupt,
                _ = self.cont.recv() => return Signal::Continued,
                _ = self.stop.recv() => {}
            }
        }
    }
}

#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn next(&mut self) -> Signal {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal::Interrupt,
            Err(_) => std::future::pending().await,
        }
    }
}
