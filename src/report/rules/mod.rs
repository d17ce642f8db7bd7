//! The firewall change request: what the event needs let out, and nothing more.
//!
//! [`of_policy`] and [`of_report`] derive it, purely, as plain data; [`emit`] writes it as one
//! vendor's configuration, and the renderings draw it as a table. None of them decides anything.

mod address_lists;
mod derive;
pub mod emit;
mod passage;
mod words;

pub use derive::{Scope, of_policy, of_report};
pub use emit::{Emitted, Format, Site, emit};
pub use passage::contacts;

use std::net::IpAddr;

use serde::Serialize;

use crate::model::{CheckId, Family, PathName, Transport, When};
use crate::policy::CLOSE_OUT_TITLE;

/// Stands in rules where the sender's address is not known: addresses of documentation (RFC 5737,
/// RFC 3849), which no real machine has, so that a rule that was not completed opens nothing.
const NOBODY: [&str; 2] = ["192.0.2.1", "2001:db8::1"];

/// The request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeRequest {
    /// The event's title.
    pub event: String,
    /// Where it takes place.
    pub venue: Option<String>,
    /// Number of the change that this belongs to.
    pub change: Option<String>,
    /// What it was derived from: the policy, or the run whose readings show what is blocked.
    pub basis: String,
    /// Opened from.
    pub from: Option<When>,
    /// Closed after.
    pub until: Option<When>,
    /// The policy's file, for the commands that verify.
    pub policy: String,
    /// What to let out, in the order of the policy.
    pub rules: Vec<Rule>,
    /// What must stay closed.
    pub shut: Vec<Shut>,
    /// What a rule was asked for and cannot be written, and why.
    pub left_out: Vec<LeftOut>,
}

/// One opening: from one way out to one host by one transport. Always outwards; answers come
/// back by the firewall's connection tracking.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rule {
    /// `golive-chg0031337-01`: letters, digits and hyphens, at most 28 characters, which every
    /// vendor takes for a name.
    pub name: String,
    /// Who sends.
    pub source: Source,
    /// To whom.
    pub destination: Destination,
    /// TCP or UDP.
    pub transport: Transport,
    /// Destination ports, ascending.
    pub ports: Vec<u16>,
    /// Whether the event itself needs it.
    pub purpose: Purpose,
    /// The checks that ask for it.
    pub reasons: Vec<Reason>,
}

/// Who sends.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Source {
    /// The way out, as the policy names it.
    pub path: Option<PathName>,
    /// Its addresses; none when nothing says them.
    pub addresses: Vec<IpAddr>,
    /// Where they come from, or what to put in their place.
    pub note: String,
}

/// To whom.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Destination {
    /// Host name, in lower case; none for a literal address.
    pub name: Option<String>,
    /// Its addresses, as the readings resolved them; none when there is no reading.
    pub addresses: Vec<IpAddr>,
    /// The vendor's own list of addresses, where it keeps one.
    pub vendor_list: Option<VendorList>,
    /// Why the resolved addresses were left out, if they were.
    pub doubt: Option<String>,
}

/// A list of addresses that a platform's vendor keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct VendorList {
    /// What to take from it: service and region.
    pub entry: &'static str,
    /// Where it is.
    pub url: &'static str,
    /// The page that says so.
    pub source: &'static str,
}

/// Whether the event itself needs an opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The stream goes through it.
    Event,
    /// Only measuring goes through it: a far end, an iperf3 server.
    Measuring,
}

/// Why a rule is asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reason {
    /// The check.
    pub check: CheckId,
    /// The policy's reason.
    pub why: String,
    /// What was found, when there is a reading.
    pub found: Option<String>,
}

/// A port that must stay closed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shut {
    /// The check.
    pub check: CheckId,
    /// The host.
    pub host: String,
    /// TCP or UDP.
    pub transport: Transport,
    /// The port.
    pub port: u16,
    /// The policy's reason.
    pub why: String,
    /// What was found, when there is a reading.
    pub found: Option<String>,
    /// It was found open: a rule must go.
    pub open: bool,
}

/// What no rule could be written for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The check.
    pub check: CheckId,
    /// Why.
    pub why: String,
}

/// One rule for one address family, as firewalls want it.
#[derive(Debug, Clone, PartialEq)]
pub struct Leg<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// The family.
    pub family: Family,
    /// Senders of that family; [`Leg::placeholder`] when nobody is known.
    pub sources: Vec<IpAddr>,
    /// The senders are nobody's addresses, to be replaced.
    pub placeholder: bool,
    /// Destinations of that family; none when only the name is known.
    pub destinations: Vec<IpAddr>,
}

impl Rule {
    /// The rule by families: where addresses are known on either side, only families that both
    /// sides have; where neither is, both.
    pub fn legs(&self) -> Vec<Leg<'_>> {
        let of = |all: &[IpAddr], family| -> Vec<IpAddr> {
            all.iter().copied().filter(|ip| Family::of(*ip) == family).collect()
        };
        let Destination { addresses: there, .. } = &self.destination;
        let leg = |(family, nobody): (Family, &str)| {
            let (mut sources, destinations) = (of(&self.source.addresses, family), of(there, family));
            let placeholder = self.source.addresses.is_empty();
            if placeholder {
                sources.extend(nobody.parse::<IpAddr>());
            }
            let reached = there.is_empty() || !destinations.is_empty();
            let some = reached && !sources.is_empty();
            some.then_some(Leg { rule: self, family, sources, placeholder, destinations })
        };
        [(Family::V4, NOBODY[0]), (Family::V6, NOBODY[1])].into_iter().filter_map(leg).collect()
    }
}

impl ChangeRequest {
    /// What the names of all its rules begin with: `golive-chg0031337`, also in a close-out.
    pub fn prefix(&self) -> String {
        let title = self.event.strip_prefix(CLOSE_OUT_TITLE).unwrap_or(&self.event);
        format!("golive-{}", words::ticket(self.change.as_deref().unwrap_or(title)))
    }

    /// Every rule by families.
    pub fn legs(&self) -> impl Iterator<Item = Leg<'_>> {
        self.rules.iter().flat_map(Rule::legs)
    }

    /// There is something to do: to open, or to close what is open.
    pub fn asks(&self) -> bool {
        !self.rules.is_empty() || self.shut.iter().any(|shut| shut.open)
    }
}
