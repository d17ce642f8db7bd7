//! One call, as it is sent and as `--dry-run` shows it.

use reqwest::Method;
use serde_json::Value;

use super::Attachment;

/// A call that is ready to be sent, without its credentials.
#[derive(Debug, Clone, PartialEq)]
pub struct Call<'a> {
    /// Its method.
    pub method: Method,
    /// The path below the site, in segments.
    pub path: Vec<&'a str>,
    /// The query.
    pub query: Vec<(&'static str, String)>,
    /// Headers beside `Accept` and those of the body.
    pub headers: Vec<(&'static str, &'static str)>,
    /// The body.
    pub body: Body<'a>,
    /// The status of success, as the vendor documents it.
    pub success: u16,
    /// What it is for, in a message: `attaching report.pdf`.
    pub what: String,
}

/// A call's body.
#[derive(Debug, Clone, PartialEq)]
pub enum Body<'a> {
    /// None.
    Empty,
    /// The file's bytes and nothing else, with its media type.
    Raw(&'a Attachment),
    /// `multipart/form-data` with one part, `file`.
    Form(&'a Attachment),
    /// JSON.
    Json(Value),
}

impl<'a> Call<'a> {
    /// A question.
    pub(super) fn get(path: Vec<&'a str>, query: Vec<(&'static str, String)>, what: &str) -> Self {
        let what = what.to_owned();
        Self { method: Method::GET, path, query, headers: Vec::new(), body: Body::Empty, success: 200, what }
    }

    /// Something that is sent.
    pub(super) fn send(
        method: Method,
        path: Vec<&'a str>,
        body: Body<'a>,
        success: u16,
        what: String,
    ) -> Self {
        Self { method, path, query: Vec::new(), headers: Vec::new(), body, success, what }
    }

    /// With one more header.
    pub(super) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}
