//! What the kernel knows of a TCP connection (Linux `TCP_INFO`); nothing elsewhere.
//!
//! Read by offset from the bytes that the kernel returns, as laid out in `linux/tcp.h`, since
//! glibc's struct ends before the byte counters and an older kernel returns fewer bytes:
//! what lies beyond the returned length is `None`, never 0.

use std::net::SocketAddr;

use socket2::SockRef;
use tokio::net::TcpStream;

/// A moment of a TCP connection.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TcpInfo {
    /// Payload of a full segment, in bytes: options are left out.
    pub segment_bytes: Option<u32>,
    /// Whether segments carry timestamps (RFC 7323).
    pub has_timestamps: Option<bool>,
    /// Segments sent, those without payload too.
    pub segments_sent: Option<u32>,
    /// Smoothed round trip, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// Shortest round trip of late, in milliseconds.
    pub min_rtt_ms: Option<f64>,
    /// Segments sent and not acknowledged.
    pub unacked: Option<u32>,
    /// How often the oldest segment's timer has run out.
    pub timeouts: Option<u8>,
    /// Segments sent again and not acknowledged yet.
    pub resent: Option<u32>,
    /// Segments sent again so far, SYNs too.
    pub resent_ever: Option<u32>,
    /// Bytes that wait to be sent for the first time.
    pub unsent_bytes: Option<u32>,
    /// Congestion window, in segments.
    pub cwnd: Option<u32>,
    /// Milliseconds since the last acknowledgement came.
    pub last_ack_ms: Option<u32>,
    /// Bytes acknowledged.
    pub bytes_acked: Option<u64>,
    /// Bytes sent, resent ones too.
    pub bytes_sent: Option<u64>,
    /// Bytes resent.
    pub bytes_resent: Option<u64>,
    /// Milliseconds with data to send.
    pub busy_ms: Option<f64>,
    /// Of those: milliseconds held up by the receiver's window.
    pub receiver_limited_ms: Option<f64>,
    /// Of those: milliseconds held up by our own send buffer.
    pub buffer_limited_ms: Option<f64>,
}

/// The kernel's figures of a connection; `None` where the system has none.
pub fn read(stream: &TcpStream) -> Option<TcpInfo> {
    read_socket(&SockRef::from(stream))
}

/// The same of any socket.
pub fn read_socket(socket: &SockRef<'_>) -> Option<TcpInfo> {
    #[cfg(target_os = "linux")]
    return linux::read(socket);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = socket;
        None
    }
}

impl TcpInfo {
    /// Bytes of IP and TCP headers of a segment on a connection to there, without IP options.
    pub fn header_bytes(&self, remote: SocketAddr) -> Option<u32> {
        let ip = if remote.ip().to_canonical().is_ipv4() { 20 } else { 40 };
        // TCP's own 20, and timestamps of 10 padded to 12 (RFC 7323 appendix A).
        Some(ip + if self.has_timestamps? { 32 } else { 20 })
    }

    /// A full segment on a connection to there: bytes of payload, and of its IP packet.
    pub fn segment(&self, remote: SocketAddr) -> Option<(u32, u32)> {
        let payload = self.segment_bytes?;
        Some((payload, payload.saturating_add(self.header_bytes(remote)?)))
    }

    /// Bytes of IP packets that a line has carried of a connection to there so far: a segment that was sent again
    /// counts once, since what is lost in the queue before a line takes nothing of it.
    pub fn ip_bytes_carried(&self, remote: SocketAddr) -> Option<u64> {
        let segments = self.segments_sent?.saturating_sub(self.resent_ever?);
        let headers = u64::from(segments) * u64::from(self.header_bytes(remote)?);
        Some(self.bytes_sent?.saturating_sub(self.bytes_resent?).saturating_add(headers))
    }

    /// True when the timer ran out and nothing was sent again for it: this machine itself drops
    /// the packets (a rule of its own firewall, as nftables' drop on output), in silence.
    pub fn is_stopped_here(&self) -> bool {
        self.timeouts.is_some_and(|timeouts| timeouts > 0)
            && self.unacked.is_some_and(|unacked| unacked > 0)
            && self.resent == Some(0)
    }
}

/// `TCPI_OPT_TIMESTAMPS`.
#[cfg(any(target_os = "linux", test))]
const TIMESTAMPS: u8 = 1;

#[cfg(any(target_os = "linux", test))]
fn parse(bytes: &[u8]) -> TcpInfo {
    let word = |at: usize| bytes.get(at..)?.first_chunk().map(|field| u32::from_ne_bytes(*field));
    let long = |at: usize| bytes.get(at..)?.first_chunk().map(|field| u64::from_ne_bytes(*field));
    let ms = |us: u32| f64::from(us) / 1000.0;
    #[expect(clippy::cast_precision_loss, reason = "microseconds of one connection are far below 2^52")]
    let long_ms = |at: usize| long(at).map(|us| us as f64 / 1000.0);
    TcpInfo {
        segment_bytes: word(16).filter(|bytes| *bytes > 0),
        has_timestamps: bytes.get(5).map(|options| options & TIMESTAMPS != 0),
        segments_sent: word(136),
        unacked: word(24),
        timeouts: bytes.get(2).copied(),
        resent: word(36),
        last_ack_ms: word(56),
        rtt_ms: word(68).filter(|us| *us > 0).map(ms),
        cwnd: word(80),
        resent_ever: word(100),
        bytes_acked: long(120),
        unsent_bytes: word(144),
        min_rtt_ms: word(148).filter(|us| *us > 0 && *us < u32::MAX).map(ms),
        busy_ms: long_ms(168),
        receiver_limited_ms: long_ms(176),
        buffer_limited_ms: long_ms(184),
        bytes_sent: long(200),
        bytes_resent: long(208),
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::AsRawFd as _;

    use socket2::SockRef;

    use super::TcpInfo;

    /// More than any kernel returns today.
    const ROOM: u32 = 512;

    pub(super) fn read(socket: &SockRef<'_>) -> Option<TcpInfo> {
        let mut bytes = [0_u8; ROOM as usize];
        let mut length: libc::socklen_t = ROOM;
        #[expect(unsafe_code, reason = "getsockopt(TCP_INFO): neither std nor socket2 has it")]
        // SAFETY: the descriptor is open for as long as `socket` is borrowed; the kernel writes at
        // most `length` bytes, which is what `bytes` has room for, and says how many it wrote.
        let done = unsafe {
            libc::getsockopt(
                socket.as_raw_fd(),
                libc::IPPROTO_TCP,
                libc::TCP_INFO,
                bytes.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        let written = bytes.get(..usize::try_from(length).ok()?)?;
        (done == 0).then(|| super::parse(written))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[test]
    fn what_an_older_kernel_does_not_return_is_none() {
        let mut bytes = vec![0_u8; 104];
        bytes[68..72].copy_from_slice(&50_000_u32.to_ne_bytes());
        let info = parse(&bytes);
        assert_eq!(info.rtt_ms, Some(50.0));
        assert_eq!((info.bytes_acked, info.bytes_resent, info.busy_ms), (None, None, None));
        for length in 0..104 {
            parse(&bytes[..length]);
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_kernel_counts_what_was_acknowledged() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        near.write_all(&[0; 10_000]).await.unwrap();
        far.read_exact(&mut [0; 10_000]).await.unwrap();
        let mut info = read(&near).unwrap();
        for _ in 0..100 {
            if info.bytes_acked >= Some(10_000) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            info = read(&near).unwrap();
        }
        // The SYN counts as one byte.
        assert!(info.bytes_acked.is_some_and(|bytes| (10_000..=10_001).contains(&bytes)), "{info:?}");
        assert_eq!((info.bytes_sent, info.bytes_resent), (Some(10_000), Some(0)));
        assert!(info.rtt_ms.is_some_and(|ms| ms > 0.0 && ms < 1000.0), "{info:?}");
        // The SYN, the handshake's end and one segment at least, of 40 to 60 bytes of headers each.
        let (remote, segments) = (near.peer_addr().unwrap(), u64::from(info.segments_sent.unwrap()));
        let headers = info.ip_bytes_carried(remote).unwrap() - 10_000;
        assert!(segments >= 3 && (segments * 40..=segments * 60).contains(&headers), "{info:?}");
        assert!(info.segment_bytes.is_some_and(|bytes| bytes > 1_000), "{info:?}");
    }

    #[test]
    fn headers_depend_on_the_family_and_on_timestamps() {
        let to = |address: &str| address.parse().unwrap();
        let info = |stamps| TcpInfo { has_timestamps: Some(stamps), ..TcpInfo::default() };
        assert_eq!(info(true).header_bytes(to("192.0.2.1:1")), Some(52));
        assert_eq!(info(true).header_bytes(to("[::ffff:192.0.2.1]:1")), Some(52));
        assert_eq!(info(false).header_bytes(to("[2001:db8::1]:1")), Some(60));
        assert_eq!(TcpInfo::default().header_bytes(to("192.0.2.1:1")), None);
        assert_eq!(info(true).ip_bytes_carried(to("192.0.2.1:1")), None, "not counted is not 0");
    }

    #[test]
    fn what_was_sent_again_was_carried_once() {
        let info = TcpInfo {
            has_timestamps: Some(true),
            segments_sent: Some(10),
            resent_ever: Some(1),
            bytes_sent: Some(3_000),
            bytes_resent: Some(1_161),
            ..TcpInfo::default()
        };
        let remote = "192.0.2.1:1".parse().unwrap();
        assert_eq!(info.ip_bytes_carried(remote), Some(9 * 52 + 1_839));
        assert_eq!(
            TcpInfo { bytes_resent: None, ..info }.ip_bytes_carried(remote),
            None,
            "not told is not 0"
        );
    }
}
