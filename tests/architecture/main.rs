//! Holds the architecture: direction of the layers, purity, names, lengths.
//!
//! It reads the sources as text, so that it needs no dependency and no build of golive. What it
//! cannot see: a name that reaches a module through a re-export of a layer that may be used.
#![allow(clippy::unwrap_used, reason = "a test: a panic is the report")]

mod paths;
mod rules;
mod source;
mod tokens;

use std::path::Path;

use source::Source;

#[test]
fn the_sources_keep_to_the_architecture() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = source::below(root, "src");
    source::mark_tests(&mut sources);
    assert!(sources.len() > 50, "only {} sources found below src", sources.len());
    let broken: Vec<String> = sources.iter().flat_map(rules::all).collect();
    assert!(broken.is_empty(), "{} breaches:\n{}\n", broken.len(), broken.join("\n"));
}

/// What each rule says of one small source; each must fail on purpose and let the rest be.
#[cfg(test)]
mod on_purpose {
    use super::*;

    fn breaches(path: &str, text: &str) -> Vec<String> {
        rules::all(&Source::new(path, text))
    }

    /// Each text breaks a rule at this path, for the reason given.
    fn breaks(path: &str, why: &str, texts: &[&str]) {
        for text in texts {
            let found = breaches(path, text);
            assert!(found.iter().any(|breach| breach.contains(why)), "{path}: {text}\n{found:?}");
        }
    }

    /// Each text is fine at this path.
    fn keeps(path: &str, texts: &[&str]) {
        for text in texts {
            assert_eq!(breaches(path, text), Vec::<String>::new(), "{path}: {text}");
        }
    }

    #[test]
    fn a_layer_uses_only_what_stands_left_of_it() {
        breaks(
            "src/net/dial.rs",
            "net may not use probe",
            &[
                "use crate::probe::Env;",
                "use crate::{model::{Cause, Code}, probe};",
                "fn f() { crate::probe::measure(); }",
                "use super::super::probe::Env;",
                "use golive::probe::Env;",
                "mod inner { use super::super::super::probe::Env; }",
                "macro_rules! m { () => { $crate::probe::X } }",
                "pub use crate :: probe :: Env as Other;",
                "#[cfg(test)] mod tests {} use crate::probe::Env;",
            ],
        );
        breaks("src/model/mod.rs", "model may not use net", &["use super::net;"]);
        breaks("src/judge/mod.rs", "judge may not use report", &["type T = crate::report::v1::Document;"]);
        breaks("src/farend/mod.rs", "farend may not use probe", &["use crate::probe::Env;"]);
        breaks("src/probe/port/run.rs", "probe may not use farend", &["use crate::farend::FarEnd;"]);
        breaks("src/probe/port/tests.rs", "probe may not use farend", &["use crate::farend::FarEnd;"]);
        breaks("src/main.rs", "main may not use run", &["fn main() { golive::run::go() }"]);
        breaks("src/run/mod.rs", "may not import everything", &["use crate::*;", "use super::*;"]);
        keeps("src/net/dial/tests.rs", &["use crate::probe::Env;"]);
        breaks("src/extras/mod.rs", "no layer", &[""]);
        keeps(
            "src/net/dial.rs",
            &[
                "use crate::model::Contact; use super::clock::Origin;",
                "// crate::probe\n/* crate::run */ const A: &str = \"crate::ui\"; const B: &str = r#\"\" crate::ui\"#;",
                "mod inner { use super::super::clock; }",
                "#[cfg(test)] mod tests { use crate::probe::Env; }",
                "fn f<'a>(probe: &'a str) -> char { probe.len(); 'p' }",
            ],
        );
        keeps("src/main.rs", &["fn main() -> std::process::ExitCode { golive::cli::main() }"]);
        keeps("src/model/limit.rs", &["macro_rules! limits { () => { $crate::model::Limits } }"]);
        keeps("src/probe/port/mod.rs", &["crate::limits! { pub struct L {} }"]);
    }

    #[test]
    fn a_probe_never_names_another() {
        breaks(
            "src/probe/port/judge.rs",
            "names the probe dns",
            &[
                "use crate::probe::dns::Reading;",
                "use super::super::dns::Reading;",
                "use crate::probe::{Env, dns};",
                "use crate::probe; fn f() { probe::dns::x() }",
            ],
        );
        breaks("src/probe/port/judge.rs", "may not import everything", &["use crate::probe::*;"]);
        keeps("src/probe/port/judge.rs", &["use crate::probe::{Env, port::Reading}; use super::dns_words;"]);
        keeps("src/probe/mod.rs", &["pub mod dns; fn f() { dns::x() }"]);
        keeps("src/probe/registry.rs", &["use super::dns::Dns;"]);
    }

    #[test]
    fn the_world_is_touched_where_it_may_be() {
        let worldly = [
            ("a socket", "use std::net::TcpStream;"),
            ("a socket", "use std::net::{IpAddr, UdpSocket as Udp};"),
            ("a socket", "use tokio::net::UdpSocket;"),
            ("a socket", "fn f() { tokio::net::lookup_host(x); }"),
            ("a socket", "use socket2::Socket;"),
            ("a clock", "fn f() { let a = std::time::Instant::now(); }"),
            ("a clock", "use std::time::SystemTime; fn f() { SystemTime::now(); }"),
            ("a clock", "fn f() { jiff::Timestamp::now(); }"),
            ("a clock", "fn f() { jiff::Zoned::now(); }"),
            ("a clock", "fn f(a: Instant) { a.elapsed(); }"),
            ("a clock", "use tokio::time::sleep;"),
            ("a clock", "use std::{thread, time::Duration}; fn f() { thread::sleep(D); }"),
            ("printing", "fn f() { println!(\"x\"); }"),
            ("printing", "fn f() { std::eprint!(\"x\"); }"),
            ("printing", "fn f() { std::io::stdout(); }"),
            ("printing", "use std::io::{Write, stderr};"),
        ];
        for (what, text) in worldly {
            for path in [
                "src/model/id.rs",
                "src/wire/rtmp/mod.rs",
                "src/media/mod.rs",
                "src/probe/port/judge.rs",
                "src/probe/env.rs",
                "src/policy/mod.rs",
                "src/judge/mod.rs",
                "src/report/v1.rs",
                "src/ui/plain.rs",
                "src/ui/tui/state.rs",
            ] {
                breaks(path, &format!("{what} "), &[text]);
            }
            for path in [
                "src/net/dial.rs",
                "src/farend/mod.rs",
                "src/probe/port/run.rs",
                "src/run/executor.rs",
                "src/ui/tui/terminal.rs",
                "src/cli/mod.rs",
                "src/judge/tests.rs",
            ] {
                keeps(path, &[text]);
            }
            keeps("src/model/id.rs", &[&format!("#[cfg(test)]\nmod tests {{ {text} }}")]);
            breaks("src/model/id.rs", what, &[&format!("#[cfg(test)] mod tests;\n{text}")]);
        }
        keeps(
            "src/wire/rtmp/mod.rs",
            &[
                "use std::net::{IpAddr, SocketAddr}; use std::time::{Duration, Instant}; fn f(now: Instant) {}",
            ],
        );
    }

    #[test]
    fn modules_say_what_they_hold() {
        for name in ["utils", "common", "helpers", "types", "manager"] {
            breaks(&format!("src/net/{name}.rs"), "says nothing", &[""]);
            breaks(&format!("src/net/{name}/dial.rs"), "says nothing", &[""]);
            breaks("src/net/dial.rs", "says nothing", &[&format!("mod {name} {{}}")]);
        }
        keeps("src/net/dial.rs", &["fn types() {} struct Manager; use std::types;"]);
    }

    #[test]
    fn files_are_short_but_for_tests() {
        let long = "//\n".repeat(401);
        breaks("src/net/dial.rs", "401 lines", &[&long]);
        keeps("src/net/dial.rs", &[&"//\n".repeat(400)]);
        keeps("src/net/dial/tests.rs", &[&long]);
        let mut sources = [
            Source::new("src/ui/mod.rs", "mod plain; #[cfg(test)] pub(crate) mod fixture;"),
            Source::new("src/ui/fixture.rs", &long),
            Source::new("src/ui/fixture/run.rs", &long),
            Source::new("src/ui/plain.rs", &long),
        ];
        source::mark_tests(&mut sources);
        assert_eq!(sources.map(|source| rules::all(&source).len()), [0, 0, 0, 1]);
    }

    #[test]
    fn errors_have_types_but_in_the_command_line() {
        let texts = ["use anyhow::Context;", "fn f() -> anyhow::Result<()> { anyhow::bail!(\"x\") }"];
        breaks("src/run/mod.rs", "anyhow", &texts);
        keeps("src/cli/mod.rs", &texts);
        keeps("src/main.rs", &["fn main() -> anyhow::Result<()> { golive::cli::main() }"]);
    }

    #[test]
    fn unsafe_code_is_in_net() {
        breaks("src/farend/mod.rs", "unsafe", &["fn f() { unsafe { g() } }"]);
        keeps("src/net/dial.rs", &["fn f() { unsafe { g() } }"]);
        keeps(
            "src/farend/mod.rs",
            &["// unsafe\nconst A: &str = \"unsafe\"; #[expect(unsafe_code)] fn f() {}"],
        );
    }
}
