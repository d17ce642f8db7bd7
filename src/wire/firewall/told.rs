//! What a machine's own rules say of a packet that the machine itself kept back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Decider, Outcome};
use crate::model::{NotMeasured, text};

/// What this machine's own rules do with a packet, or why they could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// They were read.
    Read {
        /// The tools that told them.
        tools: Vec<String>,
        /// How many there are.
        rules: u64,
        /// What they do.
        outcome: Outcome,
    },
    /// They could not be read.
    Unread(NotMeasured),
}

impl Told {
    /// What was observed of a packet to `what`, and what to do, completed by what is told of the rules.
    pub fn complete(
        told: Option<&Self>,
        what: &str,
        (observed, remedy): (String, String),
    ) -> (String, String) {
        match told {
            Some(told) => (format!("{observed}; {}", told.observed()), told.remedy(what)),
            None => (observed, remedy),
        }
    }

    /// Whether one of them surely stops it.
    pub const fn stops(&self) -> bool {
        matches!(self, Self::Read { outcome: Outcome::Blocked(_), .. })
    }

    /// Which rule it is, or why none is named, for a person: "this machine's own rule: …".
    pub fn observed(&self) -> String {
        match self {
            Self::Read { outcome: Outcome::Blocked(by), .. } => {
                format!("this machine's own rule: {}", shown(by))
            }
            Self::Read { outcome: Outcome::Unsure(by), .. } => {
                format!("this machine's own rules that may do so: {}", each(by))
            }
            Self::Read { outcome: Outcome::Allowed, rules, tools } => {
                let tools = tools.join(", ");
                format!(
                    "none of the {rules} rules of this machine's packet filter ({})",
                    text::escape(&tools)
                )
            }
            Self::Unread(why) => format!("which rule is not known: {}", why.detail),
        }
    }

    /// What to do so that `what` leaves this machine: "allow `what` out …".
    pub fn remedy(&self, what: &str) -> String {
        let own = format!("allow {what} out in this machine's own firewall");
        match self {
            Self::Read { outcome: Outcome::Blocked(by), .. } => format!("{own}, before {}", shown(by)),
            Self::Read { outcome: Outcome::Unsure(by), .. } => {
                format!("{own}; look at these rules by hand: {}", each(by))
            }
            Self::Read { outcome: Outcome::Allowed, .. } => format!(
                "allow {what} out in this machine's security software or routes (`ip route get` shows them): its packet filter does not stop it"
            ),
            Self::Unread(why) => format!("{own}; to see by which rule: {}", why.remedy),
        }
    }
}

/// A rule's text is whatever its author wrote.
fn shown(decider: &Decider) -> String {
    text::escape(&decider.to_string()).into_owned()
}

fn each(deciders: &[Decider]) -> String {
    deciders.iter().map(shown).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Cause;

    fn read(outcome: Outcome) -> Told {
        Told::Read { tools: vec!["nft".to_owned()], rules: 12, outcome }
    }

    fn rule() -> Decider {
        Decider {
            table: "inet filter".to_owned(),
            chain: "out\u{1b}[31m".to_owned(),
            rule: Some("tcp dport 1935 drop (handle 4)".to_owned()),
            rejects: false,
        }
    }

    #[test]
    fn the_rule_is_named_escaped_or_it_is_said_why_none_is() {
        let what = "TCP 1935 to a.example";
        let named = "inet filter, chain out\\u{1b}[31m: tcp dport 1935 drop (handle 4)";
        let blocked = read(Outcome::Blocked(rule()));
        assert_eq!(blocked.observed(), format!("this machine's own rule: {named}"));
        let before = format!("allow {what} out in this machine's own firewall, before {named}");
        assert_eq!(blocked.remedy(what), before);
        assert!(blocked.stops());
        let unsure = read(Outcome::Unsure(vec![rule(), rule()]));
        assert!(unsure.observed().ends_with(&format!("that may do so: {named}; {named}")));
        assert!(unsure.remedy(what).ends_with(&format!("by hand: {named}; {named}")));
        assert!(read(Outcome::Allowed).remedy(what).contains("its packet filter does not stop it"));
        let unread = Told::Unread(NotMeasured::new(Cause::NoPrivilege, "this user may not", "run as root"));
        assert_eq!(unread.observed(), "which rule is not known: this user may not");
        assert!(unread.remedy(what).ends_with("to see by which rule: run as root"));
        assert!(![unsure, read(Outcome::Allowed), unread].iter().any(Told::stops));
    }
}
