//! TURN against coturn, and against firewalls.

use std::net::SocketAddr;
use std::time::Duration;

use golive::model::{CheckId, Effect, Finding, SourceAddress};
use golive::net::clock::Origin;
use golive::net::tls::Roots;
use golive::net::turn::{self, Relay, Stopped, Way};
use golive::probe::turn::{Limits, Reading, Target, Turn};
use golive::probe::{Env, Probe};
use golive::wire::turn::{Client, TurnUrl};
use serde_json::json;

use crate::ground::authority::{Authority, NOW};
use crate::ground::namespace::Namespace;
use crate::ground::peer::{Peer, Setup, free_port};

const USER: &str = "golive";
const CREDENTIAL: &str = "canary-turn-credential";

/// coturn with one user, on one port for UDP and TCP and on another one for TLS.
struct Coturn {
    setup: Setup,
    port: u16,
    tls: u16,
}

fn coturn(host: &str, authority: &Authority, more: &str) -> Coturn {
    let (port, tls) = (free_port(), free_port());
    let certified = authority.certify(host, host, NOW);
    let config = format!(
        "listening-ip={host}\nrelay-ip={host}\nlistening-port={port}\ntls-listening-port={tls}\n\
         realm=golive.test\nlt-cred-mech\nuser={USER}:{CREDENTIAL}\ncert=cert.pem\npkey=key.pem\n\
         no-dtls\nno-cli\nlog-file=stdout\npidfile=turn.pid\nuserdb=turn.db\nverbose\n{more}"
    );
    let setup = Peer::of("turnserver", "coturn")
        .file("turn.conf", config)
        .file("cert.pem", &certified.certificate)
        .file("key.pem", &certified.key)
        .args(["-c", "turn.conf"]);
    Coturn { setup, port, tls }
}

/// On loopback, where coturn relays only if it is told to.
fn on_loopback(authority: &Authority, more: &str) -> (Peer, u16, u16) {
    let Coturn { setup, port, tls } = coturn("127.0.0.1", authority, more);
    (setup.spawn().await_udp(port).await_tcp(tls), port, tls)
}

const LOOPBACK: &str = "allow-loopback-peers\n";

fn target(urls: &[String], credential: &str) -> Target {
    let target = json!({ "urls": urls, "username": USER, "credential": { "value": credential } });
    serde_json::from_value(target).unwrap()
}

async fn measure(urls: &[String], credential: &str, authority: &Authority) -> Reading {
    measure_with(urls, credential, Roots::given(vec![authority.root()], Vec::new())).await
}

async fn measure_with(urls: &[String], credential: &str, roots: Roots) -> Reading {
    let mut env = Env::bare(CheckId::new("turn").unwrap());
    env.roots = roots;
    let reading = Turn::measure(&target(urls, credential), &env).await.unwrap();
    let stored = serde_json::to_string(&reading).unwrap();
    assert!(!stored.contains(CREDENTIAL), "{stored}");
    reading
}

fn udp(port: u16) -> String {
    format!("turn:127.0.0.1:{port}?transport=udp")
}

/// The findings of a reading without limits must be exactly these.
fn expect(reading: &Reading, wanted: &[(&str, Effect)]) -> Vec<Finding> {
    let findings = Turn::judge(&Limits::default(), reading);
    let found: Vec<_> = findings.iter().map(|finding| (finding.code.as_str(), finding.effect)).collect();
    assert_eq!(found, wanted, "{findings:#?}\n{reading:#?}");
    findings
}

#[tokio::test]
async fn a_relay_carries_over_udp_tcp_and_tls_and_gets_its_addresses_back() {
    let authority = Authority::new("Public");
    let (peer, port, tls) = on_loopback(&authority, LOOPBACK);
    let urls = [udp(port), format!("turn:127.0.0.1:{port}?transport=tcp"), format!("turns:127.0.0.1:{tls}")];
    let reading = measure(&urls, CREDENTIAL, &authority).await;
    expect(&reading, &[("turn.carries", Effect::Pass); 3]);
    for attempt in &reading.attempts {
        let carried = attempt.carried.as_ref().unwrap();
        assert_eq!((carried.sent, carried.received), (20, 20), "{attempt:?}");
        let allocation = attempt.allocation.as_ref().unwrap();
        assert_eq!(allocation.mapped, attempt.contact.local, "nobody translates on loopback");
        assert_eq!(allocation.lifetime_s, Some(600));
    }
    assert!(reading.attempts[2].session.is_some());
    // Two relays for each URL.
    within_seconds(|| peer.log().matches("lifetime=0").count() == 6, &peer).await;
}

#[tokio::test]
async fn a_wrong_credential_gives_turn_unauthorised() {
    let authority = Authority::new("Public");
    let (_peer, port, _) = on_loopback(&authority, LOOPBACK);
    let reading = measure(&[udp(port)], "another", &authority).await;
    let findings = expect(&reading, &[("turn.unauthorised", Effect::Fail)]);
    assert!(findings[0].observed.contains("401"), "{findings:?}");
}

#[tokio::test]
async fn peers_that_the_server_forbids_give_turn_unproven() {
    let authority = Authority::new("Public");
    let (_peer, port, _) = on_loopback(&authority, "");
    let reading = measure(&[udp(port)], CREDENTIAL, &authority).await;
    let findings = expect(&reading, &[("turn.unproven", Effect::Unknown)]);
    assert!(findings[0].observed.contains("403"), "{findings:?}");
}

#[tokio::test]
async fn a_quota_that_is_used_up_gives_turn_quota_and_who_is_cut_off_frees_it() {
    let authority = Authority::new("Public");
    let (peer, port, _) = on_loopback(&authority, "allow-loopback-peers\nuser-quota=1\n");
    let at: SocketAddr = ([127, 0, 0, 1], port).into();
    let relay = allocate(at, &format!("turn:{at}?transport=udp")).await.unwrap();
    let reading = measure(&[udp(port)], CREDENTIAL, &authority).await;
    let findings = expect(&reading, &[("turn.quota", Effect::Fail)]);
    assert!(findings[0].observed.contains("486"), "{findings:?}");
    drop(relay); // as when a check is cancelled: nobody waits for the answer
    within_seconds(|| peer.log().contains("lifetime=0"), &peer).await;
    let mut reading = measure(&[udp(port)], CREDENTIAL, &authority).await;
    // Its books close a moment later.
    for _ in 0..20 {
        if reading.attempts[0].allocation.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        reading = measure(&[udp(port)], CREDENTIAL, &authority).await;
    }
    let findings = expect(&reading, &[("turn.unproven", Effect::Unknown)]);
    assert!(findings[0].observed.contains("second relay"), "{findings:?}\n{}", peer.log());
}

/// coturn writes its log from another thread than it answers from.
async fn within_seconds(holds: impl Fn() -> bool, peer: &Peer) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{}", peer.log());
}

async fn allocate(at: SocketAddr, url: &str) -> Result<Relay, Stopped> {
    let url = TurnUrl::try_from(url.to_owned()).unwrap();
    let (source, roots, origin) = (SourceAddress::default(), Roots::system(), Origin::start());
    let way = Way { source: &source, roots: &roots, origin: &origin };
    let Ok(Ok(reached)) = turn::reach(&url, at, way).await else { panic!("not reached") };
    let client = Client::new(USER.to_owned(), CREDENTIAL.to_owned().into());
    Relay::allocate(reached.line, client, &origin).await
}

#[tokio::test]
async fn a_nonce_that_has_run_out_is_renewed() {
    let authority = Authority::new("Public");
    let (_peer, port, _) = on_loopback(&authority, "allow-loopback-peers\nstale-nonce=1\n");
    let at: SocketAddr = ([127, 0, 0, 1], port).into();
    let mut relay = allocate(at, &format!("turn:{at}?transport=tcp")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(relay.permit(at.ip()).await, Ok(()));
    assert_eq!(relay.give_back().await, Ok(()));
}

#[tokio::test]
async fn a_server_that_sends_elsewhere_gives_turn_alternate() {
    let authority = Authority::new("Public");
    let (_peer, port, _) = on_loopback(&authority, "alternate-server=192.0.2.9:3478\n");
    let reading = measure(&[udp(port)], CREDENTIAL, &authority).await;
    let findings = expect(&reading, &[("turn.alternate", Effect::Unknown)]);
    assert!(findings[0].observed.contains("192.0.2.9:3478"), "{findings:?}");
}

#[tokio::test]
async fn a_strangers_certificate_is_told_and_so_is_one_that_this_machine_alone_trusts() {
    let authority = Authority::new("Inspector");
    let (_peer, _, tls) = on_loopback(&authority, LOOPBACK);
    let (stranger, url) = (Authority::new("Stranger"), format!("turns:127.0.0.1:{tls}"));
    let reading = measure(std::slice::from_ref(&url), CREDENTIAL, &stranger).await;
    expect(&reading, &[("turn.untrusted", Effect::Fail)]);
    let roots = Roots::given(vec![stranger.root()], vec![authority.root()]);
    let reading = measure_with(&[url], CREDENTIAL, roots).await;
    let findings = expect(&reading, &[("turn.carries", Effect::Pass), ("turn.intercepted", Effect::Warn)]);
    assert!(findings[1].observed.contains("Inspector"), "{findings:?}");
}

#[tokio::test]
async fn a_web_server_in_its_place_gives_turn_not_turn() {
    let authority = Authority::new("Public");
    let port = free_port();
    let config = format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr; events {{ }}
        http {{ access_log off; server {{ listen 127.0.0.1:{port}; }} }}"
    );
    let setup = Peer::of("nginx", "nginx-light").file("nginx.conf", config);
    let _web = setup.args(["-p", ".", "-c", "nginx.conf", "-e", "error.log"]).spawn().await_tcp(port);
    let url = format!("turn:127.0.0.1:{port}?transport=tcp");
    let findings = expect(&measure(&[url], CREDENTIAL, &authority).await, &[("turn.not_turn", Effect::Fail)]);
    assert!(findings[0].observed.contains("HTTP"), "{findings:?}");
}

/// What companies do: UDP is dropped, TLS passes. The relay, as Debian ships it, is at the other end.
#[test]
fn where_udp_is_dropped_tls_still_gives_a_relay() {
    let (near, far) = (Namespace::new(), Namespace::new());
    Namespace::join((&near, "near0", &["198.51.100.1/24"]), (&far, "far0", &["198.51.100.2/24"]));
    let authority = Authority::new("Public");
    let Coturn { setup, port, tls } = coturn("198.51.100.2", &authority, "");
    far.rules(&format!(
        "table inet wall {{ chain in {{ type filter hook input priority 0; iifname far0 meta l4proto udp drop; \
         iifname far0 tcp dport {port} reject with tcp reset; }}; }}\n"
    ));
    let _peer = setup.inside(&far).spawn().await_udp(port).await_tcp(tls);
    let urls = [
        format!("turn:198.51.100.2:{port}"),
        format!("turn:198.51.100.2:{port}?transport=tcp"),
        format!("turns:198.51.100.2:{tls}"),
    ];
    let reading = near.run_async(measure(&urls, CREDENTIAL, &authority));
    let findings = expect(
        &reading,
        &[("turn.silent", Effect::Warn), ("turn.refused", Effect::Warn), ("turn.carries", Effect::Pass)],
    );
    assert!(findings[0].remedy.contains(&format!("UDP {port}")), "{findings:?}");
}
