//! What a layer leaves to the policy of an event: addresses that the platform gives for each one.

use std::path::Path;

use super::layer::merge;
use super::{Diagnostics, Files, source, stack};
use crate::model::{CheckId, StreamName};
use crate::probe::Kind;

/// What a layer leaves open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Open {
    /// Its streams.
    pub streams: Vec<OpenStream>,
    /// Its checks without a target, in their order.
    pub checks: Vec<(Kind, CheckId)>,
}

/// A stream of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenStream {
    /// Its name.
    pub name: StreamName,
    /// Where to; `None` where the event's policy must say.
    pub to: Option<String>,
    /// Most video that the ingest takes, kb/s.
    pub video_at_most_kbps: Option<u64>,
}

/// Reads the layer at `path` with all that it extends.
///
/// # Errors
/// What is wrong with it, as [`super::load_layer`].
pub fn left_open(path: &Path, files: &dyn Files) -> Result<Open, Diagnostics> {
    let stack::Stack { layers, heads, mut errors, lost } =
        stack::Stack::read(&source::Address::new(path), files);
    if lost {
        return Err(Diagnostics::sorted(errors, &heads));
    }
    let merged = merge(&layers, &mut errors);
    if !errors.is_empty() {
        return Err(Diagnostics::sorted(errors, &heads));
    }
    let streams = merged.streams.into_iter().map(|(name, stream)| OpenStream {
        name,
        to: stream.to,
        video_at_most_kbps: stream.video_at_most_kbps,
    });
    let open = merged.checks.iter().filter(|check| !check.asked.has_target());
    Ok(Open {
        streams: streams.collect(),
        checks: open.map(|check| (check.asked.kind(), check.id.clone())).collect(),
    })
}
