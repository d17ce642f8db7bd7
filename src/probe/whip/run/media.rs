//! Carries a session's datagrams: connectivity checks, the DTLS handshake, media and reports.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;

use super::signal::Signal;
use super::{DTLS, ICE, LAST_REPORT, LOOKUP};
use crate::media::Realtime;
use crate::model::{Family, NotMeasured, SourceAddress, WireText};
use crate::net::turn::Relay;
use crate::net::unreached::{Refusals, Unreached};
use crate::net::{dial, icmp_error, resolve};
use crate::probe::whip::reading::{Call, CallEnd, Candidate, Cut, Flow, Media, Pair, Report};
use crate::wire::webrtc::{self, Broken, Happened, Local, MAX_DATAGRAM, Offered, Publisher, Sent, Step};

/// Addresses that stand for a family where the endpoint has none of it (RFC 5737, RFC 3849). Nothing is sent
/// there: they only tell by which of our own addresses this machine would send.
const ELSEWHERE: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))];

/// A socket of one address family.
struct Bound {
    socket: UdpSocket,
    local: SocketAddr,
    refusals: Refusals,
}

/// Our side: a socket for each address family that this machine has, or else a relay; and what the candidates
/// did.
pub(super) struct Sockets {
    bound: Vec<Bound>,
    relay: Option<Relay>,
    watched: Vec<Candidate>,
}

impl Sockets {
    pub(super) async fn open(signal: &Signal<'_>) -> Result<Self, NotMeasured> {
        let url = &signal.target.url;
        // A name without addresses is told by who asks for the page.
        let known = resolve::lookup(url.host(), url.port(), LOOKUP).await.unwrap_or_default();
        let source = &signal.env.source;
        let towards = |elsewhere: IpAddr| {
            let family = Family::of(elsewhere);
            let own = known.iter().find(|address| Family::of(address.ip()) == family).copied();
            own.unwrap_or(SocketAddr::new(elsewhere, url.port()))
        };
        let bound = ELSEWHERE.into_iter().filter_map(|elsewhere| bind(towards(elsewhere), source)).collect();
        Ok(Self { bound, relay: None, watched: Vec::new() })
    }

    /// Everything goes through a relay.
    pub(super) const fn relayed(relay: Relay) -> Self {
        Self { bound: Vec::new(), relay: Some(relay), watched: Vec::new() }
    }

    /// Our own addresses.
    pub(super) fn locals(&self) -> Vec<Local> {
        let relayed = self.relay.iter().map(|relay| Local::Relayed(relay.allocation().relayed));
        self.bound.iter().map(|bound| Local::Own(bound.local)).chain(relayed).collect()
    }

    /// Begins to count what the candidates do.
    pub(super) fn watch(&mut self, offered: &[Offered]) -> Vec<Candidate> {
        let fresh = |offered: &Offered| Candidate {
            address: offered.address,
            kind: offered.kind,
            sent: 0,
            received: 0,
            unreached: None,
        };
        self.watched = offered.iter().map(fresh).collect();
        self.watched.clone()
    }

    /// Lets the candidates send to the relay. What it refuses stays silent.
    async fn permit(&mut self) {
        let Some(relay) = &mut self.relay else { return };
        let peers: BTreeSet<IpAddr> = self.watched.iter().map(|candidate| candidate.address.ip()).collect();
        for peer in peers {
            let _ = relay.permit(peer).await;
        }
    }

    async fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        if let Some(relay) = &mut self.relay {
            let sent = relay.send(to, bytes).await.is_ok();
            if let Some(candidate) = self.watched.iter_mut().find(|candidate| candidate.address == to) {
                candidate.sent += u64::from(sent);
            }
            return;
        }
        let Some(bound) = self.bound.iter_mut().find(|bound| bound.local == from) else { return };
        let outcome = bound.socket.send_to(bytes, to).await;
        if let Some(candidate) = self.watched.iter_mut().find(|candidate| candidate.address == to) {
            candidate.sent += 1;
        }
        if let Err(error) = outcome {
            let said = bound.refusals.believe(&bound.socket, &error);
            self.barred(Some(to), said);
        }
    }

    /// The next datagram: from where, to which of our addresses, and what. What the network says instead is
    /// noted.
    async fn receive(&mut self, buffers: &mut [Vec<u8>; 2]) -> Option<(SocketAddr, SocketAddr, Vec<u8>)> {
        let (from, local, bytes) = match &mut self.relay {
            Some(relay) => through(relay).await,
            None => self.directly(buffers).await?,
        };
        if let Some(candidate) = self.watched.iter_mut().find(|candidate| candidate.address == from) {
            candidate.received += 1;
        }
        Some((from, local, bytes))
    }

    async fn directly(&mut self, buffers: &mut [Vec<u8>; 2]) -> Option<(SocketAddr, SocketAddr, Vec<u8>)> {
        let [first, second] = buffers;
        let (at, came) = match self.bound.as_slice() {
            [] => std::future::pending().await,
            [only] => (0, only.socket.recv_from(first).await),
            [one, other, ..] => tokio::select! {
                came = one.socket.recv_from(first) => (0, came),
                came = other.socket.recv_from(second) => (1, came),
            },
        };
        let bound = self.bound.get_mut(at)?;
        match came {
            Ok((length, from)) => {
                let bytes = buffers.get(at).and_then(|buffer| buffer.get(..length)).unwrap_or_default();
                Some((from, bound.local, bytes.to_vec()))
            }
            Err(error) => {
                let said = bound.refusals.believe(&bound.socket, &error);
                self.barred(None, said);
                None
            }
        }
    }

    /// Notes why a candidate is not reached. An ICMP error says who sent it and not what it is about: it counts
    /// for the candidate at that address, or else for all.
    fn barred(&mut self, to: Option<SocketAddr>, said: Option<Unreached>) {
        let Some(said) = said else { return };
        let own = |candidate: &Candidate| match (&said.icmp, to) {
            (Some(icmp), _) => candidate.address.ip() == icmp.from,
            (None, to) => Some(candidate.address) == to,
        };
        let by_address = self.watched.iter().any(own);
        let meant = |candidate: &Candidate| if by_address { own(candidate) } else { said.icmp.is_some() };
        for candidate in self.watched.iter_mut().filter(|candidate| meant(candidate)) {
            candidate.unreached.get_or_insert_with(|| said.clone().into());
        }
    }
}

/// The next datagram through a relay; never, once the way to it has ended: silence tells the rest.
async fn through(relay: &mut Relay) -> (SocketAddr, SocketAddr, Vec<u8>) {
    const LOOK: Duration = Duration::from_mins(1);
    let local = relay.allocation().relayed;
    loop {
        match relay.receive(tokio::time::Instant::now() + LOOK).await {
            Ok(Some((from, bytes))) => return (from, local, bytes),
            Ok(None) => {}
            Err(_) => std::future::pending::<()>().await,
        }
    }
}

/// A socket that could send to `remote`; none where this machine has no way there.
fn bind(remote: SocketAddr, source: &SourceAddress) -> Option<Bound> {
    let socket = dial::bound(remote, socket2::Type::DGRAM, source).ok()?;
    let local = dial::own_address(remote, &socket, source)?;
    let socket = UdpSocket::from_std(socket.into()).ok()?;
    icmp_error::keep(&socket, Family::of(remote.ip()), true);
    Some(Bound { socket, local, refusals: Refusals::default() })
}

/// A session that is under way.
pub(super) struct Sending<'a> {
    pub(super) publisher: &'a mut Publisher,
    pub(super) sockets: &'a mut Sockets,
    /// When the offer was sent.
    pub(super) began: Instant,
}

impl Sending<'_> {
    /// Connects, sends the test stream for so long, and says goodbye.
    pub(super) async fn run(mut self, seconds: Duration, call: &mut Call) {
        self.sockets.permit().await;
        call.end = self.stages(seconds, call).await;
        call.pair = self.publisher.pair.map(pair);
        self.publisher.close();
        while let Ok(Step::Send { from, to, bytes }) = self.publisher.poll() {
            self.sockets.send(from, to, &bytes).await;
        }
        call.candidates = std::mem::take(&mut self.sockets.watched);
    }

    async fn stages(&mut self, seconds: Duration, call: &mut Call) -> CallEnd {
        match self.until(ICE, Happened::Connected).await {
            Ok(true) => call.ice_ms = Some(ms(self.began.elapsed())),
            Ok(false) => return CallEnd::NotConnected,
            Err(detail) => return CallEnd::NotSecured { detail },
        }
        match self.until(DTLS, Happened::Secured).await {
            Ok(true) => call.connected_ms = Some(ms(self.began.elapsed())),
            Ok(false) => return CallEnd::NotSecured { detail: WireText::default() },
            Err(detail) => return CallEnd::NotSecured { detail },
        }
        let mut tally = Tally::start();
        let cut = self.media(seconds, &mut tally).await.err();
        call.media = Some(tally.media(self.publisher));
        cut.map_or(CallEnd::Sent, |(how, detail)| CallEnd::Cut { how, detail })
    }

    /// Waits for something, at most so long. `Err` when the session broke or the server ended it.
    async fn until(&mut self, limit: Duration, wanted: Happened) -> Result<bool, WireText> {
        let deadline = Instant::now() + limit;
        loop {
            match self.carry(deadline).await {
                Ok(Some(happened)) if happened == wanted => return Ok(true),
                Ok(Some(Happened::Closed)) => return Err(WireText::from("ended by the server")),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(false),
                Err(broken) => return Err(WireText::from(broken.to_string())),
            }
        }
    }

    /// Sends each moment of the test stream when it is due, then waits for a last report.
    async fn media(&mut self, seconds: Duration, tally: &mut Tally) -> Result<(), (Cut, WireText)> {
        let broke = |why: Broken| (Cut::Broken, WireText::from(why.to_string()));
        let card = Realtime::test_card().map_err(|why| (Cut::Broken, WireText::from(why.to_string())))?;
        for moment in card {
            let due = Duration::from_millis(moment.due_ms);
            if due >= seconds {
                break;
            }
            self.carry_on(tally.began + due, tally).await?;
            self.publisher
                .write(Instant::now(), moment.due_ms, moment.picture, moment.data)
                .map_err(broke)?;
        }
        self.carry_on(tally.began + seconds, tally).await?;
        tally.ended = Some(Instant::now());
        let enough = Instant::now() + LAST_REPORT;
        while Instant::now() < enough && !tally.is_reported() {
            self.carry_on(Instant::now() + Duration::from_millis(50), tally).await?;
        }
        Ok(())
    }

    /// Carries until then, unless the session breaks off.
    async fn carry_on(&mut self, until: Instant, tally: &mut Tally) -> Result<(), (Cut, WireText)> {
        loop {
            let happened = self.carry(until).await;
            tally.look(self.publisher);
            match happened {
                Ok(None) => return Ok(()),
                Ok(Some(Happened::Closed)) => return Err((Cut::Closed, WireText::default())),
                Ok(Some(Happened::Lost)) => return Err((Cut::Silent, WireText::default())),
                Ok(Some(Happened::Connected | Happened::Secured)) => {}
                Err(why) => return Err((Cut::Broken, WireText::from(why.to_string()))),
            }
        }
    }

    /// Carries datagrams until then, or until something happens.
    async fn carry(&mut self, until: Instant) -> Result<Option<Happened>, Broken> {
        let mut buffers = [vec![0; MAX_DATAGRAM], vec![0; MAX_DATAGRAM]];
        loop {
            let next = loop {
                match self.publisher.poll()? {
                    Step::Send { from, to, bytes } => self.sockets.send(from, to, &bytes).await,
                    Step::Happened(happened) => return Ok(Some(happened)),
                    Step::Wait(next) => break next,
                }
            };
            if Instant::now() >= until {
                return Ok(None);
            }
            tokio::select! {
                came = self.sockets.receive(&mut buffers) => {
                    let Some((from, to, bytes)) = came else { continue };
                    self.publisher.receive(Instant::now(), from, to, &bytes)?;
                }
                () = tokio::time::sleep_until(next.min(until).into()) => self.publisher.tick(Instant::now())?,
            }
        }
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn pair(pair: webrtc::Pair) -> Pair {
    Pair { local: pair.local, remote: pair.remote, round_trip_ms: pair.round_trip.map(ms) }
}

/// What the receiver said while media was sent.
struct Tally {
    began: Instant,
    ended: Option<Instant>,
    /// Of pictures and of sound: the highest packet that it reported, and when that last rose.
    moved: [(u64, Instant); 2],
}

impl Tally {
    fn start() -> Self {
        let now = Instant::now();
        Self { began: now, ended: None, moved: [(0, now); 2] }
    }

    fn look(&mut self, publisher: &Publisher) {
        let streams = [publisher.picture_stream, publisher.sound_stream];
        for (moved, stream) in self.moved.iter_mut().zip(streams) {
            if let Some(report) = stream.report.filter(|report| report.highest > moved.0) {
                *moved = (report.highest, Instant::now());
            }
        }
    }

    /// Whether both streams were reported on since the media's end.
    fn is_reported(&self) -> bool {
        self.ended.is_some_and(|ended| self.moved.iter().all(|(_, at)| *at > ended))
    }

    fn media(&self, publisher: &Publisher) -> Media {
        let [pictures, sound] = self.moved;
        let flow = |stream: Sent, moved: Instant| Flow {
            packets: stream.packets,
            sent_bytes: stream.bytes,
            report: stream.report.map(|report| Report {
                lost_packets: report.lost,
                round_trip_ms: report.round_trip.map(ms),
                moved_ms: ms(moved.saturating_duration_since(self.began)),
            }),
        };
        let ended = self.ended.unwrap_or_else(Instant::now);
        Media {
            took_ms: ms(ended.saturating_duration_since(self.began)),
            pictures: flow(publisher.picture_stream, pictures.1),
            sound: flow(publisher.sound_stream, sound.1),
        }
    }
}
