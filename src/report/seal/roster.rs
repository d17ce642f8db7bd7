//! Who may sign, with which keys, and how strongly: from the policy in the report, and from one
//! that the verifier trusts. Whoever writes a report writes its policy, too: what the trusted one
//! says goes before.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;
use ssh_key::PublicKey;

use super::{Problem, fingerprint, key, must_sign, namespace};
use crate::model::Role;
use crate::policy::{Level, Policy, Revoked};
use crate::report::line;

/// The policies that say who may sign: the report's own first.
#[derive(Debug, Clone)]
pub struct Roster<'a> {
    policies: Vec<&'a Policy>,
}

/// The key that may sign for a role.
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

    /// The key of a role: the trusted policy's, where it names one. Only where it names none does
    /// the report's own word count.
    pub(super) fn key(&self, role: &Role) -> Option<Known> {
        let mut keys = self.policies.iter().rev().filter_map(|policy| named(policy, role));
        let first = keys.next()?;
        let same = keys.find(|one| one.key.key_data() == first.key.key_data());
        // today's policy knows best until when a key may sign
        let until = first.until.or(same.and_then(|one| one.until));
        Some(Known { until, ..first })
    }

    /// The report's own policy names this key for the role, and the trusted one names another.
    pub(super) fn own_word_only(&self, role: &Role, key: &PublicKey) -> bool {
        let is = |known: Option<Known>| known.is_some_and(|one| one.key.key_data() == key.key_data());
        is(self.policies.first().and_then(|own| named(own, role))) && !is(self.key(role))
    }

    /// How strongly a decision of this role must be tied to its person, at least. Where a key is
    /// named for the role nothing less will do: anybody who can write the file could put the
    /// contrary in the place of what was signed.
    pub fn asks(&self, role: &Role) -> Level {
        if self.key(role).is_some() {
            return Level::Key;
        }
        let asked = self.policies.iter().filter(|policy| must_sign(policy).contains(role));
        asked.map(|policy| policy.signatures.level).max().unwrap_or_default()
    }

    /// The roles whose decision is needed, by any of the policies.
    pub(super) fn needed(&self) -> BTreeSet<Role> {
        self.policies.iter().flat_map(|policy| must_sign(policy)).collect()
    }

    /// Why a key no longer counts, if it does not.
    pub(super) fn revoked(&self, key: &PublicKey) -> Option<&'a Revoked> {
        let all = self.policies.iter().flat_map(|policy| &policy.signatures.revoked);
        all.clone().find(|revoked| parse(&revoked.key).is_some_and(|one| one.key_data() == key.key_data()))
    }

    /// The fingerprint of a role's key.
    pub fn fingerprint(&self, role: &Role) -> Option<String> {
        self.key(role).map(|known| fingerprint(&known.key))
    }

    /// Whether this key may sign for a role at this time; a role for which no policy names a
    /// key may sign with any.
    pub fn may_sign(&self, role: &Role, key: &PublicKey, at: Timestamp) -> Result<(), Problem> {
        let (role, found) = (role.clone(), fingerprint(key));
        if let Some(revoked) = self.revoked(key) {
            let reason = line(&revoked.reason);
            return Err(Problem::Revoked { role, key: found, since: revoked.since.at(), reason });
        }
        match self.key(&role) {
            Some(known) if known.key.key_data() != key.key_data() => {
                let file = "this signature".to_owned();
                Err(Problem::WrongKey { file, role, found, known: fingerprint(&known.key) })
            }
            Some(Known { until: Some(until), .. }) if at >= until => {
                Err(Problem::KeyExpired { role, key: found, at, until })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The roles that share a key with this role.
    pub(super) fn also(&self, role: &Role, key: &PublicKey) -> Vec<Role> {
        let roles = self.policies.iter().flat_map(|policy| policy.people.keys());
        let mut shared: Vec<Role> = roles
            .filter(|other| *other != role)
            .filter(|other| self.key(other).is_some_and(|one| one.key.key_data() == key.key_data()))
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
            if let Some(known) = self.key(role) {
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

/// The key that a policy names for a role.
fn named(policy: &Policy, role: &Role) -> Option<Known> {
    let person = policy.people.get(role)?;
    let key = person.key.as_deref().and_then(parse)?;
    Some(Known { key, until: person.key_until.as_ref().map(crate::model::When::at) })
}

/// A key of the policy. One that cannot be read was refused when the policy was checked.
fn parse(text: &str) -> Option<PublicKey> {
    PublicKey::from_openssh(text).ok().filter(|key| key::usable(key).is_ok())
}

/// Kind and key, without the comment: it is a stranger's text.
fn openssh(key: &PublicKey) -> Option<String> {
    PublicKey::new(key.key_data().clone(), "").to_openssh().ok().map(|text| text.trim().to_owned())
}
