use std::collections::BTreeSet;
use std::net::SocketAddr;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::*;
use crate::model::{CheckId, Effect};

const STATES: [State; 13] = [
    State::Answered,
    State::OtherProtocol,
    State::Accepted,
    State::Closed,
    State::ResetAfterData,
    State::Refused,
    State::Prohibited,
    State::Unreachable,
    State::NoRoute,
    State::LocalPolicy,
    State::Filtered,
    State::Silent,
    State::Failed,
];

fn target(at: SocketAddr, more: &str) -> Target {
    toml::from_str(&format!("host = \"{}\"\nport = {}\n{more}", at.ip(), at.port())).unwrap()
}

fn limits(expect: Expect) -> Limits {
    Limits { expect: Some(Exactly(expect)) }
}

async fn measure(target: &Target) -> Reading {
    let reading = Port::measure(target, &Env::bare(CheckId::new("p").unwrap())).await.unwrap();
    let stored = serde_json::to_string(&reading).unwrap();
    assert_eq!(serde_json::from_str::<Reading>(&stored).unwrap(), reading);
    reading
}

/// The code of the one finding, and its effect.
fn verdict(expect: Expect, reading: &Reading) -> (String, Effect) {
    let findings = Port::judge(&limits(expect), reading);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(Port::CODES.iter().any(|code| code.id == findings[0].code));
    (findings[0].code.clone(), findings[0].effect)
}

/// A server that does the same to each connection.
async fn server<F: Future<Output = ()> + Send>(each: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            each(stream).await;
        }
    });
    at
}

async fn closed_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn a_server_that_speaks_first_is_open_and_its_words_are_harmless() {
    let at = server(|mut stream| async move {
        let _ = stream.write_all(b"SSH-2.0-\x1b[31mevil<script>\r\n").await;
    })
    .await;
    let reading = measure(&target(at, "")).await;
    assert_eq!(verdict(Expect::Open, &reading), ("port.open".into(), Effect::Pass));
    assert_eq!(verdict(Expect::Blocked, &reading), ("port.not_blocked".into(), Effect::Fail));
    let finding = &Port::judge(&limits(Expect::Open), &reading)[0];
    assert!(finding.observed.contains("SSH-2.0-\\u{1b}[31mevil"), "{}", finding.observed);
}

#[tokio::test]
async fn a_megabyte_of_banner_is_cut() {
    let at = server(|mut stream| async move {
        let _ = stream.write_all(&vec![b'A'; 1 << 20]).await;
    })
    .await;
    let reading = measure(&target(at, "")).await;
    assert_eq!(reading.addresses[0].attempts[0].state, State::Answered);
    assert!(serde_json::to_string(&reading).unwrap().len() < 2000);
}

#[tokio::test]
async fn a_proxy_that_answers_in_http_is_no_rtmp() {
    let at = server(|mut stream| async move {
        let mut question = [0; 1537];
        let _ = stream.read_exact(&mut question).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nServer: squid\r\n\r\n").await;
    })
    .await;
    let reading = measure(&target(at, "ask = \"rtmp\"")).await;
    assert_eq!(verdict(Expect::Open, &reading), ("port.other_protocol".into(), Effect::Fail));
    let finding = &Port::judge(&limits(Expect::Open), &reading)[0];
    assert!(finding.observed.contains("(http): HTTP/1.1 400 Bad Request"), "{}", finding.observed);
}

#[tokio::test]
async fn a_reset_after_the_question_is_told_from_a_refusal() {
    let at = server(|mut stream| async move {
        let mut question = [0; 1];
        let _ = stream.read_exact(&mut question).await; // unread bytes make the close a reset
    })
    .await;
    let reading = measure(&target(at, "ask = \"tls\"")).await;
    assert_eq!(verdict(Expect::Open, &reading), ("port.reset_after_data".into(), Effect::Fail));
    let reading = measure(&target(closed_port().await, "ask = \"tls\"")).await;
    assert_eq!(verdict(Expect::Open, &reading), ("port.refused".into(), Effect::Fail));
    assert_eq!(verdict(Expect::Blocked, &reading), ("port.not_listening".into(), Effect::Unknown));
}

#[tokio::test]
async fn a_close_without_a_word_is_no_open_port() {
    let at = server(|_| async {}).await;
    let reading = measure(&target(at, "")).await;
    assert_eq!(verdict(Expect::Open, &reading), ("port.closed_after_accept".into(), Effect::Fail));
}

#[tokio::test]
async fn a_handshake_alone_needs_a_decoy_that_is_not_accepted() {
    // Its backlog accepts; nobody ever answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = silent.local_addr().unwrap();
    let decoy = |at: SocketAddr| format!("decoy = \"{at}\"");
    let (without, refused, accepted) = tokio::join!(
        async { measure(&target(at, "")).await },
        async { measure(&target(at, &decoy(closed_port().await))).await },
        async { measure(&target(at, &decoy(at))).await },
    );
    assert_eq!(verdict(Expect::Open, &without), ("port.accepted_only".into(), Effect::Unknown));
    assert_eq!(verdict(Expect::Blocked, &without), ("port.not_blocked".into(), Effect::Fail));
    assert_eq!(verdict(Expect::Open, &refused), ("port.accepted".into(), Effect::Pass));
    assert_eq!(verdict(Expect::Open, &accepted), ("port.spoofed".into(), Effect::Fail));
    assert_eq!(verdict(Expect::Blocked, &accepted), ("port.spoofed".into(), Effect::Unknown));
}

#[tokio::test]
async fn silence_after_the_question_is_no_open_port() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let reading = measure(&target(silent.local_addr().unwrap(), "ask = \"http\"")).await;
    assert_eq!(reading.addresses[0].attempts.len(), 2);
    assert_eq!(verdict(Expect::Open, &reading), ("port.no_answer".into(), Effect::Fail));
}

#[tokio::test]
async fn udp_is_open_when_it_answers_and_unknown_when_it_does_not() {
    let stun = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = stun.local_addr().unwrap();
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let silent_at = silent.local_addr().unwrap();
    tokio::spawn(async move {
        let mut request = [0; 64];
        // A lost first request and a stray datagram are no reason to give up.
        let _ = stun.recv_from(&mut request).await;
        let (length, client) = stun.recv_from(&mut request).await.unwrap();
        let _ = stun.send_to(b"stray", client).await;
        request[0] = 1;
        let _ = stun.send_to(&request[..length], client).await;
    });
    let ask = "transport = \"udp\"\nask = \"stun\"";
    let (answered, silent) = (target(at, ask), target(silent_at, ask));
    let (answered, silent) = tokio::join!(measure(&answered), measure(&silent));
    assert_eq!(verdict(Expect::Open, &answered), ("port.open".into(), Effect::Pass));
    for expect in [Expect::Open, Expect::Blocked] {
        assert_eq!(verdict(expect, &silent), ("port.udp_silent".into(), Effect::Unknown));
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_closed_udp_port_is_refused_by_its_host() {
    let at = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let reading = measure(&target(at, "transport = \"udp\"\nask = \"srt\"")).await;
    assert_eq!(verdict(Expect::Open, &reading), ("port.refused".into(), Effect::Fail));
    assert_eq!(reading.addresses[0].attempts[0].icmp.unwrap().from, at.ip());
}

#[tokio::test]
async fn a_name_without_address_fails_open_and_is_unknown_for_blocked() {
    let mut reading = measure(&target("127.0.0.1:9".parse().unwrap(), "")).await;
    reading.addresses.clear();
    reading.lookup = Some(Failure::NoSuchName);
    assert_eq!(verdict(Expect::Open, &reading), ("port.no_name".into(), Effect::Fail));
    assert_eq!(verdict(Expect::Blocked, &reading), ("port.no_name".into(), Effect::Unknown));
}

#[tokio::test]
async fn a_cancelled_run_is_not_measured() {
    let env = Env::bare(CheckId::new("p").unwrap());
    env.cancel.cancel();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = Port::measure(&target(silent.local_addr().unwrap(), ""), &env).await.unwrap_err();
    assert_eq!(error, NotMeasured::cancelled());
}

fn attempt(remote: &str, state: State) -> Attempt {
    let contact = Contact { remote: remote.parse().unwrap(), local: None, offset_ms: 0.0, took_ms: 1.0 };
    Attempt::new(contact, state)
}

fn witness(remote: &str, failure: Option<Failure>) -> Witness {
    let contact = attempt(remote, State::Accepted).contact;
    Witness { named: remote.to_owned(), contact: Some(contact), failure }
}

fn address(remote: &str, state: State) -> Address {
    let attempts = vec![attempt(remote, state)];
    let family = Family::of(attempts[0].contact.remote.ip());
    Address { attempts, ..Address::of(family) }
}

fn reading(addresses: Vec<Address>) -> Reading {
    Reading {
        method: String::new(),
        host: "a.example".into(),
        port: 1935,
        transport: Transport::Tcp,
        asked: None,
        lookup: None,
        addresses,
    }
}

const V4: &str = "198.51.100.2:1935";
const V6: &str = "[2001:db8::2]:1935";

#[test]
fn a_block_needs_its_control() {
    let with = |state, control: Option<Witness>| {
        let mut address = address(V4, state);
        address.control = control;
        verdict(Expect::Blocked, &reading(vec![address]))
    };
    let here = || witness("198.51.100.2:443", None);
    let elsewhere = || witness("198.51.100.9:443", None);
    let down = || witness("198.51.100.2:443", Some(Failure::TimedOut));
    for state in [State::Filtered, State::Prohibited] {
        assert_eq!(with(state, Some(here())), ("port.blocked".into(), Effect::Pass));
        assert_eq!(with(state, Some(down())), ("port.control_failed".into(), Effect::Unknown));
        assert_eq!(with(state, None), ("port.no_control".into(), Effect::Unknown));
    }
    // A host that is down is silent too; a filter that speaks is no host that is down.
    assert_eq!(with(State::Filtered, Some(elsewhere())), ("port.no_control".into(), Effect::Unknown));
    assert_eq!(with(State::Prohibited, Some(elsewhere())), ("port.blocked".into(), Effect::Pass));
}

#[test]
fn only_an_answer_is_open_and_only_a_block_is_blocked() {
    for state in STATES {
        let (code, effect) = verdict(Expect::Open, &reading(vec![address(V4, state)]));
        assert_eq!(effect == Effect::Pass, state == State::Answered, "{state:?}: {code}");
        let (code, effect) = verdict(Expect::Blocked, &reading(vec![address(V4, state)]));
        assert_ne!(effect, Effect::Pass, "{state:?} without a control: {code}");
        assert_eq!(
            effect == Effect::Fail,
            matches!(state, State::Answered | State::OtherProtocol | State::Accepted | State::Closed)
        );
    }
}

#[test]
fn a_missing_family_is_no_loss_beside_one_that_is_open() {
    let both = |v6| {
        Port::judge(&limits(Expect::Open), &reading(vec![address(V4, State::Answered), address(V6, v6)]))
    };
    let effects = |findings: Vec<Finding>| findings.iter().map(|f| f.effect).collect::<Vec<_>>();
    assert_eq!(effects(both(State::NoRoute)), [Effect::Pass, Effect::Pass]);
    assert_eq!(effects(both(State::Filtered)), [Effect::Pass, Effect::Warn]);
    // Alone it proves nothing: not open, and not blocked either.
    let alone = reading(vec![address(V6, State::NoRoute)]);
    assert_eq!(verdict(Expect::Open, &alone).1, Effect::Fail);
    assert_eq!(verdict(Expect::Blocked, &alone).1, Effect::Unknown);
}

/// What a far end that listened makes of silence.
#[test]
fn silence_of_udp_means_what_the_far_end_saw() {
    let found = |expect, arrived: Option<u64>, from_elsewhere| {
        let mut address = address(V4, State::Silent);
        let far_end = FarEndName::new("cloud").unwrap();
        let trouble = WireText::default();
        address.far_end = Some(FarEndSaw { far_end, arrived, from_elsewhere, trouble });
        verdict(expect, &reading(vec![address]))
    };
    let silent = ("port.udp_silent".to_owned(), Effect::Unknown);
    assert_eq!(found(Expect::Open, Some(0), 0), ("port.udp_dropped".into(), Effect::Fail));
    assert_eq!(found(Expect::Blocked, Some(0), 0), ("port.blocked".into(), Effect::Pass));
    assert_eq!(found(Expect::Open, Some(3), 0), ("port.udp_one_way".into(), Effect::Fail));
    assert_eq!(found(Expect::Blocked, Some(3), 0), ("port.not_blocked".into(), Effect::Fail));
    for expect in [Expect::Open, Expect::Blocked] {
        assert_eq!(found(expect, None, 0), silent, "an old far end does not know");
        assert_eq!(found(expect, Some(0), 2), silent, "it may be ours, by another way");
    }
}

#[test]
fn one_open_address_fails_what_must_be_blocked() {
    let mut shut = address(V4, State::Filtered);
    shut.control = Some(witness("198.51.100.2:443", None));
    let findings = Port::judge(&limits(Expect::Blocked), &reading(vec![shut, address(V6, State::Answered)]));
    assert_eq!(findings[0].effect, Effect::Pass);
    assert_eq!((findings[1].code.as_str(), findings[1].effect), ("port.not_blocked", Effect::Fail));
}

#[test]
fn a_port_unreachable_to_tcp_or_from_elsewhere_is_a_filters() {
    let local = Some("198.51.100.77:40000".parse().unwrap());
    let contact = Contact { remote: V4.parse().unwrap(), local, offset_ms: 0.0, took_ms: 1.0 };
    let icmp = |from: &str| IcmpError { family: Family::V4, kind: 3, code: 3, from: from.parse().unwrap() };
    let state = |from, transport| State::of(Failure::Refused, Some(icmp(from)), &contact, transport);
    assert_eq!(state("198.51.100.2", Transport::Tcp), State::Prohibited);
    assert_eq!(state("198.51.100.2", Transport::Udp), State::Refused);
    assert_eq!(state("198.51.100.1", Transport::Udp), State::Prohibited);
    // From this machine's own address: its own rules.
    assert_eq!(state("198.51.100.77", Transport::Tcp), State::LocalPolicy);
}

#[test]
fn where_everything_is_accepted_a_port_is_not_shown_to_be_open() {
    for state in [State::Accepted, State::Closed, State::OtherProtocol] {
        let mut through = address(V4, state);
        let found = |address: &Address| verdict(Expect::Blocked, &reading(vec![address.clone()]));
        assert_eq!(found(&through), ("port.not_blocked".into(), Effect::Fail));
        through.decoy = Some(witness("198.51.100.2:4", None));
        assert_eq!(found(&through), ("port.spoofed".into(), Effect::Unknown));
    }
}

#[test]
fn mistakes_in_a_policy_are_found() {
    let fields = |port: u16, more: &str, limits: &Limits| {
        let target = target(SocketAddr::from(([127, 0, 0, 1], port)), more);
        problems(&target, limits).into_iter().map(|problem| problem.field).collect::<BTreeSet<_>>()
    };
    let open = limits(Expect::Open);
    assert_eq!(fields(443, "", &open), BTreeSet::new());
    assert_eq!(fields(443, "", &Limits::default()), BTreeSet::from(["expect"]));
    assert_eq!(fields(0, "transport = \"icmp\"", &open), BTreeSet::from(["port", "transport"]));
    assert_eq!(fields(5000, "transport = \"udp\"", &open), BTreeSet::from(["ask"]));
    assert_eq!(fields(5000, "ask = \"srt\"", &open), BTreeSet::from(["ask"]));
    assert_eq!(
        fields(443, "control = \"x\"\ndecoy = \"::1:5\"", &open),
        BTreeSet::from(["control", "decoy"])
    );
}

#[test]
fn a_far_end_listens_on_its_own_host_and_for_udp_alone() {
    let far_end: FarEnd = toml::from_str(&format!(
        "address = \"198.51.100.2:8443\"\npin = \"sha256:{}\"\ntoken = {{ env = \"T\" }}",
        "0".repeat(64)
    ))
    .unwrap();
    let far_ends = BTreeMap::from([(FarEndName::new("cloud").unwrap(), far_end)]);
    let found = |at: &str, more: &str| {
        let target = target(at.parse().unwrap(), &format!("far_end = \"cloud\"\n{more}"));
        let found = Port::problems(&target, &limits(Expect::Open), &far_ends, &Stakes::default());
        found.into_iter().map(|problem| problem.what).collect::<Vec<_>>()
    };
    let udp = "transport = \"udp\"\nask = \"srt\"";
    assert_eq!(found(V4, udp), Vec::<String>::new());
    assert_eq!(found(V4, ""), ["a far end listens for UDP only"]);
    assert!(found("198.51.100.9:9000", udp)[0].ends_with("say `host = \"198.51.100.2\"`"));
    let target = target(V4.parse().unwrap(), &format!("far_end = \"cloud\"\n{udp}"));
    let demand = Port::demand(&target, &far_ends);
    assert!(demand.endpoints.contains(&Endpoint::new("198.51.100.2", 8443, Transport::Tcp)));
}

#[test]
fn the_plan_names_every_place() {
    let target = target(V4.parse().unwrap(), "control = \"a.example:443\"\ndecoy = \"192.0.2.1:1935\"");
    let demand = Port::demand(&target, &BTreeMap::new());
    assert!(demand.packets >= 2 * 16 * 4, "walks to the port and to its control");
    let named: Vec<_> = demand.endpoints.iter().map(|at| (at.host.as_str(), at.port)).collect();
    assert_eq!(named, [("198.51.100.2", 1935), ("a.example", 443), ("192.0.2.1", 1935)]);
    assert!(demand.bytes_up > 2 * 1537 && demand.packets > 0 && demand.seconds_max > demand.seconds);
}

#[test]
fn a_limit_reads_like_the_policy() {
    let limits: Limits = toml::from_str("expect = \"blocked\"").unwrap();
    assert_eq!(crate::model::Limits::rows(&limits)[0].bound, "= \"blocked\"");
}

proptest! {
    #[test]
    fn judging_is_total(
        expect in prop::option::of(prop::sample::select(vec![Expect::Open, Expect::Blocked])),
        states in prop::collection::vec(prop::collection::vec(prop::sample::select(STATES.to_vec()), 0..3), 0..4),
    ) {
        let addresses = states.iter().map(|states| {
            let attempts = states.iter().map(|state| attempt(V4, *state)).collect();
            Address { attempts, ..Address::of(Family::V4) }
        });
        let findings = Port::judge(&Limits { expect: expect.map(Exactly) }, &reading(addresses.collect()));
        prop_assert!(!findings.is_empty());
    }
}
