//! RTMP against real servers: nginx-rtmp, ffmpeg, and what is no RTMP server. Each test names the finding
//! code that it expects.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Command;

use golive::farend::{Config, FarEnd};
use golive::model::{CheckId, Effect, Finding, Publish, Secret, SecretSource};
use golive::net::tls::Roots;
use golive::probe::rtmp::{Limits, Reading, Rtmp, Target};
use golive::probe::{Env, Probe};

use crate::ground::ingest::{self, secured};
use crate::ground::namespace::Namespace;
use crate::ground::peer::{Peer, Setup, free_port, need};

/// A key that must show nowhere.
const KEY: &str = "canary-key-51d8";

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// nginx with an ingest on `rtmp` and a web server on `http`.
fn nginx(listen: IpAddr, rtmp: u16, http: u16) -> Setup {
    let web = format!("http {{ access_log off; server {{ listen {listen}:{http}; }} }}");
    ingest::nginx(&format!("{listen}:{rtmp}"), &web)
}

fn served() -> (Peer, u16) {
    let (rtmp, http) = (free_port(), free_port());
    (nginx(LOOPBACK, rtmp, http).spawn().await_tcp(rtmp), rtmp)
}

fn target(url: String, publish: Publish) -> Target {
    let test_key = (publish == Publish::Test).then(|| SecretSource::Value(Secret::from(KEY.to_owned())));
    Target { url, publish, test_key, media_seconds: 3 }
}

fn env() -> Env {
    Env::bare(CheckId::new("ingest").unwrap())
}

async fn measure(target: &Target, env: &Env) -> (Reading, Vec<Finding>) {
    let reading = Rtmp::measure(target, env).await.unwrap();
    let findings = Rtmp::judge(&Limits::default(), &reading);
    let said = format!("{reading:?} {findings:?} {}", serde_json::to_string(&reading).unwrap());
    assert!(!said.contains(KEY), "the key shows: {said}");
    (reading, findings)
}

/// The one finding of a measurement.
async fn finding(url: String, publish: Publish) -> Finding {
    let (reading, mut findings) = measure(&target(url, publish), &env()).await;
    assert_eq!(findings.len(), 1, "{reading:?} {findings:?}");
    findings.remove(0)
}

#[track_caller]
fn expect(finding: &Finding, effect: Effect, code: &str) {
    assert_eq!((finding.effect, finding.code.as_str()), (effect, code), "{finding:?}");
}

#[tokio::test]
async fn nginx_accepts_an_application_rtmp_accepted() {
    let (_nginx, port) = served();
    let (reading, findings) =
        measure(&target(format!("rtmp://127.0.0.1:{port}/live"), Publish::Never), &env()).await;
    expect(&findings[0], Effect::Pass, "rtmp.accepted");
    let attempt = &reading.attempts[0];
    assert!(attempt.handshake_ms.is_some() && attempt.connect_ms.is_some() && attempt.media.is_none());
    assert_eq!(attempt.echoed, Some(true));
}

#[tokio::test]
async fn nginx_takes_and_records_a_test_stream_that_decodes_rtmp_published() {
    let (mut nginx, port) = served();
    let found = finding(format!("rtmp://127.0.0.1:{port}/live"), Publish::Test).await;
    expect(&found, Effect::Pass, "rtmp.published");
    nginx.terminate();
    let recorded = std::fs::read_dir(nginx.dir()).unwrap().map(|entry| entry.unwrap().path());
    let recorded =
        recorded.into_iter().find(|path| path.extension().is_some_and(|end| end == "flv")).unwrap();
    let decoded = Command::new(need("ffmpeg", "ffmpeg"))
        .args(["-hide_banner", "-v", "warning", "-stats", "-i"])
        .arg(recorded)
        .args(["-f", "null", "-"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&decoded.stderr);
    assert!(decoded.status.success() && !said.to_lowercase().contains("error"), "{said}");
    let frames = said.rsplit("frame=").next().and_then(|rest| rest.split_whitespace().next()).unwrap();
    assert!(frames.parse::<u32>().unwrap() >= 70, "3 s at 25 frames/s: {said}");
}

#[tokio::test]
async fn nginx_does_not_know_the_application_rtmp_app_closed() {
    let (_nginx, port) = served();
    let found = finding(format!("rtmp://127.0.0.1:{port}/nonesuch"), Publish::Never).await;
    expect(&found, Effect::Fail, "rtmp.app_closed");
}

#[tokio::test]
async fn nginx_consents_and_then_denies_publishing_rtmp_cut() {
    let (_nginx, port) = served();
    let found = finding(format!("rtmp://127.0.0.1:{port}/closed"), Publish::Test).await;
    expect(&found, Effect::Fail, "rtmp.cut");
}

#[tokio::test]
async fn a_key_that_somebody_publishes_under_rtmp_key_in_use() {
    let (_nginx, port) = served();
    let target = target(format!("rtmp://127.0.0.1:{port}/live"), Publish::Test);
    let (first, second) = (env(), env());
    let (first, second) = tokio::join!(measure(&target, &first), measure(&target, &second));
    let codes: BTreeSet<String> =
        [first, second].into_iter().map(|(_, found)| found[0].code.clone()).collect();
    assert_eq!(codes, ["rtmp.key_in_use", "rtmp.published"].map(str::to_owned).into());
}

#[tokio::test]
async fn ffmpeg_listens_and_takes_a_test_stream_rtmp_published() {
    let port = free_port();
    let url = format!("rtmp://127.0.0.1:{port}/live");
    let mut ffmpeg = Peer::of("ffmpeg", "ffmpeg")
        .args(["-hide_banner", "-listen", "1", "-i"])
        .args([format!("{url}/{KEY}")])
        .args(["-f", "null", "-"])
        .spawn()
        .await_tcp(port);
    expect(&finding(url, Publish::Test).await, Effect::Pass, "rtmp.published");
    ffmpeg.await_end();
    let said = ffmpeg.log();
    assert!(said.contains("Video: h264 (Main)") && said.contains("Audio: aac (LC)"), "{said}");
}

#[tokio::test]
async fn our_far_end_takes_a_test_stream_and_no_other_key_rtmp_published() {
    let far_end = FarEnd::start(Config::loopback()).await.unwrap();
    let mut target = target(format!("rtmp://{}/live", far_end.addresses.rtmp.unwrap()), Publish::Test);
    let (_, findings) = measure(&target, &env()).await;
    expect(&findings[0], Effect::Fail, "rtmp.publish_refused");
    assert!(findings[0].observed.contains("NetStream.Publish.Denied “unknown key”"), "{findings:?}");
    target.test_key = Some(SecretSource::Value(far_end.media_key.clone()));
    let (_, findings) = measure(&target, &env()).await;
    expect(&findings[0], Effect::Pass, "rtmp.published");
    far_end.stop().await;
}

#[tokio::test]
async fn a_web_server_on_the_port_is_named_rtmp_not_rtmp() {
    let (rtmp, http) = (free_port(), free_port());
    let _nginx = nginx(LOOPBACK, rtmp, http).spawn().await_tcp(http);
    let found = finding(format!("rtmp://127.0.0.1:{http}/live"), Publish::Test).await;
    expect(&found, Effect::Fail, "rtmp.not_rtmp");
    assert!(found.observed.contains("answers in HTTP"), "{found:?}");
    let found = finding(format!("rtmps://127.0.0.1:{http}/live"), Publish::Test).await;
    expect(&found, Effect::Fail, "rtmp.not_tls");
    assert!(found.observed.contains("answers in HTTP"), "{found:?}");
}

#[tokio::test]
async fn a_tls_server_on_the_port_is_named_rtmp_not_rtmp() {
    let port = free_port();
    let _server = Peer::of("openssl", "openssl")
        .args(["s_server", "-nocert", "-www", "-accept", &port.to_string()])
        .spawn()
        .await_tcp(port);
    let found = finding(format!("rtmp://127.0.0.1:{port}/live"), Publish::Never).await;
    expect(&found, Effect::Fail, "rtmp.not_rtmp");
    assert!(found.observed.contains("answers in TLS") && found.remedy.contains("rtmps://"), "{found:?}");
}

#[tokio::test]
async fn tls_spoken_to_a_plain_ingest_rtmp_not_tls() {
    let (_nginx, port) = served();
    let found = finding(format!("rtmps://127.0.0.1:{port}/live"), Publish::Never).await;
    expect(&found, Effect::Fail, "rtmp.not_tls");
    assert!(found.observed.contains("answers in RTMP") && found.remedy.contains("rtmp://"), "{found:?}");
}

#[tokio::test]
async fn a_closed_port_rtmp_refused() {
    let found = finding(format!("rtmp://127.0.0.1:{}/live", free_port()), Publish::Never).await;
    expect(&found, Effect::Fail, "rtmp.refused");
}

#[tokio::test]
async fn rtmps_is_published_to_when_trusted_and_found_out_when_not() {
    let (_nginx, plain) = served();
    let (port, certificate) = secured("localhost", plain).await;
    let target = target(format!("rtmps://localhost:{port}/live"), Publish::Test);
    let ours = || vec![certificate.clone()];
    // localhost may have an IPv6 address, on which nothing listens: only IPv4's findings are looked at.
    let codes = async |roots: Roots| -> Vec<String> {
        let (_, findings) = measure(&target, &Env { roots, ..env() }).await;
        findings.into_iter().filter(|f| f.observed.starts_with("127.")).map(|f| f.code).collect()
    };
    assert_eq!(codes(Roots::given(ours(), ours())).await, ["rtmp.published"]);
    assert_eq!(codes(Roots::given(vec![], ours())).await, ["rtmp.published", "rtmp.intercepted"]);
    assert_eq!(codes(Roots::given(vec![], vec![])).await, ["rtmp.untrusted"]);
}

/// Measures an nginx behind a firewall that knows RTMP's first packet.
fn behind_a_firewall_that(acts: &str) -> Finding {
    let (near, far) = (Namespace::new(), Namespace::new());
    Namespace::join((&near, "near0", &["198.51.100.1/24"]), (&far, "far0", &["198.51.100.2/24"]));
    let address: SocketAddr = "198.51.100.2:1935".parse().unwrap();
    let _nginx = nginx(address.ip(), address.port(), 8080).inside(&far).spawn().await_tcp(address.port());
    // After 32 bytes of TCP header (20, and 12 of time stamps), RTMP starts with its version: 3.
    far.rules(&format!(
        "table inet inspecting {{
            chain input {{
                type filter hook input priority 0;
                tcp dport 1935 @th,256,8 3 {acts}
            }}
        }}"
    ));
    near.run_async(finding(format!("rtmp://{address}/live"), Publish::Never))
}

#[test]
fn a_firewall_resets_what_speaks_rtmp_rtmp_killed() {
    let found = behind_a_firewall_that("reject with tcp reset");
    expect(&found, Effect::Fail, "rtmp.killed");
}

#[test]
fn a_firewall_drops_what_speaks_rtmp_rtmp_swallowed() {
    let found = behind_a_firewall_that("drop");
    expect(&found, Effect::Fail, "rtmp.swallowed");
}
