//! UDP through the far end's eyes: it listens on the port meanwhile, and tells what arrived.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::timeout;

use crate::model::{FarEnd, FarEndName, NotMeasured, WireText};
use crate::net::far_end::Control;
use crate::probe::Env;
use crate::probe::port::{FarEndSaw, Target};

/// How long it is asked to listen, in seconds, and for how many datagrams.
const LISTEN: (u32, u64) = (20, 64);
/// Longest wait for it to open, and for its last word.
const PATIENCE: Duration = Duration::from_secs(8);
/// Packets of the control connection at most, and bytes each way.
pub(super) const PACKETS: u64 = 40;
pub(super) const BYTES: u64 = 12_000;
/// Seconds on top of the question's own.
pub(super) const SECONDS_MAX: f64 = 16.0;

/// A far end that listens for us, or why it does not.
pub(super) struct Eyes {
    far_end: FarEndName,
    control: Result<Box<Control>, NotMeasured>,
}

/// Asks the far end that the target names, at the very address that the question will go to, so
/// that the datagrams come from the address which it knows.
pub(super) async fn open(target: &Target, remote: SocketAddr, env: &Env) -> Option<Eyes> {
    let far_end = target.far_end.clone()?;
    let named = env.far_ends.get(&far_end)?;
    let (_, port) = named.host_port()?;
    let there = FarEnd { address: SocketAddr::new(remote.ip(), port).to_string(), ..named.clone() };
    let opening = async {
        let mut control = Box::new(Control::connect(&there, &env.source, &env.origin).await?);
        control.open_listen(target.port, LISTEN.0, LISTEN.1).await?;
        Ok(control)
    };
    let late = |_| Err(NotMeasured::new(crate::model::Cause::TimedOut, "it took too long", ""));
    let control = timeout(PATIENCE, Box::pin(opening)).await.unwrap_or_else(late);
    Some(Eyes { far_end, control })
}

impl Eyes {
    /// What arrived.
    pub(super) async fn close(self) -> FarEndSaw {
        let closed = match self.control {
            Ok(mut control) => match timeout(PATIENCE, control.close()).await {
                Ok(closed) => closed.map_err(|why| why.detail),
                Err(_) => Err("it gave no last word".to_owned()),
            },
            Err(why) => Err(why.detail),
        };
        let saw = FarEndSaw {
            far_end: self.far_end,
            arrived: None,
            from_elsewhere: 0,
            trouble: WireText::default(),
        };
        match closed {
            Ok(closed) => FarEndSaw { arrived: Some(closed.packets), from_elsewhere: closed.foreign, ..saw },
            Err(why) => FarEndSaw { trouble: WireText::from(why), ..saw },
        }
    }
}
