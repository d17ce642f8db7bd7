//! The files of a policy, base first: each read once, cycles refused, depth bounded.

use sha2::{Digest as _, Sha256};

use super::Layer;
use super::diagnostic::Diagnostic;
use super::nearest::hint;
use super::parse::{Parsed, parse};
use super::provenance::Provenance;
use super::source::{Address, BUILTINS, Files};
use super::text::Place;

/// What stands between a layer's name and the digest that it must have.
const PIN: &str = "#sha256=";
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
        reader.visit(address, None, None);
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
    fn visit(&mut self, address: &Address, named_at: Option<Place>, pin: Option<&str>) {
        let identity = address.identity(self.files);
        if let Some(head) = self.done.iter().position(|done| *done == identity) {
            let sha256 = self.stack.heads.get(head).map(|head| head.sha256.clone()).unwrap_or_default();
            return self.pinned(address, pin, &sha256, named_at);
        }
        if let Err(error) = self.may_open(address, &identity, named_at.clone()) {
            return self.fail(*error);
        }
        let source = match address.read(self.files) {
            Ok(source) => source,
            Err(why) => return self.fail(unreadable(address, &why, named_at)),
        };
        let sha256 = crate::model::text::hex(Sha256::digest(&source));
        self.pinned(address, pin, &sha256, named_at);
        let mut parsed = parse(&address.name(), source, address.folder());
        self.stack.errors.append(&mut parsed.errors);
        self.open.push(identity.clone());
        for (index, base) in parsed.draft.extends.iter().enumerate() {
            let place = parsed.text.value(&["extends".to_owned(), index.to_string()]);
            let (base, pin) =
                base.split_once(PIN).map_or((base.as_str(), None), |(base, pin)| (base, Some(pin)));
            self.visit(&address.beside(base), Some(place), pin);
        }
        self.open.pop();
        self.done.push(identity);
        let provenance = parsed.draft.provenance.clone();
        if let Some(problem) = provenance.as_ref().and_then(Provenance::problem) {
            let place = parsed.text.key(&["provenance".to_owned()]);
            self.stack.errors.push(Diagnostic::at(place, problem));
        }
        self.stack.layers.push(parsed);
        self.stack.heads.push(Layer { name: address.name(), sha256, provenance });
    }

    /// A layer that is named with its digest must have it.
    fn pinned(&mut self, address: &Address, pin: Option<&str>, sha256: &str, at: Option<Place>) {
        let Some(pin) = pin.filter(|pin| *pin != sha256) else { return };
        let name = address.name();
        let digest = pin.len() == 64 && pin.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
        let (what, help) = if digest {
            (
                format!("`{name}` is not the layer that is pinned here: its sha256 is {sha256}"),
                "look at what changed (`golive policy diff`), then pin that one".to_owned(),
            )
        } else {
            ("a pin is 64 hexadecimal digits".to_owned(), format!("write \"…{PIN}{sha256}\""))
        };
        self.stack.errors.push(placed(at, &what).help(help));
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
