//! Servers of our own on a thread inside a namespace, until dropped.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use socket2::{Domain, Protocol, Socket, Type};
use tokio_util::sync::CancellationToken;

use super::Part;
use crate::ground::namespace::Namespace;

/// Lines that a server writes.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(super) fn line(&self, text: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text.into());
    }

    fn read(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.join("\n") + "\n"
    }
}

/// A running server.
pub(super) struct Server {
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
    log: Log,
}

impl Server {
    /// Runs `work` inside the namespace, on a runtime of its own. What it spawns ends with it.
    pub(super) fn start<F: Future<Output = ()>>(
        namespace: &Namespace,
        work: impl FnOnce(Log) -> F + Send + 'static,
    ) -> Self {
        let (stop, log) = (CancellationToken::new(), Log::default());
        let (stopped, written) = (stop.clone(), log.clone());
        let serve = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = stopped.cancelled() => {}
                    () = work(written) => {}
                }
            });
        };
        // A thread inherits the namespace of the one that starts it.
        let thread = namespace.run(|| std::thread::spawn(serve));
        Self { stop, thread: Some(thread), log }
    }
}

impl Part for Server {
    fn said(&self) -> String {
        self.log.read()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn bound(address: SocketAddr, kind: Type, protocol: Protocol) -> Socket {
    try_bound(address, kind, protocol).unwrap_or_else(|error| panic!("bind {address}: {error}"))
}

fn try_bound(address: SocketAddr, kind: Type, protocol: Protocol) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol)).unwrap();
    socket.set_nonblocking(true).unwrap();
    if address.is_ipv6() {
        socket.set_only_v6(true).unwrap();
    }
    if kind == Type::STREAM {
        socket.set_reuse_address(true).unwrap();
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Listens on every address of both families, on one port that was free.
pub(super) fn listen_everywhere(namespace: &Namespace) -> (u16, [TcpListener; 2]) {
    let listener = |ip: IpAddr, port| -> std::io::Result<TcpListener> {
        let socket = try_bound(SocketAddr::new(ip, port), Type::STREAM, Protocol::TCP)?;
        socket.listen(1024)?;
        Ok(socket.into())
    };
    // What was free may be taken a moment later: another port then.
    let attempt = |_| {
        let port = crate::ground::peer::free_port();
        let v4 = listener(Ipv4Addr::UNSPECIFIED.into(), port).ok()?;
        Some((port, [v4, listener(Ipv6Addr::UNSPECIFIED.into(), port).ok()?]))
    };
    namespace.run(|| (0..10).find_map(attempt).expect("a port that is free on both families"))
}

/// Listens; to be called inside the namespace.
pub(super) fn listen(address: SocketAddr) -> TcpListener {
    let socket = bound(address, Type::STREAM, Protocol::TCP);
    socket.listen(1024).unwrap();
    socket.into()
}

/// A UDP socket; to be called inside the namespace.
pub(super) fn udp(address: SocketAddr) -> UdpSocket {
    bound(address, Type::DGRAM, Protocol::UDP).into()
}
