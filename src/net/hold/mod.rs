//! Sessions that are held against a far end: TCP connections and UDP flows that stay open, idle or
//! busy, until something ends them.
//!
//! The control connection is made anew for each request: one that lived as long as the sessions would
//! be cut with them, and nobody could be asked then what the far end saw.

mod stream;
mod flow;

use std::net::SocketAddr;
use std::time::Duration;

pub use flow::{Idle, UdpLine, idle, udp};
pub use stream::tcp;

use super::clock::Origin;
use super::far_end::{Control, nonsense};
use crate::model::{Cause, Contact, Failure, FarEnd, NotMeasured, SourceAddress};
use crate::wire::control::hold::Slot;
use crate::wire::control::{Reply, Request, Ticket};

/// How often a busy session sends, and how long one answer may take before the next is sent.
pub const EVERY: Duration = Duration::from_millis(200);

/// What a held session does until its time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// Nothing.
    Idle,
    /// Sends so many bytes every [`EVERY`], and gets them back.
    Busy(usize),
}

/// How long to hold, and when to give up.
#[derive(Debug, Clone, Copy)]
pub struct Hold {
    /// The session's time.
    pub hold: Duration,
    /// How long nothing may come back before a session counts as dead: longer than an outage that a
    /// stream survives.
    pub patience: Duration,
}

/// How a session ended before its time, as it looks from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// A reset came.
    Reset,
    /// It was closed in an orderly way (FIN).
    Closed,
    /// Nothing came back any more.
    Silence,
}

/// What became of one session.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// Addresses and times; `took_ms` until it was over.
    pub contact: Contact,
    /// Why it did not begin.
    pub failure: Option<Failure>,
    /// Last sign of life, ms after it began.
    pub alive_ms: f64,
    /// How it ended; `None` when it was alive at the end of its time.
    pub cut: Option<(f64, How)>,
}

impl Held {
    fn begins(contact: Contact) -> Self {
        Self { contact, failure: None, alive_ms: 0.0, cut: None }
    }

    fn never(contact: Contact, failure: Failure) -> Self {
        Self { failure: Some(failure), ..Self::begins(contact) }
    }
}

/// A held session of a far end, and the way to it.
#[derive(Debug, Clone)]
pub struct Ground<'a> {
    far_end: FarEnd,
    source: &'a SourceAddress,
    origin: &'a Origin,
    /// Where connections and datagrams go.
    pub remote: SocketAddr,
    /// What admits them.
    pub ticket: Ticket,
}

impl<'a> Ground<'a> {
    /// Asks the far end at this very address to hold sessions for so many seconds and bytes.
    ///
    /// # Errors
    /// As [`Control::connect`]; [`Cause::Unsupported`] when the far end is too old to know how.
    pub async fn open(
        far_end: &FarEnd,
        remote: SocketAddr,
        (source, origin): (&'a SourceAddress, &'a Origin),
        seconds: u32,
        bytes: u64,
    ) -> Result<Self, NotMeasured> {
        let far_end = FarEnd { address: remote.to_string(), ..far_end.clone() };
        let mut control = Box::pin(Control::connect(&far_end, source, origin)).await?;
        let shown = remote.to_string();
        let asked = control.ask(&Request::OpenHold { seconds, bytes }, &shown).await;
        match asked.map_err(|why| too_old(why, &shown))? {
            Reply::Hold { ticket, grant } if grant.seconds >= seconds => {
                Ok(Self { far_end, source, origin, remote, ticket })
            }
            Reply::Hold { grant, .. } => Err(NotMeasured::new(
                Cause::FarEnd,
                format!("the far end {shown} holds sessions for {} s at most", grant.seconds),
                "ask for less in the policy, or start `golive far-end` with larger caps",
            )),
            _ => Err(nonsense(&shown)),
        }
    }

    async fn ask(&self, request: &Request) -> Result<Reply, NotMeasured> {
        let mut control = Box::pin(Control::connect(&self.far_end, self.source, self.origin)).await?;
        control.ask(request, &self.far_end.address).await
    }

    /// Has the far end send one datagram to where the last one of a slot came from; false when it
    /// knows no such place.
    ///
    /// # Errors
    /// As [`Control::connect`].
    pub async fn push(&self, slot: u8) -> Result<bool, NotMeasured> {
        match self.ask(&Request::Push { ticket: self.ticket, slot }).await? {
            Reply::Pushed { sent } => Ok(sent),
            _ => Err(nonsense(&self.far_end.address)),
        }
    }

    /// Ends it: what the far end saw of each slot, and datagrams that it did not answer because they
    /// came from another address.
    ///
    /// # Errors
    /// As [`Control::connect`].
    pub async fn release(&self) -> Result<(Vec<Slot>, u64), NotMeasured> {
        match self.ask(&Request::Release { ticket: self.ticket }).await? {
            Reply::Released { slots, foreign } => Ok((slots, foreign)),
            _ => Err(nonsense(&self.far_end.address)),
        }
    }
}

/// A far end from before held sessions takes the request for none of its protocol.
fn too_old(why: NotMeasured, shown: &str) -> NotMeasured {
    if !why.detail.contains(crate::wire::control::Refusal::BadRequest.words()) {
        return why;
    }
    NotMeasured::new(
        Cause::Unsupported,
        format!("the far end {shown} is of an earlier version, which cannot hold sessions"),
        "run this version of `golive far-end` there",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_far_end_is_told_from_one_that_refuses() {
        let refused = |words: &str| NotMeasured::new(Cause::FarEnd, format!("it refused: {words}"), "");
        let old = too_old(refused(crate::wire::control::Refusal::BadRequest.words()), "192.0.2.1:8443");
        assert_eq!(old.cause, Cause::Unsupported);
        let full = crate::wire::control::Refusal::TooManySessions.words();
        assert_eq!(too_old(refused(full), "192.0.2.1:8443").cause, Cause::FarEnd);
    }
}
