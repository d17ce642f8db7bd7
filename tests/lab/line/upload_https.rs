//! Upload to nginx over HTTPS: what it takes, and how it refuses.

use golive::model::{AtLeast, AtMost, Cause, CheckId, Effect, NotMeasured};
use golive::net::tls::Roots;
use golive::probe::upload::{Ending, HttpsUrl, Limits, Reading, Target, Upload, Vantage};
use golive::probe::{Env, Probe};

use crate::ground::authority::{Authority, Certified, NOW};
use crate::ground::peer::{Peer, Setup, free_port};
use crate::ground::quiet::{beside_others, quiet};
use crate::line::cable::{Bottleneck, Line};

/// nginx that takes uploads under `/up` and refuses elsewhere, each in its way.
fn nginx(certified: &Certified, listen: &str) -> Setup {
    let conf = format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr; worker_rlimit_nofile 1024;
        events {{}}
        http {{
            access_log off; client_body_temp_path body; proxy_temp_path p; fastcgi_temp_path f;
            uwsgi_temp_path u; scgi_temp_path s;
            server {{
                listen {listen} ssl; ssl_certificate cert.pem; ssl_certificate_key key.pem;
                root files;
                location /up {{ dav_methods PUT; create_full_put_path on; client_max_body_size 0; }}
                location /small {{ dav_methods PUT; client_max_body_size 8m; }}
                location /closed {{ auth_basic closed; auth_basic_user_file users; }}
                location /moved {{ return 301 https://elsewhere.example/up; }}
                location /gone {{ return 404; }}
            }}
        }}"
    );
    let setup = Peer::of("nginx", "nginx-light")
        .file("nginx.conf", conf)
        .file("cert.pem", &certified.certificate)
        .file("key.pem", &certified.key)
        .file("users", "a:b\n");
    std::fs::create_dir(setup.dir().join("files")).unwrap();
    let prefix = setup.dir().to_str().unwrap().to_owned();
    setup.args(["-p", &prefix, "-c", "nginx.conf"])
}

struct Rig {
    _nginx: Peer,
    port: u16,
    env: Env,
}

fn env(authority: &Authority) -> Env {
    let mut env = Env::bare(CheckId::new("uplink").unwrap());
    env.roots = Roots::given(vec![authority.root()], vec![authority.root()]);
    env
}

fn rig() -> Rig {
    let authority = Authority::new("golive lab");
    let port = free_port();
    let certified = authority.certify("localhost", "localhost", NOW);
    let nginx = nginx(&certified, &format!("127.0.0.1:{port}")).spawn().await_tcp(port);
    Rig { _nginx: nginx, port, env: env(&authority) }
}

impl Rig {
    async fn measure(&self, path: &str, seconds: u32, kbps: u64) -> Result<Reading, NotMeasured> {
        let url = HttpsUrl::try_from(format!("https://localhost:{}{path}", self.port)).unwrap();
        Upload::measure(&Target::to_https(url, seconds, kbps), &self.env).await
    }
}

fn effect_of(limits: &Limits, reading: &Reading, code: &str) -> Effect {
    let findings = Upload::judge(limits, reading);
    let found = findings.iter().find(|finding| finding.code == code);
    found.unwrap_or_else(|| panic!("no {code} in {findings:#?}")).effect
}

#[tokio::test]
async fn nginx_takes_an_upload() {
    let _seat = beside_others();
    let reading = rig().measure("/up/test.bin", 6, 10_000).await.unwrap();
    assert_eq!((&reading.ending, reading.vantage), (&Ending::Complete, Vantage::Acknowledged));
    assert_eq!((reading.measured_ms(), reading.congestion.as_deref()), (6_000, Some("cubic")));
    let rates = reading.rates().unwrap();
    assert!((9_300.0..10_400.0).contains(&rates.median_kbps), "{rates:?}");
    let answer = reading.answer.clone().unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(effect_of(&Limits::default(), &reading, "upload.count_confirmed"), Effect::Pass);
}

#[test]
fn a_shaped_line_is_measured_within_a_few_percent() {
    let _quiet = quiet();
    let line = Line::new(&Bottleneck::Here);
    let authority = Authority::new("golive lab");
    let certified = authority.certify("203.0.113.2", "203.0.113.2", NOW);
    let _nginx = nginx(&certified, "203.0.113.2:443").inside(&line.far).spawn().await_tcp(443);
    let url = HttpsUrl::try_from("https://203.0.113.2/up/x".to_owned()).unwrap();
    let env = env(&authority);
    let reading = line.near.run_async(Upload::measure(&Target::to_https(url, 12, 20_000), &env)).unwrap();
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
async fn refusals_are_told_by_name_before_anything_is_sent() {
    let _seat = beside_others();
    let rig = rig();
    for (path, words, remedy) in [
        ("/closed/x", "401", "without credentials"),
        ("/moved/x", "https://elsewhere.example/up", "sends us to"),
        ("/gone/x", "404", "address"),
        ("/", "405", "verb"),
    ] {
        let error = rig.measure(path, 5, 5_000).await.unwrap_err();
        assert_eq!(error.cause, Cause::FarEnd);
        assert!(error.detail.contains(words) && error.remedy.contains(remedy), "{path}: {error:?}");
    }
}

#[tokio::test]
async fn a_limit_of_the_server_is_named_in_the_middle() {
    let _seat = beside_others();
    let reading = rig().measure("/small/x", 10, 16_000).await.unwrap();
    let Ending::FarEndEnded { why } = &reading.ending else { panic!("{:?}", reading.ending) };
    assert!(why.as_str().contains("413"), "{why}");
    assert!((3_000..6_000).contains(&reading.measured_ms()), "{}", reading.measured_ms());
    let findings = Upload::judge(&Limits::default(), &reading);
    let ended = findings.iter().find(|finding| finding.code == "upload.far_end_ended").unwrap();
    assert!(ended.effect == Effect::Unknown && ended.remedy.contains("client_max_body_size"), "{ended:?}");
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_no_place_to_upload_to() {
    let _seat = beside_others();
    let mut rig = rig();
    rig.env = env(&Authority::new("another"));
    let error = rig.measure("/up/x", 5, 5_000).await.unwrap_err();
    assert!(error.detail.contains("not trusted"), "{error:?}");
    assert!(error.remedy.contains("certificate"), "{error:?}");
}
