//! DNS questions and answers as bytes (RFC 1035, RFC 6891): one question a message, and
//! an answer counts only when it answers that question.
//!
//! The encoding is hickory's; what is done here is to ask so that code, flags and truncation
//! are seen, and to keep a bounded part of what a stranger says.

pub mod block_pages;
mod extended_error;
#[cfg(test)]
mod tests;

pub use extended_error::ExtendedError;

use std::fmt;
use std::net::IpAddr;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::WireText;

/// Addresses kept of one answer.
pub const MAX_ADDRESSES: usize = 64;

/// Aliases (CNAME) followed in one answer.
pub const MAX_ALIASES: usize = 8;

/// UDP payload that we accept, in bytes: what passes unfragmented nearly everywhere
/// (DNS flag day 2020).
pub const MAX_UDP: u16 = 1232;

/// Which addresses are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Kind {
    /// IPv4 addresses (RFC 1035, 3.4.1).
    A,
    /// IPv6 addresses (RFC 3596).
    #[serde(rename = "AAAA")]
    Aaaa,
}

impl Kind {
    const fn record_type(self) -> RecordType {
        match self {
            Self::A => RecordType::A,
            Self::Aaaa => RecordType::AAAA,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
        })
    }
}

/// What a name server answered to one question.
#[expect(clippy::struct_excessive_bools, reason = "flags of the header, each by its own name")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reply {
    /// Response code (RFC 1035, 4.1.1; RFC 6891 for those above 15): 0 is no error, 3 is
    /// `NXDOMAIN`.
    pub rcode: u16,
    /// The server left out what did not fit (TC).
    pub truncated: bool,
    /// The server is an authority for the name (AA).
    pub authoritative: bool,
    /// The server asks on for others (RA).
    pub recursive: bool,
    /// The server says that it verified DNSSEC (AD). Its word only: nothing is verified here.
    pub authenticated: bool,
    /// The aliases from the name asked for to the one that has the addresses, in order.
    pub aliases: Vec<WireText>,
    /// Addresses of that name, at most [`MAX_ADDRESSES`].
    pub addresses: Vec<IpAddr>,
    /// How many there are.
    pub addresses_total: usize,
    /// Shortest time that the answer may be kept, in seconds.
    pub ttl_s: Option<u32>,
    /// A signature (RRSIG) came with the addresses; only where it was asked for ([`Form::Signed`]).
    #[serde(default, skip_serializing_if = "is_false")]
    pub signed: bool,
    /// What the server says beside the code (RFC 8914).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_error: Option<ExtendedError>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// A name that cannot be asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a domain name")]
pub struct BadName;

/// How a question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// With EDNS, as today's resolvers understand.
    Usual,
    /// Without EDNS, and so without any size but 512 bytes: as old resolvers understand.
    Plain,
    /// With EDNS, and signatures wanted (DO; RFC 4035, 3.2.1).
    Signed,
    /// With EDNS, and signatures not to be checked (CD; RFC 4035, 3.2.2).
    Unchecked,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    id: u16,
    name: Name,
    kind: Kind,
    form: Form,
}

impl Question {
    /// Asks for `kind` addresses of `name`, as it is (no search list). `id` should be random:
    /// it keeps strangers from answering (RFC 5452).
    pub fn new(id: u16, name: &str, kind: Kind) -> Result<Self, BadName> {
        let name = name.strip_suffix('.').unwrap_or(name);
        if name.split('.').any(str::is_empty) {
            return Err(BadName);
        }
        let mut name = Name::from_str_relaxed(name).map_err(|_| BadName)?;
        name.set_fqdn(true);
        Ok(Self { id, name, kind, form: Form::Usual })
    }

    /// The same question in another form.
    #[must_use]
    pub fn asked(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// The message to send: recursion and the DNSSEC verdict wanted (RFC 6840, 5.7).
    pub fn to_bytes(&self) -> Result<Vec<u8>, BadName> {
        let mut message = Message::new(self.id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        message.metadata.authentic_data = true;
        message.metadata.checking_disabled = self.form == Form::Unchecked;
        message.add_query(Query::query(self.name.clone(), self.kind.record_type()));
        if self.form != Form::Plain {
            let mut edns = Edns::new();
            edns.set_max_payload(MAX_UDP);
            edns.set_dnssec_ok(self.form == Form::Signed);
            message.set_edns(edns);
        }
        message.to_vec().map_err(|_| BadName)
    }

    /// Reads a message. `None` when it does not answer this question: not DNS, another id,
    /// another question (RFC 5452, 9.1).
    pub fn read(&self, bytes: &[u8]) -> Option<Reply> {
        let message = Message::from_vec(bytes).ok()?;
        let meta = &message.metadata;
        let rcode = u16::from(meta.response_code);
        let asked = match message.queries.as_slice() {
            [query] => query.name() == &self.name && query.query_type() == self.kind.record_type(),
            // Some servers leave the question out of an error.
            [] => rcode != 0,
            _ => false,
        };
        if !asked || meta.id != self.id || meta.message_type != MessageType::Response {
            return None;
        }
        let mut reply = Reply {
            rcode,
            truncated: meta.truncation,
            authoritative: meta.authoritative,
            recursive: meta.recursion_available,
            authenticated: meta.authentic_data,
            aliases: Vec::new(),
            addresses: Vec::new(),
            addresses_total: 0,
            ttl_s: None,
            signed: false,
            extended_error: message.edns.as_ref().and_then(ExtendedError::of),
        };
        reply.take(&self.name, self.kind, &message.answers);
        Some(reply)
    }
}

impl Reply {
    /// Follows the aliases and keeps the addresses of the last one: records of other names are
    /// no answer, whatever the server meant by them.
    fn take(&mut self, asked: &Name, kind: Kind, answers: &[Record]) {
        let mut owner = asked;
        while let Some((next, ttl)) = alias_of(owner, answers) {
            if self.aliases.len() == MAX_ALIASES {
                return;
            }
            self.aliases.push(WireText::from(next.to_string()));
            self.ttl_s = Some(self.ttl_s.map_or(ttl, |shortest| shortest.min(ttl)));
            owner = next;
        }
        for record in answers.iter().filter(|record| record.name == *owner) {
            if record.record_type() == RecordType::RRSIG {
                self.signed = true;
                continue;
            }
            let address = match (&record.data, kind) {
                (RData::A(a), Kind::A) => IpAddr::V4(a.0),
                (RData::AAAA(a), Kind::Aaaa) => IpAddr::V6(a.0),
                _ => continue,
            };
            self.addresses_total += 1;
            self.ttl_s = Some(self.ttl_s.map_or(record.ttl, |shortest| shortest.min(record.ttl)));
            if self.addresses.len() < MAX_ADDRESSES && !self.addresses.contains(&address) {
                self.addresses.push(address);
            }
        }
    }

    /// The response code by its IANA name (`NOERROR`, `NXDOMAIN`, `SERVFAIL`, …), and what the
    /// server says beside it.
    pub fn rcode_name(&self) -> String {
        let name = match self.rcode {
            0 => "NOERROR".to_owned(),
            1 => "FORMERR".to_owned(),
            2 => "SERVFAIL".to_owned(),
            3 => "NXDOMAIN".to_owned(),
            4 => "NOTIMP".to_owned(),
            5 => "REFUSED".to_owned(),
            other => format!("RCODE {other}"),
        };
        self.extended_error.as_ref().map_or_else(|| name.clone(), |more| format!("{name} ({more})"))
    }
}

fn alias_of<'a>(owner: &Name, answers: &'a [Record]) -> Option<(&'a Name, u32)> {
    answers.iter().find_map(|record| match &record.data {
        RData::CNAME(target) if record.name == *owner => Some((&target.0, record.ttl)),
        _ => None,
    })
}
