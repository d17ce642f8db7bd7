//! The firewall change request in the lab: a building whose firewall drops everything, golive's
//! own nftables rules loaded into it, taken back again, and the close-out that proves it.

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::ground::namespace::Namespace;
use crate::ground::peer::need;
use crate::scenario::{Scenario, World};

/// Lets out the web and names, and nothing else; answers come back by connection tracking.
const FIREWALL: &str = "table inet filter {
    chain forward {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        meta l4proto ipv6-icmp accept
        meta l4proto { tcp, udp } th dport 53 accept
        tcp dport 443 accept
    }
}
";

/// Whom the building's firewall sees send: IPv4 is translated by the router, IPv6 is not.
const SENDER: [&str; 4] = ["--source", "45.30.0.2", "--source", "2a00:10::20"];

/// What the event needs, and beside it what nobody asked for: another host's ingest, another port.
const EVENT: &str = r#"
network = "A building that drops everything but the web"

[[platform.odd]]
port = 5001
does = "mute"

[[policy.check.port]]
id = "other.host"
target = { host = "backup.example.com", port = 1935, ask = "rtmp", control = "backup.example.com:443" }
limits = { expect = "blocked" }

[[policy.check.port]]
id = "other.port"
target = { host = "live.example.com", port = 5001, control = "live.example.com:443" }
limits = { expect = "blocked" }

[expect]
verdict = "GO"
"#;

/// The tests.
pub fn trials() -> [Trial; 3] {
    [
        Trial::test("rules: loaded and backed out", || told(loaded_and_backed_out)),
        Trial::test("rules: close-out", || told(close_out)),
        Trial::test("rules: iptables loads and is backed out", || told(iptables)),
    ]
}

/// What panicked has told why on stderr already.
fn told(test: fn()) -> Result<(), Failed> {
    std::panic::catch_unwind(test).map_err(|_| Failed::from("see above"))
}

fn event(ask: &str) -> Scenario {
    let mut scenario: Scenario = toml::from_str(&format!("ask = {ask}\n{EVENT}")).unwrap();
    "change".clone_into(&mut scenario.name);
    scenario
}

fn word(report: &Value) -> &str {
    report["verdict"]["word"].as_str().unwrap()
}

fn outcome<'a>(report: &'a Value, check: &str) -> &'a str {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|have| have["id"] == check).unwrap_or_else(|| panic!("{check}"))["outcome"]
        .as_str()
        .unwrap()
}

fn rules<'a>(report: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["rules", report, "--format", "nftables"], &SENDER[..], more].concat()
}

fn loaded_and_backed_out() {
    let event = event(r#"["rules.rtmp", "ingest.rtmp", "ingest.srt"]"#);
    let world = World::build(&event);
    let check = |folder: &str| world.check_as(&event, folder, &[]).unwrap_or_else(|said| panic!("{said}"));

    // without a firewall all gets through: what must stay shut can be seen to be open
    let bare = check("bare");
    assert_eq!(word(&bare), "NO-GO", "{bare:#}");
    for shut in ["other.host", "other.port"] {
        assert_eq!(outcome(&bare, shut), "fail", "{bare:#}");
    }

    world.venue.building.rules(FIREWALL);
    let before = check("before");
    assert_eq!(word(&before), "NO-GO", "{before:#}");
    for asked in ["rules.rtmp", "ingest.rtmp", "ingest.srt"] {
        assert_ne!(outcome(&before, asked), "pass", "{before:#}");
    }
    let ticket = world.read("before/report.md");
    assert!(ticket.contains("## Firewall change request"), "{ticket}");

    let open = world.say(&event, &rules("before", &[]));
    assert_eq!(open.matches(" accept ").count(), 4, "TCP and UDP, IPv4 and IPv6:\n{open}");
    let mut commands = open.lines().filter(|line| !line.starts_with('#'));
    assert!(!commands.any(|line| line.contains("5001") || line.contains("45.50.0.11")), "{open}");
    world.venue.building.rules(&open);
    let after = check("after");
    // GO also says that the other host and the other port stayed shut
    assert_eq!(word(&after), "GO", "{after:#}\n{open}");
    let shown = world.say(&event, &["diff", "before", "after"]);
    assert!(shown.contains("NO-GO → GO (better)") && shown.contains("gone: rtmp.filtered"), "{shown}");

    let back_out = world.say(&event, &rules("before", &["--back-out"]));
    world.venue.building.rules(&back_out);
    let closed = check("closed");
    assert_eq!(word(&closed), "NO-GO", "{closed:#}\n{back_out}");
    assert_eq!(outcome(&closed, "rules.rtmp"), "fail", "{closed:#}");
}

fn close_out() {
    let event = event(r#"["rules.rtmp", "ingest.rtmp", "tls.ingest"]"#);
    let world = World::build(&event);
    let check = |folder: &str, more: &[&str]| {
        world.check_as(&event, folder, more).unwrap_or_else(|said| panic!("{said}"))
    };
    world.venue.building.rules(FIREWALL);
    assert_eq!(word(&check("before", &[])), "NO-GO");
    world.venue.building.rules(&world.say(&event, &rules("before", &[])));
    assert_eq!(word(&check("show", &[])), "GO");

    // the event is over, and the rule still stands
    let closing = ["--close-out", "--before", "before"];
    let open = check("still-open", &closing);
    assert_eq!(word(&open), "NO-GO", "{open:#}");
    // both ask the same port, so that one of them stands for it
    let failed = open["checks"].as_array().unwrap().iter().filter(|check| check["outcome"] == "fail");
    let failed: Vec<&str> = failed.map(|check| check["id"].as_str().unwrap()).collect();
    assert!(matches!(failed.as_slice(), ["rules.rtmp" | "ingest.rtmp"]), "{open:#}");
    assert!(open["close_out"]["left_out"]["tls.ingest"].is_string(), "{open:#}");
    let page = world.read("still-open/report.md");
    assert!(page.contains("Is open and must be closed: remove its rule"), "{page}");

    world.venue.building.rules(&world.say(&event, &rules("before", &["--back-out"])));
    let shut = check("shut", &closing);
    assert_eq!(word(&shut), "GO", "{shut:#}");

    // nothing is closed by a line that is down: no control answers
    world.venue.building.rules("insert rule inet filter forward drop");
    let down = check("down", &closing);
    assert_eq!(word(&down), "INCONCLUSIVE", "{down:#}");
}

/// The reviewed text itself, read by iptables' own parser.
fn iptables() {
    let host = Namespace::new();
    let save = need("iptables-save", "iptables");
    let (save, bash) = (save.to_str().unwrap(), need("bash", "bash"));
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/rules/iptables");
    let load = |which: &str| host.exec(bash.to_str().unwrap(), &["-e", &format!("{golden}.{which}.txt")]);
    load("open");
    let loaded = host.exec(save, &["-t", "filter"]);
    assert_eq!(loaded.matches("-j ACCEPT").count(), 4, "{loaded}");
    assert!(loaded.contains("-A FORWARD -j GOLIVE-CHG0031337"), "{loaded}");
    load("back-out");
    let left = host.exec(save, &["-t", "filter"]);
    assert!(!left.contains("GOLIVE"), "{left}");
}
