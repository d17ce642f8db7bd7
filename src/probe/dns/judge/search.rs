//! Does this machine's search list send programs elsewhere?

use std::net::IpAddr;

use super::super::{Asked, Reading};
use super::address::list;
use super::code;
use crate::model::Finding;

/// A search domain that programs try before the name itself, and that answers.
pub(super) fn first(reading: &Reading) -> Option<Finding> {
    const EXPECTED: &str = "programs here ask for the name itself first";
    let searched = reading.searched.as_ref()?;
    let found = searched.lookups.iter().find_map(|lookup| {
        let reply = lookup.reply.as_ref().filter(|reply| !reply.addresses.is_empty())?;
        Some((lookup, &reply.addresses))
    });
    let (lookup, addresses) = found?;
    let own: Vec<IpAddr> = reading.resolvers.iter().flat_map(Asked::addresses).collect();
    let observed = format!(
        "they ask for {} first (ndots is {}), and get {}",
        lookup.name,
        searched.ndots,
        list(addresses)
    );
    if addresses.iter().all(|ip| own.contains(ip)) {
        return Some(Finding::pass(code::SEARCH_FIRST, EXPECTED, format!("{observed}: the same host")));
    }
    let remedy = "IT: lower `ndots` in this machine's resolv.conf (DHCP or group policy sets it) or take the search domain \
                  out; in the encoder, a dot behind the name (`live.example.com.`) helps at once";
    Some(Finding::fail(code::SEARCH_FIRST, EXPECTED, observed, remedy))
}
