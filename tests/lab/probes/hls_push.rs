//! HLS push against nginx as a `WebDAV` server, and against what stands on the way to it.

use std::fs;
use std::path::Path;
use std::process::Command;

use golive::media::Segments;
use golive::model::{CheckId, Effect, Finding};
use golive::net::tls::Roots;
use golive::probe::hls_push::{HlsPush, Limits, Reading, Target};
use golive::probe::{Env, Probe};
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};

use crate::ground::authority::{Authority, NOW};
use crate::ground::namespace::Namespace;
use crate::ground::peer::{Peer, Setup, free_port, need};

const KEY: &str = "canary-stream-key";
const KBPS: u64 = 500;

/// nginx that takes files below `/live/`, and the ways in which a server says no.
fn nginx(host: &str, port: u16, authority: &Authority) -> Setup {
    let certified = authority.certify(host, host, NOW);
    let block = "<html><title>Web Filter Violation</title><h1>FortiGuard Intrusion Prevention - Access Blocked</h1></html>";
    let config = format!(
        "user root; daemon off; master_process off; pid nginx.pid; error_log stderr;
        events {{ }}
        http {{
            access_log off; client_body_temp_path body; proxy_temp_path p; fastcgi_temp_path f;
            uwsgi_temp_path u; scgi_temp_path s; client_max_body_size 20m;
            server {{
                listen {host}:{port} ssl; ssl_certificate cert.pem; ssl_certificate_key key.pem; root www;
                location /live/ {{ dav_methods PUT DELETE; create_full_put_path on; }}
                location /kept/ {{ dav_methods PUT; create_full_put_path on; }}
                location /small/ {{ dav_methods PUT; create_full_put_path on; client_max_body_size 50k; }}
                location /closed/ {{ return 403 'no stream $uri'; }}
                location /moved/ {{ return 302 /sign-in$uri; }}
                location /page/ {{ default_type text/html; return 200 '<html>Welcome'; }}
                location /blocked/ {{ default_type text/html; return 403 '{block}'; }}
            }}
        }}"
    );
    let setup = Peer::of("nginx", "nginx-light")
        .file("nginx.conf", config)
        .file("cert.pem", &certified.certificate)
        .file("key.pem", &certified.key);
    let prefix = setup.dir().to_str().unwrap().to_owned();
    setup.args(["-p", &prefix, "-c", "nginx.conf", "-e", "stderr"])
}

fn target(host: &str, port: u16, folder: &str, more: Value) -> Target {
    let mut target = json!({
        "url": format!("https://{host}:{port}/{folder}/{{key}}/{{file}}"),
        "publish": "test",
        "test_key": { "value": KEY },
        "media_kbps": KBPS,
        "segments": 1,
        "via": "direct",
    });
    let Value::Object(more) = more else { panic!("an object") };
    target.as_object_mut().unwrap().extend(more);
    serde_json::from_value(target).unwrap()
}

async fn measure(target: &Target, root: CertificateDer<'static>) -> Reading {
    measure_with(target, Roots::given(vec![root], Vec::new())).await
}

async fn measure_with(target: &Target, roots: Roots) -> Reading {
    let mut env = Env::bare(CheckId::new("push").unwrap());
    env.roots = roots;
    let reading = HlsPush::measure(target, &env).await.unwrap();
    let findings = HlsPush::judge(&Limits::default(), &reading);
    let kept = format!("{} {findings:?}", serde_json::to_string(&reading).unwrap());
    assert!(!kept.contains(KEY), "the key shows: {kept}");
    reading
}

/// The findings of a reading without limits must be exactly these.
fn expect(reading: &Reading, wanted: &[(&str, Effect)]) -> Vec<Finding> {
    let findings = HlsPush::judge(&Limits::default(), reading);
    let found: Vec<_> = findings.iter().map(|finding| (finding.code.as_str(), finding.effect)).collect();
    assert_eq!(found, wanted, "{findings:#?}\n{reading:#?}");
    findings
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_is_pushed_arrives_byte_by_byte_and_plays() {
    let (port, authority) = (free_port(), Authority::new("Public"));
    let peer = nginx("127.0.0.1", port, &authority).spawn().await_tcp(port);
    let reading =
        measure(&target("127.0.0.1", port, "live", json!({ "segments": 2 })), authority.root()).await;
    let findings = expect(&reading, &[("hls_push.takes", Effect::Pass), ("hls_push.in_time", Effect::Pass)]);
    assert!(findings[0].observed.contains("over one connection"), "{findings:?}");
    let folder = peer.dir().join("www/live").join(KEY);
    let names = files(&folder);
    assert_eq!(names.len(), 3, "{names:?}");
    for (number, segment) in (1..=2).zip(Segments::test_card(KBPS).unwrap()) {
        let name = names.iter().find(|name| name.ends_with(&format!("-{number}.ts"))).unwrap();
        assert!(fs::read(folder.join(name)).unwrap() == segment, "segment {number} differs");
    }
    let list = names.iter().find(|name| !name.contains("-1.ts") && !name.contains("-2.ts")).unwrap();
    let played = Command::new(need("ffmpeg", "ffmpeg"))
        .args(["-v", "error", "-i", list, "-f", "null", "-"])
        .current_dir(&folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&played.stderr);
    assert!(played.status.success() && said.is_empty(), "{said}");
}

#[tokio::test]
async fn every_no_of_the_server_has_its_code_and_files_are_deleted_where_that_is_asked() {
    let (port, authority) = (free_port(), Authority::new("Public"));
    let peer = nginx("127.0.0.1", port, &authority).spawn().await_tcp(port);
    for (folder, verb, code) in [
        ("closed", "put", "hls_push.unauthorised"),
        ("moved", "put", "hls_push.moved"),
        ("page", "put", "hls_push.page"),
        ("blocked", "put", "hls_push.page"),
        ("small", "put", "hls_push.too_large"),
        ("nowhere", "put", "hls_push.no_put"),
        ("live", "post", "hls_push.unknown_address"),
    ] {
        let target = target("127.0.0.1", port, folder, json!({ "verb": verb, "delete": true }));
        expect(&measure(&target, authority.root()).await, &[(code, Effect::Fail)]);
    }
    let takes = [("hls_push.takes", Effect::Pass), ("hls_push.in_time", Effect::Pass)];
    for (folder, last, left) in
        [("live", ("hls_push.deleted", Effect::Pass), 0), ("kept", ("hls_push.not_deleted", Effect::Warn), 2)]
    {
        let target = target("127.0.0.1", port, folder, json!({ "delete": true }));
        expect(&measure(&target, authority.root()).await, &[takes[0], takes[1], last]);
        assert_eq!(files(&peer.dir().join("www").join(folder).join(KEY)).len(), left, "{folder}");
    }
}

#[tokio::test]
async fn a_strangers_certificate_gives_hls_push_untrusted_before_the_key_is_sent() {
    let (port, authority) = (free_port(), Authority::new("Public"));
    let peer = nginx("127.0.0.1", port, &authority).spawn().await_tcp(port);
    let stranger = Authority::new("Stranger");
    let reading = measure(&target("127.0.0.1", port, "live", json!({})), stranger.root()).await;
    expect(&reading, &[("hls_push.untrusted", Effect::Fail)]);
    assert!(!peer.dir().join("www").exists(), "nothing was pushed");
    let roots = Roots::given(vec![stranger.root()], vec![authority.root()]);
    let reading = measure_with(&target("127.0.0.1", port, "live", json!({})), roots).await;
    let codes = ["hls_push.takes", "hls_push.in_time", "hls_push.intercepted"];
    expect(&reading, &[(codes[0], Effect::Pass), (codes[1], Effect::Pass), (codes[2], Effect::Fail)]);
}

/// Something on the way that ends a connection after so many bytes, as data loss prevention does.
async fn cutting(to: u16, after: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
            let (near_in, mut near_out) = near.into_split();
            let (mut far_in, mut far_out) = far.into_split();
            let back = tokio::spawn(async move { tokio::io::copy(&mut far_in, &mut near_out).await });
            let _ = tokio::io::copy(&mut near_in.take(after as u64), &mut far_out).await;
            back.abort();
        }
    });
    port
}

#[tokio::test]
async fn an_upload_that_is_cut_off_gives_hls_push_cut() {
    let (port, authority) = (free_port(), Authority::new("Public"));
    let peer = nginx("127.0.0.1", port, &authority).spawn().await_tcp(port);
    let cut = cutting(port, 60_000).await;
    let reading = measure(&target("127.0.0.1", cut, "live", json!({})), authority.root()).await;
    expect(&reading, &[("hls_push.cut", Effect::Fail)]);
    assert!(
        !peer.dir().join("www/live").join(KEY).exists()
            || files(&peer.dir().join("www/live").join(KEY)).is_empty()
    );
}

/// A line of 400 kb/s for a stream of 500.
#[test]
fn a_line_that_is_too_thin_gives_hls_push_late() {
    let (near, far) = (Namespace::new(), Namespace::new());
    Namespace::join((&near, "near0", &["198.51.100.1/24"]), (&far, "far0", &["198.51.100.2/24"]));
    let tbf =
        ["qdisc", "add", "dev", "near0", "root", "tbf", "rate", "400kbit", "burst", "4k", "latency", "400ms"];
    near.exec(need("tc", "iproute2").to_str().unwrap(), &tbf);
    let (port, authority) = (free_port(), Authority::new("Public"));
    let _peer = nginx("198.51.100.2", port, &authority).inside(&far).spawn().await_tcp(port);
    let target = target("198.51.100.2", port, "live", json!({}));
    let reading = near.run_async(measure(&target, authority.root()));
    let findings = expect(&reading, &[("hls_push.takes", Effect::Pass), ("hls_push.late", Effect::Fail)]);
    assert!(findings[1].expected.contains("1920 ms"), "{findings:?}");
}
