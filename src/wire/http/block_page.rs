//! Block pages: what web filters show in the place of a page that they forbid.

use std::sync::LazyLock;

use serde::Deserialize;

use super::{Page, WebUrl};

/// Bytes of a page that are searched: what names a filter stands at its beginning.
const MOST: usize = 64 * 1024;

#[derive(Deserialize)]
struct List {
    filter: Vec<Filter>,
}

#[derive(Deserialize)]
struct Filter {
    name: String,
    #[serde(default)]
    host: Vec<String>,
    #[serde(default)]
    field: Vec<String>,
    #[serde(default)]
    page: Vec<String>,
}

static LIST: LazyLock<Vec<Filter>> = LazyLock::new(|| {
    let parsed = toml::from_str::<List>(include_str!("block_pages.toml"));
    let mut filters = parsed.map(|list| list.filter).unwrap_or_default(); // a test holds that it parses
    let marks = filters
        .iter_mut()
        .flat_map(|filter| filter.host.iter_mut().chain(&mut filter.field).chain(&mut filter.page));
    marks.for_each(|mark| mark.make_ascii_lowercase());
    filters
});

/// The filter whose block page this is, or to whose block page it leads; a hint, since anybody can write
/// anything. `leads` is where a redirection goes.
pub fn block_page(page: &Page, leads: Option<&WebUrl>) -> Option<&'static str> {
    let fields: Vec<String> =
        page.response.fields().map(|(name, value)| format!("{name}: {value}").to_ascii_lowercase()).collect();
    let start = page.body.get(..MOST).unwrap_or(&page.body);
    let body = String::from_utf8_lossy(start).to_ascii_lowercase();
    let leads = leads.map(|to| (to.host().to_ascii_lowercase(), to.path().to_ascii_lowercase()));
    let known = |filter: &&Filter| {
        let to_host = |host: &str| leads.as_ref().is_some_and(|(to, _)| is_below(to, host));
        let to_page = |mark: &str| leads.as_ref().is_some_and(|(_, path)| path.contains(mark));
        filter.host.iter().any(|host| to_host(host))
            || filter.field.iter().any(|mark| fields.iter().any(|field| field.starts_with(mark.as_str())))
            || filter.page.iter().any(|mark| body.contains(mark.as_str()) || to_page(mark))
    };
    LIST.iter().find(known).map(|filter| filter.name.as_str())
}

fn is_below(name: &str, host: &str) -> bool {
    name.strip_suffix(host).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::http::Pages;

    fn page(text: &str) -> Page {
        let mut pages = Pages::new(10_000);
        pages.receive(text.as_bytes());
        pages.end().unwrap().unwrap()
    }

    #[test]
    fn the_list_parses() {
        assert!(toml::from_str::<List>(include_str!("block_pages.toml")).unwrap().filter.len() > 6);
        for filter in LIST.iter() {
            let marks = filter.host.iter().chain(&filter.field).chain(&filter.page);
            assert!(
                marks.clone().count() > 0 && marks.clone().all(|mark| mark.len() > 12),
                "{}",
                filter.name
            );
        }
    }

    #[test]
    fn block_pages_are_told_from_pages_that_name_a_vendor() {
        let of = |text: &str, leads: Option<&str>| {
            let leads = leads.map(|leads| WebUrl::try_from(leads.to_owned()).unwrap());
            block_page(&page(text), leads.as_ref())
        };
        let blocked =
            "HTTP/1.1 403 Forbidden\r\n\r\n<h1>FortiGuard Intrusion Prevention - Access Blocked</h1>";
        assert_eq!(of(blocked, None), Some("FortiGate (FortiGuard)"));
        let denied = "HTTP/1.1 403 Forbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n\r\n";
        assert_eq!(of(denied, None), Some("Squid"));
        let sent = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(of(sent, Some("https://malware.block.sse.cisco.com/?x")), Some("Cisco Umbrella"));
        let websense = Some("http://10.0.0.5:15871/cgi-bin/blockpage.cgi?ws-session=7");
        assert_eq!(of(sent, websense), Some("Forcepoint (Websense)"));
        assert_eq!(of("HTTP/1.1 200 OK\r\n\r\n<p>We buy from Fortinet and Zscaler.</p>", None), None);
        assert_eq!(of(sent, Some("https://notblock.opendns.com.example/")), None);
    }
}
