//! What the lab stands on: namespaces, real servers as peers, and a certificate authority.

pub mod authority;
pub mod ingest;
pub mod matrix;
pub mod namespace;
pub mod peer;
pub mod quiet;
pub mod zones;
