//! What the lab stands on: namespaces, real servers as peers, and a certificate authority.

pub mod authority;
#[cfg(test)]
mod harness;
pub mod namespace;
pub mod peer;
pub mod quiet;
