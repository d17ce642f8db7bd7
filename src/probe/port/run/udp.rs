//! UDP: the protocol's question, three times.

use std::net::SocketAddr;
use std::time::Duration;

use socket2::Type;
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep, timeout_at};

use super::beside::{self, Beside};
use super::{UDP_WAITS, salt};
use crate::model::{Contact, Family, NotMeasured, Transport};
use crate::net::{dial, icmp_error};
use crate::probe::Env;
use crate::probe::port::{Attempt, State, Target};
use crate::wire::knock::{ANSWER_MAX, Answer, Protocol, Salt};

/// After which silence is no longer waited out alone: the witnesses are asked meanwhile.
const ALONE: Duration = Duration::from_millis(900);

/// The question and what its answer must bear; empty where nothing is asked.
pub(super) fn question(target: &Target) -> Result<(Vec<u8>, Salt), NotMeasured> {
    let salt = salt()?;
    Ok((target.asked().map_or_else(Vec::new, |protocol| protocol.question(&target.host, &salt)), salt))
}

/// Asks, and when nothing comes back, the witnesses, too.
pub(super) async fn ask(
    remote: SocketAddr,
    protocol: Protocol,
    target: &Target,
    env: &Env,
) -> Result<(Attempt, Option<Beside>), NotMeasured> {
    let (question, salt) = question(target)?;
    let asking = attempt(remote, (protocol, &salt), &question, target, env);
    let meanwhile = async {
        sleep(ALONE).await;
        beside::meanwhile(remote, &question, target, env).await
    };
    let (mut asking, mut meanwhile) = (std::pin::pin!(asking), std::pin::pin!(meanwhile));
    let (attempt, beside) = tokio::select! {
        attempt = &mut asking => (attempt?, None),
        beside = &mut meanwhile => (asking.await?, Some(beside)),
    };
    let silent = attempt.state == State::Silent;
    match beside {
        None if silent => Ok((attempt, Some(meanwhile.await))),
        beside => Ok((attempt, beside)),
    }
}

/// What is asked, and what answers it.
struct Asked<'a> {
    question: &'a [u8],
    protocol: Protocol,
    salt: &'a Salt,
    by_far_end: bool,
}

impl Asked<'_> {
    /// In the protocol; a far end that listens for us sends back what it got.
    fn is_answered_by(&self, heard: &[u8]) -> bool {
        self.by_far_end && heard == self.question || self.protocol.answers(heard, self.salt) == Answer::Yes
    }
}

async fn attempt(
    remote: SocketAddr,
    (protocol, salt): (Protocol, &Salt),
    question: &[u8],
    target: &Target,
    env: &Env,
) -> Result<Attempt, NotMeasured> {
    let socket = dial::bound(remote, Type::DGRAM, &env.source)?;
    icmp_error::keep(&socket, Family::of(remote.ip()), true);
    let began = env.origin.ms();
    let contact = Contact { remote, local: None, offset_ms: began, took_ms: 0.0 };
    let mut attempt = Attempt::new(contact, State::Silent);
    match UdpSocket::from_std(socket.into()) {
        Err(error) => attempt.fails(&error, None, Transport::Udp),
        Ok(socket) => {
            if let Err(error) = socket.connect(remote).await {
                attempt.fails(&error, None, Transport::Udp);
            }
            attempt.contact.local = socket.local_addr().ok();
            for wait in UDP_WAITS {
                if attempt.state != State::Silent {
                    break;
                }
                let asked = Asked { question, protocol, salt, by_far_end: target.far_end.is_some() };
                exchange(&socket, &asked, wait, &mut attempt, env).await;
            }
        }
    }
    attempt.contact.took_ms = env.origin.ms() - began;
    Ok(attempt)
}

/// Sends the question once and listens for a while. A datagram that is no answer is remembered,
/// and an answer after it still counts.
async fn exchange(socket: &UdpSocket, asked: &Asked<'_>, wait: Duration, attempt: &mut Attempt, env: &Env) {
    let (began, deadline) = (env.origin.ms(), Instant::now() + wait);
    if let Err(error) = socket.send(asked.question).await {
        return attempt.fails(&error, icmp_error::take(socket), Transport::Udp);
    }
    let mut buffer = [0; ANSWER_MAX];
    let mut stranger = false;
    while let Ok(received) = timeout_at(deadline, socket.recv(&mut buffer)).await {
        let heard = match received {
            Ok(length) => buffer.get(..length).unwrap_or_default(),
            Err(error) => return attempt.fails(&error, icmp_error::take(socket), Transport::Udp),
        };
        attempt.answer_ms = Some(env.origin.ms() - began);
        if asked.is_answered_by(heard) {
            attempt.state = State::Answered;
            return;
        }
        if !stranger {
            attempt.hears(heard);
        }
        stranger = true;
    }
    if stranger {
        attempt.state = State::OtherProtocol;
    }
}
