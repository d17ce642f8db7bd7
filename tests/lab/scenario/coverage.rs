//! Which finding codes no scenario shows.

use std::collections::BTreeSet;

use golive::probe::Kind;

use super::format::Scenario;

/// Codes that no network can bring about, each with the place where it is tested instead.
const NOT_OF_A_NETWORK: &[(&str, &str)] = &[
    ("port.not_expected", "golive refuses a policy that doesn't say: src/probe/port/tests.rs"),
    ("judge.mismatch", "a stored report that was put together wrongly: src/judge/tests.rs"),
    ("judge.empty", "a reading without content, from a later version: src/judge/tests.rs"),
    ("upload.ended_early", "judged by other limits than it was measured for: src/probe/upload/tests"),
    ("upload.loaded_rtt_unknown", "a system without TCP_INFO: src/probe/upload/tests"),
    ("upload.rate_fell", "a fall that nothing explains: src/probe/upload/tests"),
    ("upload.queue_filled", "takes minutes: src/probe/upload/tests"),
    ("upload.held_up_by_receiver", "src/probe/upload/tests"),
    ("upload.held_up_by_sender", "src/probe/upload/tests"),
    ("upload.responsiveness_unknown", "a limit that the method cannot tell: src/probe/upload/tests"),
    ("upload.loss_unknown", "a limit of datagrams over TCP: src/probe/upload/tests"),
    ("upload.count_contradicted", "something that acknowledges: src/probe/upload/tests"),
    ("upload.count_late", "a server that answers late: src/probe/upload/tests"),
    ("upload.retransmits_unknown", "a system without TCP_INFO: src/probe/upload/tests"),
    ("rehearsal.refused", "an ingest that consents and says no later: src/probe/rehearsal/tests.rs"),
    ("rehearsal.broken", "an ingest that breaks its own protocol: src/probe/rehearsal/tests.rs"),
    ("rehearsal.silent", "races with rehearsal.send_timed_out: src/probe/rehearsal/tests.rs"),
    ("path.uneven", "a laptop too busy whose kernel notes no times: src/probe/path/tests"),
    ("clock.synchronised", "this machine's own kernel: src/probe/clock/tests.rs"),
    ("clock.unsynchronised", "this machine's own kernel: src/probe/clock/tests.rs"),
    ("clock.synchronisation_unknown", "a system that does not tell: src/probe/clock/tests.rs"),
    ("session.too_short", "judged by other limits than it was measured for: src/probe/session/tests.rs"),
    ("rist.answers", "against ristreceiver: tests/lab/probes/rist.rs"),
    ("rist.silent", "against ristreceiver: tests/lab/probes/rist.rs"),
    ("rist.other_secret", "a receiver that answers in spite of it: src/probe/rist/tests.rs"),
    ("rist.refused", "against ristreceiver: tests/lab/probes/rist.rs"),
    ("rist.prohibited", "against ristreceiver: tests/lab/probes/rist.rs"),
    ("rist.unreachable", "src/probe/rist/tests.rs"),
    ("rist.local_policy", "src/probe/rist/tests.rs"),
    ("rist.no_address", "src/probe/rist/tests.rs"),
    ("rist.not_rist", "src/probe/rist/tests.rs"),
    ("rist.round_trip", "src/probe/rist/tests.rs"),
    ("rist.round_trip_long", "src/probe/rist/tests.rs"),
    ("rist.no_echo", "a receiver without echo: src/probe/rist/tests.rs"),
    ("whip.published", "against aiortc: tests/lab/probes/whip.rs"),
    ("whip.answers", "against aiortc: tests/lab/probes/whip.rs"),
    ("whip.unproven", "src/probe/whip/tests.rs"),
    ("whip.no_address", "src/probe/whip/tests.rs"),
    ("whip.not_connected", "src/probe/whip/tests.rs"),
    ("whip.local_policy", "src/probe/whip/tests.rs"),
    ("whip.tls_failed", "src/probe/whip/tests.rs"),
    ("whip.untrusted", "src/probe/whip/tests.rs"),
    ("whip.intercepted", "src/probe/whip/tests.rs"),
    ("whip.unanswered", "src/probe/whip/tests.rs"),
    ("whip.unauthorised", "against aiortc: tests/lab/probes/whip.rs"),
    ("whip.not_whip", "against aiortc: tests/lab/probes/whip.rs"),
    ("whip.moved", "against aiortc: tests/lab/probes/whip.rs"),
    ("whip.offer_refused", "src/probe/whip/tests.rs"),
    ("whip.server_failed", "src/probe/whip/tests.rs"),
    ("whip.no_codec", "src/probe/whip/tests.rs"),
    ("whip.no_candidate", "src/probe/whip/tests.rs"),
    ("whip.ice_silent", "against aiortc: tests/lab/probes/whip.rs"),
    ("whip.ice_barred", "against aiortc: tests/lab/probes/whip.rs"),
    ("whip.only_relayed", "against aiortc and coturn: tests/lab/probes/whip.rs"),
    ("whip.relay_failed", "src/probe/whip/tests.rs"),
    ("whip.dtls_failed", "src/probe/whip/tests.rs"),
    ("whip.cut", "src/probe/whip/tests.rs"),
    ("whip.media_lost", "src/probe/whip/tests.rs"),
    ("whip.unreported", "src/probe/whip/tests.rs"),
    ("whip.in_time", "against aiortc: tests/lab/probes/whip.rs"),
    ("whip.slow", "src/probe/whip/tests.rs"),
    ("whip.round_trip", "against aiortc: tests/lab/probes/whip.rs"),
    ("whip.round_trip_long", "src/probe/whip/tests.rs"),
    ("whip.loss", "against aiortc: tests/lab/probes/whip.rs"),
    ("whip.loss_high", "src/probe/whip/tests.rs"),
    ("whip.not_deleted", "src/probe/whip/tests.rs"),
    ("tls.far_end_intercepted", "somebody in between on the far end's side: src/probe/tls/judge/tests.rs"),
    ("firewall.not_expected", "golive refuses a policy that doesn't say: src/probe/firewall/tests.rs"),
    ("link.slow", "an emulated cable is always fast: src/probe/link/tests.rs"),
    ("link.other_duplex", "an emulated cable is at full duplex: src/probe/link/tests.rs"),
    ("link.errors", "an emulated cable makes no errors: src/probe/link/tests.rs"),
    ("link.power_saving", "an emulated cable's device has no power: src/probe/link/tests.rs"),
    ("link.awake", "the same"),
    ("web.other_page", "what web servers send: tests/lab/probes/web.rs"),
    ("web.killed", "a server that says nothing: src/probe/web/tests.rs"),
    ("web.blocked", "the same"),
    ("web.portal", "the same"),
    ("web.moved", "the same"),
    ("web.refused", "the same"),
    ("web.untrusted", "the same"),
    ("web.slow", "the same"),
    ("web.plays", "the same"),
    ("web.no_playlist", "the same"),
    ("web.content_type", "the same"),
    ("web.cors", "the same"),
    ("web.no_segment", "the same"),
    ("web.not_media", "the same"),
    ("web.moves", "the same"),
    ("web.stands", "the same"),
    ("web.not_as_planned", "the same"),
    ("web.downlink", "the same"),
    ("web.downlink_thin", "the same"),
    ("web.downlink_unknown", "the same"),
    ("judge.future", "a report judged as of a time before it: src/judge/tests.rs"),
];

/// Every code that golive has and no scenario expects.
pub fn without_scenario(scenarios: &[Scenario]) -> Vec<&'static str> {
    let shown: BTreeSet<&str> = scenarios.iter().flat_map(|scenario| scenario.expect.codes()).collect();
    let elsewhere: BTreeSet<&str> = NOT_OF_A_NETWORK.iter().map(|entry| entry.0).collect();
    let of_probes = Kind::ALL.iter().flat_map(|kind| kind.codes());
    of_probes
        .chain(golive::judge::CODES)
        .map(|code| code.id)
        .filter(|code| !shown.contains(code) && !elsewhere.contains(code))
        .collect()
}
