//! The samples are what Debian 12's clients wrote on a link where dnsmasq 2.90 gave them option 114
//! (`https://portal.example/api`) and option 252 (`http://wpad.example/wpad.dat`, once with a line feed
//! at its end, as some servers give it).

use proptest::prelude::*;

use super::*;

const PORTAL: &str = "https://portal.example/api";
const SCRIPT: &str = "http://wpad.example/wpad.dat";
/// ISC dhclient 4.4.3-P1.
const DHCLIENT: &str = include_str!("samples/dhclient.leases");
const DHCLIENT_LINE_FEED: &str = include_str!("samples/dhclient_line_feed.leases");
/// systemd-networkd 252, a lease: it does not keep option 114.
const NETWORKD: &str = include_str!("samples/networkd.txt");
/// `NetworkManager` 1.42.4, a device's state.
const NETWORK_MANAGER: &str = include_str!("samples/networkmanager.txt");
/// dhcpcd 9.4.1.
const DHCPCD: &[u8] = include_bytes!("samples/dhcpcd.lease");

fn noted(portal: Option<&str>, script: Option<&str>) -> Options {
    Options { captive_portal: portal.map(str::to_owned), proxy_script: script.map(str::to_owned) }
}

#[test]
fn what_each_client_wrote_is_read() {
    let both = noted(Some(PORTAL), Some(SCRIPT));
    assert_eq!(dhclient(DHCLIENT, "eth0"), both);
    assert_eq!(dhclient(DHCLIENT_LINE_FEED, "eth0"), both, "in numbers, where a line feed stands in it");
    assert_eq!(dhcpcd(DHCPCD), both);
    assert_eq!(networkd(NETWORKD), noted(None, Some(SCRIPT)));
    assert_eq!(network_manager(NETWORK_MANAGER), noted(None, Some(SCRIPT)));
    let line_feed = NETWORK_MANAGER.replace("wpad.dat", "wpad.dat\\n");
    assert_eq!(network_manager(&line_feed), noted(None, Some(SCRIPT)), "as a key file writes it");
}

#[test]
fn what_is_cut_anywhere_is_read_up_to_there() {
    let is_start = |found: Option<String>, whole: &str| found.is_none_or(|found| whole.starts_with(&found));
    let text =
        |options: Options| is_start(options.captive_portal, PORTAL) && is_start(options.proxy_script, SCRIPT);
    let is_whole = |found: Option<String>, whole: &str| found.is_none_or(|found| found == whole);
    for sample in [DHCLIENT, DHCLIENT_LINE_FEED] {
        for at in 0..sample.len() {
            let found = dhclient(&sample[..at], "eth0");
            assert!(is_whole(found.captive_portal, PORTAL) && is_whole(found.proxy_script, SCRIPT), "{at}");
        }
    }
    assert!((0..NETWORKD.len()).all(|at| text(networkd(&NETWORKD[..at]))));
    assert!((0..NETWORK_MANAGER.len()).all(|at| text(network_manager(&NETWORK_MANAGER[..at]))));
    for at in 0..DHCPCD.len() {
        let found = dhcpcd(&DHCPCD[..at]);
        assert!(is_whole(found.captive_portal, PORTAL) && is_whole(found.proxy_script, SCRIPT), "{at}");
    }
}

#[test]
fn newer_networkds_keep_the_portal_with_the_link() {
    let link = "# This is private data. Do not parse.\nADMIN_STATE=configured\nDNS=192.0.2.1\n\
                CAPTIVE_PORTAL=https://portal.example/api\n";
    assert_eq!(networkd(link), noted(Some(PORTAL), None));
    assert_eq!(networkd("OPTION_252=6\nCAPTIVE_PORTAL=\n"), Options::default());
}

#[test]
fn the_last_lease_of_the_interface_counts() {
    let older = DHCLIENT.replace("wpad.example", "old.example");
    let other = DHCLIENT.replace("eth0", "wlan0").replace("wpad.example", "other.example");
    let all = [older.as_str(), DHCLIENT, &other].concat();
    assert_eq!(dhclient(&all, "eth0").proxy_script.as_deref(), Some(SCRIPT));
    assert_eq!(dhclient(&all, "eth1"), Options::default());
}

#[test]
fn a_long_option_comes_in_parts() {
    let mut message = DHCPCD[..240].to_vec();
    message.extend([0, 252, 4]);
    message.extend(b"http");
    message.extend([53, 1, 5, 252, 5]);
    message.extend(b"://x/");
    assert_eq!(dhcpcd(&message).proxy_script.as_deref(), Some("http://x/"));
    message.extend([255, 252, 1, b'y']);
    assert_eq!(dhcpcd(&message).proxy_script.as_deref(), Some("http://x/"), "the end is the end");
    message[237] = 0;
    assert_eq!(dhcpcd(&message), Options::default(), "no DHCP");
}

proptest! {
    #[test]
    fn anything_is_read_without_a_panic(
        text in "(OPTION_252=|dhcp4.wpad=|lease \\{|interface \"eth0\";|option unknown-252 |[0-9a-f]:|\n|.){0,80}",
        bytes in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let message = [&DHCPCD[..240], &bytes].concat();
        for options in [networkd(&text), dhclient(&text, "eth0"), network_manager(&text), dhcpcd(&message), dhcpcd(&bytes)] {
            prop_assert!(options.proxy_script.is_none_or(|url| url.chars().all(|c| c.is_ascii_graphic())));
        }
    }
}
