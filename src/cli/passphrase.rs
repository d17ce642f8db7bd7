//! Asks for a passphrase or a token, without showing it.

use super::exit;
use crate::model::Secret;

/// Who knows the passphrases of keys.
pub(super) trait Keeper {
    /// The passphrase of a key that exists.
    fn of(&mut self, prompt: &str) -> anyhow::Result<Secret>;

    /// The passphrase of a new key; `None` when the person wants none.
    fn chosen(&mut self) -> anyhow::Result<Option<Secret>>;
}

/// A person at the terminal.
#[derive(Debug)]
pub(super) struct AtTerminal;

impl Keeper for AtTerminal {
    fn of(&mut self, prompt: &str) -> anyhow::Result<Secret> {
        ask(prompt)
    }

    fn chosen(&mut self) -> anyhow::Result<Option<Secret>> {
        choose()
    }
}

/// One that was typed already; it is tried once.
#[derive(Debug)]
pub(super) struct Typed(Option<Secret>);

impl Typed {
    pub(super) const fn new(secret: Secret) -> Self {
        Self(Some(secret))
    }
}

impl Keeper for Typed {
    fn of(&mut self, _: &str) -> anyhow::Result<Secret> {
        let what = "this is not the key's passphrase: nothing was signed";
        self.0.take().ok_or_else(|| exit::Failure::new(exit::USAGE, what).into())
    }

    fn chosen(&mut self) -> anyhow::Result<Option<Secret>> {
        Ok(self.0.take().filter(|secret| !secret.reveal().is_empty()))
    }
}

fn ask(prompt: &str) -> anyhow::Result<Secret> {
    prompted(prompt, "a passphrase", "load the key into an SSH agent and use --agent")
}

/// A ticket system's token.
pub(super) fn token(prompt: &str) -> anyhow::Result<Secret> {
    prompted(prompt, "a token", "give --token-file or --token-env")
}

fn prompted(prompt: &str, what: &str, instead: &str) -> anyhow::Result<Secret> {
    rpassword::prompt_password(prompt).map(Secret::from).map_err(|error| {
        let message = format!("there is no terminal to ask for {what} at ({error}); {instead}");
        exit::Failure::new(exit::USAGE, message).into()
    })
}

/// The passphrase of a new key, asked twice; `None` when the person wants none.
fn choose() -> anyhow::Result<Option<Secret>> {
    loop {
        let first = ask("Passphrase for the new key (empty for none): ")?;
        if first == ask("The same again: ")? {
            return Ok((!first.reveal().is_empty()).then_some(first));
        }
    }
}
