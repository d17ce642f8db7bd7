//! The three ticket systems as their vendors' pages describe them: what a request lacks is
//! refused as they refuse it, and what is attached is kept and listed.

use std::sync::{Arc, Mutex};

use golive::report::seal::sha256;
use serde_json::{Value, json};

use super::desk::{Desk, Heard, Reply};

pub const SYS_ID: &str = "d71f7935c0a8016700802b64c67c11c6";
pub const USER: &str = "change.bot";
pub const TOKEN: &str = "canary-ticket-token-7f3a9c";

/// Name and bytes of what is attached.
pub type Kept = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// What goes wrong with a request that attaches, before the vendor's own answer.
#[derive(Debug, Clone)]
pub enum Mishap {
    /// Answered so, and nothing is kept.
    Refused(Reply),
    /// Kept, and the connection ends without a word.
    KeptUnsaid,
    /// Kept, and the answer ends in its middle.
    KeptHalfSaid,
}

/// A system with its mishaps, one for each attaching request from the first on.
fn desk(
    attaches: impl Fn(&Heard) -> bool + Send + 'static,
    mut vendor: impl FnMut(&Heard) -> Reply + Send + 'static,
    mishaps: Vec<Mishap>,
) -> Desk {
    let mut mishaps = mishaps.into_iter();
    Desk::new(move |heard| {
        let mishap = if attaches(heard) { mishaps.next() } else { None };
        match mishap {
            None => Some(vendor(heard)),
            Some(Mishap::Refused(reply)) => Some(reply),
            Some(Mishap::KeptUnsaid) => {
                vendor(heard);
                None
            }
            Some(Mishap::KeptHalfSaid) => Some(vendor(heard).half()),
        }
    })
}

fn query(heard: &Heard) -> Vec<(String, String)> {
    let query = heard.target.split_once('?').map_or("", |(_, query)| query);
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn value(heard: &Heard, name: &str) -> Option<String> {
    query(heard).into_iter().find(|(have, _)| have == name).map(|(_, value)| value)
}

/// ServiceNow: `c_AttachmentAPI` and change-management-api of its REST reference.
pub fn service_now(kept: &Kept, mishaps: Vec<Mishap>) -> Desk {
    let kept = Arc::clone(kept);
    desk(|heard| heard.method == "POST", move |heard| service_now_answer(&kept, heard), mishaps)
}

fn service_now_answer(kept: &Kept, heard: &Heard) -> Reply {
    let refuse = |status, message: &str| {
        Reply::json(status, &json!({ "error": { "message": message, "detail": "" }, "status": "failure" }))
    };
    if heard.header("authorization") != Some(&super::basic()) {
        return refuse(401, "User Not Authenticated");
    }
    let shown = |(name, bytes): &(String, Vec<u8>)| json!({ "file_name": name, "size_bytes": bytes.len().to_string(), "hash": sha256(bytes), "sys_id": SYS_ID });
    let path = heard.target.split('?').next().unwrap_or_default().to_owned();
    match (heard.method.as_str(), path.as_str()) {
        ("GET", "/api/now/attachment") => {
            let of = format!("table_name=change_request^table_sys_id={SYS_ID}");
            assert_eq!(value(heard, "sysparm_query"), Some(of));
            let all: Vec<Value> = kept.lock().unwrap().iter().map(shown).collect();
            Reply::json(200, &json!({ "result": all }))
        }
        ("POST", "/api/now/attachment/file") => {
            let (table, id) = (value(heard, "table_name"), value(heard, "table_sys_id"));
            let Some(name) = value(heard, "file_name").filter(|_| table.is_some() && id.is_some()) else {
                return refuse(400, "mandatory parameters were missing");
            };
            if heard.header("content-type").is_none() {
                return refuse(400, "Content-Type is mandatory");
            }
            if table.as_deref() != Some("change_request") || id.as_deref() != Some(SYS_ID) {
                return refuse(404, "No Record found");
            }
            let entry = (name, heard.body.clone());
            let answer = json!({ "result": shown(&entry) });
            kept.lock().unwrap().push(entry);
            Reply::json(201, &answer).with("Location", "http://127.0.0.1/api/now/attachment/1")
        }
        ("PATCH", path) if path == format!("/api/sn_chg_rest/change/{SYS_ID}") => {
            assert_eq!(heard.header("content-type"), Some("application/json"));
            let fields: Value = serde_json::from_slice(&heard.body).unwrap();
            Reply::json(200, &json!({ "result": fields }))
        }
        _ => refuse(404, "Requested URI does not represent any resource"),
    }
}

/// Jira Cloud: api-group-issue-attachments of its REST reference, version 3.
pub fn jira(kept: &Kept, limit: u64, mishaps: Vec<Mishap>) -> Desk {
    let kept = Arc::clone(kept);
    desk(|heard| heard.method == "POST", move |heard| jira_answer(&kept, limit, heard), mishaps)
}

/// The same over TLS.
pub fn jira_over_tls(kept: &Kept, tls: Arc<rustls::ServerConfig>) -> Desk {
    let kept = Arc::clone(kept);
    Desk::over_tls(tls, move |heard| Some(jira_answer(&kept, 10 << 20, heard)))
}

fn listed((name, bytes): &(String, Vec<u8>)) -> Value {
    json!({ "filename": name, "size": bytes.len(), "id": "10001" })
}

/// The file of an Atlassian upload, or how the vendor refuses it.
fn uploaded(heard: &Heard) -> Result<(String, Vec<u8>), Reply> {
    if heard.header("x-atlassian-token") != Some("no-check") {
        return Err(Reply::new(403, "text/plain", "XSRF check failed"));
    }
    let (labels, bytes) = heard.part();
    let marked = labels.lines().find_map(|line| {
        line.strip_prefix("Content-Disposition: form-data; name=\"file\"; filename=\"")?.strip_suffix('"')
    });
    match marked {
        Some(name) => Ok((name.to_owned(), bytes)),
        None => Err(Reply::json(400, &json!({ "errorMessages": [format!("no part `file`: {labels}")] }))),
    }
}

fn jira_answer(kept: &Kept, limit: u64, heard: &Heard) -> Reply {
    if heard.header("authorization") != Some(&super::basic()) {
        return Reply::json(401, &json!({ "errorMessages": ["Client must be authenticated"] }));
    }
    match (heard.method.as_str(), heard.target.as_str()) {
        ("GET", "/rest/api/3/attachment/meta") => {
            Reply::json(200, &json!({ "enabled": true, "uploadLimit": limit }))
        }
        ("GET", "/rest/api/3/issue/OPS-123?fields=attachment") => {
            let all: Vec<Value> = kept.lock().unwrap().iter().map(listed).collect();
            Reply::json(200, &json!({ "key": "OPS-123", "fields": { "attachment": all } }))
        }
        ("POST", "/rest/api/3/issue/OPS-123/attachments") => match uploaded(heard) {
            Err(reply) => reply,
            Ok(file) => {
                let answer = json!([listed(&file)]);
                kept.lock().unwrap().push(file);
                Reply::json(200, &answer)
            }
        },
        _ => Reply::json(404, &json!({ "errorMessages": ["Issue does not exist"] })),
    }
}

/// Jira Service Management: api-group-servicedesk and api-group-request of its REST reference.
pub fn jsm(kept: &Kept, mishaps: Vec<Mishap>) -> Desk {
    let (kept, mut waiting) = (Arc::clone(kept), Vec::new());
    let attaches = |heard: &Heard| heard.method == "POST" && heard.target.ends_with("/attachment");
    desk(attaches, move |heard| jsm_answer(&kept, &mut waiting, heard), mishaps)
}

fn jsm_answer(kept: &Kept, waiting: &mut Vec<(String, Vec<u8>)>, heard: &Heard) -> Reply {
    if heard.header("authorization") != Some(format!("Bearer {TOKEN}").as_str()) {
        return Reply::json(401, &json!({ "errorMessage": "not logged in" }));
    }
    match (heard.method.as_str(), heard.target.as_str()) {
        ("GET", "/rest/servicedeskapi/request/OPS-9/attachment?start=0&limit=100") => {
            let all: Vec<Value> = kept.lock().unwrap().iter().map(listed).collect();
            Reply::json(200, &json!({ "size": all.len(), "isLastPage": true, "values": all }))
        }
        ("POST", "/rest/servicedeskapi/servicedesk/10/attachTemporaryFile") => match uploaded(heard) {
            Err(reply) => reply,
            Ok(file) => {
                let id = format!("temp{}", waiting.len());
                let answer =
                    json!({ "temporaryAttachments": [{ "temporaryAttachmentId": id, "fileName": file.0 }] });
                waiting.push(file);
                Reply::json(201, &answer)
            }
        },
        ("POST", "/rest/servicedeskapi/request/OPS-9/attachment") => {
            let wanted: Value = serde_json::from_slice(&heard.body).unwrap();
            assert_eq!(wanted["public"], json!(false), "customers must not see them");
            for id in wanted["temporaryAttachmentIds"].as_array().unwrap() {
                let index: usize = id.as_str().unwrap().strip_prefix("temp").unwrap().parse().unwrap();
                kept.lock().unwrap().push(waiting[index].clone());
            }
            Reply::json(201, &json!({ "attachments": { "values": [] } }))
        }
        _ => Reply::json(404, &json!({ "errorMessage": "no such request" })),
    }
}
