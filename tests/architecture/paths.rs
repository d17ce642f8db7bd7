//! Paths that a source names, `use` trees spread out, `crate`, `self` and `super` resolved.

use super::tokens::{Token, Word};

/// A path as the code names it.
#[derive(Debug, PartialEq, Eq)]
pub struct Path {
    /// Its names; from the crate's root when `local`. `*` may be the last.
    pub names: Vec<String>,
    /// Whether it begins at golive's own root.
    pub local: bool,
    /// Whether it is called as a macro.
    pub macro_call: bool,
    /// Where.
    pub line: usize,
}

/// All paths in the tokens of a module; a lone name is a path, too.
pub fn of(tokens: &[Token], module: &[&str]) -> Vec<Path> {
    let mut found = Vec::new();
    let mut inline: Vec<(String, usize)> = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match &token.word {
            Word::Name(name) if name == "mod" && opens_block(&tokens[at..]) => {
                inline.push((tokens[at + 1].name().unwrap_or_default().to_owned(), depth));
                at += 2;
            }
            Word::Name(_) => {
                let here: Vec<&str> =
                    module.iter().copied().chain(inline.iter().map(|(name, _)| name.as_str())).collect();
                let from = found.len();
                at = walk(tokens, at, &[], &mut found);
                for path in &mut found[from..] {
                    resolve(path, &here);
                }
            }
            word => {
                match word {
                    Word::Sign('{') => depth += 1,
                    Word::Sign('}') => {
                        depth = usize::saturating_sub(depth, 1);
                        inline.retain(|(_, opened)| *opened < depth);
                    }
                    _ => {}
                }
                at += 1;
            }
        }
    }
    found
}

fn opens_block(tokens: &[Token]) -> bool {
    matches!(tokens, [_, name, open, ..] if name.name().is_some() && open.is('{'))
}

/// Reads the path or tree at `at`, behind `prefix`; returns where it ends.
fn walk(tokens: &[Token], mut at: usize, prefix: &[String], found: &mut Vec<Path>) -> usize {
    let mut names = prefix.to_vec();
    let line = tokens.get(at).map_or(0, |token| token.line);
    loop {
        match tokens.get(at).map(|token| &token.word) {
            Some(Word::Name(name)) => {
                names.push(name.clone());
                at += 1;
                if tokens.get(at).is_some_and(|next| next.word == Word::Join) {
                    at += 1;
                    continue;
                }
            }
            Some(Word::Sign('*')) => {
                names.push("*".to_owned());
                at += 1;
            }
            Some(Word::Sign('{')) => {
                at += 1;
                while let Some(token) = tokens.get(at) {
                    if token.is('}') {
                        return at + 1;
                    }
                    // A branch, or what stands between branches: a comma, `as name`.
                    at = match token.word {
                        Word::Name(_) if token.is_name("as") => at + 2,
                        Word::Name(_) | Word::Sign('*') => walk(tokens, at, &names, found),
                        _ => at + 1,
                    };
                }
                return at;
            }
            _ => {} // a turbofish, a macro's variable: the path so far counts
        }
        let macro_call = tokens.get(at).is_some_and(|next| next.is('!'))
            && !tokens.get(at + 1).is_some_and(|next| next.is('='));
        if !names.is_empty() {
            found.push(Path { names, local: false, macro_call, line });
        }
        return at;
    }
}

/// Makes `crate`, `golive`, `self` and `super` into names from the root.
fn resolve(path: &mut Path, here: &[&str]) {
    let supers = path.names.iter().take_while(|name| *name == "super").count();
    let (skip, base) = match path.names.first().map(String::as_str) {
        Some("crate" | "golive") => (1, &here[..0]),
        Some("super") => (supers, &here[..here.len().saturating_sub(supers)]),
        Some("self") if path.names.len() > 1 => {
            let more = path.names.iter().skip(1).take_while(|name| *name == "super").count();
            (1 + more, &here[..here.len().saturating_sub(more)])
        }
        _ => return,
    };
    let rest = path.names.split_off(skip);
    path.names = base.iter().map(|name| (*name).to_owned()).chain(rest).collect();
    path.local = true;
}
