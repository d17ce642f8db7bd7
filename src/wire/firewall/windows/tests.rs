//! The samples are in the form that reg.exe prints, with rules as MS-GPFAS 4.2 and administrators' scripts
//! write them: no Windows was at hand.

use proptest::prelude::*;

use super::registry::{has_policy, parse};
use crate::model::Transport;
use crate::wire::firewall::tests::{packet, said};

const OWN: &str = include_str!("samples/own.txt");
const POLICY: &str = include_str!("samples/policy.txt");
const PUBLIC: &str = "0\r\n";
const PRIVATE: &str = "1\r\n";
const DOMAIN: &str = "2\r\n";

/// What becomes of what leaves for a port.
fn decided(policy: &str, networks: &str, (to, transport, port): (&str, Transport, u16)) -> String {
    said(&parse(OWN, policy, networks).unwrap(), &packet(to, transport, port))
}

fn tcp(policy: &str, networks: &str, port: u16) -> String {
    decided(policy, networks, ("192.0.2.1", Transport::Tcp, port))
}

fn rule(name: &str) -> String {
    format!("Windows Firewall, chain outbound: rule {name}")
}

/// Like `tcp`, to what cannot be in the subnet of this machine as a rule's word might say.
#[test]
fn the_rule_of_this_machine_that_decides_is_named_and_the_reading_is_whole() {
    let mut own = OWN.replace("|RA4=LocalSubnet|RA6=LocalSubnet|", "|RA4=192.168.9.0/24|");
    let of = |own: &str, networks: &str, to, transport, port| {
        said(&parse(own, "", networks).unwrap(), &packet(to, transport, port))
    };
    assert_eq!(of(&own, PRIVATE, "192.0.2.1", Transport::Tcp, 1935), rule("\"No RTMP\""));
    assert_eq!(
        of(&own, PRIVATE, "192.0.2.1", Transport::Tcp, 443),
        "allowed",
        "off, or no rule to Windows either"
    );
    assert_eq!(of(&own, PRIVATE, "192.0.2.1", Transport::Tcp, 8080), "allowed", "of another profile");
    assert_eq!(of(&own, PUBLIC, "192.0.2.1", Transport::Tcp, 8080), rule("\"Not in hotels\""));
    // On two networks at once, or where nobody says on which: it may hold.
    for networks in ["0\r\n1\r\n", "", "nonsense", "7"] {
        let found = of(&own, networks, "192.0.2.1", Transport::Tcp, 8080);
        assert_eq!(found, format!("? {}", rule("\"Not in hotels\"")), "{networks:?}");
    }
    for (to, port) in [("45.50.0.10", 9005), ("2a00:50::10", 10080)] {
        assert_eq!(of(&own, PRIVATE, to, Transport::Udp, port), rule("\"No SRT\" of device management"));
    }
    assert_eq!(of(&own, PRIVATE, "45.51.0.10", Transport::Udp, 9005), "allowed");
    for to in ["198.51.100.9", "203.0.113.7"] {
        assert_eq!(of(&own, PRIVATE, to, Transport::Tcp, 443), format!("? {}", rule("\"No OBS to there\"")));
    }
    assert_eq!(of(&own, PRIVATE, "203.0.113.10", Transport::Tcp, 443), "allowed");
    own = own.replace("EnableFirewall    REG_DWORD    0x1", "EnableFirewall    REG_DWORD    0x0");
    assert_eq!(parse(&own, "", PRIVATE).unwrap(), []);
}

#[test]
fn what_a_rule_says_in_a_word_is_not_known() {
    assert_eq!(tcp("", PRIVATE, 443), format!("? {}", rule("\"Nobody here\"")));
    assert_eq!(tcp("", PRIVATE, 1935), rule("\"No RTMP\""), "whatever else may stop it");
}

#[test]
fn group_policy_goes_before_what_the_machine_has_itself() {
    // In the company's network: nothing leaves but for a rule, and the machine's own rules count for nothing.
    assert_eq!(tcp(POLICY, DOMAIN, 1935), "Windows Firewall, chain outbound: its policy drop");
    assert_eq!(tcp(POLICY, DOMAIN, 443), "allowed");
    assert_eq!(tcp(POLICY, DOMAIN, 8009), "allowed");
    // Elsewhere they count, beside group policy's for all profiles.
    assert_eq!(tcp(POLICY, PUBLIC, 1935), rule("\"No RTMP\""));
    let told = tcp(POLICY, PUBLIC, 1936);
    assert!(told.contains("rule \"No RTMP elsewhere\" of a group policy"), "{told}");
    assert!(told.starts_with("? "), "who proves himself passes: {told}");
}

#[test]
fn old_group_policies_have_one_profile_for_all_that_is_not_the_domain() {
    let old = POLICY.replace(r"\PublicProfile", r"\StandardProfile");
    let closed = old.replace(
        "EnableFirewall    REG_DWORD    0x1\r\n\r\n",
        "DefaultOutboundAction    REG_DWORD    0x1\r\n\r\n",
    );
    for networks in [PUBLIC, PRIVATE] {
        assert!(tcp(&closed, networks, 4443).ends_with("its policy drop"), "{networks}");
        assert!(!tcp(&old, networks, 4443).ends_with("its policy drop"), "{networks}");
    }
}

#[test]
fn whether_there_is_a_group_policy_is_told_in_no_language() {
    let with = "\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows\r\n\
                HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\WindowsFirewall\r\n";
    assert_eq!(has_policy(with), Ok(true));
    assert_eq!(has_policy(&with.replace("WindowsFirewall", "WindowsInkWorkspace")), Ok(false));
    assert!(has_policy("").is_err() && has_policy("FEHLER: Zugriff verweigert\r\n").is_err());
}

#[test]
fn what_is_cut_off_is_told() {
    let last = OWN.find(r"\StandardProfile").unwrap();
    for at in 0..last {
        assert!(parse(&OWN[..at], "", PRIVATE).is_err(), "cut at {at}");
    }
    let ends_a_key = |text: &str| text.ends_with("\r\n\r\n");
    for at in 1..POLICY.len() {
        let cut = &POLICY[..at];
        assert_eq!(
            parse(OWN, cut, DOMAIN).is_ok(),
            cut.trim().is_empty() && cut.ends_with('\n') || ends_a_key(cut),
            "cut at {at}"
        );
    }
    assert!(parse("FEHLER: Zugriff verweigert\r\n\r\n", "", PRIVATE).is_err());
}

proptest! {
    #[test]
    fn arbitrary_rules_are_no_panic(
        text in "(v2.31\\||Action=Block\\||Active=TRUE\\||Dir=Out\\||RPort=|RA4=|Profile=|\\r\\n|    REG_SZ    |HKEY_|.){0,40}",
        networks in "[0-3 \n]{0,6}",
    ) {
        let own = OWN.replace("BlockCortana|", &text);
        let policy = format!("{POLICY}{text}\n\n");
        for (own, policy) in [(own.as_str(), ""), (OWN, policy.as_str())] {
            if let Ok(chains) = parse(own, policy, &networks) {
                let _ = said(&chains, &packet("192.0.2.1", Transport::Tcp, 1935));
            }
        }
    }
}
