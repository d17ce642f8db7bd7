//! Looks the answer up.

use super::{Reading, Target};
use crate::model::{Cause, NotMeasured};
use crate::probe::Env;

/// The last answer given to this check, whoever gave it: the judge looks at the role.
pub(super) fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let answer = env.answers.iter().filter(|answer| answer.check == env.check).max_by_key(|answer| answer.at);
    let answer = answer.ok_or_else(|| {
        NotMeasured::new(
            Cause::Unattested,
            format!("{} has not answered: {}", target.of, target.question),
            format!(
                "let {of} answer it: `golive attest REPORT --role {of} --answer {check}=yes`, or an \
                 [[answer]] with check = \"{check}\" in a file given with --answers",
                of = target.of,
                check = env.check
            ),
        )
    })?;
    Ok(Reading::of(target, answer.clone()))
}
