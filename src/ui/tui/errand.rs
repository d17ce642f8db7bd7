//! What a person asks for once the run is over: carried out by whoever started the screen, which
//! itself touches no file and no key.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use crate::model::{CheckId, Role, Secret};
use crate::policy::Waiver;
use crate::report::seal::Choice;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Errand {
    /// Sign a decision about the report.
    Sign(Box<Signing>),
    /// Write down the waiver that is asked for. Nothing is waived by it.
    Propose(Box<Waiver>),
    /// Write the report's forms into this folder.
    Export(PathBuf),
    /// Measure these checks again, as a run of its own.
    Again(BTreeSet<CheckId>),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// It is done; for people.
    Said(String),
    /// The screen is to be left for the next run.
    Leave,
}

/// A decision about the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    /// In which role.
    pub role: Role,
    /// What is decided.
    pub choice: Choice,
    /// A condition of the signer's own.
    pub condition: Option<String>,
    /// Why it is decided otherwise than the verdict, or what is to be on record.
    pub dissent: Option<String>,
    /// What ties it to its person.
    pub means: Means,
}

/// What ties a decision to its person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Means {
    /// The role's key in the SSH agent.
    Agent,
    /// A private key's file.
    Key {
        /// The file.
        file: PathBuf,
        /// Its passphrase; empty when it has none.
        passphrase: Secret,
    },
    /// A key that is made now.
    NewKey {
        /// Where to keep it.
        file: PathBuf,
        /// Its passphrase; empty for none.
        passphrase: Secret,
    },
    /// An approval in a ticket system.
    Ticket(String),
    /// A name and a date only.
    Named,
}

/// Who carries errands out.
pub trait Clerk: fmt::Debug + Send {
    /// Does it; what was done, or why not, for people.
    fn carry_out(&mut self, errand: &Errand) -> Result<Done, String>;
}
