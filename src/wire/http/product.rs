//! Names the program behind a proxy or filter, where its answer gives it away.

/// What in an answer's fields or page names which program: vendors' own default headers and block pages.
const PRODUCTS: [(&str, &str); 16] = [
    ("zscaler", "Zscaler Internet Access"),
    ("netskope", "Netskope"),
    ("bluecoat", "Symantec (Blue Coat) ProxySG"),
    ("blue coat", "Symantec (Blue Coat) ProxySG"),
    ("mcafee web gateway", "Skyhigh (McAfee) Web Gateway"),
    ("skyhigh", "Skyhigh (McAfee) Web Gateway"),
    ("cisco-wsa", "Cisco Secure Web Appliance"),
    ("ironport", "Cisco Secure Web Appliance"),
    ("fortigate", "FortiGate"),
    ("fortiproxy", "FortiProxy"),
    ("websense", "Forcepoint"),
    ("forcepoint", "Forcepoint"),
    ("sophos", "Sophos"),
    ("barracuda", "Barracuda"),
    ("mitmproxy", "mitmproxy"),
    ("squid", "Squid"),
];

/// The program, by the first name that is in the text; a hint, since anybody can write anything.
pub fn product<'a>(said: impl Iterator<Item = &'a str>) -> Option<&'static str> {
    let said = said.collect::<Vec<_>>().join("\n").to_ascii_lowercase();
    PRODUCTS.iter().find(|(mark, _)| said.contains(mark)).map(|(_, product)| *product)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_named_by_their_own_words() {
        let of = |said: &str| product([said].into_iter());
        assert_eq!(of("Server: squid/6.14"), Some("Squid"));
        assert_eq!(of("via: 1.1 gateway (McAfee Web Gateway 10.2)"), Some("Skyhigh (McAfee) Web Gateway"));
        assert_eq!(of("server: nginx"), None);
    }
}
