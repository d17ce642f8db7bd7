//! Asks one question: in a task of its own, with a time limit, so that a probe that
//! panics or hangs costs its own check and nothing else.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use tokio_util::sync::CancellationToken;

use super::crash;
use crate::evidence::{Measured, Measurement};
use crate::model::{Answer, Cause, NotMeasured};
use crate::net::clock::{self, Origin};
use crate::net::tls::Roots;
use crate::policy::{Check, Policy, Route};
use crate::probe::{self, Env, Progress, Question, Reading};

/// Time that a probe gets to wind down after it was cancelled, and on top of its plan.
const GRACE: Duration = Duration::from_secs(5);
/// Least time that any probe gets.
const FLOOR: Duration = Duration::from_secs(15);

tokio::task_local! {
    static IN_PROBE: ();
}

/// True while called from within a probe's task: a panic there is caught and becomes
/// "not measured", so a panic hook must leave the terminal alone.
pub fn in_probe() -> bool {
    IN_PROBE.try_with(|()| ()).is_ok()
}

/// One check that is about to be measured.
#[derive(Debug)]
pub struct Asking {
    check: Check,
    env: Env,
    seconds_max: f64,
}

impl Asking {
    /// A check of a policy, bound to its way out.
    pub fn new(
        policy: &Policy,
        check: &Check,
        answers: Arc<Vec<Answer>>,
        progress: Progress,
        cancel: CancellationToken,
    ) -> Self {
        let route = check.path.as_ref().and_then(|path| policy.paths.get(path));
        let env = Env {
            check: check.id.clone(),
            source: route.map(Route::source_address).unwrap_or_default(),
            far_ends: Arc::new(policy.far_ends.clone()),
            answers,
            roots: Roots::system(),
            progress,
            cancel,
            origin: Origin::start(),
        };
        let seconds_max = check.question.demand(&policy.far_ends).seconds_max;
        Self { check: check.clone(), env, seconds_max }
    }

    /// Measures it; offsets count from `run`.
    pub async fn measure(self, run: Origin) -> Measurement {
        let (started, offset_ms) = (clock::now(), run.ms());
        // a probe's future is large: kept on the heap
        let result = Box::pin(ask(&self.check.question, &self.env, self.seconds_max)).await;
        Measurement {
            check: self.check.id,
            started,
            offset_ms,
            took_ms: run.ms() - offset_ms,
            source: self.env.source,
            result: result.map_or_else(Measured::NotMeasured, Measured::Reading),
        }
    }
}

/// Measures; never panics, never outlives `seconds_max` by more than a short grace.
pub async fn ask(question: &Question, env: &Env, seconds_max: f64) -> Result<Reading, NotMeasured> {
    let limit = Duration::try_from_secs_f64(seconds_max).unwrap_or(FLOOR).max(FLOOR) + GRACE;
    guard(Box::pin(probe::measure(question, env)), &env.cancel, limit).await
}

async fn guard<T>(
    asking: impl Future<Output = Result<T, NotMeasured>>,
    cancel: &CancellationToken,
    limit: Duration,
) -> Result<T, NotMeasured> {
    let mut asking = std::pin::pin!(AssertUnwindSafe(IN_PROBE.scope((), asking)).catch_unwind());
    let overdue = tokio::select! {
        done = &mut asking => return done.unwrap_or_else(|panic| Err(broken(panic.as_ref()))),
        () = cancel.cancelled() => NotMeasured::cancelled(),
        () = tokio::time::sleep(limit) => {
            cancel.cancel();
            NotMeasured::new(
                Cause::TimedOut,
                format!("the probe did not end within {} s", limit.as_secs()),
                "run this check again; if it stays so, report a defect of golive",
            )
        }
    };
    // The probe sees the token, too, and may still hand over what it has.
    match tokio::time::timeout(GRACE, asking).await {
        Ok(Ok(Ok(reading))) => Ok(reading),
        Ok(Err(panic)) => Err(broken(panic.as_ref())),
        Ok(Ok(Err(_))) | Err(_) => Err(overdue),
    }
}

fn broken(panic: &(dyn std::any::Any + Send)) -> NotMeasured {
    NotMeasured::new(
        Cause::Broken,
        crash::caught(panic),
        "report this defect of golive; the other checks are not affected",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_not_measured() {
        let cancel = CancellationToken::new();
        #[expect(clippy::panic, reason = "the point of the test")]
        let asking = async { panic!("boom \u{1b}[31m") };
        let error = guard::<()>(asking, &cancel, GRACE).await.unwrap_err();
        assert_eq!(error.cause, Cause::Broken);
        assert_eq!(error.detail, "the probe broke: boom \\u{1b}[31m");
    }

    #[tokio::test(start_paused = true)]
    async fn a_hang_is_timed_out() {
        let cancel = CancellationToken::new();
        let error = guard::<()>(futures::future::pending(), &cancel, GRACE).await.unwrap_err();
        assert_eq!(error.cause, Cause::TimedOut);
        assert!(cancel.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_cancelled_probe_still_has_is_kept() {
        let cancel = CancellationToken::new();
        let token = cancel.clone();
        cancel.cancel();
        let asking = async move {
            token.cancelled().await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(7)
        };
        assert_eq!(guard(asking, &cancel, GRACE).await, Ok(7));
    }
}
