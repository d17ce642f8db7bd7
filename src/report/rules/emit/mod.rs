//! The request as one vendor's configuration: one file per vendor.
//!
//! Every word that comes from a policy or a report passes [`safe`] first. Each vendor has its
//! openings and, apart, what takes them back.

mod asa;
mod aws;
mod fortigate;
mod iptables;
mod junos_srx;
mod nftables;
mod panos;
mod safe;
mod schedule;
mod script;
mod windows;

use super::ChangeRequest;
use script::Script;

/// A firewall's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// nftables, for `nft -f`.
    Nftables,
    /// iptables and ip6tables, a shell script of `iptables-restore --noflush`.
    Iptables,
    /// Cisco ASA.
    Asa,
    /// Palo Alto PAN-OS, `set` commands.
    Panos,
    /// Fortinet `FortiOS`.
    Fortigate,
    /// Juniper SRX, `set` commands.
    JunosSrx,
    /// Windows Firewall, `PowerShell`.
    Windows,
    /// AWS security group, JSON for `aws ec2 … --cli-input-json`.
    Aws,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 8] = [
        Self::Nftables,
        Self::Iptables,
        Self::Asa,
        Self::Panos,
        Self::Fortigate,
        Self::JunosSrx,
        Self::Windows,
        Self::Aws,
    ];

    /// The word on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nftables => "nftables",
            Self::Iptables => "iptables",
            Self::Asa => "asa",
            Self::Panos => "panos",
            Self::Fortigate => "fortigate",
            Self::JunosSrx => "junos-srx",
            Self::Windows => "windows",
            Self::Aws => "aws",
        }
    }
}

/// Which way a configuration goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Opens what the request asks for.
    Open,
    /// Takes it back.
    BackOut,
}

/// Where in the firewall the rules go; what is left out is the vendor's usual word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    chain: Option<String>,
    inside: Option<String>,
    outside: Option<String>,
}

/// A name of the firewall's own that its configuration could not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot stand in a firewall's configuration: use letters, digits, '.', '_', '-' and '/'")]
pub struct BadSite(String);

impl Site {
    /// The chain or access list, and the zones or interfaces that traffic comes from and goes to.
    ///
    /// # Errors
    /// One of them has other characters than names of firewalls have.
    pub fn new(
        chain: Option<String>,
        inside: Option<String>,
        outside: Option<String>,
    ) -> Result<Self, BadSite> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
        let words =
            |text: &str| !text.is_empty() && text.split(' ').all(|w| w.starts_with(char::is_alphanumeric));
        for name in [&chain, &inside, &outside].into_iter().flatten() {
            if name.len() > 100 || !words(name) || !name.chars().all(|c| plain(c) || c == ' ') {
                return Err(BadSite(crate::report::line(name).chars().take(100).collect()));
            }
        }
        Ok(Self { chain, inside, outside })
    }

    fn chain<'a>(&'a self, usual: &'a str) -> &'a str {
        self.chain.as_deref().unwrap_or(usual)
    }

    fn inside<'a>(&'a self, usual: &'a str) -> &'a str {
        self.inside.as_deref().unwrap_or(usual)
    }

    fn outside<'a>(&'a self, usual: &'a str) -> &'a str {
        self.outside.as_deref().unwrap_or(usual)
    }
}

/// A configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emitted {
    /// Its text.
    pub text: String,
    /// What the person who loads it must know or complete; each is in the text too, where the
    /// format has comments.
    pub notes: Vec<String>,
}

/// Writes the request in one vendor's words.
pub fn emit(request: &ChangeRequest, format: Format, direction: Direction, site: &Site) -> Emitted {
    let write: fn(&ChangeRequest, Direction, &Site, &mut Script) = match format {
        Format::Nftables => nftables::write,
        Format::Iptables => iptables::write,
        Format::Asa => asa::write,
        Format::Panos => panos::write,
        Format::Fortigate => fortigate::write,
        Format::JunosSrx => junos_srx::write,
        Format::Windows => windows::write,
        Format::Aws => aws::write,
    };
    let mut script = Script::new(if format == Format::Asa { "!" } else { "#" });
    if format != Format::Aws {
        script.head(request, format, direction);
    }
    script.placeholders(request, format);
    if request.rules.is_empty() && format != Format::Aws {
        script.say("Nothing is to be opened");
    } else {
        write(request, direction, site, &mut script);
    }
    script.end()
}
