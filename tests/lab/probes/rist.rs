//! RIST against ristreceiver (librist), and against firewalls.

use golive::model::{CheckId, Effect, Finding};
use golive::probe::rist::{End, Limits, Reading, Rist, Target};
use golive::probe::{Env, Probe};
use serde_json::{Value, json};

use crate::ground::namespace::Namespace;
use crate::ground::peer::{Peer, Setup, free_port};

const SECRET: &str = "correct horse battery";

/// librist as a receiver, its media thrown away.
fn librist(profile: &str, host: &str, port: u16, options: &str) -> Setup {
    let input = format!("rist://@{host}:{port}{options}");
    let output = format!("udp://127.0.0.1:{}", free_port());
    Peer::of("ristreceiver", "rist-tools").args(["-p", profile, "-i", &input, "-o", &output])
}

/// A port with a free one after it, as the simple profile wants.
fn free_pair() -> u16 {
    loop {
        let (port, next) = (free_port(), free_port());
        if port.is_multiple_of(2) && next == port + 1 {
            return port;
        }
    }
}

fn target(port: u16, more: Value) -> Target {
    let mut target = json!({ "host": "127.0.0.1", "port": port });
    let Value::Object(more) = more else { panic!("an object") };
    target.as_object_mut().unwrap().extend(more);
    serde_json::from_value(target).unwrap()
}

fn with_secret(port: u16, secret: &str) -> Target {
    target(port, json!({ "secret": { "value": secret } }))
}

async fn measure(target: &Target) -> Reading {
    Rist::measure(target, &Env::bare(CheckId::new("rist").unwrap())).await.unwrap()
}

/// The findings of a reading without limits must be exactly this one.
fn expect(reading: &Reading, code: &str, effect: Effect) -> Finding {
    let mut findings = Rist::judge(&Limits::default(), reading);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let finding = findings.remove(0);
    assert_eq!((finding.code.as_str(), finding.effect), (code, effect), "{finding:#?}");
    finding
}

/// A good answer has a name and an echo.
fn answered(reading: &Reading) {
    expect(reading, "rist.answers", Effect::Pass);
    let End::Answered { round_trip_ms, names_itself } = &reading.attempts[0].end else { panic!() };
    assert!(round_trip_ms.is_some_and(|took| took < 3000.0), "{reading:?}");
    assert!(!names_itself.is_empty(), "{reading:?}");
}

#[tokio::test]
async fn a_receiver_of_the_simple_profile_gives_rist_answers() {
    let port = free_pair();
    let _peer = librist("0", "127.0.0.1", port, "").spawn().await_udp(port + 1);
    answered(&measure(&target(port, json!({ "profile": "simple" }))).await);
}

#[tokio::test]
async fn a_receiver_of_the_main_profile_gives_rist_answers() {
    let port = free_port();
    let _peer = librist("1", "127.0.0.1", port, "").spawn().await_udp(port);
    answered(&measure(&target(port, json!({}))).await);
}

#[tokio::test]
async fn the_right_secret_gives_rist_answers_and_the_wrong_one_never() {
    let port = free_port();
    let options = format!("?secret={}&aes-type=128", SECRET.replace(' ', "_"));
    let secret = SECRET.replace(' ', "_");
    let _peer = librist("1", "127.0.0.1", port, &options).spawn().await_udp(port);
    // librist keeps silent or, not each time, sends what our secret does not open.
    let reading = measure(&with_secret(port, "wrong horse")).await;
    let code = if reading.attempts[0].end == End::Silent { "rist.silent" } else { "rist.other_secret" };
    let finding = expect(&reading, code, Effect::Fail);
    assert!(finding.observed.contains("secret"), "{finding:?}");
    let reading = measure(&with_secret(port, &secret)).await;
    answered(&reading);
    assert!(!serde_json::to_string(&reading).unwrap().contains(&secret));
}

#[tokio::test]
async fn nobody_listening_gives_rist_refused() {
    expect(&measure(&target(free_port(), json!({}))).await, "rist.refused", Effect::Fail);
}

/// A firewall between us and a receiver that is really there.
fn through_a_firewall(rule: &str) -> Reading {
    let (near, far) = (Namespace::new(), Namespace::new());
    Namespace::join((&near, "near0", &["198.51.100.1/24"]), (&far, "far0", &["198.51.100.2/24"]));
    far.rules(&format!(
        "table inet wall {{ chain in {{ type filter hook input priority 0; meta l4proto udp {rule}; }}; }}\n"
    ));
    let port = free_port();
    let _peer = librist("1", "198.51.100.2", port, "").inside(&far).spawn().await_udp(port);
    let target = json!({ "host": "198.51.100.2", "port": port });
    near.run_async(measure(&serde_json::from_value(target).unwrap()))
}

#[test]
fn a_firewall_that_drops_gives_rist_silent() {
    let finding = expect(&through_a_firewall("drop"), "rist.silent", Effect::Fail);
    assert!(finding.observed.contains("blocked") && finding.observed.contains("nothing listens"));
}

#[test]
fn a_firewall_that_says_so_gives_rist_prohibited() {
    let rule = "reject with icmpx type admin-prohibited";
    let finding = expect(&through_a_firewall(rule), "rist.prohibited", Effect::Fail);
    assert!(finding.observed.contains("198.51.100.2"), "who said so: {finding:?}");
}
