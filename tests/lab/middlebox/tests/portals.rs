//! The captive portal.

use super::chain::{BOX, Chain, QUIET, SERVER, echoed, over_tls, said};

fn request(method: &str, path: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nHost: connectivity.example\r\n\r\n").into_bytes()
}

#[test]
fn a_portal_shows_its_terms_until_they_are_agreed_to() {
    let chain = Chain::new();
    let _servers = (chain.web(80), chain.tls(443, "live.example"), chain.echo(1935), chain.echo(53));
    let gate = chain.install("captive_portal = { https = true }");
    let api = gate.told().captive_api.clone().unwrap();
    let port: u16 = api.split([':', '/']).nth(4).unwrap().parse().unwrap();
    let state = || {
        let stream = chain.connect(BOX[0], port).unwrap();
        let answer = over_tls(stream, BOX[0], chain.public.pem(), &request("GET", "/captive")).unwrap();
        String::from_utf8(answer).unwrap()
    };
    let mut page = None;
    for host in SERVER {
        let answer = said(chain.connect(host, 80).unwrap(), &request("GET", "/")).unwrap();
        assert!(answer.starts_with("HTTP/1.1 302 Found"), "{answer}");
        page = answer.lines().find_map(|line| line.strip_prefix("Location: http://")).map(str::to_owned);
        assert!(chain.ask_tls(host, "live.example", chain.public.pem(), b"hello").is_err());
        assert!(chain.connect_within(host, 1935, QUIET).is_err());
    }
    assert!(state().contains("application/captive+json") && state().contains("\"captive\":true"));

    let page = page.unwrap();
    let at: std::net::SocketAddr = page.split('/').next().unwrap().parse().unwrap();
    let terms = said(chain.connect(BOX[1], at.port()).unwrap(), &request("GET", "/login")).unwrap();
    assert!(terms.contains("I agree"), "{terms}");
    said(chain.connect(BOX[1], at.port()).unwrap(), &request("POST", "/login")).unwrap();
    assert!(state().contains("\"captive\":false"), "{}", gate.log());
    for host in SERVER {
        let answer = said(chain.connect(host, 80).unwrap(), &request("GET", "/")).unwrap();
        assert!(answer.ends_with("live"), "{answer}");
        assert!(chain.ask_tls(host, "live.example", chain.public.pem(), b"hello").is_ok());
        echoed(&mut chain.connect(host, 1935).unwrap(), b"hello").unwrap();
    }
    drop(gate);
    let gate = chain.install("captive_portal = { released = true, rest = \"reject\" }");
    echoed(&mut chain.connect(SERVER[0], 1935).unwrap(), b"hello").unwrap();
    assert!(gate.told().captive_api.is_some());
}
