//! What viewers open, from nginx over TLS: pages, and streams that ffmpeg makes as the platform would.
//!
//! A test's own authority stands in the place of Mozilla's roots, as in the tests of `tls`.

use std::path::Path;
use std::time::{Duration, Instant};

use golive::model::{AtLeast, AtMost, CheckId, Effect, Exactly, Finding};
use golive::net::tls::Roots;
use golive::net::viewer::Load;
use golive::probe::web::{Content, Limits, Reading, Target, Via, Web};
use golive::probe::{Env, Probe};
use golive::wire::http::WebUrl;
use golive::wire::streaming::Container;

use crate::ground::authority::{Authority, NOW};
use crate::ground::peer::{Peer, free_port};

const PLAYER: &str = "https://event.example.com/live";

/// ffmpeg on the air: HLS and DASH, two seconds a segment.
fn encoder() -> Peer {
    let source = ["-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=10"];
    let coder =
        ["-c:v", "libx264", "-preset", "ultrafast", "-g", "20", "-b:v", "300k", "-pix_fmt", "yuv420p"];
    let peer = Peer::of("ffmpeg", "ffmpeg")
        .args(["-nostdin", "-v", "error"])
        .args(source)
        .args(["-map", "0:v"])
        .args(coder)
        .args([
            "-f",
            "hls",
            "-hls_time",
            "2",
            "-hls_list_size",
            "6",
            "-master_pl_name",
            "master.m3u8",
            "live.m3u8",
        ])
        .args(["-map", "0:v"])
        .args(coder)
        .args(["-f", "dash", "-seg_duration", "2", "-window_size", "6", "-update_period", "2", "live.mpd"])
        .spawn();
    let (dir, since) = (peer.dir().to_owned(), Instant::now());
    let made = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap_or_default();
    while !(made("live.m3u8").contains("#EXTINF")
        && made("live.mpd").contains("<S ")
        && !made("master.m3u8").is_empty())
    {
        assert!(since.elapsed() < Duration::from_secs(30), "ffmpeg made nothing: {}", peer.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    peer
}

/// nginx in front of what the encoder makes, and the ways in which a stream goes wrong.
fn nginx(port: u16, root: &Path, authority: &Authority) -> Peer {
    let certified = authority.certify("localhost", "localhost", NOW);
    let allow = "add_header Access-Control-Allow-Origin https://event.example.com";
    let block = "<html><title>Web Filter Violation</title><h1>FortiGuard Intrusion Prevention - Access Blocked</h1></html>";
    let list = "#EXTM3U\\n#EXT-X-TARGETDURATION:1\\n#EXTINF:1,\\n";
    let root = root.display();
    let config = format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr; worker_rlimit_nofile 1024;
        events {{ }}
        http {{
            access_log off; client_body_temp_path body; proxy_temp_path p; fastcgi_temp_path f;
            uwsgi_temp_path u; scgi_temp_path s; default_type application/octet-stream;
            types {{ application/vnd.apple.mpegurl m3u8; video/mp2t ts; application/dash+xml mpd; video/mp4 m4s; }}
            server {{
                listen 127.0.0.1:{port} ssl; ssl_certificate cert.pem; ssl_certificate_key key.pem; root {root};
                location = /event {{ default_type text/html; return 200 '<h1>Autumn\\n launch</h1>'; }}
                location = /moved {{ return 302 /event; }}
                location = /away {{ return 302 https://www.example.net/; }}
                location = /closed {{ return 403; }}
                location = /blocked {{ default_type text/html; return 403 '{block}'; }}
                location = /sign-in {{ return 511; }}
                location = /list-is-a-page {{ default_type text/html; return 200 '<html>Please sign in</html>'; }}
                location = /no-segment.m3u8 {{ return 200 '{list}closed\\n'; }}
                location = /page-as-segment.m3u8 {{ return 200 '{list}list-is-a-page\\n'; }}
                location = /stands.m3u8 {{ return 200 '{list}slow.ts\\n'; }}
                location = /untyped {{ default_type text/plain; return 200 '{list}slow.ts\\n#EXT-X-ENDLIST\\n'; }}
                location = /slow.ts {{ alias {root}/slow.ts; limit_rate 250k; }}
                location /open/ {{ alias {root}/; {allow}; }}
            }}
        }}"
    );
    let setup = Peer::of("nginx", "nginx-light")
        .file("nginx.conf", config)
        .file("cert.pem", &certified.certificate)
        .file("key.pem", &certified.key);
    let prefix = setup.dir().to_str().unwrap().to_owned();
    setup.args(["-p", &prefix, "-c", "nginx.conf"]).spawn().await_tcp(port)
}

struct Rig {
    _nginx: Peer,
    port: u16,
    env: Env,
}

impl Rig {
    fn new(root: &Path) -> Self {
        let (authority, port) = (Authority::new("Lab Public Root"), free_port());
        let mut env = Env::bare(CheckId::new("viewers").unwrap());
        env.roots = Roots::given(vec![authority.root()], vec![authority.root()]);
        Self { _nginx: nginx(port, root, &authority), port, env }
    }

    fn target(&self, path: &str, kind: Content) -> Target {
        Target {
            url: WebUrl::try_from(format!("https://localhost:{}{path}", self.port)).unwrap(),
            kind,
            hosts: Vec::new(),
            contains: None,
            player: None,
            via: Via::Direct,
            download: None,
        }
    }

    async fn look(&self, target: &Target) -> Reading {
        Web::measure(target, &self.env).await.unwrap()
    }

    /// The codes that are no pass, with their effects.
    async fn faults(&self, target: &Target, limits: &Limits) -> Vec<(String, Effect)> {
        let findings = Web::judge(limits, &self.look(target).await);
        let bad = findings.into_iter().filter(|finding| finding.effect != Effect::Pass);
        bad.map(|finding| (finding.code, finding.effect)).collect()
    }
}

fn passes(limits: &Limits, reading: &Reading) -> Vec<String> {
    let findings = Web::judge(limits, reading);
    assert!(findings.iter().all(|finding| finding.effect == Effect::Pass), "{findings:#?}");
    findings.into_iter().map(|finding| finding.code).collect()
}

fn live() -> Limits {
    Limits { live: Some(Exactly(true)), took_ms: Some(AtMost(20_000.0)), ..Limits::default() }
}

#[tokio::test]
async fn a_page_is_known_by_its_text_and_other_pages_by_what_they_are() {
    let nothing = tempfile::tempdir().unwrap();
    let rig = Rig::new(nothing.path());
    let event = |path| Target { contains: Some("autumn launch".into()), ..rig.target(path, Content::Page) };
    for path in ["/event", "/moved"] {
        let reading = rig.look(&event(path)).await;
        assert_eq!(passes(&Limits::default(), &reading), ["web.page", "web.not_inspected"], "{reading:#?}");
    }
    for (path, code, effect) in [
        ("/list-is-a-page", "web.other_page", Effect::Fail),
        ("/blocked", "web.blocked", Effect::Fail),
        ("/closed", "web.refused", Effect::Fail),
        ("/nowhere", "web.refused", Effect::Fail),
        ("/sign-in", "web.portal", Effect::Fail),
        // the site's own word, over a connection that proves it
        ("/away", "web.moved", Effect::Unknown),
    ] {
        assert_eq!(rig.faults(&event(path), &Limits::default()).await, [(code.to_owned(), effect)], "{path}");
    }
    let blocked = Web::judge(&Limits::default(), &rig.look(&event("/blocked")).await);
    assert!(
        blocked[0].observed.contains("FortiGate") && blocked[0].remedy.contains("web filter"),
        "{blocked:#?}"
    );
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_told_whatever_came_behind_it() {
    let nothing = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(nothing.path());
    let other = Authority::new("Another");
    rig.env.roots = Roots::given(vec![other.root()], vec![other.root()]);
    let faults = rig.faults(&rig.target("/event", Content::Page), &Limits::default()).await;
    assert_eq!(faults, [("web.untrusted".to_owned(), Effect::Fail)]);
}

#[tokio::test]
async fn what_ffmpeg_sends_plays_and_moves_on_in_hls_and_dash() {
    let encoder = encoder();
    let rig = Rig::new(encoder.dir());
    let player = Some(WebUrl::try_from(PLAYER.to_owned()).unwrap());
    let hls = Target { player: player.clone(), ..rig.target("/open/master.m3u8", Content::Hls) };
    let dash = Target { player: player.clone(), ..rig.target("/open/live.mpd", Content::Dash) };
    for (target, container) in [(hls, Container::TransportStream), (dash, Container::Fmp4)] {
        let reading = rig.look(&target).await;
        let codes = passes(&live(), &reading);
        assert_eq!(codes, ["web.plays", "web.moves", "web.not_inspected", "web.in_time"], "{reading:#?}");
        let stream = reading.stream.unwrap();
        assert_eq!(stream.container, Some(container));
        assert!(stream.kbps.is_some_and(|kbps| (100..3000).contains(&kbps)), "{stream:#?}");
        assert_eq!((stream.qualities[0].width, stream.qualities[0].height), (Some(320), Some(180)));
    }
    // The same without leave for the player's site.
    let kept = Target { player, ..rig.target("/live.m3u8", Content::Hls) };
    assert_eq!(rig.faults(&kept, &live()).await, [("web.cors".to_owned(), Effect::Fail)]);
}

#[tokio::test]
async fn a_stream_goes_wrong_in_more_ways_than_one() {
    let made = tempfile::tempdir().unwrap();
    std::fs::write(made.path().join("slow.ts"), transport_stream(20)).unwrap();
    let rig = Rig::new(made.path());
    for (path, limits, code, effect) in [
        ("/list-is-a-page", Limits::default(), "web.no_playlist", Effect::Fail),
        ("/no-segment.m3u8", Limits::default(), "web.no_segment", Effect::Fail),
        ("/page-as-segment.m3u8", Limits::default(), "web.not_media", Effect::Fail),
        ("/stands.m3u8", live(), "web.stands", Effect::Fail),
        ("/untyped", Limits::default(), "web.content_type", Effect::Warn),
        ("/untyped", live(), "web.not_as_planned", Effect::Fail),
        ("/untyped", Limits { took_ms: Some(AtMost(0.1)), ..Limits::default() }, "web.slow", Effect::Fail),
    ] {
        let faults = rig.faults(&rig.target(path, Content::Hls), &limits).await;
        assert!(faults.contains(&(code.to_owned(), effect)), "{path}: no {code} in {faults:?}");
    }
    let dash = rig.faults(&rig.target("/list-is-a-page", Content::Dash), &Limits::default()).await;
    assert_eq!(dash, [("web.no_playlist".to_owned(), Effect::Fail)]);
}

/// nginx gives each connection 250 kB/s: four take 8000 kb/s together.
#[tokio::test]
async fn the_downlink_is_held_against_what_all_viewers_take() {
    let made = tempfile::tempdir().unwrap();
    std::fs::write(made.path().join("slow.ts"), transport_stream(6000)).unwrap();
    let rig = Rig::new(made.path());
    let load = Load { seconds: 6, connections: 4, at_most_mb: 100 };
    let reading = rig.look(&Target { download: Some(load), ..rig.target("/untyped", Content::Hls) }).await;
    let of = |viewers, kbps: Option<u64>| {
        let limits =
            Limits { viewers: Some(AtLeast(viewers)), viewer_kbps: kbps.map(AtLeast), ..Limits::default() };
        let found = Web::judge(&limits, &reading).pop().unwrap();
        let Finding { code, effect, .. } = found;
        (code, effect)
    };
    let download = reading.download.as_ref().unwrap();
    assert_eq!(download.kbps.len(), 5, "{download:?}");
    assert_eq!(of(5, Some(500)), ("web.downlink".to_owned(), Effect::Pass), "{download:?}");
    assert_eq!(of(100, Some(500)), ("web.downlink_thin".to_owned(), Effect::Fail), "{download:?}");
    // The playlist announces no bit rate.
    assert_eq!(of(100, None), ("web.downlink_unknown".to_owned(), Effect::Unknown));
}

/// Null packets (ISO/IEC 13818-1, 2.4.3.3).
fn transport_stream(packets: usize) -> Vec<u8> {
    let mut packet = [0xff; 188];
    packet[..4].copy_from_slice(&[0x47, 0x1f, 0xff, 0x10]);
    packet.repeat(packets)
}
