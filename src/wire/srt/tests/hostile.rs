//! Bytes from anybody, and what nobody may be made to send.

use super::*;

/// A rig in which everything that a handshake and media send has been heard.
fn recorded() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let mut rig =
        Rig::new(CallerOptions { passphrase: Some(secret("correct horse")), ..options() }, &locked());
    rig.run(50, never);
    for _ in 0..8 {
        rig.caller.send(rig.now, vec![7; 200]).unwrap();
    }
    rig.run(300, one_in(4));
    rig.caller.stop(rig.now);
    rig.run(20, never);
    rig.heard
}

#[test]
fn every_prefix_of_every_packet_is_harmless() {
    let (to_listener, to_caller) = recorded();
    assert!(to_listener.len() > 10 && to_caller.len() >= 4, "{} {}", to_listener.len(), to_caller.len());
    for stage in [2, 20, 50] {
        let mut rig =
            Rig::new(CallerOptions { passphrase: Some(secret("correct horse")), ..options() }, &locked());
        rig.run(stage, never);
        let before = rig.caller_events.len();
        for datagram in to_caller.iter().filter(|datagram| datagram.len() < 400) {
            for cut in 0..datagram.len() {
                rig.caller.receive(rig.now, listener_address(), &datagram[..cut]);
            }
        }
        if stage == 2 {
            assert!(rig.caller.event().is_none(), "a truncated answer is none");
            assert_eq!(before, 0);
        }
        for datagram in &to_listener {
            for cut in 0..datagram.len() {
                rig.listener.receive(rig.now, caller_address(), &datagram[..cut]);
            }
        }
    }
}

#[test]
fn nothing_larger_than_the_request_leaves_before_the_address_is_proved() {
    let (to_listener, _) = recorded();
    let stranger: SocketAddr = "198.51.100.7:5".parse().unwrap();
    let now = Instant::now();
    let mut listener = Listener::new(&ListenerOptions::default(), now).unwrap();
    for datagram in &to_listener {
        for cut in 0..=datagram.len() {
            listener.receive(now, stranger, &datagram[..cut]);
            let mut answered = 0;
            while let Some((to, answer)) = listener.transmit() {
                assert_eq!(to, stranger);
                answered += answer.len();
            }
            assert!(answered <= cut, "{answered} bytes for {cut}");
        }
        assert!(listener.event().is_none(), "a cookie made for another address is none");
    }
}

#[test]
fn handshakes_are_rationed() {
    let now = Instant::now();
    let mut listener = Listener::new(&ListenerOptions::default(), now).unwrap();
    let induction = recorded().0.swap_remove(0);
    for _ in 0..1000 {
        listener.receive(now, caller_address(), &induction);
    }
    let answered = std::iter::from_fn(|| listener.transmit()).count();
    assert_eq!(answered, 100);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn arbitrary_bytes_do_not_panic(
        stage in 0u32..40,
        datagrams in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..1600), 1..20),
    ) {
        let mut rig = Rig::new(options(), &ListenerOptions::default());
        rig.run(stage, never);
        for datagram in &datagrams {
            rig.caller.receive(rig.now, listener_address(), datagram);
            rig.listener.receive(rig.now, caller_address(), datagram);
        }
        rig.run(300, never);
        prop_assert!(rig.caller.foreign().is_none_or(|kept| kept.len() <= 64));
        prop_assert!(matches!(rig.caller_events.last(), Some(CallerEvent::Connected(_))), "noise breaks nothing");
    }

    #[test]
    fn damaged_packets_do_not_panic(
        stage in 0u32..40,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..60),
    ) {
        let (to_listener, to_caller) = recorded();
        let mut rig = Rig::new(CallerOptions { passphrase: Some(secret("correct horse")), ..options() }, &locked());
        rig.run(stage, never);
        for (which, at, byte) in damage {
            let mut datagram = which.get(&to_listener).clone();
            let position = at.index(datagram.len());
            datagram[position] = byte;
            rig.listener.receive(rig.now, caller_address(), &datagram);
            let mut datagram = which.get(&to_caller).clone();
            let position = at.index(datagram.len());
            datagram[position] = byte;
            rig.caller.receive(rig.now, listener_address(), &datagram);
            rig.run(3, never);
        }
        rig.run(100, never);
        prop_assert!(rig.caller_events.len() <= 3, "inducted, connected, ended: each once");
    }
}
