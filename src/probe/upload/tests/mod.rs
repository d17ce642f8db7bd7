//! Tests of the pure parts.

mod changes;
mod counting;
mod early;
mod judging;
mod streams;
mod targets;

use proptest::prelude::*;

use super::kernel::Kernel;
use super::series::{longest_stall_ms, percentile};
use super::tally::Tally;
use super::*;
use crate::model::{
    AtLeast, AtMost, Contact, Effect, HostPort, Pin, Secret, SecretSource, StreamName, StreamNeed, WireText,
};
use crate::net::congestion::Congestion;
use crate::net::tcp_info::TcpInfo;
use crate::wire::control;
use crate::wire::http::Verb;

/// Bytes of a slot at a rate.
const fn slot(kbps: u64) -> u64 {
    kbps * SLOT_MS as u64 / 8
}

fn rates(slots: &[u64]) -> Option<series::Rates> {
    series::rates(slots, SLOT_MS)
}

fn steady(kbps: u64, seconds: usize) -> Vec<u64> {
    vec![slot(kbps); seconds * 10]
}

fn reading(arrived_bytes: Vec<u64>) -> Reading {
    let contact =
        Contact { remote: "192.0.2.1:7000".parse().unwrap(), local: None, offset_ms: 0.0, took_ms: 20.0 };
    Reading {
        method: "one TCP connection, counted by the far end".into(),
        way: Way::FarEnd,
        far_end: Some(FarEndName::new("cloud").unwrap()),
        server: String::new(),
        transport: Over::Tcp,
        streams: 1,
        vantage: Vantage::Receiver,
        attempts: vec![Attempt { contact: contact.clone(), failure: None }],
        data: contact,
        seen_as: None,
        asked_seconds: u32::try_from(arrived_bytes.len() / 10).unwrap(),
        at_most_kbps: 20_000,
        congestion_asked: Congestion::Cubic,
        congestion: Some("cubic".into()),
        slot_ms: SLOT_MS,
        arrived_bytes,
        packets: None,
        gaps: Vec::new(),
        gaps_left_out: 0,
        idle_rtt_ms: vec![20.0; 10],
        loaded_rtt: (0..30).map(|n| LoadedRtt { offset_ms: f64::from(n) * 1000.0, rtt_ms: 30.0 }).collect(),
        responsiveness: None,
        sender: Sender {
            written_bytes: 1_000_000,
            sent_bytes: Some(1_000_000),
            resent_bytes: Some(1_000),
            busy_ms: Some(10_000.0),
            receiver_limited_ms: Some(0.0),
            buffer_limited_ms: Some(0.0),
            late_ms: 2.0,
            paced: true,
            seconds: Vec::new(),
        },
        total: None,
        datagrams: None,
        answer: None,
        far_end_late_ms: Some(2),
        ending: Ending::Complete,
    }
}

fn limits() -> Limits {
    Limits {
        rate_kbps: Some(AtLeast(9_000)),
        worst_10s_kbps: Some(AtLeast(9_000)),
        stream_kbps: None,
        stream_latency_ms: None,
        lost_pictures_share: None,
        gap_risk: None,
        stream_s: None,
        stall_ms: Some(AtMost(1_000)),
        gaps_over_200ms: Some(AtMost(5)),
        gaps_over_700ms: Some(AtMost(1)),
        gaps_over_2s: Some(AtMost(0)),
        loaded_rtt_ms: Some(AtMost(150.0)),
        retransmit_share: Some(AtMost(0.01)),
        responsiveness_rpm: None,
        loss_share: None,
        duration_s: Some(AtLeast(30)),
    }
}

fn effect_of(reading: &Reading, code: &str) -> Effect {
    let findings = Upload::judge(&limits(), reading);
    for finding in &findings {
        assert!(Upload::CODES.iter().any(|code| code.id == finding.code), "{finding:?}");
        assert_eq!(finding.remedy.is_empty(), finding.effect == Effect::Pass, "{finding:?}");
    }
    let found = findings.iter().find(|finding| finding.code == code);
    found.unwrap_or_else(|| panic!("no {code} in {findings:#?}")).effect
}

proptest! {
    #[test]
    fn any_series_is_judged_without_a_panic(
        slots in prop::collection::vec(prop_oneof![0_u64..1_000_000, Just(u64::MAX)], 0..700),
        gaps in prop::collection::vec((any::<u64>(), any::<u64>()), 0..5),
        late in any::<u64>(),
    ) {
        let gaps = gaps.into_iter().map(|(at_ms, ms)| Gap { at_ms, ms }).collect();
        let reading = Reading { gaps, far_end_late_ms: Some(late), gaps_left_out: late, ..reading(slots) };
        prop_assert!(!Upload::judge(&limits(), &reading).is_empty());
        if let Some(rates) = reading.rates() {
            prop_assert!(rates.min_kbps <= rates.p5_kbps && rates.p5_kbps <= rates.median_kbps);
            prop_assert!(rates.lasting_kbps <= rates.p5_kbps);
        }
    }

    #[test]
    fn less_arriving_never_helps(slots in prop::collection::vec(0_u64..200_000, 30..300), at in any::<prop::sample::Index>()) {
        let before = rates(&slots).unwrap();
        let mut less = slots.clone();
        less[at.index(slots.len())] = 0;
        prop_assert!(rates(&less).unwrap().p5_kbps <= before.p5_kbps);
    }
}
