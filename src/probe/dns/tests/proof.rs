//! Answers proved by certificate and held against a reference outside.

use super::*;

async fn tls_server(server: Server) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Arc::new(server.config()));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream.read(&mut [0; 16]).await;
            }
        }
    });
    port
}

#[tokio::test]
async fn an_address_is_proven_by_a_public_certificate_for_the_name() {
    let (public, proxy) = (Authority::new("Public"), Authority::new("Proxy"));
    let roots = Roots::given(vec![public.root.clone()], vec![public.root.clone(), proxy.root.clone()]);
    let unknown = |code: &str| vec![(code.to_owned(), Effect::Unknown)];
    for (shown, expected) in [
        (Some(public.server(NAME, NOW)), vec![]),
        (Some(public.server("other.example", NOW)), fail("dns.wrong_address")),
        (Some(Server::self_signed(NAME)), fail("dns.wrong_address")),
        (Some(proxy.server(NAME, NOW)), unknown("dns.proof_intercepted")),
        // Nobody there, so only the address itself speaks, and a public name is not loopback.
        (None, fail("dns.private_address")),
    ] {
        let resolver = server(addresses(&["127.0.0.1"]), addresses(&["8.8.8.8"])).await;
        let mut target = target(&[resolver]);
        target.prove = Some(match shown {
            Some(server) => tls_server(server).await,
            None => TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port(),
        });
        let reading = reading(&target, roots.clone()).await;
        let mut found = bad(&Limits::default(), &reading);
        // Rewriting weighs less once the answer is proven.
        let rewritten = found.pop().unwrap();
        let weight = if expected.is_empty() { Effect::Warn } else { Effect::Fail };
        assert_eq!(rewritten, ("dns.nxdomain_rewritten".to_owned(), weight));
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn a_reference_shows_what_is_denied_and_what_differs() {
    let here = of(nxdomain(), nxdomain()).await;
    let outside = of(addresses(&["8.8.4.4"]), nxdomain()).await;
    let with = |mut reading: Reading, outside: &Reading| {
        reading.reference = Some(outside.resolvers[0].clone());
        reading
    };
    assert_eq!(bad(&Limits::default(), &with(here, &outside)), fail("dns.denied_here"));
    let other = of(addresses(&["8.8.8.8"]), nxdomain()).await;
    let warned = |code: &str| vec![(code.to_owned(), Effect::Warn)];
    assert_eq!(bad(&Limits::default(), &with(other.clone(), &outside)), warned("dns.differs_from_reference"));
    assert_eq!(bad(&only(&["8.8.8.8"]), &with(other.clone(), &outside)), []);
    assert_eq!(bad(&Limits::default(), &with(other.clone(), &other)), []);
    let silent = of(Says::Bytes(vec![]), nxdomain()).await;
    assert_eq!(bad(&Limits::default(), &with(other, &silent)), warned("dns.no_reference"));
}

#[tokio::test]
async fn the_reference_is_asked_over_tls_and_must_show_its_certificate() {
    let public = Authority::new("Public");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let outside = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(public.server("dns.example", NOW).config()));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut query = vec![0; usize::from(stream.read_u16().await.unwrap_or(0))];
            let _ = stream.read_exact(&mut query).await;
            let answer = reply(&query, &addresses(&["8.8.4.4"]), true).unwrap();
            let _ = stream.write_u16(u16::try_from(answer.len()).unwrap()).await;
            let _ = stream.write_all(&answer).await;
            let _ = stream.flush().await;
        }
    });
    let ours = [public.root.clone()];
    for (name, mozilla, expected) in [
        ("dns.example", &ours[..], "8.8.4.4"),
        ("other.example", &ours[..], ""),
        // Trusted by this machine alone: whoever inspects TLS can answer what it likes.
        ("dns.example", &[], ""),
    ] {
        let mut target = target(&[server(addresses(&["8.8.4.4"]), nxdomain()).await]);
        target.reference = Some(Reference {
            address: outside.to_string(),
            name: name.to_owned(),
            over: Encrypted::Tls,
            path: None,
        });
        let reading = reading(&target, Roots::given(mozilla.to_vec(), ours.to_vec())).await;
        let given = reading.reference.as_ref().unwrap().addresses();
        assert_eq!(given.first().map(ToString::to_string).unwrap_or_default(), expected);
        let expected = if expected.is_empty() { "dns.no_reference" } else { "dns.agrees_with_reference" };
        assert!(codes(&Limits::default(), &reading).contains(&expected.to_owned()));
    }
}
