//! The demo's peers: a far end with RTMP and SRT ingest, a name server and a time server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::farend::name_server::NameServer;
use crate::farend::time_server::TimeServer;
use crate::farend::{Config, FarEnd, Running};

/// Folder of the far end's key and token, below the run's; removed when the demo ends.
const STATE: &str = "far-end";
/// File with the ports, in that folder, so that a resume finds the same peers.
const PORTS: &str = "ports.json";

/// What `policies/demo.toml` has in the place of what is known only when the peers run:
/// ports and pin. Its secret files lie beside it.
const CONTROL: &str = "18443";
const RTMP: &str = "11935";
const SRT: &str = "16001";
const NAMES: &str = "15353";
const TIME: &str = "10123";
const PIN: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// Where the peers listen; all zero before the first start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Ports {
    control: u16,
    rtmp: u16,
    srt: u16,
    names: u16,
    #[serde(default)]
    time: u16,
}

/// The peers, running.
#[derive(Debug)]
pub(in crate::cli) struct World {
    far_end: Running,
    ports: Ports,
    state: PathBuf,
    stop: CancellationToken,
}

/// True when `folder` holds a demo that did not end.
pub(super) fn is_demo(folder: &Path) -> bool {
    folder.join(STATE).join(PORTS).exists()
}

/// Answers dated now: the demo's people answer today.
pub(super) fn answers(text: &str, now: jiff::Timestamp) -> String {
    text.replace("2026-11-22T10:00:00Z", &now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

impl World {
    /// Starts the peers; on the ports and with the keys of an earlier start in `folder`, if there was one.
    pub(in crate::cli) async fn start(folder: &Path) -> anyhow::Result<Self> {
        let state = std::path::absolute(folder.join(STATE))?;
        let file = state.join(PORTS);
        let known: Ports = match std::fs::read(&file) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged", file.display()))?
            }
            Err(_) => Ports::default(),
        };
        let config = Config {
            listen: local(known.control),
            rtmp: Some(local(known.rtmp)),
            srt: Some(local(known.srt)),
            state: Some(state.clone()),
            ..Config::loopback()
        };
        let far_end = FarEnd::start(config).await.context("the demo's far end could not start")?;
        let stop = CancellationToken::new();
        let names = vec![("ingest.golive.test".to_owned(), IpAddr::V4(Ipv4Addr::LOCALHOST))];
        let server = NameServer::bind(local(known.names), names)
            .await
            .context("the demo's name server could not start")?;
        let clock =
            TimeServer::bind(local(known.time)).await.context("the demo's time server could not start")?;
        let port = |address: Option<SocketAddr>| address.map_or(0, |address| address.port());
        let ports = Ports {
            control: far_end.addresses.control.port(),
            rtmp: port(far_end.addresses.rtmp),
            srt: port(far_end.addresses.srt),
            names: server.address()?.port(),
            time: clock.address()?.port(),
        };
        tokio::spawn(server.serve(stop.clone()));
        tokio::spawn(clock.serve(stop.clone()));
        private(&state.join("media-key"), far_end.media_key.reveal())?;
        let json = serde_json::to_vec(&ports)?;
        std::fs::write(&file, json).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(Self { far_end, ports, state, stop })
    }

    /// The policy with these peers' addresses and pin in it.
    pub(super) fn policy(&self, text: &str) -> String {
        let ports = self.ports;
        let mut text = text.to_owned();
        for (placeholder, port) in [
            (CONTROL, ports.control),
            (RTMP, ports.rtmp),
            (SRT, ports.srt),
            (NAMES, ports.names),
            (TIME, ports.time),
        ] {
            text = text.replace(placeholder, &port.to_string());
        }
        text.replace(PIN, &self.far_end.pin.to_string())
    }

    /// Stops the peers and removes their key and token.
    pub(in crate::cli) async fn stop(self) {
        self.stop.cancel();
        self.far_end.stop().await;
        // What stays behind is a key and a token that open nothing any more.
        let _ = std::fs::remove_dir_all(&self.state);
    }
}

/// Writes a secret that only this user may read.
fn private(file: &Path, secret: &str) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(file)
        .and_then(|mut open| std::io::Write::write_all(&mut open, secret.as_bytes()))
        .with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_has_every_placeholder() {
        for placeholder in [CONTROL, RTMP, TIME, PIN, STATE] {
            assert!(super::super::POLICY.contains(placeholder), "{placeholder}");
        }
        assert!(super::super::ANSWERS.contains("2026-11-22T10:00:00Z"));
    }
}
