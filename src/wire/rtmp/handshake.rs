//! The handshake (§5.2): each side sends a version byte and 1536 bytes, and gives the other's 1536 back.
//!
//! This is the plain handshake. Its second four bytes are zero, so that servers which also know Flash
//! Player's digest variant fall back to it.

use super::super::banner;

/// Length of C1, C2, S1 and S2, in bytes (§5.2.3).
pub const PACKET: usize = 1536;

/// The only version that is spoken (§5.2.2).
pub const VERSION: u8 = 3;

/// Which side of the handshake we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Sends C0, C1, C2.
    Client,
    /// Sends S0, S1, S2.
    Server,
}

/// What has been reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// More bytes are needed.
    Going,
    /// The first byte is not [`VERSION`]: the peer speaks something else.
    NotRtmp,
    /// Both sides have what they need.
    Done {
        /// Whether the peer gave our packet back unchanged. Some servers do not; it is no failure.
        echoed: bool,
    },
}

/// One side of a handshake.
#[derive(Debug)]
pub struct Handshake {
    role: Role,
    ours: Vec<u8>,
    theirs: Vec<u8>,
    echo: Vec<u8>,
    first: Vec<u8>,
}

impl Handshake {
    /// Starts. `seed` makes the packet's filler, which must differ between connections but need not be
    /// secret (§5.2.3). A client's first bytes are put into `out` at once.
    ///
    /// The filler ends with two line ends, so that a server of some text protocol answers instead of
    /// waiting for the end of a line.
    pub fn new(role: Role, seed: u64, out: &mut Vec<u8>) -> Self {
        let mut ours = vec![0; 8]; // time 0, then four zero bytes
        let mut state = seed;
        while ours.len() < PACKET - 4 {
            ours.push(next_byte(&mut state));
        }
        ours.extend(b"\r\n\r\n");
        if role == Role::Client {
            out.push(VERSION);
            out.extend(&ours);
        }
        Self { role, ours, theirs: Vec::new(), echo: Vec::new(), first: Vec::new() }
    }

    /// Takes bytes from the front of `input`, puts what is to be sent into `out`. Bytes beyond the
    /// handshake are left in `input`.
    pub fn receive(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Progress {
        let room = banner::MAX_FIRST_BYTES - self.first.len();
        self.first.extend(input.iter().take(room));
        if self.first.first().is_some_and(|version| *version != VERSION) {
            *input = &[];
            return Progress::NotRtmp;
        }
        let answered = self.theirs.len() > PACKET;
        fill(&mut self.theirs, 1 + PACKET, input);
        if self.theirs.len() <= PACKET {
            return Progress::Going;
        }
        if !answered {
            if self.role == Role::Server {
                out.push(VERSION);
                out.extend(&self.ours);
            }
            out.extend(self.theirs.iter().skip(1));
        }
        fill(&mut self.echo, PACKET, input);
        if self.echo.len() < PACKET {
            return Progress::Going;
        }
        Progress::Done { echoed: self.echo == self.ours }
    }

    /// The first bytes that came, at most [`banner::MAX_FIRST_BYTES`].
    pub fn first(&self) -> &[u8] {
        &self.first
    }
}

/// Moves bytes from `input` into `buffer` until it holds `full` bytes.
fn fill(buffer: &mut Vec<u8>, full: usize, input: &mut &[u8]) {
    let wanted = full.saturating_sub(buffer.len()).min(input.len());
    let (taken, rest) = input.split_at(wanted);
    buffer.extend(taken);
    *input = rest;
}

/// One byte of the `SplitMix64` sequence.
fn next_byte(state: &mut u64) -> u8 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed.to_le_bytes()[7]
}
