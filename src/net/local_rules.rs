//! This machine's own packet filter, as its tools print it. On Linux nft(8) and iptables-save(8), which
//! alone tells what the older modules test; pfctl(8) on macOS and the BSDs; reg, else netsh, on Windows. Those
//! of Windows need no privilege; nothing is ever changed.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use crate::model::{Cause, NotMeasured, WireText};
use crate::wire::firewall::windows::{netsh, registry};
use crate::wire::firewall::{Action, Chain, MOST_BYTES, Rule, Test, iptables, nftables, pf};

/// Longest that a tool may take.
const PATIENCE: Duration = Duration::from_secs(8);
/// Where they are; an ordinary user's PATH may not say.
const FOLDERS: [&str; 5] =
    ["/usr/sbin", "/sbin", "/usr/bin", "C:/Windows/System32", "C:/Windows/System32/WindowsPowerShell/v1.0"];

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Every chain.
    pub chains: Vec<Chain>,
    /// The tools that told: `nft`, `iptables-save`, `ip6tables-save`, `pfctl`, `reg`, `netsh`.
    pub tools: Vec<String>,
}

/// What became of a tool.
enum Said {
    Text(String),
    Absent,
    Forbidden,
    Failed(String),
}

/// Reads them.
///
/// # Errors
/// [`Cause::NoPrivilege`] with how to allow it; [`Cause::Unsupported`] without a tool or on another
/// system; [`Cause::Broken`] when a tool says something else than rules.
pub async fn read() -> Result<Rules, NotMeasured> {
    match std::env::consts::OS {
        "linux" => linux().await,
        "macos" | "freebsd" | "openbsd" => with_pf().await,
        "windows" => match with_registry().await {
            Some(rules) => Ok(rules),
            None => with_netsh().await,
        },
        _ => Err(NotMeasured::new(
            Cause::Unsupported,
            "the packet filter of this system is not read",
            "look at its rules by hand",
        )),
    }
}

/// Text of a tool without which nothing is known.
async fn needed(tool: &str, arguments: &[&str]) -> Result<String, NotMeasured> {
    let text = take(tool, run(tool, arguments).await, &mut Rules::default())?;
    text.ok_or_else(|| {
        NotMeasured::new(
            Cause::Unsupported,
            format!("{tool} is not where it belongs to this system"),
            format!("look for {tool}, and at this machine's rules by hand"),
        )
    })
}

async fn with_pf() -> Result<Rules, NotMeasured> {
    let said = |why: String| broken("pfctl", &why);
    let mut rules = Rules { tools: vec!["pfctl".to_owned()], ..Rules::default() };
    // As macOS is delivered, it is off: then no rule is asked.
    if pf::is_enabled(&needed("pfctl", &["-s", "info"]).await?).map_err(said)? {
        let text = needed("pfctl", &["-a", "*", "-s", "rules"]).await?;
        let mut beside = pf::Beside {
            skipped: pf::skipped(&needed("pfctl", &["-v", "-s", "Interfaces"]).await?),
            groups: text_of(run("ifconfig", &["-a"]).await).and_then(|text| pf::groups(&text)),
            ..pf::Beside::default()
        };
        for name in pf::tables(&text) {
            // One of an anchor's own is not among the main ones: it stays unknown.
            let told = text_of(run("pfctl", &["-t", &name, "-T", "show"]).await);
            if let Some(networks) = told.and_then(|text| pf::table(&text)) {
                beside.tables.insert(name, networks);
            }
        }
        rules.chains = pf::parse(&text, &beside).map_err(said)?;
    }
    Ok(rules)
}

/// This machine's rules and group policy's, in no language; none where they are not told to the end.
async fn with_registry() -> Option<Rules> {
    let reg = async |key: &'static str, below: &[&str]| {
        text_of(run("reg.exe", &[&["query", key], below].concat()).await)
    };
    let own = reg(registry::OWN, &["/s"]).await?;
    let policy = if registry::has_policy(&reg(registry::POLICIES, &[]).await?).ok()? {
        reg(registry::POLICY, &["/s"]).await?
    } else {
        String::new()
    };
    // Without it every profile counts.
    let networks =
        run("powershell.exe", &["-NoProfile", "-NonInteractive", "-Command", registry::NETWORKS]).await;
    let chains = registry::parse(&own, &policy, &text_of(networks).unwrap_or_default()).ok()?;
    Some(Rules { chains, tools: vec!["reg".to_owned()] })
}

fn text_of(said: Said) -> Option<String> {
    match said {
        Said::Text(text) => Some(text),
        _ => None,
    }
}

async fn with_netsh() -> Result<Rules, NotMeasured> {
    const RULES: [&str; 7] = ["advfirewall", "firewall", "show", "rule", "name=all", "dir=out", "verbose"];
    let profile = needed("netsh.exe", &["advfirewall", "show", "currentprofile"]).await?;
    let told = needed("netsh.exe", &RULES).await?;
    let mut chains = netsh::parse(&profile, &told).map_err(|why| broken("netsh", &why))?;
    chains.push(untold("Windows Firewall", "rules of a group policy, which netsh does not show"));
    Ok(Rules { chains, tools: vec!["netsh".to_owned()] })
}

/// What a tool does not show may stop a packet all the same: so nothing is called allowed for want of a rule.
fn untold(table: &str, shown: &str) -> Chain {
    let rule = Rule { shown: shown.to_owned(), tests: vec![Test::Unknown], action: Action::Drop };
    Chain {
        table: table.to_owned(),
        name: "not shown".to_owned(),
        output: Some(i64::MAX),
        policy: Some(Action::Accept),
        rules: vec![rule],
    }
}

async fn linux() -> Result<Rules, NotMeasured> {
    let mut rules = Rules::default();
    for (tool, ipv4) in [("iptables-save", true), ("ip6tables-save", false)] {
        if let Some(text) = take(tool, run(tool, &[]).await, &mut rules)? {
            rules.chains.extend(iptables::parse(&text, ipv4));
        }
    }
    if let Some(text) = take("nft", run("nft", &["-j", "list", "ruleset"]).await, &mut rules)? {
        let chains = nftables::parse(&text).map_err(|why| broken("nft", &why))?;
        let told: Vec<String> = rules.chains.iter().map(|chain| in_nft(&chain.table)).collect();
        // What iptables-nft keeps in nftables was told by iptables-save already, and better.
        rules.chains.extend(chains.into_iter().filter(|chain| !told.contains(&chain.table)));
    }
    if rules.tools.is_empty() {
        return Err(NotMeasured::new(
            Cause::Unsupported,
            "neither nft nor iptables-save is installed",
            "install nftables (Debian: apt-get install nftables), then run the check again",
        ));
    }
    Ok(rules)
}

/// `iptables filter` is nftables' `ip filter`.
fn in_nft(table: &str) -> String {
    table.replace("ip6tables ", "ip6 ").replace("iptables ", "ip ")
}

/// A tool's text; `None` when it is not there.
fn take(tool: &str, said: Said, rules: &mut Rules) -> Result<Option<String>, NotMeasured> {
    match said {
        Said::Text(text) => {
            rules.tools.push(tool.to_owned());
            Ok(Some(text))
        }
        Said::Absent => Ok(None),
        Said::Forbidden => Err(NotMeasured::new(
            Cause::NoPrivilege,
            format!("this user may not read this machine's firewall rules ({tool})"),
            "run this check as root (sudo golive check …), or give golive the right with \
             `setcap cap_net_admin+eip` on its file and on nft's",
        )),
        Said::Failed(why) => Err(broken(tool, &why)),
    }
}

fn broken(tool: &str, why: &str) -> NotMeasured {
    NotMeasured::new(
        Cause::Broken,
        format!("{tool} did not tell the rules: {}", WireText::from(why)),
        format!("run `{tool}` by hand as root and look at what it says"),
    )
}

async fn run(tool: &str, arguments: &[&str]) -> Said {
    let Some(program) =
        FOLDERS.iter().map(|folder| format!("{folder}/{tool}")).find(|program| exists(program))
    else {
        return Said::Absent;
    };
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C").kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = async {
        let mut child = command.spawn()?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let most = MOST_BYTES as u64;
        let (mut text, mut complaint) = (Vec::new(), Vec::new());
        let hear = async {
            if let Some(out) = out {
                out.take(most + 1).read_to_end(&mut text).await?;
            }
            std::io::Result::Ok(())
        };
        let complain = async {
            if let Some(err) = err {
                err.take(4_096).read_to_end(&mut complaint).await?;
            }
            std::io::Result::Ok(())
        };
        let (heard, complained) = tokio::join!(hear, complain);
        heard.and(complained)?;
        if text.len() > MOST_BYTES {
            return Ok(Said::Failed("it says more than is read".to_owned())); // and is killed
        }
        let done = child.wait().await?;
        let complaint = String::from_utf8_lossy(&complaint).trim().to_owned();
        Ok(match () {
            () if done.success() => Said::Text(String::from_utf8_lossy(&text).into_owned()),
            () if forbids(&complaint) => Said::Forbidden,
            () => Said::Failed(complaint),
        })
    };
    match timeout(PATIENCE, running).await {
        Ok(Ok(said)) => said,
        Ok(Err(error)) => Said::Failed(std::io::Error::to_string(&error)),
        Err(_) => Said::Failed("it did not end in time".to_owned()),
    }
}

fn exists(program: &str) -> bool {
    std::path::Path::new(program).exists()
}

/// nft and iptables-save say so each in its own words.
fn forbids(complaint: &str) -> bool {
    ["Operation not permitted", "Permission denied", "you must be root"]
        .iter()
        .any(|words| complaint.contains(words))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::model::Transport;
    use crate::wire::firewall::{Outcome, Packet, decide};

    /// As root the rules, else the missing privilege, or a missing tool; never nothing.
    #[tokio::test]
    async fn the_rules_are_read_or_it_is_said_why_not() {
        match read().await {
            Ok(rules) => assert!(!rules.tools.is_empty()),
            Err(why) => {
                assert!(matches!(why.cause, Cause::NoPrivilege | Cause::Unsupported), "{why}");
                assert!(!why.remedy.is_empty());
            }
        }
    }

    #[tokio::test]
    async fn a_tool_that_is_not_there_is_absent_and_one_that_fails_says_why() {
        assert!(matches!(run("nonesuch", &[]).await, Said::Absent));
        assert!(matches!(run("ls", &["/nonesuch"]).await, Said::Failed(why) if why.contains("nonesuch")));
        assert!(matches!(run("echo", &["hello"]).await, Said::Text(text) if text == "hello\n"));
    }

    #[test]
    fn where_a_tool_does_not_show_all_nothing_is_allowed_for_want_of_a_rule() {
        let packet = Packet {
            to: "203.0.113.2".parse().unwrap(),
            port: 1935,
            transport: Transport::Tcp,
            interface: None,
        };
        let outcome = decide(&[untold("Windows Firewall", "rules of a group policy")], &packet);
        assert!(matches!(outcome, Outcome::Unsure(by) if by[0].to_string().contains("group policy")));
        assert_eq!(decide(&[], &packet), Outcome::Allowed);
    }

    #[test]
    fn what_iptables_told_nft_need_not_tell_again() {
        assert_eq!(in_nft("iptables filter"), "ip filter");
        assert_eq!(in_nft("ip6tables mangle"), "ip6 mangle");
        assert!(forbids("netlink: Error: cache initialization failed: Operation not permitted"));
        assert!(forbids(
            "iptables-save v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)"
        ));
    }
}
