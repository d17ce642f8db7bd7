use super::*;
use crate::model::{Failure, IcmpError};
use crate::net::turn::Stopped;
use crate::wire::turn::TurnUrl;

#[test]
fn every_end_of_a_request_has_its_code() {
    use Effect::Fail;
    let not_connected = |failure| End::NotConnected { failure, icmp: None, detail: "words".into() };
    let not_secured = |failure| End::NotSecured { failure, detail: "words".into(), identity: None };
    for (end, code) in [
        (not_connected(Failure::TimedOut), "whip.not_connected"),
        (not_connected(Failure::Refused), "whip.not_connected"),
        (not_connected(Failure::LocalPolicy), "whip.local_policy"),
        (not_secured(Failure::TlsAlert), "whip.tls_failed"),
        (not_secured(Failure::Untrusted), "whip.untrusted"),
        (End::Unanswered { failure: Failure::TimedOut, detail: "".into() }, "whip.unanswered"),
    ] {
        let alone = reading(Publish::Test, vec![end.clone()]);
        expect(&Limits::default(), &alone, &[(code, Fail)]);
        // With another address that answers, it is a warning.
        let beside = reading(Publish::Test, vec![end, End::Answered(answered(401))]);
        expect(&Limits::default(), &beside, &[(code, Effect::Warn), ("whip.unauthorised", Fail)]);
    }
    for (status, code) in [
        (302, "whip.moved"),
        (307, "whip.moved"),
        (400, "whip.offer_refused"),
        (401, "whip.unauthorised"),
        (403, "whip.unauthorised"),
        (404, "whip.not_whip"),
        (405, "whip.not_whip"),
        (409, "whip.offer_refused"),
        (503, "whip.server_failed"),
    ] {
        let refused = reading(Publish::Test, vec![End::Answered(answered(status))]);
        expect(&Limits::default(), &refused, &[(code, Fail)]);
        let finding = &Whip::judge(&Limits::default(), &refused)[0];
        assert!(finding.observed.contains("Words") && finding.observed.contains("\"no\""), "{finding:?}");
    }
    let nameless = Reading { lookup: Some(Failure::NoSuchName), ..reading(Publish::Test, vec![]) };
    expect(&Limits::default(), &nameless, &[("whip.no_address", Fail)]);
    let filter = Answered { product: Some("FortiGuard".into()), ..answered(200) };
    let filtered = reading(Publish::Never, vec![End::Answered(filter)]);
    expect(&Limits::default(), &filtered, &[("whip.not_whip", Fail)]);
}

#[test]
fn without_an_offer_only_the_endpoints_own_word_passes() {
    let asked = |answered: Answered| reading(Publish::Never, vec![End::Answered(answered)]);
    for (takes_offers, code, effect) in [
        (Some(true), "whip.answers", Effect::Pass),
        (Some(false), "whip.not_whip", Effect::Fail),
        (None, "whip.unproven", Effect::Unknown),
    ] {
        for status in [200, 204, 401, 405] {
            let reading = asked(Answered { takes_offers, ..answered(status) });
            expect(&Limits::default(), &reading, &[(code, effect)]);
        }
    }
    expect(&Limits::default(), &asked(answered(404)), &[("whip.not_whip", Effect::Fail)]);
}

#[test]
fn every_end_of_a_session_has_its_code() {
    let bare = |end| Call { media: None, connected_ms: None, ..call(end) };
    for (end, code) in [
        (CallEnd::BadAnswer { problem: "no SDP".into() }, "whip.not_whip"),
        (CallEnd::NoCodec { codec: "H.264".into() }, "whip.no_codec"),
        (CallEnd::NoCandidate, "whip.no_candidate"),
        (CallEnd::NotConnected, "whip.ice_silent"),
        (CallEnd::NotSecured { detail: "".into() }, "whip.dtls_failed"),
        (CallEnd::Cut { how: Cut::Closed, detail: "".into() }, "whip.cut"),
        (CallEnd::Cut { how: Cut::Silent, detail: "".into() }, "whip.cut"),
    ] {
        expect(&Limits::default(), &called(bare(end)), &[(code, Effect::Fail)]);
    }
    // What is no SDP at all is told by what came instead, and the session that it may have opened, too.
    let mut page = called(bare(CallEnd::BadAnswer { problem: "no SDP".into() }));
    page.attempts = vec![attempt(End::Answered(answered(200)))];
    page.call.as_mut().unwrap().deleted = Deleted::Unnamed;
    expect(&Limits::default(), &page, &[("whip.not_whip", Effect::Fail), ("whip.not_deleted", Effect::Warn)]);
}

#[test]
fn candidates_that_are_barred_are_told_by_who_bars_them() {
    let barred = |failures: [Option<Failure>; 2]| {
        let mut call = Call { media: None, connected_ms: None, ..call(CallEnd::NotConnected) };
        for (candidate, failure) in call.candidates.iter_mut().zip(failures) {
            candidate.unreached =
                failure.map(|failure| Barred { failure, icmp: None::<IcmpError>, detail: "words".into() });
        }
        called(call)
    };
    let (shut, own) = (Some(Failure::Prohibited), Some(Failure::LocalPolicy));
    for (failures, code) in [
        ([shut, shut], "whip.ice_barred"),
        ([shut, None], "whip.ice_silent"),
        ([own, own], "whip.local_policy"),
    ] {
        expect(&Limits::default(), &barred(failures), &[(code, Effect::Fail)]);
    }
    let mut round = barred([None, None]);
    round.call.as_mut().unwrap().servers = vec!["turns:turn.example:443".into()];
    let remedy = Whip::judge(&Limits::default(), &round).remove(0).remedy;
    assert!(
        remedy.contains("UDP to 203.0.113.7:50000, 203.0.113.8:50000") && remedy.contains("TURN"),
        "{remedy}"
    );
}

#[test]
fn a_session_through_a_relay_counts_and_the_blocked_way_is_a_warning() {
    let silent = Call { media: None, connected_ms: None, ..call(CallEnd::NotConnected) };
    let through = |call: Option<Call>, stopped: Option<Stopped>| {
        let url = TurnUrl::try_from("turns:turn.example:443".to_owned()).unwrap();
        let relayed = Relayed { url, contact: None, allocation: None, stopped, call };
        Reading { relayed: Some(relayed), ..called(silent.clone()) }
    };
    let limits = Limits { loss_percent: Some(AtMost(0.1)), ..Limits::default() };
    let works = through(Some(call(CallEnd::Sent)), None);
    let wanted = [
        ("whip.only_relayed", Effect::Warn),
        ("whip.published", Effect::Pass),
        ("whip.loss_high", Effect::Fail),
    ];
    expect(&limits, &works, &wanted);
    expect(&Limits::default(), &through(Some(silent.clone()), None), &[("whip.ice_silent", Effect::Fail)]);
    let shut = through(None, Some(Stopped::Silent));
    expect(&Limits::default(), &shut, &[("whip.relay_failed", Effect::Fail)]);
    let observed = Whip::judge(&Limits::default(), &shut).remove(0).observed;
    assert!(
        observed.contains("203.0.113.7:50000") && observed.contains("turns:turn.example:443"),
        "{observed}"
    );
}

#[test]
fn media_counts_as_far_as_the_receiver_reports_it() {
    let sent = |pictures: Flow, sound: Flow| {
        called(Call { media: Some(Media { took_ms: 5000.0, pictures, sound }), ..call(CallEnd::Sent) })
    };
    let unreported = Flow { report: None, ..flow(0, 0.0) };
    let all = Limits {
        connect_ms: Some(AtMost(300.0)),
        round_trip_ms: Some(AtMost(20.0)),
        loss_percent: Some(AtMost(0.5)),
    };
    let good = sent(flow(2, 4800.0), flow(0, 4800.0));
    let passes =
        ["whip.published", "whip.in_time", "whip.round_trip", "whip.loss"].map(|code| (code, Effect::Pass));
    expect(&all, &good, &passes);
    let strict = Limits {
        connect_ms: Some(AtMost(299.0)),
        round_trip_ms: Some(AtMost(19.9)),
        loss_percent: Some(AtMost(0.4)),
    };
    let fails = ["whip.slow", "whip.round_trip_long", "whip.loss_high"].map(|code| (code, Effect::Fail));
    expect(&strict, &good, &[&passes[..1], &fails].concat());
    for bad in [sent(unreported, flow(0, 4800.0)), sent(flow(0, 1200.0), flow(0, 4800.0))] {
        expect(&Limits::default(), &bad, &[("whip.media_lost", Effect::Fail)]);
    }
    let unknown = ("whip.unreported", Effect::Unknown);
    expect(&all, &sent(unreported, unreported), &[unknown, ("whip.in_time", Effect::Pass), unknown, unknown]);
}

#[test]
fn a_session_that_may_still_stand_is_a_warning() {
    for (deleted, stands) in [
        (Deleted::Done, false),
        (Deleted::Refused { status: 404 }, false),
        (Deleted::Refused { status: 405 }, true),
        (Deleted::Unnamed, true),
        (Deleted::Elsewhere, true),
        (Deleted::Unanswered { failure: Failure::TimedOut }, true),
    ] {
        let found = codes(&Limits::default(), &called(Call { deleted, ..call(CallEnd::Sent) }));
        let warns = found.contains(&("whip.not_deleted".to_owned(), Effect::Warn));
        assert_eq!(warns, stands, "{found:?}");
    }
}
