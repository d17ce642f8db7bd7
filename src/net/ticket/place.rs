//! Where a ticket is: the site's address, and the record there.

use std::net::IpAddr;

use url::{Host, Url};

/// The address of a ticket system that a token may be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site(Url);

/// The record that files are attached to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A change request of ServiceNow.
    ServiceNow {
        /// Its `sys_id`: 32 hexadecimal digits.
        change: String,
    },
    /// An issue of Jira.
    Jira {
        /// Its key.
        issue: String,
    },
    /// A request of Jira Service Management.
    Jsm {
        /// The service desk's id.
        desk: String,
        /// The request's key.
        request: String,
    },
}

/// A site and a record there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The site.
    pub site: Site,
    /// The record.
    pub record: Record,
}

/// An address or a record's name that cannot be used. Never holds the address: a token may be in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPlace {
    /// No address.
    #[error("this is no web address: write https://example.service-now.com")]
    NotUrl,
    /// A name or a password in it.
    #[error("the address holds a user or a password, which every list of processes shows: take it out")]
    Credentials,
    /// More than the site.
    #[error("give the address of the site only, without `?` and `#`")]
    TooMuch,
    /// Unencrypted.
    #[error("http:// would send the token for anybody on the way to read: use https://")]
    Cleartext,
    /// No `sys_id`.
    #[error(
        "this is no sys_id (32 hexadecimal digits). A number such as CHG0031337 is something else: in the \
         change's form, open the menu and choose \"Copy sys_id\""
    )]
    SysId,
    /// No key.
    #[error("this is no key of an issue, such as OPS-123")]
    Key,
    /// No id of a service desk.
    #[error("this is no id of a service desk: a number, as GET /rest/servicedeskapi/servicedesk lists it")]
    Desk,
}

/// An address that a secret may be sent to: `https://`, or `http://` of this machine, without a user.
pub(in crate::net) fn checked(text: &str) -> Result<Url, BadPlace> {
    let url = Url::parse(text).map_err(|_| BadPlace::NotUrl)?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(BadPlace::NotUrl);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadPlace::Credentials);
    }
    if url.scheme() == "http" && !loopback(&url) {
        return Err(BadPlace::Cleartext);
    }
    Ok(url)
}

/// True of this machine itself.
pub(in crate::net) fn loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => IpAddr::from(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::from(ip).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

impl Site {
    /// From what the user wrote.
    ///
    /// # Errors
    /// See [`BadPlace`].
    pub fn new(text: &str) -> Result<Self, BadPlace> {
        let url = checked(text)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BadPlace::TooMuch);
        }
        Ok(Self(url))
    }

    /// True when it is this machine itself.
    pub fn loopback(&self) -> bool {
        loopback(&self.0)
    }

    /// Its host, for messages.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Where a call goes to.
    pub fn url(&self, call: &super::Call<'_>) -> Url {
        self.at(&call.path, &call.query)
    }

    /// A resource of the site. Every segment and value is percent-encoded.
    fn at(&self, path: &[&str], query: &[(&str, String)]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

impl Record {
    /// A change request.
    ///
    /// # Errors
    /// [`BadPlace::SysId`].
    pub fn service_now(change: &str) -> Result<Self, BadPlace> {
        let hex = change.len() == 32 && change.chars().all(|c| c.is_ascii_hexdigit());
        if hex { Ok(Self::ServiceNow { change: change.to_ascii_lowercase() }) } else { Err(BadPlace::SysId) }
    }

    /// An issue.
    ///
    /// # Errors
    /// [`BadPlace::Key`].
    pub fn jira(issue: &str) -> Result<Self, BadPlace> {
        Ok(Self::Jira { issue: key(issue)? })
    }

    /// A request of a service desk.
    ///
    /// # Errors
    /// [`BadPlace::Desk`], [`BadPlace::Key`].
    pub fn jsm(desk: &str, request: &str) -> Result<Self, BadPlace> {
        if desk.is_empty() || desk.len() > 20 || !desk.chars().all(|c| c.is_ascii_digit()) {
            return Err(BadPlace::Desk);
        }
        Ok(Self::Jsm { desk: desk.to_owned(), request: key(request)? })
    }
}

/// `OPS-123`, or an issue's number.
fn key(text: &str) -> Result<String, BadPlace> {
    let (project, number) = text.rsplit_once('-').unwrap_or(("X", text));
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let fits = text.len() <= 64
        && project.starts_with(|c: char| c.is_ascii_alphabetic())
        && project.chars().all(word)
        && !number.is_empty()
        && number.chars().all(|c| c.is_ascii_digit());
    if fits { Ok(text.to_owned()) } else { Err(BadPlace::Key) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_only_where_it_is_safe() {
        for (text, why) in [
            ("http://example.service-now.com", BadPlace::Cleartext),
            ("http://127.0.0.1.example.com", BadPlace::Cleartext),
            ("https://me:token@example.com", BadPlace::Credentials),
            ("https://token@example.com", BadPlace::Credentials),
            ("https://example.com/?x=1", BadPlace::TooMuch),
            ("example.com", BadPlace::NotUrl),
            ("ftp://example.com", BadPlace::NotUrl),
        ] {
            assert_eq!(Site::new(text), Err(why), "{text}");
        }
        for text in
            ["https://example.com", "http://127.0.0.1:8080", "http://[::1]:8080/jira/", "http://localhost"]
        {
            assert!(Site::new(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_path_before_the_api_is_kept_and_names_are_encoded() {
        let site = Site::new("https://example.com/jira/").unwrap();
        let url = site.at(&["rest", "a/b"], &[("file_name", "a b&c.txt".to_owned())]);
        assert_eq!(url.as_str(), "https://example.com/jira/rest/a%2Fb?file_name=a+b%26c.txt");
    }

    #[test]
    fn records_are_told_from_what_people_confuse_them_with() {
        assert_eq!(Record::service_now("CHG0031337"), Err(BadPlace::SysId));
        assert!(Record::service_now("D71F7935c0a8016700802b64c67c11c6").is_ok());
        for good in ["OPS-1", "A_B2-77", "10001"] {
            assert!(Record::jira(good).is_ok(), "{good}");
        }
        for bad in ["", "OPS", "OPS-", "../x-1", "OPS-1/approvals", "-1"] {
            assert_eq!(Record::jira(bad), Err(BadPlace::Key), "{bad}");
        }
        assert_eq!(Record::jsm("IT", "OPS-1"), Err(BadPlace::Desk));
    }
}
