//! The far end's side of a control connection: the token first, then one session at a time.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Interval, MissedTickBehavior, timeout};
use tokio_rustls::server::TlsStream;

use super::door::House;
use super::hold;
use super::listen;
use super::log::Notice;
use super::meter::Told;
use super::session::{Guest, Kind, Lease, Session, Wanted};
use crate::model::WireText;
use crate::net::tls::Tap;
use crate::wire::control::frame::{MAX_BODY, MAX_UNPROVED};
use crate::wire::control::proof::{EXPORTED, EXPORTER};
use crate::wire::control::{
    Ended, Frames, Grant, Ledger, Proof, Refusal, Reply, Request, SLOT_MS, VERSION, encode,
};

/// How long a caller with the token may have no session open.
const IDLE: Duration = Duration::from_mins(1);
/// How long a reply may wait for the caller to take it: longer than an outage that TCP survives.
const STUCK: Duration = Duration::from_mins(1);

/// Serves one connection that speaks TLS.
pub(super) async fn serve(stream: TcpStream, peer: SocketAddr, guest: Guest, house: &House) {
    let (what, limit) = ("control", house.registry.caps().guest_time);
    let tls = match timeout(limit, house.tls.accept(Tap::new(stream))).await {
        Ok(Ok(tls)) => tls,
        Ok(Err(error)) => {
            let detail = WireText::from(error.to_string());
            return house.log.refused(what, peer, Refusal::BadRequest, detail);
        }
        Err(_) => return house.log.refused(what, peer, Refusal::Time, "TLS handshake"),
    };
    let mut caller = Caller {
        tls,
        frames: Frames::up_to(MAX_UNPROVED),
        buffer: vec![0; 4096],
        ledger: Ledger::default(),
        peer,
        house,
    };
    let proved = match timeout(limit, caller.prove()).await {
        Ok(proved) => proved,
        Err(_) => Err(Leave::Refused(Refusal::Time)),
    };
    let left = match proved {
        Ok(()) => caller.talk(guest).await,
        Err(left) => left,
    };
    if let Leave::Refused(why) = left {
        house.log.refused(what, peer, why, "");
        let _ = caller.say(&Reply::Refuse { why, detail: WireText::default() }).await;
    }
    let _ = timeout(limit, caller.tls.shutdown()).await;
}

/// Why a connection is over.
enum Leave {
    /// The caller went, or the line did.
    Gone,
    /// It must go.
    Refused(Refusal),
}

impl From<io::Error> for Leave {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

struct Caller<'a> {
    tls: TlsStream<Tap<TcpStream>>,
    frames: Frames,
    buffer: Vec<u8>,
    ledger: Ledger,
    peer: SocketAddr,
    house: &'a House,
}

impl Caller<'_> {
    /// The next request. May be dropped at any point without losing bytes.
    async fn hear(&mut self) -> Result<Request, Leave> {
        loop {
            match self.frames.take() {
                Ok(Some(request)) => return Ok(request),
                Ok(None) => {}
                Err(_) => return Err(Leave::Refused(Refusal::BadRequest)),
            }
            let count = self.tls.read(&mut self.buffer).await?;
            if count == 0 {
                return Err(Leave::Gone);
            }
            self.ledger.received(count);
            self.frames.feed(self.buffer.get(..count).unwrap_or_default());
        }
    }

    /// Sends a reply, unless the amplification rule forbids it.
    async fn say(&mut self, reply: &Reply) -> Result<(), Leave> {
        let bytes = encode(reply).map_err(|_| Leave::Gone)?;
        if !self.ledger.spend(bytes.len()) {
            return Err(Leave::Gone);
        }
        let sent = async {
            self.tls.write_all(&bytes).await?;
            self.tls.flush().await
        };
        timeout(STUCK, sent).await.map_err(|_| Leave::Gone)??;
        Ok(())
    }

    async fn prove(&mut self) -> Result<(), Leave> {
        let (version, proof) = match self.hear().await? {
            Request::Hello { version, proof, .. } => (version, proof),
            Request::Echo { .. } => {
                let hello = self.tls.get_ref().0.hello_heard();
                self.say(&Reply::Echo { hello }).await?;
                return Err(Leave::Gone);
            }
            _ => return Err(Leave::Refused(Refusal::BadRequest)),
        };
        if version != VERSION {
            return Err(Leave::Refused(Refusal::Version));
        }
        if !self.holds(&proof) {
            return Err(Leave::Refused(Refusal::WrongToken));
        }
        self.ledger.prove();
        self.frames.allow(MAX_BODY);
        let each = self.house.registry.caps().each;
        let (rtmp, srt) = (self.house.rtmp, self.house.srt);
        self.say(&Reply::Welcome { seen: self.peer, cap: each, rtmp, srt }).await
    }

    fn holds(&self, proof: &Proof) -> bool {
        let exported = self.tls.get_ref().1.export_keying_material([0_u8; EXPORTED], EXPORTER, None);
        exported.is_ok_and(|binding| proof.holds(&self.house.token, &binding))
    }

    /// Sessions, one after the other, until the caller goes. It keeps its guest's place all
    /// the while, so that holders of the token cannot pile up connections either.
    async fn talk(&mut self, _guest: Guest) -> Leave {
        loop {
            let stop = self.house.stop.clone();
            let heard = tokio::select! {
                () = stop.cancelled() => return Leave::Refused(Refusal::Stopping),
                heard = timeout(IDLE, self.hear()) => heard,
            };
            let done = match heard {
                Err(_) => Err(Leave::Refused(Refusal::Time)),
                Ok(Err(left)) => Err(left),
                Ok(Ok(request)) => self.answer(request).await,
            };
            if let Err(left) = done {
                return left;
            }
        }
    }

    async fn answer(&mut self, request: Request) -> Result<(), Leave> {
        let (wanted, asked) = match request {
            Request::Ping { n } => return self.say(&Reply::Pong { n }).await,
            Request::Notary { host, port, server_name } => {
                return self.look(&host, port, &server_name).await;
            }
            Request::OpenUpload { seconds, bytes, streams } => {
                (Wanted::Upload { streams }, Grant { seconds, bytes, packets: u64::MAX })
            }
            Request::OpenDatagrams { seconds, bytes, packets } => {
                (Wanted::Datagrams, Grant { seconds, bytes, packets })
            }
            Request::OpenStamp { seconds, packets } => {
                (Wanted::Stamp, Grant { seconds, bytes: u64::MAX, packets })
            }
            Request::OpenHold { seconds, bytes } => return self.open_hold(seconds, bytes).await,
            Request::Push { ticket, slot } => {
                let pushed = self.house.registry.held(&ticket);
                let pushed = pushed.map(|session| hold::push(&session, ticket, slot, &self.house.pushes));
                return self.say_or_refuse(pushed.map(|sent| Reply::Pushed { sent })).await;
            }
            Request::Release { ticket } => {
                let released = self.house.registry.held_or_over(&ticket).map(|session| {
                    let slots = session.held.seen();
                    session.end(Ended::Closed);
                    session.held.release();
                    Reply::Released { slots, foreign: session.foreign() }
                });
                return self.say_or_refuse(released).await;
            }
            Request::OpenListen { port, seconds, packets } => {
                (Wanted::Listen { port }, listen::within(seconds, packets))
            }
            Request::Close {} => return Ok(()), // The session ended by itself a moment ago.
            Request::Hello { .. } | Request::Echo { .. } => {
                return Err(Leave::Refused(Refusal::BadRequest));
            }
        };
        match self.house.registry.open(wanted, self.peer.ip(), asked) {
            Ok(lease) => self.hold(lease).await,
            Err(why) => {
                self.house.log.refused(word(wanted), self.peer, why, "");
                self.say(&Reply::Refuse { why, detail: WireText::default() }).await
            }
        }
    }

    async fn say_or_refuse(&mut self, reply: Result<Reply, Refusal>) -> Result<(), Leave> {
        let refuse = |why| Reply::Refuse { why, detail: WireText::default() };
        self.say(&reply.unwrap_or_else(refuse)).await
    }

    /// A held session lives on without this connection.
    async fn open_hold(&mut self, seconds: u32, bytes: u64) -> Result<(), Leave> {
        let asked = Grant { seconds, bytes, packets: u64::MAX };
        let opened = self.house.registry.open(Wanted::Hold, self.peer.ip(), asked);
        let reply = opened.and_then(|lease| {
            let grant = lease.session().grant;
            let Kind::Hold(ticket) = lease.session().kind else { return Err(Refusal::NotOffered) };
            let kept = hold::keep(lease, self.peer, self.house.log.clone(), self.house.stop.clone());
            self.house.tasks.spawn(kept);
            Ok(Reply::Hold { ticket, grant })
        });
        self.say_or_refuse(reply).await
    }

    /// Looks at a host for the caller.
    async fn look(&mut self, host: &str, port: u16, server_name: &str) -> Result<(), Leave> {
        let looked = tokio::select! {
            () = self.house.stop.cancelled() => Err(Refusal::Stopping),
            looked = self.house.notary.look(host, port, server_name) => looked,
        };
        match looked {
            Ok(sights) => self.say(&Reply::Seen { sights }).await,
            Err(why) => {
                self.house.log.refused("notary", self.peer, why, format!("{host}:{port}"));
                self.say(&Reply::Refuse { why, detail: WireText::default() }).await
            }
        }
    }

    /// A session from its opening to its end.
    async fn hold(&mut self, lease: Lease) -> Result<(), Leave> {
        let session = lease.session();
        let (what, opened) = match session.kind {
            Kind::Upload(ticket) | Kind::Datagrams(ticket) => {
                ("upload", Reply::Upload { ticket, grant: session.grant })
            }
            Kind::Stamp(ssid) => ("stamp", Reply::Stamp { ssid, grant: session.grant }),
            Kind::Listen(port) => {
                if let Err(error) = self.listen(session, port).await {
                    let (why, detail) = (Refusal::NotOffered, WireText::from(error.to_string()));
                    self.house.log.refused("listen", self.peer, why, detail.clone());
                    return self.say(&Reply::Refuse { why, detail }).await;
                }
                ("listen", Reply::Listening { grant: session.grant })
            }
            Kind::Media(_) | Kind::Hold(_) => return Err(Leave::Refused(Refusal::NotOffered)),
        };
        self.house.log.say(&Notice::Opened { what, peer: self.peer });
        self.say(&opened).await?;
        let (how, late) = self.follow(session).await;
        session.end(how.unwrap_or(Ended::Closed));
        let (bytes, words) =
            (session.bytes(), how.map_or_else(|()| "the caller is gone".to_owned(), describe));
        self.house.log.say(&Notice::Ended { what, peer: self.peer, bytes, how: words.into() });
        let how = how.map_err(|()| Leave::Gone)?;
        self.settle(session, how, late).await
    }

    /// Opens the port at the address that this connection came to.
    async fn listen(&self, session: &Arc<Session>, port: u16) -> io::Result<()> {
        let own = self.tls.get_ref().0.get_ref().local_addr()?;
        let socket = UdpSocket::bind(SocketAddr::new(own.ip(), port)).await?;
        self.house.tasks.spawn(listen::serve(socket, Arc::clone(session)));
        Ok(())
    }

    /// Reports arrivals until the session ends or (`Err`) the caller is gone. Also says how
    /// late its own timer was at worst.
    async fn follow(&mut self, session: &Session) -> (Result<Ended, ()>, Duration) {
        let mut tick = every_slot();
        let (mut late, mut told) = (Duration::ZERO, Told::default());
        loop {
            let request = tokio::select! {
                how = session.over() => return (Ok(how), late),
                due = tick.tick() => {
                    late = late.max(due.elapsed());
                    if self.tell(session, &mut told).await.is_err() {
                        return (Err(()), late);
                    }
                    continue;
                }
                request = self.hear() => request,
            };
            match request {
                Ok(Request::Close {}) => return (Ok(Ended::Closed), late),
                Ok(Request::Ping { n }) if self.say(&Reply::Pong { n }).await.is_ok() => {}
                Ok(Request::Ping { .. }) | Err(Leave::Gone) => return (Err(()), late),
                Ok(_) => return (Ok(Ended::Refused(Refusal::BadRequest)), late),
                Err(Leave::Refused(why)) => return (Ok(Ended::Refused(why)), late),
            }
        }
    }

    /// What is new, when it is time to say it.
    async fn tell(&mut self, session: &Session, told: &mut Told) -> Result<(), Leave> {
        if let Some(from) = session.attached().filter(|_| !told.attached) {
            told.attached = true;
            self.say(&Reply::Attached { from }).await?;
        }
        if !told.is_due(Instant::now(), session.bytes()) {
            return Ok(());
        }
        self.report(session).await
    }

    async fn report(&mut self, session: &Session) -> Result<(), Leave> {
        if !matches!(session.kind, Kind::Upload(_) | Kind::Datagrams(_)) {
            return Ok(());
        }
        loop {
            let arrived = session.meter().take(Instant::now());
            if arrived.bytes.is_empty() && arrived.gaps.is_empty() {
                return Ok(());
            }
            let (first, bytes, gaps) = (arrived.first, arrived.bytes, arrived.gaps);
            self.say(&Reply::Arrivals { first, bytes, gaps }).await?;
        }
    }

    /// The last word on a session.
    async fn settle(&mut self, session: &Session, how: Ended, late: Duration) -> Result<(), Leave> {
        session.meter().finish(Instant::now());
        self.report(session).await?;
        let ended = Reply::Ended {
            how,
            bytes: session.bytes(),
            packets: session.packets(),
            foreign: session.foreign(),
            took_ms: ms(session.age()),
            late_ms: ms(late),
        };
        self.say(&ended).await
    }
}

fn every_slot() -> Interval {
    let mut tick = tokio::time::interval(Duration::from_millis(SLOT_MS.into()));
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    tick
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

const fn word(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Upload { .. } | Wanted::Datagrams => "upload",
        Wanted::Stamp => "stamp",
        Wanted::Hold => "hold",
        Wanted::Listen { .. } => "listen",
    }
}

fn describe(how: Ended) -> String {
    match how {
        Ended::Closed => "closed by the caller".to_owned(),
        Ended::DataClosed => "its data connection was closed".to_owned(),
        Ended::DataReset => "its data connection was reset".to_owned(),
        Ended::Refused(why) => why.to_string(),
    }
}
