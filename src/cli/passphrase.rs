//! Asks for a passphrase or a token at the terminal, without showing it.

use super::exit;
use crate::model::Secret;

/// The passphrase of a key that exists.
pub(super) fn ask(prompt: &str) -> anyhow::Result<Secret> {
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
pub(super) fn choose() -> anyhow::Result<Option<Secret>> {
    loop {
        let first = ask("Passphrase for the new key (empty for none): ")?;
        if first == ask("The same again: ")? {
            return Ok((!first.reveal().is_empty()).then_some(first));
        }
    }
}
