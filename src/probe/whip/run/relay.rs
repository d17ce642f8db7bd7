//! The session once more, through a TURN server.

use std::time::Duration;

use super::signal::Signal;
use super::{LOOKUP, Sockets, session};
use crate::model::{NotMeasured, Secret};
use crate::net::turn::{ANSWER, CONNECT, Relay, Stopped, TLS, Way, reach};
use crate::net::{dial, resolve, secret};
use crate::probe::whip::reading::{Reading, Relayed};
use crate::probe::whip::target::Turn;
use crate::wire::turn::Client;

/// Longest time for a relay, beside the session through it: two addresses of each family, and answers that are
/// waited for (asked, proven, with another nonce, permitted, given back).
pub(super) const LONGEST: Duration =
    Duration::from_secs(LOOKUP.as_secs() + (CONNECT.as_secs() + TLS.as_secs()) * 4 + ANSWER.as_secs() * 5);

pub(super) async fn publish(
    signal: &Signal<'_>,
    turn: &Turn,
    reading: &mut Reading,
) -> Result<Relayed, NotMeasured> {
    let mut relayed =
        Relayed { url: turn.url.clone(), contact: None, allocation: None, stopped: None, call: None };
    let relay = tokio::select! {
        relay = lent(signal, turn, &mut relayed) => relay?,
        () = signal.env.cancel.cancelled() => return Err(NotMeasured::cancelled()),
    };
    if let Some(relay) = relay {
        let mut sockets = Sockets::relayed(relay);
        relayed.call = Box::pin(session(signal, &mut sockets, reading)).await?;
    }
    Ok(relayed)
}

/// An address of the server's, from the first of its own addresses that lends one.
async fn lent(signal: &Signal<'_>, turn: &Turn, relayed: &mut Relayed) -> Result<Option<Relay>, NotMeasured> {
    let credential = turn.credential.as_ref().map(secret::read).transpose()?;
    let credential = credential.unwrap_or_else(|| Secret::from(String::new()));
    let env = signal.env;
    let way = Way { source: &env.source, roots: &env.roots, origin: &env.origin };
    let addresses = match resolve::lookup(&turn.url.host, turn.url.port, LOOKUP).await {
        Ok(addresses) => dial::usable(addresses, &env.source)?,
        Err(failure) => {
            relayed.stopped = Some(Stopped::Closed { failure });
            return Ok(None);
        }
    };
    for remote in addresses {
        let client = Client::new(turn.username.clone().unwrap_or_default(), credential.clone());
        let stopped = match reach(&turn.url, remote, way).await? {
            Ok(reached) => {
                relayed.contact = Some(reached.contact);
                match Relay::allocate(reached.line, client, &env.origin).await {
                    Ok(relay) => {
                        relayed.stopped = None;
                        relayed.allocation = Some(relay.allocation().clone());
                        return Ok(Some(relay));
                    }
                    Err(stopped) => stopped,
                }
            }
            Err((contact, stopped)) => {
                relayed.contact = Some(contact);
                stopped
            }
        };
        relayed.stopped = Some(stopped);
    }
    Ok(None)
}
