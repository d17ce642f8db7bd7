//! What DHCP clients note of a network's options: the text of their files in, two options out. An
//! administrator's network says where its captive portal's API is (RFC 8910) and where its proxy
//! script is (option 252, the WPAD draft).

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
        proxy_script: value("OPTION_252").and_then(|hex| from_hex(&hex)).and_then(|url| printable(&url)),
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
        printable(value.trim().trim_end_matches(';').trim_matches('"'))
    };
    Options {
        captive_portal: option(&["v4-captive-portal", "default-url"]),
        proxy_script: option(&["unknown-252", "wpad", "wpad-url"]),
    }
}

/// Text that can be an address: servers end it in zeros or line feeds.
fn printable(text: &str) -> Option<String> {
    let text = text.trim_end_matches("\\n").trim_matches(['\0', '\n', '\r', ' ']);
    (!text.is_empty() && text.chars().all(|c| c.is_ascii_graphic())).then(|| text.to_owned())
}

fn from_hex(hex: &str) -> Option<String> {
    let digits: Vec<u8> = hex
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    String::from_utf8(
        digits.chunks_exact(2).filter_map(|pair| Some(pair.first()? * 16 + pair.get(1)?)).collect(),
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn networkds_files_are_read() {
        let link = "# This is private data. Do not parse.\nADMIN_STATE=configured\nDNS=192.0.2.1\n\
                    CAPTIVE_PORTAL=https://portal.example/api\n";
        assert_eq!(networkd(link).captive_portal.as_deref(), Some("https://portal.example/api"));
        let lease = "# This is private data. Do not parse.\nADDRESS=192.0.2.7\n\
                     OPTION_252=687474703a2f2f777061642e6578616d706c652f777061642e64617400\n";
        assert_eq!(networkd(lease).proxy_script.as_deref(), Some("http://wpad.example/wpad.dat"));
        assert_eq!(networkd("OPTION_252=6\nCAPTIVE_PORTAL=\n"), Options::default());
    }

    #[test]
    fn the_last_lease_of_the_interface_counts() {
        let text = r#"
lease {
  interface "eth0";
  option default-url "http://old.example/";
}
lease {
  interface "eth0";
  fixed-address 192.0.2.7;
  option v4-captive-portal "https://portal.example/api";
  option unknown-252 "http://wpad.example/wpad.dat\n";
  renew 3 2026/11/25 10:00:00;
}
lease {
  interface "wlan0";
  option v4-captive-portal "https://other.example/";
}
"#;
        let options = dhclient(text, "eth0");
        assert_eq!(options.captive_portal.as_deref(), Some("https://portal.example/api"));
        assert_eq!(options.proxy_script.as_deref(), Some("http://wpad.example/wpad.dat"));
        assert_eq!(dhclient(text, "eth1"), Options::default());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(OPTION_252=|lease \\{|interface \"eth0\";|option |\n|.){0,80}") {
            for options in [networkd(&text), dhclient(&text, "eth0")] {
                prop_assert!(options.proxy_script.is_none_or(|url| url.chars().all(|c| c.is_ascii_graphic())));
            }
        }
    }
}
