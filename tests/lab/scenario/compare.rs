//! What golive had to say, and where it differs from what it said.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

/// What golive must say: `[expect]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// GO, CONDITIONAL GO, NO-GO or INCONCLUSIVE.
    pub verdict: String,
    /// For each check the codes that must be found. Every finding that is no pass must stand here.
    #[serde(default)]
    pub find: BTreeMap<String, BTreeSet<String>>,
    /// For each check the codes that may be found beside them, where the network leaves it open.
    #[serde(default)]
    pub may: BTreeMap<String, BTreeSet<String>>,
    /// For each check words that its findings must hold: whom they blame.
    #[serde(default)]
    pub says: BTreeMap<String, Vec<String>>,
    /// Codes that no check may find, passes too.
    #[serde(default)]
    pub never: BTreeSet<String>,
    /// Checks that could not be asked, with the cause's word.
    #[serde(default)]
    pub not_measured: BTreeMap<String, String>,
}

impl Expect {
    /// Every code that this scenario shows golive to find.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.find.values().flatten().map(String::as_str)
    }
}

/// What golive said: verdict, and for each check its findings.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub verdict: String,
    /// Check to (code, is a pass, what was observed).
    pub findings: BTreeMap<String, Vec<(String, bool, String)>>,
    /// Check to all that its findings say, what to do, too.
    pub said: BTreeMap<String, String>,
    /// Check to the cause's word.
    pub not_measured: BTreeMap<String, String>,
}

impl Seen {
    /// Reads a report.
    pub fn of(report: &Value) -> Self {
        let mut seen = Self { verdict: word(&report["verdict"]["word"]), ..Self::default() };
        for check in report["checks"].as_array().into_iter().flatten() {
            let id = word(&check["id"]);
            let findings = check["findings"].as_array().into_iter().flatten();
            let said = |finding: &Value| word(&finding["observed"]) + "\n" + &word(&finding["remedy"]) + "\n";
            seen.said.insert(id.clone(), findings.clone().map(said).collect());
            let findings = findings
                .map(|finding| {
                    (word(&finding["code"]), finding["effect"] == "pass", word(&finding["observed"]))
                })
                .collect();
            seen.findings.insert(id.clone(), findings);
            if let Some(cause) = check["not_measured"].as_object() {
                seen.not_measured.insert(id, word(&cause["cause"]));
            }
        }
        seen
    }

    /// Codes that are no pass, with their checks.
    pub fn accusations(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.findings.iter().flat_map(|(check, findings)| {
            let bad = findings.iter().filter(|finding| !finding.1);
            bad.map(move |(code, _, observed)| (check.as_str(), code.as_str(), observed.as_str()))
        })
    }

    /// Every difference from what was expected, in words; none when all is as it should be.
    pub fn differences(&self, expect: &Expect) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.verdict != expect.verdict {
            wrong.push(format!("says {}, not {}", self.verdict, expect.verdict));
        }
        for (check, codes) in &expect.find {
            let Some(found) = self.findings.get(check) else {
                wrong.push(format!("{check} is not in the report"));
                continue;
            };
            for code in codes.iter().filter(|code| !found.iter().any(|finding| finding.0 == **code)) {
                wrong.push(format!("{check}: does not find {code}"));
            }
        }
        let allowed = |of: &BTreeMap<String, BTreeSet<String>>, check: &str, code: &str| {
            of.get(check).is_some_and(|codes| codes.contains(code))
        };
        for (check, code, observed) in self.accusations() {
            if !allowed(&expect.find, check, code) && !allowed(&expect.may, check, code) {
                wrong.push(format!("{check}: accuses by {code} ({observed})"));
            }
        }
        for (check, words) in &expect.says {
            let said = self.said.get(check).map_or("", String::as_str);
            let missing = words.iter().filter(|words| !said.contains(words.as_str()));
            wrong.extend(missing.map(|words| format!("{check}: does not say `{words}` in:\n{said}")));
        }
        for (check, findings) in &self.findings {
            for (code, ..) in findings.iter().filter(|finding| expect.never.contains(&finding.0)) {
                wrong.push(format!("{check}: finds {code}, which is not so"));
            }
        }
        if self.not_measured != expect.not_measured {
            wrong.push(format!(
                "could not ask {:?}, where {:?} was expected",
                self.not_measured, expect.not_measured
            ));
        }
        wrong
    }
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn expect(text: &str) -> Expect {
        toml::from_str(text).unwrap()
    }

    fn report() -> Value {
        json!({ "verdict": { "word": "NO-GO" }, "checks": [
            { "id": "a", "findings": [
                { "code": "port.filtered", "effect": "fail", "observed": "nothing", "remedy": "ask hop 2" },
                { "code": "port.open", "effect": "pass", "observed": "RTMP" },
            ], "not_measured": null },
            { "id": "b", "findings": [], "not_measured": { "cause": "no_privilege" } },
        ]})
    }

    #[test]
    fn what_was_expected_is_no_difference() {
        let expected = expect(
            "verdict = 'NO-GO'\nfind.a = ['port.filtered']\nnot_measured.b = 'no_privilege'\nnever = ['port.spoofed']\nsays.a = ['hop 2']",
        );
        assert_eq!(Seen::of(&report()).differences(&expected), Vec::<String>::new());
    }

    #[test]
    fn each_difference_is_named() {
        let expected = expect(
            "verdict = 'GO'\nfind.a = ['port.refused']\nfind.c = ['x']\nnever = ['port.open']\nsays.a = ['hop 3']",
        );
        let said = Seen::of(&report()).differences(&expected).join("\n");
        for part in [
            "says NO-GO, not GO",
            "a: does not find port.refused",
            "a: accuses by port.filtered (nothing)",
            "a: finds port.open",
            "c is not in the report",
            "a: does not say `hop 3` in:\nnothing\nask hop 2",
            "could not ask",
        ] {
            assert!(said.contains(part), "{part} in {said}");
        }
    }
}
