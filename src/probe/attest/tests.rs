use super::*;
use crate::model::{Cause, CheckId, Effect};

fn target() -> Target {
    Target {
        question: "May somebody stop the stream within 10 s?".into(),
        of: Role::new("marketing").unwrap(),
        evidence: None,
        answered_by: None,
    }
}

fn answer(role: &str, yes: bool) -> Answer {
    Answer {
        check: CheckId::new("stop").unwrap(),
        yes,
        role: Role::new(role).unwrap(),
        name: "A. Person".into(),
        at: "2026-11-22T10:00:00Z".parse().unwrap(),
        evidence: String::new(),
        expires: None,
    }
}

async fn reading(answers: Vec<Answer>) -> Result<Reading, NotMeasured> {
    let mut env = Env::bare(CheckId::new("stop").unwrap());
    env.answers = std::sync::Arc::new(answers);
    Attest::measure(&target(), &env).await
}

#[tokio::test]
async fn no_answer_is_not_measured() {
    assert_eq!(reading(vec![]).await.unwrap_err().cause, Cause::Unattested);
}

#[tokio::test]
async fn each_answer_has_its_code() {
    for (role, yes, code, effect) in [
        ("marketing", true, "attest.answered", Effect::Pass),
        ("marketing", false, "attest.answered_no", Effect::Fail),
        ("it", true, "attest.wrong_role", Effect::Unknown),
    ] {
        let reading = reading(vec![answer(role, yes)]).await.unwrap();
        let findings = Attest::judge(&Limits::default(), &reading);
        assert_eq!((findings[0].code.as_str(), findings[0].effect), (code, effect));
    }
}

#[tokio::test]
async fn an_answer_without_the_evidence_that_is_asked_for_warns() {
    let mut reading = reading(vec![answer("marketing", true)]).await.unwrap();
    reading.wanted = Some("the page of the run sheet".into());
    let code = |reading: &Reading| {
        let finding = Attest::judge(&Limits::default(), reading).remove(0);
        (finding.code, finding.effect)
    };
    assert_eq!(code(&reading), ("attest.unsupported".into(), Effect::Warn));
    reading.answer.evidence = " ".into();
    assert_eq!(code(&reading).1, Effect::Warn);
    reading.answer.evidence = "run sheet, page 2".into();
    assert_eq!(code(&reading).1, Effect::Pass);
    reading.answer.yes = false;
    reading.answer.evidence.clear();
    assert_eq!(code(&reading).1, Effect::Fail, "a no needs no proof");
}
