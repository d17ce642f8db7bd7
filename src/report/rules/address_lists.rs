//! Lists of addresses that platforms publish for firewalls. A host of theirs may move to any of
//! the list's addresses, so the list says more than what was resolved on one day.

use super::VendorList;

/// Suffix of host names → the vendor's list.
const LISTS: &[(&str, VendorList)] = &[(
    ".live-video.net",
    VendorList {
        entry: "service IVS_LOW_LATENCY, all regions",
        url: "https://ip-ranges.amazonaws.com/ip-ranges.json",
        source: "docs.aws.amazon.com/ivs (network requirements), read 2026-11",
    },
)];

/// The list that names a host's addresses, if its vendor keeps one.
pub(super) fn list_of(host: &str) -> Option<VendorList> {
    LISTS.iter().find(|(suffix, _)| host.ends_with(suffix)).map(|(_, list)| *list)
}
