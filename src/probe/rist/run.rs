//! Calls each address of the receiver, one after another.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::time::timeout_at;

use super::{Attempt, End, PATIENCE_S, Reading, Target};
use crate::model::{Cause, Contact, Family, NotMeasured, Secret, Transport, WireText};
use crate::net::unreached::{Refusals, Unreached};
use crate::net::{dial, icmp_error, own_rules, resolve, secret};
use crate::probe::Env;
use crate::wire::rist::{BadKey, Heard, MAX, Sender};

/// How long the name's look-up may take.
pub(super) const LOOKUP_S: u8 = 5;
const RETRY: Duration = Duration::from_millis(250);
/// How long an echo is waited for after the first answer: not every receiver gives one back.
const ECHO: Duration = Duration::from_secs(1);

pub(super) async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let secret = target.secret.as_ref().map(secret::read).transpose()?;
    let mut reading = Reading {
        method: "RTCP introduction and echo of RIST over UDP".to_owned(),
        host: target.host.clone(),
        port: target.port,
        profile: target.profile(),
        with_secret: secret.is_some(),
        lookup: None,
        attempts: Vec::new(),
    };
    let limit = Duration::from_secs(LOOKUP_S.into());
    let addresses = tokio::select! {
        found = resolve::lookup(&target.host, target.control_port(), limit) => found,
        () = env.cancel.cancelled() => return Err(NotMeasured::cancelled()),
    };
    let addresses = match addresses {
        Ok(addresses) => dial::usable(addresses, &env.source)?,
        Err(failure) => {
            reading.lookup = Some(failure);
            return Ok(reading);
        }
    };
    for remote in addresses {
        let sender = sender(target, secret.as_ref())?;
        let attempt = tokio::select! {
            attempt = call(remote, sender, env) => attempt?,
            () = env.cancel.cancelled() => return Err(NotMeasured::cancelled()),
        };
        reading.attempts.push(attempt);
    }
    Ok(reading)
}

fn sender(target: &Target, secret: Option<&Secret>) -> Result<Sender, NotMeasured> {
    let random = getrandom::u32().and_then(|flow| Ok((flow, getrandom::u32()?.to_be_bytes())));
    let (flow, nonce) = random.map_err(|error| broken(&format!("no random bytes: {error}")))?;
    let secret = secret.map(|secret| (secret, target.key_bits.unwrap_or(128)));
    Sender::new(target.profile(), flow, nonce, secret)
        .map_err(|BadKey| NotMeasured::new(Cause::Unsupported, BadKey.to_string(), "correct the target"))
}

fn broken(what: &str) -> NotMeasured {
    NotMeasured::new(Cause::Broken, what, "look at this machine's system log")
}

async fn call(remote: SocketAddr, mut sender: Sender, env: &Env) -> Result<Attempt, NotMeasured> {
    let offset_ms = env.origin.ms();
    let contact = Contact { remote, local: None, offset_ms, took_ms: 0.0 };
    let mut attempt = Attempt { contact, packets: 0, own_rules: None, end: End::Silent };
    let socket = dial::bound(remote, socket2::Type::DGRAM, &env.source)?;
    let socket =
        UdpSocket::from_std(socket.into()).map_err(|error| broken(&format!("no UDP socket: {error}")))?;
    icmp_error::keep(&socket, Family::of(remote.ip()), true);
    // Without a route this fails: the address cannot be reached from here, which is a reading.
    attempt.end = match socket.connect(remote).await {
        Ok(()) => {
            attempt.contact.local = socket.local_addr().ok();
            ask(&socket, &mut sender, &mut attempt.packets).await
        }
        Err(error) => Unreached::of(&socket, &error).into(),
    };
    attempt.contact.took_ms = env.origin.ms() - offset_ms;
    if let End::Unreached { failure, icmp, .. } = attempt.end {
        attempt.own_rules =
            own_rules::explain((failure, icmp), &attempt.contact, Transport::Udp, &env.source).await;
    }
    Ok(attempt)
}

/// Introduces us until an echo comes back or the time is over; what else came counts then.
async fn ask(socket: &UdpSocket, sender: &mut Sender, packets: &mut u32) -> End {
    let began = Instant::now();
    let mut until = began + Duration::from_secs(PATIENCE_S.into());
    let (mut end, mut refusals, mut datagram) = (End::Silent, Refusals::default(), [0; MAX]);
    while Instant::now() < until {
        // The token is the time, so that an echo of any request tells its own round trip.
        let token = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        *packets += 1;
        if let Err(error) = socket.send(&sender.hello(token)).await
            && let Some(end) = refusals.believe(socket, &error)
        {
            return end.into();
        }
        let next = (Instant::now() + RETRY).min(until);
        while let Ok(came) = timeout_at(next.into(), socket.recv(&mut datagram)).await {
            let bytes = match came {
                Ok(length) => datagram.get(..length).unwrap_or_default(),
                Err(error) => match refusals.believe(socket, &error) {
                    Some(end) => return end.into(),
                    None => continue,
                },
            };
            let now = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            match (sender.read(bytes), &mut end) {
                (Heard::Answer(answer), _) => {
                    let names_itself = answer.name.unwrap_or_default();
                    let sent = answer.echo.filter(|(sent, _)| *sent <= now);
                    if let Some((sent, kept)) = sent {
                        #[expect(clippy::cast_precision_loss, reason = "a few seconds in µs")]
                        let took = (now - sent).saturating_sub(kept.into()) as f64 / 1000.0;
                        return End::Answered { round_trip_ms: Some(took), names_itself };
                    }
                    if !matches!(end, End::Answered { .. }) {
                        until = until.min(Instant::now() + ECHO);
                        end = End::Answered { round_trip_ms: None, names_itself };
                    }
                }
                (Heard::OtherSecret, End::Silent) => end = End::OtherSecret,
                (Heard::Foreign, End::Silent) => {
                    end = End::NotRist { said: WireText::from_bytes(bytes.get(..64).unwrap_or(bytes)) };
                }
                _ => {}
            }
        }
    }
    end
}
