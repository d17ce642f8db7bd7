use std::net::Ipv4Addr;

use hickory_proto::rr::rdata::opt::EdnsOption;
use hickory_proto::rr::rdata::{A, CNAME, NULL};
use proptest::prelude::*;

use super::*;

fn question() -> Question {
    Question::new(0x1234, "live.example.com", Kind::A).unwrap()
}

fn name(text: &str) -> Name {
    let mut name = Name::from_ascii(text).unwrap();
    name.set_fqdn(true);
    name
}

fn answer(records: &[(&str, RData)]) -> Message {
    let mut message = Message::from_vec(&question().to_bytes().unwrap()).unwrap();
    message.metadata.message_type = MessageType::Response;
    for (owner, data) in records {
        message.add_answer(Record::from_rdata(name(owner), 60, data.clone()));
    }
    message
}

fn a(last: u8) -> RData {
    RData::A(A(Ipv4Addr::new(192, 0, 2, last)))
}

#[test]
fn aliases_are_followed_and_other_names_left_out() {
    let message = answer(&[
        ("evil.example.net", a(66)),
        ("edge.example.net", a(1)),
        ("LIVE.example.com", RData::CNAME(CNAME(name("edge.example.net")))),
    ]);
    let reply = question().read(&message.to_vec().unwrap()).unwrap();
    assert_eq!(reply.addresses, [Ipv4Addr::new(192, 0, 2, 1)]);
    assert_eq!(reply.aliases[0].as_str(), "edge.example.net.");
    assert_eq!((reply.rcode, reply.ttl_s), (0, Some(60)));
}

#[test]
fn a_ring_of_aliases_ends() {
    let message = answer(&[
        ("live.example.com", RData::CNAME(CNAME(name("b.example")))),
        ("b.example", RData::CNAME(CNAME(name("live.example.com")))),
    ]);
    let reply = question().read(&message.to_vec().unwrap()).unwrap();
    assert_eq!((reply.aliases.len(), reply.addresses.len()), (MAX_ALIASES, 0));
}

#[test]
fn many_addresses_are_counted_and_bounded() {
    let records: Vec<_> = (0..200).map(|n| ("live.example.com", a(n))).collect();
    let reply = question().read(&answer(&records).to_vec().unwrap()).unwrap();
    assert_eq!((reply.addresses.len(), reply.addresses_total), (MAX_ADDRESSES, 200));
}

#[test]
fn an_answer_to_something_else_is_none() {
    let bytes = answer(&[("live.example.com", a(1))]).to_vec().unwrap();
    let other = |id, name, kind| Question::new(id, name, kind).unwrap().read(&bytes);
    assert!(other(0x1234, "live.example.com", Kind::A).is_some());
    assert!(other(0x1235, "live.example.com", Kind::A).is_none());
    assert!(other(0x1234, "live.example.org", Kind::A).is_none());
    assert!(other(0x1234, "live.example.com", Kind::Aaaa).is_none());
    // Our own question coming back is no answer.
    assert!(question().read(&question().to_bytes().unwrap()).is_none());
}

#[test]
fn names_that_cannot_be_asked_for_are_refused() {
    for bad in ["", ".", "a..", "a..b", &"x".repeat(64), &"x.".repeat(200)] {
        assert_eq!(Question::new(1, bad, Kind::A), Err(BadName), "{bad:?}");
    }
    assert!(Question::new(1, "münchen.example", Kind::A).is_ok());
}

#[test]
fn every_truncation_is_none_or_a_reply() {
    let bytes = answer(&[("live.example.com", a(1)), ("live.example.com", a(2))]).to_vec().unwrap();
    for cut in 0..bytes.len() {
        assert!(question().read(&bytes[..cut]).is_none(), "{cut}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = question().read(&bytes);
    }

    #[test]
    fn an_altered_answer_is_harmless(at in 0usize..200, value in any::<u8>()) {
        let mut bytes = answer(&[("live.example.com", a(1)), ("live.example.com", a(2))]).to_vec().unwrap();
        let at = at % bytes.len();
        bytes[at] = value;
        if let Some(reply) = question().read(&bytes) {
            prop_assert!(reply.addresses.len() <= MAX_ADDRESSES);
        }
    }
}

/// An answer with its signature and an extended error, cut and altered at every place.
fn signed() -> Message {
    let mut message = answer(&[("live.example.com", a(1))]);
    // Type covered A, algorithm 13, three labels, a signer, no signature to speak of.
    let rrsig = [&[0, 1, 13, 3], &[0; 14][..], &[3], b"com", &[0], &[9; 64][..]].concat();
    let data = RData::Unknown { code: RecordType::RRSIG, rdata: NULL::with(rrsig) };
    message.add_answer(Record::from_rdata(name("live.example.com"), 60, data));
    let mut edns = Edns::new();
    edns.options_mut().insert(EdnsOption::Unknown(15, b"\0\x11by \x1b[31mthe filter".to_vec()));
    message.set_edns(edns);
    message
}

#[test]
fn signatures_and_extended_errors_are_seen_and_bounded() {
    let bytes = signed().to_vec().unwrap();
    let reply = question().read(&bytes).unwrap();
    assert!(reply.signed);
    assert_eq!(reply.addresses_total, 1, "a signature is no address");
    let error = reply.extended_error.unwrap();
    assert!((error.code, error.forbids(), error.bogus()) == (17, true, false), "{error:?}");
    assert!(error.to_string().starts_with("filtered: by "), "{error}");
    assert!(!error.to_string().contains('\u{1b}'), "{error}");
    for cut in 0..bytes.len() {
        let _ = question().read(&bytes[..cut]);
    }
    for length in 0..2 {
        assert_eq!(ExtendedError::read(&[0, 6][..length]), None);
    }
    assert!(ExtendedError::read(&[0, 6]).unwrap().bogus());
}

#[test]
fn each_form_asks_in_its_own_way() {
    let flags = |form| {
        let bytes = question().asked(form).to_bytes().unwrap();
        let message = Message::from_vec(&bytes).unwrap();
        let wants = message.edns.as_ref().map(|edns| edns.flags().dnssec_ok);
        (wants, message.metadata.checking_disabled)
    };
    assert_eq!(flags(Form::Usual), (Some(false), false));
    assert_eq!(flags(Form::Plain), (None, false));
    assert_eq!(flags(Form::Signed), (Some(true), false));
    assert_eq!(flags(Form::Unchecked), (Some(false), true));
}
