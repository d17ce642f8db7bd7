//! Boxes that answer in a server's name.

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::nftables::{Setting, Table, chain, redirect, to_ports};
use super::relay::{reset, serve};
use super::server::listen_everywhere;
use super::{Installed, Place};

/// nftables' SYN proxy: it accepts for every server, and asks that one only when the client has
/// answered.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SynProxy {
    /// Empty: any port.
    ports: Vec<u16>,
}

impl SynProxy {
    pub(super) fn install(&self, place: &Place) -> Installed {
        let tcp = to_ports("tcp", &self.ports);
        let syn = format!(
            "iifname $inside fib daddr type != local {tcp} tcp flags & (fin | syn | rst | ack) == syn notrack"
        );
        let proxy = format!(
            "iifname $inside {tcp} ct state invalid,untracked counter synproxy mss 1460 wscale 7 timestamp sack-perm\n \
             {tcp} ct state invalid counter drop"
        );
        let body = chain("untrack", "filter hook prerouting priority raw", &syn)
            + &chain("forward", "filter hook forward priority filter", &proxy);
        // nft(8): a segment amid a session must not begin one, and the cookie needs time stamps.
        let strict = Setting::set(place, "net.netfilter.nf_conntrack_tcp_loose", 0);
        Installed::new(place, "syn_proxy").with(strict).with(Table::load(place, &body))
    }
}

/// A box that accepts every connection itself and knows no server.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AcceptsAll {
    then: Then,
    /// Empty: any port.
    ports: Vec<u16>,
}

/// What it does once it has accepted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// Reads, and never says a word.
    #[default]
    Silence,
    /// Ends it at once.
    Close,
    /// Resets it at once.
    Reset,
    /// Answers the first words, whatever they are, with HTTP's 400.
    BadRequest,
}

const BAD_REQUEST: &[u8] = b"HTTP/1.1 400 Bad Request\r\nServer: gateway\r\nContent-Type: text/html\r\n\
    Content-Length: 29\r\nConnection: close\r\n\r\n<html><h1>Bad Request</h1>\r\n\r\n";

impl AcceptsAll {
    pub(super) fn install(&self, place: &Place) -> Installed {
        let (port, listeners) = listen_everywhere(place.namespace);
        let then = self.then;
        let server = serve(place, listeners, move |client, _| accepted(client, then));
        let table = Table::load(place, &redirect(place, &to_ports("tcp", &self.ports), port));
        Installed::new(place, "accepts_all").with(table).with(server)
    }
}

async fn accepted(mut client: TcpStream, then: Then) {
    match then {
        Then::Silence => {}
        Then::Close => {
            let _ = client.shutdown().await;
        }
        Then::Reset => return reset(&client),
        Then::BadRequest => {
            let _ = client.read(&mut [0; 4096]).await;
            let _ = client.write_all(BAD_REQUEST).await;
            let _ = client.shutdown().await;
        }
    }
    // A socket closed with unread bytes would send a reset.
    let _ = tokio::io::copy(&mut client, &mut tokio::io::sink()).await;
}
