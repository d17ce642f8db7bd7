//! A box that takes packets' marks away.

use serde::Deserialize;

use super::nftables::{Table, chain};
use super::{Installed, Place};

/// Sets DSCP to zero and leaves ECN alone.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DscpBleach {
    /// Which way.
    #[serde(default)]
    way: Way,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    Up,
    Down,
    #[default]
    Both,
}

impl DscpBleach {
    pub(super) fn install(&self, place: &Place) -> Installed {
        let from = match self.way {
            Way::Up => "iifname $inside",
            Way::Down => "iifname $outside",
            Way::Both => "",
        };
        let rules = format!(
            "{from} ip dscp != cs0 counter ip dscp set cs0\n {from} ip6 dscp != cs0 counter ip6 dscp set cs0"
        );
        let body = chain("forward", "filter hook forward priority mangle", &rules);
        Installed::new(place, "dscp_bleach").with(Table::load(place, &body))
    }
}
