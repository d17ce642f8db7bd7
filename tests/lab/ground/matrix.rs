//! Three hundred ports behind a firewall: a third open, a third closed, a third dropped, half TCP and
//! half UDP. And what nmap finds there.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use golive::model::Transport;
use golive::probe::port::State;

use super::namespace::Namespace;
use super::peer::need;

/// The host.
pub const HOST: &str = "198.51.100.2";
/// The first port; each third of each transport has [`EACH`].
const FIRST: u16 = 20_000;
const EACH: u16 = 50;

/// What a port is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    Open,
    Closed,
    Dropped,
}

/// A port of one transport.
pub type Place = (Transport, u16);

/// Venue — firewall — host, until dropped.
pub struct Matrix {
    pub venue: Namespace,
    _gate: Namespace,
    _host: Namespace,
    over: Arc<AtomicBool>,
    serving: Option<JoinHandle<()>>,
}

impl Matrix {
    pub fn new() -> Self {
        let (venue, gate, host) = (Namespace::new(), Namespace::new(), Namespace::new());
        Namespace::join((&venue, "up0", &["192.0.2.2/24"]), (&gate, "in0", &["192.0.2.1/24"]));
        Namespace::join((&gate, "out0", &["198.51.100.1/24"]), (&host, "eth0", &["198.51.100.2/24"]));
        venue.route("default", "192.0.2.1");
        host.route("default", "198.51.100.1");
        gate.forward();
        let dropped = format!("{}-{}", FIRST + 2 * EACH, FIRST + 3 * EACH - 1);
        gate.rules(&format!(
            "table inet lab {{\n chain lab {{\n type filter hook forward priority 0;\n \
             meta l4proto {{ tcp, udp }} th dport {dropped} drop\n }}\n}}\n"
        ));
        // Linux refuses one datagram a second and address; both scanners would wait for that.
        let unlimited = ["-qw", "net.ipv4.icmp_ratelimit=0", "net.ipv4.icmp_msgs_per_sec=100000"];
        host.exec(need("sysctl", "procps").to_str().unwrap(), &unlimited);
        let over = Arc::new(AtomicBool::new(false));
        let (tcp, udp) = host.run(|| {
            let open = FIRST..FIRST + EACH;
            let tcp = open.clone().map(|port| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap());
            let udp = open.map(|port| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap());
            (tcp.collect::<Vec<_>>(), udp.collect::<Vec<_>>())
        });
        let stop = Arc::clone(&over);
        let serving = Some(std::thread::spawn(move || serve(&tcp, &udp, &stop)));
        Self { venue, _gate: gate, _host: host, over, serving }
    }

    /// What nmap says of every port with these arguments more, and how long it took.
    pub fn nmap(&self, more: &[&str]) -> (BTreeMap<Place, String>, Duration) {
        let nmap = need("nmap", "nmap");
        let last = FIRST + 3 * EACH - 1;
        let ports = format!("T:{FIRST}-{last},U:{FIRST}-{last}");
        let began = Instant::now();
        let arguments = ["-n", "-Pn", "-sT", "-sU", "-p", &ports, "-oX", "-", HOST];
        let said = self.venue.exec(nmap.to_str().unwrap(), &[more, &arguments].concat());
        let took = began.elapsed();
        (found(&said), took)
    }
}

/// Every port of nmap's XML: some by themselves, and those of a state that has many as ranges.
fn found(xml: &str) -> BTreeMap<Place, String> {
    let value = |tag: &str, key: &str| {
        let (_, rest) = tag.split_once(&format!(" {key}=\""))?;
        rest.split('"').next().map(str::to_owned)
    };
    let transport = |word: &str| if word == "udp" { Transport::Udp } else { Transport::Tcp };
    let (mut found, mut port, mut state) = (BTreeMap::new(), None, String::new());
    for tag in xml.split('<') {
        match tag.split(' ').next() {
            Some("port") => {
                let number = value(tag, "portid").and_then(|number| number.parse::<u16>().ok());
                port = value(tag, "protocol").map(|word| transport(&word)).zip(number);
            }
            Some("state") => found.extend(port.take().zip(value(tag, "state"))),
            Some("extraports") => state = value(tag, "state").unwrap_or_default(),
            Some("extrareasons") => {
                let over = transport(&value(tag, "proto").unwrap_or_default());
                for range in value(tag, "ports").unwrap_or_default().split(',') {
                    let (low, high) = range.split_once('-').unwrap_or((range, range));
                    let (low, high): (u16, u16) = (low.parse().unwrap(), high.parse().unwrap());
                    found.extend((low..=high).map(|port| ((over, port), state.clone())));
                }
            }
            _ => {}
        }
    }
    found
}

impl Drop for Matrix {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        drop(self.serving.take().map(JoinHandle::join));
    }
}

/// Every port, and what it is.
pub fn places() -> BTreeMap<Place, Truth> {
    let truths = [Truth::Open, Truth::Closed, Truth::Dropped];
    let ports = truths.iter().enumerate().flat_map(|(third, truth)| {
        let first = FIRST + u16::try_from(third).unwrap() * EACH;
        (first..first + EACH).map(|port| (port, *truth))
    });
    ports
        .flat_map(|(port, truth)| [Transport::Tcp, Transport::Udp].map(|over| ((over, port), truth)))
        .collect()
}

/// A target of a `port` check, as a policy's TOML.
pub fn target((transport, port): Place) -> String {
    let more = if transport == Transport::Udp { "transport = \"udp\"\nask = \"stun\"" } else { "" };
    format!("host = \"{HOST}\"\nport = {port}\n{more}")
}

/// nmap's word for what golive found.
pub const fn in_nmaps_words(state: State) -> &'static str {
    match state {
        State::Answered => "open",
        State::Refused => "closed",
        State::Filtered => "filtered",
        State::Silent => "open|filtered",
        _ => "something else",
    }
}

/// A word to whoever connects; to a STUN request its success (RFC 8489), to anything else a byte.
fn serve(tcp: &[TcpListener], udp: &[UdpSocket], over: &AtomicBool) {
    for listener in tcp {
        listener.set_nonblocking(true).unwrap();
    }
    for socket in udp {
        socket.set_nonblocking(true).unwrap();
    }
    let mut datagram = [0; 1500];
    while !over.load(Ordering::Relaxed) {
        let mut idle = true;
        for listener in tcp {
            while let Ok((mut stream, _)) = listener.accept() {
                idle = false;
                let _ = stream.write_all(b"220 lab\r\n");
            }
        }
        for socket in udp {
            while let Ok((length, from)) = socket.recv_from(&mut datagram) {
                idle = false;
                let is_stun = length >= 20 && datagram[..2] == [0, 1];
                datagram[0] = u8::from(is_stun);
                let _ = socket.send_to(&datagram[..if is_stun { length } else { 1 }], from);
            }
        }
        if idle {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
