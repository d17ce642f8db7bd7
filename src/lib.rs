//! golive: may we go live from this network, at this hour, and who says so?
//!
//! The layers, in the only direction that they may use one another
//! (`tests/architecture.rs` holds it).

pub mod cli; // arguments, one file per subcommand, exit codes
pub mod evidence; // check id → outcome of its measurement
pub mod farend; // the server side: upload sink, STAMP reflector, media listeners
pub mod judge; // evaluate(policy, evidence, now) → verdict; pure, total
pub mod media; // the test stream: a real H.264/AAC loop
pub mod model; // words every module speaks: ids, limits, outcomes, findings
pub mod net; // all shared code that touches the world
pub mod policy; // TOML layers → checked policy
pub mod probe; // one folder per question that golive can ask
pub mod report; // the frozen document and its renderings
pub mod run; // plan, events, dispatcher, journal
pub mod ui; // terminal, plain log, JSON lines: readers of the events
pub mod wire; // protocols without sockets or clocks
