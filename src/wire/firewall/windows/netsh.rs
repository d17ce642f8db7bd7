//! `netsh advfirewall show currentprofile` and `netsh advfirewall firewall show rule name=all dir=out
//! verbose` (Microsoft, "Netsh `AdvFirewall` Firewall Commands").
//!
//! netsh shows no rules of a group policy, and speaks the language of Windows: another than English is told
//! apart, not guessed.

use super::{Action, Chain, Ordered, Profile, Rule, Test};

/// The rules for what leaves, as one chain in the order in which they decide; none where the firewall
/// is off.
///
/// # Errors
/// What is not netsh's English, or is cut off.
pub fn parse(profile: &str, rules: &str) -> Result<Vec<Chain>, String> {
    let profiles = profiles(whole(profile)?)?;
    if profiles.iter().all(|profile| !profile.is_on) {
        return Ok(Vec::new());
    }
    let mut ordered = Ordered::default();
    for fields in blocks(whole(rules)?)? {
        if let Some(rule) = rule(&fields, &profiles) {
            // Those who prove who they are pass what others may not.
            ordered.add(rule, fields.get("Action") == Some("Bypass"));
        }
    }
    Ok(ordered.chain(&profiles))
}

/// netsh ends with `Ok.` what it told to the end.
fn whole(text: &str) -> Result<&str, String> {
    text.trim_end().strip_suffix("Ok.").ok_or_else(|| "it does not end with netsh's \"Ok.\"".to_owned())
}

fn profiles(text: &str) -> Result<Vec<Profile<'_>>, String> {
    let mut profiles: Vec<Profile> = Vec::new();
    let (mut states, mut policies) = (0, 0);
    for line in text.lines() {
        if let Some(name) = line.trim().strip_suffix(" Profile Settings:") {
            profiles.push(Profile { name, is_on: false, blocks: false });
        }
        let Some(profile) = profiles.last_mut() else { continue };
        if let Some(state) = line.strip_prefix("State ") {
            profile.is_on = state.trim() == "ON";
            states += 1;
        } else if let Some(policy) = line.strip_prefix("Firewall Policy ") {
            profile.blocks = policy.trim().ends_with("BlockOutbound");
            policies += 1;
        }
    }
    if profiles.is_empty() || states != profiles.len() || policies != profiles.len() {
        return Err("it names no profile with a state and a policy, in English".to_owned());
    }
    Ok(profiles)
}

/// What netsh tells of one rule.
struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
    }

    /// Whether a field is told twice, as a description of several lines could make it seem.
    fn doubled(&self) -> bool {
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.windows(2).any(|two| two[0] == two[1])
    }
}

fn blocks(text: &str) -> Result<Vec<Fields<'_>>, String> {
    let mut blocks: Vec<Fields> = Vec::new();
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name == "Rule Name" {
            blocks.push(Fields(Vec::new()));
        }
        if let Some(block) = blocks.last_mut() {
            block.0.push((name, value.trim()));
        }
    }
    let complete = |fields: &Fields| {
        ["Enabled", "Direction", "Profiles", "Action"].iter().all(|name| fields.get(name).is_some())
    };
    if blocks.is_empty() || !blocks.iter().all(complete) {
        return Err("a rule is not told in full, in English".to_owned());
    }
    Ok(blocks)
}

/// A rule that may decide about what leaves now.
fn rule(fields: &Fields, active: &[Profile]) -> Option<Rule> {
    if fields.get("Enabled") == Some("No") || fields.get("Direction") == Some("In") {
        return None;
    }
    let of: Vec<&str> = fields.get("Profiles").unwrap_or_default().split(',').map(str::trim).collect();
    let mut on = active.iter().filter(|profile| profile.is_on && of.contains(&profile.name));
    let met = on.by_ref().count();
    if met == 0 {
        return None;
    }
    let mut tests = vec![protocol(fields), ports(fields), addresses(fields)];
    // Which of several profiles holds for a packet is not known, nor which program will send it.
    let any = |name| matches!(fields.get(name), None | Some("Any" | ""));
    let plain = any("LocalIP")
        && any("LocalPort")
        && any("Program")
        && any("Service")
        && any("InterfaceTypes")
        && matches!(fields.get("Security"), None | Some("NotRequired"));
    if met < active.len() || !plain || fields.doubled() || fields.get("Action") == Some("Bypass") {
        tests.push(Some(Test::Unknown));
    }
    let action = match fields.get("Action") {
        Some("Allow" | "Bypass") => Action::Accept,
        Some("Block") => Action::Drop,
        _ => Action::Unknown,
    };
    let shown = format!("rule \"{}\"", fields.get("Rule Name").unwrap_or_default());
    Some(Rule { shown, tests: tests.into_iter().flatten().collect(), action })
}

fn protocol(fields: &Fields) -> Option<Test> {
    match fields.get("Protocol") {
        None | Some("Any") => None,
        Some(name) => Some(Test::Protocol(vec![name.to_ascii_lowercase()], false)),
    }
}

fn ports(fields: &Fields) -> Option<Test> {
    each(fields.get("RemotePort"), super::ports)
        .map(|ports| ports.map_or(Test::Unknown, |all| Test::Port(all, false)))
}

fn addresses(fields: &Fields) -> Option<Test> {
    each(fields.get("RemoteIP"), super::addresses)
        .map(|to| to.map_or(Test::Unknown, |all| Test::To(all, false)))
}

/// The parts of a list; none for `Any`, and none within where a part is not known: `LocalSubnet`.
#[expect(clippy::option_option, reason = "no test, and a test that is not known, are two things")]
fn each<T>(value: Option<&str>, one: impl Fn(&str) -> Option<T>) -> Option<Option<Vec<T>>> {
    match value {
        None | Some("Any" | "") => None,
        Some(list) => Some(list.split(',').map(one).collect()),
    }
}
