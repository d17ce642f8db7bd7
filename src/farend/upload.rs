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
    let mut head = [0; DATA_MAGIC.len() + 16];
    let limit: Duration = house.registry.caps().guest_time;
    let mut filled = 0;
    let read = async {
        while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match stream.read(rest).await {
                Ok(0) | Err(_) => break,
                Ok(count) => filled += count,
            }
            if !DATA_MAGIC.starts_with(&head[..filled.min(DATA_MAGIC.len())]) {
                break;
            }
        }
    };
    let in_time = tokio::time::timeout(limit, read).await.is_ok();
    let (magic, ticket) = head.split_at(DATA_MAGIC.len());
    let ticket = <[u8; 16]>::try_from(ticket).unwrap_or_default();
    if filled < head.len() || magic != DATA_MAGIC {
        let why = if in_time { Refusal::BadRequest } else { Refusal::Time };
        return Err((why, WireText::from_bytes(&head[..filled])));
    }
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
