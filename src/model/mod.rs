//! The words that every module speaks. Pure data: no sockets, no clocks.

pub mod answer;
pub mod attempt;
pub mod failure;
pub mod far_end;
pub mod finding;
pub mod host_port;
pub mod icmp;
pub mod id;
pub mod lane;
pub mod limit;
pub mod not_measured;
pub mod outcome;
pub mod risk;
pub mod secret;
pub mod series;
pub mod stakes;
pub mod text;
pub mod when;

pub use answer::Answer;
pub use attempt::{Contact, Family, SourceAddress};
pub use failure::Failure;
pub use far_end::{FarEnd, Pin};
pub use finding::{Code, Effect, Finding};
pub use host_port::HostPort;
pub use icmp::IcmpError;
pub use id::{Area, CheckId, FarEndName, PathName, Role, StreamName};
pub use lane::{Demand, Endpoint, Lane, Transport};
pub use limit::{AtLeast, AtMost, Exactly, LimitRow, Limits, Loosened, OneOf};
pub use not_measured::{Cause, NotMeasured};
pub use outcome::{Enforcement, Outcome};
pub use secret::{REDACTED, Secret, SecretSource};
pub use series::Series;
pub use stakes::{Stakes, StreamNeed};
pub use text::WireText;
pub use when::When;
