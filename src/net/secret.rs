//! Fetches a secret from where the policy says it is.

use crate::model::{Cause, NotMeasured, Secret, SecretSource};

/// The secret's value; an error names the source and never the value.
pub fn read(source: &SecretSource) -> Result<Secret, NotMeasured> {
    let missing = |what: String, remedy: String| NotMeasured::new(Cause::NoSecret, what, remedy);
    let value = match source {
        SecretSource::Value(secret) => return Ok(secret.clone()),
        SecretSource::Env(name) => std::env::var(name).map_err(|_| {
            missing(format!("environment variable {name} is not set"), format!("set {name} and run again"))
        })?,
        SecretSource::File(path) => {
            let shown = path.display();
            let text = std::fs::read_to_string(path).map_err(|error| {
                missing(format!("cannot read {shown}: {error}"), format!("put the secret into {shown}"))
            })?;
            text.lines().next().unwrap_or_default().trim().to_owned()
        }
    };
    if value.is_empty() {
        return Err(missing(
            "the secret is empty".to_owned(),
            "put the secret where the policy says it is".to_owned(),
        ));
    }
    Ok(Secret::from(value))
}
