//! TLS against openssl's server, against mitmproxy in between, and against what is no TLS.
//!
//! There is no public server here, so a test's own authority stands in the place of Mozilla's
//! roots ([`Roots::given`]); the program itself cannot be told to use another one, which
//! [`an_authority_in_the_machine_store_does_not_become_public`] shows on the real binary.

use std::path::PathBuf;
use std::process::Command;

use golive::model::{AtLeast, CheckId, Effect, Finding, OneOf};
use golive::net::tls::{Roots, Version};
use golive::probe::tls::{Answer, Limits, Reading, RootSet, Target, Tls};
use golive::probe::{Env, Probe};
use serde_json::Value;

use crate::ground::authority::{Authority, Certified, NOW, read_pem};
use crate::ground::peer::{Peer, free_port};

const NAME: &str = "live.golive.example";

/// openssl's server with this certificate and these options.
fn openssl(port: u16, certified: &Certified, options: &[&str]) -> Peer {
    Peer::of("openssl", "openssl")
        .file("certificate.pem", &certified.certificate)
        .file("key.pem", &certified.key)
        .args(["s_server", "-quiet", "-cert", "certificate.pem", "-key", "key.pem"])
        .args(["-accept", &format!("127.0.0.1:{port}")])
        .args(options)
        .spawn()
        .await_tcp(port)
}

/// mitmproxy in the place of the server on `upstream`; returns the certificate of its authority.
fn mitmproxy(port: u16, upstream: u16) -> (Peer, PathBuf) {
    let peer = Peer::of("mitmdump", "mitmproxy")
        .args(["--mode", &format!("reverse:https://127.0.0.1:{upstream}")])
        .args(["--listen-host", "127.0.0.1", "--listen-port", &port.to_string()])
        .args(["--set", "confdir=.", "--ssl-insecure", "--quiet"])
        .spawn()
        .await_tcp(port);
    let authority = peer.dir().join("mitmproxy-ca-cert.pem");
    (peer, authority)
}

fn target(port: u16) -> Target {
    Target { host: "127.0.0.1".into(), port, server_name: Some(NAME.into()), alpn: Vec::new(), far_end: None }
}

async fn look(target: &Target, roots: &Roots) -> Reading {
    let mut env = Env::bare(CheckId::new("tls").unwrap());
    env.roots = roots.clone();
    Tls::measure(target, &env).await.unwrap()
}

/// The one finding that is no pass.
fn the_fault(limits: &Limits, reading: &Reading) -> Finding {
    let mut findings = Tls::judge(limits, reading);
    findings.retain(|finding| finding.effect != Effect::Pass);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    findings.remove(0)
}

fn expect_fault(limits: &Limits, reading: &Reading, code: &str) -> Finding {
    let fault = the_fault(limits, reading);
    assert_eq!((fault.code.as_str(), fault.effect), (code, Effect::Fail), "{fault:#?}");
    fault
}

/// A "public" authority, and roots in which the machine trusts it, too.
fn public() -> (Authority, Roots) {
    let public = Authority::new("Lab Public Root");
    let roots = Roots::given(vec![public.root()], vec![public.root()]);
    (public, roots)
}

#[tokio::test]
async fn a_public_chain_gives_tls_publicly_trusted() {
    let (public, roots) = public();
    let port = free_port();
    let _peer = openssl(port, &public.certify(NAME, NAME, NOW), &["-alpn", "rtmp,h2"]);
    let reading = look(&Target { alpn: vec!["h2".into()], ..target(port) }, &roots).await;
    let limits = Limits {
        version: Some(AtLeast(Version::V1_3)),
        alpn: Some(OneOf(vec!["h2".into()])),
        roots: Some(AtLeast(RootSet::Public)),
        ..Limits::default()
    };
    let findings = Tls::judge(&limits, &reading);
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["tls.publicly_trusted", "tls.name_matches", "tls.version", "tls.alpn"]);
    assert!(findings.iter().all(|finding| finding.effect == Effect::Pass));
}

#[tokio::test]
async fn an_expired_certificate_gives_tls_expired() {
    let (public, roots) = public();
    let port = free_port();
    let _peer = openssl(port, &public.certify(NAME, NAME, (-20, -2)), &[]);
    expect_fault(&Limits::default(), &look(&target(port), &roots).await, "tls.expired");
}

#[tokio::test]
async fn a_certificate_that_ends_before_the_event_gives_tls_expires_early() {
    let (public, roots) = public();
    let port = free_port();
    let _peer = openssl(port, &public.certify(NAME, NAME, (-20, 2)), &[]);
    let reading = look(&target(port), &roots).await;
    let ends = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 10);
    let limits = Limits { valid_until: Some(AtLeast(ends)), ..Limits::default() };
    expect_fault(&limits, &reading, "tls.expires_early");
}

#[tokio::test]
async fn another_name_gives_tls_wrong_name() {
    let (public, roots) = public();
    let port = free_port();
    let _peer = openssl(port, &public.certify("other.example", "other.example", NOW), &[]);
    let fault = expect_fault(&Limits::default(), &look(&target(port), &roots).await, "tls.wrong_name");
    assert!(fault.observed.contains("other.example"), "{fault:?}");
}

#[tokio::test]
async fn a_self_signed_certificate_gives_tls_untrusted_unless_its_key_is_pinned() {
    let (_, roots) = public();
    let port = free_port();
    let _peer = openssl(port, &Certified::by_itself(NAME), &[]);
    let reading = look(&target(port), &roots).await;
    expect_fault(&Limits::default(), &reading, "tls.untrusted");
    let Answer::Session(session) = &reading.attempts[0].answer else { panic!("{reading:?}") };
    let pin = session.identity.leaf().unwrap().spki.clone();
    let limits =
        Limits { roots: Some(AtLeast(RootSet::Pinned)), pins: Some(OneOf(vec![pin])), ..Limits::default() };
    assert!(Tls::judge(&limits, &reading).iter().all(|finding| finding.effect == Effect::Pass));
}

#[tokio::test]
async fn only_tls_1_2_gives_tls_version_old() {
    let (public, roots) = public();
    let port = free_port();
    let _peer = openssl(port, &public.certify(NAME, NAME, NOW), &["-tls1_2"]);
    let reading = look(&target(port), &roots).await;
    let limits = Limits { version: Some(AtLeast(Version::V1_3)), ..Limits::default() };
    expect_fault(&limits, &reading, "tls.version_old");
    let limits = Limits { version: Some(AtLeast(Version::V1_2)), ..Limits::default() };
    assert!(Tls::judge(&limits, &reading).iter().all(|finding| finding.effect == Effect::Pass));
}

#[tokio::test]
async fn only_tls_1_1_gives_tls_version_refused() {
    let (public, roots) = public();
    let port = free_port();
    let options = ["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"];
    let _peer = openssl(port, &public.certify(NAME, NAME, NOW), &options);
    expect_fault(&Limits::default(), &look(&target(port), &roots).await, "tls.version_refused");
}

#[tokio::test]
async fn escapes_in_a_certificate_are_inert() {
    let (public, roots) = public();
    let port = free_port();
    let evil = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}<script>alert(1)</script>";
    let _peer = openssl(port, &public.certify("other.example", evil, NOW), &[]);
    let reading = look(&target(port), &roots).await;
    let findings = Tls::judge(&Limits::default(), &reading);
    let subject = {
        let Answer::Session(session) = &reading.attempts[0].answer else { panic!("{reading:?}") };
        session.identity.leaf().unwrap().subject.as_str().to_owned()
    };
    assert!(subject.contains("\\u{1b}]0;owned"), "{subject}");
    for text in [subject, format!("{findings:?}")] {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
    }
}

#[tokio::test]
async fn mitmproxy_with_its_authority_in_the_machine_store_gives_tls_intercepted() {
    let (public, roots) = public();
    let (behind, port) = (free_port(), free_port());
    let _server = openssl(behind, &public.certify(NAME, NAME, NOW), &["-www"]);
    let (_proxy, authority) = mitmproxy(port, behind);
    // The server itself, seen directly, is well.
    let direct = look(&target(behind), &roots).await;
    assert!(Tls::judge(&Limits::default(), &direct).iter().all(|finding| finding.effect == Effect::Pass));

    let machine = [vec![public.root()], read_pem(&authority)].concat();
    let reading = look(&target(port), &Roots::given(vec![public.root()], machine)).await;
    let fault = expect_fault(&Limits::default(), &reading, "tls.intercepted");
    assert!(fault.observed.contains("known from mitmproxy"), "{fault:?}");
    // A policy may put up with it, in so many words.
    let limits = Limits { roots: Some(AtLeast(RootSet::Machine)), ..Limits::default() };
    assert!(Tls::judge(&limits, &reading).iter().all(|finding| finding.effect == Effect::Pass));
    // A machine that does not know the proxy sees a stranger.
    expect_fault(&Limits::default(), &look(&target(port), &roots).await, "tls.untrusted");
}

/// Runs the program itself on a policy with one check of `port`, with `store` as this machine's
/// store, and returns the codes that the report holds and its verdict.
fn golive_with_store(port: u16, store: &str) -> (Vec<String>, String) {
    let dir = tempfile::tempdir().unwrap();
    let (policy, bundle, out) =
        (dir.path().join("policy.toml"), dir.path().join("store.pem"), dir.path().join("out"));
    std::fs::write(&bundle, store).unwrap();
    let text = format!(
        r#"
schema = "golive-policy/1"
[event]
title = "Lab"
starts = 2099-12-04T14:00:00+01:00
ends = 2099-12-04T15:30:00+01:00
[people.it]
name = "A. Person"
[accountable]
network = "it"
brand = "it"
production = "it"
[[check.tls]]
id = "ingest.tls"
target = {{ host = "127.0.0.1", port = {port}, server_name = "{NAME}" }}
enforcement = "hard"
owner = "network"
why = "the lab"
valid_for = "7d"
[[check.attest]]
id = "people.provider"
target = {{ question = "Is it settled who project-manages?", of = "it", answered_by = "provider" }}
enforcement = "advisory"
owner = "production"
why = "faults on the day need one person who answers"
valid_for = "30d"
"#
    );
    std::fs::write(&policy, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_golive"))
        .args(["check", "--plain", "--out"])
        .args([&out, &policy])
        .env("SSL_CERT_FILE", &bundle)
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = std::fs::read(out.join("report.json")).unwrap_or_else(|error| panic!("{error}: {said}"));
    let report: Value = serde_json::from_slice(&report).unwrap();
    let findings = report["checks"][0]["findings"].as_array().unwrap();
    let codes = findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect();
    (codes, report["verdict"]["word"].as_str().unwrap().to_owned())
}

#[test]
fn golive_itself_finds_mitmproxy_behind_this_machines_store() {
    let (behind, port) = (free_port(), free_port());
    let _server = openssl(behind, &Certified::by_itself(NAME), &["-www"]);
    let (_proxy, authority) = mitmproxy(port, behind);
    let store = std::fs::read_to_string(authority).unwrap();
    let (codes, verdict) = golive_with_store(port, &store);
    assert!(codes.contains(&"tls.intercepted".to_owned()), "{codes:?}");
    assert_eq!(verdict, "NO-GO");
    let (codes, _) = golive_with_store(port, Authority::new("Another").pem());
    assert!(codes.contains(&"tls.untrusted".to_owned()), "{codes:?}");
}

#[test]
fn an_authority_in_the_machine_store_does_not_become_public() {
    let authority = Authority::new("Claims to be public");
    let port = free_port();
    let _server = openssl(port, &authority.certify(NAME, NAME, NOW), &[]);
    let (codes, _) = golive_with_store(port, authority.pem());
    assert!(codes.contains(&"tls.intercepted".to_owned()), "{codes:?}");
    assert!(!codes.contains(&"tls.publicly_trusted".to_owned()), "{codes:?}");
}

/// Where nginx may write without being root.
const TEMPORARY: &str = "client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; \
                         scgi_temp_path e;";

/// nginx with these blocks beside its events.
fn nginx(port: u16, blocks: &str) -> Peer {
    let config = format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr;\n\
         load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;\nevents {{}}\n{blocks}\n"
    );
    Peer::of("nginx", "nginx-light libnginx-mod-rtmp")
        .file("nginx.conf", config)
        .args(["-p", ".", "-c", "nginx.conf"])
        .spawn()
        .await_tcp(port)
}

#[tokio::test]
async fn http_in_the_place_of_tls_gives_tls_not_tls_and_is_named() {
    let (_, roots) = public();
    let port = free_port();
    let server = format!("access_log off; {TEMPORARY} server {{ listen 127.0.0.1:{port}; }}");
    let _peer = nginx(port, &format!("http {{ {server} }}"));
    let fault = expect_fault(&Limits::default(), &look(&target(port), &roots).await, "tls.not_tls");
    assert!(fault.observed.starts_with("http answers"), "{fault:?}");
}

#[tokio::test]
async fn rtmp_in_the_place_of_tls_gives_tls_not_tls_and_is_named() {
    let (_, roots) = public();
    let port = free_port();
    let server = format!("server {{ listen 127.0.0.1:{port}; application live {{ live on; }} }}");
    let _peer = nginx(port, &format!("rtmp {{ {server} }}"));
    let fault = expect_fault(&Limits::default(), &look(&target(port), &roots).await, "tls.not_tls");
    assert!(fault.observed.starts_with("rtmp answers"), "{fault:?}");
}
