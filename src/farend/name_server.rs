//! A name server for the demo and for tests: answers A and AAAA for a fixed table of names,
//! NXDOMAIN for every other (RFC 1035, RFC 2308). One datagram in, at most one out.

use std::io;
use std::net::{IpAddr, SocketAddr};

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{RData, Record, RecordType};
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

/// Largest query that is looked at: plain DNS over UDP without EDNS (RFC 1035, 2.3.4), twice over.
const MAX_QUERY: usize = 1024;
/// How long an answer may be kept, in seconds.
const TTL: u32 = 1;

/// A name server on one UDP socket.
#[derive(Debug)]
pub struct NameServer {
    socket: UdpSocket,
    names: Vec<(String, IpAddr)>,
}

impl NameServer {
    /// Listens on `address` and knows `names` (without final dot; compared without case).
    pub async fn bind(address: SocketAddr, names: Vec<(String, IpAddr)>) -> io::Result<Self> {
        Ok(Self { socket: UdpSocket::bind(address).await?, names })
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Answers until cancelled.
    pub async fn serve(self, cancel: CancellationToken) {
        let mut buffer = [0; MAX_QUERY];
        loop {
            let received = tokio::select! {
                received = self.socket.recv_from(&mut buffer) => received,
                () = cancel.cancelled() => return,
            };
            // Errors on a UDP socket are of one peer (port unreachable), never of the server.
            let Ok((length, peer)) = received else { continue };
            if let Some(reply) = buffer.get(..length).and_then(|query| answer(query, &self.names)) {
                let _ = self.socket.send_to(&reply, peer).await;
            }
        }
    }
}

/// The reply to a query; `None` where none is due (a reply, garbage).
fn answer(datagram: &[u8], names: &[(String, IpAddr)]) -> Option<Vec<u8>> {
    let query = Message::from_vec(datagram).ok()?;
    if query.metadata.message_type != MessageType::Query {
        return None;
    }
    let mut reply = Message::response(query.metadata.id, query.metadata.op_code);
    reply.metadata.recursion_desired = query.metadata.recursion_desired;
    reply.metadata.recursion_available = true;
    match query.queries.as_slice() {
        [question] if query.metadata.op_code == OpCode::Query => {
            reply.metadata.response_code = fill(&mut reply, question, names);
            reply.add_query(question.clone());
        }
        _ => reply.metadata.response_code = ResponseCode::NotImp,
    }
    reply.to_vec().ok()
}

fn fill(reply: &mut Message, question: &Query, names: &[(String, IpAddr)]) -> ResponseCode {
    let asked = question.name.to_utf8();
    let asked = asked.trim_end_matches('.');
    let mut known = names.iter().filter(|(name, _)| name.eq_ignore_ascii_case(asked)).peekable();
    if known.peek().is_none() {
        return ResponseCode::NXDomain;
    }
    for (_, address) in known {
        let data = match (address, question.query_type) {
            (IpAddr::V4(v4), RecordType::A) => RData::A((*v4).into()),
            (IpAddr::V6(v6), RecordType::AAAA) => RData::AAAA((*v6).into()),
            _ => continue,
        };
        reply.add_answer(Record::from_rdata(question.name.clone(), TTL, data));
    }
    ResponseCode::NoError
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::rr::Name;

    fn ask(name: &str, kind: RecordType) -> Message {
        let mut query = Message::query();
        query.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
        let names = [("ingest.demo.test".to_owned(), "127.0.0.1".parse().unwrap())];
        Message::from_vec(&answer(&query.to_vec().unwrap(), &names).unwrap()).unwrap()
    }

    #[test]
    fn answers_what_it_knows_and_nothing_else() {
        let known = ask("INGEST.demo.test.", RecordType::A);
        assert_eq!((known.metadata.response_code, known.answers.len()), (ResponseCode::NoError, 1));
        let no_v6 = ask("ingest.demo.test.", RecordType::AAAA);
        assert_eq!((no_v6.metadata.response_code, no_v6.answers.len()), (ResponseCode::NoError, 0));
        assert_eq!(ask("other.test.", RecordType::A).metadata.response_code, ResponseCode::NXDomain);
    }

    #[test]
    fn garbage_and_replies_get_no_reply() {
        let mut query = Message::query();
        query.add_query(Query::query(Name::from_ascii("a.test.").unwrap(), RecordType::A));
        let whole = query.to_vec().unwrap();
        for length in 0..whole.len() {
            assert_eq!(answer(&whole[..length], &[]), None, "{length}");
        }
        let reply = Message::response(1, OpCode::Query).to_vec().unwrap();
        assert_eq!(answer(&reply, &[]), None);
    }
}
