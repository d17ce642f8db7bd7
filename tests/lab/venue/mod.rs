//! The lab's world: a venue with two ways out, an internet, and who is reached there.
//!
//! ```text
//! laptop ──── router ─────── building ═══ uplink ═══ internet ──┬── platform   ingests
//!   │ eth0    NAT, resolver  firewall     (emulated)    │       ├── cloud      golive far end
//!   │ wwan0                                             │       └── names      DNS of the world
//!   └──────── cell ══════════ emulated ═════════════════┘
//! ```
//!
//! Each box is a network namespace of its own; everything is dual stack. Addresses look public
//! where an internet's would be, since golive tells private ones apart; they exist only here.

mod names;
mod odd;
mod servers;
mod vpn;

use std::path::PathBuf;

use crate::ground::authority::{Authority, Certified, NOW};
use crate::ground::namespace::Namespace;
use crate::ground::peer::{Peer, need};
use crate::wan::{Line, Wan};

pub use servers::{FarEnd, Platform};

/// Addresses of the world, IPv4 and IPv6.
pub mod address {
    pub const LAPTOP: [&str; 2] = ["192.168.10.20", "2a00:10::20"];
    pub const LAPTOP_CELL: [&str; 2] = ["192.168.77.20", "2a00:77::20"];
    pub const ROUTER: [&str; 2] = ["192.168.10.1", "2a00:10::1"];
    pub const CELL: [&str; 2] = ["192.168.77.1", "2a00:77::1"];
    /// The ingest.
    pub const PLATFORM: [&str; 2] = ["45.50.0.10", "2a00:50::10"];
    /// The backup ingest, on the same machine.
    pub const BACKUP: [&str; 2] = ["45.50.0.11", "2a00:50::11"];
    /// Where web filters send who may not go where they wanted to.
    pub const FILTER: [&str; 2] = ["45.50.0.66", "2a00:50::66"];
    /// The golive far end.
    pub const CLOUD: [&str; 2] = ["45.60.0.10", "2a00:60::10"];
    /// The world's name server.
    pub const NAMES: [&str; 2] = ["45.53.0.53", "2a00:53::53"];
}

/// Names of the world.
pub mod name {
    pub const PLATFORM: &str = "live.example.com";
    pub const BACKUP: &str = "backup.example.com";
    pub const CLOUD: &str = "cloud.example.net";
    pub const NAMES: &str = "dot.example.org";
    /// An ingest of two machines: the addresses of both.
    pub const TWIN: &str = "twin.example.com";
    pub const FILTER: &str = "blocked.example.net";
}

/// What a venue is built with.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The wire between building and internet.
    pub uplink: Line,
    /// The wire between the cellular router and the internet.
    pub backup: Line,
    /// What the platform serves.
    pub platform: Platform,
    /// The laptop has no IPv6.
    pub no_ipv6: bool,
    /// What the laptop sends by; CUBIC when left out.
    pub congestion_control: Option<String>,
    /// More arguments of the far end.
    pub far_end: Vec<String>,
    /// An iperf3 server stands beside the far end.
    pub iperf3: bool,
    /// Routes that the laptop has beside its own: `prohibit 45.50.0.10`.
    pub routes: Vec<String>,
    /// The laptop has no IPv4.
    pub no_ipv4: bool,
    /// A VPN with a tunnel of this MTU has its default route.
    pub vpn_mtu: Option<u32>,
}

/// The world, until dropped.
pub struct Venue {
    // Servers end before the namespaces that they run in.
    pub far_end: FarEnd,
    _names: Peer,
    _iperf3: Option<Peer>,
    ingests: Vec<Peer>,
    _odd: Vec<odd::Running>,
    pub uplink: Wan,
    pub backup: Wan,
    pub laptop: Namespace,
    pub router: Namespace,
    pub building: Namespace,
    pub internet: Namespace,
    pub cell: Namespace,
    pub platform: Namespace,
    pub cloud: Namespace,
    pub names: Namespace,
    /// Who signs for the public servers.
    pub public: Authority,
    /// The public authority's certificate in a file.
    pub public_file: PathBuf,
    /// Who signs for the company's own servers: its machines trust this one, too.
    pub company: Authority,
    /// What a policy writes to pin the platform's key.
    pub platform_pin: String,
    _folder: tempfile::TempDir,
}

impl Venue {
    /// Builds it. `golive` is the program and the arguments before golive's own.
    pub fn build(plan: &Plan, golive: &[PathBuf]) -> Self {
        let [laptop, router, building, internet] = std::array::from_fn(|_| Namespace::new());
        let [cell, platform, cloud, names] = std::array::from_fn(|_| Namespace::new());
        wire(&laptop, &router, &building, &internet, &cell, [&platform, &cloud, &names]);
        let uplink = Wan::lay(
            &plan.uplink,
            (&building, "out0", &["45.31.0.1/30", "2a00:31::1/64"]),
            (&internet, "isp0", &["45.31.0.2/30", "2a00:31::2/64"]),
        );
        let backup = Wan::lay(
            &plan.backup,
            (&cell, "out0", &["45.41.0.1/30", "2a00:41::1/64"]),
            (&internet, "isp1", &["45.41.0.2/30", "2a00:41::2/64"]),
        );
        route(&router, &building, &internet, &cell);
        ways_out(&laptop, plan.congestion_control.as_deref().unwrap_or("cubic"));
        laptop.resolvers(&[address::ROUTER[0]]);
        cloud.resolvers(&[address::NAMES[0]]);
        add_routes(&laptop, &plan.routes);
        keep_families(&laptop, plan);
        if let Some(mtu) = plan.vpn_mtu {
            vpn::lay(&laptop, &router, mtu);
        }
        for address in &plan.platform.addresses {
            let length = if address.is_ipv4() { 24 } else { 64 };
            platform.ip(&["address", "add", &format!("{address}/{length}"), "dev", "net0"]);
        }
        for (outside, network) in [(&platform, "50"), (&cloud, "60"), (&names, "53")] {
            outside.route("default", &format!("45.{network}.0.1"));
            outside.route("default", &format!("2a00:{network}::1"));
        }

        let folder = tempfile::Builder::new().prefix("golive-venue-").tempdir().unwrap();
        let public = Authority::new("Lab Public Root");
        let public_file = folder.path().join("public.pem");
        std::fs::write(&public_file, public.pem()).unwrap();
        let company = Authority::new("The Company's Root");
        let sign = |name: &str| public.certify(name, name, NOW);
        let world_names = names::start(&names, &sign(name::NAMES), &plan.platform);
        let certified = plan.platform.certificate(&public, &company);
        let ingests = plan.platform.start(&platform, &certified, &sign(name::FILTER));
        platform.rules(&only_the_web_at_the_filter());
        let far_end = FarEnd::start(&cloud, golive, &plan.far_end, &public_file);
        let iperf3 = plan
            .iperf3
            .then(|| Peer::of("iperf3", "iperf3").args(["-s"]).inside(&cloud).spawn().await_tcp(5201));
        let odd = plan.platform.odd.iter().map(|odd| odd.start(&platform)).collect();
        for place in [&laptop, &router, &building, &internet, &cell, &platform, &cloud, &names] {
            place.settle();
        }
        Self {
            far_end,
            _names: world_names,
            _iperf3: iperf3,
            ingests,
            _odd: odd,
            uplink,
            backup,
            laptop,
            router,
            building,
            internet,
            cell,
            platform,
            cloud,
            names,
            public,
            public_file,
            company,
            platform_pin: certified.pin(),
            _folder: folder,
        }
    }

    /// Ends the platform's servers, so that others can take their ports.
    pub fn stop_platform(&mut self) {
        self.ingests.clear();
    }

    /// Starts the lines' clocks again: outages, bursts, boosts and policers begin anew.
    pub fn restart_lines(&self) {
        self.uplink.restart();
        self.backup.restart();
    }

    /// A certificate of the public authority for a name.
    pub fn certify(&self, name: &str) -> Certified {
        self.public.certify(name, name, NOW)
    }
}

fn wire(
    laptop: &Namespace,
    router: &Namespace,
    building: &Namespace,
    internet: &Namespace,
    cell: &Namespace,
    outside: [&Namespace; 3],
) {
    let [platform, cloud, names] = outside;
    Namespace::join(
        (laptop, "eth0", &["192.168.10.20/24", "2a00:10::20/64"]),
        (router, "lan0", &["192.168.10.1/24", "2a00:10::1/64"]),
    );
    Namespace::join(
        (router, "wan0", &["45.30.0.2/29", "2a00:30::2/64"]),
        (building, "in0", &["45.30.0.1/29", "2a00:30::1/64"]),
    );
    Namespace::join(
        (laptop, "wwan0", &["192.168.77.20/24", "2a00:77::20/64"]),
        (cell, "lan0", &["192.168.77.1/24", "2a00:77::1/64"]),
    );
    Namespace::join(
        (internet, "p0", &["45.50.0.1/24", "2a00:50::1/64"]),
        (
            platform,
            "net0",
            &[
                "45.50.0.10/24",
                "45.50.0.11/24",
                "45.50.0.66/24",
                "2a00:50::10/64",
                "2a00:50::11/64",
                "2a00:50::66/64",
            ],
        ),
    );
    Namespace::join(
        (internet, "c0", &["45.60.0.1/24", "2a00:60::1/64"]),
        (cloud, "net0", &["45.60.0.10/24", "2a00:60::10/64"]),
    );
    Namespace::join(
        (internet, "n0", &["45.53.0.1/24", "2a00:53::1/64"]),
        (names, "net0", &["45.53.0.53/24", "2a00:53::53/64"]),
    );
}

fn route(router: &Namespace, building: &Namespace, internet: &Namespace, cell: &Namespace) {
    for passes_on in [router, building, internet, cell] {
        passes_on.forward();
    }
    router.route("default", "45.30.0.1");
    router.route("default", "2a00:30::1");
    building.route("default", "45.31.0.2");
    building.route("default", "2a00:31::2");
    building.route("2a00:10::/64", "2a00:30::2");
    cell.route("default", "45.41.0.2");
    cell.route("default", "2a00:41::2");
    for (to, via) in [
        ("45.30.0.0/29", "45.31.0.1"),
        ("2a00:30::/64", "2a00:31::1"),
        ("2a00:10::/64", "2a00:31::1"),
        ("2a00:77::/64", "2a00:41::1"),
    ] {
        internet.route(to, via);
    }
    for (nat, out) in [(router, "wan0"), (cell, "out0")] {
        nat.rules(&format!(
            "table ip venue_nat {{\n chain out {{\n type nat hook postrouting priority 100;\n \
             oifname \"{out}\" masquerade;\n }}\n}}\n"
        ));
    }
}

/// The laptop's two ways out. A venue's laptop sends by CUBIC, whatever this machine's default is
/// (ip-route(8), congctl).
fn ways_out(laptop: &Namespace, congestion_control: &str) {
    let ways = [
        ("-4", "192.168.10.1", "eth0", "100"),
        ("-4", "192.168.77.1", "wwan0", "600"),
        ("-6", "2a00:10::1", "eth0", "100"),
        ("-6", "2a00:77::1", "wwan0", "600"),
    ];
    for (family, via, device, metric) in ways {
        let route = [family, "route", "add", "default", "via", via, "dev", device, "metric", metric];
        laptop.ip(&[&route[..], &["congctl", congestion_control]].concat());
    }
}

/// Routes that the laptop has beside its own.
fn add_routes(laptop: &Namespace, routes: &[String]) {
    for route in routes {
        let words: Vec<&str> = route.split(' ').collect();
        let family = if route.contains(':') { "-6" } else { "-4" };
        laptop.ip(&[&[family, "route", "add"], &words[..]].concat());
    }
}

/// Takes away the address families that this venue has not.
fn keep_families(laptop: &Namespace, plan: &Plan) {
    if plan.no_ipv6 {
        laptop.exec(need("sysctl", "procps").to_str().unwrap(), &["-qw", "net.ipv6.conf.all.disable_ipv6=1"]);
    }
    if plan.no_ipv4 {
        for interface in ["eth0", "wwan0"] {
            laptop.ip(&["-4", "address", "flush", "dev", interface]);
        }
    }
}

/// The filter's page shares a machine with the platform, but no ingest.
fn only_the_web_at_the_filter() -> String {
    let [v4, v6] = address::FILTER;
    format!(
        "table inet filter_page {{\n chain in {{\n type filter hook input priority 0;\n \
         ip daddr {v4} tcp dport != {{ 80, 443 }} reject with tcp reset\n \
         ip6 daddr {v6} tcp dport != {{ 80, 443 }} reject with tcp reset\n }}\n}}\n"
    )
}

/// The wire of a venue where all is well.
pub fn clean_line() -> Line {
    toml::from_str("up = { rate_mbps = 50, delay_ms = 10 }\ndown = { rate_mbps = 100, delay_ms = 10 }")
        .unwrap_or_default()
}
