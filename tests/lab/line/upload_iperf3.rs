//! Upload to Debian's iperf3 server: its protocol, what it can tell, and how it refuses.

use std::time::Duration;

use golive::model::{AtLeast, AtMost, Cause, CheckId, Effect, HostPort, NotMeasured};
use golive::probe::upload::{Ending, Limits, Over, Reading, Target, Upload, Vantage};
use golive::probe::{Env, Probe};

use crate::ground::peer::{Peer, free_port};
use crate::ground::quiet::{beside_others, quiet};
use crate::line::cable::{Bottleneck, Line};

fn server(place: &str) -> HostPort {
    HostPort::try_from(place.to_owned()).unwrap()
}

fn env() -> Env {
    Env::bare(CheckId::new("uplink").unwrap())
}

/// A server of its own on loopback, and its place.
fn started(more: &[&str]) -> (Peer, HostPort) {
    let port = free_port();
    let peer = Peer::of("iperf3", "iperf3").args(["-s", "-p", &port.to_string()]).args(more).spawn();
    (peer.await_tcp(port), server(&format!("127.0.0.1:{port}")))
}

async fn measure(target: &Target) -> Result<Reading, NotMeasured> {
    Upload::measure(target, &env()).await
}

fn effect_of(limits: &Limits, reading: &Reading, code: &str) -> Effect {
    let findings = Upload::judge(limits, reading);
    let found = findings.iter().find(|finding| finding.code == code);
    found.unwrap_or_else(|| panic!("no {code} in {findings:#?}")).effect
}

/// Measures over a line of 8 Mb/s, with a server behind it.
fn over_the_line(bottleneck: &Bottleneck, target: impl FnOnce(HostPort) -> Target) -> Reading {
    let line = Line::new(bottleneck);
    let _peer = Peer::of("iperf3", "iperf3").args(["-s"]).inside(&line.far).spawn().await_tcp(5201);
    let target = target(server("203.0.113.2:5201"));
    line.near.run_async(measure(&target)).unwrap()
}

#[test]
fn a_shaped_line_is_measured_within_a_few_percent_over_tcp() {
    let _quiet = quiet();
    let reading = over_the_line(&Bottleneck::Here, |server| Target::to_iperf3(server, 12, 20_000));
    assert_eq!((&reading.ending, reading.congestion.as_deref()), (&Ending::Complete, Some("cubic")));
    assert_eq!((reading.vantage, reading.measured_ms()), (Vantage::Acknowledged, 12_000));
    let rates = reading.rates().unwrap();
    let payload = 8_000.0 * 1448.0 / 1514.0;
    assert!((rates.p5_kbps / payload - 1.0).abs() < 0.05, "{payload} {rates:?}");
    assert!((rates.median_kbps / payload - 1.0).abs() < 0.03, "{payload} {rates:?}");
    let limits = Limits { rate_kbps: Some(AtLeast(7_000)), stall_ms: Some(AtMost(700)), ..Limits::default() };
    for finding in Upload::judge(&limits, &reading) {
        assert_eq!(finding.effect, Effect::Pass, "{finding:#?} {:?}", reading.total);
    }
    let total = reading.total.unwrap();
    assert!(total.received_bytes.abs_diff(total.acknowledged_bytes) < 100_000, "{total:?}");
}

#[tokio::test]
async fn several_connections_are_counted_together() {
    let _seat = beside_others();
    let (_peer, server) = started(&[]);
    let target = Target { streams: 4, ..Target::to_iperf3(server, 5, 40_000) };
    let reading = measure(&target).await.unwrap();
    assert_eq!((&reading.ending, reading.streams), (&Ending::Complete, 4));
    let rates = reading.rates().unwrap();
    assert!((36_000.0..44_000.0).contains(&rates.median_kbps), "{rates:?}");
    assert_eq!(effect_of(&Limits::default(), &reading, "upload.count_confirmed"), Effect::Pass);
}

#[test]
fn datagrams_that_fit_all_arrive() {
    let _quiet = quiet();
    let reading = over_the_line(&Bottleneck::Router, |server| Target {
        transport: Over::Udp,
        ..Target::to_iperf3(server, 6, 5_000)
    });
    assert_eq!((&reading.ending, reading.slot_ms, reading.measured_ms()), (&Ending::Complete, 1000, 6_000));
    let rates = reading.rates().unwrap();
    assert!((4_850.0..5_150.0).contains(&rates.p5_kbps), "{rates:?} {:?}", reading.arrived_bytes);
    let limits = Limits { loss_share: Some(AtMost(0.001)), ..Limits::default() };
    assert_eq!(effect_of(&limits, &reading, "upload.loss_low"), Effect::Pass);
}

#[test]
fn datagrams_that_do_not_fit_show_the_line_and_their_loss() {
    let _quiet = quiet();
    let reading = over_the_line(&Bottleneck::Router, |server| Target {
        transport: Over::Udp,
        ..Target::to_iperf3(server, 6, 12_000)
    });
    let rates = reading.rates().unwrap();
    let payload = 8_000.0 * 1200.0 / 1242.0;
    assert!((rates.median_kbps / payload - 1.0).abs() < 0.03, "{payload} {rates:?}");
    let limits = Limits { loss_share: Some(AtMost(0.05)), ..Limits::default() };
    assert_eq!(effect_of(&limits, &reading, "upload.loss_high"), Effect::Fail);
    let datagrams = reading.datagrams.unwrap();
    assert!(datagrams.lost * 4 > datagrams.expected, "{datagrams:?}");
}

#[tokio::test]
async fn a_server_that_prints_json_is_understood_too() {
    let _seat = beside_others();
    let (_peer, server) = started(&["--json"]);
    let target = Target { transport: Over::Udp, ..Target::to_iperf3(server, 5, 5_000) };
    let reading = measure(&target).await.unwrap();
    assert_eq!(reading.measured_ms(), 5_000, "{:?}", reading.arrived_bytes);
    assert!(reading.arrived_bytes.iter().all(|bytes| (590_000..660_000).contains(bytes)), "{reading:?}");
}

#[tokio::test]
async fn a_busy_server_says_so() {
    let _seat = beside_others();
    let (_peer, server) = started(&[]);
    let target = Target::to_iperf3(server, 5, 2_000);
    let second = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        measure(&target).await.unwrap_err()
    };
    let (first, error) = tokio::join!(measure(&target), second);
    assert_eq!(first.unwrap().ending, Ending::Complete, "the first is not disturbed");
    assert_eq!(error.cause, Cause::FarEnd);
    assert!(error.detail.contains("is busy with another test"), "{error}");
    let after = measure(&target).await.unwrap();
    assert_eq!(after.ending, Ending::Complete, "it serves the next");
}

#[tokio::test]
async fn a_limit_of_the_server_is_named() {
    let _seat = beside_others();
    let (_peer, server) = started(&["--server-bitrate-limit", "5M"]);
    let error = measure(&Target::to_iperf3(server, 5, 20_000)).await.unwrap_err();
    assert!(error.detail.contains("beyond its limit"), "{error:?}");
    assert!(error.remedy.contains("at_most_kbps"), "{error:?}");
}

#[tokio::test]
async fn a_server_that_asks_for_a_password_is_named() {
    let _seat = beside_others();
    let port = free_port();
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key.pem");
    let made = std::process::Command::new(crate::ground::peer::need("openssl", "openssl"))
        .args(["genrsa", "-out", key.to_str().unwrap(), "2048"])
        .output();
    assert!(made.unwrap().status.success());
    let port_word = port.to_string();
    let arguments = ["-s", "-p", &port_word, "--rsa-private-key-path", key.to_str().unwrap()];
    let _peer = Peer::of("iperf3", "iperf3")
        .file("users.csv", "somebody,0000\n")
        .args(arguments)
        .args(["--authorized-users-path", "users.csv"])
        .spawn()
        .await_tcp(port);
    let error =
        measure(&Target::to_iperf3(server(&format!("127.0.0.1:{port}")), 5, 2_000)).await.unwrap_err();
    assert!(error.detail.contains("name and password"), "{error:?}");
}

#[tokio::test]
async fn a_server_that_dies_is_not_the_lines_fault() {
    let _seat = beside_others();
    let (peer, server) = started(&[]);
    let target = Target::to_iperf3(server, 20, 5_000);
    let death = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        drop(peer);
    };
    let reading = tokio::join!(measure(&target), death).0.unwrap();
    assert!(
        matches!(reading.ending, Ending::FarEndLost { .. } | Ending::FarEndEnded { .. }),
        "{:?}",
        reading.ending
    );
    assert!((2_000..4_000).contains(&reading.measured_ms()), "{}", reading.measured_ms());
    let limits = Limits { rate_kbps: Some(AtLeast(4_000)), ..Limits::default() };
    assert!(Upload::judge(&limits, &reading).iter().all(|finding| finding.effect != Effect::Fail));
}

#[tokio::test]
async fn what_is_no_iperf3_is_named() {
    let _seat = beside_others();
    let port = free_port();
    let _peer = Peer::of("openssl", "openssl")
        .args(["s_server", "-nocert", "-accept", &port.to_string()])
        .spawn()
        .await_tcp(port);
    let error =
        measure(&Target::to_iperf3(server(&format!("127.0.0.1:{port}")), 5, 2_000)).await.unwrap_err();
    assert_eq!(error.cause, Cause::FarEnd);
    let none = free_port();
    let error =
        measure(&Target::to_iperf3(server(&format!("127.0.0.1:{none}")), 5, 2_000)).await.unwrap_err();
    assert!(error.detail.contains("refused") && error.remedy.contains("iperf3 -s"), "{error:?}");
}

#[test]
fn udp_that_is_blocked_while_tcp_is_not_is_named() {
    let _seat = beside_others();
    let line = Line::new(&Bottleneck::Here);
    let _peer = Peer::of("iperf3", "iperf3").args(["-s"]).inside(&line.far).spawn().await_tcp(5201);
    line.far.rules(
        "table inet line {
            chain in { type filter hook input priority 0; policy accept; meta l4proto udp drop; }
        }",
    );
    let target = Target { transport: Over::Udp, ..Target::to_iperf3(server("203.0.113.2:5201"), 5, 2_000) };
    let error = line.near.run_async(measure(&target)).unwrap_err();
    assert!(error.detail.contains("no answer over UDP"), "{error:?}");
}
