//! What the kernel tells of the data connections, moment by moment. No sockets, no clocks.

use super::tally::keep;
use super::{Gap, LoadedRtt, SHORTEST_GAP_MS, SLOT_MS, Sender, SentSecond};
use crate::net::tcp_info::TcpInfo;

/// Milliseconds that one kept round trip stands for.
const EVERY_MS: f64 = 1000.0;

/// Figures of all connections of a test.
#[derive(Debug, Default)]
pub(super) struct Kernel {
    pub(super) loaded_rtt: Vec<LoadedRtt>,
    pub(super) seconds: Vec<SentSecond>,
    pub(super) last: Option<TcpInfo>,
    pub(super) acknowledged: Acknowledged,
    /// The sums at the beginning of the second that is going on.
    since: Option<(f64, TcpInfo)>,
}

impl Kernel {
    /// Takes a look at the kernel's figures; true when more was acknowledged than before.
    pub(super) fn look(&mut self, offset_ms: f64, infos: &[TcpInfo]) -> bool {
        let Some(info) = together(infos) else { return false };
        let grown = info.bytes_acked > self.last.and_then(|last| last.bytes_acked);
        self.last = Some(info);
        if let Some(rtt_ms) = info.rtt_ms {
            match self.loaded_rtt.last_mut() {
                Some(last) if offset_ms < last.offset_ms + EVERY_MS => {
                    last.rtt_ms = last.rtt_ms.max(rtt_ms);
                }
                _ => self.loaded_rtt.push(LoadedRtt { offset_ms, rtt_ms }),
            }
        }
        if let Some(bytes) = info.bytes_acked {
            self.acknowledged.take(offset_ms, bytes);
        }
        self.second(offset_ms, info);
        grown
    }

    /// What the kernel counted, as far as it tells.
    pub(super) fn sender(&self) -> Sender {
        let last = self.last.unwrap_or_default();
        Sender {
            sent_bytes: last.bytes_sent,
            resent_bytes: last.bytes_resent,
            busy_ms: last.busy_ms,
            receiver_limited_ms: last.receiver_limited_ms,
            buffer_limited_ms: last.buffer_limited_ms,
            seconds: self.seconds.clone(),
            ..Sender::default()
        }
    }

    fn second(&mut self, offset_ms: f64, info: TcpInfo) {
        let (start_ms, before) = *self.since.get_or_insert((offset_ms, info));
        if offset_ms < start_ms + EVERY_MS {
            return;
        }
        self.since = Some((offset_ms, info));
        let grown = |now: Option<u64>, then: Option<u64>| Some(now?.saturating_sub(then?));
        let sent = grown(info.bytes_sent, before.bytes_sent);
        if let Some((sent_bytes, resent_bytes)) = sent.zip(grown(info.bytes_resent, before.bytes_resent)) {
            self.seconds.push(SentSecond { offset_ms: start_ms, sent_bytes, resent_bytes });
        }
    }
}

/// Sums over connections; of round trips the longest. Absent where one connection does not tell.
fn together(infos: &[TcpInfo]) -> Option<TcpInfo> {
    let (first, rest) = infos.split_first()?;
    Some(rest.iter().fold(*first, |sum, one| {
        let whole = |a: Option<u64>, b: Option<u64>| Some(a?.saturating_add(b?));
        let ms = |a: Option<f64>, b: Option<f64>| Some(a? + b?);
        let longest = |a: Option<f64>, b: Option<f64>| Some(a?.max(b?));
        TcpInfo {
            rtt_ms: longest(sum.rtt_ms, one.rtt_ms),
            min_rtt_ms: longest(sum.min_rtt_ms, one.min_rtt_ms),
            bytes_acked: whole(sum.bytes_acked, one.bytes_acked),
            bytes_sent: whole(sum.bytes_sent, one.bytes_sent),
            bytes_resent: whole(sum.bytes_resent, one.bytes_resent),
            busy_ms: ms(sum.busy_ms, one.busy_ms),
            receiver_limited_ms: ms(sum.receiver_limited_ms, one.receiver_limited_ms),
            buffer_limited_ms: ms(sum.buffer_limited_ms, one.buffer_limited_ms),
            ..sum
        }
    }))
}

/// What was acknowledged, in slots: what stands in for the receiver's count where it tells its
/// sum only. The kernel is asked several times a slot, so a gap is known within that.
#[derive(Debug, Default)]
pub(super) struct Acknowledged {
    pub(super) slots: Vec<u64>,
    pub(super) gaps: Vec<Gap>,
    pub(super) gaps_left_out: u64,
    first: Option<u64>,
    total: u64,
    last_ms: f64,
}

impl Acknowledged {
    /// Bytes acknowledged in all since the first look: before, there is only the handshake.
    pub(super) fn total(&self) -> u64 {
        self.total.saturating_sub(self.first.unwrap_or(0))
    }

    /// The first look counts as nothing: it is taken before anything is sent.
    fn take(&mut self, offset_ms: f64, bytes: u64) {
        if self.first.is_none() {
            (self.first, self.total, self.last_ms) = (Some(bytes), bytes, offset_ms);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates at 0")]
        let slot = (offset_ms / f64::from(SLOT_MS)) as usize;
        if slot >= self.slots.len() {
            self.slots.resize(slot + 1, 0);
        }
        if bytes > self.total {
            if let Some(count) = self.slots.get_mut(slot) {
                *count += bytes - self.total;
            }
            self.pause(offset_ms);
            (self.total, self.last_ms) = (bytes, offset_ms);
        }
    }

    /// Sending is over: a gap that is still open ends here.
    pub(super) fn finish(&mut self, offset_ms: f64) {
        self.pause(offset_ms);
        self.last_ms = offset_ms;
    }

    fn pause(&mut self, now_ms: f64) {
        let ms = now_ms - self.last_ms;
        #[expect(clippy::cast_precision_loss, reason = "200")]
        if ms < SHORTEST_GAP_MS as f64 {
            return;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates at 0")]
        let whole = |ms: f64| ms.round() as u64;
        let gap = Gap { at_ms: whole(self.last_ms), ms: whole(ms) };
        keep(&mut self.gaps, &mut self.gaps_left_out, gap);
    }
}
