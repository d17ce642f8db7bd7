//! Asks an endpoint, and publishes to it where the policy says so.

mod media;
mod relay;
mod signal;

use std::time::{Duration, Instant};

use super::reading::{Call, CallEnd, Deleted, Reading};
use super::target::Target;
use crate::media::Realtime;
use crate::model::{Cause, Demand, Endpoint, NotMeasured, Publish, Transport, WireText};
use crate::net::resolve::MAX_PER_FAMILY;
use crate::net::secret;
use crate::probe::Env;
use crate::wire::webrtc::{Broken, Candidates, MAX_CANDIDATES, Publisher};
use crate::wire::whip;
use media::Sockets;
use signal::{Answer, Held, Signal};

/// Patience, not limits: what takes longer counts as no answer.
const LOOKUP: Duration = Duration::from_secs(5);
const TCP: Duration = Duration::from_secs(5);
const TLS: Duration = Duration::from_secs(8);
const ANSWER: Duration = Duration::from_secs(10);
const ICE: Duration = Duration::from_secs(4);
const DTLS: Duration = Duration::from_secs(6);
/// How long a last report is waited for: receivers send one a second or so.
const LAST_REPORT: Duration = Duration::from_millis(1500);
/// Ending a session; short, so that it also fits into a run that is being stopped.
const DELETE: Duration = Duration::from_millis(2500);
/// A run that is being stopped waits so long for the answer to an offer: it may open a session.
const ANSWER_WHEN_STOPPED: Duration = Duration::from_secs(2);

/// Requests at most: redirections that are followed, and one more.
const MAX_HOPS: u32 = 3;
/// Bytes of TCP and TLS handshakes, request and answer, generously.
const REQUEST_BYTES: u64 = 40 * 1024;
/// IP, UDP, RTP with its extensions, and SRTP's tag.
const AROUND: u64 = 48 + 12 + 20 + 16;

pub(super) fn demand(target: &Target) -> Demand {
    let (bytes, packets) = match target.publish {
        Publish::Never => (0, 0),
        Publish::Test => media_cost(target.media_seconds),
    };
    let checks = MAX_CANDIDATES as u64 * 8;
    let (checks, requests) = if target.publish == Publish::Test { (checks, 2) } else { (0, 1) };
    let tries = u64::from(MAX_HOPS) * requests;
    let media_s = if target.publish == Publish::Test { f64::from(target.media_seconds) } else { 0.0 };
    let connect = (TCP + TLS) * 2 * u32::try_from(MAX_PER_FAMILY).unwrap_or(2);
    let mut longest = LOOKUP + (connect + ANSWER) * MAX_HOPS;
    let mut usual = 0.5;
    if target.publish == Publish::Test {
        longest += ICE + DTLS + LAST_REPORT + DELETE;
        usual += LAST_REPORT.as_secs_f64() + 0.5;
    }
    // Through a relay all of it may come once more.
    let times = 1 + u32::from(target.turn.is_some());
    let twice = u64::from(times);
    if target.turn.is_some() {
        longest = longest * 2 + relay::LONGEST;
    }
    Demand {
        endpoints: endpoints(target),
        bytes_up: twice * (tries * REQUEST_BYTES + bytes + checks * 160),
        bytes_down: twice * (tries * REQUEST_BYTES + bytes / 10 + checks * 160),
        packets: twice * (tries * 60 + packets + checks),
        seconds: usual + media_s,
        seconds_max: longest.as_secs_f64() + media_s * f64::from(times),
    }
}

fn endpoints(target: &Target) -> Vec<Endpoint> {
    let port = target.url.port();
    let hosts = std::iter::once(target.url.host()).chain(target.hosts.iter().map(String::as_str));
    let mut all: Vec<Endpoint> = hosts
        .map(|host| Endpoint { implied: host.starts_with("*."), ..Endpoint::new(host, port, Transport::Tcp) })
        .collect();
    if target.publish == Publish::Test {
        all.extend(target.turn.as_ref().map(|turn| turn.url.endpoint()));
        // Where media goes is what the answer says; plan says that it does.
        let named = format!("media addresses of {}", target.url.host());
        all.push(Endpoint { implied: true, ..Endpoint::new(named, 0, Transport::Udp) });
    }
    all
}

/// Bytes and packets of so many seconds of the test stream.
fn media_cost(seconds: u32) -> (u64, u64) {
    /// Payload of a packet at least, but the last of a picture.
    const PAYLOAD: u64 = 1000;
    let Ok(moments) = Realtime::test_card() else { return (0, 0) };
    let moments = moments.take_while(|moment| moment.due_ms < u64::from(seconds) * 1000);
    moments.fold((0, 0), |(bytes, packets), moment| {
        let size = moment.data.len() as u64;
        let pieces = size / PAYLOAD + 2;
        (bytes + size + pieces * AROUND, packets + pieces)
    })
}

pub(super) async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let token = match (target.publish, &target.test_key) {
        (Publish::Never, _) => None,
        (Publish::Test, Some(source)) => Some(secret::read(source)?),
        (Publish::Test, None) => {
            let what = "publishing is asked for without a test key";
            return Err(NotMeasured::new(Cause::NoSecret, what, "name a test_key in the policy"));
        }
    };
    let method = if token.is_some() {
        "WHIP (RFC 9725): an offer by POST, ICE over UDP, DTLS-SRTP, the test card in H.264 and silence in Opus, \
         RTCP receiver reports; DELETE at the end"
    } else {
        "OPTIONS over HTTPS: nothing was offered"
    };
    let mut reading = Reading {
        method: method.to_owned(),
        url: WireText::from(target.url.without_query()),
        publish: target.publish,
        lookup: None,
        attempts: Vec::new(),
        call: None,
        relayed: None,
    };
    let signal = Signal { target, env, token };
    // Boxed: what TLS and the session need would make every check's future large.
    match &signal.token {
        None => {
            let request = whip::options(&target.url);
            tokio::select! {
                asked = Box::pin(signal.ask(&request, &mut reading)) => { asked?; }
                () = env.cancel.cancelled() => return Err(NotMeasured::cancelled()),
            }
        }
        Some(_) => Box::pin(publish(&signal, &mut reading)).await?,
    }
    Ok(reading)
}

/// Offers, and once more through a relay where no media address answers and the policy names one.
async fn publish(signal: &Signal<'_>, reading: &mut Reading) -> Result<(), NotMeasured> {
    let mut sockets = Sockets::open(signal).await?;
    reading.call = Box::pin(session(signal, &mut sockets, reading)).await?;
    let silent = reading.call.as_ref().is_some_and(|call| call.end == CallEnd::NotConnected);
    if let Some(turn) = signal.target.turn.as_ref().filter(|_| silent) {
        reading.relayed = Some(Box::pin(relay::publish(signal, turn, reading)).await?);
    }
    Ok(())
}

/// Offers, sends, and ends the session whatever came of it. None when no answer came to the offer.
async fn session(
    signal: &Signal<'_>,
    sockets: &mut Sockets,
    reading: &mut Reading,
) -> Result<Option<Call>, NotMeasured> {
    let Some(token) = &signal.token else { return Ok(None) };
    let (mut publisher, offer) = Publisher::new(Instant::now(), &sockets.locals())
        .map_err(|why| NotMeasured::new(Cause::Broken, why.to_string(), "report this defect of golive"))?;
    let request = |url: &_| whip::offer(url, token, &offer);
    let began = Instant::now();
    let Some(Answer { sdp, servers, held, here }) = signal.offer(request, reading).await? else {
        return Ok(None);
    };
    let candidates = Candidates::of(&sdp, here);
    let mut call = Call {
        candidates: sockets.watch(&candidates.offered),
        tcp_candidates: candidates.tcp,
        passed_over: candidates.passed_over,
        servers,
        pair: None,
        ice_ms: None,
        connected_ms: None,
        media: None,
        end: CallEnd::NoCandidate,
        deleted: Deleted::Unnamed,
    };
    let stopped = match publisher.accept(&sdp, &candidates) {
        Err(Broken::NoCodec(codec)) => {
            call.end = CallEnd::NoCodec { codec: codec.into() };
            false
        }
        Err(why) => {
            call.end = CallEnd::BadAnswer { problem: WireText::from(why.to_string()) };
            false
        }
        Ok(()) if candidates.offered.is_empty() => false,
        Ok(()) => {
            let sending = media::Sending { publisher: &mut publisher, sockets, began };
            let seconds = Duration::from_secs(signal.target.media_seconds.into());
            tokio::select! {
                () = sending.run(seconds, &mut call) => false,
                () = signal.env.cancel.cancelled() => true,
            }
        }
    };
    call.deleted = match held {
        Held::Session(session) => signal.delete(&session).await,
        Held::Elsewhere => Deleted::Elsewhere,
        Held::Unnamed => Deleted::Unnamed,
    };
    if stopped { Err(NotMeasured::cancelled()) } else { Ok(Some(call)) }
}
