//! Whose keys count: a report carries the policy of whoever wrote it.

use golive::report::seal::{Choice, Decision};
use golive::report::{judged_from, read};

use crate::event::{Event, POLICY};

/// POLICY with every key replaced by the stranger's.
fn strangers() -> String {
    POLICY.replace("KEY(it)", "KEY(stranger)").replace("KEY(marketing)", "KEY(stranger)")
}

/// The policy in a file of its own, which later ones do not overwrite.
fn kept(event: &Event, name: &str, text: &str) -> String {
    let file = event.path(name);
    std::fs::rename(event.policy(text), &file).unwrap();
    file.to_str().unwrap().to_owned()
}

fn run(event: &Event, policy: &str) {
    let answers = event.answers(&[("rules.open", "it", true), ("stop.authority", "marketing", true)]);
    let (code, said) = event.check("runs/a", policy.as_ref(), &answers);
    assert_eq!(code, 0, "{said}");
}

fn sign_with(event: &Event, key: &str, role: &str) {
    let key = event.path(key);
    let how = ["--role", role, "--decision", "go", "--key", key.to_str().unwrap()];
    let (code, said) = event.golive("sign", "runs/a", &how);
    assert_eq!(code, 0, "{said}");
}

/// All of it made by one stranger: the keys in the report are theirs, and so are the signatures.
#[test]
fn a_report_that_brings_its_own_keys_is_refused_by_the_trusted_policy() {
    let event = Event::new();
    run(&event, &kept(&event, "forged.toml", &strangers()));
    sign_with(&event, "stranger", "it");
    sign_with(&event, "stranger", "marketing");
    assert_eq!(event.verify("runs/a", &[]).0, 0, "by its own word it holds");
    let trusted = kept(&event, "trusted.toml", POLICY);
    let (code, said) = event.verify("runs/a", &["--policy", &trusted]);
    assert_eq!(code, 79, "{said}");
    for words in [
        "wrong key: report.it.sig.txt",
        "wrong key: report.marketing.sig.txt",
        "by the report's own policy only",
        "judged by another policy than the one that you trust",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn the_trusted_policy_says_who_must_sign_and_how_strongly() {
    // the report's policy names no keys, asks for names only, and of one role
    let event = Event::new();
    let lax = POLICY
        .replace("key = \"KEY(it)\"\n", "")
        .replace("key = \"KEY(marketing)\"\n", "")
        .replace("level = \"key\"", "required = [\"it\"]");
    run(&event, &kept(&event, "lax.toml", &lax));
    let named = ["--role", "it", "--decision", "go", "--named"];
    assert_eq!(event.golive("sign", "runs/a", &named).0, 0);
    assert_eq!(event.verify("runs/a", &[]).0, 0);
    let trusted = kept(&event, "trusted.toml", POLICY);
    let (code, said) = event.verify("runs/a", &["--policy", &trusted]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("the decision of it is named only, but it has a key"), "{said}");
    assert!(said.contains("not signed: marketing has not decided"), "{said}");
}

/// A key was replaced since: the policy of that time still proves what was signed.
#[test]
fn a_replaced_key_counts_with_a_policy_of_its_time() {
    let event = Event::new();
    let then = kept(&event, "then.toml", POLICY);
    run(&event, &then);
    sign_with(&event, "it", "it");
    sign_with(&event, "marketing", "marketing");
    let (code, said) = event.verify("runs/a", &["--policy", &then]);
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("another policy"), "{said}");
    let now = kept(&event, "now.toml", &POLICY.replace("KEY(it)", "KEY(stranger)"));
    let (code, said) = event.verify("runs/a", &["--policy", &now]);
    assert!(code == 79 && said.contains("verify with a policy of that time"), "{said}");
}

/// Where the policy names keys, no level need be asked for: a signed no-go cannot be replaced by a
/// go that nobody signed.
#[test]
fn who_has_a_key_decides_by_it_alone() {
    let event = Event::new();
    run(&event, &kept(&event, "keys.toml", &POLICY.replace("[signatures]\nlevel = \"key\"\n", "")));
    event.signed("runs/a", "it", "no-go", &["--dissent", "the rules are open by accident"]);
    event.signed("runs/a", "marketing", "go", &[]);
    assert_eq!(event.verify("runs/a", &[]).0, 2);

    std::fs::remove_file(event.path("runs/a/report.it.decision.json")).unwrap();
    std::fs::remove_file(event.path("runs/a/report.it.sig.txt")).unwrap();
    for how in [&["--named"][..], &["--ticket", "CHG0031337"]] {
        let given = [&["--role", "it", "--decision", "go"], how].concat();
        let (code, said) = event.golive("sign", "runs/a", &given);
        assert!(code == 64 && said.contains("the policy names a key for it"), "{code} {said}");
    }
    // and one written by other means counts for nothing
    let bytes = std::fs::read(event.path("runs/a/report.json")).unwrap();
    let document = read(&bytes).unwrap();
    let (policy, _) = judged_from(&document).unwrap();
    let (role, person) = policy.people.first_key_value().unwrap();
    let mut decision = Decision::about(&document, &bytes, role.clone(), person.name.clone(), Choice::Go);
    decision.at = jiff::Timestamp::now();
    std::fs::write(event.path("runs/a/report.it.decision.json"), decision.to_bytes().unwrap()).unwrap();
    let (code, said) = event.verify("runs/a", &[]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("only what is signed with it counts"), "{said}");
    assert!(!said.contains("R. Osei"), "it is no decision: {said}");
}
