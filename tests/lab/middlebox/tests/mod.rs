//! Each box does what it claims, and what it isn't about passes it untouched.

mod chain;
mod packets;
mod portals;
mod protocols;
mod proxies;
mod resolvers;
mod sessions;
mod spoofs;
