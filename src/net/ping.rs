//! ICMP echo (RFC 792, RFC 4443) by surge-ping: a datagram socket where this user's group may
//! have one, else a raw one.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use surge_ping::{Client, Config, ICMP, IcmpPacket, PingIdentifier, PingSequence};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::dial;
use crate::model::{Cause, NotMeasured, SourceAddress};
use crate::wire::stamp::Session;

/// What to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How many requests.
    pub packets: u16,
    /// From one request to the next; timers are 1 ms grained.
    pub every: Duration,
    /// Data of each request, in bytes.
    pub size: usize,
    /// How long each answer is waited for.
    pub patience: Duration,
}

/// Which kind of socket this user may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    /// Datagram ICMP: `net.ipv4.ping_group_range` allows it.
    Datagram,
    /// Raw: `CAP_NET_RAW`.
    Raw,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// The books. Round trips count from before the request is handed to the system until
    /// the answer has reached this program: surge-ping's own clock starts later and reads 0
    /// on short paths.
    pub session: Session,
    /// The kind of socket.
    pub rung: Rung,
    /// How late each request left, against an even grid.
    pub lateness: Vec<Duration>,
    /// Requests that the system refused to send.
    pub not_sent: u64,
    /// Requests that an ICMP error came back for.
    pub errors: u64,
}

/// Sends requests and collects answers, to the end or until cancelled. `sample` gets offsets
/// and round trips, both in ms.
///
/// # Errors
/// [`Cause::NoPrivilege`] with how to allow it; [`Cause::NoPath`].
pub async fn run(
    host: IpAddr,
    source: &SourceAddress,
    plan: &Plan,
    cancel: &CancellationToken,
    sample: impl Fn(f64, f64),
) -> Result<Outcome, NotMeasured> {
    let client = client(host, source)?;
    let socket = client.get_socket();
    let rung = if socket.get_type() == socket2::Type::RAW { Rung::Raw } else { Rung::Datagram };
    let identifier =
        PingIdentifier(getrandom::u32().map_or(0, |random| u16::try_from(random & 0xffff).unwrap_or(0)));
    let payload = vec![0; plan.size];
    let (start, mut answers) = (Instant::now(), JoinSet::new());
    let mut outcome = Outcome {
        session: Session::new(plan.packets.into()),
        rung,
        lateness: Vec::new(),
        not_sent: 0,
        errors: 0,
    };
    let mut collected = Vec::new();
    for n in 0..plan.packets {
        let due = start + plan.every * u32::from(n);
        tokio::select! {
            () = tokio::time::sleep_until(due.into()) => {}
            () = cancel.cancelled() => break,
        }
        let now = Instant::now();
        outcome.lateness.push(now.saturating_duration_since(due));
        outcome.session.sent(now.saturating_duration_since(start));
        let mut pinger = client.pinger(host, identifier).await;
        pinger.timeout(plan.patience);
        let payload = payload.clone();
        answers.spawn(async move {
            let answer = pinger.ping(PingSequence(n), &payload).await;
            (n, Instant::now(), answer.map(|(packet, _)| is_reply(&packet)))
        });
        while let Some(Ok(answer)) = answers.try_join_next() {
            collect(answer, start, &sample, &mut collected, &mut outcome);
        }
    }
    loop {
        tokio::select! {
            answer = answers.join_next() => match answer {
                Some(Ok(answer)) => collect(answer, start, &sample, &mut collected, &mut outcome),
                Some(Err(_)) => {}
                None => break,
            },
            () = cancel.cancelled() => break,
        }
    }
    collected.sort_unstable();
    for (at, n) in collected {
        outcome.session.received(n.into(), at, None);
    }
    Ok(outcome)
}

type Answer = (u16, Instant, Result<bool, surge_ping::SurgeError>);

fn collect(
    (n, came, answer): Answer,
    start: Instant,
    sample: &impl Fn(f64, f64),
    collected: &mut Vec<(Duration, u16)>,
    outcome: &mut Outcome,
) {
    let at = came.saturating_duration_since(start);
    match answer {
        Ok(true) => {
            let sent = outcome.session.departures().nth(n.into()).unwrap_or(at);
            sample(at.as_secs_f64() * 1000.0, at.saturating_sub(sent).as_secs_f64() * 1000.0);
            collected.push((at, n));
        }
        Ok(false) => outcome.errors += 1,
        Err(surge_ping::SurgeError::IOError(_)) => outcome.not_sent += 1,
        Err(_) => {}
    }
}

/// True for an echo reply, false for an error that quotes our request.
fn is_reply(packet: &IcmpPacket) -> bool {
    match packet {
        IcmpPacket::V4(packet) => packet.get_icmp_type().0 == 0,
        IcmpPacket::V6(packet) => packet.get_icmpv6_type().0 == 129,
    }
}

fn client(host: IpAddr, source: &SourceAddress) -> Result<Client, NotMeasured> {
    // Says so when the path has no such interface, address or family.
    dial::bound(SocketAddr::new(host, 0), socket2::Type::DGRAM, source)?;
    let mut config = Config::builder().kind(if host.is_ipv4() { ICMP::V4 } else { ICMP::V6 });
    if let Some(interface) = &source.interface {
        config = config.interface(interface);
    }
    if let Some(address) = source.address {
        config = config.bind(SocketAddr::new(address, 0));
    }
    Client::new(&config.build()).map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => NotMeasured::new(
            Cause::NoPrivilege,
            "this user may not send ICMP echo requests",
            "allow it with `sysctl -w net.ipv4.ping_group_range='0 2147483647'`, or give golive the right with \
             `setcap cap_net_raw+ep` on its file; or measure to a far end instead, which needs no privilege",
        ),
        _ => NotMeasured::new(
            Cause::NoPath,
            format!("no ICMP socket: {error}"),
            "check the interface or source address of this [path] in the policy (`ip address` lists them)",
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_leaves_by_another_family_than_the_path_has() {
        let source = SourceAddress { interface: None, address: Some("127.0.0.1".parse().unwrap()) };
        let plan = Plan { packets: 1, every: Duration::ZERO, size: 8, patience: Duration::from_secs(1) };
        let why = run("::1".parse().unwrap(), &source, &plan, &CancellationToken::new(), |_, _| {}).await;
        assert_eq!(why.unwrap_err().cause, Cause::NoPath);
    }

    /// Raw or datagram ICMP as this user has it; neither is a result too.
    #[tokio::test]
    async fn loopback_answers_or_the_missing_privilege_is_named() {
        let plan =
            Plan { packets: 20, every: Duration::from_millis(5), size: 56, patience: Duration::from_secs(1) };
        for host in ["127.0.0.1", "::1"] {
            let host: IpAddr = host.parse().unwrap();
            let source = SourceAddress::default();
            match run(host, &source, &plan, &CancellationToken::new(), |_, _| {}).await {
                Ok(outcome) => {
                    let statistics = outcome.session.statistics();
                    assert_eq!((statistics.sent, statistics.received), (20, 20), "{outcome:?}");
                    assert!(statistics.round_trip.unwrap().min_ms > 0.0);
                }
                Err(why) => assert_eq!(why.cause, Cause::NoPrivilege),
            }
        }
    }
}
