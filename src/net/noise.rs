//! Random bytes to fill a line with: what compresses would flatter it.
//!
//! On Linux they lie in memory of the kernel (`memfd_create`) and go out from there (sendfile(2)): a fast line
//! is not measured by how fast this machine copies. Elsewhere, and where the kernel refuses, they are written.

use std::io;

use tokio::net::TcpStream;

/// Most that is sent at once, and what offsets stay below.
pub const CHUNK: usize = 1024 * 1024;

/// Twice [`CHUNK`] of random bytes, so that any offset below it is followed by a whole one.
#[derive(Debug)]
pub struct Noise {
    bytes: Vec<u8>,
    #[cfg(target_os = "linux")]
    kept: Option<std::fs::File>,
}

impl Noise {
    /// Fresh ones.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn new() -> io::Result<Self> {
        let mut bytes = vec![0; 2 * CHUNK];
        getrandom::fill(&mut bytes)?;
        Ok(Self {
            #[cfg(target_os = "linux")]
            kept: linux::keep(&bytes).ok(),
            bytes,
        })
    }

    /// Sends at most `most` bytes, beginning with that at `offset` below [`CHUNK`]; gives how many were taken.
    ///
    /// # Errors
    /// As of a write; `WouldBlock` where the socket takes none now.
    pub fn send(&self, socket: &TcpStream, offset: usize, most: usize) -> io::Result<usize> {
        let most = most.min(CHUNK);
        #[cfg(target_os = "linux")]
        if let Some(kept) = &self.kept {
            match linux::send(kept, socket, offset, most) {
                Err(error) if linux::is_not_offered(&error) => {}
                sent => return sent,
            }
        }
        let rest = self.bytes.get(offset..).unwrap_or_default();
        socket.try_write(rest.get(..most).unwrap_or(rest))
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::io::{self, Write as _};

    use rustix::fs::{MemfdFlags, memfd_create, sendfile};
    use tokio::io::Interest;
    use tokio::net::TcpStream;

    pub(super) fn keep(bytes: &[u8]) -> io::Result<File> {
        let mut file = File::from(memfd_create("golive-noise", MemfdFlags::CLOEXEC)?);
        file.write_all(bytes)?;
        Ok(file)
    }

    pub(super) fn send(kept: &File, socket: &TcpStream, offset: usize, most: usize) -> io::Result<usize> {
        let mut offset = offset as u64;
        socket.try_io(Interest::WRITABLE, || Ok(sendfile(socket, kept, Some(&mut offset), most)?))
    }

    /// Old kernels, and sandboxes that forbid the call.
    pub(super) fn is_not_offered(error: &io::Error) -> bool {
        matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOSYS | libc::EPERM))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    async fn arrives(noise: &Noise) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        let offset = CHUNK - 3;
        let mut came = vec![0; CHUNK + 20];
        let mut written = 0;
        while written < came.len() {
            socket.writable().await.unwrap();
            match noise.send(&socket, offset, came.len() - written) {
                Ok(count) => {
                    assert!(count > 0 && count <= CHUNK);
                    far.read_exact(&mut came[written..written + count]).await.unwrap();
                    assert_eq!(came[written..written + count], noise.bytes[offset..offset + count]);
                    written += count;
                }
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
        }
        drop(far);
        while noise.send(&socket, 0, CHUNK).is_ok() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn what_is_sent_arrives_and_differs() {
        let noise = Noise::new().unwrap();
        arrives(&noise).await;
        assert_ne!(noise.bytes[..CHUNK], noise.bytes[CHUNK..]);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn where_the_kernel_keeps_none_they_are_written() {
        let without = Noise { kept: None, ..Noise::new().unwrap() };
        arrives(&without).await;
        assert!(Noise::new().unwrap().kept.is_some());
    }
}
