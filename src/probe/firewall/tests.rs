use super::*;
use crate::model::{Cause, CheckId, Effect};
use crate::wire::firewall::Decider;

fn reading(outcome: Outcome) -> Reading {
    let address = Address { address: "198.51.100.2".parse().unwrap(), outcome };
    Reading {
        method: String::new(),
        tools: vec!["nft".to_owned()],
        rules: 12,
        host: "a.example".to_owned(),
        port: 1935,
        transport: Transport::Tcp,
        lookup: None,
        addresses: vec![address],
    }
}

fn decider() -> Decider {
    Decider {
        table: "inet filter".to_owned(),
        chain: "out\u{1b}[31m".to_owned(),
        rule: Some("tcp dport 1935 drop (handle 4)".to_owned()),
        rejects: false,
    }
}

fn verdict(expect: Treatment, reading: &Reading) -> (String, Effect) {
    let findings = Firewall::judge(&Limits { expect: Some(Exactly(expect)) }, reading);
    assert_eq!(findings.len(), 1, "{findings:?}");
    (findings[0].code.clone(), findings[0].effect)
}

#[test]
fn a_rule_that_stops_it_is_named_and_what_is_unsure_is_no_pass() {
    let found = |outcome: Outcome| {
        [Treatment::Allowed, Treatment::Blocked].map(|expect| verdict(expect, &reading(outcome.clone())))
    };
    let both = |code: &str, effects: [Effect; 2]| effects.map(|effect| (code.to_owned(), effect));
    assert_eq!(found(Outcome::Allowed), both("firewall.allowed", [Effect::Pass, Effect::Fail]));
    assert_eq!(found(Outcome::Blocked(decider())), both("firewall.blocked", [Effect::Fail, Effect::Pass]));
    assert_eq!(
        found(Outcome::Unsure(vec![decider()])),
        both("firewall.unsure", [Effect::Unknown, Effect::Unknown])
    );
    let finding = &Firewall::judge(
        &Limits { expect: Some(Exactly(Treatment::Allowed)) },
        &reading(Outcome::Blocked(decider())),
    )[0];
    assert_eq!(
        finding.observed,
        "198.51.100.2: stopped by inet filter, chain out\\u{1b}[31m: tcp dport 1935 drop (handle 4)"
    );
}

#[test]
fn no_address_and_no_expectation_are_unknown() {
    let mut none = reading(Outcome::Allowed);
    none.addresses.clear();
    none.lookup = Some(Failure::NoSuchName);
    assert_eq!(verdict(Treatment::Blocked, &none), ("firewall.no_name".into(), Effect::Unknown));
    let findings = Firewall::judge(&Limits::default(), &reading(Outcome::Allowed));
    assert_eq!((findings[0].code.as_str(), findings[0].effect), ("firewall.not_expected", Effect::Unknown));
}

#[test]
fn mistakes_in_a_policy_are_found_and_nothing_is_sent() {
    let target = |text: &str| toml::from_str::<Target>(text).unwrap();
    let fields = |target: &Target, limits: &Limits| {
        let found = Firewall::problems(target, limits, &BTreeMap::new(), &Stakes::default());
        found.into_iter().map(|problem| problem.field).collect::<Vec<_>>()
    };
    let good = target("host = \"a.example\"\nport = 1935");
    assert_eq!(fields(&good, &Limits { expect: Some(Exactly(Treatment::Allowed)) }), Vec::<&str>::new());
    let bad = target("host = \"a.example\"\nport = 0\ntransport = \"icmp\"");
    assert_eq!(fields(&bad, &Limits::default()), ["port", "transport", "expect"]);
    assert!(Firewall::demand(&good, &BTreeMap::new()).endpoints.is_empty());
}

/// As root this machine's rules, else why not.
#[tokio::test]
async fn this_machines_rules_are_read_or_it_is_said_why_not() {
    let env = Env::bare(CheckId::new("f").unwrap());
    let target = Target { host: "127.0.0.1".to_owned(), port: 9, transport: Transport::Tcp };
    match Firewall::measure(&target, &env).await {
        Ok(reading) => {
            let stored = serde_json::to_string(&reading).unwrap();
            assert_eq!(serde_json::from_str::<Reading>(&stored).unwrap(), reading);
            assert_eq!(reading.addresses.len(), 1);
        }
        Err(why) => assert!(matches!(why.cause, Cause::NoPrivilege | Cause::Unsupported), "{why}"),
    }
}
