//! A captive portal: who has not agreed to its terms sees nothing else.
//!
//! A namespace has no DHCP, so that nothing says RFC 8910's option; [`Told::captive_api`] is what
//! it would say.
//!
//! [`Told::captive_api`]: super::Told

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use super::nftables::{Table, chain, redirect};
use super::relay::serve;
use super::server::{Log, listen, listen_everywhere};
use super::{Installed, Place};
use crate::ground::authority::{Authority, Certified, NOW};
use crate::ground::peer::need;

/// HTTP goes to its page of terms; the rest, apart from this box itself, goes nowhere.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaptivePortal {
    /// What becomes of the rest.
    rest: Rest,
    /// HTTPS goes to it, too, under a certificate that nobody trusts.
    https: bool,
    /// The laptop has agreed already: everything passes, and its API says so.
    released: bool,
    /// What its API says of the session, if anything: seconds and bytes that are left.
    seconds_remaining: Option<u64>,
    bytes_remaining: Option<u64>,
    /// Its API is under a certificate that nobody trusts.
    api_untrusted: bool,
}

/// Port of its API, on its own address.
const API: u16 = 8910;

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rest {
    #[default]
    Drop,
    Reject,
}

/// What its servers share.
struct Portal {
    /// Where its page is.
    page: [String; 2],
    table: String,
    captive: AtomicBool,
    /// Members of the API's answer beside the usual ones.
    session: String,
}

impl CaptivePortal {
    pub(super) fn install(&self, place: &Place) -> Installed {
        let (port, plain) = listen_everywhere(place.namespace);
        let (tls_port, tls) = listen_everywhere(place.namespace);
        let everywhere = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
        let api = everywhere.map(|ip| SocketAddr::new(ip, API));
        let api = place.namespace.run(|| api.map(listen));
        let table = Table::load(place, &self.rules(place, port, tls_port));
        let page = [place.address4.into(), place.address6.into()]
            .map(|own| format!("http://{}/login", SocketAddr::new(own, port)));
        let left = [("seconds", self.seconds_remaining), ("bytes", self.bytes_remaining)];
        let session = left.map(|(what, left)| left.map(|left| format!(",\"{what}-remaining\":{left}")));
        let session = session.into_iter().flatten().collect();
        let portal = Portal { page, table: table.name().to_owned(), captive: AtomicBool::new(true), session };
        let portal = Arc::new(portal);

        let own = place.address4.to_string();
        let stranger = Authority::new("Portal").certify("portal.venue.example", "portal.venue.example", NOW);
        let serve_tls = |listeners, certified: &Certified| {
            let (acceptor, portal) = (acceptor(certified), portal.clone());
            serve(place, listeners, move |client, log| {
                let (acceptor, portal) = (acceptor.clone(), portal.clone());
                async move {
                    let v6 = client.peer_addr().is_ok_and(|from| from.is_ipv6());
                    let Ok(stream) = acceptor.accept(client).await else { return };
                    portal.answer(stream, v6, &log).await;
                }
            })
        };
        let trusted = place.public.certify(&own, &own, NOW);
        let servers = [
            serve_tls(tls, &stranger),
            serve_tls(api, if self.api_untrusted { &stranger } else { &trusted }),
        ];
        let behind = portal.clone();
        let server = serve(place, plain, move |client, log| {
            let portal = behind.clone();
            async move {
                let v6 = client.peer_addr().is_ok_and(|from| from.is_ipv6());
                portal.answer(client, v6, &log).await;
            }
        });
        if self.released {
            place.namespace.run(|| portal.release());
        }
        let mut installed = Installed::new(place, "captive_portal");
        installed.told.captive_api = Some(format!("https://{own}:{API}/captive"));
        let [stranger, api] = servers;
        installed.with(table).with(server).with(stranger).with(api)
    }

    fn rules(&self, place: &Place, port: u16, tls_port: u16) -> String {
        let rest = match self.rest {
            Rest::Drop => "iifname $inside counter drop",
            Rest::Reject => "iifname $inside counter reject with icmpx admin-prohibited",
        };
        let https = if self.https { redirect(place, "tcp dport 443", tls_port) } else { String::new() };
        redirect(place, "tcp dport 80", port)
            + &https.replace("bring_here", "bring_https_here")
            + &chain("captive", "filter hook forward priority filter", rest)
    }
}

impl Portal {
    /// Lets all pass from now on. To be called inside the namespace.
    fn release(&self) {
        let mut nft = Command::new(need("nft", "nftables"));
        if nft.args(["flush", "table", "inet", &self.table]).status().is_ok_and(|status| status.success()) {
            self.captive.store(false, Ordering::SeqCst);
        }
    }

    /// Answers one request.
    async fn answer(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin, v6: bool, log: &Log) {
        let Some(head) = head(&mut stream).await else { return };
        let page = &self.page[usize::from(v6)];
        let mut words = head.split_whitespace();
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        log.line(format!("{method} {path}"));
        if method == "POST" && path == "/login" {
            self.release();
        }
        let captive = self.captive.load(Ordering::SeqCst);
        let (status, kind, body) = match path {
            "/captive" => (
                "200 OK".to_owned(),
                "application/captive+json",
                format!("{{\"captive\":{captive},\"user-portal-url\":\"{page}\"{}}}", self.session),
            ),
            "/login" => (
                "200 OK".to_owned(),
                "text/html",
                "<html><title>Welcome</title><form method=post action=/login>\
                 <button>I agree to the terms</button></form></html>"
                    .to_owned(),
            ),
            _ => (
                format!("302 Found\r\nLocation: {page}"),
                "text/html",
                format!("<html><a href=\"{page}\">Sign in</a></html>"),
            ),
        };
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
             Cache-Control: no-store\r\nConnection: close\r\n\r\n{body}"
        );
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
    }
}

/// The head of a request; none where it is no HTTP.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let length = stream.read(&mut buffer).await.ok().filter(|length| *length > 0)?;
        head.extend(&buffer[..length]);
        if !head.is_ascii() || head.len() > 16_384 {
            return None;
        }
    }
    String::from_utf8(head).ok()
}

/// Ends TLS with this certificate.
pub(super) fn acceptor(certified: &Certified) -> TlsAcceptor {
    let chain = vec![CertificateDer::from_pem_slice(certified.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(certified.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
