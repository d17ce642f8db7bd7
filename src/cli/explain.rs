//! `golive explain`: the page of a finding code.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use super::exit;
use super::wrap::paragraph;
use crate::judge;
use crate::model::{Code, Page, text};
use crate::probe::Kind;

/// Explain a finding code: what it says, why it matters, how it can mislead, what to do.
///
/// Reports name a code beside each finding, such as `upload.bufferbloat`. Without a code all of them
/// are listed; a probe's name (`upload`) explains the probe and lists its codes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A finding code, or a probe's name.
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

/// What gives findings: a probe, or judging itself, which has no kind.
struct Source {
    name: &'static str,
    kind: Option<Kind>,
    codes: &'static [Code],
    pages: &'static str,
}

/// Pages that were there before their probe, which need not name them itself.
const EARLY: &[(&str, &str)] = &[
    ("clock", include_str!("../probe/clock/pages.toml")),
    ("firewall", include_str!("../probe/firewall/pages.toml")),
    ("link", include_str!("../probe/link/pages.toml")),
    ("nat", include_str!("../probe/nat/pages.toml")),
    ("portal", include_str!("../probe/portal/pages.toml")),
    ("session", include_str!("../probe/session/pages.toml")),
];

/// A probe's pages.
fn pages_of(kind: Kind) -> &'static str {
    let early = || EARLY.iter().find(|(name, _)| *name == kind.name()).map_or("", |(_, pages)| *pages);
    if kind.pages().is_empty() { early() } else { kind.pages() }
}

fn sources() -> impl Iterator<Item = Source> {
    let of_probes = Kind::ALL.iter().map(|kind| Source {
        name: kind.name(),
        kind: Some(*kind),
        codes: kind.codes(),
        pages: pages_of(*kind),
    });
    of_probes.chain([Source { name: "judge", kind: None, codes: judge::CODES, pages: judge::PAGES }])
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let text = match args.code.as_deref() {
        None => list(),
        Some(asked) => explain(asked.trim())?,
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn explain(asked: &str) -> anyhow::Result<String> {
    if let Some(source) = sources().find(|source| source.name == asked) {
        return Ok(of_source(&source));
    }
    for source in sources() {
        if let Some(code) = source.codes.iter().find(|code| code.id == asked) {
            let pages = Page::all(source.pages)?;
            return Ok(of_code(code, &source, pages.get(code.id)));
        }
    }
    Err(unknown(asked).into())
}

fn unknown(asked: &str) -> exit::Failure {
    let known = sources().flat_map(|source| source.codes.iter().map(|code| code.id).chain([source.name]));
    let help = crate::policy::hint(asked, known).unwrap_or_else(|| "`golive explain` lists them".to_owned());
    exit::Failure::new(exit::USAGE, format!("there is no finding code `{}`; {help}", text::escape(asked)))
}

/// Every code with its sentence, under its probe.
fn list() -> String {
    let mut out = String::new();
    for source in sources() {
        let _ = writeln!(out, "{}", source.name);
        codes(&mut out, source.codes);
        out.push('\n');
    }
    out.push_str("golive explain CODE says more of each\n");
    out
}

fn codes(out: &mut String, codes: &[Code]) {
    let width = codes.iter().map(|code| code.id.len()).max().unwrap_or_default();
    for code in codes {
        let _ = writeln!(out, "  {:width$}  {}", code.id, code.means);
    }
}

fn of_source(source: &Source) -> String {
    let mut out = String::new();
    match source.kind.map(Kind::about) {
        Some(about) => {
            let _ = write!(out, "{}\n\n{}", source.name, paragraph(about.asks, ""));
            part(&mut out, "Why it matters", about.why);
            part(&mut out, "How it can mislead", about.misleads);
            part(&mut out, "What it needs", about.needs);
        }
        None => out.push_str("judge\n\nWhat judging says itself, whatever the probe.\n"),
    }
    out.push_str("\nFinding codes\n");
    codes(&mut out, source.codes);
    out
}

fn of_code(code: &Code, source: &Source, page: Option<&Page>) -> String {
    let mut out = format!("{}\n\n{}", code.id, paragraph(code.means, ""));
    if let Some(page) = page {
        part(&mut out, "Why it matters", &page.why);
        part(&mut out, "How it can mislead", &page.misleads);
        part(&mut out, "What to do", &page.remedy);
    }
    if let Some(kind) = source.kind {
        let _ =
            writeln!(out, "\n`golive explain {}` says what the probe asks, and what it needs.", kind.name());
    }
    out
}

fn part(out: &mut String, title: &str, text: &str) {
    let _ = write!(out, "\n{title}\n{}", paragraph(text, "  "));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn pages(source: &Source) -> BTreeMap<String, Page> {
        Page::all(source.pages).unwrap_or_else(|error| panic!("pages.toml of {}: {error}", source.name))
    }

    #[test]
    fn every_code_has_a_page() {
        let mut missing = Vec::new();
        for source in sources() {
            let pages = pages(&source);
            let ids = source.codes.iter().map(|code| code.id);
            missing.extend(ids.filter(|id| !pages.contains_key(*id)));
        }
        assert!(
            missing.is_empty(),
            "`golive explain` has no page for {missing:?}: add [\"CODE\"] with why, misleads and do to \
             src/probe/PROBE/pages.toml (and `const PAGES: &str = include_str!(\"pages.toml\")` to its Probe)"
        );
    }

    #[test]
    fn every_page_has_a_code_and_says_something() {
        for source in sources() {
            for (id, page) in pages(&source) {
                let known = source.codes.iter().any(|code| code.id == id);
                assert!(known, "{id} is no code of {}", source.name);
                // what is as it should be asks for nothing to be done
                for (text, least) in [(&page.why, 4), (&page.misleads, 4), (&page.remedy, 1)] {
                    let words = text.split_whitespace().count();
                    assert!((least..=80).contains(&words), "{id}: {words} words: {text}");
                    assert!(text.ends_with('.'), "{id}: not a sentence: {text}");
                }
                assert_ne!(page.why, page.misleads, "{id}");
            }
        }
    }

    #[test]
    fn a_slip_of_the_keyboard_is_understood() {
        let error = explain("upload.bufferbloaat").unwrap_err().to_string();
        assert!(error.contains("did you mean `upload.bufferbloat`?"), "{error}");
        assert!(!explain("\u{1b}[2J").unwrap_err().to_string().contains('\u{1b}'));
    }
}
