//! What a ticket system answered: bounded, escaped, and what it means for the person who waits.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use serde_json::Value;

use super::TicketError;
use crate::model::WireText;

/// Largest answer that is read, in bytes: a list of a ticket's attachments.
pub(super) const MAX_ANSWER: usize = 4 << 20;

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// How a call ended without what it was made for.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It never reached the server.
    NotSent(String),
    /// It may have reached the server; what came of it is not known.
    Lost(String),
    /// The server answered with something else than success.
    Refused(Box<Answer>),
}

impl Answer {
    fn header(&self, name: reqwest::header::HeaderName) -> Option<String> {
        let text = self.headers.get(name)?.as_bytes();
        Some(WireText::from_bytes(text).as_str().to_owned())
    }

    /// Its body as JSON.
    ///
    /// # Errors
    /// A page for people, or half of an answer: what came of the call is not known.
    pub fn json(&self) -> Result<Value, Trouble> {
        let kind = self.header(CONTENT_TYPE).unwrap_or_default();
        if !kind.to_ascii_lowercase().contains("json") {
            return Err(Trouble::Lost(format!(
                "it answered with `{kind}` and not with JSON (a sign-on page, a portal, an instance that sleeps?): {}",
                self.said()
            )));
        }
        serde_json::from_slice(&self.body)
            .map_err(|_| Trouble::Lost("its answer is no whole JSON".to_owned()))
    }

    /// What it says in words: the vendors' own error fields, else the beginning of the body.
    pub fn said(&self) -> String {
        let value: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let mut words: Vec<String> =
            value["errorMessages"].as_array().into_iter().flatten().filter_map(text).collect();
        let errors = value["errors"].as_object().into_iter().flatten();
        words.extend(errors.filter_map(|(name, value)| Some(format!("{name}: {}", value.as_str()?))));
        words.extend(
            [&value["error"]["message"], &value["error"]["detail"], &value["errorMessage"]]
                .into_iter()
                .filter_map(text),
        );
        let said = if words.is_empty() {
            WireText::from_bytes(&self.body)
        } else {
            WireText::from(words.join("; "))
        };
        if said.is_empty() { "it says nothing more".to_owned() } else { format!("it says: {said}") }
    }

    /// How long it asks to wait (RFC 9110, 10.2.3: seconds or a date).
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let text = self.header(RETRY_AFTER)?;
        if let Ok(seconds) = text.trim().parse() {
            return Some(Duration::from_secs(seconds));
        }
        let at = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp();
        Duration::try_from(at.duration_since(now)).ok()
    }

    /// Its status with its meaning and what to do about it.
    pub fn explained(&self, what: &str, host: &str) -> TicketError {
        let status = self.status;
        let (why, remedy) = match status {
            300..=399 => {
                let to = self.header(LOCATION).unwrap_or_else(|| "nowhere".to_owned());
                (
                    format!("{host} sends us to {to} (status {status}), and the token must not go elsewhere"),
                    "if that is the site's right address, give it instead",
                )
            }
            400 => (
                self.why(host, "does not understand the request"),
                "check the record's id and the site's address",
            ),
            401 => (
                self.why(host, "does not accept the user or the token"),
                "check both; Jira Cloud and ServiceNow with a password need --user, a bearer token goes without",
            ),
            403 => (
                self.why(host, "does not allow this user to do it"),
                "ask the ticket system's administrator for the right to read the record and to attach files to it",
            ),
            404 => (
                self.why(host, "has no such record, or this user may not see it"),
                "check the record's id; ask its owner for access",
            ),
            411 | 413 => (
                self.why(host, "takes no file of this size"),
                "ask the administrator for the limit (ServiceNow: com.glide.attachment.max_size; Jira: attachment \
                 settings), or attach the files by hand",
            ),
            415 => (
                self.why(host, "takes no file of this type"),
                "ask the administrator to allow .pdf, .json and .txt (ServiceNow: glide.attachment.extensions)",
            ),
            429 => {
                (self.why(host, "takes no more requests for now"), "wait, then run the same command again")
            }
            500..=599 => (self.why(host, "failed"), "run the same command again later"),
            200..=299 => (
                self.why(host, "answered otherwise than documented"),
                "look into the ticket before trying again",
            ),
            _ => (self.why(host, "refused"), "ask the ticket system's administrator"),
        };
        TicketError { what: what.to_owned(), why, remedy: remedy.to_owned() }
    }

    fn why(&self, host: &str, meaning: &str) -> String {
        format!("{host} {meaning} (status {}; {})", self.status, self.said())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> Answer {
        let headers = headers
            .iter()
            .map(|(name, value)| (reqwest::header::HeaderName::from_static(name), value.parse().unwrap()));
        Answer { status, headers: headers.collect(), body: body.to_vec() }
    }

    #[test]
    fn waiting_is_asked_for_in_seconds_or_by_a_date() {
        let now: Timestamp = "2026-12-04T13:00:00Z".parse().unwrap();
        for (text, seconds) in
            [("7", Some(7)), ("Fri, 04 Dec 2026 13:00:30 GMT", Some(30)), ("soon", None), ("-1", None)]
        {
            let wait = answer(429, &[("retry-after", text)], b"").retry_after(now);
            assert_eq!(wait.map(|wait| wait.as_secs()), seconds, "{text}");
        }
    }

    #[test]
    fn the_vendors_words_are_picked_out_and_a_page_cannot_act() {
        let jira = br#"{"errorMessages":["Too big"],"errors":{"file":"is evil\u001b[2J"}}"#;
        assert_eq!(answer(413, &[], jira).said(), "it says: Too big; file: is evil\\u{1b}[2J");
        let now = br#"{"error":{"message":"No Record found","detail":"ACL"},"status":"failure"}"#;
        assert_eq!(answer(404, &[], now).said(), "it says: No Record found; ACL");
        let page = [b"\x1b]0;owned\x07".as_slice(), &vec![b'x'; 1 << 20]].concat();
        let said = answer(500, &[], &page).said();
        assert!(said.chars().count() < 450 && !said.contains(crate::model::text::acts), "{said}");
    }
}
