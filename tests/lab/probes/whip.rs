//! WHIP against aiortc, over one cable and through firewalls. Each test names the finding codes that it expects.

use golive::model::{AtMost, CheckId, Effect, Finding, Publish, Secret, SecretSource};
use golive::net::tls::Roots;
use golive::probe::whip::{Deleted, Limits, Reading, Target, Turn, Whip};
use golive::probe::{Env, Probe};
use golive::wire::http::WebUrl;
use golive::wire::turn::TurnUrl;

use crate::ground::authority::{Authority, NOW};
use crate::ground::namespace::Namespace;
use crate::ground::peer::{Peer, free_port};

/// A key that must show nowhere.
const KEY: &str = "canary-key-90c4";
const CREDENTIAL: &str = "canary-turn-62e1";
const FAR: &str = "198.51.100.2";

/// An encoder's place and a server's, with a cable between them.
struct Rig {
    near: Namespace,
    far: Namespace,
    server: Peer,
    authority: Authority,
    port: u16,
    env: Env,
}

impl Rig {
    fn new() -> Self {
        let (near, far) = (Namespace::new(), Namespace::new());
        Namespace::join((&near, "near0", &["198.51.100.1/24"]), (&far, "far0", &["198.51.100.2/24"]));
        let (authority, port) = (Authority::new("Lab Public Root"), free_port());
        let certified = authority.certify(FAR, FAR, NOW);
        let server = Peer::script("whip_server", "aiortc", include_str!("whip_server.py"))
            .file("cert.pem", &certified.certificate)
            .file("key.pem", &certified.key)
            .args([FAR, &port.to_string(), KEY])
            .inside(&far)
            .spawn()
            .await_log("ready");
        let mut env = Env::bare(CheckId::new("studio").unwrap());
        env.roots = Roots::given(vec![authority.root()], vec![authority.root()]);
        Self { near, far, server, authority, port, env }
    }

    fn measure(&self, path: &str, publish: Publish, key: &str) -> Reading {
        self.measure_through(path, publish, key, None)
    }

    fn measure_through(&self, path: &str, publish: Publish, key: &str, turn: Option<Turn>) -> Reading {
        let target = Target {
            url: WebUrl::try_from(format!("https://{FAR}:{}{path}", self.port)).unwrap(),
            hosts: Vec::new(),
            publish,
            test_key: (publish == Publish::Test).then(|| SecretSource::Value(Secret::from(key.to_owned()))),
            turn,
            media_seconds: 2,
        };
        let reading = self.near.run_async(Whip::measure(&target, &self.env)).unwrap();
        let said = format!("{reading:?} {}", serde_json::to_string(&reading).unwrap());
        assert!(!said.contains(key), "the key shows: {said}");
        reading
    }

    fn publish(&self, path: &str) -> Reading {
        self.measure(path, Publish::Test, KEY)
    }

    /// No session is left at the server.
    fn assert_ended(&self) {
        let said = self.server.log();
        assert!(said.trim_end().ends_with("ended"), "{said}");
    }
}

/// The findings of a reading without limits must be exactly this one.
#[track_caller]
fn expect(reading: &Reading, code: &str, effect: Effect) -> Finding {
    let mut findings = Whip::judge(&Limits::default(), reading);
    assert_eq!(findings.len(), 1, "{findings:#?} {reading:#?}");
    let finding = findings.remove(0);
    assert_eq!((finding.code.as_str(), finding.effect), (code, effect), "{finding:#?} {reading:#?}");
    finding
}

#[test]
fn a_stream_is_published_and_reported_and_the_session_ended() {
    let rig = Rig::new();
    let reading = rig.publish("/moved");
    expect(&reading, "whip.published", Effect::Pass);
    rig.assert_ended();
    assert!(rig.server.log().contains("pictures"), "ten pictures were decoded: {}", rig.server.log());
    let call = reading.call.as_ref().unwrap();
    assert_eq!(call.deleted, Deleted::Done);
    let limits = Limits {
        connect_ms: Some(AtMost(30_000.0)),
        round_trip_ms: Some(AtMost(10_000.0)),
        loss_percent: Some(AtMost(5.0)),
    };
    let findings = Whip::judge(&limits, &reading);
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["whip.published", "whip.in_time", "whip.round_trip", "whip.loss"], "{findings:#?}");
}

#[test]
fn what_is_no_way_in_is_told_by_the_endpoints_words() {
    let rig = Rig::new();
    expect(&rig.measure("/whip", Publish::Never, KEY), "whip.answers", Effect::Pass);
    assert!(!rig.server.log().contains("offered"), "{}", rig.server.log());
    let wrong =
        expect(&rig.measure("/whip", Publish::Test, "canary-other-11"), "whip.unauthorised", Effect::Fail);
    assert!(wrong.observed.contains("no such key: Bearer [secret]"), "{wrong:?}");
    expect(&rig.publish("/nowhere"), "whip.not_whip", Effect::Fail);
    let page = Whip::judge(&Limits::default(), &rig.publish("/page"));
    assert_eq!((page[0].code.as_str(), page[0].effect), ("whip.not_whip", Effect::Fail), "{page:?}");
    assert!(page[0].observed.contains("Welcome"), "{page:?}");
    let away = expect(&rig.publish("/away"), "whip.moved", Effect::Fail);
    assert!(away.observed.contains("https://media.example.net/whip"), "{away:?}");
}

#[test]
fn a_firewall_that_lets_only_https_pass_gives_whip_ice_silent_or_ice_barred() {
    let rig = Rig::new();
    let wall = |verdict: &str| {
        rig.far.rules(&format!(
            "table inet wall {{ chain in {{ type filter hook input priority 0; meta l4proto udp {verdict}; }}; }}\n"
        ));
    };
    wall("drop");
    let silent = expect(&rig.publish("/whip"), "whip.ice_silent", Effect::Fail);
    // aiortc's own checks come through: only what goes in there is dropped.
    assert!(silent.observed.contains("ours do not get out"), "{silent:?}");
    assert!(silent.observed.contains(FAR) && silent.remedy.contains("allow UDP"), "{silent:?}");
    rig.assert_ended();
    rig.far.rules("flush ruleset\n");
    wall("reject with icmpx type admin-prohibited");
    let barred = expect(&rig.publish("/whip"), "whip.ice_barred", Effect::Fail);
    assert!(barred.observed.contains("prohibited"), "{barred:?}");
    rig.assert_ended();
}

/// coturn beside the server, over TLS.
fn relay(rig: &Rig) -> (Peer, Turn) {
    let (port, tls) = (free_port(), free_port());
    let certified = rig.authority.certify(FAR, FAR, NOW);
    let config = format!(
        "listening-ip={FAR}\nrelay-ip={FAR}\nlistening-port={port}\ntls-listening-port={tls}\nrealm=golive.test\n\
         lt-cred-mech\nuser=golive:{CREDENTIAL}\ncert=cert.pem\npkey=key.pem\nno-dtls\nno-cli\nlog-file=stdout\n\
         pidfile=turn.pid\nuserdb=turn.db\n"
    );
    let peer = Peer::of("turnserver", "coturn")
        .file("turn.conf", config)
        .file("cert.pem", &certified.certificate)
        .file("key.pem", &certified.key)
        .args(["-c", "turn.conf"])
        .inside(&rig.far)
        .spawn()
        .await_tcp(tls);
    let turn = Turn {
        url: TurnUrl::try_from(format!("turns:{FAR}:{tls}")).unwrap(),
        username: Some("golive".to_owned()),
        credential: Some(SecretSource::Value(Secret::from(CREDENTIAL.to_owned()))),
    };
    (peer, turn)
}

#[test]
fn where_udp_is_dropped_a_relay_over_tls_carries_the_stream() {
    let rig = Rig::new();
    let (_coturn, turn) = relay(&rig);
    rig.far.rules(
        "table inet wall { chain in { type filter hook input priority 0; iifname \"far0\" meta l4proto udp drop; }; }\n",
    );
    let reading = rig.measure_through("/whip", Publish::Test, KEY, Some(turn));
    assert!(!serde_json::to_string(&reading).unwrap().contains(CREDENTIAL));
    let findings = Whip::judge(&Limits::default(), &reading);
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["whip.only_relayed", "whip.published"], "{findings:#?} {reading:#?}");
    assert!(rig.server.log().contains("pictures"), "{}", rig.server.log());
    rig.assert_ended();
}
