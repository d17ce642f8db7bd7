//! What the journal of a watch holds: enough to go on, and to write its report.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use super::event::{FORMAT, WatchEvent, WatchStarted};
use crate::judge::watch::{Alert, Change, Record};
use crate::model::CheckId;
use crate::report::WebhookDoc;
use crate::run::JournalError;
use crate::run::journal::{FILE, read_lines};

/// Alerts that are kept; the journal has them all.
const MOST_ALERTS: usize = 500;

/// All that was seen and told, folded: bounded, however long the journal is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recorded {
    /// How it began.
    pub started: Option<Box<WatchStarted>>,
    /// Each check.
    pub records: BTreeMap<CheckId, Record>,
    /// The newest alerts.
    pub alerts: Vec<Alert>,
    /// Alerts in all.
    pub alerts_in_all: u64,
    /// Looks in all.
    pub looks: u64,
    /// How often it was resumed.
    pub resumed: u32,
    /// What became of the webhook's messages.
    pub webhook: Option<WebhookDoc>,
}

impl Recorded {
    /// Reads the journal in `folder` without opening it for writing.
    ///
    /// # Errors
    /// It is not there, is damaged, or holds no watch.
    pub fn read(folder: &Path) -> Result<Self, JournalError> {
        let path = folder.join(FILE);
        let file = File::open(&path).map_err(|_| JournalError::Missing(folder.to_owned()))?;
        Self::from_file(&file, &path).map(|(_, recorded)| recorded)
    }

    pub(super) fn from_file(file: &File, path: &Path) -> Result<(u64, Self), JournalError> {
        let mut recorded = Self::default();
        let (good_bytes, _) = read_lines(file, path, |event| {
            let _ = recorded.take(&event);
        })?;
        match &recorded.started {
            Some(started) if started.format == FORMAT => Ok((good_bytes, recorded)),
            _ => Err(JournalError::NoStart(path.to_owned())),
        }
    }

    /// Takes an event in: the same for one that happens and one that is read back. A look gives the
    /// change that people must hear of.
    pub fn take(&mut self, event: &WatchEvent) -> Option<Change> {
        match event {
            WatchEvent::WatchStarted(started) => {
                self.webhook = started
                    .webhook
                    .as_ref()
                    .map(|host| WebhookDoc { host: host.clone(), ..WebhookDoc::default() });
                self.started = Some(started.clone());
            }
            WatchEvent::WatchResumed { .. } => self.resumed = self.resumed.saturating_add(1),
            WatchEvent::Looked { check, look, .. } => {
                self.looks = self.looks.saturating_add(1);
                let every = self.interval(check)?;
                let record = self.records.entry(check.clone()).or_default();
                return record.take(look, every).filter(Change::is_news);
            }
            WatchEvent::Alert { alert } => {
                self.alerts_in_all = self.alerts_in_all.max(alert.number);
                self.alerts.push(alert.clone());
                if self.alerts.len() > MOST_ALERTS {
                    self.alerts.remove(0);
                }
            }
            WatchEvent::Delivered { .. } => {
                if let Some(webhook) = &mut self.webhook {
                    webhook.delivered = webhook.delivered.saturating_add(1);
                }
            }
            WatchEvent::Undelivered { why, .. } => {
                if let Some(webhook) = &mut self.webhook {
                    webhook.lost = webhook.lost.saturating_add(1);
                    webhook.trouble = Some(why.clone());
                }
            }
            WatchEvent::Status { .. } | WatchEvent::WatchFinished { .. } => {}
        }
        None
    }

    /// How often a check is looked at; `None` of a check that is not watched.
    pub fn interval(&self, check: &CheckId) -> Option<jiff::SignedDuration> {
        let checks = &self.started.as_ref()?.checks;
        let watched = checks.iter().find(|watched| &watched.check == check)?;
        jiff::SignedDuration::try_from_secs_f64(watched.every_s).ok()
    }
}
