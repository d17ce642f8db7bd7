//! What Prometheus is told: the states, looks and alerts of a watch.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::judge::watch::{Alert, Look};
use crate::model::Outcome;
use crate::report::WatchedDoc;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfCheck {
    check: String,
    probe: String,
    path: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WithOutcome {
    check: String,
    probe: String,
    path: String,
    outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfWebhook {
    result: String,
}

/// Every outcome that a state can be: each has a line of its own, 0 or 1, so that "could not ask" is
/// never taken for a number between good and bad.
const OUTCOMES: [Outcome; 5] =
    [Outcome::Pass, Outcome::Warn, Outcome::Unknown, Outcome::Fail, Outcome::NotApplicable];

/// The metrics of one watch; clones share them.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    state: Family<WithOutcome, Gauge>,
    looks: Family<WithOutcome, Counter>,
    last_look: Family<OfCheck, Gauge<f64, AtomicU64>>,
    took: Family<OfCheck, Gauge<f64, AtomicU64>>,
    alerts: Family<WithOutcome, Counter>,
    webhook: Family<OfWebhook, Counter>,
}

impl Metrics {
    /// Before the first look; `most_bps` is what all looks send at most.
    pub fn new(checks: &[WatchedDoc], most_bps: u64) -> Self {
        let new = Self {
            registry: Arc::default(),
            state: Family::default(),
            looks: Family::default(),
            last_look: Family::default(),
            took: Family::default(),
            alerts: Family::default(),
            webhook: Family::default(),
        };
        let mut registry = Registry::with_prefix("golive_watch");
        registry.register(
            "check_state",
            "1 for the state that a check is in, two of its last three looks agreeing; all 0 before two looks",
            new.state.clone(),
        );
        registry.register("looks", "Looks by what each came to", new.looks.clone());
        registry.register(
            "last_look_timestamp_seconds",
            "When a check was last looked at, Unix time",
            new.last_look.clone(),
        );
        registry.register("look_seconds", "How long the last look took", new.took.clone());
        registry.register("alerts", "Alerts by the state that they told", new.alerts.clone());
        registry.register(
            "webhook_messages",
            "Messages to the webhook by what became of them",
            new.webhook.clone(),
        );
        let budget = Gauge::<f64, AtomicU64>::default();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        budget.set(most_bps as f64 / 8.0);
        registry.register("budget_bytes_per_second", "What all looks send at most", budget);
        if let Ok(mut place) = new.registry.lock() {
            *place = registry;
        }
        for check in checks {
            new.set_state(check, None);
        }
        new
    }

    /// A look was taken, and the check is now in this state.
    pub fn looked(&self, check: &WatchedDoc, look: &Look, state: Option<Outcome>) {
        self.looks.get_or_create(&with(check, look.outcome)).inc();
        let took = look.until.duration_since(look.at).as_secs_f64();
        self.took.get_or_create(&of(check)).set(took.max(0.0));
        #[expect(clippy::cast_precision_loss, reason = "Unix time in ms is far below 2^52")]
        self.last_look.get_or_create(&of(check)).set(look.at.as_millisecond() as f64 / 1000.0);
        self.set_state(check, state);
    }

    /// A check is in this state.
    pub fn set_state(&self, check: &WatchedDoc, state: Option<Outcome>) {
        for outcome in OUTCOMES {
            self.state.get_or_create(&with(check, outcome)).set(i64::from(state == Some(outcome)));
        }
    }

    /// An alert was given.
    pub fn alerted(&self, check: &WatchedDoc, alert: &Alert) {
        self.alerts.get_or_create(&with(check, alert.to)).inc();
    }

    /// The webhook took a message, or did not.
    pub fn delivered(&self, taken: bool) {
        let result = if taken { "delivered" } else { "lost" }.to_owned();
        self.webhook.get_or_create(&OfWebhook { result }).inc();
    }

    /// All of them in Prometheus' text format 0.0.4, which everything reads that reads metrics.
    pub fn text(&self) -> String {
        let mut out = String::new();
        if let Ok(registry) = self.registry.lock() {
            // writing to a String cannot fail
            let _ = text::encode_registry(&mut out, &registry);
        }
        classic(&out)
    }
}

/// `OpenMetrics` as text format 0.0.4: there a counter has in HELP and TYPE the name that its samples have.
fn classic(open: &str) -> String {
    let described = |line: &str| {
        let (kind, rest) = line.strip_prefix("# ")?.split_once(' ')?;
        let (name, words) = rest.split_once(' ')?;
        Some((kind.to_owned(), name.to_owned(), words.to_owned()))
    };
    let counters: BTreeSet<String> = open
        .lines()
        .filter_map(described)
        .filter(|(kind, _, words)| kind == "TYPE" && words == "counter")
        .map(|(_, name, _)| name)
        .collect();
    let line = |line: &str| match described(line) {
        Some((kind, name, words)) if counters.contains(&name) => format!("# {kind} {name}_total {words}\n"),
        _ => format!("{line}\n"),
    };
    open.lines().map(line).collect()
}

fn path(check: &WatchedDoc) -> String {
    check.path.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn of(check: &WatchedDoc) -> OfCheck {
    OfCheck { check: check.check.to_string(), probe: check.probe.clone(), path: path(check) }
}

fn with(check: &WatchedDoc, outcome: Outcome) -> WithOutcome {
    let OfCheck { check, probe, path } = of(check);
    WithOutcome { check, probe, path, outcome: outcome.word().to_owned() }
}
