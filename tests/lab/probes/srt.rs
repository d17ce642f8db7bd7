//! SRT against srt-live-transmit (libsrt), and against firewalls.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use golive::farend::log::{Log, Notice};
use golive::farend::{Config, FarEnd, Running};
use golive::model::{CheckId, Effect, Finding, Limits as _, Secret};
use golive::probe::srt::{Limits, Reading, Srt, Target};
use golive::probe::{Env, Probe};
use golive::wire::srt::{Caller, CallerEvent, CallerOptions};
use serde_json::{Value, json};
use tokio::net::UdpSocket;

use crate::ground::namespace::Namespace;
use crate::ground::peer::{Peer, free_port};

const PASSPHRASE: &str = "correct horse battery";

/// libsrt as a listener on loopback with these options, its media thrown away.
fn libsrt(port: u16, options: &str) -> Peer {
    listen("127.0.0.1", port, options)
}

fn listen(host: &str, port: u16, options: &str) -> Peer {
    let input = format!("srt://{host}:{port}?mode=listener&transtype=live{options}");
    Peer::of("srt-live-transmit", "srt-tools").args(["-q", &input, "file://con"]).spawn().await_udp(port)
}

fn target(port: u16, more: Value) -> Target {
    let mut target = json!({ "url": format!("srt://127.0.0.1:{port}"), "until": "conclusion" });
    let Value::Object(more) = more else { panic!("an object") };
    target.as_object_mut().unwrap().extend(more);
    serde_json::from_value(target).unwrap()
}

fn passphrase(text: &str) -> Value {
    json!({ "passphrase": { "value": text } })
}

async fn measure(target: &Target) -> Reading {
    Srt::measure(target, &Env::bare(CheckId::new("srt").unwrap())).await.unwrap()
}

/// The findings of a reading without limits must be exactly this one.
fn expect(reading: &Reading, code: &str, effect: Effect) -> Finding {
    let mut findings = Srt::judge(&Limits::default(), reading);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let finding = findings.remove(0);
    assert_eq!((finding.code.as_str(), finding.effect), (code, effect), "{finding:#?}");
    finding
}

#[tokio::test]
async fn an_open_listener_gives_srt_accepted() {
    let port = free_port();
    let _peer = libsrt(port, "&latency=200");
    let reading = measure(&target(port, json!({}))).await;
    expect(&reading, "srt.accepted", Effect::Pass);
    let attempt = &reading.attempts[0];
    let (induction, conclusion) = (attempt.induction.unwrap(), attempt.conclusion.as_ref().unwrap());
    assert!(induction.magic && induction.version == 5 && induction.mtu_bytes == 1500);
    assert_eq!((conclusion.latency_ms, conclusion.encrypted), (200, false));
    assert!(conclusion.version.starts_with("1."), "{conclusion:?}");
}

#[tokio::test]
async fn a_listener_can_be_called_again_after_the_probe() {
    let port = free_port();
    let _peer = libsrt(port, "");
    for _ in 0..2 {
        expect(&measure(&target(port, json!({}))).await, "srt.accepted", Effect::Pass);
        // srt-live-transmit opens its listener again once a caller has left.
        tokio::time::sleep(Duration::from_millis(1500)).await;
    }
}

#[tokio::test]
async fn the_right_passphrase_gives_srt_accepted_and_encrypts() {
    let port = free_port();
    let _peer = libsrt(port, &format!("&passphrase={PASSPHRASE}"));
    let reading = measure(&target(port, passphrase(PASSPHRASE))).await;
    expect(&reading, "srt.accepted", Effect::Pass);
    assert!(reading.attempts[0].conclusion.as_ref().unwrap().encrypted);
    let stored = serde_json::to_string(&reading).unwrap();
    assert!(!stored.contains(PASSPHRASE));
}

#[tokio::test]
async fn longer_keys_are_taken_as_the_listener_advertises_them() {
    // AES-192 is called with 128 bits: the engine has no 192, and libsrt takes the caller's.
    for (bytes, bits) in [(32, 256), (24, 192)] {
        let port = free_port();
        let _peer = libsrt(port, &format!("&passphrase={PASSPHRASE}&pbkeylen={bytes}"));
        let reading = measure(&target(port, passphrase(PASSPHRASE))).await;
        expect(&reading, "srt.accepted", Effect::Pass);
        assert_eq!(reading.attempts[0].induction.unwrap().advertised_key_bits, Some(bits));
        assert!(reading.attempts[0].conclusion.as_ref().unwrap().encrypted);
    }
}

#[tokio::test]
async fn a_wrong_passphrase_gives_srt_bad_secret() {
    let port = free_port();
    let _peer = libsrt(port, &format!("&passphrase={PASSPHRASE}"));
    let finding =
        expect(&measure(&target(port, passphrase("wrong horse"))).await, "srt.bad_secret", Effect::Fail);
    assert!(finding.observed.contains("refused: bad secret (10)"), "{finding:?}");
}

#[tokio::test]
async fn no_passphrase_gives_srt_unsecure() {
    let port = free_port();
    let _peer = libsrt(port, &format!("&passphrase={PASSPHRASE}"));
    let finding = expect(&measure(&target(port, json!({}))).await, "srt.unsecure", Effect::Fail);
    assert!(finding.remedy.contains("wants a passphrase"), "{finding:?}");
}

#[tokio::test]
async fn a_passphrase_that_the_listener_does_not_have_gives_srt_unsecure() {
    let port = free_port();
    let _peer = libsrt(port, "");
    expect(&measure(&target(port, passphrase(PASSPHRASE))).await, "srt.unsecure", Effect::Fail);
}

#[tokio::test]
async fn a_listener_that_lets_encryption_fail_still_gives_srt_bad_secret() {
    let port = free_port();
    let _peer = libsrt(port, &format!("&passphrase={PASSPHRASE}&enforcedencryption=0"));
    let finding =
        expect(&measure(&target(port, passphrase("wrong horse"))).await, "srt.bad_secret", Effect::Fail);
    assert!(finding.observed.contains("refused the key: bad secret"), "{finding:?}");
}

#[tokio::test]
async fn induction_needs_no_passphrase_and_gives_srt_answers() {
    let port = free_port();
    let _peer = libsrt(port, &format!("&passphrase={PASSPHRASE}"));
    let target = serde_json::from_value(json!({ "url": format!("srt://127.0.0.1:{port}") })).unwrap();
    expect(&measure(&target).await, "srt.answers", Effect::Pass);
}

#[tokio::test]
async fn ipv6_is_called_too() {
    let port = free_port();
    let _peer = listen("[::1]", port, "");
    let target =
        serde_json::from_value(json!({ "url": format!("srt://[::1]:{port}"), "until": "conclusion" }));
    let finding = expect(&measure(&target.unwrap()).await, "srt.accepted", Effect::Pass);
    assert!(finding.observed.contains("IPv6"), "{finding:?}");
}

#[tokio::test]
async fn nobody_listening_gives_srt_refused() {
    expect(&measure(&target(free_port(), json!({}))).await, "srt.refused", Effect::Fail);
}

/// Sends numbered payloads to a libsrt listener on loopback and gives what came out of it.
async fn send_media(port: u16, peer: &Peer, options: CallerOptions, payloads: u32) -> Vec<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let remote = SocketAddr::from(([127, 0, 0, 1], port));
    let mut caller = Caller::new(options, remote, 4711, Instant::now()).unwrap();
    let (mut datagram, mut sent, mut connected) = ([0; 2048], 0, false);
    let began = Instant::now();
    // At 10 ms each, then as long as it takes until all is acknowledged.
    while caller.counts().acknowledged_packets < payloads.into() {
        assert!(began.elapsed() < Duration::from_secs(30), "{:?} {}", caller.counts(), peer.log());
        if connected && sent < payloads {
            let payload = sent.to_be_bytes().repeat(1316 / 4);
            caller.send(Instant::now(), payload).unwrap();
            sent += 1;
        }
        let next = Instant::now() + Duration::from_millis(10);
        while Instant::now() < next {
            caller.timeout(Instant::now());
            while let Some(packet) = caller.transmit(Instant::now()) {
                socket.send_to(&packet, remote).await.unwrap();
            }
            let wait = tokio::time::timeout(Duration::from_millis(1), socket.recv_from(&mut datagram));
            if let Ok(Ok((length, from))) = wait.await {
                caller.receive(Instant::now(), from, &datagram[..length]);
            }
            while let Some(event) = caller.event() {
                assert!(!matches!(event, CallerEvent::Ended(_)), "{event:?}");
                connected |= matches!(event, CallerEvent::Connected(_));
            }
        }
    }
    // Delivered after the latency of 120 ms.
    tokio::time::sleep(Duration::from_millis(500)).await;
    std::fs::read(peer.dir().join("stdout")).unwrap()
}

#[tokio::test]
async fn media_arrives_whole_plain_and_with_every_key_length_that_a_listener_prefers() {
    for options in ["", "&passphrase=P&pbkeylen=16", "&passphrase=P&pbkeylen=24", "&passphrase=P&pbkeylen=32"]
    {
        let port = free_port();
        let peer = libsrt(port, &options.replace('P', PASSPHRASE));
        let passphrase = (!options.is_empty()).then(|| Secret::from(PASSPHRASE.to_owned()));
        let call = CallerOptions { passphrase, ..CallerOptions::default() };
        let arrived = send_media(port, &peer, call, 100).await;
        let expected: Vec<u8> = (0..100_u32).flat_map(|n| n.to_be_bytes().repeat(1316 / 4)).collect();
        // It writes whole blocks of 4096 bytes and keeps the rest.
        let whole = arrived.len() + 4096 > expected.len() && expected.starts_with(&arrived);
        assert!(whole, "{options}: {} bytes arrived", arrived.len());
    }
}

/// A far end on loopback and what it says.
async fn far_end() -> (Running, Arc<Mutex<Vec<Notice>>>) {
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&said);
    let log = Log::to(move |notice: &Notice| heard.lock().unwrap().push(notice.clone()));
    (FarEnd::start(Config { log, ..Config::loopback() }).await.unwrap(), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn our_far_end_takes_ffmpeg_and_counts_its_media() {
    let (running, said) = far_end().await;
    let url = format!(
        "srt://{}?streamid={}&latency=200000&pkt_size=1316",
        running.addresses.srt.unwrap(),
        running.media_key.reveal()
    );
    let picture = "testsrc=size=320x180:rate=25:duration=2";
    let mut ffmpeg = Peer::of("ffmpeg", "ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-re", "-f", "lavfi", "-i", picture])
        .args(["-c:v", "mpeg2video", "-b:v", "1M", "-f", "mpegts", &url])
        .spawn();
    let status = ffmpeg.await_end();
    assert!(status.success(), "{}", ffmpeg.log());
    let began = Instant::now();
    let bytes = loop {
        let ended = said.lock().unwrap().iter().find_map(|notice| match notice {
            Notice::Ended { what: "srt", bytes, .. } => Some(*bytes),
            _ => None,
        });
        if let Some(bytes) = ended {
            break bytes;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", said.lock().unwrap());
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(bytes > 50_000 && bytes.is_multiple_of(188), "{bytes} bytes");
    running.stop().await;
}

#[tokio::test]
async fn our_far_end_gives_srt_accepted_to_its_key_and_srt_unauthorised_to_others() {
    let (running, _) = far_end().await;
    let port = running.addresses.srt.unwrap().port();
    let with = |id: &str| target(port, json!({ "stream_id": { "value": id } }));
    expect(&measure(&with(running.media_key.reveal())).await, "srt.accepted", Effect::Pass);
    expect(&measure(&with("live/main")).await, "srt.unauthorised", Effect::Fail);
    running.stop().await;
}

#[test]
fn limits_stand_beside_what_was_measured() {
    let near = Namespace::new();
    let port = free_port();
    let _peer = {
        let input = format!("srt://127.0.0.1:{port}?mode=listener");
        Peer::of("srt-live-transmit", "srt-tools")
            .args(["-q", &input, "file://con"])
            .inside(&near)
            .spawn()
            .await_udp(port)
    };
    let reading = near.run_async(measure(&target(port, json!({ "latency_ms": 400 }))));
    let mut limits = Limits::default();
    let wanted =
        json!({ "handshake_ms": 2000.0, "latency_ms": 500, "latency_round_trips": 3.0, "encrypted": false });
    limits.tighten(&serde_json::from_value(wanted).unwrap()).unwrap();
    let findings = Srt::judge(&limits, &reading);
    let codes: Vec<_> = findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["srt.accepted", "srt.handshake_time", "srt.latency", "srt.latency", "srt.encryption"]);
    assert!(findings.iter().all(|finding| finding.effect == Effect::Pass), "{findings:#?}");
}

/// A firewall between us and a listener that is really there.
fn through_a_firewall(rule: &str) -> Reading {
    let (near, far) = (Namespace::new(), Namespace::new());
    let (us, them) = (["198.51.100.1/24", "2001:db8::1/64"], ["198.51.100.2/24", "2001:db8::2/64"]);
    Namespace::join((&near, "near0", &us), (&far, "far0", &them));
    far.rules(&format!(
        "table inet wall {{ chain in {{ type filter hook input priority 0; meta l4proto udp {rule}; }}; }}\n"
    ));
    let port = free_port();
    let input = format!("srt://198.51.100.2:{port}?mode=listener");
    let _peer = Peer::of("srt-live-transmit", "srt-tools")
        .args(["-q", &input, "file://con"])
        .inside(&far)
        .spawn()
        .await_udp(port);
    let target = json!({ "url": format!("srt://198.51.100.2:{port}"), "until": "conclusion" });
    near.run_async(measure(&serde_json::from_value(target).unwrap()))
}

#[test]
fn a_firewall_that_drops_gives_srt_silent_and_no_openness() {
    let finding = expect(&through_a_firewall("drop"), "srt.silent", Effect::Fail);
    assert!(finding.observed.contains("blocked") && finding.observed.contains("nothing listens"));
}

#[test]
fn a_firewall_that_says_so_gives_srt_prohibited() {
    let finding = expect(
        &through_a_firewall("reject with icmpx type admin-prohibited"),
        "srt.prohibited",
        Effect::Fail,
    );
    assert!(finding.observed.contains("198.51.100.2"), "who said so: {finding:?}");
}

#[test]
fn a_firewall_that_passes_only_small_packets_gives_srt_silent_conclusion() {
    // Induction is 92 bytes of IP, conclusion 108 and more.
    expect(&through_a_firewall("ip length > 100 drop"), "srt.silent_conclusion", Effect::Fail);
}
