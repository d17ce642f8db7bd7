//! The far end's control protocol: what the two sides of golive say to each other.

mod refusal;

pub use refusal::Refusal;
