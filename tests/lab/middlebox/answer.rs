//! A server that says the same to everybody.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::server::{Log, Server, listen};
use super::{Installed, Place};

/// Waits for the first bytes on a TCP port, answers with its own, and waits for the end.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    port: u16,
    /// What it says, in hexadecimal digits; blanks don't count.
    #[serde(default)]
    hex: String,
    /// What it says after that, as text.
    #[serde(default)]
    text: String,
}

impl Answer {
    pub(super) fn install(&self, place: &Place) -> Installed {
        let everywhere = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
        let at = everywhere.map(|address| SocketAddr::new(address, self.port));
        let listeners = place.namespace.run(|| at.map(listen));
        let says = [bytes(&self.hex), self.text.clone().into_bytes()].concat();
        let server = Server::start(place.namespace, move |log| async move {
            for listener in listeners {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::spawn(serve(listener, says.clone(), log.clone()));
            }
            std::future::pending::<()>().await;
        });
        Installed::new(place, "answer").with(server)
    }
}

async fn serve(listener: tokio::net::TcpListener, says: Vec<u8>, log: Log) {
    loop {
        let Ok((mut stream, from)) = listener.accept().await else { continue };
        log.line(format!("{from} is answered"));
        let says = says.clone();
        tokio::spawn(async move {
            let mut heard = [0; 4096];
            if stream.read(&mut heard).await.is_ok_and(|length| length > 0) {
                let _ = stream.write_all(&says).await;
                while stream.read(&mut heard).await.is_ok_and(|length| length > 0) {}
            }
        });
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}
