//! The SRT listener: completes handshakes, counts the media of callers whose stream id is the
//! media key, and throws it away.
//!
//! Nothing larger than a request leaves before the caller has proved its address with SRT's
//! cookie; no caller is connected without the key; every session is capped.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

use super::log::{Log, Notice};
use super::session::{Lease, Media, Registry, refusal};
use crate::model::WireText;
use crate::wire::control::Refusal;
use crate::wire::srt::{Call, CallId, Counts, Listener, ListenerEvent, ListenerOptions, Rejection, farewell};

const WHAT: &str = "srt";
/// Sessions that are over are looked for at least this often.
const TICK: Duration = Duration::from_millis(250);
/// Asked of the system, which may give less: a tenth of a second at 200 Mb/s.
const RECEIVE_BUFFER: usize = 4 << 20;
/// Larger than any SRT packet that is looked at.
const DATAGRAM: usize = 2048;
/// Datagrams taken at most before timers are looked at.
const BATCH: usize = 64;

/// Serves until `stop`.
pub async fn serve(socket: UdpSocket, registry: Arc<Registry>, log: Log, stop: CancellationToken) {
    let options = ListenerOptions { max_callers: registry.caps().sessions, ..ListenerOptions::default() };
    let listener = match Listener::new(&options, Instant::now()) {
        Ok(listener) => listener,
        Err(error) => {
            return log.say(&Notice::Broken { what: WHAT, detail: error.to_string().into() });
        }
    };
    // Best effort: with less, a burst is lost and asked for again.
    let _ = socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER);
    let mut service = Service { socket, registry, log, listener, calls: HashMap::new() };
    let mut datagram = vec![0; DATAGRAM];
    loop {
        let now = Instant::now();
        let wake = service.listener.next_time().map_or(now + TICK, |next| next.min(now + TICK));
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep_until(wake.into()) => service.listener.timeout(Instant::now()),
            readable = service.socket.readable() => {
                if readable.is_ok() {
                    service.read(&mut datagram);
                }
            }
        }
        service.settle().await;
    }
    service.stop().await;
}

struct Service {
    socket: UdpSocket,
    registry: Arc<Registry>,
    log: Log,
    listener: Listener,
    calls: HashMap<CallId, (SocketAddr, Lease)>,
}

impl Service {
    fn read(&mut self, datagram: &mut [u8]) {
        for _ in 0..BATCH {
            // An error here is an ICMP error about something sent earlier: of no interest.
            let Ok((length, peer)) = self.socket.try_recv_from(datagram) else { return };
            self.listener.receive(Instant::now(), peer, datagram.get(..length).unwrap_or_default());
        }
    }

    /// Acts on events, ends what is over, sends what is due.
    async fn settle(&mut self) {
        while let Some(event) = self.listener.event() {
            match event {
                ListenerEvent::Called(call) => self.called(&call),
                ListenerEvent::Media { id, bytes } => {
                    if let Some((_, lease)) = self.calls.get(&id)
                        && let Err(why) = lease.session().count(bytes as u64)
                    {
                        self.end(id, why);
                    }
                }
                ListenerEvent::Left { id, counts } => self.left(id, counts, "the caller left"),
            }
        }
        let over = |(id, (_, lease)): (&CallId, &(SocketAddr, Lease))| Some((*id, lease.session().ended()?));
        for (id, how) in self.calls.iter().filter_map(over).collect::<Vec<_>>() {
            self.end(id, refusal(how));
        }
        while let Some((to, bytes)) = self.listener.transmit() {
            let _ = self.socket.send_to(&bytes, to).await;
        }
    }

    fn called(&mut self, call: &Call) {
        let key = String::from_utf8_lossy(&call.stream_id);
        let lease = match self.registry.media(Media::Srt, &key, call.peer.ip()) {
            Ok(lease) => lease,
            Err(why) => {
                let reason = match why {
                    Refusal::TooManySessions => Rejection::OVERLOAD,
                    _ => Rejection::UNAUTHORISED,
                };
                self.listener.reject(call.id, reason);
                // Never the stream id itself: a mistyped key is still nearly a key.
                return self.log.refused(WHAT, call.peer, why, WireText::default());
            }
        };
        if self.listener.accept(call.id, Instant::now()) {
            self.log.say(&Notice::Opened { what: WHAT, peer: call.peer });
            self.calls.insert(call.id, (call.peer, lease));
        }
    }

    /// Hangs up, and says why: else it would look cut by the network.
    fn end(&mut self, id: CallId, why: Refusal) {
        let counts = self.listener.fail(id, farewell::code(why), Instant::now()).unwrap_or_default();
        self.left(id, counts, why.words());
    }

    fn left(&mut self, id: CallId, counts: Counts, how: &str) {
        if let Some((peer, _)) = self.calls.remove(&id) {
            let how = format!("{how}; {} packets, {} of them lost for good", counts.packets, counts.dropped);
            self.log.say(&Notice::Ended { what: WHAT, peer, bytes: counts.bytes, how: how.into() });
        }
    }

    async fn stop(&mut self) {
        for id in self.calls.keys().copied().collect::<Vec<_>>() {
            self.end(id, Refusal::Stopping);
        }
        while let Some((to, bytes)) = self.listener.transmit() {
            let _ = self.socket.send_to(&bytes, to).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::farend::session::Caps;
    use crate::model::Secret;
    use crate::wire::control::Grant;
    use crate::wire::srt::{Caller, CallerEvent, CallerOptions, Ending};

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    struct Rig {
        address: SocketAddr,
        registry: Arc<Registry>,
        said: Arc<Mutex<Vec<Notice>>>,
        stop: CancellationToken,
        task: tokio::task::JoinHandle<()>,
    }

    async fn rig(caps: Caps) -> Rig {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let registry = Registry::new(caps, Secret::from(KEY.to_owned()));
        let said = Arc::new(Mutex::new(Vec::new()));
        let (heard, stop) = (Arc::clone(&said), CancellationToken::new());
        let log = Log::to(move |notice: &Notice| heard.lock().unwrap().push(notice.clone()));
        let task = tokio::spawn(serve(socket, Arc::clone(&registry), log, stop.clone()));
        Rig { address, registry, said, stop, task }
    }

    /// Calls with this stream id, sends payloads of 1000 bytes, and stays until the far end
    /// hangs up or `payloads` have been acknowledged.
    async fn call(to: SocketAddr, stream_id: &str, payloads: u64) -> Option<Ending> {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let options =
            CallerOptions { stream_id: Some(Secret::from(stream_id.to_owned())), ..CallerOptions::default() };
        let mut caller = Caller::new(options, to, 99, Instant::now()).unwrap();
        let (mut datagram, mut sent, mut open) = ([0; 2048], 0, false);
        let mut ended = None;
        while ended.is_none() && !(open && caller.counts().acknowledged_packets >= payloads) {
            let now = Instant::now();
            caller.timeout(now);
            if open && sent < payloads {
                sent += u64::from(caller.send(now, vec![1; 1000]).is_ok());
            }
            while let Some(packet) = caller.transmit(now) {
                socket.send_to(&packet, to).await.unwrap();
            }
            let wait = tokio::time::timeout(Duration::from_millis(2), socket.recv_from(&mut datagram));
            if let Ok(Ok((length, from))) = wait.await {
                caller.receive(Instant::now(), from, &datagram[..length]);
            }
            while let Some(event) = caller.event() {
                match event {
                    CallerEvent::Connected(_) => open = true,
                    CallerEvent::Ended(ending) => ended = Some(ending),
                    CallerEvent::Inducted(_) => {}
                }
            }
        }
        caller.stop(Instant::now());
        while let Some(packet) = caller.transmit(Instant::now()) {
            socket.send_to(&packet, to).await.unwrap();
        }
        ended
    }

    async fn until(mut holds: impl FnMut() -> bool) {
        for _ in 0..500 {
            if holds() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it did not come about in 10 s");
    }

    #[tokio::test]
    async fn media_with_the_key_is_counted_and_the_session_closed() {
        let rig = rig(Caps::default()).await;
        assert_eq!(call(rig.address, KEY, 50).await, None);
        until(|| rig.said.lock().unwrap().len() >= 2).await;
        let said = rig.said.lock().unwrap().clone();
        assert!(matches!(said[0], Notice::Opened { what: "srt", .. }));
        // The last few may still have waited for their time when the caller left.
        let Notice::Ended { bytes, .. } = said[1] else { panic!("{said:?}") };
        assert!(bytes > 0 && bytes <= 50_000 && bytes.is_multiple_of(1000), "{bytes}");
        rig.stop.cancel();
        rig.task.await.unwrap();
    }

    #[tokio::test]
    async fn no_other_stream_id_gets_in_and_none_is_repeated() {
        let rig = rig(Caps::default()).await;
        for stream_id in ["", "live/main", &KEY[1..]] {
            let refused = Some(Ending::Rejected(Rejection::UNAUTHORISED));
            assert_eq!(call(rig.address, stream_id, 1).await, refused);
        }
        let said = format!("{:?}", rig.said.lock().unwrap());
        assert!(said.matches("Refused").count() == 3 && !said.contains(&KEY[1..]), "{said}");
    }

    #[tokio::test]
    async fn caps_hang_up() {
        let each = Grant { bytes: 10_000, ..Caps::default().each };
        let rig = rig(Caps { sessions: 1, each, ..Caps::default() }).await;
        let ended = Some(Ending::PeerError(farewell::code(Refusal::Bytes)));
        assert_eq!(call(rig.address, KEY, 1000).await, ended);
        until(|| rig.said.lock().unwrap().len() >= 2).await;
        let held = rig.registry.media(Media::Srt, KEY, rig.address.ip()).unwrap();
        assert_eq!(call(rig.address, KEY, 1).await, Some(Ending::Rejected(Rejection::OVERLOAD)));
        drop(held);
    }

    #[tokio::test]
    async fn stopping_hangs_up() {
        let rig = rig(Caps::default()).await;
        let (stop, registry, said) = (rig.stop.clone(), Arc::clone(&rig.registry), Arc::clone(&rig.said));
        let stopper = tokio::spawn(async move {
            until(|| !said.lock().unwrap().is_empty()).await;
            registry.stop();
            stop.cancel();
        });
        let ended = Some(Ending::PeerError(farewell::code(Refusal::Stopping)));
        assert_eq!(call(rig.address, KEY, u64::MAX).await, ended);
        stopper.await.unwrap();
        rig.task.await.unwrap();
    }
}
