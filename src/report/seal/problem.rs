//! What can be wrong with a sealed report: each with its own words.

use jiff::Timestamp;

use crate::model::{CheckId, Role};
use crate::policy::Level;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// True once, but it does not carry a decision now: stale, not signed yet.
    Open,
    /// Something is not what it says it is.
    Forged,
}

/// Why a report may not be relied on. Texts from files are escaped before they get here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum Problem {
    /// The report cannot be read.
    #[error("{file}: {why}")]
    Report { file: String, why: String },
    /// The report is not the one that was signed.
    #[error("{file} is not the report that {role} signed (sha256 {signed}, now {found}); changed: {}", changed.join("; "))]
    ReportChanged { file: String, role: Role, signed: String, found: String, changed: Vec<String> },
    /// A decision cannot be read, or was altered.
    #[error("{file}: {why}")]
    Decision { file: String, why: String },
    /// A signature cannot be read, or was altered.
    #[error("{file}: {why}; get the file again from {role}, or let {role} sign again")]
    SignatureDamaged { file: String, role: Role, why: String },
    /// A signature that does not fit.
    #[error(
        "{file} is no signature over this report and this decision: the signature was changed, \
         or the decision was written anew by somebody else"
    )]
    SignatureWrong { file: String },
    /// A decision without its signature.
    #[error("the decision of {role} says that it is signed with {key}, but there is no {file}")]
    SignatureMissing { role: Role, key: String, file: String },
    /// A signature without a decision.
    #[error("{file} has no decision beside it: somebody took the decision away")]
    DecisionMissing { file: String },
    /// Made for another role.
    #[error("role swapped: {file} was made by {made_by}, not by {role}")]
    RoleSwapped { file: String, made_by: String, role: Role },
    /// Nobody in the policy has the role.
    #[error("{file}: the policy knows no role {role}")]
    UnknownRole { file: String, role: Role },
    /// Another name than the policy's.
    #[error("{file} is by {found}, but the policy names {named} for {role}")]
    WrongName { file: String, role: Role, found: String, named: String },
    /// Signed with another key than the policy's.
    #[error("wrong key: {file} was made with {found}, but the key of {role} is {known}")]
    WrongKey { file: String, role: Role, found: String, known: String },
    /// The key is revoked.
    #[error("key revoked: {role} signed with {key}, which does not count since {since} ({reason})")]
    Revoked { role: Role, key: String, since: Timestamp, reason: String },
    /// The key had ended.
    #[error("key expired: {role} signed at {at} with {key}, which the policy lets sign until {until}")]
    KeyExpired { role: Role, key: String, at: Timestamp, until: Timestamp },
    /// Signed before there was a verdict.
    #[error("{role} decided at {at}, before the verdict was computed ({computed})")]
    TooEarly { role: Role, at: Timestamp, computed: Timestamp },
    /// Signed later than now.
    #[error("{role} decided at {at}, which lies in the future: a clock is wrong somewhere")]
    Future { role: Role, at: Timestamp },
    /// The verdict is another than its readings give.
    #[error("the verdict does not follow from the stored readings (changed by hand, or by another version): {}", .0.join("; "))]
    Verdict(Vec<String>),
    /// Readings that were carried from an earlier report.
    #[error("{0}")]
    Carried(String),
    /// The ledger.
    #[error("{0}")]
    Ledger(String),
    /// Signed when the verdict had expired.
    #[error("stale when signed: {role} decided at {at}, and the verdict counted until {until} only")]
    SignedStale { role: Role, at: Timestamp, until: Timestamp },
    /// The verdict has expired.
    #[error("verdict stale: it counted until {until}{}; run `golive check` again", about(.checks))]
    Stale { until: Timestamp, checks: Vec<CheckId> },
    /// A waiver that it rests on has expired.
    #[error(
        "waiver expired: {by} accepted {check} until {until} only; renew it or mend what it covers, then run again"
    )]
    WaiverExpired { check: CheckId, by: Role, until: Timestamp },
    /// A role that must decide has not.
    #[error("not signed: {role} has not decided yet (`golive sign {file} --role {role} …`)")]
    NotDecided { role: Role, file: String },
    /// A copy for others.
    #[error("{words}; what was decided was decided about that one: verify it, or this copy --against it")]
    Redacted { words: String },
    /// Not the copy of this report.
    #[error("{file} is not the redacted copy of {of}: {why}")]
    NotMadeFrom { file: String, of: String, why: String },
    /// Tied to its person more weakly than the policy asks.
    #[error("the decision of {role} is {has}, and the policy asks for: {asked}")]
    TooWeak { role: Role, has: Level, asked: Level },
    /// The paper beside the report is another one's.
    #[error(
        "{file} is not the paper of {of}: it belongs to another report; take it away, or make it anew with `golive report`"
    )]
    OtherPaper { file: String, of: String },
    /// Not signed, though there is a key to sign with.
    #[error(
        "the decision of {role} is {has}, but {role} has a key ({key}): only what is signed with it counts"
    )]
    NotByKey { role: Role, has: Level, key: String },
}

fn about(checks: &[CheckId]) -> String {
    let names: Vec<&str> = checks.iter().map(CheckId::as_str).collect();
    if names.is_empty() { String::new() } else { format!(" (too old: {})", names.join(", ")) }
}

impl Problem {
    /// How bad it is.
    pub const fn gravity(&self) -> Gravity {
        match self {
            Self::SignedStale { .. }
            | Self::Stale { .. }
            | Self::WaiverExpired { .. }
            | Self::NotDecided { .. }
            | Self::Redacted { .. }
            | Self::TooWeak { .. }
            | Self::NotByKey { .. } => Gravity::Open,
            _ => Gravity::Forged,
        }
    }
}
