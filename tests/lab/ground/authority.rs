//! Certificate authorities and servers' certificates of a test's own.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair, PublicKeyData,
    date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::peer::need;

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
    /// An OCSP response to staple to it, DER.
    pub staple: Option<Vec<u8>>,
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
    /// What key it is of.
    pub kind: Kind,
    /// Its server must staple an OCSP response to it (RFC 7633).
    pub must_staple: bool,
}

/// A kind of key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// ECDSA with P-256.
    #[default]
    Ecdsa,
    /// RSA with 2048 bits.
    Rsa,
}

impl Kind {
    fn key(self) -> KeyPair {
        match self {
            Self::Ecdsa => KeyPair::generate().unwrap(),
            Self::Rsa => {
                let arguments =
                    ["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
                KeyPair::from_pem(&openssl(&arguments)).unwrap()
            }
        }
    }
}

/// What openssl(1) says.
fn openssl(arguments: &[&str]) -> String {
    let output = Command::new(need("openssl", "openssl")).args(arguments).output().unwrap();
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
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
    pub fn below(&self, name: &str, days: (i64, i64), kind: Kind) -> Self {
        let mut params = authority(name);
        date(&mut params, days);
        let key = kind.key();
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

    /// An OCSP response (RFC 6960) for a week, DER: the certificate that it issued is good.
    pub fn vouches_still(&self, certified: &Certified) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            file.to_str().unwrap().to_owned()
        };
        let (issuer, both) = (file("issuer.pem", &self.pem), file("signer.pem", &self.with_key()));
        let certificate = file("certificate.pem", &certified.certificate);
        let serial = openssl(&["x509", "-in", &certificate, "-noout", "-serial"]);
        let serial = serial.trim().trim_start_matches("serial=");
        // As openssl-ca(1) keeps it: state, end, end by revocation, serial, file, name.
        let index = file("index.txt", &format!("V\t491231235959Z\t\t{serial}\tunknown\t/CN=a\n"));
        let response = folder.path().join("response.der").to_str().unwrap().to_owned();
        openssl(&[
            "ocsp",
            "-index",
            &index,
            "-CA",
            &issuer,
            "-rsigner",
            &both,
            "-issuer",
            &issuer,
            "-cert",
            &certificate,
            "-respout",
            &response,
            "-ndays",
            "7",
            "-no_nonce",
        ]);
        std::fs::read(&response).unwrap()
    }

    /// Its own certificate and key as PEM, for whoever signs in its name.
    pub fn with_key(&self) -> String {
        self.issuer.key().serialize_pem() + &self.pem
    }

    /// A server's certificate; `subject` is its common name.
    pub fn certify(&self, name: &str, subject: &str, days: (i64, i64)) -> Certified {
        self.issue(&Wanted {
            names: &[name],
            subject,
            days,
            stamps: 0,
            kind: Kind::Ecdsa,
            must_staple: false,
        })
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
        if wanted.must_staple {
            // TLS feature 5, status_request.
            let feature = vec![0x30, 3, 2, 1, 5];
            params
                .custom_extensions
                .push(CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 24], feature));
        }
        let key = wanted.kind.key();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem() + &self.chain;
        Certified { certificate, key: key.serialize_pem(), staple: None }
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
        Self { certificate: made.cert.pem(), key: made.signing_key.serialize_pem(), staple: None }
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
