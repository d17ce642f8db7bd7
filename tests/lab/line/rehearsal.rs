//! The test stream to real ingests: nginx-rtmp records it, srt-live-transmit receives it whole; and over lines
//! that carry it and lines that do not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use golive::farend::{Config, FarEnd};
use golive::model::{AtLeast, AtMost, Cause, CheckId, Effect, Finding};
use golive::net::encoder::{End, Take};
use golive::net::tls::Roots;
use golive::probe::rehearsal::{Limits, Reading, Rehearsal, Target};
use golive::probe::{Env, Probe};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::ground::ingest::{nginx, secured};
use crate::ground::namespace::Namespace;
use crate::ground::peer::{Peer, Setup, free_port, need};
use crate::ground::quiet::{beside_others, quiet};
use crate::wan::{Line, Wan};

/// A key that must show nowhere.
const KEY: &str = "canary-key-77c1";
const FAR: &str = "203.0.113.2";

fn listener(port: u16, more: &str) -> Setup {
    let input = format!("srt://:{port}?mode=listener{more}");
    Peer::of("srt-live-transmit", "srt-tools").args(["-q", &input, "file://con"])
}

fn target(url: &str, kbps: u64, seconds: u32, more: Value) -> Target {
    let mut target = json!({
        "url": url, "publish": "test", "test_key": { "value": KEY }, "media_kbps": kbps, "seconds": seconds
    });
    let Value::Object(more) = more else { panic!("an object") };
    target.as_object_mut().unwrap().extend(more);
    serde_json::from_value(target).unwrap()
}

fn limits(target: &Target) -> Limits {
    let common = Limits {
        lag_ms: Some(AtMost(2_000)),
        stall_ms: Some(AtMost(700)),
        seconds: Some(AtLeast(target.seconds)),
        ..Limits::default()
    };
    if target.url.starts_with("srt:") {
        Limits { too_late_per_minute: Some(AtMost(0.0)), ..common }
    } else {
        Limits { dropped_share: Some(AtMost(0.05)), ..common }
    }
}

fn env() -> Env {
    Env::bare(CheckId::new("rehearsal").unwrap())
}

async fn play(target: &Target, env: &Env) -> (Reading, Vec<Finding>) {
    let reading = Rehearsal::measure(target, env).await.unwrap();
    let findings = Rehearsal::judge(&limits(target), &reading);
    let said = format!("{reading:?} {findings:?} {}", serde_json::to_string(&reading).unwrap());
    assert!(!said.contains(KEY), "the key shows: {said}");
    (reading, findings)
}

#[track_caller]
fn expect(findings: &[Finding], code: &str, effect: Effect) {
    let found = findings.iter().find(|finding| finding.code == code);
    assert_eq!(found.unwrap_or_else(|| panic!("no {code} in {findings:#?}")).effect, effect, "{findings:#?}");
}

#[track_caller]
fn all_pass(findings: &[Finding]) {
    assert!(findings.iter().all(|finding| finding.effect == Effect::Pass), "{findings:#?}");
}

fn taken(reading: &Reading) -> &Take {
    reading.take.as_ref().unwrap_or_else(|| panic!("{reading:?}"))
}

/// Decodes a file and returns how many pictures are in it. Panics at the first complaint.
fn decode(file: &Path) -> u32 {
    let decoded = Command::new(need("ffmpeg", "ffmpeg"))
        .args(["-hide_banner", "-v", "warning", "-stats", "-i"])
        .arg(file)
        .args(["-f", "null", "-"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&decoded.stderr);
    let complaints: Vec<&str> =
        said.split(['\n', '\r']).filter(|line| !line.starts_with("frame=") && !line.is_empty()).collect();
    assert!(decoded.status.success() && complaints.is_empty(), "{complaints:?}");
    let frames = said.rsplit("frame=").next().and_then(|rest| rest.split_whitespace().next()).unwrap();
    frames.parse().unwrap()
}

fn recorded(peer: &Peer) -> PathBuf {
    let files = std::fs::read_dir(peer.dir()).unwrap().map(|entry| entry.unwrap().path());
    files.into_iter().find(|path| path.extension().is_some_and(|end| end == "flv")).unwrap()
}

/// Breaks in the continuity counters of a transport stream, and its packets.
fn continuity(file: &Path) -> (usize, usize) {
    let bytes = std::fs::read(file).unwrap();
    assert!(bytes.len().is_multiple_of(188), "{} bytes", bytes.len());
    let mut next: BTreeMap<u16, u8> = BTreeMap::new();
    let mut breaks = 0;
    for packet in bytes.chunks_exact(188) {
        assert_eq!(packet[0], 0x47);
        let pid = u16::from_be_bytes([packet[1] & 0x1F, packet[2]]);
        let counter = packet[3] & 15;
        breaks += usize::from(next.insert(pid, (counter + 1) & 15).is_some_and(|due| due != counter));
    }
    (breaks, bytes.len() / 188)
}

#[tokio::test]
async fn nginx_records_a_file_that_plays() {
    let _seat = beside_others();
    let port = free_port();
    let mut nginx = nginx(&format!("127.0.0.1:{port}"), "").spawn().await_tcp(port);
    let (reading, findings) =
        play(&target(&format!("rtmp://127.0.0.1:{port}/live"), 6_000, 8, json!({})), &env()).await;
    all_pass(&findings);
    let take = taken(&reading);
    assert_eq!(
        (&take.end, reading.congestion.as_deref(), take.seconds.len()),
        (&End::Complete, Some("cubic"), 8)
    );
    let kbps = take.sent_bytes * 8 / 8_000;
    assert!((5_600..6_500).contains(&kbps), "{kbps}");
    assert!(take.seconds.iter().all(|second| (24..=26).contains(&second.pictures)), "{take:?}");
    nginx.terminate();
    let file = recorded(&nginx);
    let frames = decode(&file);
    assert!((195..=201).contains(&frames), "{frames} pictures in 8 s");
    assert!(std::fs::metadata(file).unwrap().len() * 8 / 8_000 > 5_600);
}

#[tokio::test]
async fn over_tls_it_plays_as_well() {
    let _seat = beside_others();
    let plain = free_port();
    let mut nginx = nginx(&format!("127.0.0.1:{plain}"), "").spawn().await_tcp(plain);
    let (port, certificate) = secured("127.0.0.1", plain).await;
    let roots = Roots::given(vec![certificate.clone()], vec![certificate]);
    let env = Env { roots, ..env() };
    let (_, findings) =
        play(&target(&format!("rtmps://127.0.0.1:{port}/live"), 3_000, 6, json!({})), &env).await;
    all_pass(&findings);
    nginx.terminate();
    assert!((145..=151).contains(&decode(&recorded(&nginx))));
}

#[tokio::test]
async fn our_far_end_takes_it_over_rtmp_and_srt_and_no_other_key() {
    let _seat = beside_others();
    let far_end = FarEnd::start(Config::loopback()).await.unwrap();
    let key = json!({ "test_key": { "value": far_end.media_key.reveal() } });
    let rtmp = format!("rtmp://{}/live", far_end.addresses.rtmp.unwrap());
    let srt = format!("srt://{}", far_end.addresses.srt.unwrap());
    for url in [&rtmp, &srt] {
        let (reading, findings) = play(&target(url, 3_000, 5, key.clone()), &env()).await;
        all_pass(&findings);
        assert!(!format!("{reading:?}").contains(far_end.media_key.reveal()));
        let (_, findings) = play(&target(url, 3_000, 5, json!({})), &env()).await;
        expect(&findings, "rehearsal.not_started", Effect::Fail);
    }
    far_end.stop().await;
}

#[tokio::test]
async fn srt_live_transmit_receives_it_whole() {
    let _seat = beside_others();
    for (kbps, more) in [(20_000, ""), (3_000, "&passphrase=canary-pass-77c1")] {
        let port = free_port();
        let mut peer = listener(port, more).spawn().await_udp(port);
        let passphrase = if more.is_empty() {
            json!({})
        } else {
            json!({ "passphrase": { "value": "canary-pass-77c1" } })
        };
        let (reading, findings) =
            play(&target(&format!("srt://127.0.0.1:{port}"), kbps, 6, passphrase), &env()).await;
        all_pass(&findings);
        assert_eq!(reading.srt.as_ref().unwrap().encrypted, !more.is_empty());
        peer.terminate();
        let file = peer.dir().join("stdout");
        let (breaks, packets) = continuity(&file);
        assert_eq!(breaks, 0);
        let sent = usize::try_from(reading.srt_counts.as_ref().unwrap().packets).unwrap();
        assert!(packets > (sent - 1) * 7, "{packets} of {sent} times 7");
        assert!((145..=151).contains(&decode(&file)));
    }
}

#[tokio::test]
async fn the_sender_is_on_time_and_costs_little() {
    let _quiet = quiet();
    let port = free_port();
    let _nginx = nginx(&format!("127.0.0.1:{port}"), "").spawn().await_tcp(port);
    let (reading, _) =
        play(&target(&format!("rtmp://127.0.0.1:{port}/live"), 6_000, 10, json!({})), &env()).await;
    let take = taken(&reading);
    let share = take.cpu_ms.unwrap() / take.took_ms;
    eprintln!(
        "processor {:.2} %, late p99 {:.3} ms, max {:.3} ms",
        share * 100.0,
        take.late_p99_ms,
        take.late_max_ms
    );
    // Without optimisation, on a machine that runs other tests meanwhile; a release build takes a fifth.
    assert!(share < 0.08 && take.late_p99_ms < 20.0, "{take:?}");
}

#[tokio::test]
async fn nobody_there_and_a_wrong_url_say_why() {
    let _seat = beside_others();
    let (_, findings) =
        play(&target(&format!("rtmp://127.0.0.1:{}/live", free_port()), 3_000, 5, json!({})), &env()).await;
    expect(&findings, "rehearsal.not_started", Effect::Fail);
    assert!(findings[0].observed.contains("refused"), "{findings:?}");
    let mut never = target("rtmp://127.0.0.1:1935/live", 3_000, 5, json!({}));
    never.publish = golive::model::Publish::Never;
    assert_eq!(Rehearsal::measure(&never, &env()).await.unwrap_err().cause, Cause::Broken);
}

#[tokio::test]
async fn stopping_keeps_what_was_seen() {
    let _seat = beside_others();
    let port = free_port();
    let _nginx = nginx(&format!("127.0.0.1:{port}"), "").spawn().await_tcp(port);
    let (env, cancel) = (env(), CancellationToken::new());
    let env = Env { cancel: cancel.clone(), ..env };
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(3_500)).await;
        cancel.cancel();
    });
    let (reading, findings) =
        play(&target(&format!("rtmp://127.0.0.1:{port}/live"), 3_000, 60, json!({})), &env).await;
    expect(&findings, "rehearsal.cancelled", Effect::Unknown);
    assert_eq!(taken(&reading).seconds.len(), 3);
}

/// Plays over a line, to nginx or srt-live-transmit at its other end. Again, up to twice, when this machine
/// was too busy to be a line.
fn over(line: &str, target: &Target) -> (Reading, Vec<Finding>) {
    let mut late = String::new();
    for _ in 0..3 {
        match over_once(line, target) {
            Ok(seen) => return seen,
            Err(why) => late = why,
        }
    }
    panic!("{late}");
}

fn over_once(line: &str, target: &Target) -> Result<(Reading, Vec<Finding>), String> {
    let line: Line = toml::from_str(line).unwrap();
    let (near, far) = (Namespace::new(), Namespace::new());
    let wan = Wan::lay(&line, (&near, "wan0", &["203.0.113.1/24"]), (&far, "isp0", &["203.0.113.2/24"]));
    let _ingest = if target.url.starts_with("srt:") {
        let input = "srt://:9000?mode=listener";
        let nowhere = ["-q", input, "udp://127.0.0.1:9009"];
        Peer::of("srt-live-transmit", "srt-tools").args(nowhere).inside(&far).spawn().await_udp(9000)
    } else {
        nginx(&format!("{FAR}:1935"), "").inside(&far).spawn().await_tcp(1935)
    };
    wan.restart();
    let seen = near.run_async(play(target, &env()));
    let take = taken(&seen.0);
    eprintln!("{:?} {:?} {:?} ms", seen.0.srt_counts, take.end, take.round_trip_ms);
    for finding in &seen.1 {
        eprintln!("{:?} {}: {} | {}", finding.effect, finding.code, finding.observed, finding.remedy);
    }
    wan.kept_up_roughly().map(|()| seen)
}

fn rtmp(kbps: u64, seconds: u32) -> Target {
    target(&format!("rtmp://{FAR}:1935/live"), kbps, seconds, json!({}))
}

fn srt(kbps: u64, seconds: u32, latency_ms: u64) -> Target {
    target(&format!("srt://{FAR}:9000"), kbps, seconds, json!({ "latency_ms": latency_ms }))
}

fn lossy(percent: f64) -> String {
    format!(
        "seed = 7\n[up]\nrate_mbps = 100\ndelay_ms = 25\nloss = {{ percent = {percent} }}\n[down]\ndelay_ms = 25"
    )
}

/// Mathis: one CUBIC stream gets 4.7 Mb/s at 0.25 % … 1.65 at 2 %, whatever the line's rate.
fn loss_at_50_ms_starves_rtmp_and_not_srt(percent: f64) {
    let _seat = beside_others();
    let (reading, findings) = over(&lossy(percent), &rtmp(6_000, 30));
    let code = if taken(&reading).end == End::Collapsed {
        "rehearsal.collapsed"
    } else {
        "rehearsal.dropped_frames"
    };
    expect(&findings, code, Effect::Fail);
    expect(&findings, "rehearsal.rate_too_high", Effect::Warn);
    let (_, findings) = over(&lossy(percent), &srt(6_000, 20, 500));
    all_pass(&findings);
}

// One test each, so that they run beside each other.
#[test]
fn half_a_percent_of_loss_at_50_ms_starves_rtmp_and_not_srt() {
    loss_at_50_ms_starves_rtmp_and_not_srt(0.5);
}

#[test]
fn one_percent_of_loss_at_50_ms_starves_rtmp_and_not_srt() {
    loss_at_50_ms_starves_rtmp_and_not_srt(1.0);
}

#[test]
fn two_percent_of_loss_at_50_ms_starve_rtmp_and_not_srt() {
    loss_at_50_ms_starves_rtmp_and_not_srt(2.0);
}

#[test]
fn without_loss_50_ms_starve_nobody() {
    let _seat = beside_others();
    let (_, findings) = over(&lossy(0.0), &rtmp(6_000, 10));
    all_pass(&findings);
}

#[test]
fn srt_with_too_little_latency_says_how_much_it_needs() {
    let _seat = beside_others();
    let (reading, findings) = over(&lossy(3.0), &srt(4_000, 20, 60));
    expect(&findings, "rehearsal.packets_too_late", Effect::Fail);
    expect(&findings, "rehearsal.latency_short", Effect::Warn);
    assert!(reading.srt_counts.unwrap().too_late > 0);
}

#[test]
fn a_thin_line_is_a_no_go_within_seconds() {
    let _seat = beside_others();
    let line = "[up]\nrate_mbps = 3\ndelay_ms = 15\n[down]\ndelay_ms = 15";
    let (reading, findings) = over(line, &rtmp(6_000, 120));
    expect(&findings, "rehearsal.collapsed", Effect::Fail);
    expect(&findings, "rehearsal.rate_too_high", Effect::Warn);
    assert!(taken(&reading).took_ms < 30_000.0, "{:?}", taken(&reading));
    let said = findings.iter().find(|finding| finding.code == "rehearsal.rate_too_high").unwrap();
    let kbps: u64 = said.observed.split_whitespace().find_map(|word| word.parse().ok()).unwrap();
    assert!((2_300..3_000).contains(&kbps), "{said:?}");
}

#[test]
fn an_outage_is_seen_as_long_as_it_is() {
    let _seat = beside_others();
    let line =
        "[up]\nrate_mbps = 20\ndelay_ms = 20\noutages = { at_s = 6, for_s = 2 }\n[down]\ndelay_ms = 20";
    let (reading, findings) = over(line, &rtmp(6_000, 16));
    expect(&findings, "rehearsal.stalled", Effect::Fail);
    let longest = taken(&reading).stalls.iter().map(|stall| stall.ms).max().unwrap();
    assert!((1_900..5_000).contains(&longest), "{:?}", taken(&reading).stalls);
    let dropped: u32 = taken(&reading).seconds.iter().map(|second| second.dropped).sum();
    assert!(dropped > 20, "{dropped}");
    let (_, findings) = over(line, &srt(6_000, 14, 4_000));
    expect(&findings, "rehearsal.repaired_in_time", Effect::Pass);
}
