//! Who is reached: the platform's ingests and the golive far end.

use std::path::PathBuf;

use rustix::process::Signal;
use serde::Deserialize;

use super::odd::Odd;
use super::{address, name};
use crate::ground::authority::{Authority, Certified, NOW};
use crate::ground::namespace::Namespace;
use crate::ground::peer::{Peer, need};

/// What the platform serves: `[platform]` of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Platform {
    /// The platform is down: nothing listens.
    pub down: bool,
    /// Who vouches for its certificate: the public authority, itself, or a stranger.
    pub signed_by: Signer,
    /// Days from today on which its certificate starts and ends.
    pub certificate_days: (i64, i64),
    /// The name in its certificate; its own when left out.
    pub certificate_name: Option<String>,
    /// Versions of TLS it speaks, in nginx' words.
    pub tls_versions: String,
    /// Latency of its SRT listener, ms.
    pub srt_latency_ms: u32,
    /// More options of its SRT listener, in srt-live-transmit's words.
    pub srt_options: String,
    /// An encoder already publishes over RTMP under this key.
    pub publishing: Option<String>,
    /// Servers that go wrong, each on a port of its own.
    pub odd: Vec<Odd>,
}

impl Default for Platform {
    fn default() -> Self {
        Self {
            down: false,
            signed_by: Signer::Public,
            certificate_days: NOW,
            certificate_name: None,
            tls_versions: "TLSv1.2 TLSv1.3".to_owned(),
            srt_latency_ms: 200,
            srt_options: String::new(),
            publishing: None,
            odd: Vec::new(),
        }
    }
}

/// Who vouches for a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signer {
    Public,
    Itself,
    Stranger,
}

impl Platform {
    /// Starts its servers: RTMP on 1935, RTMPS on 443, HTTP on 80, SRT on UDP 9000 and 9001.
    pub(super) fn start(&self, place: &Namespace, public: &Authority) -> Vec<Peer> {
        if self.down {
            return Vec::new();
        }
        let mut servers = self.srt(place);
        servers.push(self.nginx(place, &self.certificate(public)));
        servers.extend(self.publishing.as_deref().map(|key| publish(place, key)));
        servers
    }

    fn certificate(&self, public: &Authority) -> Certified {
        let name = self.certificate_name.as_deref().unwrap_or(name::PLATFORM);
        match self.signed_by {
            Signer::Public => public.certify(name, name, self.certificate_days),
            Signer::Itself => Certified::by_itself(name),
            Signer::Stranger => Authority::new("Nobody's Root").certify(name, name, self.certificate_days),
        }
    }

    fn nginx(&self, place: &Namespace, certified: &Certified) -> Peer {
        let versions = &self.tls_versions;
        let config = format!(
            "load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
            load_module /usr/lib/nginx/modules/ngx_stream_module.so;
            user root;
            daemon off; master_process off;
            worker_processes 1;
            pid nginx.pid;
            error_log error.log info;
            events {{ worker_connections 256; }}
            rtmp {{ access_log off; server {{
                listen 1935; listen [::]:1935 ipv6only=on;
                application live2 {{ live on; }}
                application closed {{ live on; deny publish all; }}
            }} }}
            stream {{ server {{
                listen 443 ssl; listen [::]:443 ssl ipv6only=on;
                ssl_certificate certificate.pem; ssl_certificate_key key.pem; ssl_protocols {versions};
                ssl_ciphers ALL:@SECLEVEL=0;
                proxy_pass 127.0.0.1:1935;
            }} }}
            http {{ access_log off; server {{
                listen 80; listen [::]:80 ipv6only=on;
                location / {{ default_type text/plain; return 200 \"live\"; }}
            }} }}"
        );
        Peer::of("nginx", "nginx-light libnginx-mod-rtmp libnginx-mod-stream")
            .file("nginx.conf", config)
            .file("certificate.pem", &certified.certificate)
            .file("key.pem", &certified.key)
            .args(["-p", ".", "-c", "nginx.conf", "-e", "error.log"])
            .inside(place)
            .spawn()
            .await_tcp(1935)
            .await_tcp(443)
    }

    /// srt-live-transmit serves one caller at a time and is deaf for a moment after each: one
    /// listener for each address, and a port of its own for checks of the firewall's rules.
    fn srt(&self, place: &Namespace) -> Vec<Peer> {
        let [v4, v6] = address::PLATFORM;
        let [backup4, backup6] = address::BACKUP;
        let ingests = [(v4, 9000), (v6, 9000), (backup4, 9000), (backup6, 9000)];
        ingests.into_iter().chain([(v4, 9001), (v6, 9001)]).map(|at| self.srt_at(place, at)).collect()
    }

    fn srt_at(&self, place: &Namespace, (address, port): (&str, u16)) -> Peer {
        let host = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
        let (latency, options) = (self.srt_latency_ms, &self.srt_options);
        let input = format!("srt://{host}:{port}?mode=listener&transtype=live&latency={latency}{options}");
        Peer::of("srt-live-transmit", "srt-tools")
            .args(["-q", &input, "file://con"])
            .inside(place)
            .spawn()
            .await_udp(port)
    }
}

/// ffmpeg as the encoder that is on the air already.
fn publish(place: &Namespace, key: &str) -> Peer {
    Peer::of("ffmpeg", "ffmpeg")
        .args(["-nostdin", "-v", "error", "-progress", "pipe:1", "-re"])
        .args(["-f", "lavfi", "-i", "testsrc=size=64x36:rate=10", "-c:v", "libx264", "-preset", "ultrafast"])
        .args(["-f", "flv", &format!("rtmp://127.0.0.1:1935/live2/{key}")])
        .inside(place)
        .spawn()
        .await_log("frame=1")
}

/// A running `golive far-end`.
pub struct FarEnd {
    peer: Peer,
    /// What policies pin.
    pub pin: String,
    /// Its secrets, for the runner's files.
    pub token: String,
    pub media_key: String,
}

impl FarEnd {
    /// Starts it on port 8443, its ingests on 1935 and 9000. `golive` is the program and the
    /// arguments before golive's own, `more` are arguments for the far end.
    pub(super) fn start(place: &Namespace, golive: &[PathBuf], more: &[String]) -> Self {
        let shell = "exec \"$@\" far-end --listen [::]:8443 --state state";
        let shell = format!("{shell} {}", more.join(" "));
        let peer = Peer::of("sh", "dash")
            .args(["-c", &shell, "golive"])
            .args(golive)
            .inside(place)
            .spawn()
            .await_log("Ctrl-C ends it");
        let said = peer.log();
        let after = |mark: &str| {
            let rest = said.split(mark).nth(1).unwrap_or_else(|| panic!("no {mark:?} in {said}"));
            rest.split(['"', '\n', ' ']).next().unwrap().to_owned()
        };
        Self { pin: after("pin = \""), token: after("GOLIVE_TOKEN="), media_key: after("use the key "), peer }
    }

    /// Sends it a signal: to end it as an operator would, or to kill it.
    pub fn signal(&self, signal: Signal) {
        self.peer.signal(signal);
    }
}
