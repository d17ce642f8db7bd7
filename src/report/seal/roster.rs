//! Who may sign, with which keys: from the policy in the report, and from one that the
//! verifier trusts.

use std::fmt::Write as _;

use jiff::Timestamp;
use ssh_key::PublicKey;

use super::{Problem, fingerprint, key, namespace};
use crate::model::Role;
use crate::policy::{Policy, Revoked};
use crate::report::line;

/// The policies that say who may sign: the report's own first.
#[derive(Debug, Clone)]
pub struct Roster<'a> {
    policies: Vec<&'a Policy>,
}

/// A key that may sign for a role.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub key: PublicKey,
    pub until: Option<Timestamp>,
}

impl<'a> Roster<'a> {
    /// The report's policy, and today's, if the verifier has one.
    pub fn new(own: &'a Policy, today: Option<&'a Policy>) -> Self {
        Self { policies: std::iter::once(own).chain(today).collect() }
    }

    /// The keys of a role.
    pub(super) fn keys(&self, role: &Role) -> Vec<Known> {
        let mut known: Vec<Known> = Vec::new();
        for policy in &self.policies {
            let Some(person) = policy.people.get(role) else { continue };
            let Some(key) = person.key.as_deref().and_then(parse) else { continue };
            let until = person.key_until.as_ref().map(crate::model::When::at);
            match known.iter_mut().find(|one| one.key.key_data() == key.key_data()) {
                // today's policy knows best until when a key may sign
                Some(one) => one.until = until.or(one.until),
                None => known.push(Known { key, until }),
            }
        }
        known
    }

    /// Why a key no longer counts, if it does not.
    pub(super) fn revoked(&self, key: &PublicKey) -> Option<&'a Revoked> {
        let all = self.policies.iter().flat_map(|policy| &policy.signatures.revoked);
        all.clone().find(|revoked| parse(&revoked.key).is_some_and(|one| one.key_data() == key.key_data()))
    }

    /// The fingerprints of a role's keys.
    pub fn fingerprints(&self, role: &Role) -> Vec<String> {
        fingerprints(&self.keys(role))
    }

    /// Whether this key may sign for a role at this time; a role for which no policy names a
    /// key may sign with any.
    pub fn may_sign(&self, role: &Role, key: &PublicKey, at: Timestamp) -> Result<(), Problem> {
        let (role, found) = (role.clone(), fingerprint(key));
        if let Some(revoked) = self.revoked(key) {
            let reason = line(&revoked.reason);
            return Err(Problem::Revoked { role, key: found, since: revoked.since.at(), reason });
        }
        let known = self.keys(&role);
        match known.iter().find(|one| one.key.key_data() == key.key_data()) {
            None if known.is_empty() => Ok(()),
            None => {
                let file = "this signature".to_owned();
                Err(Problem::WrongKey { file, role, found, known: fingerprints(&known) })
            }
            Some(Known { until: Some(until), .. }) if at >= *until => {
                Err(Problem::KeyExpired { role, key: found, at, until: *until })
            }
            Some(_) => Ok(()),
        }
    }

    /// The roles that share a key with this role.
    pub(super) fn also(&self, role: &Role, key: &PublicKey) -> Vec<Role> {
        let roles = self.policies.iter().flat_map(|policy| policy.people.keys());
        let mut shared: Vec<Role> = roles
            .filter(|other| *other != role)
            .filter(|other| self.keys(other).iter().any(|one| one.key.key_data() == key.key_data()))
            .cloned()
            .collect();
        shared.dedup();
        shared
    }

    /// The list of signers as `ssh-keygen -Y verify -f` reads it.
    pub fn allowed_signers(&self) -> String {
        let mut out = String::from(
            "# Who may sign this report, in which namespace, made by golive from the policy in the report.\n",
        );
        let mut roles: Vec<&Role> = self.policies.iter().flat_map(|policy| policy.people.keys()).collect();
        roles.sort();
        roles.dedup();
        for role in roles {
            for known in self.keys(role) {
                let until = known
                    .until
                    .map(|at| format!(",valid-before=\"{}\"", at.strftime("%Y%m%d%H%M%SZ")))
                    .unwrap_or_default();
                let Some(text) = openssh(&known.key) else { continue };
                let _ = writeln!(out, "{role} namespaces=\"{}\"{until} {text}", namespace(role));
            }
        }
        out
    }

    /// The list of revoked keys as `ssh-keygen -Y verify -r` reads it; empty when there are none.
    pub fn revoked_keys(&self) -> String {
        let mut out = String::new();
        for revoked in self.policies.iter().flat_map(|policy| &policy.signatures.revoked) {
            if let Some(text) = parse(&revoked.key).as_ref().and_then(openssh) {
                let _ = writeln!(out, "# since {}: {}\n{text}", revoked.since, line(&revoked.reason));
            }
        }
        out
    }
}

/// A key of the policy. One that cannot be read was refused when the policy was checked.
fn parse(text: &str) -> Option<PublicKey> {
    PublicKey::from_openssh(text).ok().filter(|key| key::usable(key).is_ok())
}

/// Kind and key, without the comment: it is a stranger's text.
fn openssh(key: &PublicKey) -> Option<String> {
    PublicKey::new(key.key_data().clone(), "").to_openssh().ok().map(|text| text.trim().to_owned())
}

/// Fingerprints, for messages.
pub(super) fn fingerprints(known: &[Known]) -> Vec<String> {
    known.iter().map(|known| fingerprint(&known.key)).collect()
}
