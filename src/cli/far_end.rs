//! `golive far-end`: what IT runs in a cloud or at the studio.

use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use super::{exit, session};
use crate::farend::log::Log;
use crate::farend::notary::Allowed;
use crate::farend::session::Caps;
use crate::farend::{Addresses, Config, FarEnd, Running, StartError};
use crate::net::tls::Roots;

/// Serve as the far end: see what arrives from a venue.
///
/// Control and upload (TCP) and STAMP (UDP) share one port; RTMP and SRT ingests that count test
/// media listen beside it. It prints what the policy needs: address, pin and token. Nobody without
/// the token gets a reply larger than what was sent; every session is capped in bytes and time.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address and port for control, upload and STAMP, such as 0.0.0.0:8443.
    #[arg(long, value_name = "ADDR")]
    listen: SocketAddr,
    /// Folder that keeps its key and token; made if it is not there.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// Port of the RTMP ingest, or `none`.
    #[arg(long, value_name = "PORT", default_value = "1935", value_parser = port)]
    rtmp: Port,
    /// Port of the SRT ingest (UDP), or `none`.
    #[arg(long, value_name = "PORT", default_value = "9000", value_parser = port)]
    srt: Port,
    /// Host whose TLS this far end looks at for who has the token, such as live.example.com,
    /// *.example.com or live.example.com:8443; may be given several times. No other is ever
    /// contacted.
    #[arg(long, value_name = "HOST")]
    notary: Vec<Allowed>,
    /// Sessions at once.
    #[arg(long, value_name = "N", default_value_t = Caps::default().sessions)]
    max_sessions: usize,
    /// Megabytes that one session may send.
    #[arg(long, value_name = "MB", default_value_t = Caps::default().each.bytes / 1_000_000)]
    max_megabytes: u64,
    /// Seconds that one session may last.
    #[arg(long, value_name = "S", default_value_t = Caps::default().each.seconds)]
    max_seconds: u32,
}

/// A port of an optional service.
#[derive(Debug, Clone, Copy)]
struct Port(Option<u16>);

fn port(text: &str) -> Result<Port, String> {
    match text {
        "none" => Ok(Port(None)),
        number => number
            .parse()
            .map(|port| Port(Some(port)))
            .map_err(|_| "a port from 0 to 65535, or none".to_owned()),
    }
}

impl Args {
    fn config(&self) -> Config {
        let beside = |port: Port| port.0.map(|port| SocketAddr::new(self.listen.ip(), port));
        let mut caps = Caps { sessions: self.max_sessions, ..Caps::default() };
        caps.each.bytes = self.max_megabytes.saturating_mul(1_000_000);
        caps.each.seconds = self.max_seconds;
        Config {
            listen: self.listen,
            rtmp: beside(self.rtmp),
            srt: beside(self.srt),
            state: Some(self.state.clone()),
            caps,
            notary: self.notary.clone(),
            roots: Roots::system(),
            log: Log::to(|notice| {
                // A log that went away (a closed pipe) is no reason to stop serving.
                let _ = writeln!(io::stdout(), "{} {notice}", crate::net::clock::now().strftime("%F %TZ"));
            }),
        }
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    session::runtime()?.block_on(async {
        let running = FarEnd::start(args.config()).await.map_err(|error| unstarted(&error))?;
        announce(&running)?;
        session::signal().await;
        running.stop().await;
        Ok(ExitCode::SUCCESS)
    })
}

fn unstarted(error: &StartError) -> exit::Failure {
    exit::Failure::new(exit::SOFTWARE, format!("the far end cannot start: {error}"))
}

/// What the policy needs, ready to be pasted. The one place where the token is shown: on the
/// screen of the person who runs the far end, never in a log of a run.
fn announce(running: &Running) -> io::Result<()> {
    let Addresses { control, rtmp, srt } = running.addresses;
    let mut out = io::stdout().lock();
    writeln!(out, "golive far end: control and upload on TCP {control}, STAMP on UDP {control}")?;
    for (what, address) in [("RTMP test ingest on TCP", rtmp), ("SRT test ingest on UDP", srt)] {
        if let Some(address) = address {
            writeln!(out, "                {what} {address}")?;
        }
    }
    writeln!(out, "\nPut this into the policy, with a name of your choice:\n")?;
    writeln!(out, "[far_end.cloud]")?;
    writeln!(
        out,
        "address = \"{}\"{}",
        public(control),
        if unnamed(control.ip()) { " # this host as the venue reaches it" } else { "" }
    )?;
    writeln!(out, "pin = \"{}\"", running.pin)?;
    writeln!(out, "token = {{ env = \"GOLIVE_TOKEN\" }}\n")?;
    writeln!(
        out,
        "and hand the token to who runs the check:\n\nexport GOLIVE_TOKEN={}\n",
        running.token.reveal()
    )?;
    writeln!(
        out,
        "Test streams to its ingests (publish = \"test\") use the key {}\n",
        running.media_key.reveal()
    )?;
    writeln!(out, "Ctrl-C ends it. What is refused is said here:")?;
    out.flush()
}

fn unnamed(ip: IpAddr) -> bool {
    ip.is_unspecified()
}

fn public(address: SocketAddr) -> String {
    if unnamed(address.ip()) { format!("HOST:{}", address.port()) } else { address.to_string() }
}
