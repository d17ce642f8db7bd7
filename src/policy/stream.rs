//! A stream that will be sent: every value is there, and the ingest takes it.

use super::check::Checker;
use super::diagnostic::Diagnostic;
use super::draft::StreamDraft;
use super::event::Stream;
use super::layer::keys;
use super::limits;

/// Highest bit rate that a stream may name, kb/s: 10 Gb/s.
const MAX_STREAM_KBPS: u64 = 10_000_000;
/// Highest headroom: more is a slip of the keyboard.
const MAX_HEADROOM: f64 = 100.0;

impl Checker<'_> {
    pub fn stream(&mut self, name: &str, draft: &StreamDraft) -> Option<Stream> {
        let at = ["stream", name];
        let to = self.required(draft.to.as_ref(), &at, "to", "\"rtmps://host:443/app\", without a key");
        let video_kbps = self.required(draft.video_kbps.as_ref(), &at, "video_kbps", "6000");
        let audio_kbps = self.required(draft.audio_kbps.as_ref(), &at, "audio_kbps", "128");
        let headroom = self.required(draft.headroom.as_ref(), &at, "headroom", "1.5");
        for (key, kbps) in [("video_kbps", video_kbps), ("audio_kbps", audio_kbps)] {
            if kbps.is_some_and(|kbps| kbps > MAX_STREAM_KBPS) {
                let help = format!("bit rates are in kb/s, at most {MAX_STREAM_KBPS}");
                self.error(&["stream", name, key], "no stream has this bit rate", Some(help));
            }
        }
        self.at_most(name, "video", video_kbps, draft.video_at_most_kbps);
        self.at_most(name, "audio", audio_kbps, draft.audio_at_most_kbps);
        if video_kbps == Some(0) && audio_kbps == Some(0) {
            self.error(&["stream", name, "video_kbps"], "a stream of 0 kb/s is no stream", None);
        }
        if let Some(headroom) = headroom.filter(|h| !(1.0..=MAX_HEADROOM).contains(h)) {
            let what = format!("a headroom of {headroom} is not a number from 1 to {MAX_HEADROOM}");
            let help = "it multiplies the bit rate: 1.5 leaves half as much again".to_owned();
            self.error(&["stream", name, "headroom"], what, Some(help));
        }
        if let Some(why) = to.as_deref().and_then(limits::bad_destination) {
            self.error(&["stream", name, "to"], why, Some("write it like rtmps://host:443/app".to_owned()));
        }
        let latency_ms = draft.latency_ms;
        if latency_ms.is_some() && to.as_deref().is_some_and(|to| !to.starts_with("srt:")) {
            let help = "leave it out, or send to srt://host:port".to_owned();
            self.error(&["stream", name, "latency_ms"], "only SRT has a latency", Some(help));
        }
        Some(Stream {
            to: to?,
            video_kbps: video_kbps?,
            audio_kbps: audio_kbps?,
            headroom: headroom?,
            latency_ms,
            video_at_most_kbps: draft.video_at_most_kbps,
            audio_at_most_kbps: draft.audio_at_most_kbps,
        })
    }

    /// What the platform takes at most.
    fn at_most(&mut self, name: &str, what: &str, kbps: Option<u64>, at_most: Option<u64>) {
        let (Some(kbps), Some(at_most)) = (kbps, at_most) else { return };
        if kbps <= at_most {
            return;
        }
        let place = self.place(&keys(&["stream", name, &format!("{what}_kbps")]));
        let bound = self.place(&keys(&["stream", name, &format!("{what}_at_most_kbps")]));
        let error = Diagnostic::at(place, format!("{kbps} kb/s of {what} is more than the ingest takes"));
        let help = format!("at most {at_most} kb/s");
        self.errors.push(error.help(help).other("the ingest's bound stands here", bound));
    }
}
