//! What an HLS encoder pushes: a file with its length, to an address that may hold a stream key.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::WebUrl;
use crate::model::Secret;

const KEY: &str = "{key}";
const FILE: &str = "{file}";

/// `https://host/path/{key}/{file}`: where segments and playlists go. The test key takes the place of `{key}`
/// and is never part of what a policy holds; each file's name takes the place of `{file}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct PushUrl {
    text: String,
    site: WebUrl,
}

impl PushUrl {
    /// Scheme, host and port alone.
    pub const fn site(&self) -> &WebUrl {
        &self.site
    }

    /// Whether a key has a place in it.
    pub fn has_key(&self) -> bool {
        self.text.contains(KEY)
    }

    /// What a request asks for: the path with its query, for this key and file. Empty for a key that
    /// cannot stand in an address.
    pub fn target(&self, key: Option<&Secret>, file: &str) -> Secret {
        // What would end the path has no meaning in a key.
        let key = key.map_or_else(String::new, |key| key.reveal().replace('#', "%23"));
        let filled = self.text.replace(FILE, file).replace(KEY, &key);
        let url = WebUrl::try_from(filled).map(|url| url.path().to_owned());
        Secret::from(url.unwrap_or_default())
    }
}

impl TryFrom<String> for PushUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        const FORM: &str =
            "write it as `https://host/path/{key}/{file}`: `{file}` once, `{key}` where the stream key goes";
        let filled = WebUrl::try_from(text.replace(FILE, "file").replace(KEY, "key"))?;
        if !filled.is_tls() {
            return Err("segments and the stream key are pushed over https:// only");
        }
        let site = WebUrl::try_from(format!("{}/", filled.origin()))?;
        let of = |mark: &str| text.matches(mark).count();
        let path = text.splitn(4, '/').nth(3).unwrap_or_default();
        if of(FILE) != 1
            || of(KEY) > 1
            || of("{") != path.matches('{').count()
            || of("{") != of(FILE) + of(KEY)
        {
            return Err(FORM);
        }
        Ok(Self { text, site })
    }
}

impl From<PushUrl> for String {
    fn from(url: PushUrl) -> Self {
        url.text
    }
}

impl std::fmt::Display for PushUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.text)
    }
}

/// A request with its body, over a connection that is kept. `target` as of [`PushUrl::target`];
/// `method` such as `PUT` or `DELETE`.
pub fn push(method: &str, site: &WebUrl, target: &Secret, content_type: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "{method} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: golive/{}\r\nAccept: */*\r\n\
         Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        target.reveal(),
        site.authority(),
        env!("CARGO_PKG_VERSION"),
        body.len()
    )
    .into_bytes();
    request.extend(body);
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<PushUrl, &'static str> {
        PushUrl::try_from(text.to_owned())
    }

    #[test]
    fn key_and_file_take_their_places() {
        let key = Secret::from("ab-cd#\r\nX: y".to_owned());
        for (text, target) in [
            ("https://a.example/up?cid={key}&copy=0&file={file}", "/up?cid=ab-cd%23X:%20y&copy=0&file=0.ts"),
            ("https://a.example:8443/live/{key}/{file}", "/live/ab-cd%23X:%20y/0.ts"),
        ] {
            let url = url(text).unwrap();
            assert_eq!(url.target(Some(&key), "0.ts").reveal(), target);
            assert!(url.has_key() && url.to_string() == text);
        }
        let open = url("https://[2001:db8::1]/{file}").unwrap();
        assert_eq!((open.target(None, "0.ts").reveal(), open.has_key()), ("/0.ts", false));
        assert_eq!(open.site().to_string(), "https://[2001:db8::1]/");
    }

    #[test]
    fn what_leads_nowhere_or_shows_a_secret_is_refused() {
        for text in [
            "https://a.example/live/",
            "https://a.example/{file}/{file}",
            "http://a.example/{file}",
            "https://{file}.example/",
            "https://{key}.example/{file}",
            "https://user:secret@a.example/{file}",
            "https://a.example/{stream}/{file}",
            "{file}",
        ] {
            assert!(url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_request_says_its_length() {
        let url = url("https://a.example:8443/{file}").unwrap();
        let request = push("PUT", url.site(), &url.target(None, "0.ts"), "video/mp2t", b"media");
        let text = String::from_utf8(request).unwrap();
        assert!(text.starts_with("PUT /0.ts HTTP/1.1\r\nHost: a.example:8443\r\n"), "{text}");
        assert!(text.ends_with("\r\nContent-Type: video/mp2t\r\nContent-Length: 5\r\n\r\nmedia"), "{text}");
    }
}
