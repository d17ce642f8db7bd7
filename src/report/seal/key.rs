//! Keys and signatures as OpenSSH writes them (SSHSIG).

use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{Algorithm, Cipher, EcdsaCurve, HashAlg, Kdf, LineEnding, PrivateKey, PublicKey, SshSig};

use super::namespace;
use crate::model::{Role, Secret};

/// The hash that OpenSSH itself uses by default.
const HASH: HashAlg = HashAlg::Sha512;

/// Largest signature file, in bytes. A real one has less than one kilobyte.
pub(super) const MAX_SIGNATURE: u64 = 16 << 10;

/// What is wrong with a key or a signature. Never holds a key's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a private key.
    #[error(
        "this is no private key of OpenSSH's format; make one by `ssh-keygen -t ed25519` or `--new-key FILE`"
    )]
    NotPrivate,
    /// Not a public key.
    #[error("this is no public key of OpenSSH's format")]
    NotPublic,
    /// The passphrase does not open it.
    #[error("the passphrase does not open this key")]
    Passphrase,
    /// It still is encrypted.
    #[error("this key is protected by a passphrase")]
    Locked,
    /// Another kind of key.
    #[error("golive cannot sign with a key of the kind {0}; use an Ed25519 key (`--new-key FILE` makes one)")]
    Kind(String),
    /// The signature's text.
    #[error("it is no SSH signature any more")]
    NotSignature,
    /// Its text is not the one that is written.
    #[error("its text was changed, though it still reads as a signature")]
    Altered,
    /// Something that cannot be put into words better.
    #[error("the key cannot be used: {0}")]
    Other(String),
}

fn other(error: &ssh_key::Error) -> KeyError {
    KeyError::Other(error.to_string())
}

/// A private key. Neither it nor its text shows in `Debug`.
pub struct SecretKey(PrivateKey);

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretKey({})", fingerprint(self.0.public_key()))
    }
}

impl SecretKey {
    /// From a key file's text.
    pub fn read(text: &Secret) -> Result<Self, KeyError> {
        let key = PrivateKey::from_openssh(text.reveal()).map_err(|_| KeyError::NotPrivate)?;
        usable(key.public_key())?;
        Ok(Self(key))
    }

    /// True when a passphrase is needed before it signs.
    pub fn locked(&self) -> bool {
        self.0.is_encrypted()
    }

    /// Opens a key by its passphrase.
    pub fn unlock(&self, passphrase: &Secret) -> Result<Self, KeyError> {
        self.0.decrypt(passphrase.reveal()).map(Self).map_err(|_| KeyError::Passphrase)
    }

    /// A new Ed25519 key from 32 random bytes.
    pub fn from_seed(seed: &[u8; 32], comment: &str) -> Result<Self, KeyError> {
        let pair = KeypairData::from(Ed25519Keypair::from_seed(seed));
        PrivateKey::new(pair, comment).map(Self).map_err(|error| other(&error))
    }

    /// The same key under a passphrase; salt and check number are random.
    pub fn lock(&self, passphrase: &Secret, salt: [u8; 16], check: u32) -> Result<Self, KeyError> {
        // Twice OpenSSH's own default: about half a second to try one passphrase.
        let kdf = Kdf::Bcrypt { salt: salt.to_vec(), rounds: 24 };
        let locked = self.0.encrypt_with(Cipher::Aes256Ctr, kdf, check, passphrase.reveal());
        locked.map(Self).map_err(|error| other(&error))
    }

    /// The key file's text.
    pub fn to_text(&self) -> Result<Secret, KeyError> {
        let text = self.0.to_openssh(LineEnding::LF).map_err(|error| other(&error))?;
        Ok(Secret::from(text.to_string()))
    }

    /// Its public half.
    pub fn public(&self) -> &PublicKey {
        self.0.public_key()
    }

    /// Signs for a role.
    pub fn sign(&self, role: &Role, message: &[u8]) -> Result<Signature, KeyError> {
        if self.locked() {
            return Err(KeyError::Locked);
        }
        self.0.sign(&namespace(role), HASH, message).map(Signature).map_err(|error| other(&error))
    }
}

/// A kind of key whose signatures this golive can make or check.
pub(super) fn usable(key: &PublicKey) -> Result<(), KeyError> {
    match key.algorithm() {
        Algorithm::Ed25519
        | Algorithm::SkEd25519
        | Algorithm::SkEcdsaSha2NistP256
        | Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 | EcdsaCurve::NistP384 } => Ok(()),
        kind => Err(KeyError::Kind(kind.to_string())),
    }
}

/// A public key's fingerprint, `SHA256:…`, as `ssh-keygen -l` shows it.
pub fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// What an agent is asked to sign, so that the outcome is an SSHSIG for the role.
pub fn to_be_signed(role: &Role, message: &[u8]) -> Result<Vec<u8>, KeyError> {
    SshSig::signed_data(&namespace(role), HASH, message).map_err(|error| other(&error))
}

/// A signature over a report and a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature(SshSig);

impl Signature {
    /// From what an agent answered: the signature in the wire form of SSH.
    pub fn from_agent(key: &PublicKey, role: &Role, blob: &[u8]) -> Result<Self, KeyError> {
        let raw = ssh_key::Signature::try_from(blob).map_err(|error| other(&error))?;
        let whole = SshSig::new(key.key_data().clone(), namespace(role), HASH, raw);
        whole.map(Self).map_err(|error| other(&error))
    }

    /// The file's text, as `ssh-keygen -Y sign` writes it.
    pub fn to_text(&self) -> Result<String, KeyError> {
        let text = self.0.to_pem(LineEnding::LF).map_err(|error| other(&error))?;
        Ok(if text.ends_with('\n') { text } else { text + "\n" })
    }

    /// From a file's bytes; only the one way to write a signature is one.
    pub fn read(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() as u64 > MAX_SIGNATURE {
            return Err(KeyError::NotSignature);
        }
        let signature = SshSig::from_pem(bytes).map(Self).map_err(|_| KeyError::NotSignature)?;
        if signature.to_text()?.as_bytes() != bytes || !signature.0.reserved().is_empty() {
            return Err(KeyError::Altered);
        }
        Ok(signature)
    }

    /// The key that it says it was made with.
    pub fn key(&self) -> PublicKey {
        PublicKey::new(self.0.public_key().clone(), "")
    }

    /// The role that it was made for, if it was made for a golive report at all.
    pub fn role(&self) -> Option<Role> {
        let name = self.0.namespace().strip_prefix("golive-")?.strip_suffix("@golive-report-1")?;
        Role::new(name).ok()
    }

    /// Whether this key made it, for this role, over this message.
    pub fn fits(&self, key: &PublicKey, role: &Role, message: &[u8]) -> bool {
        key.verify(&namespace(role), message, &self.0).is_ok()
    }
}
