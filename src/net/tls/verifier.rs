//! The verifier that records: every chain is kept and judged, whether it is let through or not.

use std::sync::{Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use super::{Accept, Identity, Roots, provider};
use crate::net::clock::Origin;

/// What was shown, and how long it took us to judge it.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) identity: Identity,
    /// Time that is ours and not the network's, in milliseconds.
    pub(super) judged_ms: f64,
}

/// Records what a server shows.
#[derive(Debug)]
pub(super) struct Recorder {
    roots: Roots,
    accept: Accept,
    seen: Mutex<Option<Seen>>,
}

impl Recorder {
    pub(super) fn new(roots: Roots, accept: Accept) -> Self {
        Self { roots, accept, seen: Mutex::new(None) }
    }

    /// What was shown, once.
    pub(super) fn seen(&self) -> Option<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let origin = Origin::start();
        let identity = Identity::of(leaf, intermediates, server_name, now, self.roots.stores());
        let refused = match self.accept {
            Accept::Trusted if !identity.trusted_here() => Some(CertificateError::UnknownIssuer),
            Accept::Trusted if !identity.name_matches => Some(CertificateError::NotValidForName),
            Accept::Any | Accept::Trusted => None,
        };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Seen { identity, judged_ms: origin.ms() });
        refused.map_or(Ok(ServerCertVerified::assertion()), |why| Err(Error::InvalidCertificate(why)))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
