//! squid: intercepting HTTP, intercepting TLS, or asked for.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, KeyUsagePurpose};

use crate::ground::peer::Peer;
use crate::middlebox::{Part, Place};

/// What it listens to.
#[derive(Default)]
pub(super) struct Gate<'a> {
    /// Redirected HTTP.
    pub(super) http: Option<u16>,
    /// Redirected TLS.
    pub(super) tls: Option<u16>,
    /// Server names that it leaves alone.
    pub(super) bypass: &'a [String],
    /// Who asks it, and to which ports it connects.
    pub(super) explicit: Option<(u16, &'a [u16])>,
    /// Who asks it must show a name and password.
    pub(super) asks: bool,
}

/// squid drops root for this user, who therefore must own what it writes; and it makes a
/// directory of the certificates that it signed. It never removes its shared memory, which
/// therefore is one that goes with it: `ip netns exec` gives each program mounts of its own.
const START: &str = "certgen=/usr/lib/squid/security_file_certgen; \
    [ -x $certgen ] || { echo 'apt-get install -y squid-openssl'; exit 1; }; \
    mount -t tmpfs tmpfs /dev/shm && chmod 755 . && mkdir own && chown proxy own && \
    setpriv --reuid=proxy --regid=proxy --clear-groups $certgen -c -s own/certificates -M 4MB && \
    exec squid -N -f squid.conf";

/// A running squid, with the log that it writes as another user.
pub(super) struct Squid(Peer);

impl Part for Squid {
    fn said(&self) -> String {
        let served = std::fs::read_to_string(self.0.dir().join("own/access.log")).unwrap_or_default();
        self.0.log() + &served
    }
}

/// Starts it; returns its authority, too.
pub(super) fn start(place: &Place, gate: &Gate) -> (Squid, String) {
    crate::ground::peer::need("squid", "squid-openssl");
    let (authority, key) = authority();
    let setup = Peer::of("sh", "dash");
    let config = config(place, gate, setup.dir().to_str().unwrap());
    let port = gate.http.or(gate.tls).or(gate.explicit.map(|(port, _)| port)).unwrap();
    let peer = setup
        .file("squid.conf", config)
        .file("authority.pem", authority.clone() + &key)
        .file("public.pem", place.public.pem())
        .args(["-c", START])
        .inside(place.namespace)
        .spawn()
        .await_tcp(port);
    (Squid(peer), authority)
}

fn config(place: &Place, gate: &Gate, dir: &str) -> String {
    let Place { address4, address6, .. } = place;
    let resolvers: Vec<String> = place.resolvers.iter().map(|to| to.ip().to_string()).collect();
    let mut config = format!(
        "pid_filename none\ncache deny all\npinger_enable off\nshutdown_lifetime 0 seconds\n\
         cache_log {dir}/own/cache.log\naccess_log stdio:{dir}/own/access.log\ncoredump_dir {dir}/own\n\
         visible_hostname gateway.venue.example\ndns_nameservers {}\ndns_timeout 5 seconds\n\
         tls_outgoing_options cafile={dir}/public.pem\nacl connects method CONNECT\n",
        resolvers.join(" ")
    );
    let both = [address4.to_string(), format!("[{address6}]")];
    let mut line = |text: String| config = std::mem::take(&mut config) + &text + "\n";
    if gate.http.is_some() || gate.tls.is_some() {
        // squid wants a port that it may name in its own pages.
        line(format!("http_port 127.0.0.1:{}", crate::ground::peer::free_port()));
    }
    for address in &both {
        if let Some(port) = gate.http {
            line(format!("http_port {address}:{port} intercept"));
        }
        if let Some(port) = gate.tls {
            line(format!(
                "https_port {address}:{port} intercept ssl-bump tls-cert={dir}/authority.pem \
                 generate-host-certificates=on dynamic_cert_mem_cache_size=1MB"
            ));
        }
        if let Some((port, _)) = gate.explicit {
            line(format!("http_port {address}:{port}"));
        }
    }
    if gate.tls.is_some() {
        line(format!(
            "sslcrtd_program /usr/lib/squid/security_file_certgen -s {dir}/own/certificates -M 4MB"
        ));
        line(
            "sslcrtd_children 1 startup=1 idle=1\nacl hello at_step SslBump1\nssl_bump peek hello".to_owned(),
        );
        if !gate.bypass.is_empty() {
            let names: Vec<String> = gate.bypass.iter().map(|name| format!(".{name}")).collect();
            line(format!("acl let_alone ssl::server_name {}\nssl_bump splice let_alone", names.join(" ")));
        }
        line("ssl_bump bump all".to_owned());
    }
    if gate.asks {
        line("auth_param basic program /usr/lib/squid/basic_fake_auth".to_owned());
        line(
            "auth_param basic realm gateway\nacl known proxy_auth REQUIRED\nhttp_access deny !known"
                .to_owned(),
        );
    }
    if let Some((_, ports)) = gate.explicit {
        let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
        line(format!("acl allowed port {}\nhttp_access deny connects !allowed", ports.join(" ")));
    }
    line("http_access allow all".to_owned());
    config
}

/// A venue's own, with a name that tells nobody which product signs.
fn authority() -> (String, String) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::OrganizationName, "Example Venue");
    params.distinguished_name.push(DnType::CommonName, "Example Venue Web Gateway");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}
