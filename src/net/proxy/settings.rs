//! What the environment and the machine's own settings say of proxies. No password leaves this file but
//! as [`Credentials`].

use std::collections::BTreeMap;
use std::time::Duration;

use proxy_watch::{Error, ProxyAuth, ProxyEndpoint, ProxyEntry, ProxyEnv, ProxyMode, Scheme as Of};
use url::Url;

use super::{Credentials, Proxy, Scheme};
use crate::model::{Secret, WireText};

/// One thing that somebody says.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// Where it is said: `https_proxy`, `settings`.
    pub place: String,
    /// What is said.
    pub word: Word,
}

/// What is said of proxies.
#[derive(Debug, Clone, PartialEq)]
pub enum Word {
    /// Use this one.
    Proxy(Proxy, Option<Credentials>),
    /// Not for this host (`no_proxy`, a list of exceptions).
    Exempt,
    /// Ask the script at this address, without user and password.
    Script(String),
    /// Ask this script.
    InlineScript(String),
    /// Look for a script on the network (WPAD).
    Discover,
    /// Something that cannot be read; never the text itself, which may hold a password.
    Unreadable(WireText),
}

/// What the environment says of a destination: `http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`, in
/// small letters or capitals.
pub fn environment(destination: &Url) -> Vec<Named> {
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
    of_variables(variables, destination)
}

fn of_variables(variables: impl Iterator<Item = (String, String)>, destination: &Url) -> Vec<Named> {
    let read = match ProxyEnv::from_vars(variables) {
        Ok(read) => read,
        Err(error) => return vec![unreadable("http_proxy", reason(&error))],
    };
    let mut said = of_entries(read.per_scheme().iter(), |of| format!("{}_proxy", of.as_str()));
    for rejected in read.rejected() {
        let place = rejected.affected_scheme().map_or("a proxy variable", Of::as_str);
        said.push(unreadable(&format!("{place}_proxy"), "it is no proxy's address"));
    }
    if !said.is_empty() && read.bypass().matches_url(destination) {
        said.push(Named { place: "no_proxy".to_owned(), word: Word::Exempt });
    }
    said
}

/// Longest time for [`settings`]: the system's settings service may be asleep, or none.
pub const LONGEST: Duration = Duration::from_secs(3);

/// What this machine's own settings say: the desktop's on Linux, the system's elsewhere.
///
/// # Errors
/// Why they cannot be read, in words: a server has no desktop.
pub async fn settings(destination: Url) -> Result<Vec<Named>, &'static str> {
    let read = tokio::task::spawn_blocking(move || machine(&destination));
    match tokio::time::timeout(LONGEST, read).await {
        Ok(Ok(read)) => read,
        _ => Err("the system's settings did not come in time"),
    }
}

fn machine(destination: &Url) -> Result<Vec<Named>, &'static str> {
    let config = proxy_watch::read().map_err(|error| reason(&error))?;
    Ok(of_mode(&config.effective, destination))
}

fn of_mode(mode: &ProxyMode, destination: &Url) -> Vec<Named> {
    let place = "settings";
    let one = |word| vec![Named { place: place.to_owned(), word }];
    match mode {
        ProxyMode::Direct => Vec::new(),
        ProxyMode::Manual { per_scheme, bypass, .. } => {
            let mut said = of_entries(per_scheme.iter(), |of| format!("{place} for {}", of.as_str()));
            if !said.is_empty() && bypass.matches_url(destination) {
                said.push(Named { place: place.to_owned(), word: Word::Exempt });
            }
            said
        }
        ProxyMode::Pac { url, .. } => one(Word::Script(without_user(url))),
        ProxyMode::PacInline { script, .. } => one(Word::InlineScript(script.clone())),
        ProxyMode::WpadAutoDetect => one(Word::Discover),
        _ => one(Word::Unreadable(WireText::from("a kind of setting that golive does not know"))),
    }
}

fn of_entries<'a>(
    entries: impl Iterator<Item = (&'a Of, &'a ProxyEntry)>,
    place: impl Fn(&Of) -> String,
) -> Vec<Named> {
    // A proxy for FTP is none for a stream.
    let in_order: BTreeMap<&Of, &ProxyEntry> = entries.filter(|(of, _)| **of != Of::Ftp).collect();
    let said = in_order.into_iter().filter_map(|(of, entry)| match entry {
        ProxyEntry::Use(endpoint) => {
            let (proxy, credentials) = proxy(endpoint, Scheme::Http);
            Some(Named { place: place(of), word: Word::Proxy(proxy, credentials) })
        }
        ProxyEntry::Unusable(_) => Some(unreadable(&place(of), "it is no proxy's address")),
        _ => None,
    });
    said.collect()
}

/// A proxy of the crate's in our own words.
pub(super) fn proxy(endpoint: &ProxyEndpoint, unsaid: Scheme) -> (Proxy, Option<Credentials>) {
    let scheme = match endpoint.scheme_hint.map(proxy_watch::ProxyScheme::as_str) {
        None => unsaid,
        Some("http") => Scheme::Http,
        Some("https") => Scheme::Https,
        Some(_) => Scheme::Socks,
    };
    let host = endpoint.host.to_string().trim_matches(['[', ']']).to_owned();
    (Proxy { scheme, host, port: endpoint.port }, endpoint.auth.as_ref().map(credentials))
}

fn credentials(auth: &ProxyAuth) -> Credentials {
    let text = format!("{}:{}", auth.username(), auth.password().unwrap_or_default());
    Credentials(Secret::from(text))
}

fn without_user(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

fn unreadable(place: &str, why: &str) -> Named {
    Named { place: place.to_owned(), word: Word::Unreadable(WireText::from(why)) }
}

/// In words of our own: the crate's may quote the value.
const fn reason(error: &Error) -> &'static str {
    match error {
        Error::CgiHttpProxy { .. } => {
            "REQUEST_METHOD is set, under which http_proxy may come from a stranger"
        }
        Error::Io { .. } => "the system did not answer",
        _ => "this system has no proxy settings that golive can read (no GNOME or KDE)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(variables: &[(&str, &str)]) -> Vec<Named> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        of_variables(variables, &Url::parse("https://live.example.com:1935/").unwrap())
    }

    #[test]
    fn variables_are_read_as_programs_read_them() {
        assert_eq!(said(&[("PATH", "/bin"), ("no_proxy", "*")]), []);
        let read =
            said(&[("HTTPS_PROXY", "http://proxy.example:3128"), ("all_proxy", "socks5://other.example")]);
        let shown: Vec<_> = read.iter().map(|named| format!("{} {:?}", named.place, named.word)).collect();
        assert!(
            shown[0].starts_with("https_proxy Proxy(Proxy { scheme: Http, host: \"proxy.example\""),
            "{shown:?}"
        );
        assert!(shown[1].starts_with("all_proxy Proxy(Proxy { scheme: Socks"), "{shown:?}");
        let spared = said(&[("https_proxy", "http://p:1"), ("NO_PROXY", ".example.com")]);
        assert_eq!(spared.last().unwrap().word, Word::Exempt);
    }

    #[test]
    fn a_password_is_kept_and_never_shown() {
        let read = said(&[("https_proxy", "http://me:hunter%202@proxy.example:3128")]);
        let Word::Proxy(proxy, Some(credentials)) = &read[0].word else { panic!("{read:?}") };
        assert_eq!(
            (proxy.to_string().as_str(), credentials.0.reveal()),
            ("http://proxy.example:3128", "me:hunter 2")
        );
        assert!(!format!("{read:?}").contains("hunter"), "{read:?}");
        let broken = said(&[("https_proxy", "gopher://me:hunter2@proxy.example:99999")]);
        assert!(matches!(broken[0].word, Word::Unreadable(_)) && !format!("{broken:?}").contains("hunter"));
    }

    #[test]
    fn a_scripts_address_goes_without_its_password() {
        let mode = ProxyMode::pac(Url::parse("http://me:hunter2@wpad.example/proxy.pac").unwrap());
        let read = of_mode(&mode, &Url::parse("https://live.example.com/").unwrap());
        assert_eq!(read[0].word, Word::Script("http://wpad.example/proxy.pac".to_owned()));
    }
}
