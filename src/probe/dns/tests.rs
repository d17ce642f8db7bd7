mod proof;

use std::collections::HashMap;
use std::sync::Arc;

use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA};
use hickory_proto::rr::{RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::model::{CheckId, Effect};
use crate::net::tls::Roots;
use crate::net::tls::tests::{Authority, NOW, Server};

const NAME: &str = "live.golive.example";

/// What a test's name server does with a question.
#[derive(Clone)]
enum Says {
    /// Nothing.
    Nothing,
    /// This code.
    Code(ResponseCode),
    /// These addresses, of the family asked for.
    Addresses(Vec<IpAddr>),
    /// Cut short over UDP; over TCP what is inside, or nothing.
    Cut(Vec<IpAddr>),
    /// These bytes.
    Bytes(Vec<u8>),
    /// `FORMERR` to a question with EDNS, these addresses to one without.
    Plain(Vec<IpAddr>),
}

fn reply(query: &[u8], says: &Says, tcp: bool) -> Option<Vec<u8>> {
    let mut message = Message::from_vec(query).ok()?;
    message.metadata.message_type = MessageType::Response;
    let question = message.queries.first()?.clone();
    let addresses = match says {
        Says::Nothing => return None,
        Says::Bytes(bytes) => return Some(bytes.clone()),
        Says::Code(code) => {
            message.metadata.response_code = *code;
            Vec::new()
        }
        Says::Plain(_) if message.edns.is_some() => {
            message.metadata.response_code = ResponseCode::FormErr;
            Vec::new()
        }
        Says::Cut(addresses) if tcp && addresses.is_empty() => return None,
        Says::Cut(_) if !tcp => {
            message.metadata.truncation = true;
            Vec::new()
        }
        Says::Addresses(addresses) | Says::Cut(addresses) | Says::Plain(addresses) => addresses.clone(),
    };
    for address in addresses {
        let data = match address {
            IpAddr::V4(ip) if question.query_type() == RecordType::A => RData::A(A(ip)),
            IpAddr::V6(ip) if question.query_type() == RecordType::AAAA => RData::AAAA(AAAA(ip)),
            _ => continue,
        };
        message.add_answer(Record::from_rdata(question.name().clone(), 60, data));
    }
    message.to_vec().ok()
}

/// A name server on loopback: `name` for [`NAME`], `others` for every other name.
async fn server(name: Says, others: Says) -> SocketAddr {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let udp = UdpSocket::bind(address).await.unwrap();
    let table = Arc::new(HashMap::from([(true, name), (false, others)]));
    let choose = move |query: &[u8], tcp: bool| {
        let asked = Message::from_vec(query).ok()?.queries.first()?.name().to_string();
        reply(query, &table[&(asked.trim_end_matches('.') == NAME)], tcp)
    };
    let over_tcp = choose.clone();
    tokio::spawn(async move {
        let mut packet = [0; 4096];
        while let Ok((length, from)) = udp.recv_from(&mut packet).await {
            if let Some(answer) = choose(&packet[..length], false) {
                let _ = udp.send_to(&answer, from).await;
            }
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = tcp.accept().await {
            let length = stream.read_u16().await.unwrap_or(0);
            let mut query = vec![0; usize::from(length)];
            let _ = stream.read_exact(&mut query).await;
            if let Some(answer) = over_tcp(&query, true) {
                let _ = stream.write_u16(u16::try_from(answer.len()).unwrap()).await;
                let _ = stream.write_all(&answer).await;
            }
        }
    });
    address
}

fn nxdomain() -> Says {
    Says::Code(ResponseCode::NXDomain)
}

fn addresses(all: &[&str]) -> Says {
    Says::Addresses(all.iter().map(|ip| ip.parse().unwrap()).collect())
}

fn target(servers: &[SocketAddr]) -> Target {
    Target {
        name: NAME.to_owned(),
        resolvers: servers.iter().map(ToString::to_string).collect(),
        prove: None,
        control_suffix: None,
        reference: None,
    }
}

async fn reading(target: &Target, roots: Roots) -> Reading {
    let mut env = Env::bare(CheckId::new("dns").unwrap());
    env.roots = roots;
    Dns::measure(target, &env).await.unwrap()
}

async fn of(name: Says, others: Says) -> Reading {
    reading(&target(&[server(name, others).await]), Roots::given(vec![], vec![])).await
}

/// Code and effect of every finding that is no pass.
fn bad(limits: &Limits, reading: &Reading) -> Vec<(String, Effect)> {
    let findings = Dns::judge(limits, reading).into_iter();
    findings.filter(|f| f.effect != Effect::Pass).map(|f| (f.code, f.effect)).collect()
}

fn codes(limits: &Limits, reading: &Reading) -> Vec<String> {
    Dns::judge(limits, reading).into_iter().map(|finding| finding.code).collect()
}

fn fail(code: &str) -> Vec<(String, Effect)> {
    vec![(code.to_owned(), Effect::Fail)]
}

fn only(allowed: &[&str]) -> Limits {
    let allowed = allowed.iter().map(|ip| ip.parse().unwrap()).collect();
    Limits { addresses: Some(OneOf(allowed)), ..Limits::default() }
}

#[tokio::test]
async fn an_honest_resolver_passes() {
    let reading = of(addresses(&["8.8.4.4", "2606:4700::1111"]), nxdomain()).await;
    assert_eq!(codes(&Limits::default(), &reading), ["dns.resolved", "dns.control_clean"]);
    assert_eq!(bad(&only(&["8.8.4.4", "2606:4700::1111"]), &reading), []);
    assert_eq!(bad(&only(&["8.8.4.4"]), &reading), fail("dns.wrong_address"));
    let lookups = &reading.resolvers[0].lookups;
    assert_eq!(lookups[0].reply.as_ref().unwrap().addresses.len(), 1);
    assert_eq!(lookups[0].attempts[0].transport, Transport::Udp);
}

#[tokio::test]
async fn lies_are_told_by_the_address() {
    for (address, code) in [
        ("192.168.1.1", "dns.private_address"),
        ("0.0.0.0", "dns.private_address"),
        ("127.0.0.1", "dns.private_address"),
        ("208.91.112.55", "dns.block_page"),
        ("146.112.61.106", "dns.block_page"),
    ] {
        let reading = of(addresses(&[address]), nxdomain()).await;
        assert_eq!(bad(&Limits::default(), &reading), fail(code), "{address}");
        assert_eq!(bad(&only(&[address]), &reading), [], "the policy may name {address}");
    }
}

#[tokio::test]
async fn a_rewriting_resolver_is_believed_only_when_something_vouches_for_it() {
    let reading = of(addresses(&["8.8.4.4"]), addresses(&["8.8.8.8"])).await;
    assert_eq!(bad(&Limits::default(), &reading), fail("dns.nxdomain_rewritten"));
    let vouched = vec![("dns.nxdomain_rewritten".to_owned(), Effect::Warn)];
    assert_eq!(bad(&only(&["8.8.4.4"]), &reading), vouched);
}

#[tokio::test]
async fn a_control_without_a_yes_or_no_leaves_it_unknown() {
    for others in [Says::Code(ResponseCode::ServFail), Says::Code(ResponseCode::Refused)] {
        let reading = of(addresses(&["8.8.4.4"]), others).await;
        let unknown = vec![("dns.control_failed".to_owned(), Effect::Unknown)];
        assert_eq!(bad(&Limits::default(), &reading), unknown);
        assert_eq!(bad(&only(&["8.8.4.4"]), &reading), []);
    }
}

#[tokio::test]
async fn each_error_has_its_code() {
    for (says, code) in [
        (nxdomain(), "dns.no_such_name"),
        (Says::Code(ResponseCode::ServFail), "dns.servfail"),
        (Says::Code(ResponseCode::Refused), "dns.refused"),
        (Says::Code(ResponseCode::NotImp), "dns.error"),
        (addresses(&[]), "dns.no_address"),
    ] {
        assert_eq!(bad(&Limits::default(), &of(says, nxdomain()).await), fail(code));
    }
}

#[tokio::test]
async fn a_resolver_older_than_edns_is_asked_as_programs_ask() {
    let address = vec!["8.8.4.4".parse().unwrap()];
    let reading = of(Says::Plain(address), Says::Plain(vec!["8.8.8.8".parse().unwrap()])).await;
    assert_eq!(bad(&Limits::default(), &reading), fail("dns.nxdomain_rewritten"));
    assert_eq!(reading.resolvers[0].lookups[0].attempts.len(), 2);
}

#[tokio::test]
async fn silence_garbage_and_a_closed_port_are_told_apart() {
    let closed = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let cases = [
        (server(Says::Nothing, nxdomain()).await, "dns.silent"),
        (server(Says::Bytes(b"\x1b[31mnot dns".to_vec()), nxdomain()).await, "dns.garbage"),
        (server(Says::Bytes(vec![0xff; 4000]), nxdomain()).await, "dns.garbage"),
        (closed, "dns.unreachable"),
    ];
    let readings = cases.map(|(address, code)| async move {
        (reading(&target(&[address]), Roots::given(vec![], vec![])).await, code)
    });
    for (reading, code) in futures::future::join_all(readings).await {
        assert_eq!(bad(&Limits::default(), &reading), fail(code));
        assert!(reading.resolvers[0].controls.is_empty());
    }
}

#[tokio::test]
async fn a_truncated_answer_is_fetched_over_tcp_or_fails() {
    let whole = of(Says::Cut(vec!["8.8.4.4".parse().unwrap()]), nxdomain()).await;
    assert_eq!(bad(&Limits::default(), &whole), []);
    assert_eq!(whole.resolvers[0].lookups[0].attempts[1].transport, Transport::Tcp);
    let cut = of(Says::Cut(vec![]), nxdomain()).await;
    assert_eq!(bad(&Limits::default(), &cut), fail("dns.truncated"));
}

#[tokio::test]
async fn each_resolver_is_judged_by_itself() {
    let good = server(addresses(&["8.8.4.4"]), nxdomain()).await;
    let liar = server(addresses(&["10.0.0.1"]), nxdomain()).await;
    let reading = reading(&target(&[good, liar]), Roots::given(vec![], vec![])).await;
    let findings = Dns::judge(&Limits::default(), &reading);
    let bad: Vec<_> = findings.iter().filter(|f| f.effect == Effect::Fail).collect();
    assert_eq!(bad.len(), 1);
    assert!(bad[0].observed.starts_with(&liar.to_string()), "{bad:?}");
}

#[tokio::test]
async fn a_dead_second_resolver_of_the_machine_only_warns() {
    let good = server(addresses(&["8.8.4.4"]), nxdomain()).await;
    let closed = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut reading = reading(&target(&[good, closed]), Roots::given(vec![], vec![])).await;
    assert_eq!(bad(&Limits::default(), &reading), fail("dns.unreachable"));
    reading.named_resolvers = false;
    let warned = vec![("dns.unreachable".to_owned(), Effect::Warn)];
    assert_eq!(bad(&Limits::default(), &reading), warned);
    reading.resolvers.swap(0, 1);
    assert_eq!(bad(&Limits::default(), &reading), fail("dns.unreachable"));
    reading.resolvers.clear();
    assert_eq!(bad(&Limits::default(), &reading), fail("dns.silent"));
}

#[tokio::test]
async fn latency_is_held_and_one_bad_family_only_warns() {
    let reading = of(addresses(&["8.8.4.4"]), nxdomain()).await;
    let limits = |ms| Limits { latency_ms: Some(AtMost(ms)), ..Limits::default() };
    assert_eq!(bad(&limits(0.0), &reading), fail("dns.slow"));
    assert_eq!(bad(&limits(60_000.0), &reading), []);
    let mut half = reading;
    half.resolvers[0].lookups[1].reply.as_mut().unwrap().rcode = 2;
    assert_eq!(bad(&Limits::default(), &half), [("dns.half_answered".to_owned(), Effect::Warn)]);
}

#[test]
fn targets_that_make_no_sense_are_found_beforehand() {
    let fields = |target: &Target| -> Vec<&'static str> {
        let problems = Dns::problems(target, &Limits::default(), &BTreeMap::new(), &Stakes::default());
        problems.into_iter().map(|problem| problem.field).collect()
    };
    let mut good = target(&["127.0.0.1:5353".parse().unwrap()]);
    good.resolvers.extend(["192.0.2.53".into(), "2001:db8::53".into(), "[::1]:5353".into()]);
    assert_eq!(fields(&good), Vec::<&str>::new());
    let bad = Target {
        name: "https://live.example".into(),
        resolvers: vec!["resolver.example".into(); 5],
        prove: Some(0),
        control_suffix: Some("a..b".into()),
        reference: Some(Reference {
            address: "dns.example".into(),
            name: "dns.example".into(),
            over: Encrypted::Tls,
            path: None,
        }),
    };
    let mut found = fields(&bad);
    found.dedup();
    assert_eq!(found, ["name", "resolvers", "control_suffix", "prove", "reference"]);
    assert_eq!(fields(&Target { name: "192.0.2.1".into(), ..good }), ["name"]);
}

#[test]
fn the_plan_names_every_place() {
    let target = Target {
        prove: Some(443),
        reference: Some(Reference {
            address: "9.9.9.9".into(),
            name: "dns.quad9.net".into(),
            over: Encrypted::Tls,
            path: None,
        }),
        ..target(&[])
    };
    let demand = Dns::demand(&target, &BTreeMap::new());
    let places: Vec<String> =
        demand.endpoints.iter().map(|e| format!("{} {} {}", e.host, e.port, e.implied)).collect();
    assert_eq!(places[0], "system resolvers 53 true");
    assert_eq!(places[2..], ["9.9.9.9 853 false", "live.golive.example 443 false"]);
}
