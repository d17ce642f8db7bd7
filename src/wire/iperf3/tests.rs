use proptest::prelude::*;

use super::output::{Interval, of_json, of_text};
use super::*;

const THEIRS: &str = r#"{"cpu_util_total":1.5,"cpu_util_user":0.1,"cpu_util_system":1.4,"sender_has_retransmits":0,
"streams":[{"id":1,"bytes":1250000,"retransmits":-1,"jitter":0.0001,"errors":3,"packets":1040,"start_time":0,"end_time":2.0},
{"id":3,"bytes":2500000,"retransmits":-1,"jitter":0,"errors":0,"packets":0}]}"#;

fn framed(body: &str) -> Vec<u8> {
    [&u32::try_from(body.len()).unwrap().to_be_bytes()[..], body.as_bytes()].concat()
}

fn begin() -> Client {
    Client::begin(Parameters::tcp(10, 2, 20_000), &cookie([7; 16])).0
}

/// Everything that a server says in a test that goes well, in pieces that end where the client
/// has to answer.
fn good() -> Vec<Vec<u8>> {
    let end = [framed(THEIRS), vec![14]].concat();
    vec![vec![9], vec![10], vec![1, 2], vec![13], end]
}

fn steps(client: &mut Client, bytes: &[u8]) -> Result<Vec<Step>, BadAnswer> {
    client.receive(bytes);
    let mut steps = Vec::new();
    while let Some(step) = client.step()? {
        steps.push(step);
    }
    Ok(steps)
}

/// Plays a good test with each piece cut in two at `cut`.
fn play(cut: impl Fn(&[u8]) -> usize) -> Vec<Step> {
    let mut client = begin();
    let mut all = Vec::new();
    for piece in good() {
        let (head, tail) = piece.split_at(cut(&piece));
        all.extend(steps(&mut client, head).unwrap());
        all.extend(steps(&mut client, tail).unwrap());
        if client.phase() == Phase::Running {
            all.push(Step::Send(client.finish(vec![5, 6], 10.0).unwrap()));
        }
    }
    assert_eq!(client.phase(), Phase::Over);
    all
}

#[test]
fn a_test_goes_well() {
    let steps = play(|_| 0);
    let [
        Step::Send(parameters),
        Step::OpenStreams,
        Step::Run,
        Step::Send(end),
        Step::Send(ours),
        Step::Done(theirs),
    ] = steps.as_slice()
    else {
        panic!("{steps:?}")
    };
    let sent: serde_json::Value = serde_json::from_slice(&parameters[4..]).unwrap();
    assert_eq!(parameters[..4], u32::try_from(parameters.len() - 4).unwrap().to_be_bytes());
    assert_eq!((sent["tcp"].clone(), sent["time"].clone()), (true.into(), 10.into()));
    assert_eq!((sent["parallel"].clone(), sent["bandwidth"].clone()), (2.into(), 10_000_000.into()));
    assert_eq!(end, &[4]);
    let ours: serde_json::Value = serde_json::from_slice(&ours[4..]).unwrap();
    let ids: Vec<_> = ours["streams"].as_array().unwrap().iter().map(|stream| stream["id"].clone()).collect();
    assert_eq!(ids, [1, 3], "as iperf3 numbers them");
    assert_eq!(theirs.bytes(), 3_750_000);
    assert_eq!((theirs.streams[0].packets, theirs.streams[0].errors), (1040, 3));
}

#[test]
fn pieces_may_be_cut_anywhere() {
    let whole = play(|_| 0);
    for at in 0..THEIRS.len() + 5 {
        assert_eq!(play(|piece| at.min(piece.len())), whole, "cut at {at}");
    }
}

#[test]
fn a_connection_that_ends_anywhere_is_told_and_never_a_result() {
    let said = good();
    for (n, piece) in said.iter().enumerate() {
        for length in 0..piece.len() {
            let mut client = begin();
            for earlier in &said[..n] {
                steps(&mut client, earlier).unwrap();
                let _ = client.finish(vec![1], 1.0);
            }
            steps(&mut client, &piece[..length]).unwrap();
            let closed = client.closed();
            if n == 4 && length == piece.len() - 1 {
                // Only the good-bye is missing: the results are here.
                assert!(matches!(closed, Ok(Some(Step::Done(_)))), "{closed:?}");
            } else {
                assert!(matches!(closed, Err(BadAnswer::Closed(_))), "{n} {length}: {closed:?}");
            }
            assert_eq!(client.phase(), Phase::Over);
        }
    }
}

#[test]
fn refusals_have_their_names_at_any_moment() {
    for n in 0..good().len() {
        for (said, why, words) in [
            (vec![0xff], Refusal::Busy, "busy with another test"),
            (vec![11], Refusal::Terminated, "ended the test"),
            (vec![0xfe, 0, 0, 0, 27, 0, 0, 0, 0], Refusal::Error { code: 27, errno: 0 }, "IETOTALRATE"),
            (vec![0xfe, 0, 0, 0, 102, 0, 0, 0, 98], Refusal::Error { code: 102, errno: 98 }, "errno 98"),
            (vec![0xfe, 0, 0, 3, 231, 0, 0, 0, 0], Refusal::Error { code: 999, errno: 0 }, "error 999"),
        ] {
            let mut client = begin();
            for earlier in &good()[..n] {
                steps(&mut client, earlier).unwrap();
                let _ = client.finish(vec![1], 1.0);
            }
            // A length and a refusal cannot be told apart before four bytes came.
            let said = if n == 4 && said.len() < 4 { [said, vec![0; 3]].concat() } else { said };
            if n == 4 && said[0] == 11 {
                continue; // there, 11 is the first byte of a length beyond the bound
            }
            assert_eq!(steps(&mut client, &said).unwrap(), [Step::Refused(why)], "{n}");
            assert!(why.to_string().contains(words), "{why}");
            assert!(!why.remedy().is_empty());
            assert_eq!(client.phase(), Phase::Over);
        }
    }
}

#[test]
fn an_error_without_errno_ends_with_the_connection() {
    let mut client = begin();
    steps(&mut client, &[9]).unwrap();
    assert_eq!(steps(&mut client, &[0xfe, 0, 0, 0, 142]).unwrap(), []);
    let refused = Step::Refused(Refusal::Error { code: 142, errno: 0 });
    assert_eq!(client.closed(), Ok(Some(refused)));
    for length in 0..4 {
        let mut client = begin();
        assert_eq!(steps(&mut client, &[0xfe, 0, 0, 0][..=length]).unwrap(), []);
        assert!(matches!(client.closed(), Err(BadAnswer::Closed(_))), "{length}");
    }
}

#[test]
fn another_protocol_is_no_iperf3() {
    for said in [&b"HTTP/1.1 400"[..], b"SSH-2.0-", b"\x16\x03\x01", b"220 mail", &[3], &[14], &[2]] {
        assert!(matches!(steps(&mut begin(), said), Err(BadAnswer::State { .. })), "{said:?}");
    }
}

#[test]
fn results_are_bounded_and_checked() {
    let mut client = begin();
    for said in &good()[..3] {
        steps(&mut client, said).unwrap();
    }
    client.finish(vec![1], 1.0).unwrap();
    steps(&mut client, &[13]).unwrap();
    assert_eq!(steps(&mut client, &[0x7f, 0xff, 0xff, 0xff]), Err(BadAnswer::TooLong(0x7fff_ffff)));
    for body in ["", "[]", "{}", "{\"streams\":7}", "{\"streams\":[{\"bytes\":-1}]}", "\u{1b}[31m"] {
        let mut client = begin();
        for said in &good()[..3] {
            steps(&mut client, said).unwrap();
        }
        client.finish(vec![1], 1.0).unwrap();
        steps(&mut client, &[13]).unwrap();
        assert!(matches!(steps(&mut client, &framed(body)), Err(BadAnswer::Results(_))), "{body}");
    }
}

#[test]
fn cookies_are_as_servers_want_them() {
    let (a, b) = (cookie([0; 16]), cookie([255; 16]));
    assert_ne!(a, b);
    for cookie in [a, b] {
        assert_eq!(cookie[COOKIE - 1], 0);
        assert!(cookie[..COOKIE - 1].iter().all(u8::is_ascii_alphanumeric));
    }
}

#[test]
fn datagrams_have_their_headers() {
    let header = datagram::header(3_000_007, 0x1_0000_0002);
    assert_eq!(header, [0, 0, 0, 3, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2]);
    assert_eq!(datagram::short_header(3_000_007, 5), [0, 0, 0, 3, 0, 0, 0, 7, 0, 0, 0, 5]);
    for length in 0..8 {
        assert_eq!(datagram::accepts(&[0; 8][..length]), length == 4);
    }
}

const PRINTED: &str = "-----------------------------------------------------------
Server listening on 5201 (test #1)
Accepted connection from 127.0.0.1, port 45236
[  5] local 127.0.0.1 port 5201 connected to 127.0.0.1 port 55555
[ ID] Interval           Transfer     Bitrate         Jitter    Lost/Total Datagrams
[  5]   0.00-1.00   sec   611 KBytes  5.00 Mbits/sec  0.012 ms  2/521 (0.38%)  
[  5]   1.00-2.00   sec  1.50 MBytes  12.6 Mbits/sec  0.010 ms  0/1310 (0%)  
[SUM]   1.00-2.00   sec  1.50 MBytes  12.6 Mbits/sec  0.010 ms  0/1310 (0%)  
- - - - - - - - - - - - - - - - - - - - - - - - -
";

#[test]
fn what_a_server_printed_is_read() {
    let intervals = of_text(PRINTED);
    assert_eq!(
        intervals,
        [
            Interval { start_s: 0.0, end_s: 1.0, bytes: 611 * 1024, datagrams: Some((2, 521)) },
            Interval { start_s: 1.0, end_s: 2.0, bytes: 1_572_864, datagrams: Some((0, 1310)) },
        ]
    );
    let tcp = of_text("[  5]   0.00-1.00   sec  1.12 GBytes  9.44 Gbits/sec                  ");
    assert_eq!((tcp.len(), tcp[0].datagrams), (1, None));
    for length in 0..PRINTED.len() {
        assert!(of_text(&PRINTED[..length]).len() <= 2);
    }
    let json = serde_json::json!({ "intervals": [
        { "sum": { "start": 0.0, "end": 1.0, "bytes": 600, "lost_packets": 1, "packets": 6 } },
        { "sum": { "start": 1.0 } }, 7,
    ] });
    let read = Interval { start_s: 0.0, end_s: 1.0, bytes: 600, datagrams: Some((1, 6)) };
    assert_eq!(of_json(&json), [read]);
    assert_eq!(of_json(&serde_json::json!([])), []);
}

proptest! {
    #[test]
    fn any_bytes_end_in_steps_or_an_error(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8)) {
        let mut client = begin();
        for piece in pieces {
            if steps(&mut client, &piece).is_err() {
                return Ok(());
            }
            let _ = client.finish(vec![1], 1.0);
        }
        let _ = client.closed();
        prop_assert_eq!(client.phase(), Phase::Over);
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,200}", line in "\\[ *[0-9]{1,3}\\] +[0-9.\\-]{1,12} +sec +[0-9.e]{1,9} [KMG]?Bytes .{0,40}") {
        of_text(&text);
        of_text(&line);
    }
}
