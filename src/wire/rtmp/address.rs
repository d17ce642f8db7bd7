//! `rtmp://` and `rtmps://` URLs, as ingest services give them out.

use thiserror::Error;

/// Port of RTMP when a URL names none.
pub const RTMP_PORT: u16 = 1935;

/// Port of RTMPS when a URL names none.
pub const RTMPS_PORT: u16 = 443;

/// Where to publish. The stream key is no part of it: it is a secret and comes from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Whether RTMP runs over TLS (`rtmps://`).
    pub tls: bool,
    /// Name or address, an IPv6 address without its brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Application: path and query without the slashes around them, such as `live2?backup=1`.
    pub app: String,
    /// The URL as written up to the end of the application; servers choose virtual hosts by it.
    pub tc_url: String,
}

/// Why a text is no RTMP address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadAddress {
    /// Not `rtmp://` or `rtmps://`.
    #[error("an RTMP URL starts with rtmp:// or rtmps://")]
    Scheme,
    /// Host missing, or with characters that no host has.
    #[error("the URL names no host")]
    Host,
    /// A port that is none.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// Nothing after the host.
    #[error("the URL names no application, such as /live")]
    App,
    /// A name or password before the host.
    #[error("credentials do not belong into the URL")]
    Credentials,
}

impl Address {
    /// Reads a URL.
    pub fn parse(url: &str) -> Result<Self, BadAddress> {
        let (scheme, rest) = url.split_once("://").ok_or(BadAddress::Scheme)?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "rtmp" => false,
            "rtmps" => true,
            _ => return Err(BadAddress::Scheme),
        };
        let (authority, app) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(BadAddress::Credentials);
        }
        let (host, port) = split_port(authority)?;
        if host.is_empty()
            || host.contains(|c: char| c.is_whitespace() || c.is_control() || "?#[]".contains(c))
        {
            return Err(BadAddress::Host);
        }
        let app = app.trim_end_matches('/');
        if app.is_empty() || app.contains(char::is_control) {
            return Err(BadAddress::App);
        }
        Ok(Self {
            tls,
            host: host.to_owned(),
            port: port.unwrap_or(if tls { RTMPS_PORT } else { RTMP_PORT }),
            app: app.to_owned(),
            tc_url: url.trim_end_matches('/').to_owned(),
        })
    }
}

/// Host and port of `host`, `host:port`, `[v6]` or `[v6]:port`.
fn split_port(authority: &str) -> Result<(&str, Option<u16>), BadAddress> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(v6) => {
            let (host, rest) = v6.split_once(']').ok_or(BadAddress::Host)?;
            match rest.strip_prefix(':') {
                None if rest.is_empty() => (host, None),
                None => return Err(BadAddress::Host),
                port => (host, port),
            }
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map(|port| port.parse().ok().filter(|port| *port > 0).ok_or(BadAddress::Port));
    Ok((host, port.transpose()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_ingest_addresses_are_read() {
        let read = |url| {
            let a = Address::parse(url).unwrap();
            (a.tls, a.host, a.port, a.app, a.tc_url)
        };
        let row =
            |tls, host: &str, port, app: &str, tc: &str| (tls, host.into(), port, app.into(), tc.into());
        assert_eq!(
            read("rtmps://b.rtmps.youtube.com:443/live2?backup=1"),
            row(
                true,
                "b.rtmps.youtube.com",
                443,
                "live2?backup=1",
                "rtmps://b.rtmps.youtube.com:443/live2?backup=1"
            )
        );
        assert_eq!(
            read("rtmps://rtmp-api.facebook.com/rtmp/"),
            row(true, "rtmp-api.facebook.com", 443, "rtmp", "rtmps://rtmp-api.facebook.com/rtmp")
        );
        assert_eq!(
            read("rtmp://[2001:db8::1]:80/x/_definst_"),
            row(false, "2001:db8::1", 80, "x/_definst_", "rtmp://[2001:db8::1]:80/x/_definst_")
        );
        assert_eq!(Address::parse("rtmp://[::1]/live").unwrap().port, 1935);
    }

    #[test]
    fn other_texts_are_refused_with_the_reason() {
        for (url, why) in [
            ("live.example/app", BadAddress::Scheme),
            ("https://live.example/app", BadAddress::Scheme),
            ("rtmp:///app", BadAddress::Host),
            ("rtmp://[::1/app", BadAddress::Host),
            ("rtmp://[::1]x/app", BadAddress::Host),
            ("rtmp://a b/app", BadAddress::Host),
            ("rtmp://host:0/app", BadAddress::Port),
            ("rtmp://host:99999/app", BadAddress::Port),
            ("rtmp://host:/app", BadAddress::Port),
            ("rtmp://host", BadAddress::App),
            ("rtmp://host//", BadAddress::App),
            ("rtmp://me:word@host/app", BadAddress::Credentials),
        ] {
            assert_eq!(Address::parse(url), Err(why), "{url}");
        }
    }
}
