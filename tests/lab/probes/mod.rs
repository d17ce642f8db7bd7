//! Each probe by itself against the real peer, on loopback and over one cable.

mod dns;
mod farend;
mod hls_push;
mod path;
mod port;
mod rist;
mod rtmp;
mod srt;
mod tls;
mod turn;
mod web;
mod whip;
