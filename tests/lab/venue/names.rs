//! The world's DNS: one unbound that knows every name here, over UDP, TCP, TLS and HTTPS.

use std::fmt::Write as _;

use super::{Platform, address, name};
use crate::ground::authority::Certified;
use crate::ground::namespace::Namespace;
use crate::ground::peer::Peer;
use crate::ground::zones::SIGNED;

/// Starts it on port 53, over TLS on 853 and over HTTPS on 443.
pub fn start(place: &Namespace, certified: &Certified, platform: &Platform) -> Peer {
    let mut records: String = [
        (name::BACKUP, address::BACKUP),
        (name::CLOUD, address::CLOUD),
        (name::NAMES, address::NAMES),
        (name::TWIN, address::PLATFORM),
        (name::TWIN, address::BACKUP),
    ]
    .iter()
    .map(|(name, [v4, v6])| {
        format!(" local-data: \"{name}. 60 IN A {v4}\"\n local-data: \"{name}. 60 IN AAAA {v6}\"\n")
    })
    .collect();
    for ip in platform.all_addresses() {
        let kind = if ip.is_ipv4() { "A" } else { "AAAA" };
        let _ = writeln!(records, " local-data: \"{}. 60 IN {kind} {ip}\"", name::PLATFORM);
    }
    // A name that has no address, though it exists.
    records += " local-data: \"mail.example.com. 60 IN MX 10 live.example.com.\"\n";
    // A domain under which every name exists.
    let [wild, _] = address::FILTER;
    let _ = write!(
        records,
        " local-zone: \"wild.example.net.\" redirect\n local-data: \"wild.example.net. 60 IN A {wild}\"\n"
    );
    let zones: String = ["com.", "net.", "org.", "golive.example.", "wpad."]
        .iter()
        .map(|zone| format!(" local-zone: \"{zone}\" static\n"))
        .collect();
    let signed: String = SIGNED
        .iter()
        .map(|(zone, _)| {
            format!(
                "auth-zone:\n name: \"{zone}\"\n zonefile: \"{zone}.zone\"\n for-downstream: yes\n \
                 for-upstream: no\n"
            )
        })
        .collect();
    let config = format!(
        "server:\n chroot: \"\"\n username: \"\"\n directory: \".\"\n pidfile: \"unbound.pid\"\n \
         do-daemonize: no\n use-syslog: no\n logfile: \"\"\n module-config: \"iterator\"\n num-threads: 1\n \
         interface: 0.0.0.0@53\n interface: ::0@53\n interface: 0.0.0.0@853\n interface: ::0@853\n \
         interface: 0.0.0.0@443\n interface: ::0@443\n \
         interface-automatic: yes\n interface-automatic-ports: \"53 853 443\"\n \
         tls-port: 853\n https-port: 443\n tls-service-key: \"key.pem\"\n tls-service-pem: \"certificate.pem\"\n \
         access-control: 0.0.0.0/0 allow\n access-control: ::0/0 allow\n\
         {zones}{records}\n{signed}remote-control:\n control-enable: no\n"
    );
    let mut peer = Peer::of("unbound", "unbound");
    for (zone, content) in SIGNED {
        peer = peer.file(&format!("{zone}.zone"), content);
    }
    peer.file("unbound.conf", config)
        .file("certificate.pem", &certified.certificate)
        .file("key.pem", &certified.key)
        .args(["-d", "-p", "-c", "unbound.conf"])
        .inside(place)
        .spawn()
        .await_udp(53)
        .await_tcp(853)
        .await_tcp(443)
}
