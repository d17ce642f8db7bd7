//! Arbitrary bytes: no panic, no allocation beyond what `wire::rtmp` states.

use proptest::prelude::*;

use super::super::amf0::{self, Value};
use super::super::chunk::{Kind, MAX_HELD, Message, Reader, Writer};
use super::super::command::Command;
use super::super::server::Server;
use super::super::{MAX_REPLIES, MAX_STEPS, control};
use super::{client, client_steps, server_steps};
use crate::model::Secret;

/// What a machine may hold beside unfinished messages: replies, one reply over the limit, steps.
const BOUND: usize = MAX_HELD + MAX_REPLIES + 4096 + MAX_STEPS + 8;

/// Bytes that look like chunks more often than chance would have it.
fn chunky() -> impl Strategy<Value = Vec<u8>> {
    let header = (0_u8..4, 2_u8..8, any::<[u8; 3]>(), 0_u32..70_000, 0_u8..25, any::<Vec<u8>>());
    let chunk = header.prop_map(|(format, id, time, length, kind, body)| {
        let mut bytes = vec![format << 6 | id];
        if format <= 2 {
            bytes.extend(time);
        }
        if format <= 1 {
            bytes.extend(length.to_be_bytes().iter().skip(1));
            bytes.push(kind);
        }
        if format == 0 {
            bytes.extend([1, 0, 0, 0]);
        }
        bytes.extend(body);
        bytes
    });
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..4000),
        proptest::collection::vec(chunk, 0..40).prop_map(|chunks| chunks.concat()),
    ]
}

/// Commands of the right shape in any order.
fn commands() -> impl Strategy<Value = Vec<u8>> {
    let name = prop_oneof![
        Just("connect"),
        Just("createStream"),
        Just("publish"),
        Just("deleteStream"),
        Just("_result"),
        Just("_error"),
        Just("onStatus"),
        Just("close"),
    ];
    let text = prop_oneof![Just("error"), Just("status"), Just("NetStream.Publish.Start"), Just("\u{1b}[2J")];
    let argument = prop_oneof![
        Just(Value::Null),
        any::<f64>().prop_map(Value::Number),
        text.clone().prop_map(Value::text),
        (text.clone(), text).prop_map(|(level, code)| Value::Object(vec![
            ("level".into(), Value::text(level)),
            ("code".into(), Value::text(code)),
        ])),
    ];
    let command = (name, 0_u8..6, proptest::collection::vec(argument, 0..4));
    proptest::collection::vec(command, 0..200).prop_map(|commands| {
        let (mut writer, mut out) = (Writer::default(), Vec::new());
        for (name, transaction, arguments) in commands {
            writer.write(&Command::new(name, f64::from(transaction), arguments).message(1), &mut out);
            writer.write(&control::ping(9), &mut out);
        }
        out
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn values_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = amf0::decode(&bytes);
        let _ = Command::decode(&bytes);
    }

    #[test]
    fn whatever_is_read_as_values_is_written_back_the_same(
        bytes in proptest::collection::vec(prop_oneof![0_u8..18, any::<u8>()], 0..40),
    ) {
        if let Ok(values) = amf0::decode(&bytes) {
            let mut again = Vec::new();
            for value in &values {
                value.encode(&mut again);
            }
            // Debug texts, as NaN differs from itself.
            prop_assert_eq!(format!("{:?}", amf0::decode(&again)), format!("{:?}", Ok::<_, ()>(values)));
        }
    }

    #[test]
    fn chunks_never_panic_nor_hold_more_than_stated(bytes in chunky(), size in 1_usize..500) {
        let mut reader = Reader::default();
        for mut piece in bytes.chunks(size) {
            while let Ok(Some(_)) = reader.read(&mut piece) {}
            prop_assert!(reader.held() <= MAX_HELD);
        }
    }

    #[test]
    fn any_messages_survive_any_split(
        messages in proptest::collection::vec(
            (2_u32..400, 0_u32..3, any::<u32>(), 0_usize..1000, any::<bool>()), 1..12),
        size in 1_usize..2000,
    ) {
        let messages: Vec<_> = messages.into_iter().map(|(chunk_stream, stream, timestamp, length, small)| {
            let timestamp = if small { timestamp % 100 } else { timestamp };
            let (length, body) = (u32::try_from(length).unwrap(), vec![7; length]);
            Message { chunk_stream, stream, timestamp, kind: Kind::Command, length, body }
        }).collect();
        let (mut writer, mut reader, mut bytes) = (Writer::default(), Reader::default(), Vec::new());
        for message in &messages {
            writer.write(message, &mut bytes);
        }
        let mut read = Vec::new();
        for mut piece in bytes.chunks(size) {
            while let Some(message) = reader.read(&mut piece).unwrap() {
                read.push(message);
            }
        }
        prop_assert_eq!(read, messages);
    }

    #[test]
    fn machines_never_panic_nor_hold_more_than_stated(
        bytes in prop_oneof![chunky(), commands()],
        size in 1_usize..3000,
        greet: bool,
        taken: bool,
    ) {
        let (mut client, mut server) = (client(), Server::new(3));
        if greet {
            let mut peer = Server::new(4);
            peer.unlock();
            let hello = client.outgoing();
            peer.receive(&hello);
            client.receive(&peer.outgoing());
            server.receive(&hello);
            server.receive(&[0; 1536]);
        }
        for piece in bytes.chunks(size) {
            client.receive(piece);
            client.publish(Secret::from("key".to_owned()));
            server.receive(piece);
            prop_assert!(client.held() <= BOUND && server.held() <= BOUND);
            for _ in server_steps(&mut server) {
                server.accept();
            }
            if taken {
                client_steps(&mut client);
                client.outgoing();
                server.outgoing();
            }
        }
        client.end();
        prop_assert!(client_steps(&mut client).len() <= MAX_STEPS + 8);
    }
}

#[test]
fn a_flood_of_requests_ends_the_server_not_its_memory() {
    let (mut writer, mut flood) = (Writer::default(), vec![3]);
    flood.extend([0; 3072]);
    for _ in 0..5000 {
        writer.write(&control::ping(1), &mut flood);
    }
    let mut server = Server::new(1);
    server.receive(&flood);
    let last = server_steps(&mut server).pop();
    assert!(format!("{last:?}").contains("Flood"), "{last:?}");
    assert!(server.held() <= BOUND);
}
