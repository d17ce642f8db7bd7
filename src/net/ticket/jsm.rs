//! Jira Service Management: temporary files that become attachments of a request.
//!
//! <https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-servicedesk/>:
//! `attachTemporaryFile` as multipart (`file`, `X-Atlassian-Token: no-check`, 201), then the
//! request's `attachment` with the temporary ids and `public`, 201. Ours are never public:
//! customers do not see them.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, Created};
use super::{Attachment, Body, Call, Fate, Held, TicketError, count};

/// What some versions of the service desk ask of newer calls.
const OPT_IN: (&str, &str) = ("X-ExperimentalApi", "opt-in");

fn list(request: &str, start: usize) -> Call<'_> {
    let path = vec!["rest", "servicedeskapi", "request", request, "attachment"];
    let query = vec![("start", start.to_string()), ("limit", "100".to_owned())];
    Call::get(path, query, "reading what is attached").header(OPT_IN.0, OPT_IN.1)
}

fn temporary<'a>(desk: &'a str, file: &'a Attachment) -> Call<'a> {
    let path = vec!["rest", "servicedeskapi", "servicedesk", desk, "attachTemporaryFile"];
    Call::send(Method::POST, path, Body::Form(file), 201, format!("uploading {}", file.name))
        .header("X-Atlassian-Token", "no-check")
        .header(OPT_IN.0, OPT_IN.1)
}

fn keep<'a>(request: &'a str, ids: &[String]) -> Call<'a> {
    let path = vec!["rest", "servicedeskapi", "request", request, "attachment"];
    let body = Body::Json(json!({ "temporaryAttachmentIds": ids, "public": false }));
    Call::send(Method::POST, path, body, 201, "attaching what was uploaded".to_owned())
        .header(OPT_IN.0, OPT_IN.1)
}

pub(super) fn calls<'a>(desk: &'a str, request: &'a str, files: &'a [Attachment]) -> Vec<Call<'a>> {
    let ids: Vec<String> = files.iter().map(|file| format!("(the id of {})", file.name)).collect();
    let uploads = files.iter().map(|file| temporary(desk, file));
    std::iter::once(list(request, 0)).chain(uploads).chain([keep(request, &ids)]).collect()
}

/// Pages of the list that are read at most.
const PAGES: usize = 20;

async fn held(client: &Client, request: &str) -> Result<Vec<Held>, TicketError> {
    let mut held = Vec::new();
    for page in 0..PAGES {
        let answer = client.ask(&list(request, page * 100)).await?;
        held.extend(super::jira::entries(&answer["values"]));
        if answer["isLastPage"].as_bool() != Some(false) {
            break;
        }
    }
    Ok(held)
}

pub(super) async fn attach(
    client: &Client,
    desk: &str,
    request: &str,
    files: &[Attachment],
    told: &mut (dyn FnMut(&Attachment, Fate) + Send),
) -> Result<(), TicketError> {
    let before = held(client, request).await?;
    let mut ids = Vec::new();
    for file in files {
        // A temporary file that nobody keeps is thrown away by the service desk: sent twice is no harm.
        let call = temporary(desk, file);
        let answer = client.ask(&call).await?;
        match id(&answer) {
            Some(id) => ids.push(id),
            None => return Err(client.failed(&call, "its answer names no temporary attachment")),
        }
    }
    let call = keep(request, &ids);
    let there = || async {
        let now = held(client, request).await?;
        Ok(files.iter().all(|file| count(&now, file) > count(&before, file)))
    };
    let fate = match client.create(&call, there).await? {
        Created::Answered(_) => Fate::Attached,
        Created::Found => Fate::FoundAttached,
    };
    for file in files {
        told(file, fate);
    }
    Ok(())
}

fn id(answer: &Value) -> Option<String> {
    Some(answer["temporaryAttachments"].as_array()?.first()?["temporaryAttachmentId"].as_str()?.to_owned())
}
