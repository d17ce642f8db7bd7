//! What the operating system asks of the screen.

use std::io;

/// What the system asks.
pub(super) enum Signal {
    /// `SIGTERM`, `SIGHUP`: leave now.
    Leave,
    /// `SIGINT` from outside: like Ctrl-C.
    Interrupt,
    /// `SIGTSTP` from outside: like Ctrl-Z.
    Sleep,
    /// `SIGCONT`: the terminal may have been used by others meanwhile.
    Continued,
}

/// Whether anybody here could wake golive: only a shell that gives its jobs process groups of their own
/// can. In the session leader's own group (a terminal that was opened for golive, ssh with a command) it
/// would sleep for ever.
#[cfg(unix)]
pub(super) fn may_sleep() -> Result<(), &'static str> {
    let leader = rustix::process::getsid(None).ok();
    if leader == Some(rustix::process::getpgrp()) {
        return Err("not put to sleep: no shell here could wake it again");
    }
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn may_sleep() -> Result<(), &'static str> {
    Err("not put to sleep: this system has no jobs to wake again")
}

/// Stops this job, with what started it in the same group, as the terminal's own Ctrl-Z does. It may take
/// a moment until this thread stands still.
#[cfg(unix)]
pub(super) fn sleep() -> io::Result<()> {
    Ok(rustix::process::kill_current_process_group(rustix::process::Signal::STOP)?)
}

#[cfg(not(unix))]
pub(super) fn sleep() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(unix)]
pub(super) struct Signals {
    term: tokio::signal::unix::Signal,
    hup: tokio::signal::unix::Signal,
    int: tokio::signal::unix::Signal,
    cont: tokio::signal::unix::Signal,
    /// Caught, because sleeping would spoil what is being measured.
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
        tokio::select! {
            _ = self.term.recv() => Signal::Leave,
            _ = self.hup.recv() => Signal::Leave,
            _ = self.int.recv() => Signal::Interrupt,
            _ = self.cont.recv() => Signal::Continued,
            _ = self.stop.recv() => Signal::Sleep,
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
