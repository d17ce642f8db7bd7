//! A policy file's text: from bytes to places that an error can show without giving a
//! secret away.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use toml::de::{DeTable, DeValue};
use unicode_width::UnicodeWidthChar;

use super::shape::{Meaning, SHAPE};
use crate::model::text::escape;

/// Byte range in a file.
pub type Span = Range<usize>;

/// Keys from the root of a file down; positions in arrays are numbers written as text.
pub type KeyPath = Vec<String>;

/// A file's text with the place of each of its keys and values.
#[derive(Default)]
pub struct Text {
    /// As errors name the file.
    pub name: String,
    source: String,
    entries: BTreeMap<KeyPath, Entry>,
    hidden: Vec<Span>,
    broken: bool,
}

/// Where a key and its value stand.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key; of an array's element the element itself.
    pub key: Span,
    /// The value.
    pub value: Span,
    leaf: bool,
    words: Option<String>,
}

/// A place in a file, ready to be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file as errors name it, escaped.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    excerpt: Excerpt,
}

/// A line with a caret under what is wrong: text, indent and width in terminal columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Excerpt {
    line: String,
    indent: usize,
    width: usize,
}

/// Longest part of a line that an error shows, in characters.
const MAX_EXCERPT: usize = 96;

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text may hold secrets.
        f.debug_struct("Text").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Text {
    /// A file that did not parse: nothing is known of its strings, so none is ever shown.
    pub fn broken(name: &str, text: String) -> Self {
        Self { name: escape(name).into_owned(), source: text, broken: true, ..Self::default() }
    }

    /// A file that did; `secret` tells which values may not be shown.
    pub fn parsed(name: &str, text: String, root: &DeTable<'_>, secret: impl Fn(&[String]) -> bool) -> Self {
        let mut entries = BTreeMap::new();
        walk(root, &mut Vec::new(), &mut entries);
        let hidden = entries
            .iter()
            .filter(|(path, entry)| entry.leaf && secret(path))
            .map(|(_, entry)| entry.value.clone())
            .collect();
        Self { name: escape(name).into_owned(), source: text, entries, hidden, broken: false }
    }

    /// Where the key at `path` stands; the nearest enclosing key when there is none.
    pub fn key(&self, path: &[String]) -> Place {
        self.nearest(path).map_or_else(|| self.place(0..0), |entry| self.place(entry.key.clone()))
    }

    /// Where the value at `path` stands; the nearest enclosing key when there is none.
    pub fn value(&self, path: &[String]) -> Place {
        match self.entries.get(path) {
            Some(entry) if entry.leaf => self.place(entry.value.clone()),
            _ => self.key(path),
        }
    }

    /// True when the file has this key.
    pub fn has(&self, path: &[String]) -> bool {
        self.entries.contains_key(path)
    }

    /// Byte at which the entry at `path` begins, for the order of the file.
    pub fn position(&self, path: &[String]) -> usize {
        self.nearest(path).map_or(0, |entry| entry.key.start.min(entry.value.start))
    }

    /// Names of the entries right below `path`.
    pub fn children<'a>(&'a self, path: &[String]) -> impl Iterator<Item = &'a str> + use<'a> {
        let path = path.to_vec();
        let depth = path.len() + 1;
        self.entries
            .range(path.clone()..)
            .take_while(move |(entry, _)| entry.starts_with(&path))
            .filter(move |(entry, _)| entry.len() == depth)
            .filter_map(|(entry, _)| entry.last().map(String::as_str))
    }

    /// The entry whose key stands at `span`, or else the deepest one that holds it.
    pub fn holding(&self, span: &Span) -> Option<(&KeyPath, &Entry)> {
        let holds = |range: &Span| range.start <= span.start && span.end <= range.end;
        self.entries.iter().find(|(_, entry)| entry.key == *span).or_else(|| {
            let holding = self.entries.iter().filter(|(_, entry)| holds(&entry.value));
            holding.max_by_key(|(path, _)| path.len())
        })
    }

    /// Every text in quotes: where it stands and what it says.
    pub fn words(&self) -> impl Iterator<Item = (&KeyPath, &str)> {
        self.entries.iter().filter_map(|(path, entry)| Some((path, entry.words.as_deref()?)))
    }

    fn nearest(&self, path: &[String]) -> Option<&Entry> {
        (0..=path.len()).rev().find_map(|length| self.entries.get(&path[..length]))
    }

    /// A place to show.
    pub fn place(&self, span: Span) -> Place {
        let floor =
            |at: usize| (0..=at.min(self.source.len())).rev().find(|at| self.source.is_char_boundary(*at));
        let start = floor(span.start).unwrap_or(0);
        let end = floor(span.end).unwrap_or(start).max(start);
        let begin = self.source[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let stop = self.source[start..].find('\n').map_or(self.source.len(), |newline| start + newline);
        Place {
            file: self.name.clone(),
            line: self.source[..begin].matches('\n').count() + 1,
            column: self.source[begin..start].chars().count() + 1,
            excerpt: self.excerpt(begin..stop, start..end.min(stop)),
        }
    }

    fn excerpt(&self, line: Span, caret: Span) -> Excerpt {
        let hidden = if self.broken { guess(&self.source, &line) } else { Some(self.concealed(&line)) };
        let Some(hidden) = hidden else { return Excerpt::default() };
        let mut shown = Vec::new();
        let (mut first, mut last, mut at) = (None, 0, line.start);
        for c in self.source[line].trim_end().chars() {
            let cover = hidden.iter().find(|span| span.contains(&at));
            if at >= caret.start && first.is_none() {
                first = Some(shown.len());
            }
            match cover {
                Some(span) if span.start == at || shown.is_empty() => shown.push('…'),
                Some(_) => {}
                None if c == '\t' => shown.extend([' '; 4]),
                None => shown.extend(escape(c.encode_utf8(&mut [0; 4])).chars()),
            }
            if at < caret.end {
                last = shown.len();
            }
            at += c.len_utf8();
        }
        let first = first.unwrap_or(shown.len());
        window(&shown, first, last.max(first))
    }

    /// What of a line may not be shown: secrets, and keys that hide in addresses.
    fn concealed(&self, line: &Span) -> Vec<Span> {
        let mut spans: Vec<Span> = self
            .hidden
            .iter()
            .filter(|span| span.start < line.end && line.start < span.end)
            .cloned()
            .collect();
        spans.extend(self.comment(line));
        let line_start = line.start;
        spans.extend(
            in_addresses(&self.source[line.clone()])
                .map(|span| line_start + span.start..line_start + span.end),
        );
        // the elements of a list have numbers for names
        let is_address =
            |path: &KeyPath| path.iter().rev().take(2).any(|key| ADDRESSES.contains(&key.as_str()));
        let addresses = self.entries.iter().filter(|(path, entry)| {
            is_address(path)
                && entry.words.is_some()
                && entry.value.start < line.end
                && line.start < entry.value.end
        });
        spans.extend(addresses.filter_map(|(_, entry)| {
            let keep = kept(&self.source[entry.value.clone()]);
            Some(entry.value.start + keep..entry.value.end).filter(|span| !span.is_empty())
        }));
        spans
    }

    /// The comment at the end of a line, which may hold what was commented out.
    fn comment(&self, line: &Span) -> Option<Span> {
        let overlaps = |span: &Span| span.start < line.end && line.start < span.end;
        let words: Vec<&Entry> =
            self.entries.values().filter(|entry| entry.words.is_some() && overlaps(&entry.value)).collect();
        let inside = |at: usize| words.iter().any(|entry| entry.value.contains(&at));
        let mut marks = self.source[line.clone()].match_indices('#').map(|(at, _)| line.start + at);
        marks.find(|at| !inside(*at)).map(|at| at..line.end)
    }
}

/// The part of a long line around the caret.
fn window(line: &[char], first: usize, last: usize) -> Excerpt {
    let from = if line.len() > MAX_EXCERPT { first.saturating_sub(MAX_EXCERPT / 2) } else { 0 };
    let to = line.len().min(from + MAX_EXCERPT);
    let columns = |part: &[char]| part.iter().map(|c| c.width().unwrap_or(0)).sum::<usize>();
    let mut text = String::new();
    let mut indent = columns(&line[from..first.min(to)]);
    if from > 0 {
        text.push('…');
        indent += 1;
    }
    text.extend(&line[from..to]);
    if to < line.len() {
        text.push('…');
    }
    Excerpt { line: text, indent, width: columns(&line[first.min(to)..last.min(to)]).max(1) }
}

/// Keys whose value is an address of an ingest or a relay, maybe misspelt.
const ADDRESSES: &[&str] = &["to", "url", "urls"];

/// How much of an address can be shown, however it is misspelt: host and application. What
/// follows, and what looks like a key, is hidden; all of it when it holds a user's name.
fn kept(address: &str) -> usize {
    let has_scheme = address.contains("//") || address.contains(":/");
    let mut pieces = address
        .match_indices('/')
        .map(|(at, _)| at + 1)
        .filter(|start| !address[*start..].starts_with('/'))
        .skip(usize::from(has_scheme));
    let after_host = pieces.next();
    let after_application = pieces.next();
    let application = after_host.filter(|start| {
        let piece = &address[*start..after_application.unwrap_or(address.len())];
        piece.len() >= 12 && piece.bytes().any(|c| c.is_ascii_digit())
    });
    let login = address.contains('@').then_some(0);
    [application, after_application, address.find('?'), login]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(address.len())
}

/// Addresses without two slashes.
const RELAYS: &[&str] = &["turn:", "turns:", "stun:", "stuns:"];

/// A stream key often rides in an address.
fn in_addresses(line: &str) -> impl Iterator<Item = Span> {
    let ends = ['"', '\'', '`', ' '];
    let web = line.match_indices("://").map(move |(at, _)| line[..at].rfind(ends).map_or(0, |end| end + 1));
    let begins = |at: &usize| !line[..*at].ends_with(|before: char| before.is_ascii_alphanumeric());
    let relays = RELAYS.iter().flat_map(|scheme| line.match_indices(scheme).map(|(at, _)| at).filter(begins));
    let mut starts: Vec<usize> = web.chain(relays).collect();
    starts.sort_unstable();
    starts.into_iter().filter_map(move |start| {
        let end = line[start..].find(ends).map_or(line.len(), |end| start + end);
        let address = &line[start..end];
        // the one thing that belongs behind a relay's question mark
        let bare = ["?transport=udp", "?transport=tcp"].iter().find_map(|way| address.strip_suffix(way));
        if bare.is_some_and(|bare| kept(bare) == bare.len()) {
            return None;
        }
        Some(start + kept(address)..end).filter(|span| !span.is_empty())
    })
}

/// What to hide of a line of a file that did not parse: all but keys, since anything may be a
/// secret. `None` hides the whole line (it may be the inside of a long string).
fn guess(text: &str, line: &Span) -> Option<Vec<Span>> {
    let before = &text[..line.start];
    if before.contains("\"\"\"") || before.contains("'''") {
        return None;
    }
    let shown = &text[line.clone()];
    let header = shown.trim_start().starts_with('[');
    let mut hidden = Vec::new();
    let mut at = 0;
    while let Some(offset) = shown[at..].find(|c: char| !c.is_whitespace() && !STRUCTURE.contains(c)) {
        let start = at + offset;
        let rest = &shown[start..];
        let quoted = rest.starts_with(['"', '\'']);
        let length = match rest.chars().next() {
            Some('#') => rest.len(),
            Some(quote) if quoted => rest[1..].find(quote).map_or(rest.len(), |close| close + 2),
            _ => rest
                .find(|c: char| c.is_whitespace() || STRUCTURE.contains(c) || "#\"'".contains(c))
                .unwrap_or(rest.len()),
        };
        at = start + length;
        let bare =
            shown[start..at].bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.'));
        let word = &shown[start..at];
        let section = header && is_section(word);
        let is_key = bare && (section || shown[at..].trim_start().starts_with('='));
        if !is_key {
            hidden.push(line.start + start..line.start + at);
        }
    }
    Some(hidden)
}

/// True for `people.it` or `check.dns`: a header whose first word is one of a policy's sections.
fn is_section(header: &str) -> bool {
    let first = header.split('.').next().unwrap_or_default();
    SHAPE.meaning(&[first.to_owned()]) != Meaning::Unknown
}

/// TOML's own marks between keys and values.
const STRUCTURE: &str = "=,[]{}";

/// A message with what hides in addresses left out.
pub(super) fn without_keys(message: &str) -> String {
    let mut shown = String::new();
    let mut at = 0;
    for span in in_addresses(message) {
        shown.push_str(&message[at.min(span.start)..span.start]);
        shown.push('…');
        at = span.end;
    }
    shown.push_str(&message[at..]);
    shown
}

fn walk(table: &DeTable<'_>, path: &mut KeyPath, entries: &mut BTreeMap<KeyPath, Entry>) {
    for (key, value) in table {
        path.push(key.get_ref().to_string());
        visit(key.span(), value, path, entries);
        path.pop();
    }
}

fn visit(
    key: Span,
    value: &toml::Spanned<DeValue<'_>>,
    path: &mut KeyPath,
    entries: &mut BTreeMap<KeyPath, Entry>,
) {
    let leaf = !matches!(value.get_ref(), DeValue::Table(_) | DeValue::Array(_));
    let words = value.get_ref().as_str().map(str::to_owned);
    entries.insert(path.clone(), Entry { key, value: value.span(), leaf, words });
    match value.get_ref() {
        DeValue::Table(table) => walk(table, path, entries),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(index.to_string());
                visit(item.span(), item, path, entries);
                path.pop();
            }
        }
        _ => {}
    }
}

impl Place {
    /// Writes the line with its caret, on lines of their own.
    pub(super) fn excerpt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.excerpt.line.is_empty() {
            return Ok(());
        }
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        write!(f, "\n  {number} | {}", self.excerpt.line)?;
        let (indent, caret) = (" ".repeat(self.excerpt.indent), "^".repeat(self.excerpt.width));
        write!(f, "\n  {gutter} | {indent}{caret}")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
