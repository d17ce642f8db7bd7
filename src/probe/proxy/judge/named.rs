//! What names a proxy here.

use super::{NETWORK, code};
use crate::model::Finding;
use crate::probe::proxy::{Reading, Said, Says, Script, ScriptAnswer, Teller};

const EXPECTED: &str = "what names a proxy here";

pub(super) fn findings(reading: &Reading) -> Vec<Finding> {
    let mut findings = vec![named(reading)];
    findings.extend(reading.scripts.iter().filter_map(failed));
    findings
}

fn named(reading: &Reading) -> Finding {
    let unreadable =
        |said: &&Said| said.teller == Teller::Machine && matches!(said.says, Says::Unreadable { .. });
    let (unread, said): (Vec<&Said>, Vec<&Said>) = reading.said.iter().partition(unreadable);
    let unread = unread.first().map_or_else(String::new, |said| match &said.says {
        Says::Unreadable { why } => format!("; this machine's settings: {why}"),
        _ => String::new(),
    });
    if said.is_empty() {
        return Finding::pass(code::NONE, EXPECTED, format!("nothing{unread}"));
    }
    let words: Vec<String> = said.into_iter().map(words).collect();
    Finding::pass(code::NAMED, EXPECTED, format!("{}{unread}", words.join("; ")))
}

fn words(said: &Said) -> String {
    let place = &said.place;
    let who = match said.teller {
        Teller::Policy => "the policy".to_owned(),
        Teller::Environment => format!("environment ({place})"),
        Teller::Machine => format!("this machine's {place}"),
        Teller::Dhcp => format!("the network, by DHCP ({place})"),
        Teller::Dns => format!("the network, by the name {place}"),
        Teller::Script => format!("the script {place}"),
    };
    match &said.says {
        Says::Proxy { url, secret: false } => format!("{who}: {url}"),
        Says::Proxy { url, secret: true } => format!("{who}: {url}, with credentials"),
        Says::Direct => format!("{who}: no proxy for the ingest"),
        Says::Script => format!("{who}: a script"),
        Says::Discover => format!("{who}: look for a script"),
        Says::Unreadable { why } => format!("{who}: {why}"),
    }
}

fn failed(script: &Script) -> Option<Finding> {
    let why = match &script.answer {
        ScriptAnswer::Ways(_) => return None,
        ScriptAnswer::Failed { why } => why.to_string(),
        ScriptAnswer::NotFetched { failure, detail } if detail.is_empty() => failure.to_string(),
        ScriptAnswer::NotFetched { failure, detail } => format!("{failure} ({detail})"),
    };
    let remedy = match script.teller {
        Teller::Policy => "check `script` in the policy".to_owned(),
        Teller::Dns => format!(
            "{NETWORK}: the name wpad exists and gives no proxy script; browsers that look for one wait, or take \
             it from whoever answers"
        ),
        _ => format!(
            "{NETWORK}: mend the proxy script (PAC), or stop naming it: programs that ask it are lost"
        ),
    };
    let observed = format!("{}: {why}", script.url);
    Some(Finding::warn(code::SCRIPT_FAILED, "an answer of the proxy script", observed, remedy))
}
