//! Carries alerts to the webhook, one after another, beside the looks: a webhook that hangs holds up no
//! look, and a queue that is full loses the newest alert and says so.

use serde_json::{Value, json};
use tokio::sync::mpsc::{Receiver, Sender, UnboundedSender, channel};

use super::event::WatchStarted;
use crate::judge::watch::Alert;
use crate::net::webhook::Webhook;

/// Messages that wait at most.
const QUEUE: usize = 64;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fate {
    /// The alert's number.
    pub alert: u64,
    /// Attempts that it took, or why it was not taken.
    pub outcome: Result<u32, String>,
}

/// The way to the webhook.
#[derive(Debug)]
pub(super) struct Courier {
    messages: Sender<(u64, Value)>,
}

impl Courier {
    /// Starts carrying; what became of each message goes to `fates`. Dropping the courier ends it after
    /// the messages that wait.
    pub fn start(webhook: Webhook, fates: UnboundedSender<Fate>) -> (Self, tokio::task::JoinHandle<()>) {
        let (messages, waiting) = channel(QUEUE);
        (Self { messages }, tokio::spawn(carry(webhook, waiting, fates)))
    }

    /// Hands a message over.
    pub fn send(&self, started: &WatchStarted, alert: &Alert) -> Result<(), String> {
        let sent = self.messages.try_send((alert.number, message(started, alert)));
        sent.map_err(|_| format!("{QUEUE} messages wait already"))
    }
}

async fn carry(webhook: Webhook, mut waiting: Receiver<(u64, Value)>, fates: UnboundedSender<Fate>) {
    while let Some((alert, message)) = waiting.recv().await {
        let outcome = webhook.deliver(&message).await;
        let _ = fates.send(Fate { alert, outcome });
    }
}

/// What the webhook gets. `text` is what chat services show (Slack, Mattermost, Rocket.Chat).
fn message(started: &WatchStarted, alert: &Alert) -> Value {
    let title = crate::model::text::escape(&started.policy.event.title).into_owned();
    let text = format!("golive, {title}: {} ({}: {})", alert.headline(), alert.code, alert.said);
    json!({
        "schema": "golive-alert/1",
        "golive": started.golive,
        "watch": started.watch,
        "event": title,
        "recovered": alert.recovered(),
        "text": text,
        "alert": alert,
    })
}
