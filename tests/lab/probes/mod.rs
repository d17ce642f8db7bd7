//! Each probe by itself against the real peer, on loopback and over one cable.

mod dns;
mod farend;
mod line;
mod path;
mod port;
mod rehearsal;
mod rtmp;
mod srt;
mod tls;
mod upload;
mod upload_https;
mod upload_iperf3;
