//! The encoder: a real ffmpeg that sends the file as it plays.

use std::process::Command;

use crate::ground::namespace::Namespace;
use crate::ground::peer::{Peer, need};

/// A running ffmpeg.
pub struct Sender {
    peer: Peer,
    laptop: String,
}

/// What the kernel says of the sender's TCP connection.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Socket {
    pub congestion_control: String,
    pub rtt_ms: f64,
    pub bytes_sent: u64,
    pub bytes_resent: u64,
}

impl Sender {
    /// Plays `file` in real time, again and again, as `format` to `address`.
    pub fn start(laptop: &Namespace, file: &std::path::Path, format: &str, address: &str) -> Self {
        let peer = Peer::of("ffmpeg", "ffmpeg")
            .args(["-nostdin", "-hide_banner", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i"])
            .args([file])
            .args(["-c", "copy", "-flvflags", "no_duration_filesize", "-f", format, address])
            .inside(laptop)
            .spawn();
        Self { peer, laptop: laptop.name().to_owned() }
    }

    /// What it said last, once it has ended.
    pub fn ended(&mut self) -> Option<String> {
        let status = self.peer.ended()?;
        let log = self.peer.log();
        Some(log.lines().last().map_or_else(|| status.to_string(), |line| line.trim().to_owned()))
    }

    /// Its connection, as `ss` shows it; none when it has none.
    pub fn socket(&self) -> Option<Socket> {
        let mut command = Command::new(need("ip", "iproute2"));
        command.args(["netns", "exec", &self.laptop]).arg(need("ss", "iproute2")).arg("-tinpHO");
        let output = command.output().ok()?;
        let owner = format!("pid={},", self.peer.pid());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().find(|line| line.contains(&owner)).map(socket)
    }
}

/// Reads a line of `ss -tinpHO`: the congestion control follows the owner.
pub fn socket(line: &str) -> Socket {
    let details = line.rsplit_once("))").map_or(line, |(_, details)| details);
    let field = |name: &str| {
        details
            .split_whitespace()
            .find_map(|word| word.strip_prefix(name)?.strip_prefix(':'))
            .unwrap_or_default()
    };
    let number = |name| field(name).parse().unwrap_or_default();
    // Options come without a value before it (`ts sack`), or after it with one (`wscale:7,7`).
    let options = ["ts", "sack", "ecn", "ecnseen", "fastopen"];
    let control = details.split_whitespace().find(|word| !options.contains(word)).unwrap_or_default();
    Socket {
        congestion_control: control.to_owned(),
        rtt_ms: field("rtt").split('/').next().and_then(|rtt| rtt.parse().ok()).unwrap_or_default(),
        bytes_sent: number("bytes_sent"),
        bytes_resent: number("bytes_retrans"),
    }
}
