//! The notary: which key a host shows when it is looked at from here.
//!
//! It looks only at hosts that whoever runs the far end has listed, a few times a minute, and asks
//! them for nothing but a TLS handshake: so that nobody, with the token or without, can aim it.

use std::net::{Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::model::{Endpoint, SourceAddress, WireText};
use crate::net::clock::Origin;
use crate::net::tls::{self, Accept, Ask, Identity, Roots};
use crate::net::{dial, resolve};
use crate::wire::control::{Refusal, Sight};

/// Looks a minute at most: a check needs one, however many people run it.
const LOOKS_A_MINUTE: u32 = 60;
const LOOKUP: Duration = Duration::from_secs(3);
const CONNECT: Duration = Duration::from_secs(3);
const HANDSHAKE: Duration = Duration::from_secs(4);

/// A host that may be looked at: `live.example.com`, `*.example.com` (all below it), or either with
/// `:port`; the port is 443 when left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    name: String,
    below: bool,
    port: u16,
}

/// Text that is no host to look at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write `live.example.com`, `*.example.com` or `live.example.com:8443`")]
pub struct BadHost;

impl FromStr for Allowed {
    type Err = BadHost;
    fn from_str(text: &str) -> Result<Self, BadHost> {
        let (host, port) = Endpoint::split(text).unwrap_or((text, 443));
        let (below, name) = host.strip_prefix("*.").map_or((false, host), |name| (true, name));
        let name = plain(name);
        let ends_well = !name.is_empty() && !name.starts_with('.') && port != 0;
        // Everything below a whole top-level domain is anybody's.
        let odd = name.contains(['*', '/', ' ']) || (name.contains(':') && name.parse::<Ipv6Addr>().is_err());
        if !ends_well || odd || (below && !name.contains('.')) {
            return Err(BadHost);
        }
        Ok(Self { name, below, port })
    }
}

impl Allowed {
    fn covers(&self, host: &str, port: u16) -> bool {
        let host = plain(host);
        let is_it = if self.below {
            host.strip_suffix(&self.name).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        } else {
            host == self.name
        };
        is_it && port == self.port
    }
}

/// A name as it is compared: without case, brackets or final dot.
fn plain(host: &str) -> String {
    host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase()
}

/// What may be looked at, and how often that was done.
#[derive(Debug)]
pub(super) struct Notary {
    allowed: Vec<Allowed>,
    looks: Mutex<Option<(Instant, u32)>>,
    roots: Roots,
}

impl Notary {
    pub(super) fn new(allowed: Vec<Allowed>, roots: Roots) -> Self {
        Self { allowed, looks: Mutex::default(), roots }
    }

    /// Looks at a host, each of its addresses by itself.
    pub(super) async fn look(&self, host: &str, port: u16, name: &str) -> Result<Vec<Sight>, Refusal> {
        if self.allowed.is_empty() {
            return Err(Refusal::NotOffered);
        }
        let may = |host: &str| self.allowed.iter().any(|allowed| allowed.covers(host, port));
        if !may(host) || !(may(name) || plain(name) == plain(host)) {
            return Err(Refusal::NotAllowed);
        }
        self.count()?;
        // A host without an address shows nothing: that is an answer.
        let addresses = resolve::lookup(host, port, LOOKUP).await.unwrap_or_default();
        let sights = addresses.into_iter().map(|address| self.sight(address, name));
        Ok(futures::future::join_all(sights).await)
    }

    fn count(&self) -> Result<(), Refusal> {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = looks
            .filter(|(since, _)| since.elapsed() < Duration::from_mins(1))
            .unwrap_or_else(|| (Instant::now(), 0));
        if count >= LOOKS_A_MINUTE {
            return Err(Refusal::TooManyLooks);
        }
        *looks = Some((since, count + 1));
        Ok(())
    }

    async fn sight(&self, address: SocketAddr, name: &str) -> Sight {
        let failed = |failure| Sight {
            address,
            failure: Some(failure),
            key: None,
            subject: WireText::default(),
            issuer: WireText::default(),
            public: false,
        };
        let source = SourceAddress::default();
        let dialled = match dial::tcp(address, &source, CONNECT, &Origin::start()).await {
            Ok(Ok(dialled)) => dialled,
            Ok(Err(undialled)) => return failed(undialled.failure),
            Err(_) => return failed(crate::model::Failure::NetUnreachable),
        };
        let ask = Ask { limit: HANDSHAKE, ..Ask::new(name, Accept::Any, &self.roots) };
        match tls::connect(dialled.stream, &ask).await {
            Ok(connected) => seen(address, &connected.session.identity),
            Err(refused) => failed(refused.failure),
        }
    }
}

fn seen(address: SocketAddr, identity: &Identity) -> Sight {
    let leaf = identity.leaf();
    Sight {
        address,
        failure: None,
        key: leaf.map(|leaf| leaf.spki.clone()),
        subject: leaf.map(|leaf| leaf.subject.clone()).unwrap_or_default(),
        issuer: leaf.map(|leaf| leaf.issuer.clone()).unwrap_or_default(),
        public: identity.proves_name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_hosts_and_ports_are_covered() {
        let covers = |listed: &str, host, port| listed.parse::<Allowed>().unwrap().covers(host, port);
        assert!(covers("live.example.com", "LIVE.example.com.", 443));
        assert!(!covers("live.example.com", "live.example.com", 22));
        assert!(covers("live.example.com:8443", "live.example.com", 8443));
        assert!(covers("*.example.com", "a.b.example.com", 443));
        for other in ["example.com", "notexample.com", ".example.com", "live.example.com.evil.example"] {
            assert!(!covers("*.example.com", other, 443), "{other}");
        }
        assert!(covers("[2001:db8::1]:8443", "2001:db8::1", 8443));
        for bad in ["", "*", "*.com", "*.*.example.com", "https://live.example.com", ".", "a:0"] {
            assert_eq!(bad.parse::<Allowed>(), Err(BadHost), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn nobody_looks_at_what_is_not_listed_nor_all_the_time() {
        let roots = || Roots::given(vec![], vec![]);
        let none = Notary::new(Vec::new(), roots());
        assert_eq!(none.look("127.0.0.1", 443, "127.0.0.1").await, Err(Refusal::NotOffered));
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let listed = Notary::new(vec![nobody.to_string().parse().unwrap()], roots());
        let at = |host, name| listed.look(host, nobody.port(), name);
        assert_eq!(at("127.0.0.2", "127.0.0.2").await, Err(Refusal::NotAllowed));
        assert_eq!(at("127.0.0.1", "other.example").await, Err(Refusal::NotAllowed));
        for _ in 0..LOOKS_A_MINUTE {
            let sights = at("127.0.0.1", "127.0.0.1").await.unwrap();
            assert_eq!((sights.len(), sights[0].key.is_none()), (1, true));
        }
        assert_eq!(at("127.0.0.1", "127.0.0.1").await, Err(Refusal::TooManyLooks));
    }
}
