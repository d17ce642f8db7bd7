use proptest::prelude::*;

use super::*;

const ALL: [Protocol; 8] = [
    Protocol::Tls,
    Protocol::Http,
    Protocol::Rtmp,
    Protocol::Dns,
    Protocol::Ntp,
    Protocol::Stun,
    Protocol::Srt,
    Protocol::Quic,
];
const SALT: Salt = *b"0123456789abcdef0123456789abcdef";

/// A good answer, as the protocol's document lays it out.
fn answer(protocol: Protocol) -> Vec<u8> {
    let question = protocol.question("a.example", &SALT);
    match protocol {
        Protocol::Tls => vec![0x15, 3, 3, 0, 2, 2, 40],
        Protocol::Http => b"HTTP/1.1 400 Bad Request\r\n".to_vec(),
        Protocol::Rtmp => [vec![3], vec![0; 1536]].concat(),
        Protocol::Dns => [&question[..2], &[0x81, 0x85, 0, 0, 0, 0, 0, 0, 0, 0]].concat(),
        Protocol::Ntp => [&[0x24][..], &[0; 23], &question[40..48], &[0; 16]].concat(),
        Protocol::Stun => [&[1, 1, 0, 0], &question[4..20]].concat(),
        Protocol::Srt => {
            let mut reply = question.clone();
            reply[12..16].copy_from_slice(&question[40..44]);
            reply[19] = 5;
            reply[22..24].copy_from_slice(&[0x4a, 0x17]);
            reply
        }
        Protocol::Quic => {
            let (dcid, scid) = (&question[5..14], &question[14..23]);
            [&[0x80, 0, 0, 0, 0], scid, dcid, &[0, 0, 0, 1]].concat()
        }
    }
}

#[test]
fn an_answer_is_known_and_its_question_is_none() {
    for protocol in ALL {
        assert_eq!(protocol.answers(&answer(protocol), &SALT), Answer::Yes, "{protocol:?}");
        let question = protocol.question("a.example", &SALT);
        assert!(question.len() <= 2048, "{protocol:?}");
        if protocol.transport() == Transport::Udp {
            // An echo service is no server of the protocol.
            assert_eq!(protocol.answers(&question, &SALT), Answer::No, "{protocol:?}");
        }
    }
}

#[test]
fn a_shortened_answer_is_never_more_than_waited_for() {
    for protocol in ALL {
        let whole = answer(protocol);
        let mut known = false;
        for cut in 0..=whole.len() {
            match protocol.answers(&whole[..cut], &SALT) {
                Answer::Yes => known = true,
                Answer::No => assert_eq!(protocol.transport(), Transport::Udp, "{protocol:?} at {cut}"),
                Answer::More => assert!(!known && protocol.transport() == Transport::Tcp),
            }
        }
        assert!(known, "{protocol:?}");
    }
}

#[test]
fn another_questions_answer_is_none() {
    for protocol in ALL.into_iter().filter(|p| p.transport() == Transport::Udp) {
        assert_eq!(protocol.answers(&answer(protocol), &[0xee; 32]), Answer::No, "{protocol:?}");
    }
}

#[test]
fn another_protocol_is_told_apart() {
    let proxy = b"HTTP/1.0 400 Bad Request\r\n";
    assert_eq!(Protocol::Rtmp.answers(proxy, &SALT), Answer::No);
    assert_eq!(Protocol::Tls.answers(proxy, &SALT), Answer::No);
}

/// Read by another implementation: rustls accepts our hello and finds the name.
#[test]
fn rustls_reads_the_client_hello() {
    let mut acceptor = rustls::server::Acceptor::default();
    let hello = Protocol::Tls.question("a.example", &SALT);
    acceptor.read_tls(&mut hello.as_slice()).unwrap();
    let accepted = acceptor.accept().map_err(|(error, _)| error).unwrap().expect("a whole hello");
    assert_eq!(accepted.client_hello().server_name(), Some("a.example"));

    let mut acceptor = rustls::server::Acceptor::default();
    acceptor.read_tls(&mut Protocol::Tls.question("192.0.2.1", &SALT).as_slice()).unwrap();
    let accepted = acceptor.accept().map_err(|(error, _)| error).unwrap().expect("a whole hello");
    assert_eq!(accepted.client_hello().server_name(), None);
}

#[test]
fn a_hostile_host_cannot_add_a_header() {
    let question = Protocol::Http.question("a\r\nX-Evil: 1", &SALT);
    assert_eq!(String::from_utf8(question).unwrap().lines().count(), 6);
}

proptest! {
    #[test]
    fn any_bytes_any_host_any_salt(
        bytes in proptest::collection::vec(any::<u8>(), 0..2000), host in ".{0,300}", salt in any::<Salt>(),
    ) {
        for protocol in ALL {
            let _ = protocol.answers(&bytes, &salt);
            prop_assert!(protocol.question(&host, &salt).len() <= 2048);
        }
    }
}
