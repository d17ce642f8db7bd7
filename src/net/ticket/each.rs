//! Files that are attached one call at a time: looked for first, confirmed after, never sent twice unseen.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::client::{Client, Created};
use super::{Attachment, Call, Fate, Held, TicketError, count};
use crate::model::text;

/// A ticket that takes each file by a call of its own.
pub(super) trait OneByOne {
    /// What is attached.
    async fn held(&self, client: &Client) -> Result<Vec<Held>, TicketError>;

    /// The call that attaches a file.
    fn upload<'a>(&'a self, file: &'a Attachment) -> Call<'a>;

    /// What its answer says that it kept.
    fn kept(answer: &Value) -> Vec<Held>;
}

/// Attaches every file; `told` hears of each as soon as it is known.
pub(super) async fn attach<Ticket: OneByOne>(
    client: &Client,
    ticket: &Ticket,
    files: &[Attachment],
    told: &mut (dyn FnMut(&Attachment, Fate) + Send),
) -> Result<(), TicketError> {
    let before = ticket.held(client).await?;
    for file in files {
        let digest = text::hex(Sha256::digest(&file.bytes));
        let same = |held: &Held| held.name == file.name && held.sha256.as_deref() == Some(&digest);
        if before.iter().any(same) {
            told(file, Fate::AlreadyThere);
            continue;
        }
        let call = ticket.upload(file);
        let there = || async { Ok(count(&ticket.held(client).await?, file) > count(&before, file)) };
        let fate = match client.create(&call, there).await? {
            Created::Found => Fate::FoundAttached,
            Created::Answered(answer) => {
                let mut kept = Ticket::kept(&answer);
                kept.retain(|kept| kept.sha256.as_ref().is_none_or(|sha256| *sha256 == digest));
                if count(&kept, file) != 1 {
                    return Err(client.failed(&call, "it says that it kept something else than was sent"));
                }
                Fate::Attached
            }
        };
        told(file, fate);
    }
    Ok(())
}
