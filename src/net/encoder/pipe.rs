//! A TCP connection, with or without TLS, that takes what it can and never waits.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;

use rustls::ClientConnection;
use socket2::SockRef;

/// The connection.
pub(super) struct Pipe {
    stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
    plain: Vec<u8>,
    at: usize,
    /// Bytes that the kernel took.
    pub(super) taken: u64,
}

impl Pipe {
    /// Takes over a connection.
    pub(super) fn new(stream: TcpStream, mut tls: Option<Box<ClientConnection>>) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        if let Some(tls) = &mut tls {
            tls.set_buffer_limit(None); // one piece at a time is put in
        }
        Ok(Self { stream, tls, plain: Vec::new(), at: 0, taken: 0 })
    }

    pub(super) fn socket(&self) -> SockRef<'_> {
        SockRef::from(&self.stream)
    }

    /// Puts bytes behind those that wait.
    pub(super) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            return tls.writer().write_all(bytes);
        }
        self.plain.extend(bytes);
        Ok(())
    }

    /// Whether the kernel took everything.
    pub(super) fn is_empty(&self) -> bool {
        self.at == self.plain.len() && self.tls.as_ref().is_none_or(|tls| !tls.wants_write())
    }

    /// Gives the kernel what it takes.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        while !self.is_empty() {
            let written = match &mut self.tls {
                Some(tls) => tls.write_tls(&mut self.stream),
                None => self.stream.write(self.plain.get(self.at..).unwrap_or_default()),
            };
            match written {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.taken += count as u64;
                    if self.tls.is_none() {
                        self.at += count;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.plain.clear();
        self.at = 0;
        Ok(())
    }

    /// Reads what is there: `None` for nothing, `Some(0)` for the end.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let nothing = |error: io::Error| {
            let none = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted);
            if none { Ok(None) } else { Err(error) }
        };
        let Some(tls) = &mut self.tls else {
            return self.stream.read(buffer).map(Some).or_else(nothing);
        };
        match tls.read_tls(&mut self.stream) {
            Ok(0) => return Ok(Some(0)),
            Ok(_) => {
                tls.process_new_packets().map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
            }
            Err(error) => {
                nothing(error)?;
            }
        }
        tls.reader().read(buffer).map(Some).or_else(nothing)
    }
}
