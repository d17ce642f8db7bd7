//! What the system says of its network interfaces and default routes (Linux: `/sys/class/net`,
//! `/proc/net`; see `Documentation/ABI/testing/sysfs-class-net`), and how far the gateway is. No
//! privilege needed. Elsewhere: cannot.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::clock::Origin;
use super::ping;
use super::ttl_walk;
use crate::model::{Cause, NotMeasured, SourceAddress};
use crate::wire::routes;

/// Most bytes of one file that are read.
const MOST: u64 = 4 << 20;

/// What is known of an interface, raw; `None` where the system does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interface {
    /// `DEVTYPE` of its `uevent`: `wlan`, `wwan`, `wireguard`, …
    pub device_type: Option<String>,
    /// `ARPHRD_…` number (`linux/if_arp.h`): 1 Ethernet, 65534 none, as a tunnel's.
    pub hardware: Option<u32>,
    /// It is a TUN or TAP device.
    pub is_tun: bool,
    /// It has a wireless part.
    pub is_wireless: bool,
    /// Megabits a second.
    pub speed_mbps: Option<u32>,
    /// `full`, `half`.
    pub duplex: Option<String>,
    /// Bytes of an IP packet.
    pub mtu_bytes: Option<u32>,
    /// A cable is plugged in, or an access point joined.
    pub carrier: Option<bool>,
    /// How often the carrier was lost since the interface came up.
    pub carrier_losses: Option<u64>,
    /// Packets received and sent since the interface came up.
    pub packets: Option<u64>,
    /// Of those, received or sent in error, and collisions.
    pub errors: Option<u64>,
    /// The system may put the device to sleep (`power/control` is `auto`).
    pub sleeps: Option<bool>,
}

/// Every default route, IPv4's first.
///
/// # Errors
/// [`Cause::Unsupported`] where the system does not list them so.
pub fn default_routes() -> Result<Vec<routes::Default>, NotMeasured> {
    let v4 = text(Path::new("/proc/net/route")).ok_or_else(unsupported)?;
    let v6 = text(Path::new("/proc/net/ipv6_route")).unwrap_or_default(); // a system without IPv6 has none
    Ok([routes::v4(&v4), routes::v6(&v6)].concat())
}

/// The IPv4 default route by which a path leaves: its interface's, else the one that is taken first. None
/// for a path that names its address alone, and where there is none.
///
/// # Errors
/// [`Cause::Unsupported`] where the system does not list them so.
pub fn default_route4(source: &SourceAddress) -> Result<Option<routes::Default>, NotMeasured> {
    if source.interface.is_none() && source.address.is_some() {
        return Ok(None);
    }
    let leaves = |route: &routes::Default| {
        !route.ipv6 && source.interface.as_ref().is_none_or(|interface| *interface == route.interface)
    };
    Ok(default_routes()?.into_iter().filter(leaves).min_by_key(|route| route.metric))
}

fn unsupported() -> NotMeasured {
    NotMeasured::new(
        Cause::Unsupported,
        "this system does not tell of its interfaces as Linux does",
        "look at the connection by hand: wired, speed, VPN; or run golive on Linux",
    )
}

/// What the system says of an interface.
///
/// # Errors
/// [`Cause::NoPath`] when there is none of this name; [`Cause::Unsupported`].
pub fn interface(name: &str) -> Result<Interface, NotMeasured> {
    let all = Path::new("/sys/class/net");
    if !all.is_dir() {
        return Err(unsupported());
    }
    let is_name =
        !name.is_empty() && name.len() < 16 && !name.contains(['/', '\0']) && !name.starts_with('.');
    let folder = all.join(name);
    if !is_name || !folder.is_dir() {
        return Err(NotMeasured::new(
            Cause::NoPath,
            format!("there is no interface {name}"),
            "check the interface of this [path] in the policy (`ip address` lists them)",
        ));
    }
    Ok(read(&folder))
}

fn read(folder: &Path) -> Interface {
    let word = |file: &str| text(&folder.join(file)).map(|text| text.trim().to_owned());
    let number = |file: &str| word(file)?.parse::<u64>().ok();
    let small = |file: &str| number(file).and_then(|number| u32::try_from(number).ok());
    let sum = |files: &[&str]| {
        let each = files.iter().map(|file| number(&format!("statistics/{file}")));
        each.sum::<Option<u64>>()
    };
    let uevent = word("uevent").unwrap_or_default();
    Interface {
        device_type: uevent.lines().find_map(|line| line.strip_prefix("DEVTYPE=")).map(str::to_owned),
        hardware: small("type"),
        is_tun: folder.join("tun_flags").exists(),
        is_wireless: folder.join("wireless").exists() || folder.join("phy80211").exists(),
        // -1 or an error where there is none, as of Wi-Fi
        speed_mbps: small("speed").filter(|speed| *speed > 0 && *speed < u32::MAX),
        duplex: word("duplex").filter(|word| word == "full" || word == "half"),
        mtu_bytes: small("mtu"),
        carrier: number("carrier")
            .map(|carrier| carrier == 1)
            .or(word("operstate").map(|state| state == "up")),
        carrier_losses: number("carrier_down_count"),
        packets: sum(&["rx_packets", "tx_packets"]),
        errors: sum(&["rx_errors", "tx_errors", "collisions"]),
        sleeps: word("device/power/control").map(|control| control == "auto"),
    }
}

fn text(file: &Path) -> Option<String> {
    use std::io::Read as _;
    let (mut text, file) = (String::new(), std::fs::File::open::<PathBuf>(file.into()).ok()?);
    file.take(MOST).read_to_string(&mut text).ok()?;
    Some(text)
}

/// How the gateway was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// ICMP echo.
    Echo,
    /// A datagram to a port where nothing listens, which it refuses by ICMP.
    ClosedPort,
}

/// Requests to the gateway.
pub const REQUESTS: u16 = 5;
/// Where a datagram is expected to find nobody: what traceroute(8) has always used.
pub const CLOSED_PORT: u16 = 33_434;

/// Round trips to the gateway, in ms: by ICMP echo where this user may, else by its refusals.
pub async fn round_trips(
    gateway: IpAddr,
    source: &SourceAddress,
    origin: &Origin,
    cancel: &CancellationToken,
) -> Result<(Asked, Vec<f64>), NotMeasured> {
    let plan = ping::Plan {
        packets: REQUESTS,
        every: Duration::from_millis(100),
        size: 56,
        patience: Duration::from_secs(1),
    };
    match ping::run(gateway, source, &plan, cancel, |_, _| {}).await {
        Ok(outcome) => {
            let trips = outcome.session.round_trips_us().flatten();
            Ok((Asked::Echo, trips.map(|us| f64::from(us) / 1000.0).collect()))
        }
        Err(why) if why.cause != Cause::NoPrivilege => Err(why),
        Err(_) => {
            let mut trips = Vec::new();
            for _ in 0..REQUESTS {
                let remote = SocketAddr::new(gateway, CLOSED_PORT);
                trips.extend(ttl_walk::refusal_ms(remote, source, origin).await);
            }
            Ok((Asked::ClosedPort, trips))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn loopback_is_told_of_and_others_are_not_there() {
        let loopback = interface("lo").unwrap();
        assert_eq!((loopback.hardware, loopback.speed_mbps), (Some(772), None)); // ARPHRD_LOOPBACK
        assert!(loopback.mtu_bytes.unwrap() >= 1500 && !loopback.is_wireless && !loopback.is_tun);
        for name in ["nonesuch0", "", "..", "../../etc", "a/b"] {
            assert_eq!(interface(name).unwrap_err().cause, Cause::NoPath, "{name}");
        }
        default_routes().unwrap();
    }

    /// Files as drivers leave them: an access point's speed is an error, a modem's is -1.
    #[test]
    fn what_the_system_does_not_say_is_not_known() {
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let file = folder.path().join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        assert_eq!(read(folder.path()), Interface::default());
        for (file, text) in [
            ("uevent", "DEVTYPE=wlan\nINTERFACE=wlan0\nIFINDEX=3\n"),
            ("speed", "-1\n"),
            ("duplex", "unknown\n"),
            ("mtu", "1500\n"),
            ("carrier", "1\n"),
            ("phy80211/index", "0\n"),
            ("device/power/control", "auto\n"),
            ("statistics/rx_errors", "3\n"),
        ] {
            write(file, text);
        }
        let read = read(folder.path());
        assert_eq!((read.device_type.as_deref(), read.is_wireless), (Some("wlan"), true));
        assert_eq!((read.speed_mbps, read.duplex, read.mtu_bytes), (None, None, Some(1500)));
        assert_eq!((read.carrier, read.sleeps, read.errors), (Some(true), Some(true), None));
    }
}
