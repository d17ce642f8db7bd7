//! Where a signature comes from: a key file, the SSH agent, or a key made just now.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;
use ssh_key::PublicKey;

use super::exit;
use super::passphrase::Keeper;
use crate::model::{Role, Secret};
use crate::net::ssh_agent::Agent;
use crate::report::line;
use crate::report::seal::{self, Roster, SecretKey, Signature};

/// What the command line names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub key: Option<&'a Path>,
    pub agent: bool,
    pub new_key: Option<&'a Path>,
}

/// Something that signs.
#[derive(Debug)]
pub(super) enum Signer {
    Key(Box<SecretKey>),
    Agent(PublicKey),
}

impl Signer {
    pub(super) fn public(&self) -> &PublicKey {
        match self {
            Self::Key(key) => key.public(),
            Self::Agent(key) => key,
        }
    }

    pub(super) fn sign(&mut self, role: &Role, message: &[u8]) -> anyhow::Result<Signature> {
        let signature = match self {
            Self::Key(key) => key.sign(role, message)?,
            Self::Agent(key) => {
                let blob = Agent::connect()?.sign(key, &seal::to_be_signed(role, message)?)?;
                Signature::from_agent(key, role, &blob)?
            }
        };
        if !signature.fits(self.public(), role, message) {
            anyhow::bail!("the signature just made does not fit its own key: nothing was written");
        }
        Ok(signature)
    }
}

fn usage(message: impl Into<String>) -> anyhow::Error {
    exit::Failure::new(exit::USAGE, message).into()
}

/// The signer that the command line asks for, if it asks for one; only a key that the policy
/// lets sign for the role.
pub(super) fn find(
    wanted: &Wanted<'_>,
    role: &Role,
    roster: &Roster<'_>,
    at: Timestamp,
    keeper: &mut dyn Keeper,
) -> anyhow::Result<Option<Signer>> {
    // before a key is made or a passphrase asked for
    if let (Some(file), Some(known)) = (wanted.new_key, roster.fingerprint(role)) {
        return Err(usage(format!(
            "the policy names a key for {role} already ({known}): sign with that one, not with a new one in {}",
            line(&file.display().to_string())
        )));
    }
    let signer = match (wanted.key, wanted.agent, wanted.new_key) {
        (Some(file), ..) => from_file(file)?,
        (None, true, _) => Signer::Agent(from_agent(role, roster)?),
        (None, false, Some(file)) => Signer::Key(Box::new(make(file, role, keeper)?)),
        (None, false, None) => return Ok(None),
    };
    if let Err(problem) = roster.may_sign(role, signer.public(), at) {
        return Err(exit::Failure::new(exit::BAD_SIGNATURE, format!("not signed: {problem}")).into());
    }
    Ok(Some(unlocked(signer, keeper)?))
}

fn from_file(file: &Path) -> anyhow::Result<Signer> {
    let shown = line(&file.display().to_string());
    let bad = |error: String| exit::Failure::new(exit::DATA, format!("{shown}: {error}"));
    let metadata = std::fs::metadata(file).map_err(|error| bad(error.to_string()))?;
    if !metadata.is_file() || metadata.len() > 64 << 10 {
        return Err(bad("this is no key file".to_owned()).into());
    }
    let text = Secret::from(std::fs::read_to_string(file).map_err(|error| bad(error.to_string()))?);
    if let Ok(public) = PublicKey::from_openssh(text.reveal()) {
        let held = Agent::connect()?.keys()?;
        return if held.iter().any(|key| key.key_data() == public.key_data()) {
            Ok(Signer::Agent(public))
        } else {
            Err(usage(format!(
                "{shown} is a public key, and the SSH agent does not hold its private half: `ssh-add` it first"
            )))
        };
    }
    let key = SecretKey::read(&text).map_err(|error| bad(error.to_string()))?;
    private(&metadata).map_err(bad)?;
    Ok(Signer::Key(Box::new(key)))
}

/// As OpenSSH does: a private key that others may read is no proof of anything.
#[cfg(unix)]
fn private(metadata: &std::fs::Metadata) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    match metadata.permissions().mode() & 0o077 {
        0 => Ok(()),
        _ => Err("others may read this private key: `chmod 600` it, or sign with a new one".to_owned()),
    }
}

#[cfg(not(unix))]
fn private(_: &std::fs::Metadata) -> Result<(), String> {
    Ok(())
}

/// The role's key among those that the agent holds; the only one, where the policy names none.
fn from_agent(role: &Role, roster: &Roster<'_>) -> anyhow::Result<PublicKey> {
    let held = Agent::connect()?.keys()?;
    let known = roster.fingerprint(role);
    let shown = |keys: &[PublicKey]| keys.iter().map(seal::fingerprint).collect::<Vec<_>>().join(", ");
    if let Some(key) = held.iter().find(|key| known.as_ref() == Some(&seal::fingerprint(key))) {
        return Ok(key.clone());
    }
    match (held.as_slice(), known) {
        ([], _) => Err(usage("the SSH agent holds no key: `ssh-add` yours first")),
        ([only], None) => Ok(only.clone()),
        (several, None) => Err(usage(format!(
            "the SSH agent holds several keys ({}) and the policy names none for {role}: \
             say which with --key FILE.pub",
            shown(several)
        ))),
        (others, Some(known)) => Err(usage(format!(
            "the SSH agent does not hold the key of {role} ({known}), but {}",
            shown(others)
        ))),
    }
}

/// Asks for the passphrase of a key that has one.
fn unlocked(signer: Signer, keeper: &mut dyn Keeper) -> anyhow::Result<Signer> {
    let Signer::Key(key) = signer else { return Ok(signer) };
    if !key.locked() {
        return Ok(Signer::Key(key));
    }
    for _ in 0..3 {
        let said = keeper.of(&format!("Passphrase of {}: ", seal::fingerprint(key.public())))?;
        if let Ok(open) = key.unlock(&said) {
            return Ok(Signer::Key(Box::new(open)));
        }
    }
    Err(usage("three times the wrong passphrase: nothing was signed"))
}

/// Makes an Ed25519 key and keeps it in `file`, its public half in `file.pub`.
fn make(file: &Path, role: &Role, keeper: &mut dyn Keeper) -> anyhow::Result<SecretKey> {
    let random = |bytes: &mut [u8]| getrandom::fill(bytes).context("this machine gives no random numbers");
    let (mut seed, mut salt, mut check) = ([0; 32], [0; 16], [0; 4]);
    random(&mut seed)?;
    random(&mut salt)?;
    random(&mut check)?;
    let key = SecretKey::from_seed(&seed, &format!("golive {role}"))?;
    let mut public = file.as_os_str().to_owned();
    public.push(".pub");
    for taken in [file, Path::new(&public)] {
        if taken.exists() {
            let shown = line(&taken.display().to_string());
            return Err(usage(format!("{shown} exists already: a key is never overwritten")));
        }
    }
    let stored = match keeper.chosen()? {
        Some(secret) => key.lock(&secret, salt, u32::from_ne_bytes(check))?.to_text()?,
        None => key.to_text()?,
    };
    write_new(file, stored.reveal(), 0o600)?;
    let line = key.public().to_openssh()?;
    write_new(&PathBuf::from(public), &format!("{line}\n"), 0o644)?;
    Ok(key)
}

fn write_new(file: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(mode);
    }
    #[cfg(not(unix))]
    let _ = mode;
    let write = || -> std::io::Result<()> {
        let mut file = options.open(file)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().with_context(|| format!("cannot write {}", file.display()))
}
