//! From a policy, or from a report, to the request. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::passage::{self, Flow};
use super::words::{self, Host};
use super::{ChangeRequest, Destination, LeftOut, Reason, Rule, Shut, Source, address_lists};
use crate::evidence::{Evidence, Measured};
use crate::model::{CheckId, Effect, PathName, Transport};
use crate::policy::{Check, Policy};
use crate::report::v1::{CheckDoc, Document};
use crate::report::{ReadError, judged_from, line};

/// Which openings to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those that the readings show to be blocked.
    Blocked,
    /// All that the policy needs.
    All,
}

/// What the policy needs, as far as it says it by itself: no address is resolved.
pub fn of_policy(policy: &Policy) -> ChangeRequest {
    let seen = Seen { documents: BTreeMap::new(), evidence: &Evidence::default() };
    derive(policy, &seen, Scope::All, "the policy; nothing was resolved or measured".to_owned())
}

/// What the report's readings show to be needed.
///
/// # Errors
/// The report holds a policy or a reading that this build does not know.
pub fn of_report(document: &Document, scope: Scope) -> Result<ChangeRequest, ReadError> {
    let (policy, evidence) = judged_from(document)?;
    let documents = document.checks.iter().map(|check| (&check.id, check)).collect();
    let basis = format!("run {} ({})", line(&document.run.id), document.verdict.word);
    Ok(derive(&policy, &Seen { documents, evidence: &evidence }, scope, basis))
}

/// What was seen of each check.
struct Seen<'a> {
    documents: BTreeMap<&'a CheckId, &'a CheckDoc>,
    evidence: &'a Evidence,
}

/// What makes two openings one.
type Key = (Option<PathName>, Host, Transport);

fn derive(policy: &Policy, seen: &Seen, scope: Scope, basis: String) -> ChangeRequest {
    let event = &policy.event;
    let mut request = ChangeRequest {
        event: event.title.clone(),
        venue: event.venue.clone(),
        change: event.change.clone(),
        basis,
        from: None,
        until: None,
        policy: policy.layers.last().map_or_else(|| "POLICY".to_owned(), |layer| layer.name.clone()),
        rules: Vec::new(),
        shut: Vec::new(),
        left_out: Vec::new(),
    };
    // open from the first rehearsal on, and no longer than the event
    let window = policy.authorisation.as_ref().and_then(|given| given.window.as_ref());
    request.from = window.map(|window| window.from.clone()).or_else(|| event.starts.clone());
    request.until = event.ends.clone().or_else(|| window.map(|window| window.to.clone()));
    let mut at: BTreeMap<Key, usize> = BTreeMap::new();
    for check in &policy.checks {
        if let Some(shut) = seen.shut(check) {
            request.shut.push(shut);
            continue;
        }
        let found = seen.blocked(check);
        if scope == Scope::Blocked && found.is_none() {
            continue;
        }
        let reason = Reason { check: check.id.clone(), why: check.why.clone(), found };
        match passage::flows(check, &policy.far_ends) {
            Err(why) => request.leave_out(check, why),
            Ok(flows) => {
                for flow in flows {
                    request.ask(policy, seen, check, &reason, flow, &mut at);
                }
            }
        }
    }
    let prefix = request.prefix();
    for (at, rule) in request.rules.iter_mut().enumerate() {
        rule.name = format!("{prefix}-{:02}", at + 1);
        rule.ports.sort_unstable();
    }
    request
}

impl ChangeRequest {
    /// Puts the senders' addresses as the firewall sees them, of one way out or of all.
    pub fn send_from(&mut self, path: Option<&PathName>, addresses: &[IpAddr]) {
        for rule in &mut self.rules {
            if path.is_none() || rule.source.path.as_ref() == path {
                addresses.clone_into(&mut rule.source.addresses);
                "as given to golive rules".clone_into(&mut rule.source.note);
            }
        }
    }

    fn leave_out(&mut self, check: &Check, why: &str) {
        let entry = LeftOut { check: check.id.clone(), why: why.to_owned() };
        if !self.left_out.contains(&entry) {
            self.left_out.push(entry);
        }
    }

    /// One more opening: joined to the rule for the same way out, host and transport, if there
    /// is one.
    fn ask(
        &mut self,
        policy: &Policy,
        seen: &Seen,
        check: &Check,
        reason: &Reason,
        flow: Flow,
        at: &mut BTreeMap<Key, usize>,
    ) {
        let endpoint = flow.endpoint;
        if endpoint.transport == Transport::Icmp {
            return self.leave_out(check, "ICMP echo only measures: no event needs a rule for it");
        }
        let Some(host) = words::host(&endpoint.host) else {
            return self.leave_out(check, "its host is neither a name nor an address that a firewall takes");
        };
        let key = (check.path.clone(), host, endpoint.transport);
        let index = *at.entry(key.clone()).or_insert_with(|| {
            self.rules.push(Rule {
                name: String::new(),
                source: seen.source(policy, check),
                destination: seen.destination(policy, &key.1),
                transport: endpoint.transport,
                ports: Vec::new(),
                purpose: flow.purpose,
                reasons: Vec::new(),
            });
            self.rules.len() - 1
        });
        let Some(rule) = self.rules.get_mut(index) else { return };
        if !rule.ports.contains(&endpoint.port) {
            rule.ports.push(endpoint.port);
        }
        rule.purpose = rule.purpose.min(flow.purpose);
        if !rule.reasons.contains(reason) {
            rule.reasons.push(reason.clone());
        }
    }
}

impl Seen<'_> {
    /// What was found when it speaks for a block; `None` when it does not.
    fn blocked(&self, check: &Check) -> Option<String> {
        let document = self.documents.get(&check.id)?;
        if let Some(not) = &document.not_measured {
            use crate::model::Cause::{FarEnd, TimedOut};
            return matches!(not.cause, FarEnd | TimedOut).then(|| not.to_string());
        }
        let telling = |finding: &&crate::model::Finding| {
            finding.effect != Effect::Pass && passage::BLOCKED.contains(&finding.code.as_str())
        };
        let finding = document.findings.iter().find(telling)?;
        Some(format!("{}: {}", finding.code, finding.observed))
    }

    /// The port that the check wants blocked, and how it was found.
    fn shut(&self, check: &Check) -> Option<Shut> {
        let target = passage::must_be_shut(check)?;
        let document = self.documents.get(&check.id);
        let open = |finding: &&crate::model::Finding| finding.code == "port.not_blocked";
        let found = document
            .and_then(|document| document.findings.iter().find(open).or_else(|| document.findings.first()));
        Some(Shut {
            check: check.id.clone(),
            host: target.host.clone(),
            transport: target.transport,
            port: target.port,
            why: check.why.clone(),
            found: found.map(|finding| format!("{}: {}", finding.code, finding.observed)),
            open: found.as_ref().is_some_and(open),
        })
    }

    /// Addresses that checks of this way out were measured from.
    fn source(&self, policy: &Policy, check: &Check) -> Source {
        let path = check.path.clone();
        let route = path.as_ref().and_then(|path| policy.paths.get(path));
        if let Some(address) = route.and_then(|route| route.source) {
            let note = "the policy's own address for this path".to_owned();
            return Source { path, addresses: vec![address], note };
        }
        let same_way = policy.checks.iter().filter(|other| other.path == path);
        let addresses: BTreeSet<IpAddr> = same_way
            .flat_map(|other| self.contacts(&other.id))
            .filter_map(|contact| contact.1)
            .filter(|ip| !ip.is_unspecified())
            .collect();
        let interface = route.and_then(|route| route.interface.as_ref());
        let by = interface.map(|name| format!(", interface {}", line(name))).unwrap_or_default();
        let note = if addresses.is_empty() {
            format!(
                "not known{by}: put the encoder's address, as the firewall sees it, in place of the placeholder"
            )
        } else {
            format!(
                "where golive measured from{by}; put the encoder's address in its place if that is another \
                 machine, or if the firewall stands behind address translation"
            )
        };
        Source { path, addresses: addresses.into_iter().collect(), note }
    }

    fn destination(&self, policy: &Policy, host: &Host) -> Destination {
        let name = match host {
            Host::Address(ip) => {
                let addresses = vec![*ip];
                return Destination { name: None, addresses, vendor_list: None, doubt: None };
            }
            Host::Name(name) => name,
        };
        let vendor_list = address_lists::list_of(name);
        let doubt = self.doubt(policy, name);
        let mut addresses = BTreeSet::new();
        if doubt.is_none() {
            let names_it = |flow: &Flow| words::host(&flow.endpoint.host).as_ref() == Some(host);
            for check in &policy.checks {
                let flows = passage::flows(check, &policy.far_ends).unwrap_or_default();
                if flows.iter().any(names_it) {
                    addresses.extend(self.contacts(&check.id).map(|contact| contact.0));
                }
            }
        }
        let addresses = addresses.into_iter().collect();
        Destination { name: Some(name.clone()), addresses, vendor_list, doubt }
    }

    /// Why what a resolver here said of the name is not to be built upon.
    fn doubt(&self, policy: &Policy, name: &str) -> Option<String> {
        let asks = |check: &&Check| match &check.question {
            crate::probe::Question::Dns { target, .. } => {
                target.name.trim_end_matches('.').eq_ignore_ascii_case(name)
            }
            _ => false,
        };
        let lying = policy.checks.iter().filter(asks).find_map(|check| {
            let findings = &self.documents.get(&check.id)?.findings;
            let lie = |finding: &&crate::model::Finding| passage::DOUBTED.contains(&finding.code.as_str());
            findings.iter().find(lie).map(|finding| (&check.id, &finding.code))
        });
        lying.map(|(check, code)| format!("{check} found {code}: what was resolved here is not the host's"))
    }

    /// Remote and own address of each exchange of a check.
    fn contacts(&self, check: &CheckId) -> impl Iterator<Item = (IpAddr, Option<IpAddr>)> {
        let measurement = self.evidence.measurements.get(check);
        let reading = measurement.and_then(|measurement| match &measurement.result {
            Measured::Reading(reading) => Some(reading),
            Measured::NotMeasured(_) => None,
        });
        let contacts = reading.map(passage::contacts).unwrap_or_default();
        contacts.into_iter().map(|contact| {
            (contact.remote.ip().to_canonical(), contact.local.map(|local| local.ip().to_canonical()))
        })
    }
}
