//! Each box does what it claims, and what it isn't about passes it untouched.

mod chain;
mod packets;
mod protocols;
mod resolvers;
mod sessions;
