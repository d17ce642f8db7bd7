//! All shared code that touches the world: clocks, sockets, interfaces, privilege.

#[cfg(target_os = "linux")]
mod ancillary;
pub mod burst;
pub mod clock;
pub mod congestion;
pub mod datagram;
pub mod dhcp;
pub mod dial;
pub mod dns;
pub mod encoder;
pub mod exposition;
pub mod failure;
pub mod far_end;
pub mod handshakes;
pub mod hold;
pub mod http;
pub mod https_date;
pub mod icmp_error;
pub mod kernel_clock;
pub mod link;
pub mod local_rules;
pub mod machine;
pub mod noise;
#[cfg(target_os = "linux")]
mod option;
pub mod own_rules;
pub mod process;
pub mod prompt;
pub mod ping;
pub mod proxy;
pub mod ready;
pub mod resolve;
pub mod rtmp;
pub mod secret;
pub mod sntp;
pub mod ssh_agent;
pub mod stamp;
pub mod stun;
pub mod tcp_info;
pub mod ticket;
pub mod tls;
pub mod ttl_walk;
pub mod turn;
pub mod unreached;
pub mod viewer;
pub mod webhook;
