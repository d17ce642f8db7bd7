//! golive.
