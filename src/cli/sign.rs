//! `golive sign`: one role's decision about a report.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::passphrase::{AtTerminal, Keeper};
use super::{exit, load, signer};
use crate::judge::Word;
use crate::model::Role;
use crate::net::{clock, machine};
use crate::policy::{Level, Policy};
use crate::report::seal::{self, Bundle, Choice, Decision, Gravity, Problem, Roster, Standing, objection};
use crate::report::{self, Document, line};

/// Decide about a report, in a role, and sign: what is decided is inside what is signed.
///
/// Writes beside the report: report.ROLE.decision.json, with a key report.ROLE.sig.txt, and the
/// list of signers for `ssh-keygen -Y verify`; report.html, .md and .pdf are written anew with the
/// decision. The report itself is never altered.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("how").required(true).multiple(true))]
pub(super) struct Args {
    /// A run's report.json, or the run's folder.
    pub(super) file: PathBuf,
    /// The role in which you decide: one of the policy's [people].
    #[arg(long, value_parser = Role::new)]
    pub(super) role: Role,
    /// What you decide.
    #[arg(long, value_enum)]
    pub(super) decision: Say,
    /// A condition of your own, beside those of the report; may be given several times.
    #[arg(long = "condition", value_name = "TEXT")]
    pub(super) conditions: Vec<String>,
    /// Why you decide otherwise than the verdict, or what you want on record.
    #[arg(long, value_name = "TEXT")]
    pub(super) dissent: Option<String>,
    /// Sign with this private key; with a .pub file, the SSH agent signs with that key.
    #[arg(long, value_name = "FILE", group = "how", conflicts_with_all = ["agent", "new_key", "named"])]
    pub(super) key: Option<PathBuf>,
    /// Sign with the key that the policy names for the role and the SSH agent holds.
    #[arg(long, group = "how", conflicts_with_all = ["new_key", "named"])]
    pub(super) agent: bool,
    /// Make a key for who has none, keep it in this file, and sign with it.
    #[arg(long, value_name = "FILE", group = "how", conflicts_with = "named")]
    pub(super) new_key: Option<PathBuf>,
    /// The approval in a ticket system that stands for this decision, or goes with the signature.
    #[arg(long, value_name = "REF", group = "how")]
    pub(super) ticket: Option<String>,
    /// Neither key nor ticket: a name and a date only.
    #[arg(long, group = "how")]
    pub(super) named: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Say {
    /// Go live.
    Go,
    /// Go live, if the conditions are kept.
    GoWithConditions,
    /// Do not go live.
    NoGo,
}

impl From<Say> for Choice {
    fn from(say: Say) -> Self {
        match say {
            Say::Go => Self::Go,
            Say::GoWithConditions => Self::GoWithConditions,
            Say::NoGo => Self::NoGo,
        }
    }
}

impl From<Choice> for Say {
    fn from(choice: Choice) -> Self {
        match choice {
            Choice::Go => Self::Go,
            Choice::GoWithConditions => Self::GoWithConditions,
            Choice::NoGo => Self::NoGo,
        }
    }
}

/// Longest condition, dissent or ticket, in characters.
const MAX_TEXT: usize = 4000;

fn usage(message: impl Into<String>) -> anyhow::Error {
    exit::Failure::new(exit::USAGE, message).into()
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let decision = decide(args, &mut AtTerminal)?;
    told(args, &decision)?;
    Ok(ExitCode::SUCCESS)
}

/// Signs the decision and writes it beside the report.
pub(super) fn decide(args: &Args, keeper: &mut dyn Keeper) -> anyhow::Result<Decision> {
    let bundle = load::bundle(&args.file)?;
    let standing = load::verified(&bundle, None, clock::now());
    let document = signable(&standing)?;
    let (policy, _) =
        report::judged_from(document).map_err(|error| exit::Failure::new(exit::DATA, error.to_string()))?;
    let mut decision = decision(args, &bundle, document, &policy)?;
    let roster = Roster::new(&policy, None);
    let signer = signer::find(
        &signer::Wanted { key: args.key.as_deref(), agent: args.agent, new_key: args.new_key.as_deref() },
        &args.role,
        &roster,
        decision.at,
        keeper,
    )?;
    decision.level = match (&signer, &decision.ticket) {
        (Some(_), _) => Level::Key,
        (None, Some(_)) => Level::Ticket,
        (None, None) => Level::Named,
    };
    enough(&roster, &policy, &decision)?;
    decision.key = signer.as_ref().map(|signer| seal::fingerprint(signer.public()));
    let bytes = decision.to_bytes()?;
    let names = &bundle.names;
    if let Some(mut signer) = signer {
        let signature = signer.sign(&args.role, &seal::message(&bundle.report, &bytes))?;
        // the signature first: a decision that says it is signed is never there without it
        report::write_whole(
            &names.path(&names.signature(args.role.as_str())),
            signature.to_text()?.as_bytes(),
        )?;
    }
    report::write_whole(&names.path(&names.decision(args.role.as_str())), &bytes)?;
    lists(names, &policy)?;
    super::report::decided(&args.file, names)?;
    Ok(decision)
}

/// Only a decision that is tied to its person as strongly as the policy asks is written.
fn enough(roster: &Roster<'_>, policy: &Policy, decision: &Decision) -> anyhow::Result<()> {
    let (role, has) = (&decision.role, decision.level);
    let asked = roster.asks(role).max(policy.signatures.level);
    if has >= asked {
        return Ok(());
    }
    Err(usage(match roster.fingerprint(role) {
        Some(key) => format!(
            "the policy names a key for {role} ({key}), so that nothing but a signature by it is its decision: \
             sign with --key or --agent; this one is {has}"
        ),
        None => format!("the policy asks for a decision that is {asked}; this one is {has}"),
    }))
}

/// Only a report that holds, and counts now, is signed.
fn signable(standing: &Standing) -> anyhow::Result<&Document> {
    // what others have yet to do, or to do better
    let theirs = |problem: &&Problem| {
        matches!(problem, Problem::NotDecided { .. } | Problem::TooWeak { .. } | Problem::NotByKey { .. })
    };
    let in_the_way = standing.problems.iter().find(|problem| !theirs(problem));
    if let Some(problem) = in_the_way {
        let code = match (problem, problem.gravity()) {
            (Problem::Report { .. }, _) => exit::DATA,
            (_, Gravity::Forged) => exit::BAD_SIGNATURE,
            (_, Gravity::Open) => Word::Inconclusive.exit_code(),
        };
        return Err(exit::Failure::new(code, format!("not signed: {problem}")).into());
    }
    standing.document.as_ref().ok_or_else(|| usage("not signed: this report cannot be read"))
}

fn decision(args: &Args, bundle: &Bundle, document: &Document, policy: &Policy) -> anyhow::Result<Decision> {
    let role = &args.role;
    let Some(person) = policy.people.get(role) else {
        let known: Vec<&str> = policy.people.keys().map(Role::as_str).collect();
        return Err(usage(format!("the policy knows no role {role}; it has: {}", known.join(", "))));
    };
    if bundle.words.contains_key(role) {
        let file = bundle.names.decision(role.as_str());
        return Err(usage(format!(
            "{role} has decided about this report already: move {file} and its signature away to decide anew"
        )));
    }
    let choice = Choice::from(args.decision);
    if let (Some(why), None) = (objection(document.verdict.word, choice), &args.dissent) {
        return Err(usage(format!("{why}: say why with --dissent \"…\", or decide otherwise")));
    }
    if choice == Choice::GoWithConditions && document.verdict.word == Word::Go && args.conditions.is_empty() {
        return Err(usage("the report has no conditions: name yours with --condition \"…\""));
    }
    let texts = args.conditions.iter().chain(&args.dissent).chain(&args.ticket);
    if let Some(text) = texts.clone().find(|text| text.trim().is_empty() || text.chars().count() > MAX_TEXT) {
        let what =
            if text.trim().is_empty() { "an empty text says nothing" } else { "this text is too long" };
        return Err(usage(format!("{what}: give 1 to {MAX_TEXT} characters")));
    }
    let mut decision = Decision::about(document, &bundle.report, role.clone(), person.name.clone(), choice);
    decision.conditions.clone_from(&args.conditions);
    decision.dissent.clone_from(&args.dissent);
    decision.ticket.clone_from(&args.ticket);
    decision.at = clock::now();
    decision.machine = machine::id();
    Ok(decision)
}

/// What plain `ssh-keygen` needs to verify the same files.
fn lists(names: &seal::Names, policy: &Policy) -> anyhow::Result<()> {
    let roster = Roster::new(policy, None);
    report::write_whole(&names.path(&names.allowed_signers()), roster.allowed_signers().as_bytes())?;
    let revoked = roster.revoked_keys();
    if !revoked.is_empty() {
        report::write_whole(&names.path(&names.revoked_keys()), revoked.as_bytes())?;
    }
    Ok(())
}

/// What was signed, and what to know about it: the new files are read and verified again.
fn told(args: &Args, decision: &Decision) -> anyhow::Result<()> {
    let bundle = load::bundle(&args.file)?;
    let standing = load::verified(&bundle, None, clock::now());
    let mut out = io::stdout().lock();
    out.write_all(seal::show(&standing).as_bytes())?;
    let (role, names) = (&decision.role, &bundle.names);
    if decision.key.is_none() {
        return Ok(());
    }
    if unnamed(&bundle.report, decision)? {
        writeln!(
            out,
            "\nput the key into the policy, so that later reports know it: [people.{role}] key = \"…\""
        )?;
    } else {
        let (report, list) = (names.report(), names.allowed_signers());
        let (words, signature) = (names.decision(role.as_str()), names.signature(role.as_str()));
        let space = seal::namespace(role);
        let folder = names.path("");
        writeln!(out, "\nwithout golive, in {}:", shown(&folder))?;
        writeln!(
            out,
            "  cat {report} {words} | ssh-keygen -Y verify -f {list} -I {role} -n {space} -s {signature}"
        )?;
    }
    Ok(())
}

/// True when it is signed with a key that the policy does not name: nothing ties that to the person.
pub(super) fn unnamed(report: &[u8], decision: &Decision) -> anyhow::Result<bool> {
    let (policy, _) = report::judged_from(&report::read(report)?)?;
    let person = policy.people.get(&decision.role);
    Ok(decision.key.is_some() && person.is_some_and(|person| person.key.is_none()))
}

fn shown(folder: &Path) -> String {
    let text = folder.display().to_string();
    if text.is_empty() { "this folder".to_owned() } else { line(&text) }
}
