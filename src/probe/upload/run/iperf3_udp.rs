//! To an iperf3 server over UDP. The series is what it prints: whole seconds.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::iperf3::{Server, Trouble};
use super::{LAST_WORD, attempts, bare, unconfirmed};
use crate::model::{Cause, Contact, HostPort, NotMeasured};
use crate::net::burst::{self, Sent};
use crate::net::clock::Wall;
use crate::net::dial;
use crate::probe::Env;
use crate::probe::upload::{DATAGRAM, Datagrams, Ending, Reading, Sender, Target, Total};
use crate::wire::iperf3::output::Interval;
use crate::wire::iperf3::{Parameters, Results, datagram};

/// How often a hello is sent, and how long each is waited for.
const HELLOS: u32 = 4;
const HELLO_WAIT: Duration = Duration::from_millis(700);
/// How long datagrams on their way may take before the end is told.
const DRAIN: Duration = Duration::from_millis(500);
/// Length of a slot of the series, in milliseconds.
const SLOT_MS: u32 = 1000;

pub(super) async fn measure(target: &Target, env: &Env, server: &HostPort) -> Result<Reading, NotMeasured> {
    let (mut server, socket) = tokio::select! {
        () = env.cancel.cancelled() => return Err(NotMeasured::cancelled()),
        prepared = prepare(target, env, server) => prepared?,
    };
    let data = Contact { local: socket.local_addr().ok(), ..server.contact.clone() };
    let plan = burst::Plan {
        payload: DATAGRAM.into(),
        kbps: target.at_most_kbps,
        // One second more: the server's own clock begins later, and only whole seconds count.
        time: Duration::from_secs(u64::from(target.seconds) + 1),
    };
    let wall = Wall::now();
    let head =
        move |number: u64, at: std::time::Instant| datagram::header(wall.unix_ns(at) / 1000, number + 1);
    let mut sending = burst::send(socket, plan, head)?;
    let early = tokio::select! {
        () = env.cancel.cancelled() => Some(Ending::Cancelled),
        word = server.next() => {
            let trouble = word.err().unwrap_or(Trouble::Lost(crate::model::Failure::WrongProtocol));
            Some(trouble.ending(server.remote(), 0.0, env).await)
        }
        () = sending.done() => None,
    };
    let sent = sending.stop().await;
    let (ending, results) = if let Some(ending) = early {
        server.give_up().await;
        (ending, Results::default())
    } else {
        tokio::time::sleep(DRAIN).await;
        let seconds = f64::from(target.seconds) + 1.0;
        match server.finish(vec![sent.bytes], seconds, LAST_WORD).await {
            Ok(results) => (Ending::Complete, results),
            Err(trouble) => {
                (unconfirmed(trouble.ending(server.remote(), 0.0, env).await), Results::default())
            }
        }
    };
    if ending == Ending::Cancelled {
        return Err(NotMeasured::cancelled()); // it tells nothing before the end
    }
    let attempts = attempts(&server.missed, &server.contact);
    Ok(reading(target, &sent, &results, server.contact.took_ms, bare(target, attempts, data, ending)))
}

async fn prepare(target: &Target, env: &Env, server: &HostPort) -> Result<(Server, UdpSocket), NotMeasured> {
    let parameters = Parameters::udp(target.seconds + 1, DATAGRAM, target.at_most_kbps);
    let mut server = Server::agree(server, parameters, env).await?;
    let socket = dial::udp(server.remote(), &env.source).await?;
    hello(&socket, server.remote()).await?;
    server.await_start().await?;
    Ok((server, socket))
}

/// The server takes a stream by an answer to its first datagram.
async fn hello(socket: &UdpSocket, remote: SocketAddr) -> Result<(), NotMeasured> {
    let mut answer = [0; 64];
    for _ in 0..HELLOS {
        let _ = socket.send(&datagram::HELLO).await;
        if let Ok(Ok(length)) = timeout(HELLO_WAIT, socket.recv(&mut answer)).await
            && datagram::accepts(answer.get(..length).unwrap_or_default())
        {
            return Ok(());
        }
    }
    Err(NotMeasured::new(
        Cause::FarEnd,
        format!("no answer over UDP from the iperf3 server {remote}, while its TCP port answers"),
        "let UDP to this host and port through, there and here; or measure over TCP",
    ))
}

fn reading(target: &Target, sent: &Sent, results: &Results, idle_ms: f64, bare: Reading) -> Reading {
    let stream = results.streams.first().copied().unwrap_or_default();
    Reading {
        method: "UDP datagrams to an iperf3 server, each second counted by what it printed".to_owned(),
        slot_ms: SLOT_MS,
        arrived_bytes: seconds(&results.intervals, target.seconds as usize),
        idle_rtt_ms: vec![idle_ms],
        sender: Sender {
            written_bytes: sent.bytes,
            late_ms: sent.late.as_secs_f64() * 1000.0,
            ..Sender::default()
        },
        total: Some(Total { received_bytes: stream.bytes, acknowledged_bytes: sent.bytes }),
        datagrams: Some(Datagrams {
            payload_bytes: DATAGRAM.into(),
            sent: sent.datagrams,
            expected: stream.packets,
            lost: u64::try_from(stream.errors).unwrap_or(0),
            jitter_ms: Some(stream.jitter * 1000.0).filter(|ms| ms.is_finite()),
        }),
        ..bare
    }
}

/// Bytes of each whole second in order; datagrams make them exact.
fn seconds(intervals: &[Interval], most: usize) -> Vec<u64> {
    let whole = intervals.iter().filter(|interval| (0.9..1.1).contains(&(interval.end_s - interval.start_s)));
    let bytes = whole.map(|interval| {
        let arrived = interval.datagrams.map(|(lost, all)| all.saturating_sub(lost));
        arrived.map_or(interval.bytes, |datagrams| datagrams.saturating_mul(DATAGRAM.into()))
    });
    bytes.take(most).collect()
}
