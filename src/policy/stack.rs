//! The files of a policy, base first: each read once, cycles refused, depth bounded.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::Layer;
use super::diagnostic::Diagnostic;
use super::nearest::hint;
use super::parse::{Parsed, parse};
use super::source::{Address, BUILTINS, Files};
use super::text::Place;

/// Longest chain of `extends`.
const MAX_DEPTH: usize = 16;
/// Most files of one policy.
const MAX_LAYERS: usize = 32;

/// All files of a policy.
#[derive(Debug, Default)]
pub(super) struct Stack {
    /// Each file, base first.
    pub layers: Vec<Parsed>,
    /// Their names and digests.
    pub heads: Vec<Layer>,
    /// What is wrong with the files.
    pub errors: Vec<Diagnostic>,
    /// Some file could not be read at all.
    pub lost: bool,
}

impl Stack {
    /// Reads a policy and all that it extends.
    pub fn read(address: &Address, files: &dyn Files) -> Self {
        let mut reader = Reader { files, open: Vec::new(), done: Vec::new(), stack: Self::default() };
        reader.visit(address, None);
        reader.stack
    }
}

struct Reader<'a> {
    files: &'a dyn Files,
    open: Vec<Address>,
    done: Vec<Address>,
    stack: Stack,
}

impl Reader<'_> {
    fn visit(&mut self, address: &Address, named_at: Option<Place>) {
        let identity = address.identity(self.files);
        if self.done.contains(&identity) {
            return;
        }
        if let Err(error) = self.may_open(address, &identity, named_at.clone()) {
            return self.fail(*error);
        }
        let source = match address.read(self.files) {
            Ok(source) => source,
            Err(why) => return self.fail(unreadable(address, &why, named_at)),
        };
        let sha256 = hex(&Sha256::digest(&source));
        let mut parsed = parse(&address.name(), source, address.folder());
        self.stack.errors.append(&mut parsed.errors);
        self.open.push(identity.clone());
        for (index, base) in parsed.draft.extends.iter().enumerate() {
            let place = parsed.text.value(&["extends".to_owned(), index.to_string()]);
            self.visit(&address.beside(base), Some(place));
        }
        self.open.pop();
        self.done.push(identity);
        self.stack.layers.push(parsed);
        self.stack.heads.push(Layer { name: address.name(), sha256 });
    }

    fn fail(&mut self, error: Diagnostic) {
        self.stack.lost = true;
        self.stack.errors.push(error);
    }

    fn may_open(
        &self,
        address: &Address,
        identity: &Address,
        at: Option<Place>,
    ) -> Result<(), Box<Diagnostic>> {
        if let Some(start) = self.open.iter().position(|open| open == identity) {
            let names: Vec<String> = self.open[start..].iter().chain([identity]).map(Address::name).collect();
            return Err(Box::new(placed(
                at,
                &format!("a policy cannot extend itself: {}", names.join(" → ")),
            )));
        }
        if self.open.len() >= MAX_DEPTH {
            let what = format!("`{}` is the {}th file of a chain of extends", address.name(), MAX_DEPTH + 1);
            return Err(Box::new(placed(at, &what).help(format!("use at most {MAX_DEPTH}"))));
        }
        if self.done.len() + self.open.len() >= MAX_LAYERS {
            return Err(Box::new(placed(at, &format!("a policy is made of at most {MAX_LAYERS} files"))));
        }
        Ok(())
    }
}

fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn placed(at: Option<Place>, what: &str) -> Diagnostic {
    match at {
        Some(place) => Diagnostic::at(place, what),
        None => Diagnostic::whole(what),
    }
}

fn unreadable(address: &Address, why: &str, at: Option<Place>) -> Diagnostic {
    let help = match address {
        Address::Builtin(name) => hint(name, BUILTINS.iter().map(|(name, _)| *name)),
        Address::File(_) => address
            .builtin_namesake()
            .map(|name| format!("golive carries one of that name: write \"builtin:{name}\"")),
    };
    placed(at, &format!("{}: {why}", address.name())).help(help)
}
