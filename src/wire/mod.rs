//! Protocols without sockets or clocks: bytes and time in, steps out.

pub mod banner; // guesses which protocol answered instead of the expected one
pub mod captive; // RFC 8908: what a captive portal says of itself
pub mod client_hello; // a TLS client's first message, compared at both ends of a line
pub mod control;
pub mod dns; // questions and answers of name servers
pub mod firewall; // a machine's own packet filter: which rule decides
pub mod http;
pub mod iperf3;
pub mod knock; // the smallest question of a protocol, and whether what came back answers it
pub mod lease; // what DHCP clients note of a network's options
pub mod ntp; // SNTP client
pub mod pcp; // what a router says of itself by PCP or NAT-PMP
pub mod rist; // a sender that introduces itself
pub mod routes; // default routes as the system lists them
pub mod rtmp; // RTMP 1.0: handshake, chunks, commands; publisher and ingest
pub mod srt;
pub mod stamp;
pub mod streaming; // HLS playlists, DASH manifests, and what a segment's first bytes are
pub mod stun; // binding requests, and how translators map and filter
pub mod turn; // asks a relay for an address, and sends through it
pub mod webrtc; // a publisher: ICE, DTLS, RTP and RTCP
pub mod whip; // RFC 9725: what is asked over HTTP, and what the answers hold
