//! A real far end over loopback: who is let in, what it allows, and what it never does.

use std::time::Duration;

use golive::farend::log::{Log, Notice};
use golive::farend::session::Caps;
use golive::farend::{Config, FarEnd, Running};
use golive::model::{
    Cause, FarEnd as Named, NotMeasured, Pin, Secret, SecretSource, SourceAddress, WireText,
};
use golive::net::clock::Origin;
use golive::net::far_end::{Control, echo};
use golive::net::tls::{self, Accept, Ask, Roots};
use golive::wire::control::{
    DATA_MAGIC, Ended, Frames, Grant, Proof, Refusal, Reply, Request, Ticket, encode, proof::EXPORTED,
};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::ground::authority::{Authority, NOW};
use crate::ground::peer::{Peer, free_port};

async fn started(caps: Caps) -> (Running, Named) {
    let running = FarEnd::start(Config { caps, ..Config::loopback() }).await.unwrap();
    let named = Named {
        address: running.addresses.control.to_string(),
        pin: running.pin.clone(),
        token: SecretSource::Value(running.token.clone()),
    };
    (running, named)
}

async fn connect(named: &Named) -> Result<Control, NotMeasured> {
    Control::connect(named, &SourceAddress::default(), &Origin::start()).await
}

fn each(grant: Grant) -> Caps {
    Caps { each: grant, ..Caps::default() }
}

const PLENTY: Grant = Grant { seconds: 60, bytes: 1 << 30, packets: 1 << 30 };

/// A data connection that has shown its ticket.
async fn data(running: &Running, ticket: Ticket) -> TcpStream {
    let mut stream = TcpStream::connect(running.addresses.control).await.unwrap();
    stream.write_all(&DATA_MAGIC).await.unwrap();
    stream.write_all(&ticket.0).await.unwrap();
    stream
}

/// Waits for the far end's last word.
async fn last_word(control: &mut Control) -> (Ended, u64) {
    loop {
        let reply = tokio::time::timeout(Duration::from_secs(20), control.next()).await.unwrap().unwrap();
        if let Reply::Ended { how, bytes, .. } = reply {
            return (how, bytes);
        }
    }
}

fn far_end_trouble(result: Result<Control, NotMeasured>, words: &str) {
    let error = result.map(drop).unwrap_err();
    assert_eq!(error.cause, Cause::FarEnd);
    assert!(error.detail.contains(words), "{error}");
    assert!(!error.remedy.is_empty());
}

#[tokio::test]
async fn the_token_admits_and_the_far_end_says_what_it_sees() {
    let (running, named) = started(Caps::default()).await;
    let mut control = connect(&named).await.unwrap();
    assert_eq!(Some(control.seen), control.contact.local);
    assert_eq!(control.rtmp, running.addresses.rtmp.map(|address| address.port()));
    assert_eq!(control.ping(3, Duration::ZERO).await.unwrap().len(), 3);
    running.stop().await;
}

#[tokio::test]
async fn another_key_than_the_pinned_one_is_named_and_gets_no_token() {
    let (_running, named) = started(Caps::default()).await;
    let named = Named { pin: Pin::from_digest([1; 32]), ..named };
    far_end_trouble(connect(&named).await, "does not have the far end's key");
}

#[tokio::test]
async fn a_wrong_token_is_refused() {
    let (_running, named) = started(Caps::default()).await;
    let token = SecretSource::Value(Secret::from("canary-0123456789".to_owned()));
    let error = connect(&Named { token, ..named }).await.map(drop).unwrap_err();
    assert_eq!(error.cause, Cause::FarEnd);
    assert!(error.detail.contains("the token is not this far end's"), "{error}");
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}

#[tokio::test]
async fn what_is_no_far_end_is_told_apart() {
    let (running, named) = started(Caps::default()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = |address: String| Named { address, ..named.clone() };
    let web = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\x1b[31m\r\n").await;
        }
    });
    let error = connect(&at(web)).await.map(drop).unwrap_err();
    assert!(error.detail.contains("HTTP/1.1 403"), "{error}");
    assert!(!error.detail.contains('\u{1b}'), "{error:?}");
    let closed = running.addresses.control.to_string();
    running.stop().await;
    far_end_trouble(connect(&at(closed)).await, "refused");
    far_end_trouble(connect(&at("nonesuch.invalid:1".into())).await, "nonesuch.invalid");
    far_end_trouble(connect(&at("no-port".into())).await, "host:port");
}

#[tokio::test]
async fn sessions_are_capped_and_the_reason_given() {
    let (_running, named) = started(Caps { sessions: 1, ..Caps::default() }).await;
    let mut first = connect(&named).await.unwrap();
    let mut second = connect(&named).await.unwrap();
    first.open_stamp(5, 5).await.unwrap();
    let error = second.open_upload(5, 5, 1).await.unwrap_err();
    assert_eq!(error.cause, Cause::FarEnd);
    assert!(error.detail.contains("as many sessions as this far end allows"), "{error}");
    assert_eq!(first.close().await.unwrap().how, Ended::Closed);
    second.open_upload(5, 5, 1).await.unwrap();
}

#[tokio::test]
async fn a_session_ends_with_its_connection() {
    let (running, named) = started(Caps { sessions: 1, ..Caps::default() }).await;
    let mut first = connect(&named).await.unwrap();
    first.open_stamp(50, 5).await.unwrap();
    drop(first);
    let mut second = connect(&named).await.unwrap();
    for _ in 0..100 {
        if second.open_stamp(5, 5).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the session of a lost connection stays: {:?}", running.registry());
}

#[tokio::test]
async fn an_upload_is_counted_to_the_byte() {
    let (running, named) = started(Caps::default()).await;
    let mut control = connect(&named).await.unwrap();
    let (ticket, _) = control.open_upload(30, 1 << 30, 1).await.unwrap();
    let mut stream = data(&running, ticket).await;
    stream.write_all(&vec![7; 3_000_000]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(350)).await;
    stream.shutdown().await.unwrap();
    assert_eq!(last_word(&mut control).await, (Ended::DataClosed, 3_000_000));
    assert_eq!(stream.read(&mut [0; 10]).await.unwrap(), 0, "the sink never answers");
}

#[tokio::test]
async fn bytes_are_capped() {
    let (running, named) = started(each(Grant { bytes: 100_000, ..PLENTY })).await;
    let mut control = connect(&named).await.unwrap();
    let (ticket, grant) = control.open_upload(30, u64::MAX, 1).await.unwrap();
    assert_eq!(grant.bytes, 100_000);
    let mut stream = data(&running, ticket).await;
    let _ = stream.write_all(&vec![7; 3_000_000]).await;
    assert_eq!(last_word(&mut control).await.0, Ended::Refused(Refusal::Bytes));
}

#[tokio::test]
async fn time_is_capped() {
    let (running, named) = started(each(Grant { seconds: 1, ..PLENTY })).await;
    let mut control = connect(&named).await.unwrap();
    let (ticket, grant) = control.open_upload(30, 1000, 1).await.unwrap();
    assert_eq!(grant.seconds, 1);
    let mut stream = data(&running, ticket).await;
    stream.write_all(b"x").await.unwrap();
    assert_eq!(last_word(&mut control).await, (Ended::Refused(Refusal::Time), 1));
    assert!(matches!(stream.read(&mut [0; 10]).await, Ok(0) | Err(_)), "its data connection is closed");
}

#[tokio::test]
async fn guests_are_capped() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&told);
    let log = Log::to(move |notice: &Notice| sink.lock().unwrap().push(notice.to_string()));
    let caps = Caps { guests_per_address: 2, ..Caps::default() };
    let running = FarEnd::start(Config { caps, log, ..Config::loopback() }).await.unwrap();
    let mut guests = Vec::new();
    for _ in 0..3 {
        guests.push(TcpStream::connect(running.addresses.control).await.unwrap());
    }
    let last = guests.last_mut().unwrap();
    assert!(matches!(last.read(&mut [0; 1]).await, Ok(0) | Err(_)), "the third is shut out");
    assert!(told.lock().unwrap().iter().any(|line| line.contains("too many connections")), "{told:?}");
}

#[tokio::test]
async fn a_data_connection_without_a_ticket_gets_no_byte() {
    let (running, named) = started(Caps::default()).await;
    let mut control = connect(&named).await.unwrap();
    let (ticket, _) = control.open_upload(30, 1000, 1).await.unwrap();
    let mut used = data(&running, ticket).await;
    used.write_all(b"x").await.unwrap();
    loop {
        if let Reply::Attached { .. } = control.next().await.unwrap() {
            break;
        }
    }
    let wrong = [DATA_MAGIC.as_slice(), &[0; 16]].concat();
    let again = [DATA_MAGIC.as_slice(), &ticket.0].concat();
    for said in [b"GET / HTTP/1.1\r\n\r\n".to_vec(), b"GOLIVE".to_vec(), wrong, again] {
        let mut stream = TcpStream::connect(running.addresses.control).await.unwrap();
        stream.write_all(&said).await.unwrap();
        let _ = stream.shutdown().await;
        let mut back = Vec::new();
        let _ = stream.read_to_end(&mut back).await;
        assert_eq!(back, b"", "{said:?}");
    }
}

/// What comes back, byte for byte inside TLS, to a caller who says `said` and closes.
async fn echoed_bytes(running: &Running, said: &[u8]) -> Vec<u8> {
    let stream = TcpStream::connect(running.addresses.control).await.unwrap();
    let roots = Roots::given(Vec::new(), Vec::new());
    let mut tls = tls::connect(stream, &Ask::new("127.0.0.1", Accept::Any, &roots)).await.unwrap().stream;
    for byte in said.chunks(700) {
        let _ = tls.write_all(byte).await;
        let _ = tls.flush().await;
    }
    let _ = tls.shutdown().await;
    let mut back = Vec::new();
    let _ = tls.read_to_end(&mut back).await;
    back
}

#[tokio::test]
async fn before_the_token_is_proved_no_more_goes_out_than_came_in() {
    let (running, _) = started(Caps::default()).await;
    let proof = Proof::make(&Secret::from("wrong".to_owned()), &[0; EXPORTED]);
    let hello = encode(&Request::hello(proof)).unwrap();
    let small = encode(&Request::Hello { version: 1, proof, padding: String::new() }).unwrap();
    let other = encode(&Request::Hello { version: 99, proof, padding: "-".repeat(2000) }).unwrap();
    let close = encode(&Request::Close {}).unwrap();
    let cases =
        [&b""[..], b"x", &[0; 4], &[0xff; 4], &[0xff; 5000], &close, &small, &hello, &hello[..900], &other];
    for said in cases {
        let back = echoed_bytes(&running, said).await;
        assert!(back.len() <= said.len(), "{} bytes for {}", back.len(), said.len());
    }
    let mut frames = Frames::default();
    frames.feed(&echoed_bytes(&running, &hello).await);
    let refusal = frames.take::<Reply>().unwrap();
    assert!(matches!(refusal, Some(Reply::Refuse { why: Refusal::WrongToken, .. })), "{refusal:?}");
}

/// A far end that looks at these hosts, with this authority for a public one.
async fn notary(hosts: &[String], roots: Roots) -> (Running, Named) {
    let notary = hosts.iter().map(|host| host.parse().unwrap()).collect();
    let running = FarEnd::start(Config { notary, roots, ..Config::loopback() }).await.unwrap();
    let named = Named {
        address: running.addresses.control.to_string(),
        pin: running.pin.clone(),
        token: SecretSource::Value(running.token.clone()),
    };
    (running, named)
}

#[tokio::test]
async fn a_notary_tells_key_and_issuer_of_listed_hosts_only() {
    let public = Authority::new("Lab Public Root");
    let certified = public.certify("live.example", "live.example", NOW);
    let port = free_port();
    let _server = Peer::of("openssl", "openssl")
        .file("certificate.pem", &certified.certificate)
        .file("key.pem", &certified.key)
        .args(["s_server", "-quiet", "-cert", "certificate.pem", "-key", "key.pem"])
        .args(["-accept", &format!("127.0.0.1:{port}")])
        .spawn()
        .await_tcp(port);
    let listed = [format!("127.0.0.1:{port}"), format!("live.example:{port}")];
    let (_running, named) = notary(&listed, Roots::given(vec![public.root()], vec![])).await;
    let mut control = connect(&named).await.unwrap();
    let sights = control.notary("127.0.0.1", port, "live.example").await.unwrap();
    let [sight] = sights.as_slice() else { panic!("{sights:?}") };
    assert_eq!(sight.key.as_ref().map(Pin::to_string), Some(certified.pin()));
    assert!(sight.public && sight.failure.is_none(), "{sight:?}");
    assert!(sight.issuer.as_str().contains("Lab Public Root"), "{sight:?}");
    // Neither another host nor another port, and the connection goes on.
    for (host, port) in [("localhost", port), ("127.0.0.1", 22)] {
        let refused = control.notary(host, port, host).await.unwrap_err();
        assert!(refused.detail.contains("does not look at that host"), "{refused}");
        assert!(refused.remedy.contains("--notary"), "{refused}");
    }
    control.open_stamp(5, 5).await.unwrap();
}

#[tokio::test]
async fn a_far_end_without_a_list_looks_at_nobody() {
    let (_running, named) = started(Caps::default()).await;
    let mut control = connect(&named).await.unwrap();
    let refused = control.notary("127.0.0.1", 443, "127.0.0.1").await.unwrap_err();
    assert!(refused.detail.contains("looks at no host") && refused.remedy.contains("--notary 127.0.0.1"));
}

#[tokio::test]
async fn an_echo_tells_the_hello_that_arrived_to_whoever_asks() {
    let (running, named) = started(Caps::default()).await;
    let nobody = SecretSource::Value(Secret::from("wrong".to_owned()));
    let named = Named { token: nobody, ..named };
    let roots = Roots::given(Vec::new(), Vec::new());
    let echoed = echo(&named, &SourceAddress::default(), &Origin::start(), &roots).await.unwrap();
    assert!(echoed.pinned);
    assert_eq!(echoed.arrived, Ok(Some(echoed.sent)));
    // Without its padding it would be more than was asked with: no answer.
    let bare = encode(&Request::Echo { padding: String::new() }).unwrap();
    let back = echoed_bytes(&running, &bare).await;
    assert!(back.len() <= bare.len(), "{} bytes for {}", back.len(), bare.len());
}

/// A far end from before there was a notary or an echo: it knows neither word.
async fn old_far_end() -> (Running, Named) {
    let (running, named) = started(Caps::default()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let tls = golive::farend::identity::Identity::ephemeral().unwrap();
    let pin = tls.pin.clone();
    let acceptor = tokio_rustls::TlsAcceptor::from(tls.tls().unwrap());
    let grant = PLENTY;
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            let Ok(mut tls) = acceptor.accept(stream).await else { continue };
            let (mut frames, mut buffer) = (Frames::default(), [0; 4096]);
            loop {
                let said = match frames.take::<Request>() {
                    Ok(None) => match tls.read(&mut buffer).await {
                        Ok(count) if count > 0 => {
                            frames.feed(&buffer[..count]);
                            continue;
                        }
                        _ => break,
                    },
                    Ok(Some(Request::Hello { .. })) => {
                        Reply::Welcome { seen: peer, cap: grant, rtmp: None, srt: None }
                    }
                    _ => Reply::Refuse { why: Refusal::BadRequest, detail: WireText::default() },
                };
                let _ = tls.write_all(&encode(&said).unwrap()).await;
                let _ = tls.flush().await;
                if matches!(said, Reply::Refuse { .. }) {
                    break; // as it ends every connection on a word that it does not know
                }
            }
        }
    });
    (running, Named { address, pin, ..named })
}

#[tokio::test]
async fn an_old_far_end_is_said_to_be_old() {
    let (_running, named) = old_far_end().await;
    let mut control = connect(&named).await.unwrap();
    let old = control.notary("127.0.0.1", 443, "127.0.0.1").await.unwrap_err();
    assert!(old.detail.contains("older than this question") && old.remedy.contains("update golive"));
    let roots = Roots::given(Vec::new(), Vec::new());
    let echoed = echo(&named, &SourceAddress::default(), &Origin::start(), &roots).await.unwrap();
    assert!(echoed.arrived.unwrap_err().detail.contains("older than this question"));
}

#[tokio::test]
async fn a_port_listens_for_the_address_that_asked_and_sends_back_no_more_than_came() {
    let (running, named) = started(each(Grant { packets: 3, ..PLENTY })).await;
    let mut control = connect(&named).await.unwrap();
    let port = free_port();
    let grant = control.open_listen(port, 3_000, 100).await.unwrap();
    assert_eq!((grant.seconds, grant.packets), (60, 3), "its own caps, and the far end's");
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(("127.0.0.1", port)).await.unwrap();
    // Loopback's other addresses are others.
    let stranger = tokio::net::UdpSocket::bind("127.0.0.2:0").await.unwrap();
    stranger.send_to(b"who?", ("127.0.0.1", port)).await.unwrap();
    let mut answer = [0; 100];
    for question in [&b"first"[..], b"second"] {
        socket.send(question).await.unwrap();
        let length = tokio::time::timeout(Duration::from_secs(10), socket.recv(&mut answer)).await.unwrap();
        assert_eq!(&answer[..length.unwrap()], question);
    }
    let closed = control.close().await.unwrap();
    assert_eq!((closed.packets, closed.bytes, closed.foreign), (2, 11, 1));
    assert!(stranger.try_recv(&mut answer).is_err(), "only the address that asked is answered");
    // The port is free again, and one that is taken is refused without harm to the connection.
    let taken = loop {
        if let Ok(taken) = std::net::UdpSocket::bind(("127.0.0.1", port)) {
            break taken;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let error = control.open_listen(port, 5, 5).await.unwrap_err();
    assert!(error.detail.contains("does not offer it"), "{error}");
    drop(taken);
    assert!(control.open_listen(port, 5, 5).await.is_ok());
    running.stop().await;
}
