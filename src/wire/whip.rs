//! WHIP (RFC 9725) without sockets: what is asked over HTTP, and what the answers hold.
//!
//! Every request with a bearer token is a [`Secret`] as a whole.

use crate::model::{REDACTED, Secret, WireText};
use crate::wire::http::{Page, WebUrl};

/// Media type of an offer and its answer.
const SDP: &str = "application/sdp";
/// STUN and TURN servers that are kept of an answer.
const MAX_SERVERS: usize = 8;

/// A token that HTTP cannot carry (RFC 6750, 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the test key cannot be a bearer token: letters, digits and -._~+/= only, and none but = at the end")]
pub struct BadToken;

/// Asks what the endpoint takes, without a token and without starting anything (RFC 9725, 4.2).
pub fn options(url: &WebUrl) -> Vec<u8> {
    (head("OPTIONS", url) + "\r\n").into_bytes()
}

/// Asks to publish (RFC 9725, 4.2).
///
/// # Errors
/// A token that cannot be sent.
pub fn offer(url: &WebUrl, token: &Secret, sdp: &str) -> Result<Secret, BadToken> {
    let length = sdp.len();
    let body = format!("Accept: {SDP}\r\nContent-Type: {SDP}\r\nContent-Length: {length}\r\n\r\n{sdp}");
    Ok(Secret::from(head("POST", url) + &bearer(token)? + &body))
}

/// Ends a session (RFC 9725, 4.2).
///
/// # Errors
/// A token that cannot be sent.
pub fn delete(session: &WebUrl, token: &Secret) -> Result<Secret, BadToken> {
    Ok(Secret::from(head("DELETE", session) + &bearer(token)? + "\r\n"))
}

fn head(verb: &str, url: &WebUrl) -> String {
    format!(
        "{verb} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: golive/{}\r\nConnection: close\r\n",
        url.path(),
        url.authority(),
        env!("CARGO_PKG_VERSION")
    )
}

fn bearer(token: &Secret) -> Result<String, BadToken> {
    let stem = token.reveal().trim_end_matches('=');
    let may = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    if stem.is_empty() || !stem.bytes().all(may) {
        return Err(BadToken);
    }
    Ok(format!("Authorization: Bearer {}\r\n", token.reveal()))
}

/// Whether the page is SDP by its own account.
pub fn is_sdp(page: &Page) -> bool {
    page.response.value("content-type").is_some_and(|kind| names_sdp(kind.as_str()))
}

/// Whether an endpoint says that it takes offers (`Accept-Post`, RFC 9725, 4.2); none when it says nothing.
pub fn takes_offers(page: &Page) -> Option<bool> {
    let mut said = page.response.values("accept-post").peekable();
    said.peek()?;
    Some(said.any(|kinds| kinds.as_str().split(',').any(names_sdp)))
}

fn names_sdp(kind: &str) -> bool {
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(SDP))
}

/// STUN and TURN servers that the answer names (RFC 9725, 4.4), without the credentials beside them.
pub fn ice_servers(page: &Page) -> Vec<WireText> {
    let links = page.response.values("link").flat_map(|link| links(link.as_str()));
    let servers = links.filter(|(_, parameters)| {
        parameters.split(';').any(|parameter| {
            let relation = parameter.trim().strip_prefix("rel=").unwrap_or_default();
            relation.trim_matches('"').eq_ignore_ascii_case("ice-server")
        })
    });
    servers
        .map(|(address, _)| WireText::from(address.split('?').next().unwrap_or_default()))
        .take(MAX_SERVERS)
        .collect()
}

/// Address and parameters of each link (RFC 8288, 3).
fn links<'a>(field: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let one = |link: &'a str| link.split_once('>').map(|(to, rest)| (to, rest.trim_end_matches([' ', ','])));
    field.split('<').skip(1).filter_map(one)
}

/// Words of a server, in which its own copy of the token is blotted out.
pub fn words(bytes: &[u8], token: Option<&Secret>) -> WireText {
    let text = String::from_utf8_lossy(bytes.get(..4096).unwrap_or(bytes));
    let text = match token {
        Some(token) if !token.reveal().is_empty() => text.replace(token.reveal(), REDACTED),
        _ => text.into_owned(),
    };
    let even: Vec<&str> = text.split_whitespace().collect();
    WireText::from(even.join(" ").chars().take(160).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::http::Pages;

    fn url() -> WebUrl {
        WebUrl::try_from("https://studio.example:8443/whip/hall3?a=1".to_owned()).unwrap()
    }

    fn page(head: &str) -> Page {
        let mut pages = Pages::new(100);
        pages.receive(format!("HTTP/1.1 201 Created\r\n{head}Content-Length: 0\r\n\r\n").as_bytes());
        pages.take().unwrap().unwrap()
    }

    #[test]
    fn requests_carry_the_token_and_nothing_shows_it() {
        let token = Secret::from("Abc-._~+/12==".to_owned());
        let offer = offer(&url(), &token, "v=0\r\n").unwrap();
        let text = offer.reveal();
        assert!(text.starts_with("POST /whip/hall3?a=1 HTTP/1.1\r\nHost: studio.example:8443\r\n"), "{text}");
        assert!(text.contains("\r\nAuthorization: Bearer Abc-._~+/12==\r\n"), "{text}");
        assert!(
            text.ends_with("\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n"),
            "{text}"
        );
        assert!(!format!("{offer:?}").contains("Abc"));
        assert!(delete(&url(), &token).unwrap().reveal().starts_with("DELETE /whip/hall3?a=1 "));
        assert!(!String::from_utf8(options(&url())).unwrap().contains("Authorization"));
    }

    #[test]
    fn a_token_that_would_break_out_of_its_line_is_not_sent() {
        for bad in ["", "=", "a b", "a\r\nHost: b", "ä", "a=b"] {
            assert_eq!(delete(&url(), &Secret::from(bad.to_owned())).unwrap_err(), BadToken, "{bad:?}");
        }
    }

    #[test]
    fn fields_of_an_answer_are_read() {
        assert_eq!(takes_offers(&page("")), None);
        assert_eq!(takes_offers(&page("Accept-Post: text/plain, Application/SDP\r\n")), Some(true));
        assert_eq!(takes_offers(&page("Accept-Post: application/json\r\n")), Some(false));
        assert!(is_sdp(&page("Content-Type: application/sdp; charset=utf-8\r\n")) && !is_sdp(&page("")));
        let links = "Link: <stun:stun.example:3478>; rel=\"ice-server\", <turn:turn.example?transport=tcp>; \
                     rel=\"ice-server\"; username=\"me\"; credential=\"hunter2\"\r\nLink: </style.css>; rel=preload\r\n";
        let servers = ice_servers(&page(links));
        assert_eq!(
            servers.iter().map(WireText::as_str).collect::<Vec<_>>(),
            ["stun:stun.example:3478", "turn:turn.example"]
        );
    }

    #[test]
    fn words_are_short_inert_and_without_the_token() {
        let token = Secret::from("hunter2".to_owned());
        let said = words(b"<p>no\x1b[2J \n such token: hunter2</p>", Some(&token));
        assert_eq!(said.as_str(), "<p>no\\u{1b}[2J such token: [secret]</p>");
        assert!(words(&[b'x'; 10_000], None).as_str().len() <= 160);
    }
}
