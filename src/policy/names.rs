//! Names that a policy uses must be names that it defines. The schema tells what each
//! piece of text names, so a new probe's target is covered without a line here.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::Diagnostic;
use super::layer::keys;
use super::nearest::hint;
use super::parse::Parsed;
use super::shape::{Meaning, SHAPE};
use super::text::KeyPath;
use crate::model::CheckId;

/// Which names did not resolve.
#[derive(Debug, Default)]
pub(super) struct Names {
    unresolved: BTreeSet<(usize, KeyPath)>,
}

/// Types of the schema that are names, the section that defines them, and how to say so.
const SECTIONS: &[(&str, &str, &str)] = &[
    ("Role", "people", "nobody in [people] has the role"),
    ("Area", "accountable", "nobody is [accountable] for the area"),
    ("PathName", "path", "there is no [path] named"),
    ("StreamName", "stream", "there is no [stream] named"),
    ("FarEndName", "far_end", "there is no [far_end] named"),
    ("CheckId", "check", "there is no check with the id"),
];

impl Names {
    /// Resolves every name in every layer; each that does not is an error.
    pub fn resolve(layers: &[Parsed], errors: &mut Vec<Diagnostic>) -> Self {
        let defined: BTreeMap<&str, BTreeSet<&str>> =
            SECTIONS.iter().map(|(_, section, _)| (*section, defined(layers, section))).collect();
        let mut names = Self::default();
        for (number, layer) in layers.iter().enumerate() {
            for (path, word) in layer.text.words() {
                let Meaning::Typed(kind) = SHAPE.meaning(path) else { continue };
                let Some((_, section, words)) = SECTIONS.iter().find(|(name, _, _)| *name == kind) else {
                    continue;
                };
                let known = defined.get(section).into_iter().flatten().copied();
                let is_definition = *section == "check" && path.first().is_some_and(|key| key == "check");
                // Its definition may be what did not fit.
                let torn = layers.iter().any(|layer| layer.lost_entry(section));
                if is_definition || torn || layer.lost(path) || known.clone().any(|known| known == word) {
                    continue;
                }
                let add = format!("add [{section}.{word}]");
                let add = if *section == "accountable" {
                    format!("add {word} = \"…\" to [accountable]")
                } else {
                    add
                };
                let valid = known.filter(|known| CheckId::new(known).is_ok());
                let help = hint(word, valid).or_else(|| (*section != "check").then_some(add));
                errors.push(Diagnostic::at(layer.text.value(path), format!("{words} `{word}`")).help(help));
                names.unresolved.insert((number, path.clone()));
            }
        }
        names
    }

    /// True when a name at or below `path` of a layer did not resolve.
    pub fn unresolved(&self, layer: usize, path: &[String]) -> bool {
        self.unresolved
            .range((layer, path.to_vec())..)
            .next()
            .is_some_and(|(number, found)| *number == layer && found.starts_with(path))
    }
}

/// Names that the layers define, also in tables that have mistakes.
fn defined<'a>(layers: &'a [Parsed], section: &str) -> BTreeSet<&'a str> {
    if section == "check" {
        let is_id = |path: &KeyPath| path.len() == 4 && path[0] == "check" && path[3] == "id";
        return layers
            .iter()
            .flat_map(|layer| layer.text.words())
            .filter(|(path, _)| is_id(path))
            .map(|(_, id)| id)
            .collect();
    }
    let path = keys(&[section]);
    let mut names = BTreeSet::new();
    for layer in layers {
        names.extend(layer.text.children(&path));
    }
    names
}
