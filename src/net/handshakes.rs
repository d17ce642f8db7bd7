//! Round trips by TCP handshakes, for networks that let nothing else through: each connection is
//! ended as soon as it stands.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::clock::Origin;
use super::dial::{self, Dialled, Undialled};
use super::tcp_info;
use crate::model::{Failure, NotMeasured, SourceAddress, WireText};
use crate::wire::stamp::Session;

/// An unanswered SYN is sent again after a second (RFC 6298): whatever took nearly as long was not
/// answered at first, where the system does not count.
const RESENT_MS: f64 = 900.0;

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How many handshakes, one after another.
    pub handshakes: u16,
    /// From one to the next, when the one before is over by then.
    pub every: Duration,
    /// How long each may take.
    pub patience: Duration,
    /// How long all may take.
    pub longest: Duration,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// The books: a handshake whose first SYN got no answer counts as lost, even when a later SYN
    /// got one, and has no round trip. A refusal (reset) is an answer.
    pub session: Session,
    /// True when the kernel timed the round trips.
    pub by_kernel: bool,
    /// Handshakes that this machine could not begin.
    pub not_sent: u64,
    /// What ended the first of those that got no answer.
    pub error: Option<(Failure, WireText)>,
    /// From where.
    pub local: Option<SocketAddr>,
}

/// Connects again and again, to the end or until cancelled. `sample` gets offsets and round trips,
/// both in ms.
pub async fn run(
    remote: SocketAddr,
    source: &SourceAddress,
    plan: &Plan,
    cancel: &CancellationToken,
    sample: impl Fn(f64, f64),
) -> Result<Outcome, NotMeasured> {
    let (origin, start) = (Origin::start(), Instant::now());
    let mut outcome = Outcome {
        session: Session::new(plan.handshakes.into()),
        by_kernel: true,
        not_sent: 0,
        error: None,
        local: None,
    };
    let mut due = start;
    for _ in 0..plan.handshakes {
        tokio::select! {
            () = tokio::time::sleep_until(due.into()) => {}
            () = cancel.cancelled() => break,
        }
        if start.elapsed() > plan.longest {
            break;
        }
        due = due.max(Instant::now()) + plan.every;
        let at = start.elapsed();
        let Some(sequence) = outcome.session.sent(at) else { break };
        let dialled = tokio::select! {
            dialled = dial::tcp(remote, source, plan.patience, &origin) => dialled?,
            () = cancel.cancelled() => {
                outcome.session.unsent();
                break;
            }
        };
        if let Some(trip) = outcome.take(dialled) {
            outcome.session.received(sequence, at + trip, None);
            sample(at.as_secs_f64() * 1000.0, trip.as_secs_f64() * 1000.0);
        }
    }
    Ok(outcome)
}

impl Outcome {
    /// The round trip of a handshake, if its first SYN was answered.
    fn take(&mut self, dialled: Result<Dialled, Undialled>) -> Option<Duration> {
        let seconds = |ms: f64| Duration::from_secs_f64(ms.max(0.0) / 1000.0);
        match dialled {
            Ok(Dialled { stream, contact }) => {
                self.local = self.local.or(contact.local);
                let info = tcp_info::read(&stream);
                let resent = info.and_then(|info| info.resent_ever);
                // No need to wait for the other side to end it, too.
                let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
                if resent.map_or(contact.took_ms >= RESENT_MS, |resent| resent > 0) {
                    return None;
                }
                let trip = info.and_then(|info| info.rtt_ms);
                self.by_kernel &= trip.is_some();
                Some(seconds(trip.unwrap_or(contact.took_ms)))
            }
            Err(Undialled { failure: Failure::Refused, contact, .. }) if contact.took_ms < RESENT_MS => {
                self.by_kernel = false;
                Some(seconds(contact.took_ms))
            }
            Err(Undialled { failure, detail, .. }) => {
                if failure == Failure::LocalPolicy {
                    self.not_sent += 1;
                }
                if failure != Failure::TimedOut {
                    self.error.get_or_insert((failure, detail.as_str().into()));
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: Plan = Plan {
        handshakes: 20,
        every: Duration::from_millis(5),
        patience: Duration::from_secs(2),
        longest: Duration::from_secs(10),
    };

    async fn of(remote: SocketAddr) -> Outcome {
        let source = SourceAddress::default();
        run(remote, &source, &PLAN, &CancellationToken::new(), |_, _| {}).await.unwrap()
    }

    #[tokio::test]
    async fn handshakes_are_timed_and_a_refusal_is_an_answer() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let remote = listener.local_addr().unwrap();
        let outcome = of(remote).await;
        let statistics = outcome.session.statistics();
        assert_eq!((statistics.sent, statistics.received), (20, 20), "{outcome:?}");
        assert!(statistics.round_trip.unwrap().p50_ms > 0.0);
        assert_eq!(outcome.by_kernel, cfg!(target_os = "linux"));
        drop(listener);
        let outcome = of(remote).await;
        assert_eq!((outcome.session.statistics().received, outcome.by_kernel), (20, false), "{outcome:?}");
    }

    #[tokio::test]
    async fn cancelling_ends_it() {
        let cancel = CancellationToken::new();
        cancel.cancel();
        let remote = "127.0.0.1:9".parse().unwrap();
        let outcome = run(remote, &SourceAddress::default(), &PLAN, &cancel, |_, _| {}).await.unwrap();
        assert!(outcome.session.statistics().sent <= 1);
    }
}
