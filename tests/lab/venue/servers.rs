//! Who is reached: the platform's ingests and the golive far end.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde::Deserialize;

use super::odd::Odd;
use super::{address, name};
use crate::ground::authority::{Authority, Certified, Kind, NOW, VARIABLE, Wanted};
use crate::ground::namespace::Namespace;
use crate::ground::peer::{Peer, need};

/// What the platform serves: `[platform]` of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a file")]
pub struct Platform {
    /// The platform is down: nothing listens.
    pub down: bool,
    /// Who vouches for its certificate: the public authority, the company's, itself, or a stranger.
    pub signed_by: Signer,
    /// Authorities between that one and the certificate.
    pub intermediates: usize,
    /// Days from today on which those start and end.
    pub intermediate_days: (i64, i64),
    /// What it sends beside its certificate.
    pub sends: Sends,
    /// Certificate transparency stamps in its certificate.
    pub stamps: usize,
    /// The keys of its certificate and of the authorities between.
    pub keys: Kind,
    /// Its certificate must be stapled (RFC 7633), and its HTTPS server on 8444 does so.
    pub staples: bool,
    /// Days from today on which its certificate starts and ends.
    pub certificate_days: (i64, i64),
    /// The name in its certificate; its own when left out.
    pub certificate_name: Option<String>,
    /// Versions of TLS it speaks, in nginx' words.
    pub tls_versions: String,
    /// Ciphers it speaks, in OpenSSL's words.
    pub ciphers: String,
    /// Protocols that it knows by ALPN, in nginx' words; none when left out.
    pub alpn: Option<String>,
    /// More addresses of its name: a service with many.
    pub addresses: Vec<IpAddr>,
    /// It has no IPv6 address.
    pub no_ipv6: bool,
    /// Latency of its SRT listener, ms.
    pub srt_latency_ms: u32,
    /// More options of its SRT listener, in srt-live-transmit's words.
    pub srt_options: String,
    /// An encoder already publishes over RTMP under this key.
    pub publishing: Option<String>,
    /// Servers that go wrong, each on a port of its own.
    pub odd: Vec<Odd>,
    /// A STAMP reflector that others wrote (stamp-suite), on UDP 862 over IPv4: its arguments.
    pub reflector: Option<Vec<String>>,
    /// A time server (chrony) on UDP 123.
    pub time: bool,
    /// A STUN server (coturn) that knows RFC 5780, on 3478 and 3479 of its two addresses.
    pub stun: bool,
}

impl Default for Platform {
    fn default() -> Self {
        Self {
            down: false,
            signed_by: Signer::Public,
            intermediates: 0,
            intermediate_days: NOW,
            sends: Sends::Chain,
            stamps: 0,
            keys: Kind::Ecdsa,
            staples: false,
            certificate_days: NOW,
            certificate_name: None,
            tls_versions: "TLSv1.2 TLSv1.3".to_owned(),
            ciphers: "ALL:@SECLEVEL=0".to_owned(),
            alpn: None,
            addresses: Vec::new(),
            no_ipv6: false,
            srt_latency_ms: 200,
            srt_options: String::new(),
            publishing: None,
            odd: Vec::new(),
            reflector: None,
            time: false,
            stun: false,
        }
    }
}

/// An RFC 8762 reflector by other hands.
fn reflect(place: &Namespace, more: &[String]) -> Peer {
    Peer::of("stamp-suite", "cargo install --locked stamp-suite@1.0.0")
        .args(["-i", "-S", address::PLATFORM[0], "-o", "862"])
        .args(more)
        .inside(place)
        .spawn()
        .await_udp(862)
}

/// chrony, which tells the time of this machine's clock and leaves that alone.
fn tell_the_time(place: &Namespace) -> Peer {
    let config = "local stratum 1\nallow all\ncmdport 0\nbindcmdaddress /\npidfile chrony.pid\nuser root\n";
    Peer::of("chronyd", "chrony")
        .file("chrony.conf", config)
        .args(["-x", "-d", "-f", "chrony.conf"])
        .inside(place)
        .spawn()
        .await_udp(123)
}

/// coturn on both addresses of one family, so that it can answer from another one (RFC 5780).
fn stun(place: &Namespace, family: usize) -> Peer {
    let [first, second] = [address::PLATFORM, address::BACKUP].map(|both| both[family]);
    Peer::of("turnserver", "coturn")
        .args(["--stun-only", "--no-auth", "--no-tls", "--no-dtls", "--no-tcp", "--no-cli"])
        .args(["-c", "none", "--log-file", "stdout", "--pidfile", "turn.pid", "--userdb", "turn.db"])
        .args(["-L", first, "-L", second, "-p", "3478", "--alt-listening-port", "3479"])
        .inside(place)
        .spawn()
        .await_udp(3478)
}

/// Who vouches for a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signer {
    Public,
    /// An authority that only this company's machines trust.
    Company,
    Itself,
    Stranger,
}

/// What a server sends beside its certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sends {
    /// The authorities up to the root, as it should.
    Chain,
    /// Nothing: who does not know the authorities between cannot build the chain.
    Nothing,
    /// Also the root as an older one vouched for it, which has run out: Let's Encrypt's chain up to
    /// `DST Root CA X3` after 2021-09-30.
    OldCrossSigned,
}

impl Platform {
    /// Starts its servers: RTMP on 1935, RTMPS on 443, HTTP on 80, HTTPS on 8444, SRT on UDP 9000 and 9001; and
    /// the web filter's page beside them.
    pub(super) fn start(&self, place: &Namespace, certified: &Certified, filter: &Certified) -> Vec<Peer> {
        if self.down {
            return Vec::new();
        }
        let mut servers = self.srt(place);
        servers.push(self.nginx(place, certified, filter));
        servers.extend(self.publishing.as_deref().map(|key| publish(place, key)));
        servers.extend(self.reflector.as_deref().map(|more| reflect(place, more)));
        servers.extend(self.time.then(|| tell_the_time(place)));
        if self.stun {
            servers.extend([0, 1].map(|family| stun(place, family)));
        }
        servers
    }

    /// Every address of its name.
    pub(super) fn all_addresses(&self) -> Vec<IpAddr> {
        let own = address::PLATFORM.iter().map(|own| own.parse().unwrap());
        let all = own.chain(self.addresses.iter().copied());
        all.filter(|ip: &IpAddr| ip.is_ipv4() || !self.no_ipv6).collect()
    }

    /// Its certificate.
    pub(super) fn certificate(&self, public: &Authority, company: &Authority) -> Certified {
        let stranger = Authority::new("Nobody's Root");
        let root = match self.signed_by {
            Signer::Public => public,
            Signer::Company => company,
            Signer::Stranger => &stranger,
            Signer::Itself => return Certified::by_itself(self.names()[0]),
        };
        let between: Vec<Authority> = (0..self.intermediates).fold(Vec::new(), |mut between, rank| {
            let above = between.last().unwrap_or(root);
            between.push(above.below(&format!("Lab Authority {rank}"), self.intermediate_days, self.keys));
            between
        });
        let names = self.names();
        let wanted = Wanted {
            names: &names,
            subject: names[0],
            days: self.certificate_days,
            stamps: self.stamps,
            kind: self.keys,
            must_staple: self.staples,
        };
        let issuer = between.last().unwrap_or(root);
        let mut certified = issuer.issue(&wanted);
        certified.staple = self.staples.then(|| issuer.vouches_still(&certified));
        match self.sends {
            Sends::Chain => {}
            Sends::Nothing => certified.certificate = first(&certified.certificate),
            Sends::OldCrossSigned => {
                let old = Authority::new("Lab Root of Old");
                certified.certificate += &root.vouched_by(&old, (-3000, -100));
            }
        }
        certified
    }

    fn names(&self) -> Vec<&str> {
        self.certificate_name.as_deref().map_or_else(|| vec![name::PLATFORM, name::BACKUP], |name| vec![name])
    }

    fn nginx(&self, place: &Namespace, certified: &Certified, filter: &Certified) -> Peer {
        let (versions, ciphers) = (&self.tls_versions, &self.ciphers);
        let alpn = self.alpn.as_ref().map_or_else(String::new, |known| format!("ssl_alpn {known};"));
        let staple = if self.staples { "ssl_stapling on; ssl_stapling_file staple.der;" } else { "" };
        let [filter4, filter6] = address::FILTER;
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
                ssl_ciphers {ciphers}; {alpn}
                proxy_pass 127.0.0.1:1935;
            }} server {{
                listen {filter4}:443 ssl; listen [{filter6}]:443 ssl;
                ssl_certificate filter.pem; ssl_certificate_key filter-key.pem;
                return \"HTTP/1.1 403 Blocked\r\n\r\n\";
            }} }}
            http {{ access_log off; server {{
                listen 80; listen [::]:80 ipv6only=on;
                location / {{ default_type text/plain; return 200 \"live\"; }}
            }} server {{
                listen 8444 ssl; listen [::]:8444 ssl ipv6only=on;
                ssl_certificate certificate.pem; ssl_certificate_key key.pem; {staple}
                return 204;
            }} }}"
        );
        Peer::of("nginx", "nginx-light libnginx-mod-rtmp libnginx-mod-stream")
            .file("nginx.conf", config)
            .file("certificate.pem", &certified.certificate)
            .file("key.pem", &certified.key)
            .file("staple.der", certified.staple.as_deref().unwrap_or_default())
            .file("filter.pem", &filter.certificate)
            .file("filter-key.pem", &filter.key)
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

/// The first certificate of several.
fn first(pem: &str) -> String {
    const END: &str = "-----END CERTIFICATE-----\n";
    pem.split_inclusive(END).next().unwrap_or(pem).to_owned()
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
    /// arguments before golive's own, `more` are arguments for the far end. `public` is the file of the
    /// authority that it knows as a public one.
    pub(super) fn start(place: &Namespace, golive: &[PathBuf], more: &[String], public: &Path) -> Self {
        let shell = "exec \"$@\" far-end --listen [::]:8443 --state state";
        let shell = format!("{shell} {}", more.join(" "));
        let peer = Peer::of("sh", "dash")
            .args(["-c", &shell, "golive"])
            .args(golive)
            .env(VARIABLE, public)
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
