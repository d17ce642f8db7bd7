//! Layers: a later one may add and tighten, never loosen.

use golive::model::{AtLeast, AtMost, Enforcement, Exactly, Limits as _, OneOf};
use golive::policy::Policy;
use golive::probe::Question;
use proptest::prelude::*;

use super::{GOOD, Memory};

const HEAD: &str = "schema = \"golive-policy/1\"\n";

/// Loads `top.toml`, which extends the others in their order.
fn stacked(bases: &[(&str, &str)], top: &str) -> Result<Policy, String> {
    let names: Vec<String> = bases.iter().map(|(name, _)| format!("{name:?}")).collect();
    let top = top.replacen('\n', &format!("\nextends = [{}]\n", names.join(", ")), 1);
    let bases: Vec<(String, String)> =
        bases.iter().map(|(name, text)| ((*name).to_owned(), format!("{HEAD}{text}"))).collect();
    let mut files: Vec<(&str, &str)> =
        bases.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    files.push(("top.toml", &top));
    Memory::of(&files).load("top.toml").map_err(|error| error.to_string())
}

fn handshake_ms(policy: &Policy) -> Option<f64> {
    let check = policy.checks.iter().find(|check| check.id.as_str() == "certificate")?;
    match &check.question {
        Question::Tls { limits, .. } => limits.handshake_ms.map(|limit| limit.0),
        _ => None,
    }
}

/// A base that says something of the good policy's `certificate` check.
fn tls(text: &str) -> String {
    format!("[[check.tls]]\nid = \"certificate\"\n{text}\n")
}

#[test]
fn a_later_layer_tightens() {
    for (base, ms) in
        [("limits.handshake_ms = 9000", 1500.0), ("limits.handshake_ms = 1500", 1500.0), ("", 1500.0)]
    {
        assert_eq!(handshake_ms(&stacked(&[("base.toml", &tls(base))], GOOD).unwrap()), Some(ms));
    }
    let policy =
        stacked(&[("base.toml", &tls("enforcement = \"advisory\"\nvalid_for = \"2d\""))], GOOD).unwrap();
    let check = policy.checks.iter().find(|check| check.id.as_str() == "certificate").unwrap();
    assert_eq!(check.enforcement, Enforcement::Hard);
    assert_eq!(check.valid_for_s, 2 * 86_400, "the earlier layer's, where the later one says nothing");
    assert_eq!(policy.checks[0].id.as_str(), "certificate", "it stands where its first layer has it");
    let names: Vec<&str> = policy.layers.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, ["base.toml", "top.toml"], "base first");
}

#[test]
fn a_layer_that_loosens_names_both_places() {
    for (base, words) in [
        ("limits.handshake_ms = 1000", "top.toml:28:27: `handshake_ms` ≤ 1500 loosens the earlier ≤ 1000"),
        ("limits.handshake_ms = 1000", "base.toml:4:23: the earlier layer has it here"),
        ("limits.scts = 3", "top.toml:28:40: `scts` ≥ 2 loosens the earlier ≥ 3"),
        (
            "target = { host = \"localhost\", port = 443 }",
            "`target` is set already; a later layer may not change it",
        ),
        ("owner = \"brand\"", "`owner` is set already"),
    ] {
        let error = stacked(&[("base.toml", &tls(base))], GOOD).unwrap_err();
        assert!(error.contains(words), "{words} is not in: {error}");
    }
    let hard = "[[check.attest]]\nid = \"stop\"\nenforcement = \"hard\"\nvalid_for = \"1d\"\n";
    let error = stacked(&[("base.toml", hard)], GOOD).unwrap_err();
    for words in [
        "top.toml:21:15: `enforcement` loosens what an earlier layer asks; it may only be raised",
        "base.toml:4:15: the earlier layer has it here",
        "top.toml:24:13: `valid_for` loosens what an earlier layer asks; it may only be shortened",
    ] {
        assert!(error.contains(words), "{words} is not in: {error}");
    }
}

#[test]
fn facts_of_the_event_are_said_once() {
    for (base, words) in [
        ("[event]\ntitle = \"Other\"\n", "`title` is set already"),
        ("[people.it]\nname = \"Other\"\n", "`name` is set already"),
        ("[accountable]\nnetwork = \"other\"\n", "`network` is set already"),
        ("[stream.main]\nheadroom = 2\n", "`headroom` loosens what an earlier layer asks"),
        ("[stream.main]\nvideo_kbps = 9000\n", "`video_kbps` loosens what an earlier layer asks"),
        ("[stream.main]\nto = \"rtmp://127.0.0.2/live\"\n", "`to` is set already"),
    ] {
        let error = stacked(&[("base.toml", base)], GOOD).unwrap_err();
        assert!(error.contains(words), "{words} is not in: {error}");
    }
    let base = "[event]\ntitle = \"Launch\"\n[stream.main]\nheadroom = 1.25\nvideo_kbps = 100\n";
    let policy = stacked(&[("base.toml", base)], GOOD).unwrap();
    assert!((policy.streams.values().next().unwrap().headroom - 1.5).abs() < 1e-9);
}

#[test]
fn every_check_of_a_kind_keeps_its_floor() {
    let floor = |text: &str| stacked(&[("base.toml", &format!("[every.tls]\n{text}\n"))], GOOD);
    let policy = floor("limits = { handshake_ms = 2000, version = \"1.3\" }\nvalid_for = \"12h\"").unwrap();
    assert_eq!(handshake_ms(&policy), Some(1500.0));
    let check = &policy.checks[1];
    assert_eq!(check.valid_for_s, 12 * 3600);
    assert!(
        check.question.limit_rows().iter().any(|row| row.field == "version" && row.bound.ends_with("1.3"))
    );

    let error = floor("limits.handshake_ms = 1000").unwrap_err();
    assert!(error.contains("top.toml:28:27: `handshake_ms` ≤ 1500 loosens the earlier ≤ 1000"), "{error}");
    assert!(error.contains("base.toml:3:23: every check of its kind must keep this"), "{error}");
}

#[test]
fn a_floor_also_holds_for_checks_of_its_own_file() {
    let text =
        GOOD.replace("[[check.tls]]", "[every.tls]\nvalid_for = \"1h\"\n[[check.tls]]\nvalid_for = \"2h\"");
    let error = super::load(&text).unwrap_err().to_string();
    assert!(error.contains("p.toml:27:13: `valid_for` is longer than the 1h"), "{error}");
}

#[test]
fn a_waiver_does_not_survive_a_check_that_turns_hard() {
    let waiver = "[[waiver]]\ncheck = \"stop\"\naccepts = \"fail\"\nreason = \"r\"\ncompensating = \"c\"\nby = \"it\"\n\
                  expires = 2026-12-04T16:00:00+01:00\n";
    let hard = GOOD.replace("\"waivable\"", "\"hard\"");
    assert!(stacked(&[("base.toml", waiver)], GOOD).is_ok());
    let error = stacked(&[("base.toml", waiver)], &hard).unwrap_err();
    assert!(error.contains("base.toml:3:9: the check `stop` is hard: nobody can waive it"), "{error}");
    assert!(error.contains("top.toml:21:15: its enforcement is set here"), "{error}");
}

#[test]
fn an_id_belongs_to_one_probe() {
    let error = stacked(&[("base.toml", "[[check.tls]]\nid = \"stop\"\n")], GOOD).unwrap_err();
    assert!(error.contains("top.toml:19:6: the id `stop` is taken"), "{error}");
}

#[test]
fn a_layer_that_is_reached_twice_counts_once() {
    let files = [
        ("base.toml", format!("{HEAD}{}", tls("limits.handshake_ms = 2000"))),
        (
            "a/venue.toml",
            format!("{HEAD}extends = [\"../base.toml\"]\n{}", tls("limits.handshake_ms = 1800")),
        ),
        ("b/team.toml", format!("{HEAD}extends = [\"../base.toml\"]\n{}", tls("limits.scts = 1"))),
        ("top.toml", GOOD.replacen('\n', "\nextends = [\"a/venue.toml\", \"b/team.toml\"]\n", 1)),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let policy = Memory::of(&files).load("top.toml").unwrap();
    let names: Vec<&str> = policy.layers.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, ["base.toml", "a/venue.toml", "b/team.toml", "top.toml"]);
}

#[test]
fn mistakes_in_every_layer_are_found() {
    let error =
        stacked(&[("a.toml", "evnt = 1\n"), ("b.toml", "[[check.tsl]]\n")], &GOOD.replace("why", "whi"))
            .unwrap_err();
    for words in [
        "a.toml:2:1: unknown key `evnt`",
        "b.toml:2:9: there is no probe `tsl`",
        "top.toml:23:1: unknown key `whi`",
    ] {
        assert!(error.contains(words), "{words} is not in: {error}");
    }
    let text = GOOD.replacen('\n', "\nextends = [\"gone.toml\"]\n", 1);
    let error = Memory::of(&[("top.toml", &text)]).load("top.toml").unwrap_err().to_string();
    assert!(error.contains("top.toml:2:12: gone.toml: there is no such file"), "{error}");
}

/// What one random layer says of a check.
#[derive(Debug, Clone, Default)]
struct Says {
    handshake_ms: Option<u32>,
    scts: Option<u32>,
    hours: Option<u32>,
    enforcement: Option<u32>,
}

const ENFORCEMENTS: [&str; 3] = ["advisory", "waivable", "hard"];

fn says() -> impl Strategy<Value = Says> {
    let maybe = |range: std::ops::Range<u32>| proptest::option::of(range);
    (maybe(1..6), maybe(0..4), maybe(1..5), maybe(0..3))
        .prop_map(|(handshake_ms, scts, hours, enforcement)| Says { handshake_ms, scts, hours, enforcement })
}

impl Says {
    fn text(&self) -> String {
        let mut text = tls("");
        for (key, value) in [
            ("limits.handshake_ms", self.handshake_ms.map(|n| n.to_string())),
            ("limits.scts", self.scts.map(|n| n.to_string())),
            ("valid_for", self.hours.map(|n| format!("\"{n}h\""))),
            ("enforcement", self.enforcement.map(|n| format!("{:?}", ENFORCEMENTS[n as usize]))),
        ] {
            if let Some(value) = value {
                text.extend([key, " = ", &value, "\n"]);
            }
        }
        text
    }

    /// Adds a later layer; false when it loosens.
    fn add(&mut self, later: &Self) -> bool {
        fn keep(slot: &mut Option<u32>, later: Option<u32>, loosens: fn(u32, u32) -> bool) -> bool {
            let bad = matches!((*slot, later), (Some(earlier), Some(later)) if loosens(earlier, later));
            *slot = later.or(*slot);
            !bad
        }
        let good = [
            keep(&mut self.handshake_ms, later.handshake_ms, |earlier, later| later > earlier),
            keep(&mut self.scts, later.scts, |earlier, later| later < earlier),
            keep(&mut self.hours, later.hours, |earlier, later| later > earlier),
            keep(&mut self.enforcement, later.enforcement, |earlier, later| later < earlier),
        ];
        good.into_iter().all(|good| good)
    }
}

const TOP: &str = r#"schema = "golive-policy/1"
[event]
title = "Launch"
[people.it]
name = "A. Person"
[accountable]
network = "it"
brand = "it"
production = "it"
[[check.attest]]
id = "stop"
target = { question = "?", of = "it" }
enforcement = "hard"
owner = "network"
why = "w"
[[check.tls]]
id = "certificate"
target = { host = "127.0.0.1", port = 443 }
owner = "network"
why = "w"
"#;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The outcome is each limit's tightest value, or an error exactly when some layer loosens;
    /// however the layers are grouped.
    #[test]
    fn layers_never_loosen(layers in proptest::collection::vec(says(), 1..5), cut in 0..5usize) {
        let mut whole = Says::default();
        let loosens = layers.iter().filter(|layer| !whole.add(layer)).count() > 0;
        let named: Vec<(String, String)> = layers.iter().enumerate().map(|(n, layer)| (format!("{n}.toml"), layer.text())).collect();
        let flat: Vec<(&str, &str)> = named.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let result = stacked(&flat, TOP);
        let incomplete = whole.enforcement.is_none();
        prop_assert_eq!(result.is_err(), loosens || incomplete, "{:?}", result);

        // The same layers, the first `cut` of them grouped into one.
        let cut = cut.min(flat.len());
        let (first, rest) = flat.split_at(cut);
        let names: Vec<String> = first.iter().map(|(name, _)| format!("{name:?}")).collect();
        let group = format!("{HEAD}extends = [{}]\n", names.join(", "));
        let rest: Vec<String> = std::iter::once("\"group.toml\"".to_owned()).chain(rest.iter().map(|(name, _)| format!("{name:?}"))).collect();
        let top = TOP.replacen('\n', &format!("\nextends = [{}]\n", rest.join(", ")), 1);
        let texts: Vec<(String, String)> = named.iter().map(|(name, text)| (name.clone(), format!("{HEAD}{text}"))).collect();
        let mut files: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        files.extend([("group.toml", group.as_str()), ("top.toml", top.as_str())]);
        let grouped = Memory::of(&files).load("top.toml");
        prop_assert_eq!(grouped.is_err(), result.is_err());

        if let (Ok(flat), Ok(grouped)) = (result, grouped) {
            prop_assert_eq!(&flat.checks, &grouped.checks);
            prop_assert_eq!(handshake_ms(&flat), whole.handshake_ms.map(f64::from));
            let check = flat.checks.iter().find(|check| check.id.as_str() == "certificate").unwrap();
            prop_assert_eq!(check.valid_for_s, whole.hours.map_or(86_400, |hours| u64::from(hours) * 3600));
            prop_assert_eq!(Some(check.enforcement.word()), whole.enforcement.map(|n| ENFORCEMENTS[n as usize]));
        }
    }
}

golive::limits! {
    /// One limit of each kind.
    pub struct Sample {
        /// At most.
        pub most: AtMost<f64>,
        /// At least.
        pub least: AtLeast<u32>,
        /// Exactly.
        pub exactly: Exactly<bool>,
        /// One of.
        pub one_of: OneOf<u32>,
    }
}

fn sample() -> impl Strategy<Value = Sample> {
    let list = proptest::collection::btree_set(0..4u32, 0..4);
    (
        proptest::option::of(0..5u32),
        proptest::option::of(0..5u32),
        proptest::option::of(any::<bool>()),
        proptest::option::of(list),
    )
        .prop_map(|(most, least, exactly, one_of)| Sample {
            most: most.map(|n| AtMost(f64::from(n))),
            least: least.map(AtLeast),
            exactly: exactly.map(Exactly),
            one_of: one_of.map(|set| OneOf(set.into_iter().collect())),
        })
}

fn tightened(earlier: &Sample, later: &Sample) -> Option<Sample> {
    let mut both = earlier.clone();
    both.tighten(later).ok().map(|()| both)
}

/// Everything that `limits` lets pass, out of a small world of readings.
fn passes(limits: &Sample) -> Vec<(u32, bool)> {
    let readings = (0..6u32).flat_map(|n| [(n, false), (n, true)]);
    readings
        .filter(|(n, flag)| {
            limits.most.is_none_or(|limit| f64::from(*n) <= limit.0)
                && limits.least.is_none_or(|limit| *n >= limit.0)
                && limits.exactly.as_ref().is_none_or(|limit| *flag == limit.0)
                && limits.one_of.as_ref().is_none_or(|limit| limit.0.contains(n))
        })
        .collect()
}

proptest! {
    /// What passes after tightening passed before, and whatever is let through by both.
    #[test]
    fn tightening_never_lets_more_pass(earlier in sample(), later in sample()) {
        if let Some(both) = tightened(&earlier, &later) {
            let (before, after) = (passes(&earlier), passes(&both));
            prop_assert!(after.iter().all(|reading| before.contains(reading)));
            prop_assert!(after.iter().all(|reading| passes(&later).contains(reading)));
        }
        prop_assert_eq!(tightened(&earlier, &earlier), Some(earlier.clone()));
        prop_assert_eq!(tightened(&earlier, &Sample::default()), Some(earlier));
    }

    /// Grouping does not matter where every step tightens.
    #[test]
    fn tightening_is_associative(a in sample(), b in sample(), c in sample()) {
        let left = tightened(&a, &b).and_then(|ab| tightened(&ab, &c));
        let right = tightened(&b, &c).and_then(|bc| tightened(&a, &bc));
        if let (Some(left), Some(right)) = (left, right) {
            prop_assert_eq!(left, right);
        }
    }
}

#[test]
fn a_later_layer_asks_no_faster() {
    let paced = |base: &str, own: &str| {
        stacked(&[("base.toml", base)], &format!("{GOOD}\n{own}")).map(|policy| policy.pace.at_once())
    };
    assert_eq!(paced("", ""), Ok(8), "usual");
    assert_eq!(paced("[pace]\nat_once = 300", ""), Ok(300));
    assert_eq!(paced("[pace]\nat_once = 300", "[pace]\nat_once = 4"), Ok(4));
    assert_eq!(paced("", "[pace]\nat_once = 60000"), Ok(400), "there is a most");
    let loosened = paced("[pace]\nper_second = 10", "[pace]\nper_second = 20").unwrap_err();
    assert!(loosened.contains("per_second") && loosened.contains("loosens"), "{loosened}");
    assert!(paced("", "[pace]\nat_once = 0").is_err());
}
