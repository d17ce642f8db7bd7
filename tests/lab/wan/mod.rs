#![allow(clippy::all, clippy::pedantic, unused_qualifications)] // stand-in until the real one lands
use crate::ground::namespace::Namespace;
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Line {}
pub struct Wan;
impl Wan {
    pub fn lay(_line: &Line, near: (&Namespace, &str, &[&str]), far: (&Namespace, &str, &[&str])) -> Self {
        Namespace::join(near, far);
        Self
    }
    pub fn kept_up(&self) -> Result<(), String> {
        Ok(())
    }
}
