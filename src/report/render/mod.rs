//! Renderings of a document. Each is a function of it alone, escapes every string for its
//! own format, and decides nothing.

mod change;
pub mod change_request;
mod chart;
pub mod comparison;
mod facts;
mod html;
mod junit;
mod markdown;
mod moment;
mod raw;
mod summary;
mod text;

pub use change::{Field, MAX_FIELD, comment, field};
pub use html::html;
pub use junit::junit;
pub use markdown::markdown;
pub use summary::summary;
pub use text::line;
