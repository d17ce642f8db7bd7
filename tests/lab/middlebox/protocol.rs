//! A firewall that knows protocols: the port is open, and what speaks the protocol dies.

use std::sync::Arc;

use serde::Deserialize;

use super::nftables::{Table, accounting, chain, of_ports, to_ports};
use super::relay::{Fate, How, relay};
use super::{Installed, Place};

/// The first bytes of this protocol kill the session, on these ports or on any.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtocolBlock {
    protocol: Protocol,
    #[serde(default)]
    how: How,
    /// Empty: any port.
    #[serde(default)]
    ports: Vec<u16>,
    /// Of `tls`: only sessions for one of these server names, or for names below them.
    #[serde(default)]
    names: Vec<String>,
}

/// What it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// C0 and the beginning of C1.
    Rtmp,
    /// A caller's first packet; none ever gets an answer.
    SrtInduction,
    /// A listener's answer with SRT's magic number.
    SrtMagic,
    /// The conclusion, both ways: induction still passes.
    SrtConclusion,
    /// A `ClientHello`.
    Tls,
}

/// Offsets in bits from the UDP header: control type, handshake's extension field, handshake type.
const SRT_HANDSHAKE: &str = "@th,64,32 0x80000000";
const SRT_MAGIC: &str = "@th,240,16 0x4a17";
const SRT_INDUCTION: &str = "@th,352,32 0x00000001";
const SRT_CONCLUSION: &str = "@th,352,32 0xffffffff";

impl ProtocolBlock {
    pub(super) fn install(&self, place: &Place) -> Installed {
        let installed = Installed::new(place, "protocol_block");
        match self.protocol {
            Protocol::Rtmp if self.how == How::Fin => self.relayed(place, installed, &[]),
            Protocol::Rtmp => {
                // The client's first segment, not a one that begins with a three by chance.
                let first = "ct direction original ct original packets < 6 meta length > 400 @ih,0,8 0x03";
                let doomed = format!("{} {first}", to_ports("tcp", &self.ports));
                let accounting = accounting(place);
                installed.with(accounting).with(Table::load(place, &self.killing(&doomed)))
            }
            Protocol::Tls => self.relayed(place, installed, &self.names),
            Protocol::SrtInduction => {
                self.udp(place, installed, &[SRT_HANDSHAKE, SRT_INDUCTION, "@th,240,16 2"])
            }
            Protocol::SrtMagic => self.udp(place, installed, &[SRT_HANDSHAKE, SRT_MAGIC]),
            Protocol::SrtConclusion => self.udp(place, installed, &[SRT_HANDSHAKE, SRT_CONCLUSION]),
        }
    }

    /// Drops these datagrams, both ways.
    fn udp(&self, place: &Place, installed: Installed, matches: &[&str]) -> Installed {
        let rule = format!("{} {} counter drop", of_ports("udp", &self.ports), matches.join(" "));
        installed.with(Table::load(place, &chain("forward", "filter hook forward priority mangle", &rule)))
    }

    /// Sessions with a packet that matches are lost from then on.
    fn killing(&self, doomed: &str) -> String {
        let end = match self.how {
            How::Swallow => "counter drop",
            How::Reset | How::Fin => "counter reject with tcp reset",
        };
        let set = "set doomed { typeof ct id; flags dynamic,timeout; timeout 10m; size 65535; }\n";
        let rules = format!("{doomed} add @doomed {{ ct id }}\n meta l4proto tcp ct id @doomed {end}");
        set.to_owned() + &chain("forward", "filter hook forward priority mangle", &rules)
    }

    fn relayed(&self, place: &Place, installed: Installed, names: &[String]) -> Installed {
        let (protocol, names) = (self.protocol, names.to_vec());
        let judge = move |first: &[u8]| match protocol {
            Protocol::Rtmp => rtmp(first),
            _ => tls(first, &names),
        };
        let (table, server) = relay(place, &to_ports("tcp", &self.ports), self.how, Arc::new(judge));
        installed.with(table).with(server)
    }
}

fn rtmp(first: &[u8]) -> Fate {
    match first {
        [] => Fate::Unknown,
        [3, rest @ ..] if rest.len() < 8 => Fate::Unknown,
        [3, ..] => Fate::Kill,
        _ => Fate::Pass,
    }
}

fn tls(first: &[u8], names: &[String]) -> Fate {
    match first {
        [] | [0x16] => Fate::Unknown,
        [0x16, 3, ..] if names.is_empty() => Fate::Kill,
        [0x16, 3, rest @ ..] => {
            let (Some(high), Some(low)) = (rest.get(1), rest.get(2)) else { return Fate::Unknown };
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let Some(hello) = rest.get(3..3 + length) else { return Fate::Unknown };
            if names.iter().any(|name| is_for(hello, name)) { Fate::Kill } else { Fate::Pass }
        }
        _ => Fate::Pass,
    }
}

/// Whether a `ClientHello`'s server name (RFC 6066 §3) is `name` or below it. The name stands in
/// it as type, length, text: enough to find it without reading all that stands before.
fn is_for(hello: &[u8], name: &str) -> bool {
    let name = name.as_bytes();
    (3..hello.len().saturating_sub(name.len() - 1)).any(|at| {
        let ends = at + name.len();
        let lengths = (1..=at.saturating_sub(3)).chain([0]).take_while(|back| at - back >= 3);
        hello[at..ends].eq_ignore_ascii_case(name)
            && lengths.into_iter().any(|back| {
                let start = at - back;
                let length = usize::from(u16::from_be_bytes([hello[start - 2], hello[start - 1]]));
                hello[start - 3] == 0 && length == ends - start && (back == 0 || hello[at - 1] == b'.')
            })
    })
}
