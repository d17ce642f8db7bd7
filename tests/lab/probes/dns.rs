//! DNS against unbound and dnsmasq: honest, lying, failing and silent ones. Each test names the
//! finding code that it expects.

use std::net::IpAddr;

use golive::model::{CheckId, Effect, OneOf};
use golive::net::tls::Roots;
use golive::probe::dns::{Dns, Encrypted, Limits, Reading, Reference, Target, Transport};
use golive::probe::{Env, Probe};

use crate::ground::authority::{Authority, Certified, NOW};
use crate::ground::peer::{Peer, free_port};

const NAME: &str = "live.golive.example";
/// An address that could be anybody's: it is never contacted.
const ADDRESS: &str = "8.8.4.4";

/// unbound on loopback with these lines in its `server:` section and `more` behind it. It asks
/// nobody: `com`, where the control asks, is empty here.
fn unbound(port: u16, lines: &str, more: &str) -> Peer {
    unbound_with(
        port,
        lines,
        more,
        &Certified { certificate: String::new(), key: String::new(), staple: None },
    )
}

fn unbound_with(port: u16, lines: &str, more: &str, certified: &Certified) -> Peer {
    let config = format!(
        "server:\n chroot: \"\"\n username: \"\"\n directory: \".\"\n pidfile: \"unbound.pid\"\n \
         do-daemonize: no\n use-syslog: no\n logfile: \"\"\n module-config: \"iterator\"\n num-threads: 1\n \
         do-ip6: no\n do-not-query-localhost: no\n interface: 127.0.0.1@{port}\n port: {port}\n \
         local-zone: \"com.\" static\n local-zone: \"golive.example.\" static\n{lines}\n\
         remote-control:\n control-enable: no\n{more}\n"
    );
    Peer::of("unbound", "unbound")
        .file("unbound.conf", config)
        .file("certificate.pem", &certified.certificate)
        .file("key.pem", &certified.key)
        .args(["-d", "-p", "-c", "unbound.conf"])
        .spawn()
        .await_udp(port)
}

fn data(address: &str) -> String {
    let kind = if address.contains(':') { "AAAA" } else { "A" };
    format!(" local-data: \"{NAME}. 60 IN {kind} {address}\"\n")
}

/// dnsmasq on loopback; it asks nobody.
fn dnsmasq(port: u16, options: &[&str]) -> Peer {
    Peer::of("dnsmasq", "dnsmasq-base")
        .args(["--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--pid-file="])
        .args([
            "--local=/golive.example/",
            "--listen-address=127.0.0.1",
            "--bind-interfaces",
            "--log-facility=-",
            "--user=",
        ])
        .args([format!("--port={port}")])
        .args(options)
        .spawn()
        .await_udp(port)
}

fn target(port: u16) -> Target {
    Target {
        name: NAME.to_owned(),
        resolvers: vec![format!("127.0.0.1:{port}")],
        prove: None,
        control_suffix: None,
        reference: None,
    }
}

async fn ask(target: &Target, roots: &Roots) -> Reading {
    let mut env = Env::bare(CheckId::new("dns").unwrap());
    env.roots = roots.clone();
    Dns::measure(target, &env).await.unwrap()
}

async fn of(port: u16) -> Reading {
    ask(&target(port), &Roots::given(vec![], vec![])).await
}

/// Every finding as code and effect.
fn findings(limits: &Limits, reading: &Reading) -> Vec<(String, Effect)> {
    Dns::judge(limits, reading).into_iter().map(|finding| (finding.code, finding.effect)).collect()
}

fn expect(limits: &Limits, reading: &Reading, expected: &[(&str, Effect)]) {
    let found = findings(limits, reading);
    let found: Vec<(&str, Effect)> = found.iter().map(|(code, effect)| (code.as_str(), *effect)).collect();
    assert_eq!(found, expected, "{:#?}", Dns::judge(limits, reading));
}

fn only(address: &str) -> Limits {
    Limits { addresses: Some(OneOf(vec![address.parse::<IpAddr>().unwrap()])), ..Limits::default() }
}

const NONE: Limits = Limits { addresses: None, latency_ms: None, dnssec: None };

/// A resolver outside, as a policy names it.
fn reference(port: u16, name: &str, over: Encrypted) -> Reference {
    Reference { address: format!("127.0.0.1:{port}"), name: name.to_owned(), over, path: None }
}

#[tokio::test]
async fn an_honest_unbound_gives_dns_resolved_and_dns_control_clean() {
    let port = free_port();
    let _peer = unbound(port, &(data(ADDRESS) + &data("2606:4700::1111")), "");
    let reading = of(port).await;
    expect(&NONE, &reading, &[("dns.resolved", Effect::Pass), ("dns.control_clean", Effect::Pass)]);
    let kinds: Vec<usize> = reading.resolvers[0]
        .lookups
        .iter()
        .map(|lookup| lookup.reply.as_ref().unwrap().addresses.len())
        .collect();
    assert_eq!(kinds, [1, 1], "one IPv4 and one IPv6 address, asked apart");
}

#[tokio::test]
async fn an_honest_dnsmasq_gives_dns_expected_addresses() {
    let port = free_port();
    let record = format!("--host-record={NAME},{ADDRESS}");
    let _peer = dnsmasq(port, &[&record, "--local=/com/"]);
    let expected = [("dns.expected_addresses", Effect::Pass), ("dns.control_clean", Effect::Pass)];
    expect(&only(ADDRESS), &of(port).await, &expected);
}

#[tokio::test]
async fn a_dnsmasq_that_answers_for_every_name_gives_dns_nxdomain_rewritten() {
    let port = free_port();
    let record = format!("--host-record={NAME},{ADDRESS}");
    let _peer = dnsmasq(port, &[&record, "--address=/com/8.8.8.8"]);
    let reading = of(port).await;
    let rewritten = |effect| ("dns.nxdomain_rewritten", effect);
    expect(&NONE, &reading, &[("dns.resolved", Effect::Pass), rewritten(Effect::Fail)]);
    expect(&only(ADDRESS), &reading, &[("dns.expected_addresses", Effect::Pass), rewritten(Effect::Warn)]);
}

#[tokio::test]
async fn an_unbound_that_redirects_gives_dns_nxdomain_rewritten() {
    let port = free_port();
    let lines = data(ADDRESS) + " local-zone: \"com.\" redirect\n local-data: \"com. 60 IN A 8.8.8.8\"\n";
    let _peer = unbound(port, &lines, "");
    let expected = [("dns.resolved", Effect::Pass), ("dns.nxdomain_rewritten", Effect::Fail)];
    expect(&NONE, &of(port).await, &expected);
}

#[tokio::test]
async fn a_wrong_address_gives_dns_wrong_address_or_dns_private_address() {
    let port = free_port();
    let record = format!("--host-record={NAME},192.168.77.7");
    let _peer = dnsmasq(port, &[&record, "--local=/com/"]);
    let reading = of(port).await;
    let clean = ("dns.control_clean", Effect::Pass);
    expect(&only(ADDRESS), &reading, &[("dns.wrong_address", Effect::Fail), clean]);
    expect(&NONE, &reading, &[("dns.private_address", Effect::Fail), clean]);
}

#[tokio::test]
async fn a_filtering_unbound_gives_dns_block_page() {
    let port = free_port();
    let _peer = unbound(port, &data("208.91.112.55"), "");
    expect(&NONE, &of(port).await, &[("dns.block_page", Effect::Fail), ("dns.control_clean", Effect::Pass)]);
}

#[tokio::test]
async fn a_missing_name_gives_dns_no_such_name_and_outside_knowledge_dns_denied_here() {
    let port = free_port();
    let _peer = unbound(port, "", "");
    expect(&NONE, &of(port).await, &[("dns.no_such_name", Effect::Fail)]);

    let (public, outside) = (Authority::new("Lab Public Root"), free_port());
    let _outside = dot(outside, &public.certify("dns.example", "dns.example", NOW));
    let mut target = target(port);
    target.reference = Some(reference(outside, "dns.example", Encrypted::Tls));
    let reading = ask(&target, &Roots::given(vec![public.root()], vec![])).await;
    expect(&NONE, &reading, &[("dns.denied_here", Effect::Fail)]);
}

/// unbound that serves the name over TLS on `port` with this certificate.
fn dot(port: u16, certified: &Certified) -> Peer {
    let plain = free_port();
    let lines = data(ADDRESS)
        + &format!(" interface: 127.0.0.1@{port}\n tls-port: {port}\n")
        + " tls-service-key: \"key.pem\"\n tls-service-pem: \"certificate.pem\"\n";
    unbound_with(plain, &lines, "", certified).await_tcp(port)
}

#[tokio::test]
async fn an_unbound_whose_upstream_refuses_gives_dns_servfail() {
    let (port, upstream) = (free_port(), free_port());
    let _upstream = dnsmasq(upstream, &[]);
    let more = format!("forward-zone:\n name: \".\"\n forward-addr: 127.0.0.1@{upstream}\n");
    let _peer = unbound(port, "", &more);
    let target = Target { name: "live.elsewhere.example".into(), ..target(port) };
    let reading = ask(&target, &Roots::given(vec![], vec![])).await;
    expect(&NONE, &reading, &[("dns.servfail", Effect::Fail)]);
}

#[tokio::test]
async fn an_unbound_that_refuses_gives_dns_refused() {
    let port = free_port();
    let _peer = unbound(port, &(data(ADDRESS) + " access-control: 127.0.0.0/8 refuse\n"), "");
    expect(&NONE, &of(port).await, &[("dns.refused", Effect::Fail)]);
}

#[tokio::test]
async fn an_unbound_that_drops_gives_dns_silent_and_a_closed_port_dns_unreachable() {
    let (silent, closed) = (free_port(), free_port());
    let _peer = unbound(silent, " access-control: 127.0.0.0/8 deny\n", "");
    expect(&NONE, &of(silent).await, &[("dns.silent", Effect::Fail)]);
    expect(&NONE, &of(closed).await, &[("dns.unreachable", Effect::Fail)]);
}

#[tokio::test]
async fn a_long_answer_needs_tcp_or_gives_dns_truncated() {
    let many: String = (1..=100).map(|n| data(&format!("8.8.4.{n}"))).collect();
    let port = free_port();
    let peer = unbound(port, &many, "");
    let reading = of(port).await;
    drop(peer);
    expect(&NONE, &reading, &[("dns.resolved", Effect::Pass), ("dns.control_clean", Effect::Pass)]);
    let lookup = &reading.resolvers[0].lookups[0];
    assert_eq!(lookup.attempts.last().unwrap().transport, Transport::Tcp);
    assert_eq!(lookup.reply.as_ref().unwrap().addresses_total, 100);

    let port = free_port();
    let _peer = unbound(port, &(many + " do-tcp: no\n"), "");
    let reading = of(port).await;
    let faults: Vec<_> =
        findings(&NONE, &reading).into_iter().filter(|(_, effect)| *effect != Effect::Pass).collect();
    assert_eq!(faults, [("dns.truncated".to_owned(), Effect::Fail)]);
}

/// openssl's server on a free port of loopback.
fn openssl(certified: &Certified) -> (Peer, u16) {
    let port = free_port();
    let peer = Peer::of("openssl", "openssl")
        .file("certificate.pem", &certified.certificate)
        .file("key.pem", &certified.key)
        .args(["s_server", "-quiet", "-cert", "certificate.pem", "-key", "key.pem"])
        .args(["-accept", &format!("127.0.0.1:{port}")])
        .spawn()
        .await_tcp(port);
    (peer, port)
}

#[tokio::test]
async fn a_certificate_for_the_name_gives_dns_proven_and_another_dns_wrong_address() {
    let public = Authority::new("Lab Public Root");
    let roots = Roots::given(vec![public.root()], vec![public.root()]);
    let port = free_port();
    let _peer = unbound(port, &data("127.0.0.1"), "");
    for (certified, code, effect) in [
        (public.certify(NAME, NAME, NOW), "dns.proven", Effect::Pass),
        (public.certify("portal.example", "portal", NOW), "dns.wrong_address", Effect::Fail),
        (Certified::by_itself(NAME), "dns.wrong_address", Effect::Fail),
    ] {
        let (_server, prove) = openssl(&certified);
        let reading = ask(&Target { prove: Some(prove), ..target(port) }, &roots).await;
        expect(&NONE, &reading, &[(code, effect), ("dns.control_clean", Effect::Pass)]);
    }
    let nobody = free_port();
    let reading = ask(&Target { prove: Some(nobody), ..target(port) }, &roots).await;
    let expected = [("dns.private_address", Effect::Fail), ("dns.control_clean", Effect::Pass)];
    expect(&NONE, &reading, &expected);
}

/// unbound that serves the name over HTTPS on `port` with this certificate.
fn doh(port: u16, certified: &Certified) -> Peer {
    let plain = free_port();
    let lines = data(ADDRESS)
        + &format!(" interface: 127.0.0.1@{port}\n https-port: {port}\n")
        + " tls-service-key: \"key.pem\"\n tls-service-pem: \"certificate.pem\"\n";
    unbound_with(plain, &lines, "", certified).await_tcp(port)
}

#[tokio::test]
async fn a_reference_gives_dns_agrees_with_reference_or_dns_differs_from_reference() {
    let public = Authority::new("Lab Public Root");
    let roots = Roots::given(vec![public.root()], vec![]);
    let (tls, https) = (free_port(), free_port());
    let certified = public.certify("dns.example", "dns.example", NOW);
    let _outside = [dot(tls, &certified), doh(https, &certified)];
    let resolved = [("dns.resolved", Effect::Pass), ("dns.control_clean", Effect::Pass)];
    for (over, outside, transport) in
        [(Encrypted::Tls, tls, Transport::Tls), (Encrypted::Https, https, Transport::Https)]
    {
        for (address, name, last) in [
            (ADDRESS, "dns.example", ("dns.agrees_with_reference", Effect::Pass)),
            ("8.8.8.8", "dns.example", ("dns.differs_from_reference", Effect::Warn)),
            // Somebody else's certificate: the answer from outside is not to be believed.
            (ADDRESS, "other.example", ("dns.no_reference", Effect::Warn)),
        ] {
            let port = free_port();
            let _peer = unbound(port, &data(address), "");
            let target = Target { reference: Some(reference(outside, name, over)), ..target(port) };
            let reading = ask(&target, &roots).await;
            expect(&NONE, &reading, &[resolved[0], resolved[1], last]);
            let attempt = &reading.reference.as_ref().unwrap().lookups[0].attempts[0];
            assert_eq!(attempt.transport, transport);
        }
    }
    // A path that serves no DNS: a page, not an answer.
    let port = free_port();
    let _peer = unbound(port, &data(ADDRESS), "");
    let elsewhere = Reference { path: Some("/".into()), ..reference(https, "dns.example", Encrypted::Https) };
    let reading = ask(&Target { reference: Some(elsewhere), ..target(port) }, &roots).await;
    expect(&NONE, &reading, &[resolved[0], resolved[1], ("dns.no_reference", Effect::Warn)]);
}

#[tokio::test]
async fn each_resolver_is_asked_by_itself_and_a_liar_beside_an_honest_one_is_named() {
    let (good, liar) = (free_port(), free_port());
    let _good = unbound(good, &data(ADDRESS), "");
    let _liar = dnsmasq(liar, &[&format!("--host-record={NAME},10.0.0.1"), "--local=/com/"]);
    let mut target = target(good);
    target.resolvers.push(format!("127.0.0.1:{liar}"));
    let reading = ask(&target, &Roots::given(vec![], vec![])).await;
    let faults: Vec<_> =
        Dns::judge(&NONE, &reading).into_iter().filter(|finding| finding.effect != Effect::Pass).collect();
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert_eq!(faults[0].code, "dns.private_address");
    assert!(faults[0].observed.starts_with(&format!("127.0.0.1:{liar}")), "{faults:?}");
}
