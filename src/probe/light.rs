//! A question that may be asked beside a stream that is live.

/// What to ask, and how often at most.
#[derive(Debug, Clone, PartialEq)]
pub struct Light<T> {
    /// What to ask.
    pub ask: T,
    /// Least time from one look to the next, in seconds: what the one who answers expects of a polite
    /// client. 0 = no bound of its own.
    pub at_least_s: u32,
}

impl<T> Light<T> {
    /// As often as the watch looks.
    pub const fn any_time(ask: T) -> Self {
        Self { ask, at_least_s: 0 }
    }
}
