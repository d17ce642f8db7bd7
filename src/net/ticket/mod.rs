//! Attaches files to a ticket by the ticket systems' own REST calls, and writes a change's fields.
//!
//! It reads what is attached, attaches, and (ServiceNow, when asked) writes text fields: nothing
//! here approves, moves or closes anything. Redirects are never followed, so that the token goes
//! to the host that the user named and to no other.

mod answer;
mod call;
mod client;
mod each;
mod jira;
mod jsm;
pub(super) mod place;
mod service_now;

use serde_json::{Map, Value};

pub use call::{Body, Call};
pub use client::{Credentials, Patience};
pub use place::{BadPlace, Place, Record, Site};

pub(super) use client::{bearer, reason, requests};

use client::Client;

/// A file to attach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name in the ticket.
    pub name: String,
    /// Its media type.
    pub content_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Attached now, confirmed by the ticket system.
    Attached,
    /// The answer was lost, and the ticket's own list shows that it is attached.
    FoundAttached,
    /// The same bytes under the same name were attached before: not sent again.
    AlreadyThere,
}

/// Why something was not attached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}; {remedy}")]
pub struct TicketError {
    /// What was tried.
    pub what: String,
    /// Why it did not work; text of the server is bounded and escaped.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

/// A file that the ticket holds already.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    name: String,
    size: u64,
    /// SHA-256 of its contents, hexadecimal, where the system tells.
    sha256: Option<String>,
}

/// How many files of this name and size there are.
fn count(held: &[Held], file: &Attachment) -> usize {
    held.iter().filter(|held| held.name == file.name && held.size == file.bytes.len() as u64).count()
}

/// A ticket, and the way to its system.
#[derive(Debug)]
pub struct Ticket {
    place: Place,
    client: Client,
}

impl Ticket {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// When this machine cannot set up TLS or the proxy that its environment names.
    pub fn new(place: Place, credentials: Credentials, patience: Patience) -> Result<Self, TicketError> {
        let client = Client::new(place.site.clone(), credentials, patience)?;
        Ok(Self { place, client })
    }

    /// Attaches every file, one after another; `told` hears of each as soon as it is known.
    ///
    /// # Errors
    /// The first file that cannot be attached ends it; what was told stays attached.
    pub async fn attach(
        &self,
        files: &[Attachment],
        told: &mut (dyn FnMut(&Attachment, Fate) + Send),
    ) -> Result<(), TicketError> {
        match &self.place.record {
            Record::ServiceNow { change } => service_now::attach(&self.client, change, files, told).await,
            Record::Jira { issue } => jira::attach(&self.client, issue, files, told).await,
            Record::Jsm { desk, request } => jsm::attach(&self.client, desk, request, files, told).await,
        }
    }

    /// Writes text fields of a ServiceNow change request.
    ///
    /// # Errors
    /// When the system refuses, or has no such fields.
    pub async fn write_fields(&self, fields: &Map<String, Value>) -> Result<(), TicketError> {
        match &self.place.record {
            Record::ServiceNow { change } => service_now::write(&self.client, change, fields).await,
            Record::Jira { .. } | Record::Jsm { .. } => Err(TicketError {
                what: "writing the change's fields".to_owned(),
                why: "only ServiceNow has them".to_owned(),
                remedy: "leave --fields out, and paste `golive change` instead".to_owned(),
            }),
        }
    }
}

/// What attaching would send, in order, with nothing sent.
pub fn calls<'a>(
    place: &'a Place,
    files: &'a [Attachment],
    fields: Option<&'a Map<String, Value>>,
) -> Vec<Call<'a>> {
    match &place.record {
        Record::ServiceNow { change } => service_now::calls(change, files, fields),
        Record::Jira { issue } => jira::calls(issue, files),
        Record::Jsm { desk, request } => jsm::calls(desk, request, files),
    }
}
