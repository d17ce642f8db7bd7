//! Sends, and lets the other side or the acknowledgements count: one file per way.

mod beside;
mod far_end;
mod far_end_udp;
mod https;
mod ingest;
mod iperf3;
mod iperf3_udp;
mod load;

use std::net::SocketAddr;
use std::time::Duration;

use super::kernel::Acknowledged;
use super::{Attempt, Ending, Over, Reading, SLOT_MS, Sender, Target, To, Vantage, Way, series, tally};
use crate::model::{Cause, Contact, Failure, NotMeasured, WireText};
use crate::net::clock::Origin;
use crate::net::far_end::{Missed, PATIENCE};
use crate::net::{dial, resolve};
use crate::probe::Env;
use load::Load;

/// Seconds beyond the test's own that it may take at most.
pub(super) const SECONDS_MORE: f64 = 90.0;
/// No sign of life for so long ends the test: what OBS takes for a lost connection.
const DEAD: Duration = Duration::from_secs(15);
/// How long the other side's last word may take, since the line may be in an outage just then.
const LAST_WORD: Duration = Duration::from_secs(15);
/// The same when the run is being stopped.
const LAST_WORD_CANCELLED: Duration = Duration::from_secs(2);
/// Most that lies unsent in the kernel, unless that is less than 10 ms of the asked rate: little, so that a
/// sender that stops has stopped.
const UNSENT: u32 = 128 * 1024;
/// What may be sent at once beyond the even pace.
const BURST: u64 = 64 * 1024;

/// Bytes that the target allows to be written.
pub(super) fn byte_budget(target: &Target) -> u64 {
    // Kilobits a second are 125 bytes a second; two seconds more than asked, see `sending_time`.
    target
        .at_most_kbps
        .saturating_mul(125)
        .saturating_mul(u64::from(target.seconds) + 2)
        .saturating_add(BURST)
}

/// See [`UNSENT`]: on a connection that may take so many bytes a second.
fn unsent(bytes_per_second: u64) -> u32 {
    const MOST: u32 = 4 * 1024 * 1024;
    u32::try_from(bytes_per_second / 100).unwrap_or(MOST).clamp(UNSENT, MOST)
}

/// Whether what was counted in whole slots so far makes the answer certain.
fn is_out_of_reach(target: &Target, slots: &[u64]) -> bool {
    target
        .stop_below_kbps
        .is_some_and(|kbps| series::is_out_of_reach(slots, SLOT_MS, wanted_slots(target), kbps))
}

/// How a test ended that was to go on, were it not for that.
fn too_thin(target: &Target, ending: Ending) -> Ending {
    match ending {
        Ending::Complete => Ending::TooThin { below_kbps: target.stop_below_kbps.unwrap_or_default() },
        other => other,
    }
}

/// Slots that are asked for.
fn wanted_slots(target: &Target) -> usize {
    target.seconds as usize * 1000 / SLOT_MS as usize
}

/// A little longer than asked, so that every slot is full: the other side's clock starts half a
/// round trip after ours.
fn sending_time(target: &Target, idle_rtt_ms: &[f64]) -> Duration {
    let slowest = idle_rtt_ms.iter().copied().fold(0.0, f64::max).min(1000.0);
    Duration::from_secs(target.seconds.into()) + Duration::from_secs_f64(0.3 + slowest / 1000.0)
}

pub(super) async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    match target.to() {
        Some(To::FarEnd(name)) => {
            let far_end = env.far_ends.get(name).ok_or_else(|| {
                let detail = format!("the policy has no far end {name}");
                NotMeasured::new(Cause::FarEnd, detail, "add it to the policy")
            })?;
            match target.transport {
                Over::Tcp => far_end::measure(target, env, far_end).await,
                Over::Udp => far_end_udp::measure(target, env, far_end).await,
            }
        }
        Some(To::Iperf3(server)) if target.transport == Over::Udp => {
            iperf3_udp::measure(target, env, server).await
        }
        Some(To::Iperf3(server)) => iperf3::measure(target, env, server).await,
        Some(To::Https(url)) => https::measure(target, env, url).await,
        Some(To::Ingest(ingest)) => Box::pin(ingest::measure(target, env, ingest)).await,
        None => {
            let remedy = "name `far_end`, `iperf3`, `https` or `ingest`";
            Err(NotMeasured::new(Cause::Broken, "nobody to send to", remedy))
        }
    }
}

/// Addresses that were tried in vain, and the one that was used.
fn attempts(missed: &[Missed], used: &Contact) -> Vec<Attempt> {
    let failed = missed
        .iter()
        .map(|missed| Attempt { contact: missed.contact.clone(), failure: Some(missed.failure) });
    failed.chain([Attempt { contact: used.clone(), failure: None }]).collect()
}

/// A reading of which only what was counted is missing.
fn bare(target: &Target, attempts: Vec<Attempt>, data: Contact, ending: Ending) -> Reading {
    let (way, server) = match target.to() {
        Some(To::Iperf3(server)) => (Way::Iperf3, server.to_string()),
        Some(To::Https(url)) => (Way::Https, url.to_string()),
        Some(To::Ingest(ingest)) => (Way::Ingest, ingest.url.clone()),
        Some(To::FarEnd(_)) | None => (Way::FarEnd, String::new()),
    };
    Reading {
        method: String::new(),
        way,
        far_end: target.far_end.clone(),
        server,
        transport: target.transport,
        streams: target.streams,
        vantage: Vantage::Receiver,
        attempts,
        data,
        seen_as: None,
        asked_seconds: target.seconds,
        at_most_kbps: target.at_most_kbps,
        congestion_asked: target.congestion,
        congestion: None,
        slot_ms: SLOT_MS,
        arrived_bytes: Vec::new(),
        packets: None,
        gaps: Vec::new(),
        gaps_left_out: 0,
        idle_rtt_ms: Vec::new(),
        loaded_rtt: Vec::new(),
        responsiveness: None,
        sender: Sender::default(),
        total: None,
        datagrams: None,
        answer: None,
        far_end_late_ms: None,
        ending,
    }
}

/// The same with what the kernel knows of the data connections. The connections end here; what
/// still lies unsent goes with them: the line is free from here on.
fn of_load(load: Load<'_>, target: &Target, attempts: Vec<Attempt>, ending: Ending) -> Reading {
    let (sender, congestion) = (load.sender(), load.congestion.clone());
    let (contact, kernel) = load.end();
    Reading { congestion, loaded_rtt: kernel.loaded_rtt, sender, ..bare(target, attempts, contact, ending) }
}

/// "one TCP connection", "4 TCP connections".
fn connections(target: &Target) -> String {
    match target.streams {
        1 => "one TCP connection".to_owned(),
        streams => format!("{streams} TCP connections"),
    }
}

/// A server that is no far end went silent or cut the connection. Whether it still takes
/// connections tells a line that failed from a server that did.
async fn look_again(remote: SocketAddr, silent_ms: f64, what: &str, env: &Env) -> Ending {
    let origin = Origin::start();
    let dialled = tokio::select! {
        () = env.cancel.cancelled() => return Ending::Cancelled,
        dialled = dial::tcp(remote, &env.source, PATIENCE, &origin) => dialled,
    };
    let detail = |found: &str| WireText::from(format!("{what}; {found}"));
    match dialled {
        Ok(Ok(_)) => Ending::Cut { detail: detail("the server is there and takes a new connection") },
        Ok(Err(missed)) => {
            let found = detail(&format!("a new connection: {}", missed.failure));
            match missed.failure {
                Failure::Refused | Failure::Reset => Ending::FarEndLost { detail: found },
                _ => Ending::LineDead { silent_ms, detail: found },
            }
        }
        Err(no_path) => Ending::LineDead { silent_ms, detail: detail(&no_path.detail) },
    }
}

/// The same once all was sent for as long as was asked: that the last word is missing is then no cut of the
/// stream, only a test that nobody confirmed.
fn unconfirmed(ending: Ending) -> Ending {
    match ending {
        Ending::Cut { detail } => Ending::FarEndEnded { why: detail },
        other => other,
    }
}

/// Connects to the first address that answers, as an encoder does; `prepare` sets options first.
async fn dial_any(
    addresses: &[SocketAddr],
    env: &Env,
    shown: &str,
    remedy: &str,
    mut prepare: impl FnMut(&socket2::Socket) + Send,
) -> Result<(dial::Dialled, Vec<Missed>), NotMeasured> {
    let (mut missed, mut words) = (Vec::new(), Vec::new());
    for &address in addresses {
        match dial::tcp_with(address, &env.source, PATIENCE, &env.origin, &mut prepare).await? {
            Ok(dialled) => return Ok((dialled, missed)),
            Err(failed) => {
                words.push(format!("{address} {}", failed.failure));
                missed.push(Missed { contact: failed.contact, failure: failed.failure });
            }
        }
    }
    let detail = format!("{shown} cannot be connected to: {}", words.join("; "));
    Err(NotMeasured::new(Cause::FarEnd, detail, remedy))
}

/// Addresses of a server, of families that this path has.
async fn addresses_of(host: &str, port: u16, env: &Env) -> Result<Vec<SocketAddr>, NotMeasured> {
    let found = resolve::lookup(host, port, PATIENCE).await.map_err(|failure| {
        let remedy = "check the server's name in the policy, and this machine's name servers";
        NotMeasured::new(Cause::FarEnd, format!("the server's name {host}: {failure}"), remedy)
    })?;
    dial::usable(found, &env.source)
}

/// Shows the slots that are over and were not shown before; how many are shown now. They count
/// from `start_ms` of the check's own time.
fn show(env: &Env, start_ms: f64, slots: &[u64], shown: usize) -> usize {
    let over = slots.len().saturating_sub(1);
    for (slot, bytes) in slots.iter().copied().enumerate().take(over).skip(shown) {
        sample(env, start_ms, slot, bytes);
    }
    over.max(shown)
}

fn sample(env: &Env, start_ms: f64, slot: usize, bytes: u64) {
    let (at_ms, kbps) = drawn(slot, bytes);
    env.progress.sample("upload_kbps", start_ms + at_ms, kbps);
}

/// A slot as it is drawn: its end, in milliseconds since the series' start, and its rate, in kb/s.
fn drawn(slot: usize, bytes: u64) -> (f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "for the eye; both are far below 2^52")]
    let drawn = ((slot + 1) as f64 * f64::from(SLOT_MS), bytes as f64 * 8.0 / f64::from(SLOT_MS));
    drawn
}

/// The series of what was acknowledged, put into a reading that ended at `offset_ms`.
fn acknowledged(
    target: &Target,
    counted: Acknowledged,
    offset_ms: f64,
    bare: Reading,
) -> Result<Reading, NotMeasured> {
    let mut counted = counted;
    counted.finish(offset_ms);
    tally::cut(&mut counted.slots, &mut counted.gaps, wanted_slots(target));
    if bare.ending == Ending::Cancelled && counted.slots.is_empty() {
        return Err(NotMeasured::cancelled());
    }
    Ok(Reading {
        vantage: Vantage::Acknowledged,
        arrived_bytes: counted.slots,
        gaps: counted.gaps,
        gaps_left_out: counted.gaps_left_out,
        ..bare
    })
}

/// Acknowledgements would be the series, and the system tells none.
fn no_acknowledgements() -> NotMeasured {
    NotMeasured::new(
        Cause::Unsupported,
        "this system does not tell what a TCP connection's other side acknowledged",
        "measure from Linux, or against a golive far end",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that is there, and never said its last word.
    #[tokio::test]
    async fn a_last_word_that_is_missing_is_no_cut() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let env = Env::bare(crate::model::CheckId::new("upload").unwrap());
        let cut = look_again(listener.local_addr().unwrap(), 0.0, "no answer", &env).await;
        assert!(matches!(cut, Ending::Cut { .. }), "{cut:?}");
        assert!(matches!(unconfirmed(cut), Ending::FarEndEnded { .. }));
        let dead = Ending::LineDead { silent_ms: 1.0, detail: WireText::from("x") };
        assert_eq!(unconfirmed(dead.clone()), dead);
    }
}
