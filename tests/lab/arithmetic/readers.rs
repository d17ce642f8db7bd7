//! What is read from bytes and from other programs' words.

use std::time::Duration;

use crate::truth::arrival::{Kind, Worth};
use crate::truth::sender::{Socket, socket};
use crate::truth::source::{PICTURES, Source};
use crate::truth::srt::{Counters, counters};
use crate::truth::transport::count;

fn picture(first: u8, units: &[&[u8]]) -> Vec<u8> {
    let mut body = vec![first, 1, 0, 0, 0];
    for unit in units {
        body.extend(u32::try_from(unit.len()).unwrap().to_be_bytes());
        body.extend(*unit);
    }
    body
}

#[test]
fn a_pictures_worth_is_that_of_its_first_slice() {
    let (delimiter, filler) = (&[9, 240][..], &[12, 255, 255, 128][..]);
    for (slice, expected) in [
        (0x65, Worth::Highest),
        (0x41, Worth::High),
        (0x61, Worth::High),
        (0x21, Worth::Low),
        (0x01, Worth::Disposable),
    ] {
        let body = picture(0x27, &[delimiter, &[slice, 1, 2, 3], filler]);
        assert_eq!(Kind::of_video(&body), Kind::Video(expected), "{slice:#x}");
    }
    assert_eq!(Kind::of_video(&[0x17, 0, 0, 0, 0, 1]), Kind::Header);
    assert_eq!(Kind::of_video(&[]), Kind::Header);
    // A length that lies is no panic.
    assert_eq!(Kind::of_video(&[0x27, 1, 0, 0, 0, 255, 255, 255, 255, 1]), Kind::Video(Worth::Disposable));
    assert_eq!(Kind::of_audio(&[0xaf, 0, 17]), Kind::Header);
    assert_eq!(Kind::of_audio(&[0xaf, 1, 17]), Kind::Audio);
}

#[test]
fn the_stream_is_what_an_encoder_sends() {
    let source = Source::of(1500);
    let due: Vec<_> = source.due(Duration::ZERO, Duration::from_secs(45)).collect();
    let bytes: usize = due.iter().map(|message| message.bytes).sum();
    let kbps = bytes as f64 * 8.0 / 45_000.0;
    assert!((kbps - 1500.0).abs() < 60.0, "{kbps} kb/s");
    let of = |kind: Kind| due.iter().filter(|message| message.kind == kind).count() as f64;
    let pictures = f64::from(PICTURES * 45);
    assert!((of(Kind::Video(Worth::Highest)) - 23.0).abs() < 2.0);
    let disposable = of(Kind::Video(Worth::Disposable)) / pictures;
    assert!((0.3..0.7).contains(&disposable), "{disposable}");
    assert!((of(Kind::Audio) - 45.0 * 48_000.0 / 1024.0).abs() < 5.0);
    let keyframes: usize =
        due.iter().filter(|m| m.kind == Kind::Video(Worth::Highest)).map(|m| m.bytes).sum();
    assert!(keyframes / 23 > 3 * bytes / 1350, "keyframes are bursts: {}", keyframes / 23);
}

#[test]
fn ss_tells_the_congestion_control() {
    let line = "ESTAB 0      0      10.0.0.1:41266 10.0.0.2:1935  users:((\"ffmpeg\",pid=77,fd=6)) ts sack \
                cubic wscale:10,10 rto:201 rtt:0.079/0.043 ato:40 mss:1448 cwnd:10 bytes_sent:8000 \
                bytes_retrans:2896 bytes_acked:5104";
    let expected =
        Socket { congestion_control: "cubic".into(), rtt_ms: 0.079, bytes_sent: 8000, bytes_resent: 2896 };
    assert_eq!(socket(line), expected);
    assert_eq!(socket(&line.replace("ts sack cubic", "bbr")).congestion_control, "bbr");
    assert_eq!(socket("nothing of the kind").congestion_control, "nothing");
    assert_eq!(socket(""), Socket::default());
}

#[test]
fn libsrts_counters_start_when_the_stream_has_settled() {
    let line = |time: u32, dropped: u32| {
        format!(
            "{{\"time\":{time},\"recv\":{{\"packetsUnique\":{time},\"packetsLost\":9,\"packetsDropped\":{dropped},\
             \"packetsRetransmitted\":2,\"packetsBelated\":1}}}}\n"
        )
    };
    let statistics = [line(100, 5), line(3100, 6), line(4000, 6), line(9000, 8)].concat() + "{\"time\":93";
    let expected = Counters { packets: 5900, dropped: 2, ..Counters::default() };
    assert_eq!(counters(&statistics, Duration::from_secs(3)), expected);
    assert_eq!(counters("", Duration::ZERO), Counters::default());
}

/// A transport stream of `pictures` pictures of `each` packets, a keyframe every 30.
fn stream(pictures: u32, each: usize) -> Vec<[u8; 188]> {
    let mut counter = 0_u8;
    let mut packets = Vec::new();
    for picture in 0..pictures {
        for place in 0..each {
            let mut packet = [0xff; 188];
            packet[..4].copy_from_slice(&[0x47, 1, 0, 0x10 | counter]);
            counter = (counter + 1) & 15;
            if place == 0 {
                let keyframe = if picture % 30 == 0 { 0x40 } else { 0 };
                packet[1] |= 0x40;
                packet[3] |= 0x20;
                packet[4..6].copy_from_slice(&[1, keyframe]);
                let ticks = u64::from(picture) * 3000 + 126_000;
                let byte = |shift: u32, mask: u64| u8::try_from(ticks >> shift & mask).unwrap();
                let stamp = [
                    0x21 | byte(30, 7) << 1,
                    byte(22, 255),
                    byte(15, 127) << 1 | 1,
                    byte(7, 255),
                    byte(0, 127) << 1 | 1,
                ];
                packet[6..15].copy_from_slice(&[0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5]);
                packet[15..20].copy_from_slice(&stamp);
            }
            packets.push(packet);
        }
    }
    packets
}

#[test]
fn a_lost_packet_damages_its_picture_and_all_until_the_next_keyframe() {
    let whole = stream(90, 10);
    let counted = count(&whole.concat(), 0.0);
    assert_eq!((counted.pictures, counted.damaged, counted.breaks), (90, 0, 0));
    assert!((counted.span_s - 89.0 / 30.0).abs() < 1e-6);
    // The fifth packet of picture 40: 40 to 59 are damaged.
    let mut broken = whole.clone();
    broken.remove(404);
    let counted = count(&broken.concat(), 0.0);
    assert_eq!((counted.pictures, counted.damaged, counted.breaks), (90, 20, 1));
    assert_eq!(count(&broken.concat(), 1.9).damaged, 3, "57, 58 and 59");
    assert_eq!(count(&broken.concat(), 2.0).damaged, 0);
    // Pictures 45 to 49 whole: they are missed by their time, whatever the counter says.
    let mut holed = whole.clone();
    holed.drain(450..498);
    let counted = count(&holed.concat(), 0.0);
    assert_eq!((counted.pictures, counted.damaged), (90, 15), "{counted:?}");
}

#[test]
fn any_bytes_can_be_counted() {
    count(&[0x47; 188 * 7 + 3], 0.0);
    count(&[], 0.0);
    let mut start = [0xff; 188];
    start[..5].copy_from_slice(&[0x47, 0x41, 0, 0x30, 255]);
    count(&start, 0.0);
}
