//! Held sessions: gives back what arrives, slot by slot, and remembers how each ended here.
//!
//! They do not hang on a control connection: what is to be found out is what the network does to
//! connections that live long. They end when they are released, by their caps, or with the far end.

use std::net::{SocketAddr, UdpSocket};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::door::House;
use super::log::{Log, Notice};
use super::session::{Guest, Lease, Session};
use super::upload::first_bytes;
use crate::model::Failure;
use crate::net::failure::classify;
use crate::wire::control::hold::{self, Beat, HOLD_HEAD, HOLD_MAGIC, PUSHED, SLOTS, Slot};
use crate::wire::control::{Ended, Refusal, Ticket};

/// How long a session that a cap ended can still be asked about.
const LINGER: Duration = Duration::from_mins(1);

/// What was seen of the slots of one session.
#[derive(Debug, Default)]
pub(super) struct Held {
    lines: Mutex<[Option<Line>; SLOTS as usize]>,
    released: CancellationToken,
}

/// One slot.
#[derive(Debug, Clone, Copy)]
struct Line {
    from: SocketAddr,
    bytes: u64,
    last: Instant,
    ended: Option<(Ended, Instant)>,
}

impl Held {
    fn lines(&self) -> MutexGuard<'_, [Option<Line>; SLOTS as usize]> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many bytes came in a slot.
    fn came(&self, slot: u8, from: SocketAddr, bytes: usize) {
        let (mut lines, now) = (self.lines(), Instant::now());
        let Some(place) = lines.get_mut(usize::from(slot)) else { return };
        let line = place.get_or_insert(Line { from, bytes: 0, last: now, ended: None });
        (line.from, line.last) = (from, now);
        line.bytes = line.bytes.saturating_add(bytes as u64);
    }

    /// Takes a slot for a connection; false when it is taken.
    fn begin(&self, slot: u8, from: SocketAddr) -> bool {
        let mut lines = self.lines();
        let Some(place) = lines.get_mut(usize::from(slot)).filter(|place| place.is_none()) else {
            return false;
        };
        *place = Some(Line { from, bytes: 0, last: Instant::now(), ended: None });
        true
    }

    fn end(&self, slot: u8, how: Ended) {
        let mut lines = self.lines();
        if let Some(line) = lines.get_mut(usize::from(slot)).and_then(Option::as_mut) {
            line.ended.get_or_insert((how, Instant::now()));
        }
    }

    /// Where the last datagram of a slot came from.
    fn address(&self, slot: u8) -> Option<SocketAddr> {
        self.lines().get(usize::from(slot))?.map(|line| line.from)
    }

    /// Nobody will ask any more.
    pub(super) fn release(&self) {
        self.released.cancel();
    }

    /// All slots that anything came in.
    pub(super) fn seen(&self) -> Vec<Slot> {
        let ms = |since: Instant| u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let lines = self.lines();
        let taken = (0..SLOTS).zip(lines.iter()).filter_map(|(slot, line)| Some((slot, (*line)?)));
        let seen = taken.map(|(slot, line)| Slot {
            slot,
            from: line.from,
            bytes: line.bytes,
            quiet_ms: ms(line.last),
            ended: line.ended.map(|(how, _)| how),
            ended_ms: line.ended.map_or(0, |(_, since)| ms(since)),
        });
        seen.collect()
    }
}

/// Keeps a session until it is released, or well after its time, or until the far end stops: of one that
/// a cap has ended it can still be asked what was seen.
pub(super) async fn keep(lease: Lease, peer: SocketAddr, log: Log, stop: CancellationToken) {
    log.say(&Notice::Opened { what: "hold", peer });
    let forgotten = async {
        lease.session().over().await;
        tokio::time::sleep(LINGER).await;
    };
    tokio::select! {
        () = lease.session().held.released.cancelled() => {}
        () = forgotten => {}
        () = stop.cancelled() => {}
    }
    let bytes = lease.session().bytes();
    log.say(&Notice::Ended { what: "hold", peer, bytes, how: "released, or its time is over".into() });
}

/// Serves one connection that says it is held.
pub(super) async fn serve(mut stream: TcpStream, peer: SocketAddr, guest: Guest, house: &House) {
    let limit = house.registry.caps().guest_time;
    let head = match first_bytes::<HOLD_HEAD>(&mut stream, &HOLD_MAGIC, limit).await {
        Ok(head) => head,
        Err((why, said)) => return house.log.refused("hold", peer, why, said),
    };
    let found = hold::parse_head(&head).ok_or(Refusal::BadRequest);
    let found = found.and_then(|(ticket, slot)| Ok((house.registry.held(&ticket)?, slot)));
    let (session, slot) = match found {
        Ok((session, slot)) if session.held.begin(slot, peer) => (session, slot),
        Ok(_) => return house.log.refused("hold", peer, Refusal::BadRequest, "a slot that is taken"),
        Err(why) => return house.log.refused("hold", peer, why, ""),
    };
    drop(guest);
    let how = tokio::select! {
        how = session.over() => how,
        how = give_back(&mut stream, slot, peer, &session) => how,
    };
    session.held.end(slot, how);
    if matches!(how, Ended::Refused(_)) {
        session.end(how);
    }
}

/// Gives back what comes, until the connection ends or a cap is reached.
async fn give_back(stream: &mut TcpStream, slot: u8, peer: SocketAddr, session: &Session) -> Ended {
    let mut room = vec![0; 16 * 1024];
    let lost = |error: &std::io::Error| match classify(error) {
        Failure::Closed => Ended::DataClosed,
        _ => Ended::DataReset,
    };
    loop {
        let came = match stream.read(&mut room).await {
            Ok(0) => return Ended::DataClosed,
            Ok(came) => came,
            Err(error) => return lost(&error),
        };
        session.held.came(slot, peer, came);
        if let Err(why) = session.count(came as u64) {
            return Ended::Refused(why);
        }
        if let Err(error) = stream.write_all(room.get(..came).unwrap_or_default()).await {
            return lost(&error);
        }
    }
}

/// A datagram of a held flow came: noted, and true when it is to be given back. An address that has not
/// proved itself by TCP is not answered.
pub(super) fn beat(session: &Session, beat: &Beat, from: SocketAddr) -> bool {
    if session.peer != from.ip().to_canonical() {
        session.count_foreign();
        return false;
    }
    session.held.came(beat.slot, from, hold::BEAT);
    session.count(hold::BEAT as u64).is_ok()
}

/// Sends one datagram to where the last one of a slot came from; false when none came, or the system
/// would not.
pub(super) fn push(session: &Session, ticket: Ticket, slot: u8, socket: &UdpSocket) -> bool {
    let Some(to) = session.held.address(slot) else { return false };
    if session.count(0).is_err() {
        return false;
    }
    socket.send_to(&Beat { ticket, slot, number: PUSHED }.encode(), to).is_ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;
    use crate::farend::session::{Caps, Kind, Wanted};
    use crate::farend::{Config, FarEnd, Running};
    use crate::wire::control::Grant;

    async fn started() -> (Running, Lease, Ticket) {
        let running = FarEnd::start(Config { caps: Caps::default(), ..Config::loopback() }).await.unwrap();
        let asked = Grant { seconds: 60, bytes: 1000, packets: u64::MAX };
        let peer = running.addresses.control.ip();
        let lease = running.registry().open(Wanted::Hold, peer, asked).unwrap();
        let Kind::Hold(ticket) = lease.session().kind else { panic!() };
        (running, lease, ticket)
    }

    async fn connect(running: &Running, ticket: &Ticket, slot: u8) -> TcpStream {
        let mut stream = TcpStream::connect(running.addresses.control).await.unwrap();
        stream.write_all(&hold::head(ticket, slot)).await.unwrap();
        stream
    }

    #[tokio::test]
    async fn a_connection_gets_back_what_it_sent_and_its_end_is_noted() {
        let (running, lease, ticket) = started().await;
        let mut stream = connect(&running, &ticket, 1).await;
        stream.write_all(b"hello").await.unwrap();
        let mut back = [0; 5];
        stream.read_exact(&mut back).await.unwrap();
        assert_eq!(&back, b"hello");
        let seen = lease.session().held.seen();
        assert_eq!((seen.len(), seen[0].slot, seen[0].bytes, seen[0].ended), (1, 1, 5, None));
        // The slot is taken.
        assert_eq!(connect(&running, &ticket, 1).await.read(&mut back).await.unwrap_or(0), 0);
        drop(stream);
        let ended = async {
            while lease.session().held.seen()[0].ended.is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), ended).await.unwrap();
        assert_eq!(lease.session().held.seen()[0].ended, Some(Ended::DataClosed));
        running.stop().await;
    }

    #[tokio::test]
    async fn more_bytes_than_the_cap_end_it_and_it_can_still_be_asked() {
        let (running, lease, ticket) = started().await;
        let mut stream = connect(&running, &ticket, 0).await;
        stream.write_all(&[0; 1001]).await.unwrap();
        let mut back = Vec::new();
        let _ = stream.read_to_end(&mut back).await;
        assert!(running.registry().held(&ticket).is_err());
        let session = running.registry().held_or_over(&ticket).unwrap();
        assert_eq!(session.held.seen()[0].ended, Some(Ended::Refused(Refusal::Bytes)));
        drop(lease);
        assert!(running.registry().held_or_over(&ticket).is_err());
    }

    #[tokio::test]
    async fn datagrams_go_back_to_who_opened_the_session_and_pushes_where_the_last_came_from() {
        let (running, lease, ticket) = started().await;
        let far_end = running.addresses.control;
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let pushes = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(!push(lease.session(), ticket, 3, &pushes), "nobody has come in this slot");
        let beat = Beat { ticket, slot: 3, number: 7 }.encode();
        socket.send_to(&beat, far_end).await.unwrap();
        let mut room = [0; 100];
        let wait = Duration::from_secs(5);
        let (length, from) = tokio::time::timeout(wait, socket.recv_from(&mut room)).await.unwrap().unwrap();
        assert_eq!((&room[..length], from), (&beat[..], far_end));
        let stranger = tokio::net::UdpSocket::bind("127.0.0.2:0").await.unwrap();
        stranger.send_to(&beat, far_end).await.unwrap();
        let wait = Duration::from_millis(300);
        assert!(tokio::time::timeout(wait, stranger.recv_from(&mut room)).await.is_err());
        assert_eq!(lease.session().foreign(), 1);
        assert!(push(lease.session(), ticket, 3, &pushes));
        let length =
            tokio::time::timeout(Duration::from_secs(5), socket.recv(&mut room)).await.unwrap().unwrap();
        assert_eq!(Beat::parse(&room[..length]).unwrap().number, PUSHED);
        running.stop().await;
    }

    #[tokio::test]
    async fn a_stranger_gets_no_byte() {
        let (running, _lease, _) = started().await;
        for head in [hold::head(&Ticket([9; 16]), 0).to_vec(), b"heldwhat, and more than a head has".to_vec()]
        {
            let mut stream = TcpStream::connect(running.addresses.control).await.unwrap();
            stream.write_all(&head).await.unwrap();
            let mut back = Vec::new();
            let _ = stream.read_to_end(&mut back).await;
            assert!(back.is_empty());
        }
        running.stop().await;
    }
}
