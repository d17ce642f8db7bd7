//! What this machine is told of names: its resolvers and its search list.

use std::net::IpAddr;

use crate::model::{Cause, NotMeasured};

/// This machine's configuration of names (`resolv.conf`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// Resolvers, in order. A local stub (systemd-resolved) is one resolver here: what stands behind
    /// it does not show.
    pub resolvers: Vec<IpAddr>,
    /// Domains that programs hang behind a name, in order.
    pub search: Vec<String>,
    /// Dots that a name must have to be asked for as it is first (resolv.conf(5), `ndots`).
    pub ndots: usize,
}

/// Reads it.
///
/// # Errors
/// What is wrong with it, and that the policy may name resolvers instead.
pub fn system() -> Result<System, NotMeasured> {
    let (config, options) = hickory_resolver::system_conf::read_system_conf().map_err(|error| {
        NotMeasured::new(
            Cause::Unsupported,
            format!("this machine's resolvers cannot be read: {error}"),
            "name them in the policy: target = { resolvers = [\"192.0.2.53\"], … }",
        )
    })?;
    let mut resolvers = Vec::new();
    for server in config.name_servers {
        if !resolvers.contains(&server.ip) {
            resolvers.push(server.ip);
        }
    }
    let plain = |name: &hickory_resolver::proto::rr::Name| name.to_string().trim_end_matches('.').to_owned();
    let search = config.search.iter().map(plain).filter(|domain| !domain.is_empty()).collect();
    Ok(System { resolvers, search, ndots: options.ndots })
}
