//! Upload to the ingest itself: nginx-rtmp takes a test stream as fast as the line does.

use golive::model::{AtLeast, AtMost, Cause, CheckId, Effect, NotMeasured, Publish, Secret, SecretSource};
use golive::net::tls::Roots;
use golive::probe::upload::{Ending, Ingest, Limits, Reading, Target, Upload, Vantage};
use golive::probe::{Env, Probe};

use crate::ground::ingest::{nginx, secured};
use crate::ground::peer::free_port;
use crate::ground::quiet::{beside_others, quiet};
use crate::line::cable::{Bottleneck, Line};

/// A key that must show nowhere.
const KEY: &str = "canary-key-41d9";

fn target(url: String, seconds: u32, kbps: u64) -> Target {
    let test_key = SecretSource::Value(Secret::from(KEY.to_owned()));
    Target::to_ingest(Ingest { url, publish: Publish::Test, test_key }, seconds, kbps)
}

fn env() -> Env {
    Env::bare(CheckId::new("uplink").unwrap())
}

async fn measure(target: &Target) -> Result<Reading, NotMeasured> {
    measure_by(target, &env()).await
}

async fn measure_by(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let measured = Upload::measure(target, env).await;
    let said = format!("{measured:?} {}", serde_json::to_string(&measured.as_ref().ok()).unwrap());
    assert!(!said.contains(KEY), "the key shows: {said}");
    measured
}

#[tokio::test]
async fn nginx_takes_a_test_stream_at_the_cap() {
    let _seat = beside_others();
    let port = free_port();
    let nginx = nginx(&format!("127.0.0.1:{port}"), "").spawn().await_tcp(port);
    let reading = measure(&target(format!("rtmp://127.0.0.1:{port}/live"), 6, 10_000)).await.unwrap();
    assert_eq!((&reading.ending, reading.vantage), (&Ending::Complete, Vantage::Acknowledged));
    assert_eq!((reading.measured_ms(), reading.congestion.as_deref()), (6_000, Some("cubic")));
    let rates = reading.rates().unwrap();
    assert!((9_300.0..10_500.0).contains(&rates.median_kbps), "{rates:?}");
    // It was a stream to the server, and the key is free again.
    let log = std::fs::read_to_string(nginx.dir().join("error.log")).unwrap();
    assert!(log.contains("publish: name='canary-key-41d9'"), "{log}");
    measure(&target(format!("rtmp://127.0.0.1:{port}/live"), 5, 2_000)).await.unwrap();
}

#[tokio::test]
async fn over_tls_it_is_filled_as_well_and_only_when_its_certificate_is_good() {
    let _seat = beside_others();
    let plain = free_port();
    let nginx = nginx(&format!("127.0.0.1:{plain}"), "").spawn().await_tcp(plain);
    let (port, certificate) = secured("127.0.0.1", plain).await;
    let target = target(format!("rtmps://127.0.0.1:{port}/live"), 6, 10_000);
    let ours = || vec![certificate.clone()];
    let env_of = |public, machine| Env { roots: Roots::given(public, machine), ..env() };
    let reading = measure_by(&target, &env_of(ours(), ours())).await.unwrap();
    assert_eq!((&reading.ending, reading.measured_ms()), (&Ending::Complete, 6_000));
    let rates = reading.rates().unwrap();
    assert!((9_300.0..10_500.0).contains(&rates.median_kbps), "{rates:?}");
    let error = measure_by(&target, &env_of(vec![], vec![])).await.unwrap_err();
    assert_eq!(error.cause, Cause::FarEnd, "{error:?}");
    let log = std::fs::read_to_string(nginx.dir().join("error.log")).unwrap();
    assert_eq!(log.matches("publish: name='canary-key-41d9'").count(), 1, "{log}");
}

#[test]
fn a_shaped_line_is_measured_within_a_few_percent() {
    let _quiet = quiet();
    let line = Line::new(&Bottleneck::Here);
    let _nginx = nginx("203.0.113.2:1935", "").inside(&line.far).spawn().await_tcp(1935);
    let target = target("rtmp://203.0.113.2/live".to_owned(), 12, 20_000);
    let reading = line.near.run_async(measure(&target)).unwrap();
    let rates = reading.rates().unwrap();
    let payload = 8_000.0 * 1448.0 / 1514.0;
    assert!((rates.p5_kbps / payload - 1.0).abs() < 0.05, "{payload} {rates:?}");
    assert!((rates.median_kbps / payload - 1.0).abs() < 0.03, "{payload} {rates:?}");
    let limits = Limits { rate_kbps: Some(AtLeast(7_000)), stall_ms: Some(AtMost(700)), ..Limits::default() };
    for finding in Upload::judge(&limits, &reading) {
        assert_eq!(finding.effect, Effect::Pass, "{finding:#?}");
    }
}

#[tokio::test]
async fn an_ingest_that_says_no_is_not_filled() {
    let _seat = beside_others();
    let port = free_port();
    let _nginx = nginx(&format!("127.0.0.1:{port}"), "").spawn().await_tcp(port);
    for (url, words) in [
        (format!("rtmp://127.0.0.1:{port}/closed"), "hung up at the first pictures"),
        (format!("rtmp://127.0.0.1:{port}/nonesuch"), "takes no test stream"),
        (format!("rtmp://127.0.0.1:{}/live", free_port()), "refused"),
    ] {
        let error = measure(&target(url, 5, 5_000)).await.unwrap_err();
        assert_eq!(error.cause, Cause::FarEnd);
        assert!(error.detail.contains(words), "{error:?}");
    }
    let mut never = target(format!("rtmp://127.0.0.1:{port}/live"), 5, 5_000);
    never.ingest.as_mut().unwrap().publish = Publish::Never;
    assert!(measure(&never).await.unwrap_err().detail.contains("does not allow"));
}
