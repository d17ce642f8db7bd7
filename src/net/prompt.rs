//! A TCP stream that acknowledges at once, so that a timer around an answer reads no false 40 ms.
//!
//! Without it our kernel delays its acknowledgement, a server with Nagle's algorithm (nginx) waits for
//! that before it sends its next small piece, and the wait is counted as the server's.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The stream. `TCP_QUICKACK` holds for a while only (tcp(7)), so it is set again after every read.
/// On systems without it, this is the plain stream.
#[derive(Debug)]
pub struct Prompt(TcpStream);

impl Prompt {
    /// Acknowledges promptly from now on.
    pub fn new(stream: TcpStream) -> Self {
        let prompt = Self(stream);
        prompt.arm();
        prompt
    }

    /// The plain stream.
    pub fn into_inner(self) -> TcpStream {
        self.0
    }

    fn arm(&self) {
        // Where it cannot be set, stages read up to 40 ms too long: no reason to measure nothing.
        #[cfg(target_os = "linux")]
        let _ = socket2::SockRef::from(&self.0).set_tcp_quickack(true);
    }
}

impl AsyncRead for Prompt {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.0).poll_read(context, buffer);
        if polled.is_ready() {
            self.arm();
        }
        polled
    }
}

impl AsyncWrite for Prompt {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
