//! What a certificate says, bounded and escaped: everything in it was written by a stranger.

use std::net::IpAddr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::model::{Pin, WireText, text};

/// Subject alternative names kept of one certificate.
pub const MAX_SANS: usize = 32;

/// A certificate as presented (RFC 5280), in summary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// To whom it is made out.
    pub subject: WireText,
    /// Who signed it.
    pub issuer: WireText,
    /// Names and addresses that it is valid for, at most [`MAX_SANS`].
    pub sans: Vec<WireText>,
    /// How many there are.
    pub sans_total: usize,
    /// Valid from.
    pub not_before: Timestamp,
    /// Valid until.
    pub not_after: Timestamp,
    /// Serial number in hexadecimal, at most 20 octets of it (RFC 5280, 4.1.2.2).
    pub serial: String,
    /// SHA-256 of its public key info: what a pin in a policy is compared with.
    pub spki: Pin,
    /// Certificate transparency stamps that it carries (RFC 6962, 3.3). Stamps sent beside
    /// the certificate (in the handshake or by OCSP) are not counted.
    pub scts: usize,
}

impl Certificate {
    /// Reads one; `None` when it cannot be read.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        let names = parsed.subject_alternative_name().ok().flatten();
        let names = names.as_ref().map(|found| found.value.general_names.as_slice()).unwrap_or_default();
        let scts = parsed.iter_extensions().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SCT(stamps) => Some(stamps.len()),
            _ => None,
        });
        Some(Self {
            subject: WireText::from(parsed.subject().to_string()),
            issuer: WireText::from(parsed.issuer().to_string()),
            sans: names.iter().take(MAX_SANS).map(san).collect(),
            sans_total: names.len(),
            not_before: instant(parsed.validity().not_before.timestamp()),
            not_after: instant(parsed.validity().not_after.timestamp()),
            serial: text::hex(parsed.raw_serial().get(..20).unwrap_or(parsed.raw_serial())),
            spki: Pin::from_digest(Sha256::digest(parsed.public_key().raw).into()),
            scts: scts.unwrap_or(0),
        })
    }

    /// True when it names itself as its signer.
    pub fn self_issued(&self) -> bool {
        self.subject == self.issuer
    }
}

/// Seconds since 1970; what lies beyond the calendar (9999-12-31 is "no end" in RFC 5280,
/// 4.1.2.5) becomes its last day.
fn instant(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

fn san(name: &GeneralName<'_>) -> WireText {
    match name {
        GeneralName::DNSName(name) => WireText::from(*name),
        GeneralName::IPAddress(bytes) => {
            let address = <[u8; 4]>::try_from(*bytes)
                .map(IpAddr::from)
                .or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            address.map_or_else(|_| WireText::from("(bad address)"), |ip| WireText::from(ip.to_string()))
        }
        other => WireText::from(other.to_string()),
    }
}
