//! Pushes files as an HLS encoder does: one after another over a connection that is kept, through the proxy
//! that this machine names.

use std::time::Duration;

use super::clock::Origin;
use super::tls::{Accept, Roots};
use super::viewer::lines::{Lines, Question};
use super::viewer::{Chosen, Exchange};
use crate::model::{NotMeasured, Secret, SourceAddress};
use crate::wire::http::{Pages, PushUrl, push};

/// Longest time for sending a file and for the answer.
pub const ANSWER: Duration = Duration::from_secs(15);
/// Bytes of an answer's body that are kept.
const KEEP: usize = 16 * 1024;

/// A file to be pushed.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Its name, of letters, digits, `-` and `.`.
    pub name: &'a str,
    /// What it holds, as HTTP names it.
    pub content_type: &'a str,
    /// The whole of it.
    pub body: &'a [u8],
}

/// One encoder.
pub struct Pusher<'a> {
    to: &'a PushUrl,
    key: Option<&'a Secret>,
    lines: Lines<'a>,
}

impl<'a> Pusher<'a> {
    /// A new one, without a connection. A certificate that this machine does not trust for the name ends
    /// it before anything is sent: the key is part of each request.
    pub const fn new(
        (to, key): (&'a PushUrl, Option<&'a Secret>),
        chosen: &'a Chosen,
        (source, roots, origin): (&'a SourceAddress, &'a Roots, &'a Origin),
    ) -> Self {
        Self { to, key, lines: Lines::new(chosen, Accept::Trusted, source, roots, origin) }
    }

    /// Sends a file by `PUT`, `POST` or `DELETE`. A kept connection that breaks is told, and the next
    /// request makes a new one.
    pub async fn send(&mut self, method: &str, file: File<'_>) -> Result<Exchange, NotMeasured> {
        let target = self.to.target(self.key, file.name);
        let bytes = push(method, self.to.site(), &target, file.content_type, file.body);
        let question = Question { url: self.to.site(), bytes: &bytes, limit: ANSWER, again: false };
        self.lines.exchange(question, || Pages::to_the_end(KEEP), |_| {}).await
    }
}
