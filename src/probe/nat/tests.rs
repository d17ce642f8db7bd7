//! Judging of translators, without any.

use super::findings::*;
use super::*;
use crate::model::Effect;
use crate::wire::pcp::NETWORK_FAILURE;

fn asked(server: &str, local: &str, outcome: Outcome) -> Asked {
    let (remote, local) = (server.parse().unwrap(), local.parse().ok());
    Asked { contact: Contact { remote, local, offset_ms: 0.0, took_ms: 20.0 }, outcome }
}

fn mapped(seen_as: &str) -> Outcome {
    Outcome::Mapped(Mapped { seen_as: seen_as.parse().unwrap(), software: "coturn".into() })
}

fn reading(asked: Vec<Asked>) -> Reading {
    let server =
        |(at, asked)| Server { named: format!("stun{at}.example"), lookup: None, asked: vec![asked] };
    Reading {
        servers: asked.into_iter().enumerate().map(server).collect(),
        behaviour: Vec::new(),
        lifetimes: Vec::new(),
        no_lifetimes: None,
        router: None,
        gateway: None,
    }
}

/// Seen from one server.
fn seen(local: &str, outside: &str) -> Reading {
    reading(vec![asked("45.50.0.10:3478", local, mapped(outside))])
}

fn codes(limits: &Limits, reading: &Reading) -> Vec<(String, Effect)> {
    Nat::judge(limits, reading).into_iter().map(|finding| (finding.code, finding.effect)).collect()
}

fn one(code: Code, effect: Effect) -> (String, Effect) {
    (code.id.to_owned(), effect)
}

fn inbound() -> Limits {
    Limits { inbound: Some(Exactly(Inbound::Possible)), ..Limits::default() }
}

#[test]
fn translators_are_told_and_judged_only_where_somebody_must_call_in() {
    let router = |ip: &str, reading: Reading| Reading { router: ip.parse().ok(), ..reading };
    let home = || seen("192.168.1.5:4000", "45.30.0.2:4000");
    for (reading, code, judged) in [
        (seen("45.30.0.2:4000", "45.30.0.2:4000"), NONE, Effect::Pass),
        (home(), TRANSLATED, Effect::Pass),
        (router("45.30.0.2", home()), TRANSLATED, Effect::Pass),
        (router("45.30.0.9", home()), DOUBLE, Effect::Fail),
        (router("100.64.3.9", home()), CARRIER, Effect::Fail),
        (seen("100.127.255.1:4000", "45.30.0.2:4000"), CARRIER, Effect::Fail),
        (seen("192.168.1.5:4000", "100.64.0.1:4000"), CARRIER, Effect::Fail),
        (seen("192.168.1.5:4000", "10.9.0.1:4000"), NOT_PUBLIC, Effect::Fail),
        (seen("10.9.0.1:4000", "10.9.0.1:4000"), NOT_PUBLIC, Effect::Fail),
        (seen("127.0.0.1:4000", "127.0.0.1:4000"), NONE, Effect::Pass),
    ] {
        assert_eq!(codes(&Limits::default(), &reading), [one(code, Effect::Pass)], "{reading:?}");
        assert_eq!(codes(&inbound(), &reading), [one(code, judged)], "{reading:?}");
    }
}

#[test]
fn what_the_gateway_says_of_itself_shows_what_follows_it() {
    let says = |nat_pmp, reading: Reading| {
        let contact = Contact {
            remote: "192.168.1.1:5351".parse().unwrap(),
            local: None,
            offset_ms: 0.0,
            took_ms: 2.0,
        };
        Reading { gateway: Some(Gateway { contact, nat_pmp, pcp: Some(0) }), ..reading }
    };
    let outside = |ip: &str| Some(NatPmp::Outside(ip.parse().unwrap()));
    let home = || seen("192.168.1.5:4000", "45.30.0.2:4000");
    let router = |ip: &str, reading: Reading| Reading { router: ip.parse().ok(), ..reading };
    for (reading, code, judged) in [
        (says(outside("45.30.0.2"), home()), TRANSLATED, Effect::Pass),
        (says(None, home()), TRANSLATED, Effect::Pass),
        (says(Some(NatPmp::Refused(2)), home()), TRANSLATED, Effect::Pass),
        (says(outside("10.3.0.2"), home()), DOUBLE, Effect::Fail),
        (says(outside("100.64.3.2"), home()), CARRIER, Effect::Fail),
        (says(outside("45.99.0.2"), home()), OTHER_THAN_ROUTER, Effect::Unknown),
        (says(Some(NatPmp::Refused(NETWORK_FAILURE)), home()), OTHER_THAN_ROUTER, Effect::Unknown),
        // What a person says of the router goes before what it names itself.
        (router("45.30.0.2", says(outside("45.99.0.2"), home())), TRANSLATED, Effect::Pass),
        // Nothing translates, whatever it says; and a server that sees inside addresses proves nothing of it.
        (says(outside("10.3.0.2"), seen("45.30.0.2:4000", "45.30.0.2:4000")), NONE, Effect::Pass),
    ] {
        assert_eq!(codes(&Limits::default(), &reading), [one(code, Effect::Pass)], "{reading:?}");
        assert_eq!(codes(&inbound(), &reading), [one(code, judged)], "{reading:?}");
    }
    // It is heard where no STUN server is.
    let silent = reading(vec![asked("45.50.0.10:3478", "", Outcome::Failed(Failure::TimedOut))]);
    let found = codes(&inbound(), &says(outside("10.3.0.2"), silent.clone()));
    assert_eq!(found, [one(SILENT, Effect::Unknown), one(DOUBLE, Effect::Fail)]);
    assert_eq!(codes(&inbound(), &says(outside("45.30.0.2"), silent)), [one(SILENT, Effect::Unknown)]);
    let told = Nat::judge(&Limits::default(), &says(outside("10.3.0.2"), home()));
    assert_eq!(
        told[0].observed,
        "IPv4: seen outside as 45.30.0.2; here 192.168.1.5 (a private address); the gateway says that outside it is 10.3.0.2 (a private address)"
    );
}

#[test]
fn two_servers_show_a_mapping_that_depends_on_them() {
    let two = |a, b| {
        let local = "192.168.1.5:4000";
        reading(vec![asked("45.50.0.10:3478", local, mapped(a)), asked("45.60.0.10:3478", local, mapped(b))])
    };
    let wanted = Limits { mapping: Some(Exactly(Dependence::EndpointIndependent)), ..Limits::default() };
    let same = two("45.30.0.2:4000", "45.30.0.2:4000");
    assert_eq!(codes(&wanted, &same)[1], one(SAME_MAPPING, Effect::Pass));
    let other = two("45.30.0.2:4000", "45.30.0.2:4001");
    assert_eq!(codes(&wanted, &other)[1], one(OTHER_MAPPING, Effect::Fail));
    assert_eq!(codes(&Limits::default(), &other)[1], one(OTHER_MAPPING, Effect::Pass));
    let pool = codes(&Limits::default(), &two("45.30.0.2:4000", "45.30.0.3:4000"));
    assert_eq!(pool[1], one(SEVERAL, Effect::Pass));
    let alone = codes(&wanted, &seen("192.168.1.5:4000", "45.30.0.2:4000"));
    assert_eq!(alone[1], one(BEHAVIOUR_UNKNOWN, Effect::Unknown));
}

#[test]
fn what_rfc_5780_showed_goes_before() {
    let wanted = Limits { mapping: Some(Exactly(Dependence::EndpointIndependent)), ..Limits::default() };
    let behaviour = |mapping, filtering, why_not: Option<&str>| Reading {
        behaviour: vec![Behaviour {
            family: Family::V4,
            mapping,
            filtering,
            why_not: why_not.map(WireText::from),
        }],
        ..seen("192.168.1.5:4000", "45.30.0.2:4000")
    };
    let symmetric =
        behaviour(Some(Dependence::AddressAndPortDependent), Some(Dependence::AddressDependent), None);
    let found = codes(&wanted, &symmetric);
    assert_eq!(found[1..], [one(OTHER_MAPPING, Effect::Fail), one(FILTERING, Effect::Pass)]);
    let none = behaviour(None, None, Some("the server has no other address"));
    assert_eq!(codes(&wanted, &none)[1], one(BEHAVIOUR_UNKNOWN, Effect::Unknown));
    assert_eq!(codes(&Limits::default(), &none)[1], one(BEHAVIOUR_UNKNOWN, Effect::Pass));
}

#[test]
fn silence_is_unknown_unless_another_answers() {
    let silent = || Outcome::Failed(Failure::TimedOut);
    let alone = reading(vec![asked("45.50.0.10:3478", "", silent())]);
    assert_eq!(codes(&Limits::default(), &alone), [one(SILENT, Effect::Unknown)]);
    let beside = reading(vec![
        asked("45.50.0.10:3478", "", silent()),
        asked("45.60.0.10:3478", "192.168.1.5:4000", mapped("45.30.0.2:4000")),
        asked("[2a00:50::10]:3478", "", Outcome::Failed(Failure::NetUnreachable)),
    ]);
    let found = codes(&Limits::default(), &beside);
    assert_eq!(
        found,
        [one(ONE_SILENT, Effect::Pass), one(TRANSLATED, Effect::Pass), one(FAMILY_UNUSED, Effect::Pass)]
    );
    // A family that this network has, and over which nothing comes back.
    let half = reading(vec![
        asked("45.60.0.10:3478", "192.168.1.5:4000", mapped("45.30.0.2:4000")),
        asked("[2a00:50::10]:3478", "", silent()),
    ]);
    assert_eq!(codes(&Limits::default(), &half)[1], one(SILENT, Effect::Unknown));
    let nameless = Reading {
        servers: vec![Server { named: "x".into(), lookup: Some(Failure::NoSuchName), asked: vec![] }],
        ..reading(vec![])
    };
    assert_eq!(codes(&Limits::default(), &nameless), [one(SILENT, Effect::Unknown)]);
}

#[test]
fn a_lifetime_is_what_lies_between_what_lived_and_what_did_not() {
    let lifetime = |tried: &[(u32, Option<bool>)]| {
        let tried = tried.iter().map(|(idle_s, passed)| Idle {
            idle_s: *idle_s,
            contact: Contact {
                remote: "45.60.0.10:8443".parse().unwrap(),
                local: None,
                offset_ms: 0.0,
                took_ms: 0.0,
            },
            failure: passed.is_none().then_some(Failure::TimedOut),
            passed: passed.unwrap_or(false),
            revived: true,
        });
        let lifetimes = vec![Lifetime { family: Family::V4, seen_as: None, tried: tried.collect() }];
        Reading { lifetimes, ..seen("192.168.1.5:4000", "45.30.0.2:4000") }
    };
    let asks = |limit| Limits { lifetime_s: Some(AtLeast(limit)), ..Limits::default() };
    let mixed = lifetime(&[(30, Some(true)), (60, Some(false)), (120, Some(false))]);
    for (limit, code, effect) in [
        (30, LIVES, Effect::Pass),
        (45, LIFETIME_UNKNOWN, Effect::Unknown),
        (60, SHORT, Effect::Fail),
        (120, SHORT, Effect::Fail),
    ] {
        assert_eq!(codes(&asks(limit), &mixed)[1], one(code, effect), "{limit}");
    }
    assert_eq!(codes(&Limits::default(), &mixed)[1], one(SHORT, Effect::Pass));
    let untried = lifetime(&[(120, None)]);
    assert_eq!(codes(&asks(120), &untried)[1], one(LIFETIME_UNKNOWN, Effect::Unknown));
    assert_eq!(codes(&Limits::default(), &untried)[1], one(LIFETIME_UNKNOWN, Effect::Pass));
    let without = Reading { no_lifetimes: Some("refused".into()), ..seen("10.0.0.1:1", "45.30.0.2:1") };
    assert_eq!(codes(&asks(120), &without)[1], one(LIFETIME_UNKNOWN, Effect::Unknown));
}

#[test]
fn targets_are_held_to_sense() {
    let problems = |text: &str, limits: &Limits| {
        let target: Target = toml::from_str(text).unwrap();
        let found = Nat::problems(&target, limits, &BTreeMap::new(), &Stakes::default());
        found.into_iter().map(|problem| problem.field).collect::<Vec<_>>()
    };
    let none = Limits::default();
    assert!(problems("stun = ['stun.example', '[2a00:50::10]:3478']", &none).is_empty());
    assert_eq!(problems("stun = []", &none), ["stun"]);
    assert_eq!(problems("stun = ['stun:a.example']\nfar_end = 'cloud'", &none), ["far_end"]);
    assert_eq!(problems("stun = ['a']\nidle_s = [0]", &none), ["idle_s"]);
    let limits = Limits {
        lifetime_s: Some(AtLeast(120)),
        mapping: Some(Exactly(Dependence::EndpointIndependent)),
        ..none
    };
    assert_eq!(problems("stun = ['a']", &limits), ["lifetime_s", "mapping"]);
    assert!(toml::from_str::<Target>("stun = ['a']\nother = 'nowhere'").is_err());
    let gateway: Target = toml::from_str("stun = ['a']\ngateway = true").unwrap();
    let demand = Nat::demand(&gateway, &BTreeMap::new());
    assert!(demand.endpoints.iter().any(|at| at.implied && at.port == 5351), "{demand:?}");
    let target: Target = toml::from_str("stun = ['a']\nother = 'b:3479'").unwrap();
    let demand = Nat::demand(&target, &BTreeMap::new());
    let places: Vec<_> = demand.endpoints.iter().map(|at| (at.host.as_str(), at.port)).collect();
    assert_eq!(places, [("a", 3478), ("b", 3478), ("b", 3479)]);
}

#[test]
fn the_far_end_is_a_witness_too() {
    let contact = Contact {
        remote: "45.60.0.10:8443".parse().unwrap(),
        local: "192.168.1.5:4000".parse().ok(),
        offset_ms: 0.0,
        took_ms: 0.0,
    };
    let tried = vec![Idle { idle_s: 1, contact, failure: None, passed: true, revived: true }];
    let seen_as = "45.30.0.2:9999".parse().ok();
    let lifetimes = vec![Lifetime { family: Family::V4, seen_as, tried }];
    let alone = Reading { lifetimes: lifetimes.clone(), ..reading(vec![]) };
    let passes = [one(TRANSLATED, Effect::Pass), one(LIVES, Effect::Pass)];
    assert_eq!(codes(&inbound(), &alone), passes);
    // Its port is another socket's: no word on the mapping.
    let beside = Reading { lifetimes, ..seen("192.168.1.5:4000", "45.30.0.2:4000") };
    assert_eq!(codes(&inbound(), &beside), passes);
    let nobody = Reading { no_lifetimes: Some("refused".into()), ..reading(vec![]) };
    assert_eq!(codes(&inbound(), &nobody)[0], one(SILENT, Effect::Unknown));
}
