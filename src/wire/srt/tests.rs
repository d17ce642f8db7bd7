mod answers;
mod hostile;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use sapflow_srt::packet::{Control, ControlPacket, Extension, Handshake, HandshakeKind, Packet};

use super::*;
use crate::model::Secret;

const MS: Duration = Duration::from_millis(1);

fn caller_address() -> SocketAddr {
    "192.0.2.1:40000".parse().unwrap()
}

fn listener_address() -> SocketAddr {
    "192.0.2.2:9000".parse().unwrap()
}

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

fn options() -> CallerOptions {
    CallerOptions { stream_id: Some(secret("live/main")), ..CallerOptions::default() }
}

fn locked() -> ListenerOptions {
    ListenerOptions { passphrase: Some(secret("correct horse")), ..ListenerOptions::default() }
}

/// Both ends and the wire between them, 5 ms each way, on a clock of its own.
struct Rig {
    caller: Caller,
    listener: Listener,
    now: Instant,
    to_listener: Vec<(Instant, Vec<u8>)>,
    to_caller: Vec<(Instant, Vec<u8>)>,
    /// Datagrams that reached the listener and the caller.
    heard: (Vec<Vec<u8>>, Vec<Vec<u8>>),
    answer: Option<Rejection>,
    caller_events: Vec<CallerEvent>,
    calls: Vec<Call>,
    left: Vec<Counts>,
    accepted: Option<CallId>,
}

impl Rig {
    fn new(caller: CallerOptions, listener: &ListenerOptions) -> Self {
        let now = Instant::now();
        Self {
            caller: Caller::new(caller, listener_address(), 0x1234_5678_9abc_def0, now).unwrap(),
            listener: Listener::new(listener, now).unwrap(),
            now,
            to_listener: vec![],
            to_caller: vec![],
            heard: (vec![], vec![]),
            answer: None,
            caller_events: vec![],
            calls: vec![],
            left: vec![],
            accepted: None,
        }
    }

    /// Runs `steps` milliseconds; `lost` decides the fate of each datagram, `true` being to the listener.
    fn run(&mut self, steps: u32, mut lost: impl FnMut(bool) -> bool) {
        for _ in 0..steps {
            self.now += MS;
            let now = self.now;
            self.caller.timeout(now);
            self.listener.timeout(now);
            for datagram in due(&mut self.to_listener, now) {
                self.listener.receive(now, caller_address(), &datagram);
                self.heard.0.push(datagram);
            }
            for datagram in due(&mut self.to_caller, now) {
                self.caller.receive(now, listener_address(), &datagram);
                self.heard.1.push(datagram);
            }
            while let Some(event) = self.listener.event() {
                match event {
                    ListenerEvent::Called(call) => {
                        match self.answer {
                            Some(why) => assert!(self.listener.reject(call.id, why)),
                            None if self.listener.accept(call.id, now) => self.accepted = Some(call.id),
                            None => {}
                        }
                        self.calls.push(call);
                    }
                    ListenerEvent::Left { counts, .. } => self.left.push(counts),
                    ListenerEvent::Media { .. } => {}
                }
            }
            self.caller_events.extend(std::iter::from_fn(|| self.caller.event()));
            while let Some(datagram) = self.caller.transmit(now) {
                if !lost(true) {
                    self.to_listener.push((now + 5 * MS, datagram));
                }
            }
            while let Some((to, datagram)) = self.listener.transmit() {
                assert_eq!(to, caller_address());
                if !lost(false) {
                    self.to_caller.push((now + 5 * MS, datagram));
                }
            }
        }
    }

    fn ended(&self) -> Option<Ending> {
        self.caller_events.iter().find_map(|event| match event {
            CallerEvent::Ended(ending) => Some(*ending),
            _ => None,
        })
    }
}

fn due(queue: &mut Vec<(Instant, Vec<u8>)>, now: Instant) -> Vec<Vec<u8>> {
    let (ready, later) = std::mem::take(queue).into_iter().partition(|(at, _)| *at <= now);
    *queue = later;
    let ready: Vec<(Instant, Vec<u8>)> = ready;
    ready.into_iter().map(|(_, datagram)| datagram).collect()
}

fn never(_: bool) -> bool {
    false
}

/// Loses about one datagram in `n`, the same ones each time.
fn one_in(n: u32) -> impl FnMut(bool) -> bool {
    let mut state = 0x2545_f491_u32;
    move |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.is_multiple_of(n)
    }
}

#[test]
fn both_phases_are_told_apart_and_the_latency_is_the_larger() {
    let listener = ListenerOptions { latency: 300 * MS, ..ListenerOptions::default() };
    let mut rig = Rig::new(options(), &listener);
    rig.run(50, never);
    let [CallerEvent::Inducted(induction), CallerEvent::Connected(conclusion)] = rig.caller_events[..] else {
        panic!("{:?}", rig.caller_events)
    };
    assert!(induction.is_srt());
    assert_eq!((induction.version, induction.packets, induction.advertised_key), (5, 1, None));
    assert_eq!((conclusion.latency, conclusion.encrypted, conclusion.packets), (300 * MS, false, 1));
    assert_eq!((rig.calls[0].stream_id.as_slice(), rig.calls[0].peer), (&b"live/main"[..], caller_address()));
    assert_eq!(rig.caller.counts().handshake_packets, 2);
}

#[test]
fn each_refusal_of_a_passphrase_has_its_name() {
    let refused = |caller: Option<Secret>, listener: &ListenerOptions| {
        let mut rig = Rig::new(CallerOptions { passphrase: caller, ..options() }, listener);
        rig.run(50, never);
        rig.ended()
    };
    assert_eq!(refused(Some(secret("correct horse")), &locked()), None);
    assert_eq!(
        refused(Some(secret("wrong battery")), &locked()),
        Some(Ending::Rejected(Rejection::BAD_SECRET))
    );
    assert_eq!(refused(None, &locked()), Some(Ending::Rejected(Rejection::UNSECURE)));
    let open = ListenerOptions::default();
    assert_eq!(refused(Some(secret("correct horse")), &open), Some(Ending::Rejected(Rejection::UNSECURE)));
    assert_eq!(Rejection::BAD_SECRET.name(), Some("bad secret"));
    assert_eq!((Rejection::UNSECURE.code(), Rejection::from_code(987).name()), (11, None));
}

#[test]
fn the_key_length_that_the_listener_advertises_is_taken() {
    for (asked, advertised) in
        [(None, KeyLength::Aes256), (None, KeyLength::Aes128), (Some(KeyLength::Aes256), KeyLength::Aes256)]
    {
        let listener = ListenerOptions { key: advertised, ..locked() };
        let caller = CallerOptions { passphrase: Some(secret("correct horse")), key: asked, ..options() };
        let mut rig = Rig::new(caller, &listener);
        rig.run(50, never);
        let [CallerEvent::Inducted(induction), CallerEvent::Connected(conclusion)] = rig.caller_events[..]
        else {
            panic!("{:?}", rig.caller_events)
        };
        assert_eq!(induction.advertised_key, Some(advertised));
        assert!(conclusion.encrypted);
    }
}

#[test]
fn a_service_refuses_in_its_own_words() {
    for why in [Rejection::UNAUTHORISED, Rejection::OVERLOAD, Rejection::NOT_FOUND, Rejection::CONFLICT] {
        let mut rig = Rig::new(options(), &ListenerOptions::default());
        rig.answer = Some(why);
        rig.run(50, never);
        assert_eq!(rig.ended(), Some(Ending::Rejected(why)));
        assert!(why.name().is_some());
    }
}

#[test]
fn induction_alone_gives_nothing_away() {
    let caller =
        CallerOptions { passphrase: Some(secret("correct horse")), induction_only: true, ..options() };
    let mut rig = Rig::new(caller, &locked());
    rig.run(1000, never);
    assert!(matches!(rig.caller_events[..], [CallerEvent::Inducted(_)]), "{:?}", rig.caller_events);
    assert_eq!((rig.heard.0.len(), rig.heard.1.len(), rig.calls.len()), (1, 1, 0));
    assert_eq!((rig.heard.0[0].len(), rig.caller.next_time()), (64, None));
}

#[test]
fn silence_names_its_phase() {
    let mut rig = Rig::new(options(), &ListenerOptions::default());
    rig.run(3100, |_| true);
    assert_eq!(rig.caller_events, [CallerEvent::Ended(Ending::Silent(Phase::Induction))]);
    assert_eq!(rig.caller.counts().handshake_packets, 12, "every 250 ms for 3 s");

    let mut rig = Rig::new(options(), &ListenerOptions::default());
    let mut replies = 0;
    rig.run(3200, |to_listener| {
        replies += u32::from(!to_listener);
        !to_listener && replies > 1
    });
    assert!(matches!(
        rig.caller_events[..],
        [CallerEvent::Inducted(_), CallerEvent::Ended(Ending::Silent(Phase::Conclusion))]
    ));
}

#[test]
fn media_survives_loss_and_is_counted() {
    for passphrase in [None, Some(secret("correct horse"))] {
        let latency = 800 * MS;
        let listener =
            ListenerOptions { passphrase: passphrase.clone(), latency, ..ListenerOptions::default() };
        let mut rig = Rig::new(CallerOptions { passphrase, latency, ..options() }, &listener);
        let mut fate = one_in(7);
        rig.run(2500, &mut fate);
        assert!(matches!(rig.caller_events.last(), Some(CallerEvent::Connected(_))));
        for n in 0..500_u32 {
            rig.caller.send(rig.now, vec![n.to_be_bytes()[3]; LIVE_PAYLOAD]).unwrap();
            rig.run(4, &mut fate);
        }
        rig.run(1500, &mut fate);
        let counts = rig.listener.counts(rig.accepted.unwrap()).unwrap();
        assert_eq!((counts.packets, counts.bytes), (500, 500 * LIVE_PAYLOAD as u64));
        assert!(counts.lost > 20 && counts.dropped == 0, "{counts:?}");
        let sent = rig.caller.counts();
        assert!(sent.sent_packets > 500 && sent.loss_reports > 0, "{sent:?}");
        assert!(sent.acknowledged_packets >= 450, "the last acknowledgements may be lost: {sent:?}");
        rig.caller.stop(rig.now);
        rig.run(20, never);
        assert_eq!((rig.ended(), rig.left.len()), (Some(Ending::Stopped), 1));
        assert_eq!(rig.left[0].packets, 500);
    }
}

#[test]
fn the_listener_can_hang_up() {
    let mut rig = Rig::new(options(), &ListenerOptions::default());
    rig.run(50, never);
    assert_eq!(rig.listener.close(rig.accepted.unwrap(), rig.now), Some(Counts::default()));
    rig.run(50, never);
    assert_eq!((rig.ended(), rig.listener.connected()), (Some(Ending::Shutdown), 0));
    assert_eq!(rig.caller.send(rig.now, vec![0; 9]), Err(NotSent::Closed));
}

#[test]
fn the_listener_can_say_why_it_hangs_up() {
    for gone in 0..2 {
        let mut rig = Rig::new(options(), &ListenerOptions::default());
        rig.run(50, never);
        assert_eq!(rig.listener.fail(rig.accepted.unwrap(), 4711, rig.now), Some(Counts::default()));
        let mut to_caller = 0;
        rig.run(50, |to_listener| {
            to_caller += u32::from(!to_listener);
            !to_listener && to_caller <= gone
        });
        assert_eq!((rig.ended(), rig.listener.connected()), (Some(Ending::PeerError(4711)), 0));
    }
}

#[test]
fn a_full_listener_says_so() {
    let mut rig = Rig::new(options(), &ListenerOptions { max_callers: 0, ..ListenerOptions::default() });
    rig.run(50, never);
    assert_eq!(rig.ended(), Some(Ending::Rejected(Rejection::BACKLOG)));
}

#[test]
fn what_is_not_srt_is_kept_as_evidence() {
    let mut rig = Rig::new(options(), &ListenerOptions::default());
    rig.run(2, never);
    rig.caller.receive(rig.now, listener_address(), b"HTTP/1.1 400 Bad Request\r\n");
    rig.caller.receive(rig.now, listener_address(), &[0xff; 9000]);
    rig.caller.receive(rig.now, "192.0.2.9:9000".parse().unwrap(), b"elsewhere");
    assert_eq!(rig.caller.counts().foreign, 2);
    assert!(rig.caller.foreign().unwrap().starts_with(b"HTTP/1.1 400"));
    rig.run(50, never);
    assert!(rig.caller_events.len() == 2, "strangers do not disturb: {:?}", rig.caller_events);
}

#[test]
fn options_that_cannot_work_are_refused() {
    let refused = |options: CallerOptions| Caller::new(options, listener_address(), 1, Instant::now()).err();
    assert_eq!(refused(options()), None);
    let with = |change: fn(&mut CallerOptions)| {
        let mut changed = options();
        change(&mut changed);
        refused(changed)
    };
    assert_eq!(with(|o| o.stream_id = Some(secret(&"x".repeat(513)))), Some(BadOptions::StreamId));
    assert_eq!(with(|o| o.passphrase = Some(secret("short"))), Some(BadOptions::Passphrase));
    assert_eq!(with(|o| o.key = Some(KeyLength::Aes192)), Some(BadOptions::KeyLength));
    assert_eq!(with(|o| o.latency = Duration::from_secs(99)), Some(BadOptions::Range));
    assert_eq!(with(|o| o.payload_bytes = 1457), Some(BadOptions::Range));
    let nowhere = Caller::new(options(), "0.0.0.0:9000".parse().unwrap(), 1, Instant::now());
    assert_eq!(nowhere.err(), Some(BadOptions::Peer));
    let bad = ListenerOptions { passphrase: Some(secret("short")), ..ListenerOptions::default() };
    assert_eq!(Listener::new(&bad, Instant::now()).err(), Some(BadOptions::Passphrase));
}

/// A call as a listener announces it.
fn called() -> Call {
    let mut rig = Rig::new(options(), &ListenerOptions::default());
    rig.run(50, never);
    rig.calls.remove(0)
}

#[test]
fn secrets_do_not_show() {
    let caller = CallerOptions { passphrase: Some(secret("canary-4711")), ..options() };
    let rig = Rig::new(caller.clone(), &locked());
    let call = Call { stream_id: b"live/main".to_vec(), ..called() };
    let shown = format!("{caller:?} {:?} {:?} {:?} {call:?}", locked(), rig.caller, rig.listener);
    for canary in ["canary-4711", "correct horse", "live/main", "108, 105, 118, 101"] {
        assert!(!shown.contains(canary), "{canary}: {shown}");
    }
}
