//! The policies that golive ships: each is right, sourced, and carried by the binary.

use std::path::{Path, PathBuf};

use golive::policy::{BUILTINS, Disk, authorise, load, load_layer, schema, schema_file};
use golive::probe::Kind;

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
    for whole in ["demo.toml", "venue-survey.toml"] {
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

#[test]
fn each_platform_and_layer_says_where_its_facts_are_from() {
    let shared = ["baseline.toml", "governance.toml"].map(|name| folder().join(name));
    for path in policies(&folder().join("platforms")).into_iter().chain(shared) {
        let text = std::fs::read_to_string(&path).unwrap();
        for word in ["# source:", "# verified:", "# review_by:"] {
            assert!(text.contains(word), "{} has no {word}", path.display());
        }
        for line in
            text.lines().filter(|line| line.starts_with("# verified:") || line.starts_with("# review_by:"))
        {
            let date = line.split_once(':').unwrap().1.trim();
            assert!(date.parse::<jiff::civil::Date>().is_ok(), "{}: {line}", path.display());
        }
    }
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
