//! The RTMP listener: takes the test streams that the media key admits, and counts what arrives.
//!
//! Until the key is there, a caller gets no more bytes than it sent: S2 waits for C2. Publishers that
//! want S2 first (ffmpeg) come no further; golive, OBS and others that follow librtmp do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::log::{Log, Notice};
use super::session::{Lease, Media, Registry, Session};
use crate::model::WireText;
use crate::wire::control::{Ended, FAR_END_ENDED, Refusal};
use crate::wire::rtmp::server::{MediaCount, Server, Step};

/// The service, in notices.
const WHAT: &str = "rtmp";
/// Bytes read at once.
const READ: usize = 64 * 1024;
/// How long a refused caller may take to read why.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long a reply may wait for the publisher to take it.
const STUCK: Duration = Duration::from_mins(1);

/// Serves until it is stopped; every connection is closed then.
pub async fn serve(listener: TcpListener, registry: Arc<Registry>, log: Log, stop: CancellationToken) {
    let callers = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                callers.spawn(receive(stream, peer, Arc::clone(&registry), log.clone(), stop.clone()));
            }
            Err(error) => {
                // Out of file descriptors, most likely: give them time to come back.
                let detail = WireText::from(format!("cannot accept: {error}"));
                log.say(&Notice::Broken { what: WHAT, detail });
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
    callers.close();
    callers.wait().await;
}

async fn receive(
    stream: TcpStream,
    peer: SocketAddr,
    registry: Arc<Registry>,
    log: Log,
    stop: CancellationToken,
) {
    let guest = match registry.guest(peer.ip()) {
        Ok(guest) => guest,
        Err(why) => return log.refused(WHAT, peer, why, ""),
    };
    let _ = stream.set_nodelay(true);
    // Differs between connections, which is all that the handshake asks of it.
    let seed =
        u64::from(peer.port()) << 48 | u64::from(crate::net::clock::now().subsec_nanosecond().unsigned_abs());
    let mut caller = Caller { stream, server: Server::new(seed), buffer: vec![0; READ] };
    let admitting = timeout(registry.caps().guest_time, caller.admit(&registry, peer));
    let admitted = tokio::select! {
        () = stop.cancelled() => return,
        admitted = admitting => admitted,
    };
    let admitted = match admitted {
        Ok(admitted) => admitted,
        Err(_) => Err(Turned::Away(Refusal::Time, WireText::from("showed no key in time"))),
    };
    let lease = match admitted {
        Ok(lease) => lease,
        Err(Turned::Gone) => return, // a port scan, or a load balancer's health check
        Err(Turned::Away(why, detail)) => {
            log.refused(WHAT, peer, why, detail);
            return caller.part().await;
        }
    };
    drop(guest);
    log.say(&Notice::Opened { what: WHAT, peer });
    let session = lease.session();
    session.attach(peer);
    let how = tokio::select! {
        () = stop.cancelled() => Ended::Refused(Refusal::Stopping),
        how = session.over() => how,
        how = caller.take_in(session) => how,
    };
    session.end(how);
    let said = WireText::from(words(how, caller.server.media()));
    log.say(&Notice::Ended { what: WHAT, peer, bytes: session.bytes(), how: said });
    if let Ended::Refused(why) = how {
        // Else it would look cut by the network.
        caller.server.end(FAR_END_ENDED, why.words());
        if matches!(timeout(FAREWELL, caller.say()).await, Ok(Ok(()))) {
            caller.part().await;
        }
    }
}

/// Why somebody got no session.
enum Turned {
    /// It left, or the line did.
    Gone,
    /// We sent it away.
    Away(Refusal, WireText),
}

struct Caller {
    stream: TcpStream,
    server: Server,
    buffer: Vec<u8>,
}

impl Caller {
    /// Goes as far as the stream key.
    async fn admit(&mut self, registry: &Arc<Registry>, peer: SocketAddr) -> Result<Lease, Turned> {
        loop {
            self.hear().await.map_err(|_| Turned::Gone)?;
            while let Some(step) = self.server.step() {
                match step {
                    Step::Connect { .. } => self.server.accept(), // the key says it all
                    Step::Publish { key } => {
                        let lease = registry.media(Media::Rtmp, key.reveal(), peer.ip());
                        match &lease {
                            Ok(_) => {
                                self.server.unlock();
                                self.server.accept();
                            }
                            // Short, so that it fits into what the caller has sent.
                            Err(Refusal::UnknownSession) => {
                                self.server.refuse("NetStream.Publish.Denied", "unknown key");
                            }
                            Err(_) => self.server.refuse("NetStream.Publish.Denied", "busy"),
                        }
                        self.say().await.map_err(|_| Turned::Gone)?;
                        return lease.map_err(|why| Turned::Away(why, WireText::default()));
                    }
                    Step::Failed(failure) => {
                        let detail = WireText::from(failure.to_string());
                        return Err(Turned::Away(Refusal::BadRequest, detail));
                    }
                    Step::Handshaken | Step::Unpublished => {}
                }
            }
            self.say().await.map_err(|_| Turned::Gone)?;
        }
    }

    /// Counts what is published until it ends.
    async fn take_in(&mut self, session: &Session) -> Ended {
        loop {
            let length = match self.hear().await {
                Ok(length) => length,
                Err(Gone::Closed) => return Ended::DataClosed,
                Err(Gone::Reset) => return Ended::DataReset,
            };
            if let Err(why) = session.count(length) {
                return Ended::Refused(why);
            }
            while let Some(step) = self.server.step() {
                match step {
                    Step::Failed(_) => return Ended::Refused(Refusal::BadRequest),
                    Step::Connect { .. } | Step::Publish { .. } => {
                        self.server.refuse("NetStream.Publish.Denied", "once a connection");
                    }
                    Step::Handshaken | Step::Unpublished => {}
                }
            }
            match timeout(STUCK, self.say()).await {
                Ok(Ok(())) => {}
                Ok(Err(gone)) => return gone.into(),
                Err(_) => return Ended::Refused(Refusal::Time),
            }
        }
    }

    /// Takes in what comes next; how many bytes. May be dropped at any point without losing any.
    async fn hear(&mut self) -> Result<u64, Gone> {
        match self.stream.read(&mut self.buffer).await {
            Ok(0) => Err(Gone::Closed),
            Ok(length) => {
                self.server.receive(self.buffer.get(..length).unwrap_or_default());
                Ok(u64::try_from(length).unwrap_or(u64::MAX))
            }
            Err(_) => Err(Gone::Reset),
        }
    }

    async fn say(&mut self) -> Result<(), Gone> {
        let bytes = self.server.outgoing();
        self.stream.write_all(&bytes).await.map_err(|_| Gone::Reset)
    }

    /// Closes so that what was said arrives: closing over unread bytes would reset the connection.
    async fn part(&mut self) {
        let _ = timeout(FAREWELL, async {
            self.stream.shutdown().await?;
            while self.stream.read(&mut self.buffer).await? > 0 {}
            std::io::Result::Ok(())
        })
        .await;
    }
}

/// The connection is over.
#[derive(Debug, Clone, Copy)]
enum Gone {
    Closed,
    Reset,
}

impl From<Gone> for Ended {
    fn from(gone: Gone) -> Self {
        match gone {
            Gone::Closed => Self::DataClosed,
            Gone::Reset => Self::DataReset,
        }
    }
}

fn words(how: Ended, media: MediaCount) -> String {
    let how = match how {
        Ended::Closed | Ended::DataClosed => "closed".to_owned(),
        Ended::DataReset => "reset".to_owned(),
        Ended::Refused(why) => why.to_string(),
    };
    let MediaCount { video_messages, video_bytes, keyframes, audio_messages, audio_bytes, .. } = media;
    format!(
        "{how}; video: {video_messages} messages, {keyframes} keyframes, {video_bytes} bytes; \
         audio: {audio_messages} messages, {audio_bytes} bytes"
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::farend::session::Caps;
    use crate::farend::{Config, FarEnd, Running};
    use crate::model::Secret;
    use crate::net::rtmp::Publisher;
    use crate::wire::rtmp::address::Address;
    use crate::wire::rtmp::client::Failure;

    const PATIENCE: Duration = Duration::from_secs(10);

    async fn far_end(caps: Caps) -> (Running, Arc<Mutex<Vec<String>>>) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&lines);
        let log = Log::to(move |notice| written.lock().unwrap().push(notice.to_string()));
        (FarEnd::start(Config { caps, log, ..Config::loopback() }).await.unwrap(), lines)
    }

    async fn connected(running: &Running) -> Publisher<TcpStream> {
        let at = running.addresses.rtmp.unwrap();
        let stream = TcpStream::connect(at).await.unwrap();
        let address = Address::parse(&format!("rtmp://{at}/live")).unwrap();
        let mut publisher = Publisher::new(stream, address, 1);
        publisher.handshake(PATIENCE).await.unwrap();
        publisher.connect(PATIENCE).await.unwrap();
        publisher
    }

    #[tokio::test]
    async fn a_test_stream_with_the_key_is_counted() {
        let (running, lines) = far_end(Caps::default()).await;
        let mut publisher = connected(&running).await;
        publisher.publish(running.media_key.clone(), PATIENCE).await.unwrap();
        let (sent, stopped) = publisher.send(Duration::from_millis(500), PATIENCE).await;
        assert!(stopped.is_none(), "{stopped:?}");
        publisher.close(PATIENCE).await;
        let ended = loop {
            let last = lines.lock().unwrap().get(1).cloned();
            match last {
                Some(line) => break line,
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        let pictures = sent.video_frames + 1; // and the sequence header
        assert!(ended.contains(&format!("closed; video: {pictures} messages, 1 keyframes")), "{ended}");
        assert!(!lines.lock().unwrap().concat().contains(running.media_key.reveal()));
        running.stop().await;
    }

    #[tokio::test]
    async fn a_wrong_key_is_refused_in_words() {
        let (running, lines) = far_end(Caps::default()).await;
        let mut publisher = connected(&running).await;
        let stopped = publisher.publish(Secret::from("wrong".to_owned()), PATIENCE).await.unwrap_err();
        let Failure::Refused { status, .. } = stopped.failure else { panic!("{stopped:?}") };
        assert_eq!(
            (status.code.as_str(), status.description.as_str()),
            ("NetStream.Publish.Denied", "unknown key")
        );
        assert!(lines.lock().unwrap()[0].starts_with("rtmp: refused"));
        running.stop().await;
    }

    #[tokio::test]
    async fn a_stream_ends_at_its_cap_and_a_caller_without_key_at_its_time() {
        let mut caps = Caps { guest_time: Duration::from_millis(200), ..Caps::default() };
        caps.each.bytes = 3000;
        let (running, lines) = far_end(caps).await;
        let mut publisher = connected(&running).await;
        publisher.publish(running.media_key.clone(), PATIENCE).await.unwrap();
        let (_, stopped) = publisher.send(PATIENCE, PATIENCE).await;
        let stopped = stopped.unwrap();
        let Failure::Refused { status, .. } = stopped.failure else { panic!("{stopped:?}") };
        let words = "the session used up the bytes that this far end allows";
        assert_eq!((status.code.as_str(), status.description.as_str()), (FAR_END_ENDED, words));
        let mut silent = TcpStream::connect(running.addresses.rtmp.unwrap()).await.unwrap();
        assert_eq!(silent.read(&mut [0; 8]).await.unwrap_or(0), 0);
        let lines = lines.lock().unwrap().join("\n");
        assert!(
            lines.contains("the session used up the bytes") && lines.contains("showed no key in time"),
            "{lines}"
        );
        running.stop().await;
    }
}
