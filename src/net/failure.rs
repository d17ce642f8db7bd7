//! What the operating system's errors mean for a reading.

use std::io::{self, ErrorKind};

use crate::model::Failure;

/// Classifies an error of connect, send, receive or read.
pub fn classify(error: &io::Error) -> Failure {
    match error.kind() {
        ErrorKind::ConnectionRefused => Failure::Refused,
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted => Failure::Reset,
        ErrorKind::HostUnreachable => Failure::HostUnreachable,
        // Nothing to send from: this machine, or the path's interface, has no address of that family.
        ErrorKind::NetworkUnreachable | ErrorKind::AddrNotAvailable => Failure::NetUnreachable,
        ErrorKind::PermissionDenied => Failure::LocalPolicy,
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Failure::TimedOut,
        ErrorKind::UnexpectedEof => Failure::Closed,
        _ => Failure::Other,
    }
}
