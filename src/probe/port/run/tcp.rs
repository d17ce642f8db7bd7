//! TCP: a handshake, and the protocol's question on it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::beside::{self, Beside};
use super::{ANSWER, CONNECT, salt};
use crate::model::{Contact, NotMeasured, Transport, WireText};
use crate::net::dial::{self, Dialled, Undialled};
use crate::probe::Env;
use crate::probe::port::{Attempt, State, Target};
use crate::wire::banner;
use crate::wire::knock::{ANSWER_MAX, Answer, Protocol, Salt};

/// After which a handshake is no longer waited for alone: it is tried again beside it, and the
/// witnesses are asked, so that a port that drops costs one time-out and not three. The kernel's
/// second SYN has left by then.
const ALONE: Duration = Duration::from_millis(1200);

/// A handshake, or none, with what was asked meanwhile.
pub(super) struct Knocked {
    /// Attempts that came to nothing.
    pub failed: Vec<Attempt>,
    pub dialled: Option<Dialled>,
    pub beside: Option<Beside>,
}

/// Connects, and when nothing comes back, once more: a lost packet is not a firewall.
pub(super) async fn knock(remote: SocketAddr, target: &Target, env: &Env) -> Result<Knocked, NotMeasured> {
    let dial = |limit| dial::tcp(remote, &env.source, limit, &env.origin);
    let mut first = std::pin::pin!(dial(CONNECT));
    if let Ok(done) = timeout(ALONE, &mut first).await {
        return Ok(match done? {
            Ok(dialled) => Knocked { failed: Vec::new(), dialled: Some(dialled), beside: None },
            Err(failed) => Knocked { failed: vec![stopped(failed)], dialled: None, beside: None },
        });
    }
    let mut meanwhile = std::pin::pin!(async {
        tokio::join!(dial(CONNECT.saturating_sub(ALONE)), beside::meanwhile(remote, &[], target, env))
    });
    let (first, second, beside) = tokio::select! {
        first = &mut first => match first? {
            Ok(dialled) => return Ok(Knocked { failed: Vec::new(), dialled: Some(dialled), beside: None }),
            Err(failed) => {
                let (second, beside) = meanwhile.await;
                (failed, second?, beside)
            }
        },
        (second, beside) = &mut meanwhile => match first.await? {
            Ok(dialled) => return Ok(Knocked { failed: Vec::new(), dialled: Some(dialled), beside: None }),
            Err(failed) => (failed, second?, beside),
        },
    };
    let mut failed = vec![stopped(first)];
    let dialled = match second {
        Ok(dialled) => Some(dialled),
        Err(again) => {
            failed.push(stopped(again));
            None
        }
    };
    Ok(Knocked { failed, dialled, beside: Some(beside) })
}

fn stopped(failed: Undialled) -> Attempt {
    let state = State::of(failed.failure, failed.icmp, &failed.contact, Transport::Tcp);
    let mut attempt = Attempt::new(failed.contact, state);
    attempt.icmp = failed.icmp;
    attempt.detail = WireText::from(failed.detail);
    attempt
}

/// What the server says on an open connection.
pub(super) async fn listen(dialled: Dialled, target: &Target, env: &Env) -> Result<Attempt, NotMeasured> {
    let question = match target.asked() {
        Some(protocol) => Some((protocol, salt()?)),
        None => None,
    };
    Ok(converse(dialled.stream, dialled.contact, question, &target.host, env).await)
}

/// Asks on an open connection, if there is a question, and listens for an answer.
async fn converse(
    mut stream: TcpStream,
    contact: Contact,
    question: Option<(Protocol, Salt)>,
    host: &str,
    env: &Env,
) -> Attempt {
    let mut attempt = Attempt::new(contact, State::Accepted);
    let (began, deadline) = (env.origin.ms(), Instant::now() + ANSWER);
    let mut heard = Vec::new();
    let answer = |heard: &[u8]| match &question {
        Some((protocol, salt)) => protocol.answers(heard, salt),
        None if heard.is_empty() => Answer::More,
        None => Answer::Yes,
    };
    if let Some((protocol, salt)) = &question
        && let Ok(Err(error)) = timeout_at(deadline, stream.write_all(&protocol.question(host, salt))).await
    {
        attempt.cut_by(&error);
    }
    let mut buffer = [0; ANSWER_MAX];
    while attempt.state == State::Accepted && heard.len() < ANSWER_MAX {
        match timeout_at(deadline, stream.read(&mut buffer)).await {
            Err(_) => break,
            Ok(Err(error)) => attempt.cut_by(&error),
            Ok(Ok(0)) => attempt.state = State::Closed,
            Ok(Ok(length)) => {
                attempt.answer_ms.get_or_insert(env.origin.ms() - began);
                heard.extend(buffer.iter().take(length.min(ANSWER_MAX - heard.len())));
                let enough = match answer(&heard) {
                    Answer::Yes => question.is_some() || banner::is_conclusive(&heard),
                    Answer::More => false,
                    Answer::No => banner::is_conclusive(&heard),
                };
                if enough {
                    break;
                }
            }
        }
    }
    match answer(&heard) {
        Answer::Yes => attempt.state = State::Answered,
        Answer::No => attempt.state = State::OtherProtocol,
        Answer::More => {}
    }
    if question.is_none() || attempt.state != State::Answered {
        attempt.hears(&heard);
    }
    attempt
}
