//! What a resolver's front does beside passing on what the one behind it says.

use std::net::IpAddr;
use std::time::Duration;

use super::front::question;

/// Its manners; all absent for a plain one.
#[expect(clippy::struct_excessive_bools, reason = "each by its own name, as in Resolver")]
pub(super) struct Manners {
    pub(super) nxdomain_to: Vec<IpAddr>,
    pub(super) delay: Duration,
    pub(super) truncates: bool,
    pub(super) tcp: bool,
    pub(super) code: Option<u8>,
    pub(super) aaaa_code: Option<u8>,
    pub(super) no_a: Vec<String>,
    pub(super) no_edns: bool,
    pub(super) strips_dnssec: bool,
    pub(super) echoes: bool,
}

const A: u16 = 1;
const AAAA: u16 = 28;
const FORMERR: u8 = 1;

impl Manners {
    /// True when there is nothing for a front to do.
    pub(super) fn are_plain(&self) -> bool {
        let tampers = !self.no_a.is_empty()
            || self.no_edns
            || self.strips_dnssec
            || self.echoes
            || self.truncates
            || !self.tcp;
        let codes = self.code.or(self.aaaa_code).is_some();
        !tampers && !codes && self.nxdomain_to.is_empty() && self.delay.is_zero()
    }

    /// What it answers without asking anybody, if it does.
    pub(super) fn at_once(&self, query: &[u8]) -> Option<Vec<u8>> {
        if self.echoes {
            return Some(query.to_vec());
        }
        let end = question(query)?;
        let kind = u16::from_be_bytes([query[end - 4], query[end - 3]]);
        // A query's only additional record is EDNS'.
        let asks_edns = query[10..12] != [0, 0];
        let code = self
            .code
            .or(self.aaaa_code.filter(|_| kind == AAAA))
            .or((self.no_edns && asks_edns).then_some(FORMERR))
            .or((kind == A && self.no_a.contains(&name(query, end))).then_some(0))?;
        Some(with_code(query, end, code))
    }
}

/// Takes the wish for DNSSEC records (DO; RFC 3225, 3) out of a question's EDNS, which stands right
/// behind it: a root name, type, size, two bytes, flags.
pub(super) fn without_do(query: &mut [u8]) {
    if let Some(flags) = question(query).and_then(|end| query.get_mut(end + 7)) {
        *flags &= 0x7f;
    }
}

/// The name asked for.
fn name(query: &[u8], end: usize) -> String {
    let mut labels = Vec::new();
    let mut at = 12;
    while at < end - 5 {
        let next = at + 1 + usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..next]).into_owned());
        at = next;
    }
    labels.join(".")
}

/// The header with this code, and the question.
fn with_code(query: &[u8], end: usize, code: u8) -> Vec<u8> {
    // Id; response, recursion desired and available, the code; one question, nothing else.
    [&query[..2], &[0x81, 0x80 | code, 0, 1], &[0; 6], &query[12..end]].concat()
}
