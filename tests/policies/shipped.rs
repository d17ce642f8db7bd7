//! The policies that golive ships: each is right, sourced, and carried by the binary.

use std::path::{Path, PathBuf};

use golive::policy::{BUILTINS, Disk, authorise, load, load_layer, remarks, schema, schema_file};
use golive::probe::Kind;
use golive::run::Plan;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")
}

/// Every policy below a folder; files of answers are none.
fn policies(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(policies(&path));
        } else if path.extension().is_some_and(|extension| extension == "toml")
            && !path.ends_with("demo-answers.toml")
        {
            found.push(path);
        }
    }
    found.sort();
    assert!(!found.is_empty());
    found
}

#[test]
fn each_is_right_by_itself_or_as_a_layer() {
    for path in policies(&folder()) {
        load_layer(&path, &Disk).unwrap_or_else(|error| panic!("{error}"));
    }
    for whole in ["demo.toml", "venue-survey.toml", "show-day.toml"] {
        load(&folder().join(whole)).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn the_binary_carries_each() {
    for path in policies(&folder()) {
        let name = path.strip_prefix(folder()).unwrap().with_extension("");
        let name = name.to_str().unwrap();
        let found = BUILTINS.iter().find(|(known, _)| *known == name);
        let (_, text) = found.unwrap_or_else(|| panic!("add \"{name}\" to builtin! in src/policy/source.rs"));
        assert_eq!(*text, std::fs::read_to_string(&path).unwrap());
        load_layer(Path::new(&format!("builtin:{name}")), &Disk).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// What only others extend; the rest are policies by themselves.
const LAYERS: [&str; 4] = ["baseline.toml", "governance.toml", "corporate-lan.toml", "bonded-backup.toml"];

#[test]
fn each_platform_and_layer_says_where_its_facts_are_from() {
    let shared = LAYERS.map(|name| folder().join(name));
    for path in policies(&folder().join("platforms")).into_iter().chain(shared) {
        let layers = load_layer(&path, &Disk).unwrap();
        let facts = layers.last().unwrap().provenance.as_ref();
        let facts = facts.unwrap_or_else(|| panic!("{} has no [provenance]", path.display()));
        assert!(!facts.source.is_empty());
        let days = (facts.review_by - facts.verified).get_days();
        assert!((30..=366).contains(&days), "{}: read again after {days} days", path.display());
    }
}

#[test]
fn facts_that_nobody_looked_at_since_are_pointed_out() {
    let policy = load(Path::new("builtin:venue-survey")).unwrap();
    let told = |time: &str| remarks(&policy, time.parse().unwrap()).join("\n");
    assert!(!told("2026-12-01T12:00:00Z").contains("read again"), "{}", told("2026-12-01T12:00:00Z"));
    let late = told("2027-07-01T12:00:00Z");
    let words = "the facts of builtin:platforms/youtube were last read 2026-11-22 and were to be read again \
                 by 2027-05-22: see https://support.google.com/youtube/answer/2853702";
    assert!(late.contains(words), "{late}");
}

#[test]
fn every_platform_of_the_list_is_there() {
    let names: Vec<&str> = BUILTINS.iter().filter_map(|(name, _)| name.strip_prefix("platforms/")).collect();
    assert_eq!(
        names,
        [
            "amazon-ivs",
            "aws-medialive",
            "cloudflare-stream",
            "dacast",
            "facebook",
            "globalmeet",
            "google-live-stream",
            "linkedin-live",
            "mux",
            "nanostream",
            "restream",
            "teams-town-hall",
            "twitch",
            "vimeo",
            "x",
            "youtube",
        ]
    );
}

/// What is second-hand is advised, never required.
#[test]
fn second_hand_facts_require_nothing() {
    let (_, text) = BUILTINS.iter().find(|(known, _)| *known == "platforms/linkedin-live").unwrap();
    assert!(text.contains("\"advisory\"") && !text.contains("\"hard\"") && !text.contains("\"waivable\""));
}

#[test]
fn a_platform_that_gives_an_address_for_each_event_is_completed_by_the_event() {
    let event = |more: &str| {
        format!(
            "schema = \"golive-policy/1\"\nextends = [\"builtin:platforms/amazon-ivs\", \"builtin:baseline\"]\n\
             [event]\ntitle = \"Launch\"\n[people.it]\nname = \"Ida\"\n[accountable]\nnetwork = \"it\"\n\
             brand = \"it\"\nproduction = \"it\"\n[stream.ivs]\naudio_kbps = 128\n{more}"
        )
    };
    let url = "rtmps://a1b2.global-contribute.live-video.net:443/app/";
    let whole = format!(
        "to = \"{url}\"\nvideo_kbps = 8500\n[[check.rtmp]]\nid = \"ivs.ingest\"\ntarget = {{ url = \"{url}\" }}\n"
    );
    let policy = super::load(&event(&whole)).unwrap();
    assert!(policy.checks.iter().any(|check| check.id.as_str() == "ivs.ingest"));
    let open = super::load(&event("video_kbps = 8500\n")).unwrap_err().to_string();
    assert!(open.contains("`ivs.ingest` has no target") && open.contains("has no to"), "{open}");
    let more = super::load(&event(&whole.replace("8500", "8501"))).unwrap_err().to_string();
    assert!(more.contains("8501 kb/s of video is more than the ingest takes; at most 8500 kb/s"), "{more}");
    assert!(more.contains("builtin:platforms/amazon-ivs:"), "names the other place: {more}");
}

#[test]
fn the_day_of_the_show_takes_less_than_three_minutes() {
    let policy = load(Path::new("builtin:show-day")).unwrap();
    let seconds = Plan::new(&policy).seconds();
    assert!(seconds < 180.0, "{seconds} s");
    let survey = load(Path::new("builtin:venue-survey")).unwrap();
    for check in &policy.checks {
        let same = check.id.as_str() == "day.stop" || survey.check(&check.id).is_some();
        assert!(same, "{} is not in the survey, so nothing can be compared", check.id);
    }
}

#[test]
fn a_company_and_a_second_way_out_can_be_added_to_any_platform() {
    let text = "schema = \"golive-policy/1\"\n\
        extends = [\"builtin:platforms/youtube\", \"builtin:baseline\", \"builtin:corporate-lan\", \"builtin:bonded-backup\"]\n\
        [event]\ntitle = \"Launch\"\nstarts = 2026-12-04T14:00:00+01:00\nends = 2026-12-04T15:30:00+01:00\n\
        [people.it]\nname = \"Ida\"\n[people.provider]\nname = \"Pro\"\n\
        [accountable]\nnetwork = \"it\"\nbrand = \"it\"\nproduction = \"provider\"\n\
        [path.primary]\ninterface = \"eth0\"\n[path.backup]\ninterface = \"wwan0\"\n\
        [stream.youtube]\nvideo_kbps = 6000\naudio_kbps = 128\n\
        [[check.attest]]\nid = \"people.provider\"\nenforcement = \"advisory\"\nowner = \"production\"\nwhy = \"w\"\n\
        target = { question = \"Who project-manages?\", of = \"it\", answered_by = \"provider\" }\n\
        [[check.rtmp]]\nid = \"backup.ingest\"\ntarget = { url = \"rtmps://a.rtmps.youtube.com:443/live2\" }\n\
        [[check.upload]]\nid = \"backup.upload\"\n\
        target = { iperf3 = \"iperf.example.net:5201\", seconds = 60, at_most_kbps = 15000, stream = \"youtube\" }\n";
    super::load(text).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn each_names_the_schema_for_editors() {
    for path in policies(&folder()) {
        let text = std::fs::read_to_string(&path).unwrap();
        let schema = text.lines().next().unwrap().strip_prefix("#:schema ").unwrap();
        assert!(path.parent().unwrap().join(schema).exists(), "{}: {schema}", path.display());
    }
}

#[test]
fn the_survey_is_authorised_in_its_window_only() {
    let policy = load(Path::new("builtin:venue-survey")).unwrap();
    let at = |text: &str| text.parse().unwrap();
    assert!(authorise(&policy, at("2026-12-01T12:00:00Z")).is_ok());
    for (time, words) in [
        ("2026-11-01T00:00:00Z", "begins at 2026-11-20T06:00:00+01:00"),
        ("2026-12-05T00:00:00Z", "ended at 2026-12-04T18:00:00+01:00"),
    ] {
        let error = authorise(&policy, at(time)).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.to_string().contains("TCP a.rtmps.youtube.com port 443"), "{error}");
    }
    let mut nobody = policy.clone();
    nobody.people.clear();
    assert!(authorise(&nobody, at("2026-12-01T12:00:00Z")).unwrap_err().why.contains("nobody in [people]"));
    nobody.authorisation = None;
    assert!(authorise(&nobody, at("2026-12-01T12:00:00Z")).unwrap_err().why.contains("no [authorisation]"));
}

#[test]
fn the_demo_needs_nobodys_leave() {
    authorise(&load(Path::new("builtin:demo")).unwrap(), jiff::Timestamp::UNIX_EPOCH).unwrap();
}

#[test]
fn the_schema_file_is_fresh() {
    let path = folder().join("policy.schema.json");
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == schema_file(),
        "policies/policy.schema.json is not what this golive reads; \
         write it anew: cargo run -q -- policy schema > policies/policy.schema.json"
    );
}

#[test]
fn the_schema_describes_every_probe() {
    let schema = schema();
    let numbered = |name: &&String| name.ends_with(|c: char| c.is_ascii_digit());
    let names = schema["$defs"].as_object().unwrap().keys();
    assert_eq!(names.filter(numbered).collect::<Vec<_>>(), [""; 0], "two types of one name: rename one");
    for kind in Kind::ALL {
        let name = kind.name();
        for (table, part) in [("CheckTables", "check"), ("FloorTables", "every")] {
            assert!(schema["$defs"][table]["properties"][name].is_object(), "{part}.{name}");
            assert!(schema["$defs"][format!("{part}.{name}")].is_object(), "{part}.{name}");
        }
        for part in ["target", "limits"] {
            let keys = schema["$defs"][format!("{name}.{part}")]["properties"].as_object().unwrap();
            for (key, described) in keys {
                assert!(described["description"].is_string(), "{name}.{part}.{key} has no words");
            }
        }
    }
}
