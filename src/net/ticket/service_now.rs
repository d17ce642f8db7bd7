//! ServiceNow: the Attachment API and the Change Management API.
//!
//! <https://www.servicenow.com/docs/r/api-reference/rest-apis/c_AttachmentAPI.html>: `POST
//! /api/now/attachment/file`, the file as the raw body, `Content-Type` mandatory, 201.

use reqwest::Method;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::client::{Client, Created};
use super::{Attachment, Body, Call, Fate, Held, TicketError, count};

const TABLE: &str = "change_request";

fn list(change: &str) -> Call<'static> {
    let query = vec![
        ("sysparm_query", format!("table_name={TABLE}^table_sys_id={change}")),
        ("sysparm_fields", "file_name,size_bytes,hash".to_owned()),
        ("sysparm_limit", "1000".to_owned()),
    ];
    Call::get(vec!["api", "now", "attachment"], query, "reading what is attached")
}

fn upload<'a>(change: &str, file: &'a Attachment) -> Call<'a> {
    let path = vec!["api", "now", "attachment", "file"];
    let mut call = Call::send(Method::POST, path, Body::Raw(file), 201, format!("attaching {}", file.name));
    call.query = vec![
        ("table_name", TABLE.to_owned()),
        ("table_sys_id", change.to_owned()),
        ("file_name", file.name.clone()),
    ];
    call
}

fn update<'a>(change: &'a str, fields: &Map<String, Value>) -> Call<'a> {
    let path = vec!["api", "sn_chg_rest", "change", change];
    let body = Body::Json(Value::Object(fields.clone()));
    Call::send(Method::PATCH, path, body, 200, "writing the change's fields".to_owned())
}

pub(super) fn calls<'a>(
    change: &'a str,
    files: &'a [Attachment],
    fields: Option<&Map<String, Value>>,
) -> Vec<Call<'a>> {
    let uploads = files.iter().map(|file| upload(change, file));
    std::iter::once(list(change)).chain(uploads).chain(fields.map(|fields| update(change, fields))).collect()
}

async fn held(client: &Client, change: &str) -> Result<Vec<Held>, TicketError> {
    let answer = client.ask(&list(change)).await?;
    let entries = answer["result"].as_array().into_iter().flatten();
    Ok(entries.filter_map(entry).collect())
}

/// Sizes are numbers written as text.
fn entry(value: &Value) -> Option<Held> {
    let size = &value["size_bytes"];
    let size = size.as_u64().or_else(|| size.as_str()?.parse().ok())?;
    let sha256 = value["hash"].as_str().filter(|hash| hash.len() == 64).map(str::to_ascii_lowercase);
    Some(Held { name: value["file_name"].as_str()?.to_owned(), size, sha256 })
}

pub(super) async fn attach(
    client: &Client,
    change: &str,
    files: &[Attachment],
    told: &mut (dyn FnMut(&Attachment, Fate) + Send),
) -> Result<(), TicketError> {
    let before = held(client, change).await?;
    for file in files {
        let digest = hex(&file.bytes);
        let same = |held: &Held| held.name == file.name && held.sha256.as_deref() == Some(&digest);
        if before.iter().any(same) {
            told(file, Fate::AlreadyThere);
            continue;
        }
        let call = upload(change, file);
        let there = || async { Ok(count(&held(client, change).await?, file) > count(&before, file)) };
        match client.create(&call, there).await? {
            Created::Found => told(file, Fate::FoundAttached),
            Created::Answered(answer) => {
                let kept = entry(&answer["result"]);
                let whole = kept.is_some_and(|kept| {
                    kept.name == file.name
                        && kept.size == file.bytes.len() as u64
                        && kept.sha256.is_none_or(|sha256| sha256 == digest)
                });
                if !whole {
                    return Err(client.failed(&call, "it says that it kept something else than was sent"));
                }
                told(file, Fate::Attached);
            }
        }
    }
    Ok(())
}

pub(super) async fn write(
    client: &Client,
    change: &str,
    fields: &Map<String, Value>,
) -> Result<(), TicketError> {
    client.ask(&update(change, fields)).await.map(|_| ())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
