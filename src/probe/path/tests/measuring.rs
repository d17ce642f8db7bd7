//! Asked for real, on loopback.

use super::*;

#[tokio::test]
async fn a_reflector_without_a_session_is_measured() {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let mut datagram = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut datagram).await {
            let request = &datagram[..length];
            let sequence = SenderPacket::parse(request).unwrap().sequence;
            let now = Ntp::from_unix_ns(1);
            if sequence % 10 != 3 {
                let answer = ReflectorPacket::answer(request, sequence, now, now).unwrap();
                socket.send_to(&answer, from).await.unwrap();
            }
        }
    });
    let target = target(&serde_json::json!({ "reflector": address.to_string() }), 200, 1);
    let mut env = env();
    let seen = std::sync::Arc::new(std::sync::Mutex::new(0));
    let count = std::sync::Arc::clone(&seen);
    env.progress = crate::probe::Progress::to(move |sample| {
        assert_eq!(sample.series, "rtt_ms");
        *count.lock().unwrap() += 1;
    });
    let reading = Path::measure(&target, &env).await.unwrap();
    task.abort();
    let flow = &reading.flows[0];
    assert_eq!((flow.method, flow.planned, flow.sent, flow.received), (Method::Stamp, 200, 200, 180));
    #[cfg(target_os = "linux")]
    assert_eq!(flow.path_mtu.as_ref().unwrap().bytes, Some(1500));
    assert_eq!((flow.round_trips_us[3], flow.round_trips_us.len(), flow.longest_burst), (None, 200, 1));
    assert!(*seen.lock().unwrap() > 3);
    let limits = Limits { loss_percent: Some(AtMost(1.0)), ..Limits::default() };
    assert!(codes(&limits, &reading).contains(&("path.loss_high".to_owned(), Effect::Fail)));
}

#[tokio::test]
async fn nobody_there_is_refused_and_a_mute_port_is_silent() {
    let mute = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let target = target(&serde_json::json!({ "reflector": mute.local_addr().unwrap().to_string() }), 100, 1);
    let reading = Path::measure(&target, &env()).await.unwrap();
    assert_eq!(codes(&Limits::default(), &reading), [("path.silent".to_owned(), Effect::Fail)]);
    drop(mute);
    let reading = Path::measure(&target, &env()).await.unwrap();
    assert_eq!(codes(&Limits::default(), &reading), [("path.refused".to_owned(), Effect::Fail)]);
}

#[tokio::test]
async fn a_far_end_that_is_not_there_is_not_measured() {
    let mut env = env();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    env.far_ends = far_ends(&closed.to_string()).into();
    let cloud = target(&serde_json::json!({ "far_end": "cloud" }), 100, 1);
    assert_eq!(Path::measure(&cloud, &env).await.unwrap_err().cause, crate::model::Cause::FarEnd);
    let moon = target(&serde_json::json!({ "far_end": "moon" }), 100, 1);
    assert_eq!(Path::measure(&moon, &env).await.unwrap_err().cause, crate::model::Cause::FarEnd);
}

#[tokio::test]
async fn stopping_keeps_what_was_sent_as_no_answer() {
    let mute = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let target = target(&serde_json::json!({ "reflector": mute.local_addr().unwrap().to_string() }), 100, 60);
    let env = env();
    let cancel = env.cancel.clone();
    tokio::spawn(async move {
        // Small packets come first, and are waited for.
        tokio::time::sleep(Duration::from_millis(2500)).await;
        cancel.cancel();
    });
    let reading = Path::measure(&target, &env).await.unwrap();
    assert!(reading.flows[0].sent > 0 && reading.flows[0].sent < 6000);
    assert_eq!(codes(&Limits::default(), &reading), [("path.cut_short".to_owned(), Effect::Unknown)]);
}

#[tokio::test]
async fn handshakes_take_the_place_of_what_gets_nothing() {
    let mute = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut target =
        target(&serde_json::json!({ "reflector": mute.local_addr().unwrap().to_string() }), 100, 1);
    target.tcp_port = Some(listener.local_addr().unwrap().port());
    let reading = Path::measure(&target, &env()).await.unwrap();
    let [silent, tcp] = &reading.flows[..] else { panic!("{reading:?}") };
    assert_eq!((silent.method, silent.received), (Method::Stamp, 0));
    assert_eq!((tcp.method, tcp.sent, tcp.received), (Method::Tcp, 5, 5));
    let found = codes(&Limits::default(), &reading);
    assert_eq!(found[0], ("path.silent".to_owned(), Effect::Fail));
    assert_eq!(found[2], ("path.other_method".to_owned(), Effect::Warn));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_port_that_swallows_handshakes_is_blocked_and_not_cut_short() {
    // A listener whose queue is full leaves further SYNs unanswered, as a firewall does (listen(2)).
    let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    listener.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let wait = Duration::from_millis(300);
    let queue: Vec<_> = (0..4).map(|_| std::net::TcpStream::connect_timeout(&address, wait)).collect();
    assert!(queue.last().unwrap().is_err(), "the queue holds {}", queue.len());
    let target = target(&serde_json::json!({ "tcp": address.to_string() }), 100, 1);
    let reading = Path::measure(&target, &env()).await.unwrap();
    let flow = &reading.flows[0];
    assert!(flow.sent > 0 && flow.received == 0 && flow.planned == flow.sent, "{flow:?}");
    assert_eq!(codes(&Limits::default(), &reading), [("path.silent".to_owned(), Effect::Fail)]);
}
