//! How evenly and at what cost media is sent: `rehearsal` against ffmpeg and srt-live-transmit.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use golive::media::flv::TagKind;
use golive::media::{Padded, Piece};
use golive::net::encoder::{End, Take};
use golive::probe::Probe as _;
use golive::probe::rehearsal::{Rehearsal, Target};
use serde_json::json;

use crate::Effort;
use crate::arrivals::{Evenness, Relay, evenness};
use crate::ground::ingest::nginx;
use crate::ground::peer::{Peer, free_port, need};
use crate::page::{Section, goal, median};
use crate::processor;

const KBPS: [u64; 2] = [6_000, 50_000];
const COLUMNS: [&str; 7] =
    ["rate", "sender", "late p50", "late p99", "jitter", "left the sender, p99", "of a core"];

/// One run: how evenly pictures passed, and the share of one core that sending took.
#[derive(Debug, Clone, Copy)]
struct Run {
    even: Evenness,
    core: f64,
    /// By golive's own count, how late 99 of 100 pieces left; for the peers, what the relay saw.
    left_p99: f64,
}

/// Or how the stream ended instead of coming through.
type Measure = fn(u64, u32, &Path) -> Result<Run, End>;

pub fn compare(effort: Effort) -> Section {
    let folder = tempfile::tempdir().unwrap();
    let senders: [(&str, Measure); 4] = [
        ("RTMP, golive", golive_rtmp),
        ("RTMP, ffmpeg", |_, seconds, film| Ok(ffmpeg_rtmp(seconds, film))),
        ("SRT, golive", golive_srt),
        ("SRT, ffmpeg and srt-live-transmit", |_, seconds, film| Ok(srt_live_transmit(seconds, film))),
    ];
    let (mut rows, mut cheap, mut on_time) = (Vec::new(), false, false);
    for kbps in KBPS {
        let file = film(folder.path(), kbps, effort.seconds + 4);
        let mut runs: Vec<Vec<Result<Run, End>>> = vec![Vec::new(); senders.len()];
        for _ in 0..effort.rounds {
            for ((name, measure), runs) in senders.iter().zip(&mut runs) {
                runs.push(measure(kbps, effort.seconds, &file));
                eprintln!("  {kbps} {name}: {:?}", runs.last().unwrap());
            }
        }
        for ((name, _), runs) in senders.iter().zip(runs) {
            let rate = format!("{} Mb/s", kbps / 1000);
            let runs: Vec<Run> = match runs.into_iter().collect() {
                Ok(runs) => runs,
                Err(end) => {
                    let mut row = vec![rate, (*name).to_owned(), format!("not through: {end:?}")];
                    row.resize(COLUMNS.len(), String::new());
                    rows.push(row);
                    continue;
                }
            };
            let middle = |of: fn(&Run) -> f64| median(runs.iter().map(of).collect());
            let (core, p99) = (middle(|run| run.core), middle(|run| run.even.late_p99));
            if kbps == KBPS[0] && *name == "RTMP, golive" {
                (cheap, on_time) = (core < 0.02, p99 < 1.0);
            }
            rows.push(vec![
                rate,
                (*name).to_owned(),
                format!("{:.3}", middle(|run| run.even.late_p50)),
                format!("{p99:.3}"),
                format!("{:.3}", middle(|run| run.even.jitter)),
                format!("{:.3}", middle(|run| run.left_p99)),
                format!("{:.2} %", core * 100.0),
            ]);
        }
    }
    Section {
        title: "Pacing of the media sender".to_owned(),
        how: format!(
            "Pictures as a relay on the way to nginx-rtmp or srt-live-transmit saw them pass (RTMP: the last byte, \
             SRT: the first packet), in ms after their time, against the earliest; jitter is the mean change from \
             one to the next. {}; {}.",
            goal("Goal: sender at 6 Mb/s RTMP under 2 % of a core", cheap),
            goal("on time within 1 ms at p99 at 6 Mb/s", on_time)
        ),
        head: COLUMNS.to_vec(),
        rows,
    }
}

/// The test stream as a file, for those that send files.
fn film(folder: &Path, kbps: u64, seconds: u32) -> PathBuf {
    let path = folder.join(format!("{kbps}.flv"));
    let mut file = std::io::BufWriter::new(File::create(&path).unwrap());
    file.write_all(b"FLV\x01\x05\0\0\0\x09\0\0\0\0").unwrap();
    let end = u64::from(seconds) * 1000;
    for piece in Padded::test_card(kbps).unwrap().take_while(|piece| piece.due_ms < end) {
        file.write_all(&tag(&piece)).unwrap();
    }
    file.flush().unwrap();
    path
}

fn tag(piece: &Piece) -> Vec<u8> {
    let kind = match piece.kind {
        TagKind::Audio => 8,
        TagKind::Video => 9,
        TagKind::Script => 18,
    };
    let length = u32::try_from(piece.body.len()).unwrap();
    let [high, a, b, c] = piece.timestamp().to_be_bytes();
    let head = [&[kind], &length.to_be_bytes()[1..], &[a, b, c, high, 0, 0, 0]].concat();
    [&head, &piece.body[..], &(length + 11).to_be_bytes()].concat()
}

fn ingest() -> (Peer, u16) {
    let port = free_port();
    (nginx(&format!("127.0.0.1:{port}"), "").spawn().await_tcp(port), port)
}

fn listener() -> (Peer, u16) {
    let port = free_port();
    let input = format!("srt://:{port}?mode=listener");
    let peer = Peer::of("srt-live-transmit", "srt-tools").args(["-q", &input, "udp://127.0.0.1:9009"]);
    (peer.spawn().await_udp(port), port)
}

fn rehearse(url: &str, kbps: u64, seconds: u32) -> Result<Take, End> {
    let target: Target = serde_json::from_value(json!({
        "url": url, "publish": "test", "test_key": { "value": "bench" }, "media_kbps": kbps, "seconds": seconds
    }))
    .unwrap();
    let env = golive::probe::Env::bare(golive::model::CheckId::new("bench").unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let reading = runtime.block_on(Rehearsal::measure(&target, &env)).unwrap();
    let take = *reading.take.unwrap_or_else(|| panic!("{:?}", reading.attempts));
    if take.end == End::Complete { Ok(take) } else { Err(take.end) }
}

fn by_golive(take: Result<Take, End>, relay: Relay) -> Result<Run, End> {
    let take = take?;
    let core = take.cpu_ms.unwrap() / take.took_ms;
    Ok(Run { even: evenness(&relay.pictures()), core, left_p99: take.late_p99_ms })
}

fn golive_rtmp(kbps: u64, seconds: u32, _: &Path) -> Result<Run, End> {
    let (_nginx, port) = ingest();
    let relay = Relay::rtmp(port);
    by_golive(rehearse(&format!("rtmp://127.0.0.1:{}/live", relay.port), kbps, seconds), relay)
}

fn golive_srt(kbps: u64, seconds: u32, _: &Path) -> Result<Run, End> {
    let (_listener, port) = listener();
    let relay = Relay::srt(port);
    by_golive(rehearse(&format!("srt://127.0.0.1:{}", relay.port), kbps, seconds), relay)
}

/// A process that is ended when dropped.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ffmpeg(film: &Path) -> Command {
    let mut command = Command::new(need("ffmpeg", "ffmpeg"));
    command.args(["-nostdin", "-hide_banner", "-loglevel", "error", "-re", "-i"]).arg(film);
    command.args(["-c", "copy"]).stdin(Stdio::null());
    command
}

/// Lets them send for so long; the share of a core that they took after the first two seconds.
fn watch(senders: &[Ended], seconds: u32) -> f64 {
    let took = || senders.iter().map(|sender| processor::seconds(sender.0.id())).sum::<f64>();
    std::thread::sleep(Duration::from_secs(2));
    let before = took();
    std::thread::sleep(Duration::from_secs(u64::from(seconds) - 2));
    (took() - before) / f64::from(seconds - 2)
}

fn by_peers(core: f64, relay: Relay) -> Run {
    let even = evenness(&relay.pictures());
    Run { even, core, left_p99: even.late_p99 }
}

fn ffmpeg_rtmp(seconds: u32, film: &Path) -> Run {
    let (_nginx, port) = ingest();
    let relay = Relay::rtmp(port);
    let url = format!("rtmp://127.0.0.1:{}/live/bench", relay.port);
    let sender = ffmpeg(film).args(["-flvflags", "no_duration_filesize", "-f", "flv", &url]).spawn().unwrap();
    by_peers(watch(&[Ended(sender)], seconds), relay)
}

fn srt_live_transmit(seconds: u32, film: &Path) -> Run {
    let (_listener, port) = listener();
    let relay = Relay::srt(port);
    let mut source = ffmpeg(film).args(["-f", "mpegts", "-"]).stdout(Stdio::piped()).spawn().unwrap();
    let stream = source.stdout.take().unwrap();
    let to = format!("srt://127.0.0.1:{}?latency=120", relay.port);
    let sender = Command::new(need("srt-live-transmit", "srt-tools"))
        .args(["-q", "file://con", &to])
        .stdin(stream)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    by_peers(watch(&[Ended(source), Ended(sender)], seconds), relay)
}
