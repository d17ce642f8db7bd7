//! The publishing side of WebRTC without sockets or clocks: ICE (RFC 8445), DTLS-SRTP (RFC 5764), one
//! stream of H.264 and one of Opus over RTP, and what RTCP says of them.
//!
//! A seam of our own over the engine `str0m`, so that no other module knows which engine it is. The
//! server's candidates are read here and not by the engine: nothing is sent to an address that
//! [`Candidates::of`] does not let through. Over UDP only.

mod candidate;
#[cfg(test)]
pub(crate) mod tests;

pub use candidate::{Candidates, Kind, MAX_CANDIDATES, Offered};

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::Codec;
use str0m::media::{Direction, MediaKind, MediaTime, Mid};
use str0m::net::{Protocol, Receive};
use str0m::stats::MediaEgressStats;
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

use crate::model::WireText;

/// Longest datagram that is looked at.
pub const MAX_DATAGRAM: usize = 2000;
/// Longest answer (SDP) that is read.
pub const MAX_ANSWER: usize = 64 * 1024;
/// How often the engine sums up, and how often it sends its own reports.
const STATS: Duration = Duration::from_millis(500);
const REPORTS: Duration = Duration::from_secs(1);

/// What to do next.
#[derive(Debug)]
pub enum Step {
    /// Send a datagram.
    Send {
        /// From which of our own addresses.
        from: SocketAddr,
        /// Where to.
        to: SocketAddr,
        /// What.
        bytes: Vec<u8>,
    },
    /// Something has come about.
    Happened(Happened),
    /// Nothing before then, unless something comes.
    Wait(Instant),
}

/// What has come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// ICE has found a pair of addresses that works.
    Connected,
    /// The pair stopped answering.
    Lost,
    /// The DTLS handshake is over: media may be sent.
    Secured,
    /// The server ended the session.
    Closed,
}

/// What became of a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sent {
    /// RTP packets, also those that were sent again.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The receiver's last report on it (RFC 3550, 6.4.2), if one came.
    pub report: Option<Report>,
}

/// A receiver's report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Report {
    /// Packets that it misses since the beginning.
    pub lost: u64,
    /// Highest sequence number that it has, wraps counted: it rises while media arrives.
    pub highest: u64,
    /// Round trip by the times of the reports.
    pub round_trip: Option<Duration>,
}

/// The pair of addresses in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Ours.
    pub local: SocketAddr,
    /// The server's.
    pub remote: SocketAddr,
    /// Round trip of the last connectivity check.
    pub round_trip: Option<Duration>,
}

/// An answer or a session that is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The engine could not make an offer.
    #[error("no offer could be made")]
    NoOffer,
    /// The answer is no SDP, or does not fit the offer.
    #[error("{0}")]
    BadAnswer(WireText),
    /// The server takes no H.264 or no Opus.
    #[error("the server takes no {0}")]
    NoCodec(&'static str),
    /// The session broke: its certificate is another than the answer names, DTLS failed.
    #[error("{0}")]
    Session(WireText),
}

/// One publisher.
pub struct Publisher {
    rtc: Rtc,
    pending: Option<SdpPendingOffer>,
    sound: Mid,
    pictures: Mid,
    /// The stream of pictures.
    pub picture_stream: Sent,
    /// The stream of sound.
    pub sound_stream: Sent,
    /// The pair in use.
    pub pair: Option<Pair>,
}

/// An address of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Local {
    /// This machine's.
    Own(SocketAddr),
    /// One that a TURN server lends.
    Relayed(SocketAddr),
}

impl Publisher {
    /// A publisher at these addresses of ours, and its offer (SDP, RFC 8866).
    ///
    /// # Errors
    /// [`Broken::NoOffer`].
    pub fn new(now: Instant, locals: &[Local]) -> Result<(Self, String), Broken> {
        let mut rtc = RtcConfig::new()
            .set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags()))
            .clear_codecs()
            .enable_opus(true, false)
            .enable_h264(true)
            .set_stats_interval(Some(STATS))
            .set_rtcp_report_interval_audio(REPORTS)
            .set_rtcp_report_interval_video(REPORTS)
            .build(now);
        for local in locals {
            let candidate = match *local {
                Local::Own(address) => Candidate::host(address, "udp"),
                Local::Relayed(address) => Candidate::relayed(address, address, "udp"),
            };
            let candidate = candidate.map_err(|_| Broken::NoOffer)?;
            rtc.add_local_candidate(candidate);
        }
        let mut changes = rtc.sdp_api();
        let mut add = |kind| changes.add_media(kind, Direction::SendOnly, None, None, None);
        let (sound, pictures) = (add(MediaKind::Audio), add(MediaKind::Video));
        let (offer, pending) = changes.apply().ok_or(Broken::NoOffer)?;
        let publisher = Self {
            rtc,
            pending: Some(pending),
            sound,
            pictures,
            picture_stream: Sent::default(),
            sound_stream: Sent::default(),
            pair: None,
        };
        Ok((publisher, offer.to_sdp_string()))
    }

    /// Takes the answer, and those of its candidates that may be asked.
    ///
    /// # Errors
    /// Why the answer is of no use.
    pub fn accept(&mut self, answer: &str, candidates: &Candidates) -> Result<(), Broken> {
        let bad = |why: String| Broken::BadAnswer(WireText::from(why));
        let pending = self.pending.take().ok_or(Broken::NoOffer)?;
        let answer = candidate::without(answer);
        let answer = SdpAnswer::from_sdp_string(&answer).map_err(|error| bad(error.to_string()))?;
        self.rtc.sdp_api().accept_answer(pending, answer).map_err(|error| bad(error.to_string()))?;
        for offered in &candidates.offered {
            let candidate =
                Candidate::host(offered.address, "udp").map_err(|error| bad(error.to_string()))?;
            self.rtc.add_remote_candidate(candidate);
        }
        for (mid, codec, name) in [(self.pictures, Codec::H264, "H.264"), (self.sound, Codec::Opus, "Opus")] {
            self.payload_type(mid, codec).ok_or(Broken::NoCodec(name))?;
        }
        Ok(())
    }

    fn payload_type(&mut self, mid: Mid, codec: Codec) -> Option<str0m::media::Pt> {
        let writer = self.rtc.writer(mid)?;
        // Single NAL units (mode 0) cannot carry our pictures (RFC 6184, 6.2).
        let fits = |params: &&str0m::format::PayloadParams| {
            let spec = params.spec();
            spec.codec == codec && (codec != Codec::H264 || spec.format.packetization_mode == Some(1))
        };
        writer.payload_params().find(fits).map(str0m::format::PayloadParams::pt)
    }

    /// What to do next. To be asked until it says [`Step::Wait`], whenever something came, was written, or
    /// the time is over.
    ///
    /// # Errors
    /// The session is broken.
    pub fn poll(&mut self) -> Result<Step, Broken> {
        loop {
            let output = self.rtc.poll_output().map_err(|error| broken(&error))?;
            match output {
                Output::Timeout(at) => return Ok(Step::Wait(at)),
                Output::Transmit(transmit) => {
                    return Ok(Step::Send {
                        from: transmit.source,
                        to: transmit.destination,
                        bytes: transmit.contents.to_vec(),
                    });
                }
                Output::Event(event) => {
                    if let Some(happened) = self.note(event) {
                        return Ok(Step::Happened(happened));
                    }
                }
            }
        }
    }

    fn note(&mut self, event: Event) -> Option<Happened> {
        match event {
            Event::IceConnectionStateChange(state) if state.is_connected() => {
                return Some(Happened::Connected);
            }
            Event::IceConnectionStateChange(state) if state.is_disconnected() => return Some(Happened::Lost),
            Event::Connected => return Some(Happened::Secured),
            Event::Closed => return Some(Happened::Closed),
            Event::PeerStats(stats) => {
                self.pair = stats.selected_candidate_pair.map(|pair| Pair {
                    local: pair.local.addr,
                    remote: pair.remote.addr,
                    round_trip: pair.current_round_trip_time,
                });
            }
            Event::MediaEgressStats(stats) if stats.mid == self.pictures => {
                self.picture_stream = sent(&stats);
            }
            Event::MediaEgressStats(stats) if stats.mid == self.sound => self.sound_stream = sent(&stats),
            _ => {}
        }
        None
    }

    /// Tells the time.
    ///
    /// # Errors
    /// The session is broken.
    pub fn tick(&mut self, now: Instant) -> Result<(), Broken> {
        self.rtc.handle_input(Input::Timeout(now)).map_err(|error| broken(&error))
    }

    /// Takes a datagram. What is not of this session (another password, from where nobody was asked) is
    /// passed over.
    ///
    /// # Errors
    /// The session is broken.
    pub fn receive(
        &mut self,
        now: Instant,
        from: SocketAddr,
        to: SocketAddr,
        bytes: &[u8],
    ) -> Result<(), Broken> {
        let Ok(received) = Receive::new(Protocol::Udp, from, to, bytes) else { return Ok(()) };
        let input = Input::Receive(now, received);
        if !self.rtc.accepts(&input) {
            return Ok(());
        }
        self.rtc.handle_input(input).map_err(|error| broken(&error))
    }

    /// Sends a picture (NAL units after start codes) or a packet of sound, of this time in the stream. To be
    /// followed by [`Self::poll`].
    ///
    /// # Errors
    /// The session is broken.
    pub fn write(&mut self, now: Instant, due_ms: u64, picture: bool, data: Vec<u8>) -> Result<(), Broken> {
        let (mid, codec, name) =
            if picture { (self.pictures, Codec::H264, "H.264") } else { (self.sound, Codec::Opus, "Opus") };
        let payload = self.payload_type(mid, codec).ok_or(Broken::NoCodec(name))?;
        let Some(writer) = self.rtc.writer(mid) else { return Ok(()) };
        let time = MediaTime::from_millis(due_ms);
        writer.write(payload, now, time, data).map_err(|error| broken(&error))
    }

    /// Says goodbye: [`Self::poll`] gives what is left to send.
    pub fn close(&mut self) {
        if self.rtc.close().is_err() {
            self.rtc.disconnect();
        }
    }
}

fn broken(error: &str0m::RtcError) -> Broken {
    Broken::Session(WireText::from(error.to_string()))
}

fn sent(stats: &MediaEgressStats) -> Sent {
    /// The count has 24 bits and a sign: who got packets twice may count below nothing.
    const NEGATIVE: u64 = 1 << 23;
    let report = stats.remote.as_ref().map(|remote| Report {
        lost: if remote.packets_lost < NEGATIVE { remote.packets_lost } else { 0 },
        highest: *remote.maximum_sequence_number,
        round_trip: stats.rtt,
    });
    Sent { packets: stats.packets, bytes: stats.bytes, report }
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher").field("pair", &self.pair).finish_non_exhaustive()
    }
}
