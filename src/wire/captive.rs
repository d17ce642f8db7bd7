//! What a captive portal's API answers (RFC 8908): bytes in, its words out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::WireText;

/// Media type of the answer (RFC 8908, 5).
pub const MEDIA_TYPE: &str = "application/captive+json";

/// The state of one client's captivity (RFC 8908, 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct State {
    /// Whether the client is held captive.
    pub captive: bool,
    /// Where a person gives consent, signs in or pays.
    #[serde(default, rename = "user-portal-url", skip_serializing_if = "Option::is_none")]
    pub user_portal_url: Option<WireText>,
    /// Where the venue presents itself.
    #[serde(default, rename = "venue-info-url", skip_serializing_if = "Option::is_none")]
    pub venue_info_url: Option<WireText>,
    /// Whether the session can be extended at the portal.
    #[serde(default, rename = "can-extend-session", skip_serializing_if = "Option::is_none")]
    pub can_extend_session: Option<bool>,
    /// Seconds until the client is captive again.
    #[serde(default, rename = "seconds-remaining", skip_serializing_if = "Option::is_none")]
    pub seconds_remaining: Option<u64>,
    /// Bytes, both ways together, until the client is captive again.
    #[serde(default, rename = "bytes-remaining", skip_serializing_if = "Option::is_none")]
    pub bytes_remaining: Option<u64>,
}

/// Reads an answer. Members that RFC 8908 does not know are passed over, as it asks.
///
/// # Errors
/// What is wrong with it, in words: no JSON, or without `captive`.
pub fn read(body: &[u8]) -> Result<State, WireText> {
    serde_json::from_slice::<State>(body).map(State::bare).map_err(|error| WireText::from(error.to_string()))
}

impl State {
    /// Its addresses without their queries, in which portals put tokens and the client's own address.
    fn bare(mut self) -> Self {
        for url in [&mut self.user_portal_url, &mut self.venue_info_url].into_iter().flatten() {
            *url = without_query(url.as_str());
        }
        self
    }
}

/// An address without query and fragment.
pub fn without_query(url: &str) -> WireText {
    WireText::from(url.split(['?', '#']).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        // RFC 8908, 5: a captive client, and one that is free for a while.
        let held = br#"{ "captive": true, "user-portal-url": "https://example.org/portal.html?mac=00" }"#;
        let held = read(held).unwrap();
        assert!(held.captive && held.seconds_remaining.is_none());
        assert_eq!(held.user_portal_url.unwrap().as_str(), "https://example.org/portal.html");
        let free = br#"{ "captive": false, "user-portal-url": "https://example.org/portal.html",
            "venue-info-url": "https://flight.example.com/entertainment", "seconds-remaining": 326,
            "can-extend-session": true, "x-of-a-vendor": {} }"#;
        let free = read(free).unwrap();
        assert_eq!(
            (free.captive, free.seconds_remaining, free.can_extend_session),
            (false, Some(326), Some(true))
        );
    }

    #[test]
    fn what_does_not_say_whether_is_no_answer() {
        for body in [
            &b""[..],
            b"<html>",
            b"{}",
            br#"{"captive":"no"}"#,
            br#"{"captive":false,"seconds-remaining":-1}"#,
        ] {
            assert!(read(body).is_err(), "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes);
        }
    }
}
