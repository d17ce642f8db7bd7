//! The RTMP receiver: a server on `rml_rtmp`, which shares no line with golive, that notes when each
//! message arrived.

use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Write};
use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rml_rtmp::handshake::{Handshake, HandshakeProcessResult, PeerType};
use rml_rtmp::sessions::{ServerSession, ServerSessionConfig, ServerSessionEvent, ServerSessionResult};

use crate::ground::namespace::Namespace;
use crate::truth::arrival::{Gap, Kind, Message};

/// A silence worth noting.
const SILENCE: Duration = Duration::from_millis(200);

/// What came of one stream.
#[derive(Debug, Clone)]
pub struct Publication {
    pub messages: Vec<Message>,
    pub gaps: Vec<Gap>,
    /// When bytes last arrived.
    pub last: Duration,
    /// Why the connection ended, when it did.
    pub ended: Option<String>,
}

type Book = Arc<Mutex<BTreeMap<String, Publication>>>;

/// The server.
pub struct RtmpReceiver {
    started: Instant,
    book: Book,
    closing: Arc<AtomicBool>,
}

impl RtmpReceiver {
    /// Listens in `platform` on `port`, on both families.
    pub fn start(platform: &Namespace, port: u16) -> Self {
        // The socket stays in the namespace that it was made in, whichever thread uses it.
        let listener = platform
            .run(|| TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)))
            .unwrap_or_else(|error| panic!("the stream's receiver cannot listen on port {port}: {error}"));
        listener.set_nonblocking(true).unwrap();
        let (started, book) = (Instant::now(), Book::default());
        let closing = Arc::<AtomicBool>::default();
        let (book_of_all, closing_of_all) = (Arc::clone(&book), Arc::clone(&closing));
        std::thread::spawn(move || accept(&listener, started, &book_of_all, &closing_of_all));
        Self { started, book, closing }
    }

    /// The time on the receiver's clock.
    pub fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// What has come of the stream with this key so far.
    pub fn publication(&self, key: &str) -> Option<Publication> {
        lock(&self.book).get(key).cloned()
    }

    /// Whether a picture or a sound of it has come, and whether it has ended.
    pub fn state(&self, key: &str) -> (bool, Option<String>) {
        let book = lock(&self.book);
        let publication = book.get(key);
        let media = |message: &Message| message.kind != Kind::Header;
        let begun = publication.is_some_and(|publication| publication.messages.iter().any(media));
        (begun, publication.and_then(|publication| publication.ended.clone()))
    }
}

impl Drop for RtmpReceiver {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, started: Instant, book: &Book, closing: &Arc<AtomicBool>) {
    while !closing.load(Ordering::Relaxed) {
        let Ok((socket, _)) = listener.accept() else {
            std::thread::sleep(Duration::from_millis(5));
            continue;
        };
        let (book, closing) = (Arc::clone(book), Arc::clone(closing));
        std::thread::spawn(move || {
            let mut caller = Caller { started, book, key: None, silent_since: started.elapsed() };
            let reason = caller.serve(socket, &closing).err().unwrap_or_else(|| "closed".to_owned());
            caller.note(|publication| publication.ended = Some(reason));
        });
    }
}

/// One connection.
struct Caller {
    started: Instant,
    book: Book,
    key: Option<String>,
    silent_since: Duration,
}

impl Caller {
    fn serve(&mut self, mut socket: TcpStream, closing: &AtomicBool) -> Result<(), String> {
        let lost = |error: std::io::Error| format!("connection lost: {error}");
        socket.set_nonblocking(false).map_err(lost)?;
        socket.set_nodelay(true).map_err(lost)?;
        socket.set_read_timeout(Some(SILENCE)).map_err(lost)?;
        let mut greeting = Some(Handshake::new(PeerType::Server));
        let mut session = None;
        let mut buffer = vec![0; 1 << 18];
        while !closing.load(Ordering::Relaxed) {
            let mut bytes = match socket.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => buffer[..length].to_vec(),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(lost(error)),
            };
            self.heard();
            if let Some(handshake) = &mut greeting {
                let (answer, rest) =
                    match handshake.process_bytes(&bytes).map_err(|error| error.to_string())? {
                        HandshakeProcessResult::InProgress { response_bytes } => (response_bytes, None),
                        HandshakeProcessResult::Completed { response_bytes, remaining_bytes } => {
                            (response_bytes, Some(remaining_bytes))
                        }
                    };
                socket.write_all(&answer).map_err(lost)?;
                let Some(rest) = rest else { continue };
                greeting = None;
                let (made, first) =
                    ServerSession::new(ServerSessionConfig::new()).map_err(|e| e.to_string())?;
                session = Some(made);
                bytes = rest;
                self.answer(&mut socket, session.as_mut(), first)?;
            }
            let Some(open) = &mut session else { continue };
            let results = open.handle_input(&bytes).map_err(|error| format!("not RTMP: {error}"))?;
            self.answer(&mut socket, session.as_mut(), results)?;
        }
        Ok(())
    }

    /// Bytes came: notes the silence before them.
    fn heard(&mut self) {
        let now = self.started.elapsed();
        let gap = Gap { from: self.silent_since, lasted: now.saturating_sub(self.silent_since) };
        self.silent_since = now;
        self.note(|publication| {
            publication.last = now;
            if gap.lasted > SILENCE {
                publication.gaps.push(gap);
            }
        });
    }

    fn answer(
        &mut self,
        socket: &mut TcpStream,
        mut session: Option<&mut ServerSession>,
        results: Vec<ServerSessionResult>,
    ) -> Result<(), String> {
        let mut open: VecDeque<_> = results.into();
        while let Some(result) = open.pop_front() {
            match result {
                ServerSessionResult::OutboundResponse(packet) => {
                    socket.write_all(&packet.bytes).map_err(|error| format!("connection lost: {error}"))?;
                }
                ServerSessionResult::RaisedEvent(event) => {
                    if let (Some(request), Some(session)) = (self.event(event), session.as_deref_mut()) {
                        open.extend(session.accept_request(request).map_err(|error| error.to_string())?);
                    }
                }
                ServerSessionResult::UnhandleableMessageReceived(_) => {}
            }
        }
        Ok(())
    }

    /// Notes what the encoder did; the number of its request when it asked for something.
    fn event(&mut self, event: ServerSessionEvent) -> Option<u32> {
        use ServerSessionEvent as Event;
        match event {
            Event::ConnectionRequested { request_id, .. }
            | Event::ReleaseStreamRequested { request_id, .. } => Some(request_id),
            Event::PublishStreamRequested { request_id, stream_key, .. } => {
                let empty = Publication {
                    messages: Vec::new(),
                    gaps: Vec::new(),
                    last: self.silent_since,
                    ended: None,
                };
                lock(&self.book).insert(stream_key.clone(), empty);
                self.key = Some(stream_key);
                Some(request_id)
            }
            Event::AudioDataReceived { data, timestamp, .. } => {
                self.message(Kind::of_audio(&data), timestamp.value, data.len());
                None
            }
            Event::VideoDataReceived { data, timestamp, .. } => {
                self.message(Kind::of_video(&data), timestamp.value, data.len());
                None
            }
            _ => None,
        }
    }

    fn message(&mut self, kind: Kind, stamp_ms: u32, bytes: usize) {
        let stamp = Duration::from_millis(stamp_ms.into());
        let message = Message { at: self.silent_since, stamp, bytes, kind };
        self.note(|publication| publication.messages.push(message));
    }

    fn note(&self, change: impl FnOnce(&mut Publication)) {
        let Some(key) = &self.key else { return };
        if let Some(publication) = lock(&self.book).get_mut(key) {
            change(publication);
        }
    }
}
