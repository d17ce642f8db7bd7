//! A client of the SSH agent (draft-miller-ssh-agent): which keys it holds, and its signatures.

use std::io::{self, Read, Write};
use std::time::Duration;

use ssh_key::PublicKey;

/// Longest message, in bytes; agents themselves take 256 KiB.
const MAX_MESSAGE: u32 = 256 << 10;
/// How long an agent may take: it may ask its owner to touch a token or to confirm.
const PATIENCE: Duration = Duration::from_mins(1);

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// What an agent cannot do for us.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// There is none.
    #[error(
        "no SSH agent runs here: SSH_AUTH_SOCK is not set; start one (`eval $(ssh-agent)`, `ssh-add`) or use --key FILE"
    )]
    None,
    /// It cannot be talked to.
    #[error("the SSH agent cannot be asked: {0}")]
    Io(#[from] io::Error),
    /// It breaks the protocol.
    #[error("what answers at SSH_AUTH_SOCK is no SSH agent")]
    Garbled,
    /// It said no.
    #[error("the SSH agent refused to sign: the key is gone, locked, or its owner said no")]
    Refused,
}

/// A connection to the agent.
#[derive(Debug)]
pub struct Agent<S>(S);

#[cfg(unix)]
impl Agent<std::os::unix::net::UnixStream> {
    /// Connects to the agent of this session.
    pub fn connect() -> Result<Self, AgentError> {
        let path =
            std::env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty()).ok_or(AgentError::None)?;
        let stream = std::os::unix::net::UnixStream::connect(path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self(stream))
    }
}

#[cfg(not(unix))]
impl Agent<io::Empty> {
    /// Agents are reached by sockets of Unix only.
    pub fn connect() -> Result<Self, AgentError> {
        Err(AgentError::None)
    }
}

impl<S: Read + Write> Agent<S> {
    /// The keys that it holds; those of kinds that we do not know are left out.
    pub fn keys(&mut self) -> Result<Vec<PublicKey>, AgentError> {
        let answer = self.ask(REQUEST_IDENTITIES, &[], IDENTITIES_ANSWER)?;
        let mut rest = answer.as_slice();
        let count = number(&mut rest)?;
        let mut keys = Vec::new();
        for _ in 0..count {
            let (blob, _comment) = (string(&mut rest)?, string(&mut rest)?);
            keys.extend(PublicKey::from_bytes(blob));
        }
        Ok(keys)
    }

    /// Its signature over `data` by this key, in the wire form of SSH.
    pub fn sign(&mut self, key: &PublicKey, data: &[u8]) -> Result<Vec<u8>, AgentError> {
        let mut request = Vec::new();
        put(&mut request, &key.to_bytes().map_err(|_| AgentError::Garbled)?);
        put(&mut request, data);
        request.extend(0_u32.to_be_bytes());
        let answer = self.ask(SIGN_REQUEST, &request, SIGN_RESPONSE)?;
        string(&mut answer.as_slice()).map(<[u8]>::to_vec)
    }

    fn ask(&mut self, kind: u8, body: &[u8], wanted: u8) -> Result<Vec<u8>, AgentError> {
        let mut message = Vec::with_capacity(body.len() + 1);
        message.push(kind);
        message.extend(body);
        let mut framed = Vec::with_capacity(message.len() + 4);
        put(&mut framed, &message);
        self.0.write_all(&framed)?;
        let mut length = [0; 4];
        self.0.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length);
        if length == 0 || length > MAX_MESSAGE {
            return Err(AgentError::Garbled);
        }
        let mut answer = vec![0; length as usize];
        self.0.read_exact(&mut answer)?;
        match answer.first() {
            Some(kind) if *kind == wanted => Ok(answer.split_off(1)),
            Some(5) => Err(AgentError::Refused),
            _ => Err(AgentError::Garbled),
        }
    }
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    // what is sent is far below 4 GiB
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(bytes);
}

fn number(rest: &mut &[u8]) -> Result<u32, AgentError> {
    let (head, tail) = rest.split_first_chunk::<4>().ok_or(AgentError::Garbled)?;
    *rest = tail;
    Ok(u32::from_be_bytes(*head))
}

fn string<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], AgentError> {
    let length = number(rest)? as usize;
    let (head, tail) = rest.split_at_checked(length).ok_or(AgentError::Garbled)?;
    *rest = tail;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Answers whatever is asked with the same bytes.
    struct Parrot(io::Cursor<Vec<u8>>);

    impl Read for Parrot {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.read(into)
        }
    }

    impl Write for Parrot {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn any_answer_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut framed = Vec::new();
            put(&mut framed, &bytes);
            for answer in [bytes, framed] {
                let _ = Agent(Parrot(io::Cursor::new(answer))).keys();
            }
        }
    }
}
