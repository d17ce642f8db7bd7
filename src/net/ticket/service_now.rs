//! ServiceNow: the Attachment API and the Change Management API.
//!
//! <https://www.servicenow.com/docs/r/api-reference/rest-apis/c_AttachmentAPI.html>: `POST
//! /api/now/attachment/file`, the file as the raw body, `Content-Type` mandatory, 201.

use reqwest::Method;
use serde_json::{Map, Value};

use super::client::Client;
use super::each::{self, OneByOne};
use super::{Attachment, Body, Call, Fate, Held, TicketError};

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

/// A change request, by its `sys_id`.
struct Change<'a>(&'a str);

impl OneByOne for Change<'_> {
    async fn held(&self, client: &Client) -> Result<Vec<Held>, TicketError> {
        let answer = client.ask(&list(self.0)).await?;
        let entries = answer["result"].as_array().into_iter().flatten();
        Ok(entries.filter_map(entry).collect())
    }

    fn upload<'a>(&'a self, file: &'a Attachment) -> Call<'a> {
        upload(self.0, file)
    }

    fn kept(answer: &Value) -> Vec<Held> {
        entry(&answer["result"]).into_iter().collect()
    }
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
    each::attach(client, &Change(change), files, told).await
}

pub(super) async fn write(
    client: &Client,
    change: &str,
    fields: &Map<String, Value>,
) -> Result<(), TicketError> {
    client.ask(&update(change, fields)).await.map(|_| ())
}
