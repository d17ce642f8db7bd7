//! Values, messages and handshakes: each whole, cut anywhere, and split anywhere.

use super::super::amf0::{self, MAX_DEPTH, MAX_VALUES, Value};
use super::super::chunk::{Kind, MAX_CHUNK_STREAMS, MAX_HELD, MEDIA_HEAD, Message, Outgoing, Reader, Writer};
use super::super::command::{Command, Status};
use super::super::handshake::{Handshake, PACKET, Progress, Role};
use super::super::{Malformed, control};

fn values() -> Vec<Value> {
    vec![
        Value::Number(-0.5),
        Value::Boolean(true),
        Value::text("live"),
        Value::String("x".repeat(70_000)),
        Value::Object(vec![("app".into(), Value::text("live")), ("deep".into(), Value::Object(vec![]))]),
        Value::Null,
        Value::Undefined,
        Value::Reference(3),
        Value::EcmaArray(vec![("width".into(), Value::Number(640.0))]),
        Value::StrictArray(vec![Value::Null, Value::text("é")]),
        Value::Date(1.0e12),
        Value::Xml("<a/>".into()),
    ]
}

fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    value.encode(&mut out);
    out
}

#[test]
fn every_value_survives_and_every_truncation_is_told() {
    for value in values() {
        let bytes = encode(&value);
        assert_eq!(amf0::decode(&bytes).unwrap(), [value]);
        for end in (1..bytes.len()).take(300) {
            assert_eq!(amf0::decode(&bytes[..end]), Err(Malformed::Truncated), "cut at {end}");
        }
    }
}

#[test]
fn nesting_and_number_of_values_are_bounded() {
    let nested = |depth: usize| [0x0A, 0, 0, 0, 1].repeat(depth);
    assert_eq!(amf0::decode(&nested(MAX_DEPTH)), Err(Malformed::TooDeep));
    assert_eq!(amf0::decode(&nested(MAX_DEPTH - 1)), Err(Malformed::Truncated));
    assert_eq!(amf0::decode(&[0x05; MAX_VALUES + 1]), Err(Malformed::TooMany));
    assert_eq!(amf0::decode(&[0x05; MAX_VALUES]).unwrap().len(), MAX_VALUES);
    assert_eq!(amf0::decode(&[0x0A, 255, 255, 255, 255, 5]), Err(Malformed::Truncated));
    assert_eq!(amf0::decode(&[0x11]), Err(Malformed::UnknownMarker(0x11)));
}

#[test]
fn a_typed_object_reads_as_an_object_and_bad_utf8_as_replacement() {
    let bytes = [0x10, 0, 1, b'C', 0, 1, b'a', 0x02, 0, 1, 0xFF, 0, 0, 9];
    let object = Value::Object(vec![("a".into(), Value::text("\u{FFFD}"))]);
    assert_eq!(amf0::decode(&bytes).unwrap(), [object]);
}

#[test]
fn a_command_gives_the_servers_own_words() {
    let status = Status {
        level: "error".into(),
        code: "NetStream.Publish.BadName".into(),
        description: "in use".into(),
    };
    let command = Command::new("onStatus", 0.0, vec![Value::Null, status.object()]);
    let mut message = command.message(1);
    let read = Command::from_message(&message).unwrap().unwrap();
    assert_eq!(read.status().unwrap(), status);
    message.kind = Kind::CommandAmf3;
    message.body.insert(0, 0);
    assert_eq!(Command::from_message(&message).unwrap().unwrap(), read);
    for end in 0..message.body.len() {
        let cut = Message { body: message.body[..end].to_vec(), ..message.clone() };
        let between_arguments = [12, 21, 22].contains(&end);
        assert_eq!(Command::from_message(&cut).is_ok(), between_arguments, "cut at {end}");
    }
    assert_eq!(Command::decode(&encode(&Value::Null)), Err(Malformed::NotACommand));
}

/// Messages that need every kind of header between them.
fn messages() -> Vec<Message> {
    let message = |chunk_stream, stream, timestamp, kind, length: usize| Message {
        chunk_stream,
        stream,
        timestamp,
        kind,
        length: u32::try_from(length).unwrap(),
        body: (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect(),
    };
    vec![
        message(3, 0, 0, Kind::Command, 300),             // type 0, three chunks
        message(3, 0, 40, Kind::Command, 200),            // type 1
        message(3, 0, 80, Kind::Command, 200),            // type 3: all as before
        message(3, 0, 121, Kind::Command, 200),           // type 2: another delta
        message(3, 0, 100, Kind::Command, 200),           // type 0: back in time
        message(3, 7, 100, Kind::Command, 200),           // type 0: another stream
        message(70, 0, 0xFF_FFFE, Kind::UserControl, 0),  // two-byte basic header, empty
        message(500, 0, 0xFF_FFFF, Kind::Command, 300),   // three-byte, extended time, repeated
        message(500, 0, 0x0100_0027, Kind::Command, 300), // type 2, not extended
        message(65_599, 1, u32::MAX, Kind::Command, 129),
        message(65_599, 1, 5, Kind::Command, 1), // time wraps
        message(4, 1, 0, Kind::Audio, MEDIA_HEAD),
    ]
}

fn read_all(reader: &mut Reader, mut input: &[u8]) -> Vec<Message> {
    let mut messages = Vec::new();
    while let Some(message) = reader.read(&mut input).unwrap() {
        messages.push(message);
    }
    assert!(input.is_empty());
    messages
}

#[test]
fn every_message_survives_every_split_and_every_truncation() {
    let mut writer = Writer::default();
    let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    for message in messages() {
        writer.write(&message, &mut bytes);
        ends.push(bytes.len());
    }
    for split in 0..=bytes.len() {
        let mut reader = Reader::default();
        let mut read = read_all(&mut reader, &bytes[..split]);
        assert_eq!(read.len(), ends.iter().filter(|end| **end <= split).count(), "cut at {split}");
        read.extend(read_all(&mut reader, &bytes[split..]));
        assert_eq!(read, messages(), "split at {split}");
        assert_eq!(reader.held(), 0);
    }
}

#[test]
fn a_header_is_as_short_as_its_predecessor_allows() {
    let mut writer = Writer::default();
    let formats: Vec<_> = messages()
        .iter()
        .map(|message| {
            let mut out = Vec::new();
            writer.write(message, &mut out);
            out[0] >> 6
        })
        .collect();
    assert_eq!(formats, [0, 1, 3, 2, 0, 0, 0, 0, 2, 0, 1, 0]);
}

#[test]
fn chunks_of_several_messages_interleave_and_an_aborted_one_is_gone() {
    let mut reader = Reader::default();
    let mut audio = vec![0x04, 0, 0, 0, 0, 0, 200, 20, 1, 0, 0, 0]; // 200 bytes on chunk stream 4
    audio.extend([1; 128]);
    assert!(read_all(&mut reader, &audio).is_empty());
    let mut between = Vec::new();
    let mut writer = Writer::default();
    writer.write(&control::message(Kind::SetChunkSize, 64), &mut between);
    assert_eq!(read_all(&mut reader, &between).len(), 1);
    assert_eq!(reader.held(), 128);
    let mut rest = vec![0xC4]; // its next chunk has the new size
    rest.extend([2; 64]);
    assert!(read_all(&mut reader, &rest).is_empty());
    let mut abort = Vec::new();
    writer.write(&control::message(Kind::Abort, 4), &mut abort);
    assert_eq!(read_all(&mut reader, &abort).len(), 1);
    assert_eq!(reader.held(), 0);
    let again = read_all(&mut reader, &[0x04, 0, 0, 9, 0, 0, 1, 20, 1, 0, 0, 0, 5]);
    assert_eq!((again.len(), &again[0].body[..], again[0].timestamp), (1, &[5][..], 9));
}

#[test]
fn larger_chunks_are_written_once_they_are_announced() {
    let (mut writer, mut reader, mut out) = (Writer::default(), Reader::default(), Vec::new());
    writer.write(&control::message(Kind::SetChunkSize, 4096), &mut out);
    let body = vec![7; 5000];
    let video = Outgoing { chunk_stream: 6, stream: 1, timestamp: 0, kind: Kind::Video, body: &body };
    writer.put(video, &mut out);
    assert_eq!(out.len(), 16 + 12 + 5000 + 1);
    let read = read_all(&mut reader, &out);
    assert_eq!((read[1].length, read[1].body.len()), (5000, MEDIA_HEAD));
}

#[test]
fn broken_chunk_streams_are_named() {
    let read = |mut bytes: &[u8]| {
        let mut reader = Reader::default();
        std::iter::from_fn(|| reader.read(&mut bytes).transpose()).find_map(Result::err)
    };
    let header = |id: u8, length: [u8; 3], kind: u8| {
        let mut bytes = vec![id, 0, 0, 0];
        bytes.extend(length);
        bytes.extend([kind, 0, 0, 0, 0]);
        bytes
    };
    assert_eq!(read(&[0xC5]), Some(Malformed::NoHeader(5)));
    assert_eq!(read(&[0x85, 0, 0, 0]), Some(Malformed::NoHeader(5)));
    assert_eq!(read(&header(3, [1, 0, 1], 20)), Some(Malformed::TooLong { kind: 20, length: 0x01_0001 }));
    let mut interrupted = header(3, [0, 1, 0], 20);
    interrupted.extend([0; 128]);
    interrupted.extend(header(3, [0, 0, 1], 20));
    assert_eq!(read(&interrupted), Some(Malformed::Interrupted(3)));
    let size = |size: [u8; 4]| [header(2, [0, 0, 4], 1), size.to_vec()].concat();
    assert_eq!(read(&size([0; 4])), Some(Malformed::ChunkSize(0)));
    assert_eq!(read(&size([255; 4])), Some(Malformed::ChunkSize(u32::MAX)));
    assert_eq!(read(&[header(2, [0, 0, 1], 1), vec![0]].concat()), Some(Malformed::BadControl(1)));
    let streams = u8::try_from(MAX_CHUNK_STREAMS).unwrap();
    let many: Vec<u8> =
        (0..=streams).flat_map(|id| [vec![0, id], header(0, [0, 0, 0], 8)[1..].to_vec()].concat()).collect();
    assert_eq!(read(&many), Some(Malformed::TooManyChunkStreams));
}

#[test]
fn unfinished_messages_are_bounded_together() {
    let mut reader = Reader::default();
    let mut held = 0;
    let error = (3..60).find_map(|id| {
        let mut chunk = vec![id, 0, 0, 0, 0, 0xFF, 0xFF, 20, 0, 0, 0, 0];
        chunk.extend([0; 128]);
        for _ in 0..20 {
            match reader.read(&mut chunk.as_slice()) {
                Err(error) => return Some(error),
                Ok(_) => held = held.max(reader.held()),
            }
            chunk.splice(0..chunk.len() - 128, [0xC0 | id]);
        }
        None
    });
    assert_eq!(error, Some(Malformed::TooLong { kind: 20, length: 0xFFFF }));
    assert!(held <= MAX_HELD, "{held}");
}

#[test]
fn a_handshake_survives_every_split() {
    let mut from_client = Vec::new();
    let mut client = Handshake::new(Role::Client, 1, &mut from_client);
    let mut server = Handshake::new(Role::Server, 2, &mut Vec::new());
    let mut from_server = Vec::new();
    assert_eq!(server.receive(&mut from_client.as_slice(), &mut from_server), Progress::Going);
    assert_eq!(
        client.receive(&mut from_server.as_slice(), &mut from_client),
        Progress::Done { echoed: true }
    );
    assert_eq!((from_client.len(), from_server.len()), (1 + 2 * PACKET, 1 + 2 * PACKET));
    let mut with_more = from_client.clone();
    with_more.extend([9, 9]);
    for split in 0..with_more.len() {
        let mut server = Handshake::new(Role::Server, 2, &mut Vec::new());
        let (mut first, mut second) = with_more.split_at(split);
        let mut out = Vec::new();
        let early = server.receive(&mut first, &mut out);
        assert_eq!(early == Progress::Going, split < from_client.len());
        if early == Progress::Going {
            assert_eq!(server.receive(&mut second, &mut out), Progress::Done { echoed: true });
            assert_eq!(second, [9, 9], "split at {split}");
        }
        assert_eq!(out, from_server, "split at {split}");
    }
}

#[test]
fn a_changed_echo_is_noticed_and_another_version_is_no_rtmp() {
    let mut out = Vec::new();
    let mut client = Handshake::new(Role::Client, 1, &mut out);
    let mut answer = vec![3];
    answer.extend([0; 2 * PACKET]);
    assert_eq!(client.receive(&mut answer.as_slice(), &mut out), Progress::Done { echoed: false });
    let mut client = Handshake::new(Role::Client, 1, &mut out);
    assert_eq!(client.receive(&mut &b"HTTP/1.1 "[..], &mut out), Progress::NotRtmp);
    assert_eq!(client.receive(&mut &[b'x'; 1000][..], &mut out), Progress::NotRtmp);
    assert_eq!(client.first().len(), 512);
}

#[test]
fn acknowledgements_come_once_a_window_and_survive_the_wrap() {
    let mut acknowledger = control::Acknowledger::default();
    assert_eq!(acknowledger.received(5000), None);
    acknowledger.set_window(&1000_u32.to_be_bytes()).unwrap();
    assert_eq!(acknowledger.received(1), Some(control::message(Kind::Acknowledgement, 5001)));
    assert_eq!(acknowledger.received(999), None);
    assert_eq!(acknowledger.received(1), Some(control::message(Kind::Acknowledgement, 6001)));
    let wrapped = acknowledger.received(usize::try_from(u32::MAX - 6000).unwrap());
    assert_eq!(wrapped, Some(control::message(Kind::Acknowledgement, 0)));
    acknowledger.set_window(&[0; 4]).unwrap();
    assert_eq!(acknowledger.received(5000), None);
    assert!(acknowledger.set_window(&[0; 3]).is_err());
}
