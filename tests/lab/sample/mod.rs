//! Signed sample reports: golive on networks of the lab, from the run to two signatures.
//!
//! What is committed under reports/samples/signed was made so. The keys are made by ssh-keygen in
//! the run's folder and go with it. Afterwards `GOLIVE_CORPUS=1 cargo test --test reports signed` writes what
//! is rendered besides.

use std::path::{Path, PathBuf};
use std::process::Command;

use toml::{Table, Value};

use crate::ground::peer::need;
use crate::scenario::{Scenario, Seen, World, lay_over};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/sample/networks");
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/samples/signed");
const POLICY: &str = include_str!("policy.toml");

/// A busy machine measures badly; so often it is tried.
const ATTEMPTS: u32 = 6;

/// One sample: its network, and what its two signers say of the verdict.
struct Sample {
    name: &'static str,
    it: &'static [&'static str],
    marketing: &'static [&'static str],
    /// IT signs at marketing's machine: the report points it out.
    one_machine: bool,
}

const ALL: [Sample; 4] = [
    Sample { name: "go", it: &["--decision", "go"], marketing: &["--decision", "go"], one_machine: false },
    Sample {
        name: "conditional-go",
        it: &["--decision", "go-with-conditions", "--ticket", "CHG0031337"],
        marketing: &[
            "--decision",
            "go-with-conditions",
            "--condition",
            "the moderator sits beside the encoder",
        ],
        one_machine: true,
    },
    Sample {
        name: "no-go",
        it: &["--decision", "no-go"],
        marketing: &[
            "--decision",
            "no-go",
            "--dissent",
            "the invitations are out: we ask for a second run as soon as the exemption is in force",
        ],
        one_machine: false,
    },
    Sample {
        name: "inconclusive",
        it: &["--decision", "no-go"],
        marketing: &["--decision", "no-go"],
        one_machine: false,
    },
];

/// Makes those with one of these words in their name, all without words.
///
/// # Errors
/// What differs from what the sample must show, at the last attempt.
pub fn make(names: &[String]) -> Result<(), String> {
    let wanted = |sample: &&Sample| names.is_empty() || names.iter().any(|name| sample.name == name);
    for sample in ALL.iter().filter(wanted) {
        let mut last = String::new();
        let made = (0..ATTEMPTS).any(|_| match attempt(sample) {
            Ok(()) => true,
            Err(why) => {
                println!("{}: {why}", sample.name);
                last = why;
                false
            }
        });
        if !made {
            return Err(format!("{}: {last}", sample.name));
        }
        println!("{}: written", sample.name);
    }
    Ok(())
}

fn attempt(sample: &Sample) -> Result<(), String> {
    let mut scenario = Scenario::read(&Path::new(FOLDER).join(sample.name).with_extension("toml"))?;
    let world = World::build(&scenario);
    let mut policy: Table = POLICY.parse().expect("the samples' policy is TOML");
    for role in ["it", "marketing"] {
        let public = key(&world.path(role));
        policy["people"][role].as_table_mut().unwrap().insert("key".to_owned(), Value::String(public));
    }
    lay_over(&mut policy, &scenario.policy);
    // A waiver is asked for after a run has shown what for.
    if let Some(waivers) = policy.remove("waiver") {
        scenario.policy = policy.clone();
        world.check_as(&scenario, "before", &[])?;
        policy.insert("waiver".to_owned(), waivers);
    }
    scenario.policy = policy;
    let report = world.check(&scenario)?;
    let differences = Seen::of(&report).differences(&scenario.expect);
    if !differences.is_empty() {
        return Err(format!("{}\n{}", differences.join("\n"), world.log()));
    }
    for (role, says, machine) in
        [("it", sample.it, if sample.one_machine { "2" } else { "1" }), ("marketing", sample.marketing, "2")]
    {
        world.venue.laptop.setting("machine-id", &(machine.repeat(32) + "\n"));
        let own = ["sign", "out", "--role", role, "--key", role];
        world.say(&scenario, &[&own, says].concat());
    }
    world.say(&scenario, &["change", "out", "--out", "out/change"]);
    keep(&world.path("out"), &Path::new(SAMPLES).join(sample.name));
    Ok(())
}

/// Makes a key pair; gives the public line.
fn key(file: &Path) -> String {
    let comment = file.file_name().unwrap();
    let mut command = Command::new(need("ssh-keygen", "openssh-client"));
    command.args(["-q", "-t", "ed25519", "-N", "", "-C"]).arg(comment).arg("-f").arg(file);
    assert!(command.status().unwrap().success(), "ssh-keygen makes a key");
    std::fs::read_to_string(file.with_extension("pub")).unwrap().trim().to_owned()
}

/// The report's own files; the journal and the secrets stay behind.
fn keep(run: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    std::fs::create_dir_all(to.join("change")).unwrap();
    let entries = |folder: &Path| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let names = |file: &PathBuf| file.file_name().unwrap().to_string_lossy().into_owned();
    for file in entries(run).filter(|file| names(file).starts_with("report.")) {
        std::fs::copy(&file, to.join(names(&file))).unwrap();
    }
    for file in entries(&run.join("change")) {
        std::fs::copy(&file, to.join("change").join(names(&file))).unwrap();
    }
}
