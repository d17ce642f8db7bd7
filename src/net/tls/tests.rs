use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::model::Pin;

/// An authority of a test's own.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) root: CertificateDer<'static>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().der().clone();
        Self { issuer: Issuer::new(params, key), root }
    }

    /// A server's certificate and key; `days` from today until it starts and until it ends.
    pub(crate) fn server(&self, name: &str, days: (i64, i64)) -> Server {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, format!("\u{1b}[31m{name}"));
        let today = rcgen::date_time_ymd(1970, 1, 1).unix_timestamp()
            + jiff::Timestamp::now().as_second() / 86_400 * 86_400;
        let day = |offset: i64| {
            rcgen::date_time_ymd(1970, 1, 1)
                + Duration::from_secs(u64::try_from(today + offset * 86_400).unwrap())
        };
        (params.not_before, params.not_after) = (day(days.0), day(days.1));
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        Server { chain: vec![leaf], key: PrivateKeyDer::try_from(key.serialize_der()).unwrap() }
    }
}

pub(crate) struct Server {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Server {
    pub(crate) fn self_signed(name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        Self { chain: vec![made.cert.der().clone()], key }
    }

    pub(crate) fn config(self) -> ServerConfig {
        ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain, self.key)
            .unwrap()
    }

    fn listen(self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let acceptor = TlsAcceptor::from(Arc::new(self.config()));
        tokio::spawn(async move {
            if let Ok(mut stream) = acceptor.accept(theirs).await {
                let _ = stream.shutdown().await;
            }
        });
        ours
    }
}

async fn look(server: Server, roots: &Roots, accept: Accept) -> Result<Session, Failed> {
    let ask = Ask::new("live.example", accept, roots);
    connect(server.listen(), &ask).await.map(|connected| connected.session)
}

pub(crate) const NOW: (i64, i64) = (-1, 30);

#[tokio::test]
async fn each_store_has_its_own_say_on_one_handshake() {
    let (public, private) = (Authority::new("Public"), Authority::new("\u{1b}]0;Inspector\u{7}"));
    let roots = Roots::given(vec![public.root.clone()], vec![public.root.clone(), private.root.clone()]);
    let stranger = Authority::new("Stranger");
    for (server, mozilla, machine) in [
        (public.server("live.example", NOW), Trust::Trusted, Trust::Trusted),
        (private.server("live.example", NOW), Trust::Untrusted, Trust::Trusted),
        (stranger.server("live.example", NOW), Trust::Untrusted, Trust::Untrusted),
        (public.server("live.example", (-9, -3)), Trust::Expired, Trust::Expired),
        (private.server("live.example", (-9, -3)), Trust::Untrusted, Trust::Expired),
        (stranger.server("live.example", (-9, -3)), Trust::Untrusted, Trust::Untrusted),
        (public.server("live.example", (3, 9)), Trust::NotYetValid, Trust::NotYetValid),
    ] {
        let identity = look(server, &roots, Accept::Any).await.unwrap().identity;
        assert_eq!((identity.mozilla.trust, identity.machine.trust), (mozilla, machine), "{identity:?}");
        assert_eq!(identity.intercepted(), machine != Trust::Untrusted && mozilla == Trust::Untrusted);
        assert!(identity.name_matches);
    }
}

#[tokio::test]
async fn names_are_matched_apart_from_trust_and_are_inert() {
    let public = Authority::new("Public");
    let roots = Roots::given(vec![public.root.clone()], vec![]);
    let identity = look(public.server("other.example", NOW), &roots, Accept::Any).await.unwrap().identity;
    assert!(!identity.name_matches && !identity.proves_name());
    assert_eq!((identity.mozilla.trust, identity.machine.trust), (Trust::Trusted, Trust::NoStore));
    assert_eq!(identity.leaf().unwrap().sans[0].as_str(), "other.example");
    assert_eq!(identity.leaf().unwrap().subject.as_str(), "CN=\\u{1b}[31mother.example");
    assert_eq!(identity.mozilla.until, Some(identity.leaf().unwrap().not_after));
}

#[tokio::test]
async fn accept_trusted_stops_before_anything_is_sent() {
    let public = Authority::new("Public");
    let roots = Roots::given(vec![public.root.clone()], vec![]);
    for server in [public.server("other.example", NOW), Server::self_signed("live.example")] {
        let failed = look(server, &roots, Accept::Trusted).await.unwrap_err();
        assert_eq!(failed.failure, Failure::Untrusted);
        assert!(failed.identity.is_some());
    }
    assert!(look(public.server("live.example", NOW), &roots, Accept::Trusted).await.is_ok());
}

#[tokio::test]
async fn a_certificate_in_the_machine_store_is_trusted_itself() {
    let server = Server::self_signed("live.example");
    let roots = Roots::given(vec![Authority::new("Public").root], server.chain.clone());
    let identity = look(server, &roots, Accept::Trusted).await.unwrap().identity;
    assert_eq!(identity.machine.trust, Trust::Trusted);
    assert!(identity.pinned(&[identity.leaf().unwrap().spki.clone()]));
    assert!(!identity.pinned(&[Pin::from_digest([0; 32])]));
}

/// The first answer of a server that knows TLS 1.0 at most: its version, 32 random bytes, no
/// session, `TLS_RSA_WITH_AES_128_CBC_SHA`, no compression (RFC 2246, 7.4.1.3).
const TLS_1_0: &[u8] = b"\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01\
    0123456789abcdef0123456789abcdef\x00\x00\x2f\x00";

#[tokio::test]
async fn what_is_not_tls_is_kept() {
    let roots = Roots::given(vec![], vec![]);
    for (says, failure) in [
        (&b"SSH-2.0-OpenSSH_9.2p1\r\n"[..], Failure::WrongProtocol),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Failure::WrongProtocol),
        (b"\x15\x03\x01\x00\x02\x02\x46", Failure::TlsAlert),
        (b"\x16\x03\x03\x00\x01", Failure::Closed),
        (TLS_1_0, Failure::Other),
        (b"", Failure::Closed),
    ] {
        let (ours, mut theirs) = tokio::io::duplex(1 << 16);
        theirs.write_all(says).await.unwrap();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(theirs);
        });
        let failed = connect(ours, &Ask::new("live.example", Accept::Any, &roots)).await.unwrap_err();
        assert_eq!((failed.failure, &failed.answered[..]), (failure, says), "{failed:?}");
        assert_eq!(failed.detail.as_str() == OLD_VERSION, says == TLS_1_0, "{failed:?}");
    }
}

#[tokio::test]
async fn silence_and_a_bad_name_are_told_apart() {
    let roots = Roots::given(vec![], vec![]);
    let (ours, _theirs) = tokio::io::duplex(1 << 16);
    let mut ask = Ask::new("live.example", Accept::Any, &roots);
    ask.limit = Duration::from_millis(30);
    assert_eq!(connect(ours, &ask).await.unwrap_err().failure, Failure::TimedOut);
    let (ours, _theirs) = tokio::io::duplex(1 << 16);
    ask.server_name = "not a name";
    assert_eq!(connect(ours, &ask).await.unwrap_err().failure, Failure::Other);
}

/// RFC 6962, 3.2 and 3.3: a list of stamps in an octet string.
#[test]
fn transparency_stamps_are_counted() {
    let stamp = [&[0][..], &[7; 32], &[0; 8], &[0, 0], &[4, 3, 0, 2, 1, 2]].concat();
    let one = [&u16::try_from(stamp.len()).unwrap().to_be_bytes()[..], &stamp].concat();
    let two = [one.clone(), one].concat();
    let list = [&u16::try_from(two.len()).unwrap().to_be_bytes()[..], &two].concat();
    let octets = [&[4, u8::try_from(list.len()).unwrap()][..], &list].concat();
    let mut params = CertificateParams::new(["live.example".to_owned()]).unwrap();
    let oid = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];
    params.custom_extensions.push(rcgen::CustomExtension::from_oid_content(&oid, octets));
    let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    assert_eq!(Certificate::read(made.der()).unwrap().scts, 2);
}

#[test]
fn cut_and_altered_certificates_never_panic() {
    let der = Authority::new("Public").server("live.example", NOW).chain.remove(0);
    assert!(Certificate::read(&der).is_some());
    for cut in 0..der.len() {
        let _ = Certificate::read(&der[..cut]);
        let mut altered = der.to_vec();
        altered[cut] ^= 0xff;
        let _ = Certificate::read(&altered);
    }
}
