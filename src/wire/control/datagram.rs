//! Datagrams of an upload over UDP: to the far end's one UDP port, where STAMP arrives too. They
//! are never answered; what arrived is told over the control connection.

use super::Ticket;

/// First bytes of an upload's datagram: no STAMP packet of ours begins so, since those count from
/// 0 and never reach this number.
pub const DATAGRAM_MAGIC: [u8; 8] = *b"GOLIVEd1";

/// Length of the header: magic, ticket, number.
pub const HEADER: usize = 32;

/// Header of datagram number `number`, from 0.
pub fn header(ticket: &Ticket, number: u64) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&DATAGRAM_MAGIC);
    header[8..24].copy_from_slice(&ticket.0);
    header[24..].copy_from_slice(&number.to_be_bytes());
    header
}

/// Ticket and number of a datagram; `None` when it is none of an upload.
pub fn parse(datagram: &[u8]) -> Option<(Ticket, u64)> {
    let rest = datagram.strip_prefix(&DATAGRAM_MAGIC)?;
    let (ticket, rest) = rest.split_first_chunk::<16>()?;
    Some((Ticket(*ticket), u64::from_be_bytes(*rest.first_chunk()?)))
}
