//! `golive attest`: people's answers added to a report, as a new version of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jiff::Timestamp;

use super::{exit, load};
use crate::evidence::{Evidence, Measured, Measurement};
use crate::judge;
use crate::model::{Answer, CheckId, Role, SourceAddress};
use crate::net::clock;
use crate::policy::Policy;
use crate::probe::{Reading, attest};
use crate::report::ledger::{self, Step};
use crate::report::seal::{self, Bundle};
use crate::report::v1::RevisesDoc;
use crate::report::{self, Document, line};
use crate::run::ledger::Writer;
use crate::run::people::question;

/// Answer a report's questions to people, and judge it again as a new version.
///
/// Without --answer it lists the questions that the role is asked. The report itself is never
/// altered: the new version is written into a folder of its own and says which report it
/// revises. Signatures stay with the version that was signed; the new one is signed anew.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A run's report.json, or the run's folder.
    file: PathBuf,
    /// The role in which you answer: one of the policy's [people].
    #[arg(long, value_parser = Role::new)]
    role: Role,
    /// An answer, such as people.stop=yes; may be given several times.
    #[arg(long = "answer", value_name = "CHECK=yes|no", value_parser = said)]
    answers: Vec<(CheckId, bool)>,
    /// What supports the answers: a ticket, a document, a name.
    #[arg(long, value_name = "TEXT", default_value = "")]
    evidence: String,
    /// Until when the answers count, such as 2026-12-04T18:00:00+01:00; the check's own
    /// `valid_for` holds as well.
    #[arg(long, value_name = "TIME")]
    expires: Option<Timestamp>,
    /// Folder for the new version; beside the report's own folder by default.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Longest evidence, in characters.
const MAX_EVIDENCE: usize = 4000;

fn said(text: &str) -> Result<(CheckId, bool), String> {
    let (check, word) = text.split_once('=').ok_or("write it like people.stop=yes")?;
    let yes = match word {
        "yes" => true,
        "no" => false,
        _ => return Err("the answer is yes or no".to_owned()),
    };
    Ok((CheckId::new(check).map_err(|error| error.to_string())?, yes))
}

fn usage(message: impl Into<String>) -> anyhow::Error {
    exit::Failure::new(exit::USAGE, message).into()
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let bundle = load::bundle(&args.file)?;
    let stored =
        report::read(&bundle.report).map_err(|error| exit::Failure::new(exit::DATA, error.to_string()))?;
    let (policy, mut evidence) =
        report::judged_from(&stored).map_err(|error| exit::Failure::new(exit::DATA, error.to_string()))?;
    let Some(person) = policy.people.get(&args.role) else {
        let known: Vec<&str> = policy.people.keys().map(Role::as_str).collect();
        return Err(usage(format!("the policy knows no role {}; it has: {}", args.role, known.join(", "))));
    };
    if args.answers.is_empty() {
        list(&policy, &stored, &args.role)?;
        return Ok(ExitCode::SUCCESS);
    }
    load::sound(&bundle, "not answered")?;
    let now = clock::now();
    let answers = answers(args, &policy, &person.name, now)?;
    for (id, reading) in answers {
        let measurement = Measurement {
            check: id.clone(),
            started: now,
            offset_ms: 0.0,
            took_ms: 0.0,
            source: SourceAddress::default(),
            result: Measured::Reading(Reading::Attest(reading)),
        };
        evidence.measurements.insert(id, measurement);
    }
    let folder = folder(args, &bundle)?;
    let document = judged_again(args, &bundle, &stored, &policy, &evidence, &folder, now);
    report::write_all(&folder, &document)?;
    told(&bundle, &stored, &document, &folder)?;
    Ok(ExitCode::from(document.verdict.exit_code))
}

fn answers(
    args: &Args,
    policy: &Policy,
    name: &str,
    now: Timestamp,
) -> anyhow::Result<BTreeMap<CheckId, attest::Reading>> {
    if args.expires.is_some_and(|expires| expires <= now) {
        return Err(usage("--expires lies in the past: such an answer would not count"));
    }
    if args.evidence.chars().count() > MAX_EVIDENCE {
        return Err(usage(format!("--evidence is too long: at most {MAX_EVIDENCE} characters")));
    }
    let mut readings = BTreeMap::new();
    for (id, yes) in &args.answers {
        let asked: Vec<&str> =
            policy.checks.iter().filter(|c| question(&c.question).is_some()).map(|c| c.id.as_str()).collect();
        let Some(target) = policy.check(id).and_then(|check| question(&check.question)) else {
            return Err(usage(format!("{id} is no question to people; these are: {}", asked.join(", "))));
        };
        if target.of != args.role {
            return Err(usage(format!("{id} is asked of {}, not of {}", target.of, args.role)));
        }
        let answer = Answer {
            check: id.clone(),
            yes: *yes,
            role: args.role.clone(),
            name: name.to_owned(),
            at: now,
            evidence: args.evidence.clone(),
            expires: args.expires,
        };
        let reading = attest::Reading::of(target, answer);
        if readings.insert(id.clone(), reading).is_some() {
            return Err(usage(format!("{id} is answered twice")));
        }
    }
    Ok(readings)
}

/// The questions of a role, and how each stands.
fn list(policy: &Policy, stored: &Document, role: &Role) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mut none = true;
    for check in &policy.checks {
        let Some(target) = question(&check.question).filter(|target| target.of == *role) else { continue };
        none = false;
        let outcome =
            stored.checks.iter().find(|one| one.id == check.id).map_or("unknown", |one| one.outcome.word());
        writeln!(
            out,
            "{:8} {} ({})\n         {}",
            outcome,
            check.id,
            check.enforcement.word(),
            line(&target.question)
        )?;
        if let Some(evidence) = &target.evidence {
            writeln!(out, "         what supports a yes: {}", line(evidence))?;
        }
    }
    if none {
        return writeln!(out, "the policy asks nothing of {role}");
    }
    writeln!(out, "\nanswer with: golive attest … --role {role} --answer CHECK=yes --evidence \"…\"")
}

/// `RUN-2` beside `RUN`, `RUN-3` beside `RUN-2`.
fn folder(args: &Args, bundle: &Bundle) -> anyhow::Result<PathBuf> {
    if let Some(folder) = &args.out {
        if folder.join("report.json").exists() {
            return Err(usage(format!(
                "{} holds a report already: give another --out",
                line(&folder.display().to_string())
            )));
        }
        return Ok(folder.clone());
    }
    let own = bundle.names.path("");
    let own = std::path::absolute(if own.as_os_str().is_empty() { Path::new(".") } else { &own })?;
    let name = own.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (base, version) = match name.rsplit_once("-v") {
        Some((base, version)) => version.parse::<u32>().map_or((name.as_str(), 1), |version| (base, version)),
        None => (name.as_str(), 1),
    };
    let free = (version + 1..version + 1000).map(|version| own.with_file_name(format!("{base}-v{version}")));
    free.into_iter()
        .find(|folder| !folder.exists())
        .ok_or_else(|| usage("too many versions beside it: give --out"))
}

fn judged_again(
    args: &Args,
    bundle: &Bundle,
    stored: &Document,
    policy: &Policy,
    evidence: &Evidence,
    folder: &Path,
    now: Timestamp,
) -> Document {
    let verdict = judge::evaluate(policy, evidence, now);
    let mut document = report::build(stored.run.clone(), policy, evidence, &verdict);
    let report_sha256 = seal::sha256(&bundle.report);
    let answered: Vec<CheckId> = args.answers.iter().map(|(check, _)| check.clone()).collect();
    document.again = stored.again.clone().map(|again| again.answered(&document.checks, &answered));
    document.revises = Some(RevisesDoc {
        report_sha256: report_sha256.clone(),
        at: now,
        role: args.role.clone(),
        checks: answered,
    });
    let step = Step::Answered {
        role: args.role.clone(),
        report: report_sha256,
        verdict: verdict.word,
        readings: ledger::readings(&document),
    };
    let known = stored.ledger.as_ref().map(|ledger| ledger.lines.as_slice()).unwrap_or_default();
    let writer = Writer { folder, policy, run: &stored.run.id, known };
    document.ledger = Some(writer.add(now, step));
    document
}

fn told(bundle: &Bundle, stored: &Document, document: &Document, folder: &Path) -> io::Result<()> {
    let mut text = report::summary(document);
    for difference in report::differences(stored, document) {
        let _ = writeln!(text, "changed: {difference}");
    }
    let _ = writeln!(text, "\nnew version: {}", line(&folder.join("report.json").display().to_string()));
    let signers: Vec<&str> = bundle.words.keys().map(Role::as_str).collect();
    if signers.is_empty() {
        let _ = writeln!(text, "the version before is kept as it was; nobody had decided about it");
    } else {
        let _ = writeln!(
            text,
            "the version before is kept as it was, with the decisions of {}: they hold for that version only; \
             let them sign the new one",
            signers.join(", ")
        );
    }
    io::stdout().lock().write_all(text.as_bytes())
}
