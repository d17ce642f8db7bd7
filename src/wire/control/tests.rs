use proptest::prelude::*;

use super::*;
use crate::model::{Failure, Pin, Secret, WireText};
use crate::wire::client_hello::ClientHello;

fn requests() -> Vec<Request> {
    let proof = Proof::make(&Secret::from("t".to_owned()), &[7; proof::EXPORTED]);
    vec![
        Request::hello(proof),
        Request::OpenUpload { seconds: 60, bytes: u64::MAX, streams: 1 },
        Request::OpenUpload { seconds: 60, bytes: 1, streams: 4 },
        Request::OpenDatagrams { seconds: 60, bytes: 1, packets: u64::MAX },
        Request::OpenStamp { seconds: 10, packets: 1000 },
        Request::Ping { n: 3 },
        Request::Notary {
            host: "live.example.com".into(),
            port: 443,
            server_name: "live.example.com".into(),
        },
        Request::echo(),
        Request::Close {},
        Request::OpenHold { seconds: 3600, bytes: 1 << 20 },
        Request::Push { ticket: Ticket([1; 16]), slot: 15 },
        Request::Release { ticket: Ticket([1; 16]) },
    ]
}

fn sight(failure: Option<Failure>) -> Sight {
    Sight {
        address: "[2001:db8::1]:443".parse().unwrap(),
        key: failure.is_none().then(|| Pin::from_digest([7; 32])),
        failure,
        subject: "CN=live.example.com".into(),
        issuer: "CN=An Authority".into(),
        public: true,
    }
}

/// The longest that can come.
fn hello() -> ClientHello {
    ClientHello { digest: "a".repeat(64), length: usize::MAX, ciphers: vec![u16::MAX; 64] }
}

fn replies() -> Vec<Reply> {
    let grant = Grant { seconds: 60, bytes: 1 << 40, packets: 7 };
    let from = "[2001:db8::1]:5".parse().unwrap();
    let (late_ms, took_ms) = (1, 60_000);
    vec![
        Reply::Welcome { seen: from, cap: grant, rtmp: Some(1935), srt: None },
        Reply::Refuse { why: Refusal::WrongToken, detail: WireText::default() },
        Reply::Upload { ticket: Ticket([0xa5; 16]), grant },
        Reply::Stamp { ssid: 65535, grant },
        Reply::Attached { from },
        Reply::Arrivals { first: 9, bytes: vec![0, 1, u64::MAX], gaps: vec![Gap { at_ms: 5, ms: 900 }] },
        Reply::Seen { sights: vec![sight(None), sight(Some(Failure::TimedOut))] },
        Reply::Echo { hello: None },
        Reply::Echo { hello: Some(hello()) },
        Reply::Pong { n: 3 },
        Reply::Hold { ticket: Ticket([0xa5; 16]), grant },
        Reply::Pushed { sent: false },
        Reply::Released {
            slots: vec![hold::Slot {
                slot: 1,
                from,
                bytes: 7,
                quiet_ms: 9,
                ended: Some(Ended::DataReset),
                ended_ms: 4,
            }],
            foreign: 2,
        },
        Reply::Ended {
            how: Ended::Refused(Refusal::Bytes),
            bytes: 5,
            packets: 1,
            foreign: 0,
            took_ms,
            late_ms,
        },
    ]
}

#[test]
fn every_message_survives_every_split() {
    for reply in replies() {
        let bytes = encode(&reply).unwrap();
        for at in 0..=bytes.len() {
            let mut frames = Frames::default();
            frames.feed(&bytes[..at]);
            let early = frames.take::<Reply>().unwrap();
            assert_eq!(early.is_some(), at == bytes.len(), "split at {at} of {reply:?}");
            frames.feed(&bytes[at..]);
            assert_eq!(early.or_else(|| frames.take().unwrap()), Some(reply.clone()));
            assert_eq!(frames.held(), 0);
        }
    }
}

#[test]
fn every_truncation_waits_for_more() {
    for request in requests() {
        let bytes = encode(&request).unwrap();
        for length in 0..bytes.len() {
            let mut frames = Frames::default();
            frames.feed(&bytes[..length]);
            assert_eq!(frames.take::<Request>(), Ok(None), "{length} bytes of {request:?}");
        }
    }
}

#[test]
fn messages_come_out_in_order_byte_by_byte() {
    let mut frames = Frames::default();
    let mut seen = Vec::new();
    for byte in requests().iter().flat_map(|request| encode(request).unwrap()) {
        frames.feed(&[byte]);
        seen.extend(frames.take::<Request>().unwrap());
    }
    assert_eq!(seen, requests());
}

#[test]
fn a_frame_beyond_the_bound_is_refused_by_its_length_alone() {
    let mut frames = Frames::up_to(frame::MAX_UNPROVED);
    frames.feed(&u32::MAX.to_be_bytes());
    assert_eq!(frames.take::<Request>(), Err(BadFrame::TooLong(u32::MAX)));
    let long = Request::Hello {
        version: 1,
        proof: Proof::make(&Secret::from(String::new()), &[0; proof::EXPORTED]),
        padding: "x".repeat(frame::MAX_BODY),
    };
    assert!(matches!(encode(&long), Err(BadFrame::TooLong(_))));
}

#[test]
fn unknown_words_and_keys_are_no_message() {
    for body in ["{}", "[]", "\"close\"x", r#"{"close":{"x":1}}"#, r#"{"shell":{}}"#, "\u{1b}[31m"] {
        let mut frames = Frames::default();
        frames.feed(&u32::try_from(body.len()).unwrap().to_be_bytes());
        frames.feed(body.as_bytes());
        let error = frames.take::<Request>().unwrap_err();
        assert!(!error.to_string().contains('\u{1b}'), "{error}");
    }
}

#[test]
fn any_refusal_is_smaller_than_the_hello_it_answers() {
    let hello = encode(&requests()[0]).unwrap();
    assert!(hello.len() <= frame::MAX_UNPROVED);
    for why in [Refusal::WrongToken, Refusal::Version, Refusal::BadRequest, Refusal::TooManySessions] {
        let refusal = Reply::Refuse { why, detail: WireText::from("x".repeat(400)) };
        assert!(encode(&refusal).unwrap().len() < hello.len());
    }
}

#[test]
fn an_echo_is_smaller_than_what_asks_for_it() {
    let asked = encode(&Request::echo()).unwrap();
    assert!(asked.len() <= frame::MAX_UNPROVED);
    assert!(encode(&Reply::Echo { hello: Some(hello()) }).unwrap().len() < asked.len());
}

#[test]
fn the_ledger_stops_what_is_larger_than_what_came() {
    let mut ledger = Ledger::default();
    assert!(!ledger.spend(1));
    ledger.received(10);
    assert!(ledger.spend(10));
    assert!(!ledger.spend(1));
    ledger.prove();
    assert!(ledger.spend(1_000_000));
}

#[test]
fn nothing_secret_in_debug() {
    let shown = format!("{:?} {:?}", requests()[0], replies()[2]);
    assert!(shown.contains("Proof") && !shown.contains("a5a5"), "{shown}");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_nor_grow(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..40)) {
        let mut frames = Frames::up_to(1000);
        for chunk in chunks {
            frames.feed(&chunk);
            while let Ok(Some(_)) = frames.take::<Request>() {}
            if frames.take::<Request>().is_err() {
                break;
            }
            prop_assert!(frames.held() <= 4 + 1000 + 300);
        }
    }

    #[test]
    fn framed_garbage_never_panics(body in prop::collection::vec(any::<u8>(), 0..2000)) {
        let mut frames = Frames::default();
        frames.feed(&u32::try_from(body.len()).unwrap().to_be_bytes());
        frames.feed(&body);
        let _ = frames.take::<Reply>();
        prop_assert_eq!(frames.held(), 0);
    }
}

#[test]
fn datagrams_of_an_upload_are_told_from_all_others() {
    let ticket = Ticket([7; 16]);
    let whole = [datagram::header(&ticket, 0x0102_0304_0506_0708).as_slice(), &[9; 50]].concat();
    assert_eq!(datagram::parse(&whole), Some((ticket, 0x0102_0304_0506_0708)));
    for length in 0..datagram::HEADER {
        assert_eq!(datagram::parse(&whole[..length]), None, "{length}");
    }
    assert_eq!(datagram::parse(&[0; 44]), None);
}
