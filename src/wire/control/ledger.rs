//! The amplification rule: until the token is proved, no more is sent than was received.

/// Counts both directions of one connection's application bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ledger {
    received: u64,
    sent: u64,
    proved: bool,
}

impl Ledger {
    /// Bytes came in.
    pub const fn received(&mut self, bytes: usize) {
        self.received = self.received.saturating_add(bytes as u64);
    }

    /// The token is proved: from here on replies may be larger.
    pub const fn prove(&mut self) {
        self.proved = true;
    }

    /// True when so many bytes may be sent; they are counted as sent then.
    pub const fn spend(&mut self, bytes: usize) -> bool {
        let sent = self.sent.saturating_add(bytes as u64);
        if !self.proved && sent > self.received {
            return false;
        }
        self.sent = sent;
        true
    }

    /// True once the token is proved.
    pub const fn is_proved(&self) -> bool {
        self.proved
    }
}
