//! Whether two relays carry datagrams to one another: what leaves through one comes back through the
//! other, so that nothing but the server itself is needed to see it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Relay, Stopped, random};
use crate::net::clock::Origin;

/// Datagrams that are sent, one after another.
pub const DATAGRAMS: u32 = 20;
/// Bytes of each: what WebRTC sends at most.
pub const SIZE: usize = 1200;
/// How long each is waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// After so many that did not come, no more are sent.
const LOST: u32 = 4;
/// Longest time for all of it, with two permissions.
pub const LONGEST: Duration = Duration::from_secs(4 + 20);

/// What came through both relays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Carried {
    /// Datagrams sent.
    pub sent: u32,
    /// Datagrams that came back.
    pub received: u32,
    /// From sending one to receiving it, there through one relay and back through the other, in
    /// milliseconds: the median. Absent when none came.
    pub round_trip_ms: Option<f64>,
}

/// Sends through `one` to the other's address and waits for it there.
///
/// # Errors
/// The server refuses that they send to one another, or the way to it ended.
pub async fn carry(one: &mut Relay, other: &mut Relay, origin: &Origin) -> Result<Carried, Stopped> {
    let (from, to) = (one.allocation.relayed, other.allocation.relayed);
    one.permit(to.ip()).await?;
    other.permit(from.ip()).await?;
    let mark: [u8; 16] = random()?;
    let (mut times, mut sent) = (Vec::new(), 0);
    for number in 0..DATAGRAMS {
        let received = u32::try_from(times.len()).unwrap_or(u32::MAX);
        if sent - received >= LOST {
            break;
        }
        let mut datagram = [&mark[..], &number.to_be_bytes()].concat();
        datagram.resize(SIZE, 0x55);
        let began = origin.ms();
        one.send(to, &datagram).await?;
        sent += 1;
        let until = Instant::now() + PATIENCE;
        while let Some((_, came)) = other.receive(until).await? {
            if came == datagram {
                times.push(origin.ms() - began);
                break;
            }
        }
    }
    times.sort_by(f64::total_cmp);
    let received = u32::try_from(times.len()).unwrap_or(u32::MAX);
    Ok(Carried { sent, received, round_trip_ms: times.get(times.len() / 2).copied() })
}
