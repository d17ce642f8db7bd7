use std::time::Duration;

use proptest::prelude::*;

use super::*;

const MS: Duration = Duration::from_millis(1);

fn sender() -> SenderPacket {
    SenderPacket {
        sequence: 0x0102_0304,
        sent: Ntp::from_bits(0x0506_0708_090a_0b0c),
        error: ErrorEstimate::UNSYNCHRONISED,
        ssid: 0x0d0e,
    }
}

#[test]
fn the_sender_packet_is_laid_out_as_in_the_rfc() {
    let bytes = sender().encode(44);
    assert_eq!(bytes.len(), 44);
    assert_eq!(bytes[..16], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 22, 1, 13, 14]);
    assert!(bytes[16..].iter().all(|byte| *byte == 0));
    assert_eq!(SenderPacket::parse(&bytes), Ok(sender()));
}

#[test]
fn padding_is_an_extra_padding_tlv() {
    for (asked, got) in [(0, 44), (44, 44), (47, 47), (48, 48), (1360, 1360), (9000, MAX_BYTES)] {
        let bytes = sender().encode(asked);
        assert_eq!(bytes.len(), got);
        if got >= 48 {
            let length = u16::try_from(got - 48).unwrap().to_be_bytes();
            assert_eq!(bytes[44..48], [0x80, 1, length[0], length[1]]);
        }
    }
}

#[test]
fn the_answer_is_as_large_as_the_request_and_copies_it() {
    for size in [44, 46, 48, 200, MAX_BYTES] {
        let request = sender().encode(size);
        let (t2, t3) = (Ntp::from_unix_ns(5), Ntp::from_unix_ns(9));
        let bytes = ReflectorPacket::answer(&request, 7, t2, t3).unwrap();
        assert_eq!(bytes.len(), size);
        let answer = ReflectorPacket::parse(&bytes).unwrap();
        assert_eq!((answer.sequence, answer.sender_sequence), (7, sender().sequence));
        assert_eq!((answer.received, answer.reflected, answer.sender_sent), (t2, t3, sender().sent));
        assert_eq!((answer.ssid, answer.sender_error, answer.sender_ttl), (0x0d0e, sender().error, 255));
        assert_eq!(answer.encode(), bytes[..BASE_BYTES]);
        if size >= 48 {
            assert_eq!(bytes[44..46], [0, 1], "a TLV that is understood has its U flag cleared");
        }
    }
    assert!(
        ReflectorPacket::answer(&vec![0; MAX_BYTES + 1], 0, Ntp::from_bits(0), Ntp::from_bits(0)).is_err()
    );
}

#[test]
fn every_prefix_is_refused_until_it_is_whole() {
    let (request, t) = (sender().encode(60), Ntp::from_bits(0));
    for cut in 0..request.len() {
        let whole = cut >= BASE_BYTES;
        assert_eq!(SenderPacket::parse(&request[..cut]).is_ok(), whole, "{cut}");
        assert_eq!(ReflectorPacket::parse(&request[..cut]).is_ok(), whole, "{cut}");
        assert_eq!(ReflectorPacket::answer(&request[..cut], 0, t, t).is_ok(), whole, "{cut}");
    }
}

/// A packet that asks for EF, and its answer by a reflector that got it with this DS field.
fn asked_for_ef(size: usize, field: Option<u8>) -> (Vec<u8>, Answer) {
    let request = sender().encode_asking(size, Some(46));
    let receipt = Receipt { received: Ntp::from_unix_ns(5), ttl: Some(61), field };
    let answer = ReflectorPacket::answer_to(&request, 7, receipt, Ntp::from_unix_ns(9)).unwrap();
    (request, answer)
}

#[test]
fn the_class_of_service_is_laid_out_as_in_the_rfc() {
    let (request, answer) = asked_for_ef(100, Some(34 << 2 | 3));
    // U flag, type 4, length 4; DSCP1 46, DSCP2 0; then Extra Padding up to the size.
    assert_eq!(request[44..52], [0x80, 4, 0, 4, 0b1011_1000, 0, 0, 0]);
    assert_eq!((&request[52..56], request.len()), (&[0x80, 1, 0, 44][..], 100));
    // DSCP1 46, DSCP2 34, ECN 3, RP 0, and both extensions known.
    assert_eq!(answer.bytes[44..52], [0, 4, 0, 4, 0b1011_1010, 0b0010_1100, 0, 0]);
    assert_eq!((answer.bytes[52], answer.bytes.len(), answer.dscp), (0, 100, Some(46)));
    let told = ClassOfService { wanted: 46, arrived: 34, ecn: 3, reverse: 0 };
    assert_eq!(class_of_service(&answer.bytes, true), Some(told));
    assert_eq!(ReflectorPacket::parse(&answer.bytes).unwrap().sender_ttl, 61);
    assert_eq!(class_of_service(&request, true), None, "who leaves the flag set does not know it");
    assert!(class_of_service(&request, false).is_some_and(|asked| asked.wanted == 46));
}

#[test]
fn a_reflector_that_cannot_see_the_class_says_that_it_does_not_know() {
    let (_, answer) = asked_for_ef(100, None);
    assert_eq!((answer.bytes[44], answer.dscp), (0x80, None));
    assert_eq!(class_of_service(&answer.bytes, true), None);
}

#[test]
fn extensions_that_are_cut_or_strange_are_marked_and_copied() {
    let (whole, _) = asked_for_ef(60, Some(0));
    let receipt = Receipt { received: Ntp::from_bits(0), ttl: None, field: Some(184) };
    for cut in BASE_BYTES..whole.len() {
        let answer = ReflectorPacket::answer_to(&whole[..cut], 0, receipt, Ntp::from_bits(0)).unwrap();
        assert_eq!(answer.bytes.len(), cut, "an answer is as large as its request");
        assert_eq!(answer.dscp.is_some(), cut >= 52, "{cut}");
        assert_eq!(class_of_service(&answer.bytes, true).is_some(), cut >= 52, "{cut}");
        let flags = if cut < 48 {
            whole[44]
        } else if cut < 52 {
            0x40
        } else {
            0
        };
        assert!(cut == 44 || answer.bytes[44] == flags, "{cut}: {:#x}", answer.bytes[44]);
    }
    let mut strange = sender().encode(60);
    strange[44..46].copy_from_slice(&[0, 99]);
    let answer = ReflectorPacket::answer(&strange, 0, Ntp::from_bits(0), Ntp::from_bits(0)).unwrap();
    assert_eq!(answer[44..46], [0x80, 99]);
    let plain = [sender().encode(44), vec![0; 100]].concat();
    let answer = ReflectorPacket::answer(&plain, 0, Ntp::from_bits(0), Ntp::from_bits(0)).unwrap();
    assert!(answer[44..].iter().all(|byte| *byte == 0), "zeros are padding, no extension");
}

#[test]
fn times_in_the_format_of_ptp_are_read_as_such() {
    let mut bytes =
        ReflectorPacket::answer(&sender().encode(44), 0, Ntp::from_bits(0), Ntp::from_bits(0)).unwrap();
    bytes[12] |= 0x40;
    bytes[16..24].copy_from_slice(&[0, 0, 0, 9, 0x1d, 0xcd, 0x65, 0]); // 9.5 s
    bytes[4..12].copy_from_slice(&[0, 0, 0, 9, 0x1d, 0xdc, 0xa7, 0x40]); // 1 ms later
    let answer = ReflectorPacket::parse(&bytes).unwrap();
    assert_eq!(answer.reflected.since_ns(answer.received), 1_000_000);
}

#[test]
fn ntp_counts_from_1900_and_survives_its_wrap() {
    assert_eq!(Ntp::from_unix_ns(0).bits() >> 32, 2_208_988_800);
    assert_eq!(Ntp::from_unix_ns(500_000_000).bits() & 0xffff_ffff, 1 << 31);
    let wrap = (u64::from(u32::MAX) + 1 - 2_208_988_800) * 1_000_000_000;
    let (before, after) = (Ntp::from_unix_ns(wrap - 3_000_000), Ntp::from_unix_ns(wrap + 4_000_000));
    assert_eq!(after.since_ns(before), 7_000_000);
    assert_eq!(before.since_ns(after), -7_000_000);
}

#[test]
fn error_estimates_read_as_in_rfc_4656() {
    let mine = ErrorEstimate::UNSYNCHRONISED;
    assert!(!mine.synchronised() && !mine.ptp());
    assert!((mine.seconds().unwrap() - 2f64.powi(-10)).abs() < 1e-12);
    assert!(ErrorEstimate::from_bits(0xc000).synchronised());
    assert_eq!(ErrorEstimate::from_bits(0x8000).seconds(), None);
}

/// Sends `fates.len()` packets 10 ms apart; each fate is the round trip in ms, or loss.
fn play(fates: &[Option<u32>]) -> Session {
    let mut session = Session::new(fates.len());
    let mut replies = Vec::new();
    for (index, fate) in (0..).zip(fates) {
        let at = index * 10 * MS;
        let sequence = session.sent(at).unwrap();
        replies.extend(fate.map(|ms| (at + ms * MS, sequence)));
    }
    replies.sort_unstable();
    for (at, sequence) in replies {
        session.received(sequence, at, None);
    }
    session
}

#[test]
fn losses_bursts_and_percentiles_are_counted() {
    let mut fates = vec![Some(20); 100];
    fates[10] = None;
    fates[40..45].fill(None);
    fates[99] = None;
    fates[50] = Some(200);
    let statistics = play(&fates).statistics();
    assert_eq!((statistics.sent, statistics.received, statistics.lost), (100, 93, 7));
    assert_eq!((statistics.longest_burst, statistics.longest_burst_ms), (5, 50.0));
    let rtt = statistics.round_trip.unwrap();
    assert_eq!(
        (rtt.min_ms, rtt.p50_ms, rtt.p95_ms, rtt.p99_ms, rtt.max_ms),
        (20.0, 20.0, 20.0, 200.0, 200.0)
    );
    assert_eq!(statistics.reordered, 1, "packet 50 came after later ones");
    assert_eq!((statistics.jitter_out_ms, statistics.reflector_count), (None, None));
}

#[test]
fn a_loss_up_to_the_end_lasts_to_the_last_packet() {
    let statistics = play(&[Some(1), None, None, None]).statistics();
    assert_eq!((statistics.longest_burst, statistics.longest_burst_ms), (3, 20.0));
}

#[test]
fn nothing_answered_has_no_round_trip() {
    let statistics = play(&[None; 3]).statistics();
    assert_eq!((statistics.round_trip, statistics.lost, statistics.longest_burst), (None, 3, 3));
    assert_eq!(Session::new(5).statistics(), Statistics::default());
}

#[test]
fn jitter_follows_rfc_3550() {
    assert!(play(&[Some(20); 50]).statistics().jitter_ms.abs() < 1e-9);
    // |D| is 4 ms each time: J = 4 × (1 − (15/16)^n).
    let alternating: Vec<_> = (0..50).map(|n| Some(if n % 2 == 0 { 20 } else { 24 })).collect();
    let expected = 4.0 * (1.0 - (15.0f64 / 16.0).powi(49));
    assert!((play(&alternating).statistics().jitter_ms - expected).abs() < 1e-6);
}

#[test]
fn each_way_is_told_apart_whatever_the_clocks_say() {
    // The reflector's clock is 3 years off; the way out varies by 8 ms, the way back does not.
    let offset = 94_608_000_000_000_000_u64;
    let mut session = Session::new(40);
    for n in 0..40_u32 {
        let sent = n * 20 * MS;
        let sequence = session.sent(sent).unwrap();
        let arrived = sent + if n % 2 == 0 { 10 * MS } else { 18 * MS };
        let left = arrived + MS;
        let ntp = |at: Duration| Ntp::from_unix_ns(offset + u64::try_from(at.as_nanos()).unwrap());
        let bytes = ReflectorPacket::answer(&sender().encode(44), sequence, ntp(arrived), ntp(left)).unwrap();
        let reply = ReflectorPacket::parse(&bytes).unwrap();
        let Arrival::First(rtt) = session.received(sequence, left + 10 * MS, Some(&reply)) else { panic!() };
        let expected = if n % 2 == 0 { 20 * MS } else { 28 * MS };
        assert!(rtt.abs_diff(expected) < Duration::from_micros(1), "1 ms inside the reflector is taken off");
    }
    let statistics = session.statistics();
    assert!(statistics.jitter_out_ms.unwrap() > 7.0 && statistics.jitter_back_ms.unwrap() < 0.01);
    assert_eq!(statistics.reflector_count, Some(40));
}

#[test]
fn duplicates_strangers_and_lies_do_no_harm() {
    let mut session = Session::new(2);
    assert_eq!((session.sent(MS), session.sent(2 * MS), session.sent(3 * MS)), (Some(0), Some(1), None));
    let (early, late) = (Ntp::from_unix_ns(0), Ntp::from_unix_ns(3_600_000_000_000));
    let bytes = ReflectorPacket::answer(&sender().encode(44), u32::MAX, early, late).unwrap();
    let lie = ReflectorPacket::parse(&bytes).unwrap();
    assert_eq!(session.received(0, 5 * MS, Some(&lie)), Arrival::First(4 * MS), "an hour inside is no hour");
    assert_eq!(session.received(0, 6 * MS, Some(&lie)), Arrival::Duplicate);
    assert_eq!(session.received(2, 6 * MS, None), Arrival::Unknown);
    let statistics = session.statistics();
    assert_eq!((statistics.duplicates, statistics.unknown, statistics.reflector_count), (1, 1, None));
    session.unsent();
    session.unsent();
    assert_eq!(session.statistics().sent, 1, "an answered packet was sent");
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000), at in any::<u32>()) {
        let _ = SenderPacket::parse(&bytes);
        let receipt = Receipt { received: Ntp::from_bits(0), ttl: None, field: Some(at.to_be_bytes()[0]) };
        let reflected = Ntp::from_bits(u64::MAX);
        let answer = ReflectorPacket::answer_to(&bytes, at, receipt, reflected).map(|answer| answer.bytes);
        let _ = (class_of_service(&bytes, false), class_of_service(&bytes, true));
        if let Ok(answer) = answer {
            prop_assert_eq!(answer.len(), bytes.len());
        }
        let mut session = Session::new(3);
        session.sent(Duration::from_secs(1));
        if let Ok(reply) = ReflectorPacket::parse(&bytes) {
            for sequence in [0, 0, reply.sequence, reply.sender_sequence] {
                session.received(sequence, Duration::from_micros(at.into()), Some(&reply));
            }
        }
        let statistics = session.statistics();
        prop_assert!(statistics.jitter_ms.is_finite() && statistics.longest_burst_ms.is_finite());
    }

    #[test]
    fn packets_survive_there_and_back(sequence: u32, sent: u64, error: u16, ssid: u16, size in 0usize..3000) {
        let packet = SenderPacket {
            sequence, sent: Ntp::from_bits(sent), error: ErrorEstimate::from_bits(error), ssid,
        };
        prop_assert_eq!(SenderPacket::parse(&packet.encode(size)), Ok(packet));
    }

    #[test]
    fn ntp_keeps_nanoseconds(a in 0u64..4_000_000_000_000_000_000, d in 0u64..1_000_000_000_000) {
        let since = Ntp::from_unix_ns(a + d).since_ns(Ntp::from_unix_ns(a));
        prop_assert!(since.abs_diff(d.cast_signed()) <= 1);
    }

    #[test]
    fn books_balance(fates in proptest::collection::vec(proptest::option::of(0u32..500), 0..200)) {
        let statistics = play(&fates).statistics();
        prop_assert_eq!(statistics.received + statistics.lost, fates.len() as u64);
        prop_assert!(statistics.longest_burst <= statistics.lost);
        prop_assert!(statistics.reordered <= statistics.received);
    }
}
