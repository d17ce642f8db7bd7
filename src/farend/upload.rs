//! The upload sink: one data connection per ticket, counted as it arrives. It never answers.

use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::time::Duration;
use std::{io, sync::Arc};

use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, Interest};
use tokio::net::TcpStream;

use super::door::House;
use super::session::{Guest, Session};
use crate::model::WireText;
use crate::wire::control::{DATA_MAGIC, Ended, Refusal, Ticket};

/// Bytes read at once: large enough that a fast line costs few system calls.
const READ: usize = 1024 * 1024;
/// Reads after which other tasks get their turn.
const READS_IN_A_ROW: u32 = 16;

/// Serves one connection that does not speak TLS.
pub(super) async fn serve(mut stream: TcpStream, peer: SocketAddr, guest: Guest, house: &House) {
    let session = match admit(&mut stream, peer, house).await {
        Ok(session) => session,
        Err((why, said)) => return house.log.refused("upload", peer, why, said),
    };
    drop(guest);
    let how = tokio::select! {
        _ = session.over() => return,
        how = sink(&stream, &session) => how,
    };
    session.end(how);
}

async fn admit(
    stream: &mut TcpStream,
    peer: SocketAddr,
    house: &House,
) -> Result<Arc<Session>, (Refusal, WireText)> {
    let limit = house.registry.caps().guest_time;
    let head = first_bytes::<{ DATA_MAGIC.len() + 16 }>(stream, &DATA_MAGIC, limit).await?;
    let ticket = head.last_chunk().copied().unwrap_or_default();
    let session = house.registry.upload(&Ticket(ticket)).map_err(|why| (why, WireText::default()))?;
    if session.attach(peer) {
        Ok(session)
    } else {
        Err((
            Refusal::BadRequest,
            WireText::from("one more data connection with the same ticket than was asked for"),
        ))
    }
}

/// The first bytes of a connection, which begin with `magic`.
///
/// # Errors
/// Others came, or not enough in time; with what was said.
pub(super) async fn first_bytes<const N: usize>(
    stream: &mut TcpStream,
    magic: &[u8; 8],
    limit: Duration,
) -> Result<[u8; N], (Refusal, WireText)> {
    let mut head = [0; N];
    let mut filled = 0;
    let read = async {
        while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match stream.read(rest).await {
                Ok(0) | Err(_) => break,
                Ok(count) => filled += count,
            }
            if !magic.starts_with(&head[..filled.min(magic.len())]) {
                break;
            }
        }
    };
    let in_time = tokio::time::timeout(limit, read).await.is_ok();
    if filled < N || !head.starts_with(magic) {
        let why = if in_time { Refusal::BadRequest } else { Refusal::Time };
        return Err((why, WireText::from_bytes(&head[..filled])));
    }
    Ok(head)
}

/// Reads and counts until the connection or the session ends.
async fn sink(stream: &TcpStream, session: &Session) -> Ended {
    let mut room = vec![MaybeUninit::uninit(); READ];
    let mut reads = 0;
    loop {
        match discard(stream, &mut room) {
            Ok(0) => return Ended::DataClosed,
            Ok(count) => {
                if let Err(why) = session.count(count as u64) {
                    return Ended::Refused(why);
                }
                reads += 1;
                if reads % READS_IN_A_ROW == 0 {
                    tokio::task::yield_now().await;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if stream.readable().await.is_err() {
                    return Ended::DataReset;
                }
            }
            Err(_) => return Ended::DataReset,
        }
    }
}

/// Takes what has arrived. Nobody looks at the bytes: Linux throws them away without copying them
/// (`MSG_TRUNC`, tcp(7)), so that a fast line is not measured by this machine's memory.
fn discard(stream: &TcpStream, room: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
    #[cfg(target_os = "linux")]
    const FLAGS: i32 = libc::MSG_TRUNC;
    #[cfg(not(target_os = "linux"))]
    const FLAGS: i32 = 0;
    stream.try_io(Interest::READABLE, || SockRef::from(stream).recv_with_flags(room, FLAGS))
}
