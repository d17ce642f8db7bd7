//! RIST (VSF TR-06-1 simple profile, TR-06-2 main profile) without sockets or clocks: a sender that
//! introduces itself and asks for an echo. It sends no media.
//!
//! A seam of our own over `rist-core`, which packs and encrypts. Of what comes back it is given only
//! the packets that are looked at: it would write out every number of a request for thousands.

use rist_core::PskKey;
use rist_core::packet::gre::{
    GRE_PROTOCOL_TYPE_REDUCED, GreHeader, ReducedHeader, ReducedPacket, decode_encrypted_reduced_packet,
    encode_encrypted_reduced_payload, encode_reduced_payload,
};
use rist_core::packet::rtcp::{
    ECHO_RESPONSE, Echo, EchoKind, PTYPE_NACK_CUSTOM, PTYPE_RR, PTYPE_SDES, PTYPE_SR, RtcpHeader, RtcpPacket,
    decode_compound, encode_echo, encode_empty_receiver_report, encode_sdes_cname,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Secret, WireText};

/// Longest datagram that is looked at.
pub const MAX: usize = 1500;
/// What a sender calls itself (RTCP SDES CNAME).
const CNAME: &str = "golive";
/// The tunnel's inner ports, as librist has them; the receiver answers to the first.
const PORTS: ReducedHeader = ReducedHeader { src_port: 1971, dst_port: 1968 };
/// Version of the tunnel's header: its sequence number leads the cipher's counter.
const GRE_VERSION: u8 = 1;

/// Profile of the receiver.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// RTP on an even port and RTCP on the next one, in clear (TR-06-1).
    Simple,
    /// Everything through one port, encrypted where there is a secret (TR-06-2).
    #[default]
    Main,
}

/// Keys that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret cannot be used: keys have 128 or 256 bits, in the main profile only")]
pub struct BadKey;

/// The sender's side of one flow.
pub struct Sender {
    profile: Profile,
    /// Even: TR-06-1 marks what is sent again by the lowest bit.
    flow: u32,
    keys: Option<(PskKey, PskKey)>,
    tunnelled: u32,
}

/// What a datagram from the receiver's address is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The receiver's RTCP.
    Answer(Answer),
    /// RIST's tunnel with something else in it, as a keepalive: no answer yet.
    Tunnel,
    /// It is encrypted with another secret, or only one side encrypts.
    OtherSecret,
    /// No RIST.
    Foreign,
}

/// What the receiver said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// What it calls itself (SDES CNAME).
    pub name: Option<WireText>,
    /// Of an echo: the token that it gives back, and how long it kept it, in µs.
    pub echo: Option<(u64, u32)>,
}

impl Sender {
    /// A sender of this flow. A secret encrypts (main profile, AES-CTR with 128 or 256 bits).
    ///
    /// # Errors
    /// A secret that cannot be used.
    pub fn new(
        profile: Profile,
        flow: u32,
        nonce: [u8; 4],
        secret: Option<(&Secret, u16)>,
    ) -> Result<Self, BadKey> {
        let keys = match secret {
            None => None,
            Some((secret, bits @ (128 | 256))) if profile == Profile::Main => {
                let ours = PskKey::from_nonce(bits.into(), 0, secret.reveal(), nonce).map_err(|_| BadKey)?;
                let theirs = PskKey::receiver(bits.into(), secret.reveal()).map_err(|_| BadKey)?;
                Some((ours, theirs))
            }
            Some(_) => return Err(BadKey),
        };
        Ok(Self { profile, flow: flow & !1, keys, tunnelled: 0 })
    }

    /// Says who sends, and asks for an echo of `token`.
    pub fn hello(&mut self, token: u64) -> Vec<u8> {
        let mut compound = Vec::new();
        encode_empty_receiver_report(self.flow, &mut compound);
        encode_sdes_cname(self.flow, CNAME, &mut compound);
        let echo = Echo { ssrc: self.flow, ntp_timestamp: token, kind: EchoKind::Request };
        encode_echo(echo, &mut compound);
        self.wrap(compound)
    }

    fn wrap(&mut self, packet: Vec<u8>) -> Vec<u8> {
        if self.profile == Profile::Simple {
            return packet;
        }
        let number = self.tunnelled;
        self.tunnelled = number.wrapping_add(1);
        match &mut self.keys {
            None => encode_reduced_payload(GRE_VERSION, number, PORTS, &packet),
            Some((ours, _)) => encode_encrypted_reduced_payload(GRE_VERSION, number, PORTS, &packet, ours),
        }
    }

    /// Reads a datagram.
    pub fn read(&mut self, datagram: &[u8]) -> Heard {
        let Some(datagram) = Some(datagram).filter(|datagram| datagram.len() <= MAX) else {
            return Heard::Foreign;
        };
        if self.profile == Profile::Simple {
            return compound(datagram).map_or(Heard::Foreign, Heard::Answer);
        }
        let Some(tunnel) = tunnel(datagram) else { return Heard::Foreign };
        match (&mut self.keys, tunnel.key) {
            (Some(_), None) | (None, Some(_)) => Heard::OtherSecret,
            _ if tunnel.protocol_type != GRE_PROTOCOL_TYPE_REDUCED => Heard::Tunnel,
            // What another secret opens is no RTCP.
            (Some((_, theirs)), Some(_)) => decode_encrypted_reduced_packet(datagram, theirs)
                .ok()
                .and_then(|packet| compound(&packet.payload))
                .map_or(Heard::OtherSecret, Heard::Answer),
            (None, None) => ReducedPacket::decode(datagram)
                .ok()
                .and_then(|packet| compound(packet.payload))
                .map_or(Heard::Foreign, Heard::Answer),
        }
    }
}

/// The tunnel's header, when it has a protocol of RIST's (TR-06-2, 5.2): the `EtherTypes` for local
/// experiments, EAPOL, whole IP packets, and VSF's own.
fn tunnel(datagram: &[u8]) -> Option<GreHeader> {
    const PROTOCOLS: [u16; 5] = [0x88B5, 0x88B6, 0x888E, 0x0800, 0xCCE0];
    // Reserved bits of the first byte are zero; key and sequence number are the only options.
    let plain = datagram.first().is_some_and(|flags| flags & !0x30 == 0);
    let (header, _) = GreHeader::decode(datagram).ok().filter(|_| plain)?;
    PROTOCOLS.contains(&header.protocol_type).then_some(header)
}

/// A compound RTCP packet (RFC 3550, 6.1): whole packets of version 2, the first one a report.
fn compound(mut bytes: &[u8]) -> Option<Answer> {
    let mut answer = Answer::default();
    if !bytes.get(1).is_some_and(|kind| matches!(*kind, PTYPE_SR | PTYPE_RR)) {
        return None;
    }
    while !bytes.is_empty() {
        let header = RtcpHeader::decode(bytes).ok().filter(|header| header.flags >> 6 == 2)?;
        let (packet, rest) = bytes.split_at_checked(header.packet_len())?;
        bytes = rest;
        if matches!(
            (header.packet_type, header.flags & 0x1F),
            (PTYPE_NACK_CUSTOM, ECHO_RESPONSE) | (PTYPE_SDES, _)
        ) {
            told(packet, &mut answer);
        }
    }
    Some(answer)
}

fn told(packet: &[u8], answer: &mut Answer) {
    for told in decode_compound(packet).unwrap_or_default() {
        match told {
            RtcpPacket::SourceDescription { cname, .. } => answer.name = Some(cname.into()),
            RtcpPacket::Echo(Echo { ntp_timestamp, kind: EchoKind::Response { delay }, .. }) => {
                answer.echo = Some((ntp_timestamp, delay));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sender(profile: Profile, secret: Option<&str>) -> Sender {
        let secret = secret.map(|secret| Secret::from(secret.to_owned()));
        Sender::new(profile, 7, [1, 2, 3, 4], secret.as_ref().map(|secret| (secret, 128))).unwrap()
    }

    fn echo_of(token: u64) -> Vec<u8> {
        let mut compound = Vec::new();
        encode_empty_receiver_report(6, &mut compound);
        encode_sdes_cname(6, "studio", &mut compound);
        let kind = EchoKind::Response { delay: 250 };
        encode_echo(Echo { ssrc: 6, ntp_timestamp: token, kind }, &mut compound);
        compound
    }

    #[test]
    fn an_echo_is_heard_in_every_profile() {
        let expected = Answer { name: Some("studio".into()), echo: Some((99, 250)) };
        assert_eq!(sender(Profile::Simple, None).read(&echo_of(99)), Heard::Answer(expected.clone()));
        for secret in [None, Some("correct horse")] {
            let packed = sender(Profile::Main, secret).wrap(echo_of(99));
            let heard = sender(Profile::Main, secret).read(&packed);
            assert_eq!(heard, Heard::Answer(expected.clone()), "{secret:?}");
        }
    }

    #[test]
    fn another_secret_is_told_from_another_protocol() {
        let cases = [(Some("a"), Some("b")), (None, Some("b")), (Some("a"), None)];
        for (ours, theirs) in cases {
            let packed = sender(Profile::Main, theirs).wrap(echo_of(1));
            assert_eq!(sender(Profile::Main, ours).read(&packed), Heard::OtherSecret, "{ours:?} {theirs:?}");
        }
        for said in [&b"HTTP/1.1 400 Bad Request"[..], b"", b"\x80\xc9", b"\x20"] {
            assert_eq!(sender(Profile::Main, None).read(said), Heard::Foreign, "{said:?}");
            assert_eq!(sender(Profile::Simple, None).read(said), Heard::Foreign, "{said:?}");
        }
        assert_eq!(sender(Profile::Main, None).read(&[0, 0, 8, 0, 1]), Heard::Tunnel);
    }

    #[test]
    fn keys_are_of_two_lengths_and_of_the_main_profile() {
        let secret = Secret::from("correct horse".to_owned());
        for (profile, bits) in [(Profile::Main, 192), (Profile::Simple, 128)] {
            assert!(Sender::new(profile, 1, [0; 4], Some((&secret, bits))).is_err(), "{profile:?} {bits}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 200_u8..207, secret: bool,
        ) {
            for profile in [Profile::Simple, Profile::Main] {
                let secret = (secret && profile == Profile::Main).then_some("correct horse");
                let _ = sender(profile, secret).read(&bytes);
                if let [flags, kind_of, ..] = bytes.as_mut_slice() {
                    (*flags, *kind_of) = (0x80 | *flags & 0x1F, kind);
                }
                let _ = sender(profile, secret).read(&bytes);
            }
        }
    }
}
