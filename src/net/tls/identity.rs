//! Who a server showed itself to be, and who here believes it.

use std::time::Duration;

use jiff::Timestamp;
use rustls::RootCertStore;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::roots::Stores;
use super::{Certificate, provider};
use crate::model::{Pin, WireText};

/// Certificates of a chain that are kept and used to build a path.
pub const MAX_CHAIN: usize = 10;

/// Certificates whose dates are tried as the moment of verification.
const MAX_DATED: usize = 4;

/// What one set of roots makes of a chain, its name apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// The chain ends at one of the roots, and every date holds.
    Trusted,
    /// The chain ends at one of the roots, but a certificate in it has run out.
    Expired,
    /// The chain ends at one of the roots, but a certificate in it is not valid yet.
    NotYetValid,
    /// The chain ends at none of the roots, or breaks a rule of theirs.
    Untrusted,
    /// There are no roots to hold it against.
    NoStore,
}

impl Trust {
    /// True when the chain ends at one of the roots, whatever the dates say.
    pub const fn anchored(self) -> bool {
        matches!(self, Self::Trusted | Self::Expired | Self::NotYetValid)
    }
}

/// What one set of roots makes of a chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Standing {
    /// The verdict.
    pub trust: Trust,
    /// The verifier's own words, when it objects.
    pub detail: WireText,
    /// Until when these roots will trust the chain, as certificates' dates go; absent when
    /// they do not.
    pub until: Option<Timestamp>,
}

/// Who a server showed itself to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// The chain as presented, the server's own certificate first, at most [`MAX_CHAIN`].
    /// Ends before the first one that cannot be read.
    pub chain: Vec<Certificate>,
    /// How many certificates were presented.
    pub presented: usize,
    /// Whether the certificate is made out to the name that was asked for.
    pub name_matches: bool,
    /// Held against Mozilla's roots, as compiled in.
    pub mozilla: Standing,
    /// Held against this machine's own store.
    pub machine: Standing,
    /// How many roots this machine's store holds.
    pub machine_roots: usize,
    /// The moment that the dates were held against.
    pub verified_at: Timestamp,
}

impl Identity {
    /// The server's own certificate.
    pub fn leaf(&self) -> Option<&Certificate> {
        self.chain.first()
    }

    /// True when the machine's store knows the chain's root and Mozilla's does not: a private
    /// authority, or somebody in between who signs in the server's name.
    pub const fn intercepted(&self) -> bool {
        self.machine.trust.anchored() && !self.mozilla.trust.anchored()
    }

    /// True when a program on this machine would trust the chain now (the name apart).
    pub const fn trusted_here(&self) -> bool {
        matches!(self.machine.trust, Trust::Trusted) || matches!(self.mozilla.trust, Trust::Trusted)
    }

    /// True when the name matches and Mozilla's roots trust the chain: nobody in between.
    pub const fn proves_name(&self) -> bool {
        self.name_matches && matches!(self.mozilla.trust, Trust::Trusted)
    }

    /// True when the server's own key is one of `pins`.
    pub fn pinned(&self, pins: &[Pin]) -> bool {
        self.leaf().is_some_and(|leaf| pins.contains(&leaf.spki))
    }

    pub(super) fn of(
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
        stores: &Stores,
    ) -> Self {
        let presented = rest.len() + 1;
        let rest = rest.get(..MAX_CHAIN - 1).unwrap_or(rest);
        let chain: Vec<Certificate> =
            std::iter::once(leaf).chain(rest).map_while(|der| Certificate::read(der)).collect();
        let name_matches =
            ParsedCertificate::try_from(leaf).is_ok_and(|parsed| verify_server_name(&parsed, name).is_ok());
        let shown = Shown { leaf, rest, chain: &chain, now };
        let mut machine = shown.standing(&stores.machine);
        if machine.trust == Trust::Untrusted
            && stores.machine_certificates.contains(&leaf.clone().into_owned())
        {
            machine = shown.itself_a_root().unwrap_or(machine);
        }
        let mozilla = shown.standing(&stores.mozilla);
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        Self {
            mozilla,
            machine,
            chain,
            presented,
            name_matches,
            machine_roots: stores.machine.len(),
            verified_at: Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX),
        }
    }
}

/// A chain as shown, at one moment.
struct Shown<'a> {
    leaf: &'a CertificateDer<'a>,
    rest: &'a [CertificateDer<'a>],
    chain: &'a [Certificate],
    now: UnixTime,
}

impl Shown<'_> {
    /// Every rule but the name, at `now`. When that fails, the chain's own dates are tried: a
    /// chain that would hold on one of them lacks nothing but time. (The verifier's own error
    /// does not tell: it calls a stranger's old certificate "expired", too.)
    fn standing(&self, store: &RootCertStore) -> Standing {
        if store.is_empty() {
            return Standing { trust: Trust::NoStore, detail: WireText::default(), until: None };
        }
        let moments = self.moments();
        let held = |moment: &Timestamp| self.verify(store, unix(*moment)).is_ok();
        let Err(why) = self.verify(store, self.now) else {
            return Standing {
                trust: Trust::Trusted,
                detail: WireText::default(),
                until: moments.iter().copied().filter(|m| unix(*m) >= self.now).filter(held).max(),
            };
        };
        let trust = match moments.iter().copied().find(held) {
            Some(moment) if unix(moment) < self.now => Trust::Expired,
            Some(_) => Trust::NotYetValid,
            None => Trust::Untrusted,
        };
        let why = match (trust, self.chain.first()) {
            // Say what is wrong beside the date.
            (Trust::Untrusted, Some(leaf)) => self.verify(store, unix(leaf.not_after)).err().unwrap_or(why),
            _ => why,
        };
        Standing { trust, detail: WireText::from(why), until: None }
    }

    /// A server whose certificate is itself in the machine's store, as OpenSSL and `GnuTLS` accept it.
    fn itself_a_root(&self) -> Option<Standing> {
        let leaf = self.chain.first()?;
        let trust = if self.now > unix(leaf.not_after) {
            Trust::Expired
        } else if self.now < unix(leaf.not_before) {
            Trust::NotYetValid
        } else {
            Trust::Trusted
        };
        let until = (trust == Trust::Trusted).then_some(leaf.not_after);
        Some(Standing { trust, detail: WireText::default(), until })
    }

    /// The moments at which the chain's validity can change.
    fn moments(&self) -> Vec<Timestamp> {
        self.chain.iter().take(MAX_DATED).flat_map(|c| [c.not_after, c.not_before]).collect()
    }

    fn verify(&self, store: &RootCertStore, at: UnixTime) -> Result<(), String> {
        let parsed = ParsedCertificate::try_from(self.leaf).map_err(|error| error.to_string())?;
        let algorithms = provider().signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, store, self.rest, at, algorithms)
            .map_err(|error| error.to_string())
    }
}

fn unix(at: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0)))
}
