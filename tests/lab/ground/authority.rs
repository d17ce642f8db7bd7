//! Certificate authorities and servers' certificates of a test's own.

use std::path::Path;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair, PublicKeyData,
    date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};

/// Variable that names the file of the lab's public authority, for golive in the lab.
pub const VARIABLE: &str = "GOLIVE_LAB_AUTHORITY";

/// An authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    params: CertificateParams,
    pem: String,
    /// What a server sends after its own certificate.
    chain: String,
}

/// A certificate with its key, as PEM; the authorities between it and the root follow it.
pub struct Certified {
    pub certificate: String,
    pub key: String,
}

/// A server's certificate to be made.
pub struct Wanted<'a> {
    /// Names that it is made out to.
    pub names: &'a [&'a str],
    /// Its common name.
    pub subject: &'a str,
    /// Days from today on which it starts and ends.
    pub days: (i64, i64),
    /// Certificate transparency stamps in it.
    pub stamps: usize,
}

/// Days from today on which a certificate starts and ends.
pub const NOW: (i64, i64) = (-1, 90);

impl Authority {
    pub fn new(name: &str) -> Self {
        let params = authority(name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params.clone(), key), params, pem, chain: String::new() }
    }

    /// An authority that this one vouches for.
    pub fn below(&self, name: &str, days: (i64, i64)) -> Self {
        let mut params = authority(name);
        date(&mut params, days);
        let key = KeyPair::generate().unwrap();
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        let chain = pem.clone() + &self.chain;
        Self { issuer: Issuer::new(params.clone(), key), params, pem, chain }
    }

    /// This one's certificate as another authority vouches for it (cross-signed).
    pub fn vouched_by(&self, other: &Self, days: (i64, i64)) -> String {
        let mut params = self.params.clone();
        date(&mut params, days);
        params.signed_by(self.issuer.key(), &other.issuer).unwrap().pem()
    }

    /// Its own certificate.
    pub fn root(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()
    }

    /// Its own certificate as PEM, for a store in a file.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Its own certificate and key as PEM, for whoever signs in its name.
    pub fn with_key(&self) -> String {
        self.issuer.key().serialize_pem() + &self.pem
    }

    /// A server's certificate; `subject` is its common name.
    pub fn certify(&self, name: &str, subject: &str, days: (i64, i64)) -> Certified {
        self.issue(&Wanted { names: &[name], subject, days, stamps: 0 })
    }

    /// A server's certificate.
    pub fn issue(&self, wanted: &Wanted) -> Certified {
        let names: Vec<String> = wanted.names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, wanted.subject);
        date(&mut params, wanted.days);
        if wanted.stamps > 0 {
            params.custom_extensions.push(stamps(wanted.stamps));
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem() + &self.chain;
        Certified { certificate, key: key.serialize_pem() }
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn date(params: &mut CertificateParams, days: (i64, i64)) {
    let today = jiff::Timestamp::now().as_second();
    let day = |offset: i64| {
        date_time_ymd(1970, 1, 1) + Duration::from_secs(u64::try_from(today + offset * 86_400).unwrap())
    };
    (params.not_before, params.not_after) = (day(days.0), day(days.1));
}

/// A list of stamps (RFC 6962, 3.2 and 3.3) whose signatures nobody made: a client counts them.
fn stamps(count: usize) -> CustomExtension {
    let prefixed = |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
    let stamp = [&[0][..], &[7; 32], &[0; 8], &[0, 0], &[4, 3, 0, 2, 1, 2]].concat();
    let list = prefixed(&prefixed(&stamp).repeat(count));
    let length = u8::try_from(list.len()).ok().filter(|length| *length < 128).expect("two stamps at most");
    let octets = [&[0x04, length][..], &list].concat();
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2], octets)
}

impl Certified {
    /// One that nobody else signed.
    pub fn by_itself(name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        Self { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() }
    }

    /// What a policy writes to pin its key.
    pub fn pin(&self) -> String {
        let key = KeyPair::from_pem(&self.key).unwrap();
        let digest = Sha256::digest(key.subject_public_key_info());
        digest.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
    }
}

/// The certificates of a PEM file.
pub fn read_pem(file: &Path) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(file).unwrap().map(Result::unwrap).collect()
}
