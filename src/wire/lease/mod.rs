//! What DHCP clients note of a network's options: the text of their files in, two options out. An
//! administrator's network says where its captive portal's API is (RFC 8910) and where its proxy
//! script is (option 252, the WPAD draft). udhcpc keeps no notes: it tells a script and forgets.

mod message;
#[cfg(test)]
mod tests;

pub use message::dhcpcd;

/// The options that matter here, as noted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The captive portal's API, or `urn:ietf:params:capport:unrestricted` (RFC 8910, 2): `DHCPv4` 114,
    /// `DHCPv6` 103 or a router advertisement's option 37.
    pub captive_portal: Option<String>,
    /// The proxy script: `DHCPv4` 252.
    pub proxy_script: Option<String>,
}

/// What a network without a captive portal may say in the API's place (RFC 8910, 2).
pub const UNRESTRICTED: &str = "urn:ietf:params:capport:unrestricted";

impl Options {
    /// Takes over what is not known yet.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            captive_portal: self.captive_portal.or(other.captive_portal),
            proxy_script: self.proxy_script.or(other.proxy_script),
        }
    }
}

/// systemd-networkd's state of a link (`/run/systemd/netif/links/N`) or lease (`…/leases/N`): lines of
/// `KEY=value`; options of private use in hexadecimal digits.
pub fn networkd(text: &str) -> Options {
    let value = |wanted: &str| {
        let lines = text.lines().filter_map(|line| line.split_once('='));
        lines.into_iter().find(|(key, _)| *key == wanted).map(|(_, value)| value.trim_matches('"').to_owned())
    };
    Options {
        captive_portal: value("CAPTIVE_PORTAL").and_then(|url| printable(&url)),
        proxy_script: value("OPTION_252").and_then(|hex| from_hex(&hex)),
    }
}

/// ISC dhclient's leases (`dhclient.leases(5)`) of one interface; the last one counts.
pub fn dhclient(text: &str, interface: &str) -> Options {
    let lease = text.split("lease {").skip(1).filter(|lease| {
        let named = lease.lines().find_map(|line| line.trim().strip_prefix("interface "));
        named.is_some_and(|name| name.trim_end_matches(';').trim_matches('"') == interface)
    });
    let Some(lease) = lease.last() else { return Options::default() };
    let option = |names: &[&str]| {
        let options = lease.lines().filter_map(|line| line.trim().strip_prefix("option "));
        let (_, value) =
            options.filter_map(|line| line.split_once(' ')).find(|(name, _)| names.contains(name))?;
        let value = value.trim().strip_suffix(';')?; // else it is cut short
        match value.strip_prefix('"') {
            Some(text) => printable(text.trim_end_matches('"')),
            // What is not all printable, as with a line feed at its end, is noted as numbers.
            None => text_of(value.split(':').map(|byte| u8::from_str_radix(byte, 16).ok())),
        }
    };
    Options {
        captive_portal: option(&["v4-captive-portal", "default-url"]),
        proxy_script: option(&["unknown-252", "wpad", "wpad-url"]),
    }
}

/// `NetworkManager`'s state of a device (`/run/NetworkManager/devices/N`): lines of `dhcp4.NAME=value`. Its
/// lease files hold the address alone, and it does not ask for a captive portal's API.
pub fn network_manager(text: &str) -> Options {
    let proxy_script = text.lines().find_map(|line| line.strip_prefix("dhcp4.wpad=")).and_then(printable);
    Options { captive_portal: None, proxy_script }
}

/// Text that can be an address: servers end it in zeros or line feeds.
fn printable(text: &str) -> Option<String> {
    let text = text.trim_end_matches("\\n").trim_matches(['\0', '\n', '\r', ' ']);
    (!text.is_empty() && text.chars().all(|c| c.is_ascii_graphic())).then(|| text.to_owned())
}

fn from_hex(hex: &str) -> Option<String> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text_of(
        hex.as_bytes().chunks_exact(2).map(|pair| Some(digit(pair.first()?)? * 16 + digit(pair.get(1)?)?)),
    )
}

fn text_of(bytes: impl Iterator<Item = Option<u8>>) -> Option<String> {
    let bytes: Vec<u8> = bytes.collect::<Option<_>>()?;
    std::str::from_utf8(&bytes).ok().and_then(printable)
}
