//! Renderings of a document. Each is a function of it alone (on paper also of the decisions
//! that lie beside it), escapes every string for its own format, and decides nothing.

mod again;
mod brief;
mod change;
pub mod change_request;
mod chart;
pub mod comparison;
mod decided;
mod facts;
mod html;
mod junit;
mod markdown;
mod moment;
mod pdf;
mod raw;
mod sign;
mod summary;
mod text;
mod watch;

pub use again::again;
pub use change::{Field, MAX_FIELD, comment, field};
pub use html::{html, html_of, watch_html};
pub use junit::junit;
pub use markdown::{markdown, markdown_of};
pub use pdf::{PdfError, pdf, watch_pdf};
pub use summary::summary;
pub use text::line;
pub use watch::{every as watch_every, markdown as watch_markdown, rate as watch_rate, text as watch_text};
