//! Client and server against each other, in pieces of any size; and clients against other answers.

use proptest::prelude::*;

use super::super::address::Address;
use super::super::chunk::Kind;
use super::super::client::{Client, Failure, Phase, Step};
use super::super::server::{self, Server};
use super::{address, client, client_steps, server_steps};
use crate::media::{Rehearsal, flv::TagKind};
use crate::model::Secret;
use crate::wire::banner::Protocol;

const KEY: &str = "canary-7f3a";

/// How the far end answers.
#[derive(Clone, Copy)]
struct Answers {
    app: bool,
    key: bool,
}

/// Carries bytes both ways, each time at most `sizes` of them, until nothing moves. Checks that a
/// locked server never answers with more than it got.
fn talk(
    client: &mut Client,
    server: &mut Server,
    answers: Answers,
    sizes: &[usize],
    locked: bool,
) -> Vec<Step> {
    let (mut up, mut down) = (Vec::new(), Vec::new());
    let (mut received, mut sent) = (0, 0);
    let mut steps = Vec::new();
    let mut sizes = sizes.iter().copied().cycle();
    loop {
        up.extend(client.outgoing());
        let reply = server.outgoing();
        sent += reply.len();
        assert!(!locked || sent <= received, "{sent} bytes for {received}");
        down.extend(reply);
        if up.is_empty() && down.is_empty() {
            return steps;
        }
        let size = sizes.next().unwrap();
        let piece: Vec<_> = up.drain(..size.min(up.len())).collect();
        received += piece.len();
        server.receive(&piece);
        for step in server_steps(server) {
            match step {
                server::Step::Connect { app } if answers.app => assert_eq!(app, "live"),
                server::Step::Connect { .. } => {
                    server.refuse("NetConnection.Connect.InvalidApp", "no such application");
                    continue;
                }
                server::Step::Publish { key } if answers.key => assert_eq!(key.reveal(), KEY),
                server::Step::Publish { key } => {
                    server.refuse("NetStream.Publish.BadName", &format!("{} is taken", key.reveal()));
                    continue;
                }
                _ => {}
            }
            server.accept();
        }
        let piece: Vec<_> = down.drain(..size.min(down.len())).collect();
        client.receive(&piece);
        let new = client_steps(client);
        if new.iter().any(|step| matches!(step, Step::Connected { .. })) {
            client.publish(Secret::from(KEY.to_owned()));
        }
        steps.extend(new);
    }
}

fn words(steps: &[Step]) -> Vec<&'static str> {
    steps
        .iter()
        .map(|step| match step {
            Step::Handshaken { .. } => "handshaken",
            Step::Connected { .. } => "connected",
            Step::Published { .. } => "published",
            Step::Notice(_) => "notice",
            Step::Failed(_) => "failed",
        })
        .collect()
}

const YES: Answers = Answers { app: true, key: true };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_stream_is_published_and_counted_at_any_split(
        sizes in proptest::collection::vec(1_usize..3000, 1..40),
        locked: bool,
    ) {
        let (mut client, mut server) = (client(), Server::new(9));
        if !locked {
            server.unlock();
        }
        let steps = talk(&mut client, &mut server, YES, &sizes, locked);
        prop_assert_eq!(words(&steps), ["handshaken", "connected", "published"]);
        let (mut video, mut audio) = (0, 0);
        for frame in Rehearsal::test_card().unwrap().take(300) {
            let kind = match frame.kind {
                TagKind::Video => { video += frame.body.len() as u64; Kind::Video }
                TagKind::Audio => { audio += frame.body.len() as u64; Kind::Audio }
                TagKind::Script => Kind::Data,
            };
            client.send_media(kind, frame.timestamp(), frame.body);
        }
        client.unpublish();
        prop_assert!(server.is_publishing());
        talk(&mut client, &mut server, YES, &sizes, locked);
        prop_assert!(!server.is_publishing());
        let media = server.media();
        prop_assert_eq!((media.video_bytes, media.audio_bytes), (video, audio));
        prop_assert_eq!((media.keyframes, media.video_messages + media.audio_messages), (3, 299));
        prop_assert!(media.other_bytes > 0 && media.timestamp_ms > 4000);
    }
}

#[test]
fn a_locked_server_serves_the_shortest_names_too() {
    let shortest = Address::parse("rtmp://a/b").unwrap();
    let (mut client, mut server) = (Client::new(shortest, 1), Server::new(2));
    let (mut received, mut sent) = (0, 0);
    loop {
        let (up, down) = (client.outgoing(), server.outgoing());
        received += up.len();
        sent += down.len();
        assert!(sent <= received);
        if up.is_empty() && down.is_empty() {
            break;
        }
        server.receive(&up);
        while server.step().is_some() {
            server.accept();
        }
        client.receive(&down);
        if client.phase() == Phase::Connected {
            client.publish(Secret::from("k".to_owned()));
        }
    }
    assert_eq!(client.phase(), Phase::Media);
}

#[test]
fn a_locked_server_holds_s2_back_until_c2_is_there() {
    let (mut client, mut server) = (client(), Server::new(2));
    let hello = client.outgoing();
    server.receive(&hello);
    assert_eq!(server.outgoing().len(), hello.len());
    server.receive(&[0]);
    assert_eq!(server.outgoing().len(), 1);
    server.unlock();
    assert_eq!(server.outgoing().len(), 1535);
}

#[test]
fn refusals_keep_the_servers_code_and_words_but_not_the_key() {
    let refused = |answers| {
        let steps = talk(&mut client(), &mut Server::new(9), answers, &[4096], true);
        match steps.last() {
            Some(Step::Failed(Failure::Refused { phase, status })) => {
                (*phase, status.code.clone(), status.description.clone())
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        refused(Answers { app: false, key: true }),
        (Phase::Connect, "NetConnection.Connect.InvalidApp".into(), "no such application".into())
    );
    assert_eq!(
        refused(Answers { app: true, key: false }),
        (Phase::Publish, "NetStream.Publish.BadName".into(), "[secret] is taken".into())
    );
}

fn failure_of(answer: &[u8], size: usize) -> Failure {
    let mut client = client();
    for piece in answer.chunks(size) {
        client.receive(piece);
    }
    let early = client_steps(&mut client).pop();
    client.end();
    let late = client_steps(&mut client).pop();
    assert!(early.is_none() || late.is_none(), "it fails once");
    match early.or(late) {
        Some(Step::Failed(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn strangers_are_named_at_any_split_with_their_first_bytes() {
    let http = b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n";
    let cases: [(&[u8], Protocol); 5] = [
        (http, Protocol::Http),
        (b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n", Protocol::Ssh),
        (&[0x15, 3, 1, 0, 2, 2, 70], Protocol::Tls),
        (&[3, 0, 0, 11, 6, 0xD0, 0, 0, 0, 0, 0], Protocol::Rdp),
        (&[0xFF; 3], Protocol::Unknown),
    ];
    for (answer, expected) in cases {
        for size in 1..=answer.len() {
            match failure_of(answer, size) {
                Failure::NotRtmp { protocol, first } => {
                    assert_eq!(protocol, expected);
                    assert!(answer.starts_with(&first) && first.len() > 2);
                }
                other => panic!("{other:?}"),
            }
        }
    }
    let megabyte = vec![b'A'; 1 << 20];
    match failure_of(&megabyte, 1 << 20) {
        Failure::NotRtmp { first, .. } => assert_eq!(first.len(), 512),
        other => panic!("{other:?}"),
    }
}

#[test]
fn silence_and_a_bare_end_say_how_far_it_came() {
    let mut silent = client();
    silent.give_up();
    let failure = Failure::Silent { phase: Phase::Handshake, received: 0 };
    assert_eq!(client_steps(&mut silent), [Step::Failed(failure)]);

    let (mut client, mut server) = (client(), Server::new(1));
    server.unlock();
    server.receive(&client.outgoing());
    client.receive(&server.outgoing());
    client.end();
    let failure = Failure::Closed { phase: Phase::Connect, received: 3073 };
    assert_eq!(client_steps(&mut client), [Step::Handshaken { echoed: true }, Step::Failed(failure)]);
    client.receive(b"more");
    client.give_up();
    assert_eq!(client_steps(&mut client), []);
}

#[test]
fn a_server_answers_pings_and_names_a_stranger() {
    let mut server = Server::new(1);
    server.receive(b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(server_steps(&mut server), [server::Step::Failed(server::Failure::NotRtmp(Protocol::Text))]);
    assert!(server.outgoing().is_empty());
}

#[test]
fn nothing_that_shows_itself_shows_the_key() {
    let mut client = Client::new(address(), 1);
    let mut server = Server::new(2);
    talk(&mut client, &mut server, YES, &[4096], true);
    let request = server::Step::Publish { key: Secret::from(KEY.to_owned()) };
    let shown = format!("{client:?} {server:?} {request:?}");
    assert!(!shown.contains(KEY), "{shown}");
}
