//! Text to draft. All mistakes of a file are found in one go: what does not fit is noted,
//! left out, and the rest is read again.

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::SCHEMA;
use super::dates::settle;
use super::diagnostic::Diagnostic;
use super::draft::Draft;
use super::nearest::{hint, nearest};
use super::shape::{Meaning, SHAPE};
use super::text::{KeyPath, Text};
use super::wording::explain;

/// One file, read.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// What it says, without what did not fit.
    pub draft: Draft,
    /// Its text.
    pub text: Text,
    /// Keys that did not fit and were left out: what is missing below them is no news.
    pub lost: Vec<KeyPath>,
    /// What did not fit.
    pub errors: Vec<Diagnostic>,
    /// Nothing could be read: what follows from its absence is no news.
    pub fatal: bool,
}

/// Most mistakes that one file is searched for.
const MAX_ERRORS: usize = 50;

/// Most errors of TOML's own grammar that are shown: one often causes the next.
const MAX_SYNTAX: usize = 3;

/// Reads one file's text. Files that hold secrets are named relative to `folder`.
pub(super) fn parse(name: &str, source: String, folder: Option<&Path>) -> Parsed {
    let (root, syntax) = DeTable::parse_recoverable(&source);
    if !syntax.is_empty() {
        drop(root);
        return broken(Text::broken(name, source), &syntax);
    }
    let mut working = root.get_ref().clone();
    working.make_owned();
    let text = Text::parsed(name, source.clone(), root.get_ref(), |path| {
        matches!(SHAPE.meaning(path), Meaning::Secret | Meaning::Unknown)
    });
    let mut parsed = Parsed { text, ..Parsed::default() };
    for (path, advice) in settle(&mut working) {
        parsed.errors.push(Diagnostic::at(parsed.text.value(&path), advice));
        parsed.lost.push(path);
    }
    anchor(&mut working, &parsed.text, folder.unwrap_or(Path::new("")));
    loop {
        match Draft::deserialize(toml::de::Deserializer::from(Spanned::new(root.span(), working.clone()))) {
            Ok(draft) => {
                parsed.draft = draft;
                break;
            }
            Err(error) if !parsed.leave_out(&mut working, &error) => {
                parsed.fatal = true;
                break;
            }
            Err(_) => {}
        }
    }
    if !parsed.fatal {
        parsed.version();
    }
    parsed
}

/// A secret's file lies beside the policy that names it, whatever folder golive runs in.
fn anchor(working: &mut DeTable<'_>, text: &Text, folder: &Path) {
    let files = text.words().filter(|(path, _)| {
        path.last().is_some_and(|key| key == "file") && SHAPE.meaning(path) == Meaning::Secret
    });
    for (path, file) in files {
        if let (Some(DeValue::String(value)), Some(joined)) =
            (entry(working, path), folder.join(file).to_str())
        {
            *value = joined.to_owned().into();
        }
    }
}

/// The value at a path.
fn entry<'a, 'i>(table: &'a mut DeTable<'i>, path: &[String]) -> Option<&'a mut DeValue<'i>> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(table.get_mut(first.as_str())?.get_mut(), |value, key| match value {
        DeValue::Table(inner) => inner.get_mut(key.as_str()).map(Spanned::get_mut),
        DeValue::Array(items) => items.get_mut(key.parse::<usize>().ok()?).map(Spanned::get_mut),
        _ => None,
    })
}

fn broken(text: Text, syntax: &[toml::de::Error]) -> Parsed {
    let mut errors: Vec<Diagnostic> = Vec::new();
    for error in syntax.iter().take(MAX_ERRORS) {
        let place = text.place(error.span().unwrap_or(0..0));
        let line = |one: &Diagnostic| one.place.as_ref().map(|place| place.line);
        if errors.len() < MAX_SYNTAX && errors.iter().all(|one| line(one) != Some(place.line)) {
            errors.push(Diagnostic::at(place, format!("not TOML: {}", error.message())));
        }
    }
    Parsed { text, errors, fatal: true, ..Parsed::default() }
}

impl Parsed {
    /// Notes an error and takes its cause out of `working`; false when that cannot be done.
    fn leave_out(&mut self, working: &mut DeTable<'_>, error: &toml::de::Error) -> bool {
        let span = error.span().unwrap_or(0..0);
        let found = self.text.holding(&span).map(|(path, entry)| (path.clone(), entry.key == span));
        let (path, at_key) = found.unwrap_or_default();
        // What follows from something that was left out is no news.
        if path.is_empty() || !self.lost(&path) {
            let (what, help) = explain(error.message(), &path, at_key);
            let place = if span.is_empty() { self.text.key(&path) } else { self.text.place(span) };
            self.errors.push(Diagnostic::at(place, what).help(help));
        }
        if self.errors.len() >= MAX_ERRORS || path.is_empty() {
            return false;
        }
        let taken = remove(working, &path);
        self.lost.push(path);
        taken
    }

    /// A file says which edition of policies it is written in.
    fn version(&mut self) {
        let path = vec!["schema".to_owned()];
        if self.lost.contains(&path) {
            return;
        }
        let error = match &self.draft.schema {
            Some(schema) if schema == SCHEMA => return,
            Some(schema) => {
                let what = format!("this golive does not read policies of `{schema}`");
                Diagnostic::at(self.text.value(&path), what)
                    .help(hint(schema, [SCHEMA]).or_else(|| Some(format!("it reads `{SCHEMA}`"))))
            }
            None => Diagnostic::at(self.text.place(0..0), "the file does not say that it is a policy")
                .help(format!("begin it with schema = \"{SCHEMA}\"")),
        };
        self.errors.push(error);
    }

    /// True when a whole entry of this section was left out.
    pub fn lost_entry(&self, section: &str) -> bool {
        self.lost_section(section) || self.lost.iter().any(|lost| lost.len() == 2 && lost[0] == section)
    }

    /// True when something was left out that was probably meant to be this section.
    pub fn lost_section(&self, section: &str) -> bool {
        self.lost.iter().any(|lost| matches!(lost.as_slice(), [key] if nearest(key, [section]).is_some()))
    }

    /// True when something at or below `path` was left out.
    pub fn lost(&self, path: &[String]) -> bool {
        self.lost.iter().any(|lost| lost.starts_with(path))
    }
}

/// Takes the entry at `path` out; of an array the whole array, so that positions hold.
/// False when it is not there.
fn remove(table: &mut DeTable<'_>, path: &[String]) -> bool {
    let Some(last) = path.iter().rposition(|key| key.parse::<usize>().is_err()) else { return false };
    let key = path[last].as_str();
    if last == 0 {
        return table.remove(key).is_some();
    }
    match entry(table, &path[..last]) {
        Some(DeValue::Table(inner)) => inner.remove(key).is_some(),
        _ => false,
    }
}
