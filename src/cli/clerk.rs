//! Carries out what a person asks for on the screen after a run, with the same code as the
//! commands of the same name.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::again::{self, Prepared};
use super::passphrase::Typed;
use super::{load, report as forms, sign};
use crate::model::{CheckId, Secret};
use crate::policy::{self, Disk, Files, Policy, Waiver};
use crate::report::{line, write_whole};
use crate::ui::tui::errand::{Clerk, Done, Errand, Means, Signing};

/// A run that the person at the screen wants, once the screen is left.
#[derive(Debug, Clone, Default)]
pub(super) struct Wish(Arc<Mutex<Option<Prepared>>>);

impl Wish {
    fn set(&self, wanted: Prepared) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(wanted);
    }

    /// It, if there is one.
    pub(super) fn take(&self) -> Option<Prepared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The clerk of one run.
#[derive(Debug)]
pub(super) struct OfRun {
    /// The run's folder, where its report lies.
    pub folder: PathBuf,
    /// The policy's file, or `builtin:NAME`.
    pub policy_source: String,
    /// The policy that it was judged by.
    pub policy: Policy,
    /// Where a run that is wanted next is left.
    pub again: Wish,
}

impl Clerk for OfRun {
    fn carry_out(&mut self, errand: &Errand) -> Result<Done, String> {
        let done = match errand {
            Errand::Sign(signing) => self.sign(signing).map(Done::Said),
            Errand::Propose(waiver) => self.propose(waiver).map(Done::Said),
            Errand::Export(folder) => export(&self.folder, folder).map(Done::Said),
            Errand::Again(checks) => self.again(checks),
        };
        done.map_err(|error| format!("{error:#}"))
    }
}

impl OfRun {
    /// Makes ready what is measured again; the screen is left for it.
    fn again(&self, checks: &BTreeSet<CheckId>) -> anyhow::Result<Done> {
        load::authorised(&self.policy)?;
        self.again.set(again::prepare(&self.folder, self.policy.clone(), checks, None)?);
        Ok(Done::Leave)
    }

    fn sign(&self, signing: &Signing) -> anyhow::Result<String> {
        let none = Secret::from(String::new());
        let (key, new_key, passphrase) = match &signing.means {
            Means::Key { file, passphrase } => (Some(file.clone()), None, passphrase),
            Means::NewKey { file, passphrase } => (None, Some(file.clone()), passphrase),
            Means::Agent | Means::Ticket(_) | Means::Named => (None, None, &none),
        };
        let ticket = match &signing.means {
            Means::Ticket(ticket) => Some(ticket.clone()),
            _ => None,
        };
        let args = sign::Args {
            file: self.folder.clone(),
            role: signing.role.clone(),
            decision: signing.choice.into(),
            conditions: signing.condition.clone().into_iter().collect(),
            dissent: signing.dissent.clone(),
            key,
            agent: signing.means == Means::Agent,
            new_key,
            ticket,
            named: signing.means == Means::Named,
        };
        let decided = sign::decide(&args, &mut Typed::new(passphrase.clone()))?;
        let folder = line(&self.folder.display().to_string());
        let tie = match &decided.key {
            None => decided.level.to_string(),
            Some(key) if sign::unnamed(&load::report_bytes(&self.folder)?, &decided)? => {
                format!(
                    "signed with {key}, which the policy does not name: until it does, this is a name only"
                )
            }
            Some(key) => format!("signed with {key}"),
        };
        Ok(format!(
            "{} decided {} as {}; {tie}.\nIt lies beside the report in {folder}, whose HTML, PDF and Markdown now show it.\ngolive verify {folder} checks it.",
            decided.name, decided.decision, decided.role
        ))
    }

    /// Writes the waiver beside the report, once the policy would take it.
    fn propose(&self, waiver: &Waiver) -> anyhow::Result<String> {
        let fragment = waiver.to_toml();
        let text = format!(
            "schema = \"{}\"\nextends = [{}]\n\n{fragment}",
            policy::SCHEMA,
            toml::Value::from(self.policy_source.as_str())
        );
        // tried as one more layer over the policy, which knows how long waivers may hold
        let layer = PathBuf::from("waiver.toml");
        policy::load_from(&layer, &Over { layer: &layer, text: &text })?;
        let file = self.folder.join(format!("waiver.{}.toml", waiver.check));
        let role = &waiver.by;
        let head = format!(
            "# Asked for, not given: who is accountable as {role} puts this into the policy, or does not. Until then it waives nothing.\n"
        );
        write_whole(&file, (head + &fragment).as_bytes())?;
        Ok(format!(
            "Written to {}. Nothing is waived yet.\nWho is accountable as {role} puts it into the policy; then run golive check again, or golive judge with that policy.",
            line(&file.display().to_string())
        ))
    }
}

/// The disk, with one layer that is not on it.
#[derive(Debug)]
struct Over<'a> {
    layer: &'a Path,
    text: &'a str,
}

impl Files for Over<'_> {
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        if path == self.layer {
            return Ok(self.text.as_bytes().to_vec());
        }
        Disk.read(path, limit)
    }

    fn identity(&self, path: &Path) -> PathBuf {
        if path == self.layer { path.to_owned() } else { Disk.identity(path) }
    }
}

fn export(run: &Path, folder: &Path) -> anyhow::Result<String> {
    let written = forms::export(run, folder)?;
    let names = written.iter().filter_map(|path| path.file_name()?.to_str()).collect::<Vec<_>>().join(", ");
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    Ok(format!("{names} written to {}", line(&whole.display().to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Role, When};
    use crate::policy::Accepts;

    fn waiver(check: &str, until: &str) -> Waiver {
        let when = |text: &str| When::try_from(text.to_owned()).unwrap();
        Waiver {
            check: CheckId::new(check).unwrap(),
            accepts: Accepts::Fail,
            scope: vec!["path.loss_high".to_owned()],
            reason: "said \"fine\" \\ by\nall".to_owned(),
            compensating: Some("a second line".to_owned()),
            by: Role::new("it").unwrap(),
            expires: when(until),
            granted: Some(when("2026-12-04T08:00:00Z")),
            renewals: None,
        }
    }

    #[test]
    fn only_a_waiver_that_the_policy_would_take_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let policy = folder.path().join("event.toml");
        let rules =
            "schema = \"golive-policy/1\"\nextends = [\"builtin:demo\"]\n[waiver_rules]\nlongest = \"2d\"\n";
        std::fs::write(&policy, rules).unwrap();
        let clerk = OfRun {
            folder: folder.path().to_owned(),
            policy_source: policy.display().to_string(),
            policy: policy::load(&policy).unwrap(),
            again: Wish::default(),
        };
        let ask = |waiver: &Waiver| clerk.propose(waiver).map_err(|error| error.to_string());
        let written = folder.path().join("waiver.line.path.toml");
        let long = ask(&waiver("line.path", "2026-12-09T08:00:00Z")).unwrap_err();
        assert!(long.contains("longer than 2d"), "{long}");
        let hard = ask(&waiver("line.rehearsal", "2026-12-05T08:00:00Z")).unwrap_err();
        assert!(hard.contains("nobody can waive it"), "{hard}");
        assert!(!written.exists());
        let told = ask(&waiver("line.path", "2026-12-05T08:00:00Z")).unwrap();
        assert!(told.contains("Nothing is waived yet"), "{told}");
        let fragment = std::fs::read_to_string(&written).unwrap();
        std::fs::write(&policy, format!("{rules}{fragment}")).unwrap();
        let policy = policy::load(&policy).unwrap();
        assert_eq!(policy.waivers, [waiver("line.path", "2026-12-05T08:00:00Z")], "every word comes back");
    }
}
