//! Upload over real lines: shaped, interrupted, cut; and what is blamed for what.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use golive::farend::session::Caps;
use golive::farend::{Config, FarEnd, Running};
use golive::model::{
    AtLeast, AtMost, Cause, CheckId, Effect, FarEnd as Named, FarEndName, NotMeasured, SecretSource,
};
use golive::net::congestion::Congestion;
use golive::probe::upload::{Ending, Limits, Over, Reading, Target, Upload};
use golive::probe::{Env, Probe, Progress};
use golive::wire::control::Grant;
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use crate::ground::quiet::{beside_others, quiet};
use crate::line::cable::{Bottleneck, Line};

const FAR: &str = "203.0.113.2:7000";

fn target(seconds: u32, at_most_kbps: u64) -> Target {
    Target::to_far_end(FarEndName::new("cloud").unwrap(), seconds, at_most_kbps)
}

fn named(running: &Running, address: SocketAddr) -> Named {
    Named {
        address: address.to_string(),
        pin: running.pin.clone(),
        token: SecretSource::Value(running.token.clone()),
    }
}

fn env(far_end: Named) -> Env {
    let mut env = Env::bare(CheckId::new("uplink").unwrap());
    env.far_ends = Arc::new([(FarEndName::new("cloud").unwrap(), far_end)].into());
    env
}

fn effect_of(limits: &Limits, reading: &Reading, code: &str) -> Effect {
    let findings = Upload::judge(limits, reading);
    let found = findings.iter().find(|finding| finding.code == code);
    found.unwrap_or_else(|| panic!("no {code} in {findings:#?}")).effect
}

/// Measures over it, while `meanwhile` happens to the line.
fn measure(
    line: &Line,
    target: &Target,
    meanwhile: impl Future<Output = ()> + Send,
) -> Result<Reading, NotMeasured> {
    let (told, hear) = std::sync::mpsc::channel();
    let over = CancellationToken::new();
    std::thread::scope(|scope| {
        let stop = over.clone();
        scope.spawn(move || {
            line.far.run_async(async {
                let listen = FAR.parse().unwrap();
                let config = Config { listen, rtmp: None, srt: None, ..Config::loopback() };
                let running = FarEnd::start(config).await.unwrap();
                told.send(named(&running, listen)).unwrap();
                stop.cancelled().await;
            });
        });
        let _stop = over.drop_guard(); // also when a test panics
        let env = env(hear.recv().unwrap());
        line.near.run_async(async { tokio::join!(Upload::measure(target, &env), meanwhile).0 })
    })
}

#[test]
fn a_shaped_line_is_measured_within_a_few_percent() {
    let _quiet = quiet();
    let reading = measure(&Line::new(&Bottleneck::Here), &target(12, 20_000), async {}).unwrap();
    assert_eq!((&reading.ending, reading.congestion.as_deref()), (&Ending::Complete, Some("cubic")));
    let rates = reading.rates().unwrap();
    // 1448 bytes of payload in frames of 1514.
    let payload = 8_000.0 * 1448.0 / 1514.0;
    assert!((rates.p5_kbps / payload - 1.0).abs() < 0.05, "{payload} {rates:?}");
    assert!((rates.median_kbps / payload - 1.0).abs() < 0.03, "{payload} {rates:?}");
    let limits = Limits {
        rate_kbps: Some(AtLeast(7_000)),
        worst_10s_kbps: Some(AtLeast(7_000)),
        gaps_over_700ms: Some(AtMost(0)),
        loaded_rtt_ms: Some(AtMost(100.0)),
        retransmit_share: Some(AtMost(0.001)),
        duration_s: Some(AtLeast(12)),
        ..Limits::default()
    };
    for finding in Upload::judge(&limits, &reading) {
        assert_eq!(finding.effect, Effect::Pass, "{finding:#?}");
    }
    let limits = Limits { rate_kbps: Some(AtLeast(9_000)), ..limits };
    assert_eq!(effect_of(&limits, &reading, "upload.rate_too_low"), Effect::Fail);
}

#[test]
fn a_line_too_thin_for_the_stream_ends_the_test_within_seconds() {
    let _seat = beside_others();
    let ten_minutes = Target { stop_below_kbps: Some(9_000), ..target(600, 20_000) };
    let a_minute = Target { seconds: 60, ..ten_minutes.clone() };
    for (target, least_ms) in [(a_minute, 13_000), (ten_minutes, 32_000)] {
        let reading = measure(&Line::new(&Bottleneck::Here), &target, async {}).unwrap();
        assert_eq!(reading.ending, Ending::TooThin { below_kbps: 9_000 });
        assert!((least_ms..least_ms + 3_000).contains(&reading.measured_ms()), "{}", reading.measured_ms());
        let limits = Limits { rate_kbps: Some(AtLeast(12_000)), ..Limits::default() };
        assert_eq!(effect_of(&limits, &reading, "upload.too_thin"), Effect::Fail);
    }
}

#[test]
fn a_queue_that_fills_up_and_overflows_is_seen() {
    let _seat = beside_others();
    let reading = measure(&Line::new(&Bottleneck::Router), &target(12, 20_000), async {}).unwrap();
    let rates = reading.rates().unwrap();
    assert!((7_000.0..8_000.0).contains(&rates.median_kbps), "{rates:?}");
    let limits = Limits {
        loaded_rtt_ms: Some(AtMost(100.0)),
        retransmit_share: Some(AtMost(0.0)),
        ..Limits::default()
    };
    assert_eq!(effect_of(&limits, &reading, "upload.bufferbloat"), Effect::Fail);
    // What is opened meanwhile waits in the same queue.
    let foreign = reading.responsiveness.and_then(|found| found.foreign).unwrap();
    assert!(foreign.opened >= 3 && foreign.failed == 0, "{foreign:?}");
    for round_trip in [foreign.tcp_ms, foreign.tls_ms, foreign.request_ms] {
        assert!(round_trip > 100.0, "{foreign:?}");
    }
    assert_eq!(effect_of(&limits, &reading, "upload.retransmits_many"), Effect::Fail);
}

#[test]
fn datagrams_show_the_line_and_their_loss_every_100_ms() {
    let _quiet = quiet();
    let udp = |kbps| Target { transport: Over::Udp, ..target(6, kbps) };
    let line = Line::new(&Bottleneck::Router);
    let reading = measure(&line, &udp(5_000), async {}).unwrap();
    assert_eq!((&reading.ending, reading.measured_ms()), (&Ending::Complete, 6_000));
    let rates = reading.rates().unwrap();
    assert!((4_850.0..5_150.0).contains(&rates.p5_kbps), "{rates:?}");
    let limits = Limits { loss_share: Some(AtMost(0.001)), stall_ms: Some(AtMost(300)), ..Limits::default() };
    for finding in Upload::judge(&limits, &reading) {
        assert_eq!(finding.effect, Effect::Pass, "{finding:#?}");
    }
    let line = Line::new(&Bottleneck::Router);
    let reading = measure(&line, &udp(12_000), async {}).unwrap();
    let rates = reading.rates().unwrap();
    let payload = 8_000.0 * 1200.0 / 1242.0;
    assert!((rates.median_kbps / payload - 1.0).abs() < 0.03, "{payload} {rates:?}");
    assert_eq!(effect_of(&limits, &reading, "upload.loss_high"), Effect::Fail);
}

#[tokio::test]
async fn several_connections_are_counted_together() {
    let _seat = beside_others();
    let running = FarEnd::start(Config::loopback()).await.unwrap();
    let env = env(named(&running, running.addresses.control));
    let reading = Upload::measure(&Target { streams: 4, ..target(5, 40_000) }, &env).await.unwrap();
    assert_eq!((&reading.ending, reading.streams), (&Ending::Complete, 4));
    let rates = reading.rates().unwrap();
    assert!((36_000.0..44_000.0).contains(&rates.median_kbps), "{rates:?}");
}

#[test]
fn udp_that_is_blocked_while_tcp_is_not_is_named() {
    let _seat = beside_others();
    let line = Line::new(&Bottleneck::Here);
    line.far.rules(
        "table inet line {
            chain in { type filter hook input priority 0; policy accept; meta l4proto udp drop; }
        }",
    );
    let error = measure(&line, &Target { transport: Over::Udp, ..target(8, 5_000) }, async {}).unwrap_err();
    assert!(error.detail.contains("no datagram arrived"), "{error:?}");
}

#[test]
fn an_outage_that_ends_is_a_stall() {
    let _seat = beside_others();
    let line = Line::new(&Bottleneck::Here);
    let reading = measure(&line, &target(10, 20_000), async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        line.interrupt(true);
        tokio::time::sleep(Duration::from_millis(1500)).await;
        line.interrupt(false);
    });
    let reading = reading.unwrap();
    assert_eq!(reading.ending, Ending::Complete);
    assert_eq!(reading.measured_ms(), 10_000);
    let longest = reading.gaps.iter().map(|gap| gap.ms).max().unwrap();
    assert!((1_300..6_000).contains(&longest), "{:?}", reading.gaps);
    let limits = Limits { stall_ms: Some(AtMost(900)), ..Limits::default() };
    assert_eq!(effect_of(&limits, &reading, "upload.stalled"), Effect::Fail);
}

#[test]
fn a_line_that_goes_dead_fails_and_what_was_measured_is_kept() {
    let _seat = beside_others();
    let line = Line::new(&Bottleneck::Here);
    let reading = measure(&line, &target(60, 20_000), async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        line.interrupt(true);
    });
    let reading = reading.unwrap();
    assert!(
        matches!(reading.ending, Ending::LineDead { silent_ms, .. } if silent_ms >= 15_000.0),
        "{:?}",
        reading.ending
    );
    assert_eq!(effect_of(&Limits::default(), &reading, "upload.line_dead"), Effect::Fail);
    assert!((3_500..6_000).contains(&reading.measured_ms()), "{}", reading.measured_ms());
    assert!(reading.rates().unwrap().median_kbps > 7_000.0, "nothing unreported counts as 0");
}

/// A far end on loopback behind a relay whose connections can be cut, each by itself.
struct Relay {
    address: SocketAddr,
    cables: Arc<Mutex<Vec<AbortHandle>>>,
}

impl Relay {
    async fn to(far: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, cables) = (listener.local_addr().unwrap(), Arc::default());
        let laid: Arc<Mutex<Vec<AbortHandle>>> = Arc::clone(&cables);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let cable = tokio::spawn(async move {
                    let mut far = TcpStream::connect(far).await.unwrap();
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                });
                laid.lock().unwrap().push(cable.abort_handle());
            }
        });
        Self { address, cables }
    }

    fn cut(&self, connections: std::ops::Range<usize>) {
        for cable in &self.cables.lock().unwrap()[connections] {
            cable.abort();
        }
    }
}

async fn over_relay(cut: std::ops::Range<usize>) -> Reading {
    let running = FarEnd::start(Config::loopback()).await.unwrap();
    let relay = Relay::to(running.addresses.control).await;
    let (env, target) = (env(named(&running, relay.address)), target(20, 5_000));
    let cutting = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        relay.cut(cut);
    };
    tokio::join!(Upload::measure(&target, &env), cutting).0.unwrap()
}

#[tokio::test]
async fn a_connection_that_something_cuts_fails_while_the_far_end_is_there() {
    let _seat = beside_others();
    for connections in [1..2, 0..2, 0..1] {
        let reading = over_relay(connections.clone()).await;
        assert!(matches!(reading.ending, Ending::Cut { .. }), "{connections:?}: {:?}", reading.ending);
        assert_eq!(effect_of(&Limits::default(), &reading, "upload.cut"), Effect::Fail);
        assert!((2_000..4_000).contains(&reading.measured_ms()), "{}", reading.measured_ms());
    }
}

#[test]
fn a_far_end_that_dies_is_not_the_lines_fault() {
    let _seat = beside_others();
    let far = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let running = far.block_on(FarEnd::start(Config::loopback())).unwrap();
    let env = env(named(&running, running.addresses.control));
    let near = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let reading = near.block_on(async {
        let death = async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            far.shutdown_background(); // as a crash does: every socket closed, no last word
        };
        let target = target(20, 5_000);
        tokio::join!(Upload::measure(&target, &env), death).0.unwrap()
    });
    assert!(matches!(reading.ending, Ending::FarEndLost { .. }), "{:?}", reading.ending);
    let limits = Limits { rate_kbps: Some(AtLeast(4_000)), ..Limits::default() };
    assert_eq!(effect_of(&limits, &reading, "upload.far_end_lost"), Effect::Unknown);
    assert!(Upload::judge(&limits, &reading).iter().all(|finding| finding.effect != Effect::Fail));
}

#[tokio::test]
async fn a_far_end_that_is_stopped_says_so() {
    let _seat = beside_others();
    let running = FarEnd::start(Config::loopback()).await.unwrap();
    let env = env(named(&running, running.addresses.control));
    let stop = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        running.stop().await;
    };
    let target = target(20, 5_000);
    let reading = tokio::join!(Upload::measure(&target, &env), stop).0.unwrap();
    assert_eq!(effect_of(&Limits::default(), &reading, "upload.far_end_ended"), Effect::Unknown);
}

#[tokio::test]
async fn caps_that_are_too_small_are_told_before_anything_is_sent() {
    let _seat = beside_others();
    for each in [
        Grant { seconds: 6, bytes: 1 << 40, packets: 1 << 40 },
        Grant { seconds: 60, bytes: 1_000, packets: 1 << 40 },
    ] {
        let caps = Caps { each, ..Caps::default() };
        let running = FarEnd::start(Config { caps, ..Config::loopback() }).await.unwrap();
        let env = env(named(&running, running.addresses.control));
        let error = Upload::measure(&target(10, 5_000), &env).await.unwrap_err();
        assert_eq!(error.cause, Cause::FarEnd);
        assert!(error.remedy.contains("larger caps"), "{error:?}");
    }
}

#[tokio::test]
async fn a_run_that_is_stopped_keeps_what_it_has_and_samples_came_live() {
    let _seat = beside_others();
    let running = FarEnd::start(Config::loopback()).await.unwrap();
    let mut env = env(named(&running, running.addresses.control));
    let samples = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&samples);
    env.progress = Progress::to(move |sample| sink.lock().unwrap().push(sample));
    let stop = async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        env.cancel.cancel();
    };
    let target = target(30, 5_000);
    let reading = tokio::join!(Upload::measure(&target, &env), stop).0.unwrap();
    assert_eq!(effect_of(&Limits::default(), &reading, "upload.cancelled"), Effect::Unknown);
    assert!((2_500..4_500).contains(&reading.measured_ms()), "{}", reading.measured_ms());
    let samples = samples.lock().unwrap();
    let upload = samples.iter().filter(|sample| sample.series == "upload_kbps").count();
    assert_eq!(upload, reading.arrived_bytes.len(), "each slot once");
    // The test's own cap holds: 5 Mb/s, and what was written is what was allowed.
    assert!(reading.sender.written_bytes <= 5_000 * 125 * 5, "{:?}", reading.sender);
}

/// A congestion control that this kernel gives to the privileged only, if there is one.
fn guarded() -> Option<Congestion> {
    let allowed = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_allowed_congestion_control").unwrap();
    let is_allowed = |congestion: &Congestion| {
        allowed.split_whitespace().any(|name| Some(name) == congestion.kernel_name())
    };
    [Congestion::Cubic, Congestion::Bbr].into_iter().find(|congestion| !is_allowed(congestion))
}

#[test]
fn another_congestion_control_than_asked_for_shows_as_a_warning() {
    let _seat = beside_others();
    let asked = guarded().unwrap_or(Congestion::Reno);
    let reading = std::thread::spawn(move || {
        let mut own = capabilities(None).unwrap();
        own.effective.remove(CapabilitySet::NET_ADMIN); // of this thread alone
        set_capabilities(None, own).unwrap();
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let running = FarEnd::start(Config::loopback()).await.unwrap();
            let env = env(named(&running, running.addresses.control));
            Upload::measure(&Target { congestion: asked, ..target(5, 5_000) }, &env).await.unwrap()
        })
    });
    let reading = reading.join().unwrap();
    if guarded().is_some() {
        assert_ne!(reading.congestion.as_deref(), asked.kernel_name());
        assert_eq!(effect_of(&Limits::default(), &reading, "upload.congestion_other"), Effect::Warn);
    } else {
        assert_eq!(reading.congestion.as_deref(), asked.kernel_name(), "everybody may have any here");
    }
}
