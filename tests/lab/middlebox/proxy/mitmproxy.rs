//! mitmproxy, with an authority of its own making.

use crate::ground::peer::Peer;
use crate::middlebox::Place;

/// Starts it in this mode on every address; returns its authority, too.
pub(super) fn start(place: &Place, port: u16, mode: &str, bypass: &[String]) -> (Peer, String) {
    let ignored = bypass.iter().flat_map(|name| {
        let name = name.replace('.', "\\.");
        ["--ignore-hosts".to_owned(), format!("^(.+\\.)?{name}(:\\d+)?$")]
    });
    // Who is asked for a name must find it; this program knows but resolv.conf.
    let resolvers: Vec<String> = place.resolvers.iter().map(|to| to.ip().to_string()).collect();
    place.namespace.resolvers(&resolvers.iter().map(String::as_str).collect::<Vec<_>>());
    let peer = Peer::of("mitmdump", "mitmproxy")
        .file("public.pem", place.public.pem())
        .args(["--mode", mode, "--listen-port", &port.to_string()])
        .args(["--set", "confdir=.", "--set", "ssl_verify_upstream_trusted_ca=public.pem"])
        // It refuses clients with public addresses unless told otherwise.
        .args(["--set", "flow_detail=0", "--set", "block_global=false"])
        .args(ignored)
        .inside(place.namespace)
        .spawn()
        .await_tcp(port);
    let authority = std::fs::read_to_string(peer.dir().join("mitmproxy-ca-cert.pem")).unwrap();
    (peer, authority)
}
