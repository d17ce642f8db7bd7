use super::*;

fn plan(packets: u32) -> Plan {
    Plan {
        packets,
        every: Duration::from_millis(2),
        size: 100,
        ssid: 7,
        dscp: None,
        patience: Duration::from_millis(300),
    }
}

fn connected(to: &UdpSocket) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(to.local_addr().unwrap()).unwrap();
    socket
}

/// Reflects what `keep` lets through, until nothing comes for half a second.
fn reflector(socket: UdpSocket, keep: impl Fn(u32) -> bool + Send + 'static) -> thread::JoinHandle<u32> {
    thread::spawn(move || {
        socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let (mut datagram, mut count) = ([0; 2000], 0);
        while let Ok((length, from)) = socket.recv_from(&mut datagram) {
            let packet = SenderPacket::parse(&datagram[..length]).unwrap();
            if keep(packet.sequence) {
                let now = Ntp::from_unix_ns(1);
                let answer = ReflectorPacket::answer(&datagram[..length], count, now, now).unwrap();
                count += 1;
                socket.send_to(&answer, from).unwrap();
            }
        }
        count
    })
}

#[test]
fn what_comes_back_is_counted() {
    let far = UdpSocket::bind("127.0.0.1:0").unwrap();
    let near = connected(&far);
    let reflector = reflector(far, |n| !(20..25).contains(&n));
    let samples = Mutex::new(Vec::new());
    let sample = |at, trip| samples.lock().unwrap().push((at, trip));
    let outcome = run(&near, &plan(100), &CancellationToken::new(), &sample).unwrap();
    let statistics = outcome.session.statistics();
    assert_eq!((statistics.sent, statistics.lost, statistics.longest_burst), (100, 5, 5));
    assert_eq!((statistics.reflector_count, outcome.not_sent, &outcome.error), (Some(95), 0, &None));
    assert_eq!(outcome.lateness.len(), 100);
    assert!(statistics.round_trip.unwrap().p50_ms > 0.0);
    assert!(!samples.lock().unwrap().is_empty());
    assert_eq!(reflector.join().unwrap(), 95);
}

#[test]
fn a_closed_port_ends_it_soon() {
    let near = connected(&UdpSocket::bind("127.0.0.1:0").unwrap());
    let outcome = run(&near, &plan(5000), &CancellationToken::new(), &|_, _| {}).unwrap();
    assert_eq!(outcome.error.unwrap().failure, Failure::Refused);
    let statistics = outcome.session.statistics();
    assert!(statistics.sent < 1000 && statistics.received == 0, "{statistics:?}");
}

#[test]
fn a_stranger_with_another_session_id_is_not_heard() {
    let far = UdpSocket::bind("127.0.0.1:0").unwrap();
    let near = connected(&far);
    let stranger =
        SenderPacket { sequence: 0, sent: Ntp::from_bits(0), error: ErrorEstimate::UNSYNCHRONISED, ssid: 8 };
    let lie = ReflectorPacket::answer(&stranger.encode(44), 0, Ntp::from_bits(0), Ntp::from_bits(0));
    far.send_to(&lie.unwrap(), near.local_addr().unwrap()).unwrap();
    let outcome = run(&near, &plan(3), &CancellationToken::new(), &|_, _| {}).unwrap();
    assert_eq!(outcome.session.statistics().received, 0);
}

#[test]
fn cancelling_keeps_what_was_sent() {
    let far = UdpSocket::bind("127.0.0.1:0").unwrap();
    let near = connected(&far);
    let cancel = CancellationToken::new();
    cancel.cancel();
    let outcome = run(&near, &plan(5000), &cancel, &|_, _| {}).unwrap();
    assert_eq!(outcome.session.statistics().sent, 0);
}
