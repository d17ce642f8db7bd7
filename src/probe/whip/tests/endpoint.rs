//! Against an endpoint of the test's own.

use tokio_rustls::TlsAcceptor;

use super::*;
use crate::net::tls::Roots;
use crate::net::tls::tests::Authority;
use crate::wire::webrtc::tests::server;

/// An endpoint that answers each request with the next of these (head and body), and keeps what it was asked.
/// `ANSWER` stands for one that fits the offer and names an address where nobody answers.
async fn endpoint(
    answers: Vec<(&'static str, &'static str)>,
) -> (Env, u16, tokio::task::JoinHandle<Vec<String>>) {
    let authority = Authority::new("Test Root");
    let acceptor = TlsAcceptor::from(std::sync::Arc::new(authority.server("localhost", (-1, 30)).config()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let mute = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut asked = Vec::new();
        for (head, body) in answers {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = acceptor.accept(stream).await.unwrap();
            let mut request = vec![0; 64 * 1024];
            let mut length = 0;
            // A request is whole when its body is.
            while !is_whole(&request[..length]) {
                length += tokio::io::AsyncReadExt::read(&mut stream, &mut request[length..]).await.unwrap();
            }
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let body = match body {
                "ANSWER" => {
                    let (_, offer) = request.split_once("\r\n\r\n").unwrap();
                    server(std::time::Instant::now(), mute.local_addr().unwrap(), offer, |config| config).1
                }
                body => body.to_owned(),
            };
            asked.push(request);
            let answer = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes()).await;
            let _ = tokio::io::AsyncWriteExt::shutdown(&mut stream).await;
        }
        asked
    });
    let mut env = env();
    env.roots = Roots::given(vec![authority.root.clone()], vec![authority.root]);
    (env, port, task)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length =
        head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).map_or(0, |n| n.parse().unwrap());
    body.len() >= length
}

#[tokio::test]
async fn a_session_is_ended_even_when_its_answer_is_of_no_use() {
    let answers = vec![
        ("201 Created\r\nContent-Type: application/sdp\r\nLocation: /session/1", "v=0\r\nnonsense"),
        ("200 OK", ""),
    ];
    let (env, port, task) = endpoint(answers).await;
    let target = target(&format!("https://localhost:{port}/whip"), Publish::Test);
    let reading = Whip::measure(&target, &env).await.unwrap();
    expect(&Limits::default(), &reading, &[("whip.not_whip", Effect::Fail)]);
    assert_eq!(reading.call.as_ref().unwrap().deleted, Deleted::Done);
    let asked = task.await.unwrap();
    assert!(asked[0].starts_with("POST /whip ") && asked[0].contains("m=video"), "{}", asked[0]);
    assert!(asked[1].starts_with("DELETE /session/1 ") && asked[1].contains(KEY), "{}", asked[1]);
    assert!(!format!("{reading:?}{}", serde_json::to_string(&reading).unwrap()).contains(KEY));
}

#[tokio::test]
async fn the_key_goes_to_no_host_that_the_policy_does_not_name() {
    // A session elsewhere, an answer without any candidate.
    let answers =
        vec![("201 Created\r\nContent-Type: application/sdp\r\nLocation: https://127.0.0.1:1/s", "v=0\r\n")];
    let (env, port, task) = endpoint(answers).await;
    let target = target(&format!("https://localhost:{port}/whip"), Publish::Test);
    let reading = Whip::measure(&target, &env).await.unwrap();
    assert_eq!(reading.call.as_ref().unwrap().deleted, Deleted::Elsewhere);
    assert_eq!(task.await.unwrap().len(), 1, "asked once only");
}

#[tokio::test]
async fn a_stopped_run_waits_for_the_answer_and_ends_the_session() {
    let answers = vec![
        ("201 Created\r\nContent-Type: application/sdp\r\nLocation: /session/1", "ANSWER"),
        ("200 OK", ""),
    ];
    let (env, port, task) = endpoint(answers).await;
    let cancel = env.cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        cancel.cancel();
    });
    let target = target(&format!("https://localhost:{port}/whip"), Publish::Test);
    assert_eq!(Whip::measure(&target, &env).await.unwrap_err().cause, Cause::Cancelled);
    assert!(task.await.unwrap()[1].starts_with("DELETE /session/1 "));
}
