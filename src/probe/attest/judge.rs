//! Holds an answer against what was asked.

use super::{Limits, Reading};
use crate::model::{Code, Finding, text};

const ANSWERED: Code =
    Code { id: "attest.answered", means: "The role that was asked gave the answer that the policy wants." };
const REFUSED: Code =
    Code { id: "attest.answered_no", means: "The role that was asked gave the other answer." };
const WRONG_ROLE: Code =
    Code { id: "attest.wrong_role", means: "Somebody answered in a role that was not asked." };

const UNSUPPORTED: Code = Code {
    id: "attest.unsupported",
    means: "The answer is the right one, but nothing is named that supports it.",
};

pub(super) const CODES: &[Code] = &[ANSWERED, REFUSED, WRONG_ROLE, UNSUPPORTED];

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let wanted = limits.answer.as_ref().is_none_or(|answer| answer.0);
    let answer = &reading.answer;
    let word = |yes: bool| if yes { "yes" } else { "no" };
    let expected = format!("{} from {}: {}", word(wanted), reading.asked, text::escape(&reading.question));
    let evidence = if answer.evidence.is_empty() {
        String::new()
    } else {
        format!(" ({})", text::escape(&answer.evidence))
    };
    let observed =
        format!("{} from {} as {}{evidence}", word(answer.yes), text::escape(&answer.name), answer.role);
    if answer.role != reading.asked {
        let remedy = format!("{} must answer this, not {}", reading.asked, answer.role);
        return vec![Finding::unknown(WRONG_ROLE, expected, observed, remedy)];
    }
    if answer.yes == wanted
        && answer.evidence.trim().is_empty()
        && let Some(evidence) = &reading.wanted
    {
        let expected = format!("{expected}; supported by {}", text::escape(evidence));
        let remedy = format!("let {} answer again and say what supports it", reading.asked);
        return vec![Finding::warn(UNSUPPORTED, expected, observed, remedy)];
    }
    if answer.yes == wanted {
        return vec![Finding::pass(ANSWERED, expected, observed)];
    }
    let remedy = format!("settle this with {} before the event, then answer again", reading.asked);
    vec![Finding::fail(REFUSED, expected, observed, remedy)]
}
