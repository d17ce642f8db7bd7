use proptest::prelude::*;

use super::*;

const GO_ON: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
const MOVED: &[u8] =
    b"HTTP/1.1 301 Moved Permanently\r\nServer: nginx\r\nLOCATION:  https://b.example/up\r\n\r\n<html>";

fn read(bytes: &[u8]) -> Result<Option<Response>, BadResponse> {
    let mut responses = Responses::default();
    responses.receive(bytes);
    responses.take()
}

#[test]
fn a_request_is_as_servers_want_it() {
    let text = String::from_utf8(request(Verb::Put, "a.example:8443", "/up/x")).unwrap();
    assert!(text.starts_with("PUT /up/x HTTP/1.1\r\nHost: a.example:8443\r\n"), "{text}");
    assert!(text.ends_with("\r\n\r\n") && text.contains("Transfer-Encoding: chunked\r\n"), "{text}");
    assert!(text.lines().all(|line| !line.starts_with(' ')), "{text}");
    assert!(request(Verb::Post, "a", "/").starts_with(b"POST / "));
    assert_eq!(chunk(&[b'x'; 26]), [b"1a\r\n".as_slice(), &[b'x'; 26], b"\r\n"].concat());
    assert_eq!(chunk(b""), b"", "which would end the body");
}

#[test]
fn the_date_is_read_and_a_cache_told() {
    let head = b"HTTP/1.1 200 OK\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";
    let response = read(head).unwrap().unwrap();
    assert_eq!((response.date().unwrap().as_second(), response.is_cached()), (784_111_777, false));
    let head = b"HTTP/1.1 200 OK\r\nAge: 7\r\nDate: yesterday\r\n\r\n";
    let response = read(head).unwrap().unwrap();
    assert_eq!((response.date(), response.is_cached()), (None, true));
    let asked = String::from_utf8(super::head("a.example", "/")).unwrap();
    assert!(asked.starts_with("HEAD / HTTP/1.1\r\nHost: a.example\r\n") && asked.ends_with("\r\n\r\n"));
}

#[test]
fn heads_are_read_one_after_the_other() {
    let mut responses = Responses::default();
    for byte in [GO_ON, MOVED].concat() {
        responses.receive(&[byte]);
        match responses.take().unwrap() {
            None => {}
            Some(response) if response.is_interim() => assert_eq!(response.reason.as_str(), "Continue"),
            Some(response) => {
                assert_eq!((response.status, response.reason.as_str()), (301, "Moved Permanently"));
                assert_eq!(response.location.unwrap().as_str(), "https://b.example/up");
                return;
            }
        }
    }
    panic!("no response");
}

#[test]
fn a_head_that_is_cut_off_is_no_head() {
    let length = MOVED.len() - "<html>".len();
    for cut in 0..length {
        assert_eq!(read(&MOVED[..cut]), Ok(None), "{cut}");
    }
    assert!(read(&MOVED[..length]).unwrap().is_some());
}

#[test]
fn what_is_no_http_is_told() {
    for bytes in [
        &b"SSH-2.0-x\r\n"[..],
        b"\x15\x03\x01",
        b"HTTP/2",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 99\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
    ] {
        assert!(matches!(read(bytes), Err(BadResponse::NotHttp(_))), "{bytes:?}");
    }
    let endless = [b"HTTP/1.1 200 OK\r\nx: ".as_slice(), &vec![b'y'; MAX_HEAD]].concat();
    assert_eq!(read(&endless), Err(BadResponse::TooLong));
}

#[test]
fn each_status_has_words_and_a_remedy() {
    for status in 100..1000 {
        assert!(!meaning(status).is_empty() && !remedy(status).is_empty(), "{status}");
    }
    assert!(meaning(413).contains("so large") && remedy(413).contains("client_max_body_size"));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes);
        let _ = read(&[b"HTTP/1.1 ".as_slice(), &bytes, b"\r\n\r\n"].concat());
    }
}
