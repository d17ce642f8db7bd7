//! Real streams over lines whose effect is known.

use std::time::Duration;

use crate::ground::namespace::Namespace;
use crate::ground::quiet::quiet;
use crate::truth::survival::Detail;
use crate::truth::{Outcome, Protocol, Receiver, Stream, Survival, carry, over_cubic};

const RTMP: Stream = Stream { protocol: Protocol::Rtmp, kbps: 4160, seconds: 10, latency_ms: 0, check: None };
const SRT: Stream = Stream { protocol: Protocol::Srt, kbps: 4160, seconds: 10, latency_ms: 120, check: None };

/// A laptop and a platform on one cable.
struct Cable {
    laptop: Namespace,
    platform: Namespace,
    receiver: Receiver,
}

impl Cable {
    fn lay() -> Self {
        let (laptop, platform) = (Namespace::new(), Namespace::new());
        Namespace::join(
            (&laptop, "lan0", &["198.51.100.1/24", "2001:db8::1/64"]),
            (&platform, "wan0", &["198.51.100.2/24", "2001:db8::2/64"]),
        );
        over_cubic(&laptop, "198.51.100.0/24", None, "lan0");
        let receiver = Receiver::start(&platform, 1935, 9000);
        Self { laptop, platform, receiver }
    }

    /// What the platform's side does with what comes, as rules of nftables.
    fn rule(&self, rule: &str) {
        self.platform.rules(&format!(
            "table inet line\nflush table inet line\ntable inet line {{\nchain in {{\n\
             type filter hook input priority 0\n{rule}\n}}\n}}\n"
        ));
    }

    fn carry(&self, stream: &Stream) -> Survival {
        carry(&self.laptop, &self.receiver, "198.51.100.2", stream)
    }
}

#[test]
fn a_clean_cable_carries_both_protocols_on_both_families() {
    let _quiet = quiet();
    let cable = Cable::lay();
    let rtmp = cable.carry(&RTMP);
    eprintln!("{} {}", rtmp.summary(), serde_json::to_string(&rtmp).unwrap());
    assert_eq!(rtmp.outcome, Outcome::Survived, "{rtmp:?}");
    let Detail::Rtmp(detail) = &rtmp.detail else { panic!("{rtmp:?}") };
    assert_eq!(detail.socket.congestion_control, "cubic");
    assert!(detail.lag.most_s < 0.3 && detail.dropped.lost == 0, "{rtmp:?}");
    assert!((detail.delivered_s - 10.0).abs() < 1.0, "{rtmp:?}");
    let srt = cable.carry(&SRT);
    eprintln!("{} {}", srt.summary(), serde_json::to_string(&srt).unwrap());
    assert_eq!(srt.outcome, Outcome::Survived, "{srt:?}");
    let Detail::Srt(detail) = &srt.detail else { panic!("{srt:?}") };
    assert!(detail.recording.pictures > 190 && detail.recording.damaged == 0, "{srt:?}");
    let other = carry(&cable.laptop, &cable.receiver, "2001:db8::2", &Stream { seconds: 4, ..SRT });
    assert_eq!(other.outcome, Outcome::Survived, "{other:?}");
}

#[test]
fn a_stream_over_another_congestion_control_is_no_truth() {
    let _quiet = quiet();
    let cable = Cable::lay();
    cable.laptop.ip(&["route", "replace", "198.51.100.0/24", "dev", "lan0", "congctl", "reno"]);
    let survival = cable.carry(&Stream { kbps: 1500, seconds: 4, ..RTMP });
    assert_eq!(survival.outcome, Outcome::Invalid, "{survival:?}");
    assert!(survival.reasons[0].contains("over reno"), "{survival:?}");
}

#[test]
fn what_cannot_connect_has_died() {
    let _quiet = quiet();
    let cable = Cable::lay();
    cable.rule("tcp dport 1935 reject with tcp reset\nudp dport 9000 drop");
    for stream in [RTMP, SRT] {
        let survival = cable.carry(&Stream { kbps: 1500, ..stream });
        assert_eq!(survival.outcome, Outcome::Died, "{survival:?}");
        assert!(survival.reasons[0].starts_with("no connection"), "{survival:?}");
    }
}

#[test]
fn an_outage_costs_its_length_and_a_cut_connection_ends_the_stream() {
    let _quiet = quiet();
    let cable = Cable::lay();
    let during = |after_ms, rule: &'static str, lasting_ms, stream: &Stream| {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(after_ms));
                cable.rule(rule);
                std::thread::sleep(Duration::from_millis(lasting_ms));
                cable.rule("");
            });
            cable.carry(stream)
        })
    };
    let outage = during(5000, "drop", 2000, &Stream { seconds: 12, ..RTMP });
    eprintln!("{} {}", outage.summary(), serde_json::to_string(&outage).unwrap());
    let Detail::Rtmp(detail) = &outage.detail else { panic!("{outage:?}") };
    // A retransmission after the outage waits for its timer: 0.3 to 0.4 s more (evidence.md).
    assert!((1.9..3.6).contains(&detail.longest_gap_s), "{outage:?}");
    assert!(detail.lag.end_s < 0.3, "{outage:?}");
    assert_eq!((outage.outcome, outage.marginal), (Outcome::Died, false), "{outage:?}");
    let cut = during(4000, "tcp dport 1935 reject with tcp reset", 2000, &Stream { seconds: 8, ..RTMP });
    assert!(cut.reasons[0].starts_with("the connection broke"), "{cut:?}");
}
