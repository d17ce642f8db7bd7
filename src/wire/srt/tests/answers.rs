//! Answers of a listener that are refused, foreign or made up.

use super::*;

/// A handshake from the listener to the rig's caller, made of the last one it heard.
fn forged(rig: &Rig, change: impl FnOnce(&mut Handshake)) -> Vec<u8> {
    let heard = rig.heard.1.last().unwrap();
    let Ok(Packet::Control(ControlPacket { timestamp, dest, body: Control::Handshake(mut handshake) })) =
        Packet::parse(heard)
    else {
        panic!("not a handshake")
    };
    change(&mut handshake);
    let mut out = vec![];
    ControlPacket::new(timestamp, dest, Control::Handshake(handshake)).encode(&mut out);
    out
}

/// What the caller makes of a changed answer in its second phase.
fn concludes(caller: CallerOptions, change: impl Fn(&mut Handshake)) -> Option<Ending> {
    let listener = ListenerOptions { passphrase: caller.passphrase.clone(), ..ListenerOptions::default() };
    let mut rig = Rig::new(caller, &listener);
    for _ in 0..60 {
        rig.run(1, never);
        for (_, datagram) in &mut rig.to_caller {
            *datagram = changed(datagram, &change);
        }
    }
    assert!(rig.caller_events.len() > 1, "{:?}", rig.caller_events);
    rig.ended()
}

/// The same datagram, changed when it is an answer to conclusion.
fn changed(datagram: &[u8], change: impl Fn(&mut Handshake)) -> Vec<u8> {
    match Packet::parse(datagram) {
        Ok(Packet::Control(ControlPacket { timestamp, dest, body: Control::Handshake(mut handshake) }))
            if handshake.kind == HandshakeKind::Conclusion =>
        {
            change(&mut handshake);
            let mut out = vec![];
            ControlPacket::new(timestamp, dest, Control::Handshake(handshake)).encode(&mut out);
            out
        }
        _ => datagram.to_vec(),
    }
}

#[test]
fn an_answer_that_cannot_be_used_says_why() {
    let unusable = |change: fn(&mut Handshake)| concludes(options(), change);
    let expect = |why| Some(Ending::Unusable(why));
    assert_eq!(unusable(|_| {}), None);
    assert_eq!(unusable(|h| h.mtu = 1360), None, "exactly enough for 1316 bytes");
    assert_eq!(unusable(|h| h.version = 4), expect(Unusable::Version(4)));
    assert_eq!(unusable(|h| h.extensions.clear()), expect(Unusable::NoSrtExtension));
    assert_eq!(unusable(|h| h.mtu = 1000), expect(Unusable::Mtu(1000)));
    assert_eq!(
        unusable(|h| h.extensions.insert(0, Extension::Filter(b"fec".into()))),
        expect(Unusable::Demands)
    );
    assert_eq!(
        unusable(|h| {
            for extension in &mut h.extensions {
                if let Extension::HsRsp(response) = extension {
                    response.flags |= 0x40;
                }
            }
        }),
        expect(Unusable::FileMode)
    );
}

#[test]
fn a_listener_that_lets_encryption_fail_says_how() {
    let caller = CallerOptions { passphrase: Some(secret("correct horse")), ..options() };
    let states = [(3, KeyState::NoSecret), (4, KeyState::BadSecret), (5, KeyState::BadMode)];
    for (word, state) in states.into_iter().chain([(1, KeyState::Other(1))]) {
        for bytes in [u32::to_be_bytes(word), u32::to_le_bytes(word)] {
            let ending = concludes(caller.clone(), |handshake| {
                handshake.extensions.retain(|extension| !matches!(extension, Extension::KmRsp(_)));
                handshake.extensions.push(Extension::KmRsp(bytes.to_vec()));
            });
            assert_eq!(ending, Some(Ending::KeyRefused(state)));
        }
    }
}

#[test]
fn a_listener_may_prefer_another_key_length_but_not_another_key() {
    let caller = CallerOptions { passphrase: Some(secret("correct horse")), ..options() };
    assert_eq!(concludes(caller.clone(), |handshake| handshake.encryption = 3), None);
    let ending = concludes(caller, |handshake| {
        for extension in &mut handshake.extensions {
            if let Extension::KmRsp(body) = extension {
                body[40..].fill(0);
            }
        }
    });
    assert_eq!(ending, Some(Ending::Unusable(Unusable::KeyMaterial)));
}

#[test]
fn an_old_or_foreign_answer_to_induction_is_told_apart() {
    let rejected = Ending::Rejected(Rejection::from_code(8));
    for (change, ending) in [
        ((|h| h.version = 4) as fn(&mut Handshake), Some(Ending::Unusable(Unusable::Version(4)))),
        (|h| h.extension = 2, Some(Ending::Unusable(Unusable::Magic(2)))),
        (|h| h.kind = HandshakeKind::Agreement, None),
        (|h| h.kind = HandshakeKind::Rejection(7), None),
        (|h| h.kind = HandshakeKind::Rejection(1008), Some(rejected)),
    ] {
        let mut heard =
            Rig::new(CallerOptions { induction_only: true, ..options() }, &ListenerOptions::default());
        heard.run(20, never);
        let answer = forged(&heard, change);
        let mut rig = Rig::new(options(), &ListenerOptions::default());
        rig.run(2, |_| true);
        rig.caller.receive(rig.now, listener_address(), &answer);
        rig.run(1, |_| true);
        assert_eq!(rig.ended(), ending);
    }
}
