//! The path to our far end, on loopback and through firewalls that lose packets; ICMP echo.

use std::net::SocketAddr;
use std::sync::Arc;

use golive::farend::{Config, FarEnd as Server, Running};
use golive::model::{CheckId, Effect, FarEnd, FarEndName, Finding, SecretSource};
use golive::probe::path::{Limits, Method, Path, Reading, Target};
use golive::probe::{Env, Probe};
use serde_json::{Value, json};

use crate::ground::namespace::Namespace;
use crate::ground::peer::{free_port, need};

const US: &str = "198.51.100.1";
const THEM: &str = "198.51.100.2";

fn target(to: &Value, seconds: u16) -> Target {
    let target = json!({ "to": to, "packets_per_s": 200, "payload_bytes": 1332, "seconds": seconds });
    serde_json::from_value(target).unwrap()
}

fn far_end() -> Value {
    json!({ "far_end": "lab" })
}

/// An environment that knows the far end as a policy would.
fn env(running: Option<&Known>) -> Env {
    let mut env = Env::bare(CheckId::new("path").unwrap());
    env.far_ends = Arc::new(
        running.map(|known| (FarEndName::new("lab").unwrap(), known.0.clone())).into_iter().collect(),
    );
    env
}

#[derive(Clone)]
struct Known(FarEnd);

impl Known {
    fn of(running: &Running) -> Self {
        Self(FarEnd {
            address: running.addresses.control.to_string(),
            pin: running.pin.clone(),
            token: SecretSource::Value(running.token.clone()),
        })
    }
}

fn judge(limits: Value, reading: &Reading) -> Vec<Finding> {
    Path::judge(&serde_json::from_value::<Limits>(limits).unwrap(), reading)
}

fn expect(findings: &[Finding], expected: &[(&str, Effect)]) {
    let found: Vec<_> = findings.iter().map(|finding| (finding.code.as_str(), finding.effect)).collect();
    assert_eq!(found, expected, "{findings:#?}");
}

#[tokio::test]
async fn our_far_end_on_loopback_gives_path_measured() {
    let running = Server::start(Config::loopback()).await.unwrap();
    let reading = Path::measure(&target(&far_end(), 1), &env(Some(&Known::of(&running)))).await.unwrap();
    running.stop().await;
    let flow = &reading.flows[0];
    assert_eq!((flow.method, flow.sent, flow.received), (Method::StampSession, 200, 200));
    assert_eq!((flow.arrived, flow.arrived_from_elsewhere), (Some(200), Some(0)));
    assert_eq!(flow.round_trips_us.iter().flatten().count(), 200);
    assert!(flow.jitter_out_ms.is_some() && flow.jitter_back_ms.is_some());
    let findings = judge(json!({ "loss_percent": 0.5, "round_trip_p95_ms": 500.0 }), &reading);
    expect(
        &findings,
        &[
            ("path.measured", Effect::Pass),
            ("path.loss", Effect::Pass),
            ("path.round_trip", Effect::Pass),
            ("path.mtu", Effect::Pass),
        ],
    );
}

#[tokio::test]
async fn a_session_that_the_far_end_does_not_grant_is_not_measured() {
    let running = Server::start(Config::loopback()).await.unwrap();
    let mut known = Known::of(&running);
    known.0.token = SecretSource::Value("0".repeat(64).into());
    let why = Path::measure(&target(&far_end(), 1), &env(Some(&known))).await.unwrap_err();
    assert_eq!(why.cause.word(), "far_end");
    running.stop().await;
}

/// A far end in one namespace, measured from another through the far side's firewall.
fn through(rules: &str, seconds: u16) -> Reading {
    let (near, far) = (Namespace::new(), Namespace::new());
    let mask = |address: &str| format!("{address}/24");
    Namespace::join((&near, "near0", &[&mask(US)]), (&far, "far0", &[&mask(THEM)]));
    far.rules(&format!("table ip wall {{\n{rules}\n}}\n"));
    let listen: SocketAddr = format!("{THEM}:{}", free_port()).parse().unwrap();
    let config = Config { listen, rtmp: None, srt: None, ..Config::loopback() };
    let (known, started) = std::sync::mpsc::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            far.run_async(async {
                let running = Server::start(config).await.unwrap();
                known.send(Known::of(&running)).unwrap();
                let _ = stopped.await;
                running.stop().await;
            });
        });
        let known = started.recv().unwrap();
        let reading = near.run_async(Path::measure(&target(&far_end(), seconds), &env(Some(&known))));
        let _ = stop.send(());
        reading.unwrap()
    })
}

#[test]
fn udp_blocked_on_the_way_out_gives_path_blocked_out() {
    let reading = through("chain in { type filter hook input priority 0; meta l4proto udp drop; }", 1);
    expect(&judge(json!({}), &reading), &[("path.blocked_out", Effect::Fail)]);
}

#[test]
fn udp_blocked_on_the_way_back_gives_path_blocked_back() {
    let rule =
        format!("chain pre {{ type filter hook output priority 0; ip daddr {US} meta l4proto udp drop; }}");
    let reading = through(&rule, 1);
    expect(&judge(json!({}), &reading), &[("path.blocked_back", Effect::Fail)]);
    assert_eq!(reading.flows[0].arrived, Some(200));
}

#[test]
fn a_firewall_that_says_so_gives_path_prohibited() {
    let rule = "chain in { type filter hook input priority 0; meta l4proto udp reject with icmp type admin-prohibited; }";
    expect(&judge(json!({}), &through(rule, 1)), &[("path.prohibited", Effect::Fail)]);
}

#[test]
fn one_packet_in_twenty_lost_gives_path_loss_high() {
    let rule =
        "chain in { type filter hook input priority 0; meta l4proto udp numgen inc mod 20 == 7 drop; }";
    let reading = through(rule, 2);
    let flow = &reading.flows[0];
    assert_eq!((flow.sent, flow.received, flow.longest_burst), (400, 380, 1));
    assert_eq!(flow.arrived, Some(380), "lost on the way out");
    let findings = judge(json!({ "loss_percent": 1.0, "longest_burst_ms": 100.0 }), &reading);
    expect(
        &findings,
        &[
            ("path.measured", Effect::Pass),
            ("path.loss_high", Effect::Fail),
            ("path.burst", Effect::Pass),
            ("path.mtu", Effect::Pass),
        ],
    );
    assert!(findings[0].observed.contains("lost 20 on the way out, 0 on the way back"));
}

#[test]
fn a_burst_of_loss_gives_path_burst_long() {
    // Of every 200 packets, which are a second, 40 in a row.
    let rule = "chain in { type filter hook input priority 0; meta l4proto udp numgen inc mod 200 >= 100 numgen inc mod 100 < 40 drop; }";
    let reading = through(rule, 2);
    assert_eq!(reading.flows[0].longest_burst, 40);
    let findings = judge(json!({ "longest_burst_ms": 100.0 }), &reading);
    expect(
        &findings,
        &[("path.measured", Effect::Pass), ("path.burst_long", Effect::Fail), ("path.mtu", Effect::Pass)],
    );
}

fn ping(host: &str) -> Target {
    let target = json!({ "to": { "ping": host }, "packets_per_s": 50, "seconds": 1 });
    serde_json::from_value(target).unwrap()
}

#[test]
fn icmp_takes_the_rung_that_is_allowed_and_names_it() {
    let namespace = Namespace::new();
    for (range, method) in [("1 0", Method::IcmpRaw), ("0 0", Method::IcmpDatagram)] {
        let setting = format!("net.ipv4.ping_group_range={range}");
        namespace.exec(need("sysctl", "procps").to_str().unwrap(), &["-qw", &setting]);
        for host in ["127.0.0.1", "::1"] {
            let reading = namespace.run_async(Path::measure(&ping(host), &env(None))).unwrap();
            let flow = &reading.flows[0];
            assert_eq!((flow.method, flow.sent, flow.received), (method, 50, 50), "{host}");
            let findings = judge(json!({ "loss_percent": 2.0 }), &reading);
            expect(&findings, &[("path.measured", Effect::Pass), ("path.loss", Effect::Pass)]);
        }
    }
}

#[test]
fn a_host_that_does_not_answer_echo_gives_path_silent() {
    let (near, far) = (Namespace::new(), Namespace::new());
    let mask = |address: &str| format!("{address}/24");
    Namespace::join((&near, "near0", &[&mask(US)]), (&far, "far0", &[&mask(THEM)]));
    far.rules(
        "table ip wall { chain in { type filter hook input priority 0; icmp type echo-request drop; }; }\n",
    );
    let reading = near.run_async(Path::measure(&ping(THEM), &env(None))).unwrap();
    expect(&judge(json!({}), &reading), &[("path.silent", Effect::Fail)]);
}
