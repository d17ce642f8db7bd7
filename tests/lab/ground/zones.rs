//! Zones with DNSSEC signatures, as files that a name server loads.

/// Zones with DNSSEC signatures, the second's long expired, and what a resolver that verifies them
/// must know.
pub const SIGNED: [(&str, &str); 2] = [
    ("signed.example", include_str!("signed.example.zone")),
    ("expired.example", include_str!("expired.example.zone")),
];

/// Trust anchors of those zones, as unbound reads them.
pub const ANCHORS: [&str; 2] = [
    "signed.example. IN DS 60124 13 2 1f90ae78ac9c33dc4d5c7379d40c97c949df4e4aaf1ee5caf6f34692e6c38694",
    "expired.example. IN DS 9229 13 2 f77d0b241accb131258f948bb00424ccdd3fd99fa0187aedae15b85c7a38d384",
];
