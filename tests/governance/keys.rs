//! Keys from a file, from the SSH agent, from golive itself; and keys that must not be used.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use crate::event::{Event, POLICY, golive, need, told};

/// An SSH agent of the test's own.
struct Agent(Child, std::path::PathBuf);

impl Agent {
    fn start(event: &Event) -> Self {
        let socket = event.path("agent");
        let child = Command::new(need("ssh-agent", "openssh-client"))
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..100 {
            if socket.exists() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Self(child, socket)
    }

    fn add(&self, key: std::path::PathBuf) {
        let added = Command::new(need("ssh-add", "openssh-client"))
            .arg("-q")
            .arg(key)
            .env("SSH_AUTH_SOCK", &self.1)
            .output()
            .unwrap();
        assert!(added.status.success(), "{}", told(&added).1);
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_agent_signs_with_the_key_of_the_role() {
    let event = Event::new();
    event.go("runs/a");
    let agent = Agent::start(&event);
    let sign = |role: &str, how: &[&str]| {
        let mut command = golive();
        command.arg("sign").arg(event.path("runs/a")).args(["--role", role, "--decision", "go"]).args(how);
        told(&command.env("SSH_AUTH_SOCK", &agent.1).output().unwrap())
    };
    let (code, said) = sign("it", &["--agent"]);
    assert!(code == 64 && said.contains("holds no key"), "{said}");
    agent.add(event.path("stranger"));
    let (code, said) = sign("it", &["--agent"]);
    assert!(code == 64 && said.contains("does not hold the key of it"), "{said}");
    agent.add(event.path("it"));
    agent.add(event.path("marketing"));
    let (code, said) = sign("it", &["--agent"]);
    assert_eq!(code, 0, "{said}");
    let public = event.path("marketing.pub");
    let (code, said) = sign("marketing", &["--key", public.to_str().unwrap()]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(event.verify("runs/a", &[]).0, 0);
    assert_eq!(event.ssh_keygen("runs/a", "it", &[]).0, 0);
    assert_eq!(event.ssh_keygen("runs/a", "marketing", &[]).0, 0);
}

#[test]
fn without_an_agent_it_is_said_what_to_do() {
    let event = Event::new();
    event.go("runs/a");
    let (_, said) = event.golive("sign", "runs/a", &["--role", "it", "--decision", "go", "--agent"]);
    assert!(said.contains("SSH_AUTH_SOCK is not set"), "{said}");
}

#[test]
fn ecdsa_keys_sign_as_well() {
    let event = Event::new();
    std::fs::remove_file(event.path("it")).unwrap();
    event.key("it", "ecdsa");
    event.go("runs/a");
    event.signed("runs/a", "it", "go", &[]);
    event.signed("runs/a", "marketing", "go", &[]);
    assert_eq!(event.verify("runs/a", &[]).0, 0);
    assert_eq!(event.ssh_keygen("runs/a", "it", &[]).0, 0);
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let event = Event::new();
    event.go("runs/a");
    std::fs::set_permissions(event.path("it"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let (code, said) = event.sign("runs/a", "it", "go", &[]);
    assert!(code == 65 && said.contains("others may read this private key"), "{said}");
}

#[test]
fn policies_hold_public_keys_that_can_be_checked() {
    let event = Event::new();
    event.key("rsa", "rsa");
    let private = std::fs::read_to_string(event.path("it")).unwrap();
    for (key, words) in [
        ("ssh-ed25519 AAAA", "no public key of OpenSSH's format"),
        (event.public("rsa").as_str(), "checks no RSA signatures"),
        (private.replace('\n', "\\n").as_str(), "this is a private key"),
    ] {
        let policy = event.policy(&POLICY.replace("KEY(it)", key));
        let (code, said) = told(&golive().args(["policy", "check"]).arg(policy).output().unwrap());
        assert!(code == 78 && said.contains(words), "{words}: {said}");
        // eight characters of the key's secret part would be too many
        assert!(!said.contains(&private[200..208]), "{said}");
    }
}

/// At a terminal of its own (util-linux' script), the answers typed ahead.
fn at_a_terminal(event: &Event, arguments: &str, typed: &[&str]) -> (i32, String) {
    let command =
        format!("{} sign {} {arguments}", env!("CARGO_BIN_EXE_golive"), event.path("runs/a").display());
    let mut child = Command::new(need("script", "bsdutils"))
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut shown = Vec::new();
    let mut part = [0; 512];
    for (index, line) in typed.iter().enumerate() {
        let prompts = |shown: &[u8]| {
            let text = String::from_utf8_lossy(shown);
            text.matches("Passphrase ").count() + text.matches("The same again").count()
        };
        while prompts(&shown) <= index {
            match stdout.read(&mut part).unwrap() {
                0 => break,
                count => shown.extend(&part[..count]),
            }
        }
        // the echo is turned off just after the prompt is shown
        std::thread::sleep(std::time::Duration::from_secs(1));
        let _ = stdin.write_all(format!("{line}\n").as_bytes());
    }
    stdout.read_to_end(&mut shown).unwrap();
    let status = child.wait().unwrap();
    (status.code().unwrap_or(-1), String::from_utf8_lossy(&shown).into_owned())
}

#[test]
fn golive_makes_a_key_for_who_has_none_and_asks_for_its_passphrase() {
    let event = Event::new();
    let policy = event
        .policy(&POLICY.replace("key = \"KEY(it)\"\n", "").replace("level = \"key\"", "level = \"named\""));
    let answers = event.answers(&[("rules.open", "it", true), ("stop.authority", "marketing", true)]);
    assert_eq!(event.check("runs/a", &policy, &answers).0, 0);
    let new = event.path("new");
    let arguments = format!("--role it --decision go --new-key {}", new.display());
    let (code, said) = at_a_terminal(&event, &arguments, &["correct horse", "correct horse"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("nothing ties that key to R. Osei"), "{said}");
    assert!(said.contains("put the key into the policy"), "{said}");
    assert!(!said.contains("correct horse"), "{said}");
    let text = std::fs::read_to_string(&new).unwrap();
    assert!(text.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----"));
    // OpenSSH opens it with that passphrase, and with no other
    let opens = |passphrase: &str| {
        let read = Command::new(need("ssh-keygen", "openssh-client"))
            .args(["-y", "-P", passphrase, "-f"])
            .arg(&new)
            .output()
            .unwrap();
        read.status.success()
    };
    assert!(opens("correct horse") && !opens("battery staple"));

    // another report, signed with that key: one wrong passphrase, then the right one
    std::fs::remove_file(event.path("runs/a/report.it.decision.json")).unwrap();
    std::fs::remove_file(event.path("runs/a/report.it.sig.txt")).unwrap();
    let arguments = format!("--role it --decision go --key {}", new.display());
    let (code, said) = at_a_terminal(&event, &arguments, &["battery staple", "correct horse"]);
    assert_eq!(code, 0, "{said}");
    let secrets = ["correct horse", "battery staple"];
    assert!(secrets.iter().all(|secret| !said.contains(secret)), "{said}");
}

#[test]
fn a_passphrase_is_never_asked_for_without_a_terminal() {
    let event = Event::new();
    event.go("runs/a");
    let locked = Command::new(need("ssh-keygen", "openssh-client"))
        .args(["-q", "-p", "-P", "", "-N", "secret", "-f"])
        .arg(event.path("it"))
        .output()
        .unwrap();
    assert!(locked.status.success());
    let key = event.path("it");
    let mut command = Command::new(need("setsid", "util-linux"));
    command.arg("--wait").arg(env!("CARGO_BIN_EXE_golive")).arg("sign").arg(event.path("runs/a"));
    command.args(["--role", "it", "--decision", "go", "--key"]).arg(key).stdin(Stdio::null());
    let (code, said) = told(&command.output().unwrap());
    assert!(code == 64 && said.contains("no terminal to ask for a passphrase at"), "{code} {said}");
}

#[test]
fn one_key_for_two_roles_is_pointed_out() {
    let event = Event::new();
    let policy = event.policy(&POLICY.replace("KEY(marketing)", "KEY(it)"));
    let answers = event.answers(&[("rules.open", "it", true), ("stop.authority", "marketing", true)]);
    assert_eq!(event.check("runs/a", &policy, &answers).0, 0);
    std::fs::copy(event.path("it"), event.path("marketing")).unwrap();
    event.signed("runs/a", "it", "go", &[]);
    event.signed("runs/a", "marketing", "go", &[]);
    let (_, said) = event.verify("runs/a", &[]);
    assert!(said.contains("it and marketing signed with the same key"), "{said}");
}
