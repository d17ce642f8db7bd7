//! Relays that note when each picture of a stream passes, and pass it on: RTMP and SRT.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use golive::wire::rtmp::chunk::{Kind, Reader};

use crate::page::percentile;

/// A picture: its place in the stream, and when it passed, in ms.
#[derive(Debug, Clone, Copy)]
pub struct Picture {
    pub stamp: f64,
    pub at: f64,
}

/// How evenly pictures came, in ms.
#[derive(Debug, Clone, Copy)]
pub struct Evenness {
    /// Half of them were no later than this, against the earliest.
    pub late_p50: f64,
    /// 99 of 100.
    pub late_p99: f64,
    /// From one picture to the next, how much the lateness changed on average (as RFC 3550 takes jitter).
    pub jitter: f64,
}

/// Of the pictures after the first two seconds.
pub fn evenness(pictures: &[Picture]) -> Evenness {
    let first = pictures.first().expect("pictures").at;
    let settled = pictures.iter().filter(|picture| picture.at >= first + 2000.0);
    let offsets: Vec<f64> = settled.map(|picture| picture.at - picture.stamp).collect();
    assert!(offsets.len() > 50, "{} pictures", offsets.len());
    let earliest = offsets.iter().copied().fold(f64::INFINITY, f64::min);
    let late: Vec<f64> = offsets.iter().map(|offset| offset - earliest).collect();
    let changes: f64 = late.windows(2).map(|two| (two[1] - two[0]).abs()).sum();
    Evenness {
        late_p50: percentile(&late, 50),
        late_p99: percentile(&late, 99),
        jitter: changes / (late.len() - 1) as f64,
    }
}

/// A relay that runs until it is asked what passed.
pub struct Relay {
    pub port: u16,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Picture>>,
}

impl Relay {
    /// Between an RTMP publisher and the server at that port.
    pub fn rtmp(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || {
            let (near, _) = listener.accept().unwrap();
            let far = TcpStream::connect(("127.0.0.1", server)).unwrap();
            for end in [&near, &far] {
                end.set_nodelay(true).unwrap();
            }
            let (back_from, back_to) = (far.try_clone().unwrap(), near.try_clone().unwrap());
            std::thread::spawn(move || copy(back_from, back_to, |_| ()));
            let mut parser = Rtmp { greeting: 1 + 2 * 1536, ..Rtmp::default() };
            copy(near, far, |bytes| parser.take(bytes));
            parser.pictures
        });
        Self { port, stop: Arc::default(), thread }
    }

    /// Between an SRT caller and the listener at that port.
    pub fn srt(listener: u16) -> Self {
        let near = UdpSocket::bind("127.0.0.1:0").unwrap();
        let far = UdpSocket::bind("127.0.0.1:0").unwrap();
        far.connect(("127.0.0.1", listener)).unwrap();
        for end in [&near, &far] {
            end.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
            let _ = socket2::SockRef::from(end).set_recv_buffer_size(8 << 20);
        }
        let (port, stop) = (near.local_addr().unwrap().port(), Arc::<AtomicBool>::default());
        let caller = Arc::<OnceLock<SocketAddr>>::default();
        let (back, forth, told, over) =
            (far.try_clone().unwrap(), near.try_clone().unwrap(), Arc::clone(&caller), Arc::clone(&stop));
        std::thread::spawn(move || {
            let mut packet = [0; 2048];
            while !over.load(Relaxed) {
                let Ok(length) = back.recv(&mut packet) else { continue };
                if let Some(caller) = told.get() {
                    let _ = forth.send_to(&packet[..length], caller);
                }
            }
        });
        let over = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (start, mut pictures, mut packet) = (Instant::now(), Vec::new(), [0; 2048]);
            // Senders cut the transport stream where they like.
            let mut stream = Vec::new();
            while !over.load(Relaxed) {
                let Ok((length, from)) = near.recv_from(&mut packet) else { continue };
                let at = start.elapsed().as_secs_f64() * 1000.0;
                let _ = caller.set(from);
                let _ = far.send(&packet[..length]);
                stream.extend_from_slice(data(&packet[..length]));
                let whole = stream.len() / 188 * 188;
                let stamps = stream[..whole].chunks(188).filter_map(decoding_time);
                pictures.extend(stamps.map(|stamp| Picture { stamp, at }));
                stream.drain(..whole);
            }
            pictures
        });
        Self { port, stop, thread }
    }

    /// What passed. The sender has ended.
    pub fn pictures(self) -> Vec<Picture> {
        self.stop.store(true, Relaxed);
        self.thread.join().unwrap()
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, mut seen: impl FnMut(&[u8])) {
    let mut buffer = vec![0; 1 << 18];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        seen(&buffer[..length]);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Write);
}

/// The publisher's side of an RTMP connection.
#[derive(Default)]
struct Rtmp {
    /// Bytes of the handshake still to come.
    greeting: usize,
    reader: Reader,
    start: Option<Instant>,
    pictures: Vec<Picture>,
}

impl Rtmp {
    fn take(&mut self, bytes: &[u8]) {
        let at = self.start.get_or_insert_with(Instant::now).elapsed().as_secs_f64() * 1000.0;
        let skipped = self.greeting.min(bytes.len());
        self.greeting -= skipped;
        let mut rest = &bytes[skipped..];
        while let Some(message) = self.reader.read(&mut rest).unwrap() {
            // A picture, and not what configures the decoder (FLV's AVC packet type).
            if message.kind == Kind::Video && message.body.get(1) == Some(&1) {
                self.pictures.push(Picture { stamp: message.timestamp.into(), at });
            }
        }
    }
}

/// What an SRT data packet carries that is sent for the first time.
fn data(packet: &[u8]) -> &[u8] {
    match packet {
        [first, _, _, _, second, ..] if first & 0x80 == 0 && second & 0x04 == 0 => {
            packet.get(16..).unwrap_or_default()
        }
        _ => &[],
    }
}

/// The decoding time, in ms, of a picture that begins in this packet of a transport stream.
fn decoding_time(packet: &[u8]) -> Option<f64> {
    if packet.len() != 188 || packet[0] != 0x47 || packet[1] & 0x40 == 0 {
        return None;
    }
    let adapted = packet[3] & 0x20 != 0;
    let at = if adapted { 5 + usize::from(packet[4]) } else { 4 };
    let unit = packet.get(at..)?;
    if unit.get(..3)? != [0, 0, 1] || unit.get(3)? & 0xF0 != 0xE0 {
        return None;
    }
    let stamp = if unit.get(7)? & 0x40 != 0 { unit.get(14..19)? } else { unit.get(9..14)? };
    let bits = |byte: u8| u64::from(byte);
    let ticks = (bits(stamp[0]) >> 1 & 7) << 30
        | bits(stamp[1]) << 22
        | (bits(stamp[2]) >> 1) << 15
        | bits(stamp[3]) << 7
        | bits(stamp[4]) >> 1;
    Some(ticks as f64 / 90.0)
}
