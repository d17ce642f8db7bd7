//! Who this far end is: its key and its token, kept in the state directory.

use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use sha2::{Digest as _, Sha256};

use crate::model::{Pin, Secret, text};
use crate::wire::control::ALPN;

const KEY_FILE: &str = "key.pem";
/// In the certificate, which nobody reads: callers pin the key.
const CERTIFICATE_NAME: &str = "golive-far-end";
const TOKEN_FILE: &str = "token";
/// Shortest token that is accepted from a state directory, in characters.
const MIN_TOKEN: usize = 32;

/// A far end's key and token.
pub struct Identity {
    key: KeyPair,
    /// SHA-256 of the key's SPKI: what a policy pins.
    pub pin: Pin,
    /// What admits a caller.
    pub token: Secret,
}

/// Key and token could not be made, read or kept.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The state directory or a file in it.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Others can read a secret.
    #[error("{} can be read by others; `chmod 600` it, and better make a new one (delete it)", .0.display())]
    Exposed(PathBuf),
    /// A file does not hold what it should.
    #[error("{} does not hold {what}; delete it to get a new one (and a new line in the policy)", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// The key could not be made.
    #[error("cannot make a key: {0}")]
    Key(#[from] rcgen::Error),
    /// TLS does not take the key.
    #[error("cannot use the key: {0}")]
    Tls(#[from] rustls::Error),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

impl Identity {
    /// A new one that nobody keeps.
    pub fn ephemeral() -> Result<Self, IdentityError> {
        Ok(Self::of(KeyPair::generate()?, new_token()?))
    }

    /// The one kept in `dir`; what is missing is made. Files are readable by their owner only.
    pub fn kept(dir: &Path) -> Result<Self, IdentityError> {
        make_private(dir)?;
        let path = dir.join(KEY_FILE);
        let damaged = |what| IdentityError::Damaged { path: path.clone(), what };
        let pem = read_or_make(&path, || Ok(KeyPair::generate()?.serialize_pem()))?;
        let key = KeyPair::from_pem(&pem).map_err(|_| damaged("a private key (PKCS #8, PEM)"))?;
        let path = dir.join(TOKEN_FILE);
        let token = read_or_make(&path, || new_token().map(|token| token.reveal().to_owned() + "\n"))?;
        let token = token.lines().next().unwrap_or_default().trim();
        if token.len() < MIN_TOKEN || !token.bytes().all(|c| c.is_ascii_graphic()) {
            return Err(IdentityError::Damaged { path, what: "a token of at least 32 plain characters" });
        }
        Ok(Self::of(key, Secret::from(token.to_owned())))
    }

    fn of(key: KeyPair, token: Secret) -> Self {
        let pin = Pin::from_digest(Sha256::digest(key.subject_public_key_info()).into());
        Self { key, pin, token }
    }

    /// TLS 1.3 alone, with a certificate made afresh over the kept key: callers pin the key, so
    /// the certificate says nothing and never runs out. No session tickets: they would be
    /// bytes sent before the token is proved.
    pub fn tls(&self) -> Result<Arc<ServerConfig>, IdentityError> {
        let mut params = CertificateParams::new(vec![CERTIFICATE_NAME.to_owned()])?;
        params.distinguished_name.push(rcgen::DnType::CommonName, CERTIFICATE_NAME);
        let certificate = params.self_signed(&self.key)?;
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }

    /// Stream key (RTMP) or stream id (SRT) that admits test streams to the media listeners.
    /// Made from the token, so that it stays the same; it travels in the clear and does not
    /// give the token away.
    pub fn media_key(&self) -> Secret {
        let digest = Sha256::new_with_prefix("golive far end: media key\n").chain_update(self.token.reveal());
        Secret::from(text::hex(digest.finalize().get(..16).unwrap_or_default()))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("pin", &self.pin).finish_non_exhaustive()
    }
}

fn new_token() -> Result<Secret, IdentityError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(Secret::from(text::hex(bytes)))
}

fn make_private(dir: &Path) -> Result<(), IdentityError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|error| IdentityError::File { path: dir.to_owned(), error })
}

fn read_or_make(
    path: &Path,
    make: impl FnOnce() -> Result<String, IdentityError>,
) -> Result<String, IdentityError> {
    let failed = |error| IdentityError::File { path: path.to_owned(), error };
    match std::fs::read_to_string(path) {
        Ok(text) => {
            if exposed(path).map_err(failed)? {
                return Err(IdentityError::Exposed(path.to_owned()));
            }
            Ok(text)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = make()?;
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let written = options.open(path).and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()
            });
            written.map_err(failed)?;
            Ok(text)
        }
        Err(error) => Err(failed(error)),
    }
}

#[cfg(unix)]
fn exposed(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn exposed(_: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_the_same_over_restarts() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("a/b");
        let first = Identity::kept(&state).unwrap();
        let again = Identity::kept(&state).unwrap();
        assert_eq!((&first.pin, &first.token), (&again.pin, &again.token));
        assert_eq!(first.media_key(), again.media_key());
        assert!(!first.token.reveal().contains(first.media_key().reveal()));
    }

    #[cfg(unix)]
    #[test]
    fn its_files_are_private_and_exposed_ones_are_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        Identity::kept(dir.path()).unwrap();
        for file in [KEY_FILE, TOKEN_FILE] {
            let path = dir.path().join(file);
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            assert!(matches!(Identity::kept(dir.path()), Err(IdentityError::Exposed(_))), "{file}");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    #[test]
    fn damaged_files_are_named() {
        let dir = tempfile::tempdir().unwrap();
        Identity::kept(dir.path()).unwrap();
        for file in [KEY_FILE, TOKEN_FILE] {
            let path = dir.path().join(file);
            let kept = std::fs::read(&path).unwrap();
            std::fs::write(&path, "short\n").unwrap();
            let error = Identity::kept(dir.path()).unwrap_err().to_string();
            assert!(error.contains(file) && error.contains("delete it"), "{error}");
            std::fs::write(&path, kept).unwrap();
        }
    }

    #[test]
    fn nothing_secret_in_debug() {
        let identity = Identity::ephemeral().unwrap();
        let shown = format!("{identity:?}");
        assert!(!shown.contains(identity.token.reveal()) && shown.contains("sha256:"));
    }
}
