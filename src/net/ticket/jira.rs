//! Jira: issue attachments of its REST API.
//!
//! <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-attachments/>: a
//! multipart part named `file`, `X-Atlassian-Token: no-check`, 200; 403, 404, 413.

use reqwest::Method;
use serde_json::Value;

use super::client::Client;
use super::each::{self, OneByOne};
use super::{Attachment, Body, Call, Fate, Held, TicketError};

fn settings() -> Call<'static> {
    Call::get(vec!["rest", "api", "3", "attachment", "meta"], Vec::new(), "reading the limit of attachments")
}

fn list(issue: &str) -> Call<'_> {
    let query = vec![("fields", "attachment".to_owned())];
    Call::get(vec!["rest", "api", "3", "issue", issue], query, "reading what is attached")
}

fn upload<'a>(issue: &'a str, file: &'a Attachment) -> Call<'a> {
    let path = vec!["rest", "api", "3", "issue", issue, "attachments"];
    Call::send(Method::POST, path, Body::Form(file), 200, format!("attaching {}", file.name))
        .header("X-Atlassian-Token", "no-check")
}

pub(super) fn calls<'a>(issue: &'a str, files: &'a [Attachment]) -> Vec<Call<'a>> {
    let uploads = files.iter().map(|file| upload(issue, file));
    [settings(), list(issue)].into_iter().chain(uploads).collect()
}

/// Whether the site takes files of these sizes, before the first one is sent.
async fn allowed(client: &Client, files: &[Attachment]) -> Result<(), TicketError> {
    let call = settings();
    let settings = client.ask(&call).await?;
    if settings["enabled"].as_bool() == Some(false) {
        let why = "attachments are switched off on this site".to_owned();
        return Err(TicketError {
            what: call.what,
            why,
            remedy: "ask its administrator to allow them".to_owned(),
        });
    }
    let Some(limit) = settings["uploadLimit"].as_u64() else { return Ok(()) };
    match files.iter().find(|file| file.bytes.len() as u64 > limit) {
        None => Ok(()),
        Some(file) => Err(TicketError {
            what: format!("attaching {}", file.name),
            why: format!("it has {} bytes, and this site takes {limit} at most", file.bytes.len()),
            remedy: "ask its administrator to raise the limit, or attach the other files by hand; nothing was sent"
                .to_owned(),
        }),
    }
}

/// An issue, by its key.
struct Issue<'a>(&'a str);

impl OneByOne for Issue<'_> {
    async fn held(&self, client: &Client) -> Result<Vec<Held>, TicketError> {
        let answer = client.ask(&list(self.0)).await?;
        Ok(entries(&answer["fields"]["attachment"]))
    }

    fn upload<'a>(&'a self, file: &'a Attachment) -> Call<'a> {
        upload(self.0, file)
    }

    fn kept(answer: &Value) -> Vec<Held> {
        entries(answer)
    }
}

/// `[{"filename": …, "size": …}]`.
pub(super) fn entries(value: &Value) -> Vec<Held> {
    let held = |value: &Value| {
        let name = value["filename"].as_str()?.to_owned();
        Some(Held { name, size: value["size"].as_u64()?, sha256: None })
    };
    value.as_array().into_iter().flatten().filter_map(held).collect()
}

pub(super) async fn attach(
    client: &Client,
    issue: &str,
    files: &[Attachment],
    told: &mut (dyn FnMut(&Attachment, Fate) + Send),
) -> Result<(), TicketError> {
    allowed(client, files).await?;
    each::attach(client, &Issue(issue), files, told).await
}
