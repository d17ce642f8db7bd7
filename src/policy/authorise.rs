//! May this policy's traffic be sent? Beyond this machine itself only what somebody allowed.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;

use super::Policy;
use crate::model::{Endpoint, Transport, text};

/// Nobody allowed the traffic. Exit code 77.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct NotAuthorised {
    /// What is missing, in one sentence.
    pub why: String,
    /// Places beyond this machine that the policy would contact, sorted.
    pub endpoints: Vec<Endpoint>,
}

/// Whether the policy's checks may be asked at `now`. A policy that stays on loopback needs
/// nobody's leave.
///
/// # Errors
/// Something would leave this machine and there is no `[authorisation]`, `now` is outside its
/// window, or nobody in `[people]` has the role that it names.
pub fn authorise(policy: &Policy, now: Timestamp) -> Result<(), NotAuthorised> {
    let demands = policy.checks.iter().map(|check| check.question.demand(&policy.far_ends));
    let beyond: BTreeSet<Endpoint> =
        demands.flat_map(|demand| demand.endpoints).filter(|endpoint| !endpoint.is_loopback()).collect();
    if beyond.is_empty() {
        return Ok(());
    }
    let why = match &policy.authorisation {
        None => "the policy has no [authorisation]".to_owned(),
        Some(given) if !policy.people.contains_key(&given.by) => {
            format!("[authorisation] is by `{}`, and nobody in [people] has that role", given.by)
        }
        Some(given) => match &given.window {
            Some(window) if now < window.from.at() => {
                format!(
                    "[authorisation] begins at {}, and it is {now}",
                    text::escape(&window.from.to_string())
                )
            }
            Some(window) if now > window.to.at() => {
                format!("[authorisation] ended at {}, and it is {now}", text::escape(&window.to.to_string()))
            }
            _ => return Ok(()),
        },
    };
    Err(NotAuthorised { why, endpoints: beyond.into_iter().collect() })
}

impl fmt::Display for NotAuthorised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not authorised: {}; these are beyond this machine:", self.why)?;
        for endpoint in &self.endpoints {
            let transport = match endpoint.transport {
                Transport::Tcp => "TCP",
                Transport::Udp => "UDP",
                Transport::Icmp => "ICMP",
            };
            write!(f, "\n  {} {}", transport, text::escape(&endpoint.host))?;
            if endpoint.transport != Transport::Icmp {
                write!(f, " port {}", endpoint.port)?;
            }
            if endpoint.implied {
                f.write_str(" (this machine's own set-up names it)")?;
            }
        }
        Ok(())
    }
}
