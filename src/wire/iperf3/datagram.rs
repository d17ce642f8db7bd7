//! Datagrams of iperf3's UDP test.

/// Opens a UDP stream: what a client sends first (version 3.12; before, another number).
pub const HELLO: [u8; 4] = 0x3637_3839_u32.to_ne_bytes();

/// Length of the header with a 64-bit counter (`udp_counters_64bit`); with 32 bits it is 12.
pub const HEADER: usize = 16;
/// Length of the header with a 32-bit counter.
pub const SHORT_HEADER: usize = 12;

/// Any answer of four bytes accepts the stream: the number differs between versions.
pub const fn accepts(answer: &[u8]) -> bool {
    answer.len() == HELLO.len()
}

/// Header of a datagram: when it was sent, and its number, which counts from 1.
pub fn header(sent_us: u64, number: u64) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    let (seconds, rest) = (sent_us / 1_000_000, sent_us % 1_000_000);
    header[..4].copy_from_slice(&low(seconds));
    header[4..8].copy_from_slice(&low(rest));
    header[8..].copy_from_slice(&number.to_be_bytes());
    header
}

/// The same with a 32-bit counter, for servers that do not take the longer one.
pub fn short_header(sent_us: u64, number: u64) -> [u8; SHORT_HEADER] {
    let mut header = [0; SHORT_HEADER];
    let long = self::header(sent_us, number);
    header[..8].copy_from_slice(&long[..8]);
    header[8..].copy_from_slice(&long[12..]);
    header
}

fn low(number: u64) -> [u8; 4] {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&number.to_be_bytes()[4..]);
    bytes
}
