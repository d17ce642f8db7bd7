use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::change::SdpOffer;
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

use super::*;
use crate::media::Realtime;

const OURS: &str = "192.0.2.1:5000";
const THEIRS: &str = "192.0.2.2:6000";

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A server at an address, and its answer to an offer.
pub(crate) fn server(
    now: Instant,
    local: SocketAddr,
    offer: &str,
    configure: impl FnOnce(RtcConfig) -> RtcConfig,
) -> (Rtc, String) {
    let config = RtcConfig::new()
        .set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags()))
        .set_rtcp_report_interval_audio(Duration::from_millis(500))
        .set_rtcp_report_interval_video(Duration::from_millis(500));
    let mut rtc = configure(config).build(now);
    rtc.add_local_candidate(Candidate::host(local, "udp").unwrap());
    let offer = SdpOffer::from_sdp_string(offer).unwrap();
    let answer = rtc.sdp_api().accept_offer(offer).unwrap();
    (rtc, answer.to_sdp_string())
}

/// Both sides by one clock that nobody waits for. Every `lost`th datagram of ours does not arrive.
struct Line {
    publisher: Publisher,
    server: Rtc,
    now: Instant,
    lost: Option<u64>,
    sent: u64,
    happened: Vec<Happened>,
    pictures: u32,
}

impl Line {
    fn new(lost: Option<u64>) -> Self {
        let now = Instant::now();
        let (mut publisher, offer) = Publisher::new(now, &[Local::Own(at(OURS))]).unwrap();
        let (server, answer) = server(now, at(THEIRS), &offer, |config| config);
        let candidates = Candidates::of(&answer, false);
        assert_eq!(candidates.offered, [Offered { address: at(THEIRS), kind: Kind::Host }]);
        publisher.accept(&answer, &candidates).unwrap();
        Self { publisher, server, now, lost, sent: 0, happened: Vec::new(), pictures: 0 }
    }

    /// Lets so much time pass, in steps of 5 ms.
    fn pass(&mut self, time: Duration) -> Result<(), Broken> {
        let until = self.now + time;
        while self.now < until {
            self.now += Duration::from_millis(5);
            self.publisher.tick(self.now)?;
            self.server.handle_input(Input::Timeout(self.now)).unwrap();
            while self.exchange()? {}
        }
        Ok(())
    }

    /// True when something was sent.
    fn exchange(&mut self) -> Result<bool, Broken> {
        let mut any = false;
        loop {
            match self.publisher.poll()? {
                Step::Wait(_) => break,
                Step::Happened(happened) => self.happened.push(happened),
                Step::Send { from, to, bytes } => {
                    any = true;
                    self.sent += 1;
                    if self.lost.is_some_and(|lost| self.sent.is_multiple_of(lost)) {
                        continue;
                    }
                    let received = Receive::new(Protocol::Udp, from, to, &bytes).unwrap();
                    self.server.handle_input(Input::Receive(self.now, received)).unwrap();
                }
            }
        }
        loop {
            match self.server.poll_output().unwrap() {
                Output::Timeout(_) => return Ok(any),
                Output::Event(Event::MediaData(data)) => {
                    self.pictures += u32::from(data.params.spec().codec == Codec::H264);
                }
                Output::Event(_) => {}
                Output::Transmit(out) => {
                    any = true;
                    self.publisher.receive(self.now, out.source, out.destination, &out.contents)?;
                }
            }
        }
    }

    fn send(&mut self, seconds: u64) -> Result<(), Broken> {
        let began = self.now;
        for moment in Realtime::test_card().unwrap().take_while(|moment| moment.due_ms < seconds * 1000) {
            self.pass((began + Duration::from_millis(moment.due_ms)).saturating_duration_since(self.now))?;
            self.publisher.write(self.now, moment.due_ms, moment.picture, moment.data)?;
            while self.exchange()? {}
        }
        self.pass(Duration::from_secs(2))
    }
}

#[test]
fn a_session_comes_about_and_its_media_is_received_and_reported() {
    let mut line = Line::new(None);
    line.pass(Duration::from_secs(2)).unwrap();
    assert_eq!(line.happened.first(), Some(&Happened::Connected));
    assert!(line.happened.contains(&Happened::Secured), "{:?}", line.happened);
    line.send(3).unwrap();
    assert!(line.pictures >= 25, "{} pictures", line.pictures);
    for stream in [line.publisher.picture_stream, line.publisher.sound_stream] {
        assert!(stream.packets > 20, "{stream:?}");
        assert_eq!(stream.report.unwrap().lost, 0, "{stream:?}");
    }
    let pair = line.publisher.pair.unwrap();
    assert_eq!((pair.local, pair.remote), (at(OURS), at(THEIRS)));
}

#[test]
fn a_relays_address_stands_in_the_offer_as_such() {
    let (_, offer) = Publisher::new(Instant::now(), &[Local::Relayed(at(OURS))]).unwrap();
    assert!(offer.contains(" 192.0.2.1 5000 typ relay"), "{offer}");
    assert!(!offer.contains("typ host"), "{offer}");
}

#[test]
fn what_is_lost_is_reported() {
    let mut line = Line::new(Some(10));
    line.pass(Duration::from_secs(3)).unwrap();
    line.send(4).unwrap();
    let lost = line.publisher.sound_stream.report.unwrap().lost;
    let sent = line.publisher.sound_stream.packets;
    assert!((sent / 20..sent / 5).contains(&lost), "{lost} of {sent}");
}

#[test]
fn an_end_by_the_server_is_told() {
    let mut line = Line::new(None);
    line.pass(Duration::from_secs(2)).unwrap();
    line.server.close().unwrap();
    line.pass(Duration::from_secs(1)).unwrap();
    assert_eq!(line.happened.last(), Some(&Happened::Closed));
}

#[test]
fn another_certificate_than_the_answers_breaks_the_session() {
    let now = Instant::now();
    let (mut publisher, offer) = Publisher::new(now, &[Local::Own(at(OURS))]).unwrap();
    let (server, answer) = server(now, at(THEIRS), &offer, |config| config);
    let start = answer.find("a=fingerprint:sha-256 ").unwrap() + 22;
    let forged = format!("{}{}{}", &answer[..start], ["AA"; 32].join(":"), &answer[start + 95..]);
    publisher.accept(&forged, &Candidates::of(&forged, false)).unwrap();
    let mut line = Line { publisher, server, now, lost: None, sent: 0, happened: Vec::new(), pictures: 0 };
    let broken = line.pass(Duration::from_secs(2)).unwrap_err();
    assert!(matches!(&broken, Broken::Session(why) if why.as_str().contains("fingerprint")), "{broken:?}");
}

#[test]
fn an_answer_that_is_of_no_use_is_told_by_its_reason() {
    let now = Instant::now();
    let none = Candidates::default();
    let offered = || Publisher::new(now, &[Local::Own(at(OURS))]).unwrap();
    for text in ["", "<html>", "v=0\r\n", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"] {
        let (mut publisher, _) = offered();
        assert!(matches!(publisher.accept(text, &none), Err(Broken::BadAnswer(_))), "{text}");
    }
    let (mut publisher, offer) = offered();
    let (_, answer) = server(now, at(THEIRS), &offer, |config| config);
    let vp8 = answer.replace("H264/90000", "VP8/90000");
    assert_eq!(publisher.accept(&vp8, &Candidates::of(&vp8, false)), Err(Broken::NoCodec("H.264")));
}

#[test]
fn candidates_are_read_and_only_hosts_addresses_are_asked() {
    let line = |rest: &str| format!("a=candidate:{rest}\r\n");
    let text = [
        line("1 1 UDP 2130706431 203.0.113.7 50000 typ host generation 0"),
        line("1 1 udp 2130706431 203.0.113.7 50000 typ host"), // the same again, of the other stream
        line("2 1 udp 1694498815 2001:db8::7 50001 typ srflx raddr 10.0.0.1 rport 1"),
        line("3 1 udp 16777215 203.0.113.9 3478 typ relay raddr 0.0.0.0 rport 0"),
        line("4 2 udp 2130706430 203.0.113.7 50002 typ host"), // RTCP's own
        line("5 1 tcp 1518280447 203.0.113.7 443 typ host tcptype passive"),
        line("6 1 udp 2130706431 0b1c.local 50000 typ host"),
        line("7 1 udp 1 127.0.0.1 22 typ host"),
        line("8 1 udp 1 224.0.0.1 5000 typ host"),
        line("9 1 udp 1 169.254.169.254 80 typ host"),
        line("10 1 udp 1 ::ffff:127.0.0.1 80 typ host"),
        line("11 1 udp 1 203.0.113.7 0 typ host"),
        line("12 1 udp"),
    ]
    .concat();
    let read = Candidates::of(&text, false);
    let addresses: Vec<String> = read.offered.iter().map(|offered| offered.address.to_string()).collect();
    assert_eq!(addresses, ["203.0.113.7:50000", "[2001:db8::7]:50001", "203.0.113.9:3478"]);
    assert_eq!((read.tcp, read.passed_over), (1, 7));
    assert_eq!(
        read.offered.iter().map(|offered| offered.kind).collect::<Vec<_>>(),
        [Kind::Host, Kind::Srflx, Kind::Relay]
    );
    assert_eq!(Candidates::of(&text, true).offered.len(), 5, "the server is this machine itself");
    let many: String = (1..200).map(|n| line(&format!("1 1 udp 1 203.0.113.7 {n} typ host"))).collect();
    let many = Candidates::of(&many, false);
    assert_eq!((many.offered.len(), many.passed_over), (MAX_CANDIDATES, 92));
    assert_eq!(candidate::without(&format!("v=0\n{text}s=-\r\n")), "v=0\r\ns=-\r\n");
}

#[test]
fn any_bytes_are_taken_without_harm() {
    use proptest::prelude::*;
    let now = Instant::now();
    let (_, offer) = Publisher::new(now, &[Local::Own(at(OURS))]).unwrap();
    let (_, answer) = server(now, at(THEIRS), &offer, |config| config);
    proptest!(ProptestConfig::with_cases(200), |(cut in 0..answer.len(), byte in any::<u8>(), datagram in proptest::collection::vec(any::<u8>(), 0..100))| {
        let mut bytes = answer.clone().into_bytes();
        bytes[cut] = byte;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (mut publisher, _) = Publisher::new(now, &[Local::Own(at(OURS))]).unwrap();
        let _ = publisher.accept(&text, &Candidates::of(&text, false));
        let _ = publisher.receive(now, at(THEIRS), at(OURS), &datagram);
        let half: String = text.chars().take(text.len() / 2).collect();
        let _ = publisher.accept(&half, &Candidates::default());
    });
}
