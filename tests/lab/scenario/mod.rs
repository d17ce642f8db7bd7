//! Scenarios: one TOML file for each network, saying what it is and what golive must find there.
//!
//! ```toml
//! network = "A company's firewall drops RTMP's port in silence and lets the rest pass"
//! ask = ["rules.rtmp", "ingest.rtmp", "ingest.rtmps"]   # checks of checks.toml, by id
//!
//! [uplink.up]                  # the wire to the internet; what is left out is a clean 50 Mb/s, 20 ms
//! rate_mbps = 8
//!
//! [[building]]                 # what stands there: laptop, router, building, internet, cell, platform, cloud
//! nftables = "chain block { type filter hook forward priority 0; tcp dport 1935 drop; }"
//!
//! [expect]
//! verdict = "NO-GO"
//! [expect.find]                # every finding that is no pass must stand here; a pass may
//! "rules.rtmp" = ["port.filtered"]
//! "ingest.rtmp" = ["rtmp.filtered"]
//! "ingest.rtmps" = ["rtmp.accepted"]
//! ```
//!
//! To add a network, add a file to `tests/lab/scenarios/`; nothing else. The other tables are
//! documented on [`Scenario`].

mod carried;
mod compare;
mod coverage;
mod format;
pub mod golive;
mod lanes;
mod many;
mod policy;
mod run;
pub mod table;

pub use carried::{SHORT_S, carried, carry_all};
pub use compare::{Expect, Seen};
pub use coverage::without_scenario;
pub use format::{Scenario, all};
pub use lanes::SIDE_BY_SIDE;
pub use many::run_all;
pub use policy::lay_over;
pub use run::{Outcome, World, run};
