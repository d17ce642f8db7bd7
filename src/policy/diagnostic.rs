//! What is wrong with a policy: file, line, column, the line itself, the nearest right word.

use std::fmt;

use super::text::{Place, without_keys};
use crate::model::text;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where; `None` when the file could not be read at all.
    pub place: Option<Place>,
    /// What is wrong, in one line.
    pub what: String,
    /// What would be right: the nearest known word, or what to write.
    pub help: Option<String>,
    /// The other place that this one contradicts: words and where.
    pub other: Option<(String, Place)>,
}

/// A bad policy: everything that is wrong with it, in the order of the layers and lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
pub struct Diagnostics(pub(super) Vec<Diagnostic>);

impl Diagnostic {
    /// A mistake at a place. Text from files is escaped here.
    pub fn at(place: Place, what: impl AsRef<str>) -> Self {
        Self { place: Some(place), what: shown(what.as_ref()), help: None, other: None }
    }

    /// A mistake that has no place in a file.
    pub fn whole(what: impl AsRef<str>) -> Self {
        Self { place: None, what: shown(what.as_ref()), help: None, other: None }
    }

    /// Adds what would be right.
    #[must_use]
    pub fn help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into().map(|help| shown(&help));
        self
    }

    /// Adds the place that this one contradicts.
    #[must_use]
    pub fn other(mut self, words: &str, place: Place) -> Self {
        self.other = Some((shown(words), place));
        self
    }
}

/// Longest message; a policy can hold names of any length.
const MAX_MESSAGE: usize = 600;

fn shown(message: &str) -> String {
    let message = without_keys(message);
    let escaped = text::escape(&message);
    match escaped.char_indices().nth(MAX_MESSAGE) {
        Some((cut, _)) => format!("{}…", &escaped[..cut]),
        None => escaped.into_owned(),
    }
}

impl Diagnostics {
    /// In the order of the layers, then of the lines.
    pub(super) fn sorted(mut list: Vec<Diagnostic>, layers: &[super::Layer]) -> Self {
        let file = |place: &Place| layers.iter().position(|layer| text::escape(&layer.name) == place.file);
        list.sort_by_key(|one| {
            let place = one.place.as_ref();
            place.map(|place| (file(place).unwrap_or(layers.len()), place.line, place.column))
        });
        list.dedup();
        Self(list)
    }

    /// The mistakes, in order. Never empty in an error.
    pub fn list(&self) -> &[Diagnostic] {
        &self.0
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(one: Diagnostic) -> Self {
        Self(vec![one])
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.what)?;
        if let Some(help) = &self.help {
            write!(f, "; {help}")?;
        }
        if let Some(place) = &self.place {
            place.excerpt(f)?;
        }
        if let Some((words, place)) = &self.other {
            write!(f, "\n  {place}: {words}")?;
            place.excerpt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, one) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{one}")?;
        }
        Ok(())
    }
}
