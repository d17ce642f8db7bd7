//! golive: may we go live from this network, at this hour, and who says so?
//!
//! The layers, in the only direction that they may use one another
//! (`tests/architecture.rs` holds it).

pub mod model; // words every module speaks: ids, units, limits, outcomes, findings
pub mod wire; // protocols without sockets or clocks: bytes and time in, steps out
pub mod media; // the test stream
pub mod net; // all shared code that touches the world
pub mod farend; // the server side
pub mod probe; // one folder per question that golive can ask
pub mod policy; // TOML layers → checked policy
pub mod evidence; // check id → outcome of its measurement
pub mod judge; // evaluate(policy, evidence, now) → verdict; pure, total
pub mod report; // the frozen document and its renderings
pub mod run; // plan, events, dispatcher, journal
pub mod ui; // terminal, plain log, JSON lines: readers of the events
pub mod cli; // arguments, one file per subcommand, exit codes
