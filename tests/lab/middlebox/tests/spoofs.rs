//! Boxes that answer in a server's name.

use std::io::ErrorKind;

use super::chain::{Chain, End, PATIENCE, QUIET, SERVER, echoed, next, said};

/// Where nobody is.
const NOBODY: [&str; 2] = ["198.51.100.77", "2001:db8:2::77"];

#[test]
fn a_syn_proxy_accepts_for_servers_that_are_not_there() {
    let chain = Chain::new();
    let _server = (chain.echo(1935), chain.echo(443));
    let gate = chain.install("syn_proxy = { ports = [1935, 1936] }");
    for (host, nobody) in SERVER.into_iter().zip(NOBODY) {
        echoed(&mut chain.connect(host, 1935).unwrap(), &vec![7; 100_000]).unwrap();
        echoed(&mut chain.connect(host, 443).unwrap(), b"hello").unwrap();
        // The server's refusal may come before we look; it comes as a reset, not as a refusal.
        let accepted = chain.connect(host, 1936).map(drop).map_err(|error| error.kind());
        assert!(
            [Ok(()), Err(ErrorKind::ConnectionReset)].contains(&accepted),
            "{accepted:?}\n{}",
            gate.log()
        );
        assert!(chain.connect(nobody, 1935).is_ok(), "{}", gate.log());
        assert_eq!(chain.connect(host, 1937).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    }
}

#[test]
fn a_box_that_accepts_everything_says_what_it_is_told_to() {
    let chain = Chain::new();
    let _server = chain.echo(443);
    for (then, end, patience) in
        [("silence", End::Silence, QUIET), ("close", End::Fin, PATIENCE), ("reset", End::Reset, PATIENCE)]
    {
        let gate = chain.install(&format!("accepts_all = {{ then = \"{then}\", ports = [1935] }}"));
        for nobody in NOBODY {
            // A reset may come before we look.
            let seen = match chain.connect(nobody, 1935) {
                Ok(mut stream) => next(&mut stream, patience),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => End::Reset,
                Err(error) => panic!("{error}"),
            };
            assert_eq!(seen, end, "{then}\n{}", gate.log());
        }
    }
    let _gate = chain.install("accepts_all = { then = \"bad_request\", ports = [1935] }");
    for host in SERVER {
        let page = said(chain.connect(host, 1935).unwrap(), &[3; 1537]).unwrap();
        assert!(page.starts_with("HTTP/1.1 400"), "{page}");
        echoed(&mut chain.connect(host, 443).unwrap(), b"hello").unwrap();
    }
}
