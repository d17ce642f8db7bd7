use super::*;

const TRANSACTION: Transaction = [9; 12];

/// A server's answer, signed where there is a key.
fn answer(kind: u16, attributes: &[(u16, &[u8])], key: Option<&[u8]>) -> Vec<u8> {
    let message = Writer::new(kind, &TRANSACTION);
    let message = attributes.iter().fold(message, |message, (kind, value)| message.with(*kind, value));
    match key {
        Some(key) => message.signed(key),
        None => message.done(),
    }
}

fn unproven(code: u16, nonce: &[u8]) -> Vec<u8> {
    let code = [0, 0, u8::try_from(code / 100).unwrap(), u8::try_from(code % 100).unwrap()];
    let error = [&code[..], b"Who are\x1b you?"].concat();
    let attributes =
        [(attribute::ERROR_CODE, &error[..]), (attribute::REALM, b"example.org"), (attribute::NONCE, nonce)];
    answer(0x0113, &attributes, None)
}

fn client() -> Client {
    Client::new("マトリックス".to_owned(), Secret::from("TheMatrIX".to_owned()))
}

/// After the server has asked for a proof.
fn asked() -> Client {
    let mut client = client();
    assert_eq!(client.read(&unproven(401, b"f//499k"), Asked::Allocate, &TRANSACTION), Heard::Again);
    client
}

/// RFC 5769, 2.4: a request with long-term credentials.
const SIGNED: &[u8] = b"\x00\x01\x00\x60\x21\x12\xa4\x42\x78\xad\x34\x33\xc6\xad\x72\xc0\x29\xda\x41\x2e\
    \x00\x06\x00\x12\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9\x00\x00\
    \x00\x15\x00\x1cf//499k954d6OL34oL9FSTvy64sA\
    \x00\x14\x00\x0bexample.org\x00\
    \x00\x08\x00\x14\xf6\x70\x24\x65\x6d\xd6\x4a\x3e\x02\xb8\xe0\x71\x2e\x85\xc9\xa2\x8c\xa8\x96\x66";

#[test]
fn the_key_is_that_of_rfc_5769s_sample() {
    let proof = asked().proof.unwrap();
    assert!(Message::read(SIGNED).unwrap().is_signed_with(&proof.key.0));
}

#[test]
fn the_first_request_proves_nothing_and_the_next_one_does() {
    let request = client().request(Asked::Allocate, None, &TRANSACTION);
    let message = Message::read(&request).unwrap();
    assert_eq!(message.kind, 3);
    assert_eq!(message.value(attribute::REQUESTED_TRANSPORT), Some(&[17, 0, 0, 0][..]));
    assert_eq!(message.value(attribute::USERNAME), None);
    let client = asked();
    let peer = "192.0.2.7".parse().unwrap();
    let request = client.request(Asked::Permit, Some(peer), &TRANSACTION);
    let message = Message::read(&request).unwrap();
    assert_eq!(message.kind, 8);
    assert_eq!(message.xor_address(attribute::XOR_PEER_ADDRESS).unwrap().ip(), peer);
    assert_eq!(message.value(attribute::NONCE), Some(&b"f//499k"[..]));
    assert!(message.is_signed_with(&client.proof.as_ref().unwrap().key.0));
    let back = client.request(Asked::GiveBack, None, &TRANSACTION);
    assert_eq!(Message::read(&back).unwrap().number(attribute::LIFETIME), Some(0));
}

#[test]
fn a_wrong_proof_is_a_refusal_and_an_old_nonce_is_not_forever() {
    let mut client = asked();
    let Heard::Refused(refused) = client.read(&unproven(401, b"f//499k"), Asked::Allocate, &TRANSACTION)
    else {
        panic!("asked again")
    };
    assert_eq!((refused.code, refused.reason.as_str()), (401, "Who are\\u{1b} you?"));
    let stale = unproven(438, b"another");
    let heard: Vec<_> = (0..3).map(|_| client.read(&stale, Asked::Allocate, &TRANSACTION)).collect();
    assert_eq!(heard[..2], [Heard::Again, Heard::Again]);
    assert!(matches!(&heard[2], Heard::Refused(refused) if refused.code == 438), "{heard:?}");
}

#[test]
fn a_server_that_sends_elsewhere_says_where() {
    let error = b"\0\0\x03\x00Try Alternate";
    let other: &[u8] = &[0, 1, 0x0d, 0x96, 192, 0, 2, 9];
    let message =
        answer(0x0113, &[(attribute::ERROR_CODE, error), (attribute::ALTERNATE_SERVER, other)], None);
    let heard = client().read(&message, Asked::Allocate, &TRANSACTION);
    let refused = Refused {
        asked: Asked::Allocate,
        code: 300,
        reason: "Try Alternate".into(),
        other: Some("192.0.2.9:3478".parse().unwrap()),
    };
    assert_eq!(heard, Heard::Refused(refused));
}

#[test]
fn a_success_counts_when_its_sender_knows_the_password() {
    let mut client = asked();
    let key = client.proof.as_ref().unwrap().key.0;
    let relayed: &[u8] = &[0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
    let attributes = [(attribute::XOR_RELAYED_ADDRESS, relayed), (attribute::LIFETIME, &[0, 0, 2, 0x58])];
    let Heard::Granted(granted) =
        client.read(&answer(0x0103, &attributes, Some(&key)), Asked::Allocate, &TRANSACTION)
    else {
        panic!("no success")
    };
    assert_eq!((granted.relayed, granted.lifetime_s), (Some("192.0.2.1:32853".parse().unwrap()), Some(600)));
    for wrong in [None, Some(&[0; 16][..])] {
        let message = answer(0x0103, &attributes, wrong);
        assert_eq!(client.read(&message, Asked::Allocate, &TRANSACTION), Heard::Unsigned);
    }
    // Another transaction's, another method's, and no message at all.
    let signed = answer(0x0103, &attributes, Some(&key));
    assert_eq!(client.read(&signed, Asked::Allocate, &[1; 12]), Heard::Other);
    assert_eq!(client.read(&signed, Asked::Permit, &TRANSACTION), Heard::Other);
    assert_eq!(client.read(b"HTTP/1.1 400", Asked::Allocate, &TRANSACTION), Heard::Other);
}

#[test]
fn what_a_peer_sends_is_told_from_answers() {
    let peer = "[2001:db8::5]:4000".parse().unwrap();
    let message = Writer::new(0x0017, &[3; 12])
        .with_xor_address(attribute::XOR_PEER_ADDRESS, peer)
        .with(attribute::DATA, b"media")
        .done();
    let heard = asked().read(&message, Asked::Permit, &TRANSACTION);
    assert_eq!(heard, Heard::Data(peer, b"media".to_vec()));
    assert_eq!(data(&send(peer, b"media", &TRANSACTION)), None, "ours is no peer's");
}

#[test]
fn nothing_of_a_client_shows_its_password() {
    let shown = format!("{:?}", asked());
    let key = format!("{:?}", asked().proof.unwrap().key.0);
    assert!(!shown.contains("TheMatrIX") && !shown.contains(&key), "{shown}");
}

#[test]
fn any_bytes_are_read_without_harm() {
    use proptest::prelude::*;
    proptest!(|(bytes in proptest::collection::vec(any::<u8>(), 0..200))| {
        let body = answer(0x0113, &[(attribute::ERROR_CODE, &bytes)], None);
        let _ = (asked().read(&body, Asked::Allocate, &TRANSACTION), asked().read(&bytes, Asked::Permit, &TRANSACTION));
        let mut frames = Frames::default();
        frames.receive(&bytes);
        while let Ok(Some(_)) = frames.take() {}
    });
}
