//! Whole conversations; hostile input; parts by themselves in the files beside.

mod conversation;
mod hostile;
mod pieces;

use super::address::Address;
use super::client::{self, Client};
use super::server::{self, Server};

fn address() -> Address {
    Address::parse("rtmp://127.0.0.1/live").unwrap()
}

fn client() -> Client {
    Client::new(address(), 7)
}

fn client_steps(client: &mut Client) -> Vec<client::Step> {
    std::iter::from_fn(|| client.step()).collect()
}

fn server_steps(server: &mut Server) -> Vec<server::Step> {
    std::iter::from_fn(|| server.step()).collect()
}
