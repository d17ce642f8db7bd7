//! Sessions that are held, to see how long the network between lets them live: TCP connections and
//! UDP flows that belong to one ticket, each in a slot of its own. What arrives in a slot goes back as
//! it came, never more.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{Ended, Ticket};

/// First bytes of a held TCP connection; ticket and slot follow, then any bytes. Begins otherwise than
/// [`super::DATA_MAGIC`] does.
pub const HOLD_MAGIC: [u8; 8] = *b"heldgol1";
/// Length of that head.
pub const HOLD_HEAD: usize = HOLD_MAGIC.len() + 16 + 1;
/// First bytes of a datagram of a held flow.
pub const BEAT_MAGIC: [u8; 8] = *b"GOLIVEb1";
/// Length of such a datagram, both ways.
pub const BEAT: usize = 40;
/// Slots of a ticket: 0 to 15.
pub const SLOTS: u8 = 16;
/// Number of a datagram that the far end sends by itself when it is asked to.
pub const PUSHED: u64 = u64::MAX;

/// Head of a held TCP connection.
pub fn head(ticket: &Ticket, slot: u8) -> [u8; HOLD_HEAD] {
    let mut head = [0; HOLD_HEAD];
    head[..8].copy_from_slice(&HOLD_MAGIC);
    head[8..24].copy_from_slice(&ticket.0);
    head[24] = slot;
    head
}

/// Ticket and slot of such a head; `None` when it is none, or has no such slot.
pub fn parse_head(head: &[u8]) -> Option<(Ticket, u8)> {
    let (ticket, rest) = head.strip_prefix(&HOLD_MAGIC)?.split_first_chunk::<16>()?;
    let slot = *rest.first().filter(|slot| **slot < SLOTS)?;
    Some((Ticket(*ticket), slot))
}

/// A datagram of a held flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat {
    /// Whose.
    pub ticket: Ticket,
    /// Which flow.
    pub slot: u8,
    /// Counted by the sender; [`PUSHED`] from the far end of its own accord.
    pub number: u64,
}

impl Beat {
    /// As on the wire.
    pub fn encode(&self) -> [u8; BEAT] {
        let mut datagram = [0; BEAT];
        datagram[..8].copy_from_slice(&BEAT_MAGIC);
        datagram[8..24].copy_from_slice(&self.ticket.0);
        datagram[24] = self.slot;
        datagram[32..].copy_from_slice(&self.number.to_be_bytes());
        datagram
    }

    /// Reads one; `None` when it is none.
    pub fn parse(datagram: &[u8]) -> Option<Self> {
        let datagram: &[u8; BEAT] = datagram.try_into().ok()?;
        let (ticket, rest) = datagram.strip_prefix(&BEAT_MAGIC)?.split_first_chunk::<16>()?;
        let slot = *rest.first().filter(|slot| **slot < SLOTS)?;
        let number = u64::from_be_bytes(*rest.get(8..)?.first_chunk()?);
        Some(Self { ticket: Ticket(*ticket), slot, number })
    }
}

/// What the far end saw of one slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// Which.
    pub slot: u8,
    /// Its address as the far end sees it; of UDP the last one.
    pub from: SocketAddr,
    /// Bytes that arrived.
    pub bytes: u64,
    /// Milliseconds since the last of them.
    pub quiet_ms: u64,
    /// How the connection ended there; absent while the far end takes it for open, and for UDP.
    pub ended: Option<Ended>,
    /// Milliseconds since then; 0 without an end.
    pub ended_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_and_beats_come_back_and_no_part_of_them_does() {
        let ticket = Ticket([0xa5; 16]);
        let head = head(&ticket, 15);
        assert_eq!(parse_head(&head), Some((ticket, 15)));
        assert!((0..HOLD_HEAD).all(|length| parse_head(&head[..length]).is_none()));
        let beat = Beat { ticket, slot: 3, number: PUSHED };
        let datagram = beat.encode();
        assert_eq!(Beat::parse(&datagram), Some(beat));
        assert!((0..BEAT).all(|length| Beat::parse(&datagram[..length]).is_none()));
        assert_eq!(Beat::parse(&[&datagram[..], &[0]].concat()), None, "too long");
    }

    #[test]
    fn a_slot_that_is_not_there_is_refused() {
        let ticket = Ticket([1; 16]);
        assert_eq!(parse_head(&head(&ticket, SLOTS)), None);
        assert_eq!(Beat::parse(&Beat { ticket, slot: 255, number: 0 }.encode()), None);
    }
}
