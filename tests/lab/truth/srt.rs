//! The SRT receiver: libsrt's own `srt-live-transmit`, its statistics and the recording.

use std::time::{Duration, Instant};

use crate::ground::peer::Peer;
use crate::truth::transport::{Recording, count};

/// libsrt's counters at a moment, since the connection began.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct Counters {
    pub packets: u64,
    pub lost: u64,
    pub retransmitted: u64,
    /// Came too late, or not at all, and the stream went on without.
    pub dropped: u64,
    /// Of those, the ones that came after all.
    pub belated: u64,
}

/// A receiver of one stream.
pub struct SrtReceiver {
    peer: Peer,
}

impl SrtReceiver {
    /// Listens on `port` in the namespace of that name, with `latency_ms` at least.
    pub fn start(platform: &str, port: u16, latency_ms: u32) -> Self {
        let peer = Peer::of("srt-live-transmit", "srt-tools")
            .args(["-f", "-a:no", "-s:20", "-statspf:json", "-statsout:statistics"])
            .args([
                format!("srt://[::]:{port}?mode=listener&ipv6only=0&latency={latency_ms}"),
                "file://con".to_owned(),
            ])
            .inside_named(platform)
            .spawn()
            .await_udp(port);
        Self { peer }
    }

    /// Whether some of the stream has come.
    pub fn begun(&self) -> bool {
        std::fs::metadata(self.peer.dir().join("stdout")).is_ok_and(|file| file.len() > 0)
    }

    /// Whether the connection, and with it the receiver, has ended.
    pub fn ended(&mut self) -> bool {
        self.peer.ended().is_some()
    }

    /// What came. `settle` from its start is left out of both counts.
    pub fn finish(mut self, settle: Duration) -> (Recording, Counters) {
        if !self.ended() {
            // Once more after its latency, so that what is in its buffer is written.
            self.peer.terminate();
        }
        let read = |name| std::fs::read(self.peer.dir().join(name)).unwrap_or_default();
        let statistics = String::from_utf8_lossy(&read("statistics")).into_owned();
        (count(&read("stdout"), settle.as_secs_f64()), counters(&statistics, settle))
    }

    pub fn log(&self) -> String {
        let read = std::fs::read(self.peer.dir().join("stderr")).unwrap_or_default();
        String::from_utf8_lossy(&read).into_owned()
    }
}

/// The last counters less those at `settle` after the connection began.
pub fn counters(statistics: &str, settle: Duration) -> Counters {
    let mut lines = statistics.lines().filter_map(|line| {
        let value: serde_json::Value = serde_json::from_str(line.trim().trim_end_matches(',')).ok()?;
        let number = |name: &str| value["recv"][name].as_u64().unwrap_or_default();
        let counters = Counters {
            packets: number("packetsUnique"),
            lost: number("packetsLost"),
            retransmitted: number("packetsRetransmitted"),
            dropped: number("packetsDropped"),
            belated: number("packetsBelated"),
        };
        Some((value["time"].as_u64()?, counters))
    });
    let settle_ms = u64::try_from(settle.as_millis()).unwrap_or(u64::MAX);
    let Some((_, first)) = lines.by_ref().find(|(time, _)| *time >= settle_ms) else {
        return Counters::default();
    };
    let last = lines.next_back().map_or(first, |(_, counters)| counters);
    Counters {
        packets: last.packets.saturating_sub(first.packets),
        lost: last.lost.saturating_sub(first.lost),
        retransmitted: last.retransmitted.saturating_sub(first.retransmitted),
        dropped: last.dropped.saturating_sub(first.dropped),
        belated: last.belated.saturating_sub(first.belated),
    }
}

/// Waits for `holds` for at most `patience`.
pub fn within(patience: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    loop {
        if holds() {
            return true;
        }
        if started.elapsed() > patience {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
