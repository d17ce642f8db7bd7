//! Laptop — box — server, on both families.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::ground::authority::{Authority, NOW};
use crate::ground::namespace::Namespace;
use crate::middlebox::portal::acceptor;
use crate::middlebox::server::{Server, listen, udp};
use crate::middlebox::{Installed, Middlebox, Place};

pub const LAPTOP: [&str; 2] = ["192.0.2.2", "2001:db8:1::2"];
pub const BOX: [&str; 2] = ["192.0.2.1", "2001:db8:1::1"];
pub const SERVER: [&str; 2] = ["198.51.100.2", "2001:db8:2::2"];

/// How long to wait for what shall come.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait for what shall not come.
pub const QUIET: Duration = Duration::from_millis(300);

pub struct Chain {
    pub laptop: Namespace,
    pub gate: Namespace,
    pub server: Namespace,
    pub public: Authority,
}

/// One box as a scenario has it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    #[serde(rename = "box")]
    boxes: Vec<Middlebox>,
}

pub fn parse(line: &str) -> Result<Middlebox, toml::de::Error> {
    let scenario: Scenario = toml::from_str(&format!("[[box]]\n{line}\n"))?;
    Ok(scenario.boxes.into_iter().next().unwrap())
}

impl Chain {
    pub fn new() -> Self {
        let (laptop, gate, server) = (Namespace::new(), Namespace::new(), Namespace::new());
        Namespace::join(
            (&laptop, "up0", &["192.0.2.2/24", "2001:db8:1::2/64"]),
            (&gate, "in0", &["192.0.2.1/24", "2001:db8:1::1/64"]),
        );
        Namespace::join(
            (&gate, "out0", &["198.51.100.1/24", "2001:db8:2::1/64"]),
            (&server, "eth0", &["198.51.100.2/24", "2001:db8:2::2/64"]),
        );
        for via in BOX {
            laptop.route("default", via);
        }
        for via in ["198.51.100.1", "2001:db8:2::1"] {
            server.route("default", via);
        }
        gate.forward();
        for place in [&laptop, &gate, &server] {
            place.settle();
        }
        Self { laptop, gate, server, public: Authority::new("Lab Public Root") }
    }

    /// Puts the box that this TOML describes.
    pub fn install(&self, toml: &str) -> Installed {
        let place = Place {
            name: "gate",
            namespace: &self.gate,
            inside: "in0",
            outside: "out0",
            address4: "192.0.2.1".parse().unwrap(),
            address6: "2001:db8:1::1".parse().unwrap(),
            resolvers: &[at("198.51.100.2", 53)],
            public: &self.public,
        };
        parse(toml).unwrap_or_else(|error| panic!("{error}")).install(&place)
    }

    /// A server on this TCP port of both families, which sends back all that it gets.
    pub fn echo(&self, port: u16) -> Server {
        let listeners = self.server.run(|| SERVER.map(|host| listen(at(host, port))));
        Server::start(&self.server, move |_| async move {
            for listener in listeners {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::spawn(async move {
                    while let Ok((mut stream, _)) = listener.accept().await {
                        tokio::spawn(async move {
                            let (mut read, mut write) = stream.split();
                            let _ = tokio::io::copy(&mut read, &mut write).await;
                        });
                    }
                });
            }
            std::future::pending::<()>().await;
        })
    }

    /// A web server on this port over TLS, publicly certified for `name`; what is no HTTP it sends
    /// back.
    pub fn tls(&self, port: u16, name: &str) -> Server {
        let acceptor = acceptor(&self.public.certify(name, name, NOW));
        let listeners = self.server.run(|| SERVER.map(|host| listen(at(host, port))));
        Server::start(&self.server, move |_| async move {
            for listener in listeners {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    while let Ok((stream, _)) = listener.accept().await {
                        let acceptor = acceptor.clone();
                        tokio::spawn(async move {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                web(stream).await;
                            }
                        });
                    }
                });
            }
            std::future::pending::<()>().await;
        })
    }

    /// A web server on this port.
    pub fn web(&self, port: u16) -> Server {
        let listeners = self.server.run(|| SERVER.map(|host| listen(at(host, port))));
        Server::start(&self.server, move |_| async move {
            for listener in listeners {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::spawn(async move {
                    while let Ok((stream, _)) = listener.accept().await {
                        tokio::spawn(web(stream));
                    }
                });
            }
            std::future::pending::<()>().await;
        })
    }

    /// What the server says to `words` over TLS, when one of `roots` vouches for it.
    pub fn ask_tls(&self, host: &str, name: &str, roots: &str, words: &[u8]) -> std::io::Result<Vec<u8>> {
        over_tls(self.connect(host, 443)?, name, roots, words)
    }

    /// The same for UDP; it also notes from where it heard.
    pub fn udp_echo(&self, port: u16) -> Server {
        let sockets = self.server.run(|| SERVER.map(|host| udp(at(host, port))));
        Server::start(&self.server, move |log| async move {
            for socket in sockets {
                let (socket, log) = (tokio::net::UdpSocket::from_std(socket).unwrap(), log.clone());
                tokio::spawn(async move {
                    let mut buffer = [0; 2048];
                    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                        log.line(from.to_string());
                        let _ = socket.send_to(&buffer[..length], from).await;
                    }
                });
            }
            std::future::pending::<()>().await;
        })
    }

    pub fn connect(&self, host: &str, port: u16) -> std::io::Result<TcpStream> {
        self.connect_within(host, port, PATIENCE)
    }

    pub fn connect_within(&self, host: &str, port: u16, patience: Duration) -> std::io::Result<TcpStream> {
        let stream = self.laptop.run(|| TcpStream::connect_timeout(&at(host, port), patience))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// A UDP socket of the laptop, connected.
    pub fn dial_udp(&self, host: &str, port: u16) -> UdpSocket {
        let near: IpAddr = LAPTOP[usize::from(host.contains(':'))].parse().unwrap();
        let socket = self.laptop.run(|| UdpSocket::bind((near, 0)).unwrap());
        socket.connect(at(host, port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
    }
}

/// Answers to `GET` with a page, and sends all else back.
async fn web(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut words = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut words).await {
        let page = &b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlive"[..];
        let answer = if words.starts_with(b"GET ") { page } else { &words[..length] };
        let _ = stream.write_all(answer).await;
        let _ = stream.flush().await;
    }
}

/// Says `words` over TLS and returns the first answer.
pub fn over_tls(stream: TcpStream, name: &str, roots: &str, words: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut store = rustls::RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(roots.as_bytes()) {
        store.add(root.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(store)
        .with_no_client_auth();
    let name = name.to_owned().try_into().unwrap();
    let connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = rustls::StreamOwned::new(connection, stream);
    stream.write_all(words)?;
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer)?;
    answer.truncate(length);
    Ok(answer)
}

/// Says `words` and returns the first answer.
pub fn said(mut stream: TcpStream, words: &[u8]) -> std::io::Result<String> {
    stream.write_all(words)?;
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
}

pub fn at(host: &str, port: u16) -> SocketAddr {
    SocketAddr::new(host.parse().unwrap(), port)
}

/// Sends `text` and reads as much back.
pub fn echoed(stream: &mut TcpStream, text: &[u8]) -> std::io::Result<()> {
    stream.write_all(text)?;
    let mut back = vec![0; text.len()];
    stream.read_exact(&mut back)?;
    assert_eq!(back, text, "what came back is not what was sent");
    Ok(())
}

/// Whether `text` comes back over UDP; waits only so long.
pub fn udp_echoed(socket: &UdpSocket, text: &[u8], patience: Duration) -> bool {
    socket.set_read_timeout(Some(patience)).unwrap();
    let mut back = [0; 2048];
    socket.send(text).is_ok() && socket.recv(&mut back).is_ok_and(|length| &back[..length] == text)
}

/// How a read ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    Reset,
    Fin,
    Silence,
    Data(Vec<u8>),
}

/// What comes next, within `patience`.
pub fn next(stream: &mut TcpStream, patience: Duration) -> End {
    stream.set_read_timeout(Some(patience)).unwrap();
    let mut buffer = [0; 4096];
    match stream.read(&mut buffer) {
        Ok(0) => End::Fin,
        Ok(length) => End::Data(buffer[..length].to_vec()),
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => End::Reset,
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => End::Silence,
        Err(error) => panic!("{error}"),
    }
}

/// Sends with this traffic class from now on.
pub fn mark(socket: &UdpSocket, class: u32) {
    let reference = socket2::SockRef::from(socket);
    if socket.local_addr().unwrap().is_ipv6() {
        reference.set_tclass_v6(class).unwrap();
    } else {
        reference.set_tos_v4(class).unwrap();
    }
}

#[test]
fn the_chain_itself_is_clean() {
    let chain = Chain::new();
    let _server = (chain.echo(1935), chain.udp_echo(1935));
    for host in SERVER {
        echoed(&mut chain.connect(host, 1935).unwrap(), b"hello").unwrap();
        assert!(udp_echoed(&chain.dial_udp(host, 1935), b"hello", PATIENCE));
        let refused = chain.connect(host, 1936).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    }
}

#[test]
fn a_misspelt_box_is_an_error() {
    for wrong in [
        "nftable = \"\"",
        "session_cutter = { after = 1 }",
        "protocol_block = { protocol = \"rtmpe\" }",
        "resolver = { filter = [] }",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn nothing_is_left_behind() {
    let chain = Chain::new();
    for toml in [
        "nftables = \"tcp dport 1935 drop\"",
        "idle_timeout = { udp_s = 1, tcp_s = 3 }",
        "silent_resolver = [\"192.0.2.53\", \"2001:db8:1::53\"]",
        "protocol_block = { protocol = \"rtmp\", how = \"fin\" }",
        "resolver = { delay_ms = 1 }",
    ] {
        let look = || {
            let settings = chain.gate.exec("sysctl", &["-a", "-r", "nf_conntrack_(udp|tcp|acct)"]);
            let rules = chain.gate.exec("/usr/sbin/nft", &["list", "ruleset"]);
            let addresses = chain.gate.exec("ip", &["-oneline", "address", "show", "scope", "global"]);
            let sockets = chain.gate.run(|| {
                ["tcp", "tcp6", "udp", "udp6"]
                    .map(|table| std::fs::read_to_string(format!("/proc/thread-self/net/{table}")).unwrap())
                    .map(|table| table.lines().count())
            });
            (settings, rules, addresses, sockets)
        };
        let before = look();
        let installed = chain.install(toml);
        assert_ne!(look(), before, "{toml}");
        drop(installed);
        assert_eq!(look(), before, "{toml}");
    }
}
