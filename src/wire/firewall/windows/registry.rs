//! What `reg query KEY /s` prints of the firewall's keys: this machine's own, those of device management (MDM)
//! below it, and those of group policy. Rules and settings are written as in MS-GPFAS 2.2.2 and 2.2.3, in
//! no language; how settings of several stores merge says MS-FASP 2.2.38.
//!
//! Below `RestrictedServices` stand rules of single services and packaged apps: they are left out.

use super::{Action, Chain, Ordered, Profile, Rule, Test};

/// This machine's own key.
pub const OWN: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy";
/// The key above group policy's: it is always there.
pub const POLICIES: &str = r"HKLM\SOFTWARE\Policies\Microsoft";
/// Group policy's.
pub const POLICY: &str = r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall";
/// The script by which `PowerShell` says which kinds of network this machine is on: a number a line
/// (`NetworkCategory` of `MSFT_NetConnectionProfile`).
pub const NETWORKS: &str = "Get-NetConnectionProfile | ForEach-Object { [int]$_.NetworkCategory }";

/// The profiles, in the order of their numbers as `NetworkCategory`.
const PROFILES: [&str; 3] = ["Public", "Private", "Domain"];
/// Between the columns of `reg query`.
const GAP: &str = "    ";
/// Fields that leave the first packet out as the rule's other fields say.
const NEUTRAL: [&str; 13] = [
    "Action",
    "Active",
    "Dir",
    "Profile",
    "Protocol",
    "Name",
    "Desc",
    "EmbedCtxt",
    "Edge",
    "Defer",
    "LSM",
    "LOM",
    "PCross",
];

/// Whether group policy has a key of its own, from `reg query` of [`POLICIES`].
///
/// # Errors
/// What is no such list.
pub fn has_policy(text: &str) -> Result<bool, String> {
    let mut keys = text.lines().map(str::trim_end).filter(|line| line.starts_with("HKEY_")).peekable();
    keys.peek().ok_or("it names no key")?;
    Ok(keys.any(|key| key.to_ascii_lowercase().ends_with(r"\microsoft\windowsfirewall")))
}

/// The rules for what leaves, as one chain; none where the firewall is off.
///
/// `own` is [`OWN`] and what is below, `policy` [`POLICY`], empty where there is none; `networks` what
/// [`NETWORKS`] printed: where that is not known, every profile counts as active.
///
/// # Errors
/// What is no such text, or is cut off.
pub fn parse(own: &str, policy: &str, networks: &str) -> Result<Vec<Chain>, String> {
    let keys = keys(own)?;
    let (own, managed) =
        (Store::of(&keys, &["firewallpolicy"]), Store::of(&keys, &["firewallpolicy", "mdm"]));
    // Every Windows has these; the private profile's key comes last, by its name: so all before it was told.
    if own.settings.iter().any(|settings| settings.is_on.is_none()) || own.rules.is_empty() {
        return Err("it does not name every profile and a rule".to_owned());
    }
    let keys = if policy.is_empty() { Vec::new() } else { self::keys(policy)? };
    let group = Store::of(&keys, &["windowsfirewall"]);
    let stores = [&group, &managed, &own];
    let told = |at: usize, of: fn(&Settings) -> Option<bool>| {
        stores.iter().find_map(|store| of(store.settings.get(at)?))
    };
    let active = active(networks);
    let profiles: Vec<Profile> = active
        .iter()
        .map(|at| Profile {
            name: PROFILES.get(*at).unwrap_or(&""),
            is_on: told(*at, |settings| settings.is_on).unwrap_or(true),
            blocks: told(*at, |settings| settings.blocks).unwrap_or(false),
        })
        .collect();
    let merged: Vec<bool> =
        active.iter().map(|at| told(*at, |settings| settings.merges).unwrap_or(true)).collect();
    let mut ordered = Ordered::default();
    for (store, whose) in [(&group, " of a group policy"), (&managed, " of device management"), (&own, "")] {
        for (id, text) in &store.rules {
            let holds = |at: usize| !whose.is_empty() || merged.get(at) == Some(&true);
            if let Some((rule, by_proof)) = rule(id, text, whose, &profiles, holds) {
                ordered.add(rule, by_proof);
            }
        }
    }
    Ok(ordered.chain(&profiles))
}

/// The profiles that are active, by their number.
fn active(networks: &str) -> Vec<usize> {
    let told: Option<Vec<usize>> = networks
        .split_whitespace()
        .map(|number| number.parse().ok().filter(|number| *number < PROFILES.len()))
        .collect();
    let mut told = told.unwrap_or_default();
    told.sort_unstable();
    told.dedup();
    if told.is_empty() { (0..PROFILES.len()).collect() } else { told }
}

/// A key with its values.
struct Key<'a> {
    /// Its path in small letters: names of keys know no others.
    path: Vec<String>,
    /// Name and data.
    values: Vec<(&'a str, &'a str)>,
}

fn keys(text: &str) -> Result<Vec<Key<'_>>, String> {
    let mut keys: Vec<Key> = Vec::new();
    let mut is_open = true;
    for line in text.split_inclusive('\n') {
        let whole = line.ends_with('\n');
        let line = line.trim_end_matches(['\r', '\n']);
        is_open = !whole || !line.trim().is_empty();
        if line.starts_with("HKEY_") {
            let path = line.split('\\').map(|part| part.trim().to_ascii_lowercase()).collect();
            keys.push(Key { path, values: Vec::new() });
        } else if let Some(value) = line.strip_prefix(GAP) {
            let (name, rest) = value.split_once("    REG_").ok_or("a value has no type")?;
            let data = rest.split_once(GAP).map_or("", |(_, data)| data);
            keys.last_mut().ok_or("a value stands below no key")?.values.push((name, data.trim_end()));
        } else if !line.trim().is_empty() {
            return Err("a line is neither a key nor a value".to_owned());
        }
    }
    // After the last value of a key stands an empty line.
    if is_open { Err("it is cut off".to_owned()) } else { Ok(keys) }
}

/// What one of those who may set rules has set.
#[derive(Default)]
struct Store<'a> {
    /// By profile.
    settings: [Settings; 3],
    /// Id and text.
    rules: Vec<(&'a str, &'a str)>,
}

/// Settings of one profile; none where that is left to others.
#[derive(Debug, Clone, Copy, Default)]
struct Settings {
    /// `EnableFirewall`.
    is_on: Option<bool>,
    /// `DefaultOutboundAction`.
    blocks: Option<bool>,
    /// `AllowLocalPolicyMerge`: the machine's own rules count, too.
    merges: Option<bool>,
}

impl<'a> Store<'a> {
    /// What stands right below the key whose path ends so.
    fn of(keys: &[Key<'a>], root: &[&str]) -> Self {
        let below = |key: &&Key| {
            key.path.split_last().is_some_and(|(_, above)| {
                above.len() >= root.len()
                    && above.iter().rev().zip(root.iter().rev()).all(|(own, wanted)| own == wanted)
            })
        };
        let mut store = Self::default();
        let (mut standard, mut is_split) = (None, false);
        for key in keys.iter().filter(below) {
            let settings = Settings::of(key);
            match key.path.last().map(String::as_str) {
                Some("publicprofile") => (store.settings[0], is_split) = (settings, true),
                Some("privateprofile") => (store.settings[1], is_split) = (settings, true),
                Some("domainprofile") => store.settings[2] = settings,
                Some("standardprofile") => standard = Some(settings),
                Some("firewallrules") => store.rules.extend(&key.values),
                _ => {}
            }
        }
        // Before there were private networks: this one is theirs, and in old group policies the public ones'
        // as well (MS-GPFAS 2.2.3).
        let is_policy = root == ["windowsfirewall"];
        if let Some(standard) = standard.filter(|_| !(is_policy && is_split)) {
            store.settings[1] = standard;
            if is_policy {
                store.settings[0] = standard;
            }
        }
        store
    }
}

impl Settings {
    fn of(key: &Key) -> Self {
        let flag = |wanted: &str| {
            let (_, data) = key.values.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
            let number = u32::from_str_radix(data.strip_prefix("0x")?, 16).ok()?;
            Some(number != 0)
        };
        Self {
            is_on: flag("EnableFirewall"),
            blocks: flag("DefaultOutboundAction"),
            merges: flag("AllowLocalPolicyMerge"),
        }
    }
}

/// A rule that may decide about what leaves now, and whether it asks for proof of who sends.
fn rule(
    id: &str,
    text: &str,
    whose: &str,
    active: &[Profile],
    holds: impl Fn(usize) -> bool,
) -> Option<(Rule, bool)> {
    // What does not begin with its version is no rule for Windows either.
    let (version, fields) = text.split_once('|')?;
    let (major, minor) = version.strip_prefix('v')?.split_once('.')?;
    (major.parse::<u8>().is_ok() && minor.parse::<u8>().is_ok()).then_some(())?;
    let fields: Vec<(&str, &str)> = fields.split('|').filter_map(|field| field.split_once('=')).collect();
    let all = |wanted: &str| {
        fields.iter().filter(move |(name, _)| *name == wanted).map(|(_, value)| *value).collect::<Vec<_>>()
    };
    let is = |name: &str, value: &str| all(name).iter().any(|own| own.eq_ignore_ascii_case(value));
    if !is("Active", "TRUE") || !is("Dir", "Out") {
        return None;
    }
    let of = all("Profile");
    let on = |(at, profile): &(usize, &Profile)| {
        profile.is_on
            && holds(*at)
            && (of.is_empty() || of.iter().any(|own| own.eq_ignore_ascii_case(profile.name)))
    };
    let met = active.iter().enumerate().filter(on).count();
    if met == 0 {
        return None;
    }
    let mut tests = Vec::new();
    if let [protocol] = all("Protocol")[..] {
        tests.push(Test::Protocol(vec![protocol.to_owned()], false));
    }
    let (ports, to) = ([all("RPort"), all("RPort2_10")].concat(), [all("RA4"), all("RA6")].concat());
    if !ports.is_empty() {
        let ranges: Option<Vec<_>> = ports.iter().map(|part| super::ports(part)).collect();
        tests.push(ranges.map_or(Test::Unknown, |ranges| Test::Port(ranges, false)));
    }
    if !to.is_empty() {
        let ranges: Option<Vec<_>> = to.iter().map(|part| super::addresses(part)).collect();
        tests.push(ranges.map_or(Test::Unknown, |ranges| Test::To(ranges, false)));
    }
    // A program, a service, a user, a word for addresses; or which of several profiles holds for a packet.
    let known = |name: &str| NEUTRAL.contains(&name) || ["RPort", "RPort2_10", "RA4", "RA6"].contains(&name);
    if met < active.len() || fields.iter().any(|(name, _)| !known(name)) {
        tests.push(Test::Unknown);
    }
    let action = match all("Action")[..] {
        ["Allow" | "ByPass"] => Action::Accept,
        ["Block"] => Action::Drop,
        _ => Action::Unknown,
    };
    // The names of those that came with Windows are numbers of its own texts.
    let name = all("Name").first().copied().filter(|name| !name.starts_with('@')).unwrap_or(id);
    let rule = Rule { shown: format!("rule \"{name}\"{whose}"), tests, action };
    Some((rule, is("Action", "ByPass") || is("AuthByPassOut", "TRUE")))
}
