//! Reads this machine's rules, and asks them about each address.

use std::time::Duration;

use super::{Address, Reading, Target};
use crate::model::NotMeasured;
use crate::net::{local_rules, resolve};
use crate::probe::Env;
use crate::wire::firewall::{Packet, decide};

const LOOKUP: Duration = Duration::from_secs(5);

pub(super) async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    tokio::select! {
        () = env.cancel.cancelled() => Err(NotMeasured::cancelled()),
        reading = ask(target, env) => reading,
    }
}

async fn ask(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let rules = local_rules::read().await?;
    let mut reading = Reading {
        method: "the rules of this machine, walked for a packet that leaves".to_owned(),
        rules: rules.chains.iter().map(|chain| chain.rules.len() as u64).sum(),
        tools: rules.tools,
        host: target.host.clone(),
        port: target.port,
        transport: target.transport,
        lookup: None,
        addresses: Vec::new(),
    };
    match resolve::lookup(&target.host, target.port, LOOKUP).await {
        Err(failure) => reading.lookup = Some(failure),
        Ok(found) => {
            let address = |remote: std::net::SocketAddr| {
                let (to, interface) = (remote.ip(), env.source.interface.clone());
                let packet = Packet { to, port: target.port, transport: target.transport, interface };
                Address { address: to, outcome: decide(&rules.chains, &packet) }
            };
            reading.addresses = found.into_iter().map(address).collect();
        }
    }
    Ok(reading)
}
