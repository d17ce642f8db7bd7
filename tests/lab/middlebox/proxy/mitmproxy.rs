//! mitmproxy, with an authority of its own making or the public one.

use super::Signer;
use crate::ground::peer::Peer;
use crate::middlebox::Place;

/// How it behaves.
#[derive(Default)]
pub(super) struct With<'a> {
    /// Server names, with all below them, that it leaves alone.
    pub(super) bypass: &'a [String],
    pub(super) signer: Signer,
    /// It passes on to servers that nobody vouches for, too.
    pub(super) lenient: bool,
}

/// Starts it in this mode on every address; returns its authority, too.
pub(super) fn start(place: &Place, port: u16, mode: &str, with: &With) -> (Peer, String) {
    let ignored = with.bypass.iter().flat_map(|name| {
        let name = name.replace('.', "\\.");
        ["--ignore-hosts".to_owned(), format!("^(.+\\.)?{name}(:\\d+)?$")]
    });
    // Who is asked for a name must find it; this program knows but resolv.conf.
    let resolvers: Vec<String> = place.resolvers.iter().map(|to| to.ip().to_string()).collect();
    place.namespace.resolvers(&resolvers.iter().map(String::as_str).collect::<Vec<_>>());
    let mut peer = Peer::of("mitmdump", "mitmproxy").file("public.pem", place.public.pem());
    if with.signer == Signer::Public {
        peer = peer.file("mitmproxy-ca.pem", place.public.with_key());
    }
    if with.lenient {
        peer = peer.args(["--ssl-insecure"]);
    }
    let peer = peer
        .args(["--mode", mode, "--listen-port", &port.to_string()])
        .args(["--set", "confdir=.", "--set", "ssl_verify_upstream_trusted_ca=public.pem"])
        // It refuses clients with public addresses unless told otherwise.
        .args(["--set", "flow_detail=0", "--set", "block_global=false"])
        .args(ignored)
        .inside(place.namespace)
        .spawn()
        .await_tcp(port);
    let authority = match with.signer {
        Signer::Own => std::fs::read_to_string(peer.dir().join("mitmproxy-ca-cert.pem")).unwrap(),
        Signer::Public => place.public.pem().to_owned(),
    };
    (peer, authority)
}
