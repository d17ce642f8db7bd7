//! Signing: who decided what about a report, and whether that still stands.
//!
//! A signer's word is a small file of its own, the *decision*: what was decided of which report
//! (by its SHA-256), in which role, by whom, when, with what dissent. What is signed is the
//! report's exact bytes followed by the decision's exact bytes, as OpenSSH signs files (SSHSIG)
//! and in a namespace of the role, so that
//!
//! ```text
//! cat report.json report.it.decision.json |
//!   ssh-keygen -Y verify -f report.allowed_signers.txt -I it -n golive-it@golive-report-1 -s report.it.sig.txt
//! ```
//!
//! checks the same with no golive at hand. A signature for one role is none for another, and a
//! "no-go" cannot be shown as a "go". Nothing is ever re-encoded to be verified.

mod bundle;
mod carried;
mod copy;
mod decision;
mod key;
mod now;
mod papers;
mod parts;
mod problem;
mod roster;
mod show;
mod trusted;
mod verify;

pub use bundle::{Bundle, BundleError, Names, Words};
pub use carried::carried;
pub use copy::against;
pub use decision::{BadDecision, Choice, Decision, objection};
pub use key::{KeyError, SecretKey, Signature, fingerprint, to_be_signed};
pub use now::must_sign;
pub use papers::{Papers, papers};
pub use problem::{Gravity, Problem};
pub use roster::Roster;
pub use show::standing as show;
pub use verify::{Signed, Standing, same_hands, verify};

use sha2::{Digest as _, Sha256};

use crate::model::{Role, text};

/// The SSHSIG namespace of a role's signatures under reports of format 1.
pub fn namespace(role: &Role) -> String {
    format!("golive-{role}@golive-report-1")
}

/// What is signed: the report's bytes, then the decision's.
pub fn message(report: &[u8], decision: &[u8]) -> Vec<u8> {
    [report, decision].concat()
}

/// SHA-256, hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    text::hex(Sha256::digest(bytes))
}
