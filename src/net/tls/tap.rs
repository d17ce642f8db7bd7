//! Keeps the first bytes that went each way: a handshake that fails can say what answered, and one that
//! does not can be compared with what arrived elsewhere.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::wire::client_hello::{ClientHello, MAX};

/// Bytes of an answer that are kept at most.
pub const MAX_ANSWERED: usize = 512;

/// A stream that remembers the first [`MAX`] bytes read from it and written to it.
#[derive(Debug)]
pub struct Tap<S> {
    inner: S,
    heard: Heard,
    said: Vec<u8>,
}

/// What a [`Tap`] has heard; outlives it.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard(Arc<Mutex<Vec<u8>>>);

/// Appends as much of `fresh` as there is room for.
fn keep(kept: &mut Vec<u8>, fresh: &[u8]) {
    let room = MAX.saturating_sub(kept.len());
    kept.extend_from_slice(fresh.get(..room).unwrap_or(fresh));
}

impl Heard {
    /// The bytes so far.
    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first of them.
    pub(super) fn answered(&self) -> Vec<u8> {
        let mut bytes = self.bytes();
        bytes.truncate(MAX_ANSWERED);
        bytes
    }

    fn hear(&self, fresh: &[u8]) {
        keep(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), fresh);
    }
}

impl<S> Tap<S> {
    pub(super) fn heard_by(inner: S) -> (Self, Heard) {
        let tap = Self::new(inner);
        let heard = tap.heard.clone();
        (tap, heard)
    }

    /// Listens to a stream.
    pub fn new(inner: S) -> Self {
        Self { inner, heard: Heard::default(), said: Vec::new() }
    }

    /// The TLS hello that came.
    pub fn hello_heard(&self) -> Option<ClientHello> {
        ClientHello::read(&self.heard.bytes())
    }

    /// The TLS hello that was sent.
    pub fn hello_said(&self) -> Option<ClientHello> {
        ClientHello::read(&self.said)
    }

    /// The stream beneath.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The stream beneath, for good.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        self.heard.hear(buf.filled().get(before..).unwrap_or_default());
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, buf);
        if let Poll::Ready(Ok(length)) = polled {
            keep(&mut self.said, buf.get(..length).unwrap_or_default());
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
