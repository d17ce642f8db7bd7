//! Certificate authorities and servers' certificates of a test's own.

use std::path::Path;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// An authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate with its key, as PEM.
pub struct Certified {
    pub certificate: String,
    pub key: String,
}

/// Days from today on which a certificate starts and ends.
pub const NOW: (i64, i64) = (-1, 90);

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Its own certificate.
    pub fn root(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()
    }

    /// Its own certificate as PEM, for a store in a file.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A server's certificate; `subject` is its common name.
    pub fn certify(&self, name: &str, subject: &str, days: (i64, i64)) -> Certified {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, subject);
        let today = jiff::Timestamp::now().as_second();
        let day = |offset: i64| {
            date_time_ymd(1970, 1, 1) + Duration::from_secs(u64::try_from(today + offset * 86_400).unwrap())
        };
        (params.not_before, params.not_after) = (day(days.0), day(days.1));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Certified { certificate, key: key.serialize_pem() }
    }
}

impl Certified {
    /// One that nobody else signed.
    pub fn by_itself(name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        Self { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() }
    }
}

/// The certificates of a PEM file.
pub fn read_pem(file: &Path) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(file).unwrap().map(Result::unwrap).collect()
}
