//! Into a ticket over TLS: to whom this machine's store vouches for, and to nobody else.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::vendors::{self, Kept, USER};
use super::{all_kept, command, event};
use crate::event::told;

/// A server's side of TLS for 127.0.0.1, and the store that vouches for it, as PEM.
fn certified() -> (Arc<ServerConfig>, String) {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "The tickets' authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let store = authority.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(authority, key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    (Arc::new(config), store)
}

#[test]
fn a_ticket_system_is_reached_over_tls() {
    let (event, kept) = (event(), Kept::default());
    let (tls, store) = certified();
    let desk = vendors::jira_over_tls(&kept, tls);
    assert!(desk.url().starts_with("https://"));
    let file = event.path("store.pem");
    std::fs::write(&file, store).unwrap();
    let mut known = command(&event);
    known.env("SSL_CERT_FILE", &file).env_remove("SSL_CERT_DIR");
    known.args(["--jira", &desk.url(), "--issue", "OPS-123", "--user", USER]);
    let (code, said) = told(&known.output().unwrap());
    assert_eq!(code, 0, "{said}");
    all_kept(&event, &kept);
}

#[test]
fn a_server_that_nobody_vouches_for_gets_no_token_and_no_file() {
    let (event, kept) = (event(), Kept::default());
    let (desk, other) = (vendors::jira_over_tls(&kept, certified().0), certified().1);
    let file = event.path("store.pem");
    std::fs::write(&file, other).unwrap();
    let mut stranger = command(&event);
    stranger.env("SSL_CERT_FILE", &file).env_remove("SSL_CERT_DIR");
    stranger.args(["--jira", &desk.url(), "--issue", "OPS-123", "--user", USER]);
    let (code, said) = told(&stranger.output().unwrap());
    assert!(code == 69 && said.contains("certificate"), "{code} {said}");
    assert!(desk.heard().is_empty() && kept.lock().unwrap().is_empty());
}
