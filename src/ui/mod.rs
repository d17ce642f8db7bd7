//! What a person or a program sees of a run: the terminal UI, the plain log and the JSON
//! lines. All three are readers of the same [`Event`]s; none decides anything.

pub mod jsonl;
pub mod plain;
pub mod recording;
pub mod story;
pub mod tui;
pub mod watch;

pub use jsonl::JsonLines;
pub use plain::Plain;
pub use story::{Charset, Story};

use std::io;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::run::Event;

/// One reader of the event stream of a run, or of a watch.
pub trait Reader<E = Event> {
    /// Shows one event. An error means that the screen or pipe is gone; the run need not end.
    fn event(&mut self, event: &E) -> io::Result<()>;
}

/// Gives a reader every event until the run's side of the channel is dropped.
pub async fn drain<E>(reader: &mut impl Reader<E>, mut events: UnboundedReceiver<E>) -> io::Result<()> {
    while let Some(event) = events.recv().await {
        reader.event(&event)?;
    }
    Ok(())
}

/// How a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The full-screen terminal UI.
    Tui,
    /// One line after another: logs, screen readers.
    Plain,
    /// One JSON object a line.
    Json,
}

impl Mode {
    /// What the user asked for; else the terminal UI where stdout is a terminal that can move
    /// its cursor (`TERM` set and not `dumb`), else the plain log. `--json` wins over `--plain`.
    pub fn choose(plain: bool, json: bool, stdout_is_terminal: bool, term: Option<&str>) -> Self {
        let capable = cfg!(windows) || term.is_some_and(|term| !term.is_empty() && term != "dumb");
        match () {
            () if json => Self::Json,
            () if plain => Self::Plain,
            () if stdout_is_terminal && capable => Self::Tui,
            () => Self::Plain,
        }
    }
}

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
