//! The stream that is sent: made once per bit rate, then only copied, so that sending costs little.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::ground::peer::need;
use crate::truth::arrival::{Kind, Message};

/// How long the file plays before it starts again.
const TURN_S: u32 = 20;

/// Sound's share of the bit rate.
const AUDIO_KBPS: u32 = 128;

/// Pictures per second.
pub const PICTURES: u32 = 30;

/// A file of H.264 and AAC in FLV, and what is in it.
pub struct Source {
    pub file: PathBuf,
    /// Its messages in order, as if each arrived when it is due.
    turn: Vec<Message>,
}

impl Source {
    /// The file of `kbps` in all: made when it is not there yet. It is kept for the next run.
    pub fn of(kbps: u32) -> Self {
        let folder = std::env::temp_dir().join("golive-lab-streams-1");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{kbps}k.flv"));
        let lock = File::create(folder.join(format!("{kbps}k.lock"))).unwrap();
        lock.lock().unwrap();
        if !file.exists() {
            let unfinished = folder.join(format!("{kbps}k.unfinished.flv"));
            encode(kbps, &unfinished);
            fs::rename(unfinished, &file).unwrap();
        }
        drop(lock);
        let turn = tags(&fs::read(&file).unwrap());
        assert!(turn.len() > 100, "{} holds a stream", file.display());
        Self { file, turn }
    }

    /// What is due from `from` until `until` in a stream that plays the file again and again.
    pub fn due(&self, from: Duration, until: Duration) -> impl Iterator<Item = Message> {
        let length = Duration::from_secs(TURN_S.into());
        let first = u32::try_from(from.as_secs() / length.as_secs()).unwrap();
        (first..)
            .flat_map(move |turn| {
                self.turn.iter().map(move |message| Message {
                    at: message.stamp + length * turn,
                    stamp: message.stamp + length * turn,
                    ..*message
                })
            })
            .skip_while(move |message| message.stamp < from)
            .take_while(move |message| message.stamp < until)
    }
}

/// As OBS would send it by default, but for the preset: constant bit rate with a buffer of one second,
/// a keyframe every 2 s, two B-frames. The noise keeps the encoder from padding with filler alone.
fn encode(kbps: u32, to: &std::path::Path) {
    let video = format!("{}k", kbps.saturating_sub(AUDIO_KBPS).max(100));
    let keyframes = 2 * PICTURES;
    let x264 =
        format!("nal-hrd=cbr:force-cfr=1:scenecut=0:b-adapt=0:keyint={keyframes}:min-keyint={keyframes}");
    let picture = format!("testsrc2=size=640x360:rate={PICTURES}");
    let mut command = Command::new(need("ffmpeg", "ffmpeg"));
    command.args(["-nostdin", "-hide_banner", "-loglevel", "error", "-y"]);
    command.args([
        "-f",
        "lavfi",
        "-i",
        &picture,
        "-f",
        "lavfi",
        "-i",
        "sine=frequency=440:sample_rate=48000",
    ]);
    command.args(["-t", &TURN_S.to_string(), "-vf", "noise=alls=10:allf=t", "-pix_fmt", "yuv420p"]);
    command.args(["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-b:v", &video]);
    command.args(["-minrate", &video, "-maxrate", &video, "-bufsize", &video, "-x264-params", &x264]);
    command.args(["-c:a", "aac", "-ac", "2", "-b:a", &format!("{AUDIO_KBPS}k")]).arg(to);
    let output = command.output().unwrap();
    assert!(output.status.success(), "ffmpeg: {}", String::from_utf8_lossy(&output.stderr));
}

/// The messages of an FLV file.
fn tags(mut file: &[u8]) -> Vec<Message> {
    let mut messages = Vec::new();
    file = file.get(13..).unwrap_or_default();
    while let [kind, a, b, c, t1, t2, t3, t0, _, _, _, rest @ ..] = file {
        let length = usize::try_from(u32::from_be_bytes([0, *a, *b, *c])).unwrap();
        let Some((body, next)) = rest.split_at_checked(length) else { break };
        let stamp = Duration::from_millis(u32::from_be_bytes([*t0, *t1, *t2, *t3]).into());
        let kind = match kind {
            8 => Kind::of_audio(body),
            9 => Kind::of_video(body),
            _ => Kind::Header,
        };
        if kind != Kind::Header && stamp < Duration::from_secs(TURN_S.into()) {
            messages.push(Message { at: stamp, stamp, bytes: length, kind });
        }
        file = next.get(4..).unwrap_or_default();
    }
    messages
}
