//! Stream keys in addresses: a policy is shown, sent and kept in every report, so it must hold none.

use std::borrow::Cow;

use serde_json::Value;
use url::Url;

use crate::probe::Question;

/// Names of a query's parts that hold a secret, whatever it looks like.
const SECRET: &[&str] = &[
    "passphrase",
    "password",
    "passwd",
    "pwd",
    "secret",
    "streamid",
    "key",
    "streamkey",
    "stream_key",
    "credential",
];
/// Names that often do: `cid` is where one platform has its stream key.
const OFTEN: &[&str] =
    &["cid", "token", "auth", "auth_token", "access_token", "sig", "signature", "hash", "pass"];
/// Probes that send media by HTTP: who knows the address may do so, too.
const PUSHED: &[&str] = &["hls_push", "whip", "upload", "rehearsal"];

/// A stream key in a target's address would end in every report: the key of the target, and why.
pub(super) fn in_target(question: &Question) -> Option<(String, String)> {
    let question = serde_json::to_value(question).ok()?;
    let (probe, asked) = question.as_object()?.iter().next()?;
    let target = asked["target"].as_object()?;
    let (field, _) = target.iter().find(|(_, value)| any_url(value, &|url| in_url(url, probe)))?;
    let what = if probe == "hls_push" {
        "holds what looks like a stream key: write `{key}` in its place, and name a test key"
    } else {
        "holds what looks like a stream key: leave it out, and name a test key where it is needed"
    };
    Some((field.clone(), what.to_owned()))
}

fn any_url(value: &Value, is: &impl Fn(&Url) -> bool) -> bool {
    match value {
        Value::String(text) => Url::parse(text).is_ok_and(|url| is(&url)),
        Value::Array(items) => items.iter().any(|item| any_url(item, is)),
        Value::Object(fields) => fields.values().any(|field| any_url(field, is)),
        _ => false,
    }
}

/// True when an address of this probe's target holds what looks like a stream key.
fn in_url(url: &Url, probe: &str) -> bool {
    let web = matches!(url.scheme(), "http" | "https");
    if web && !PUSHED.contains(&probe) {
        // a page for everybody: its address holds words that only look alike
        return parts(url).any(|(name, value)| SECRET.contains(&name.as_str()) && value.looks(8));
    }
    in_path(url) || in_query(url, !web || probe == "hls_push")
}

/// The same of an address that a stream goes to.
pub(super) fn in_destination(url: &Url) -> bool {
    in_path(url) || in_query(url, true)
}

/// An RTMP address that goes on after its application with what looks like a stream key.
fn in_path(url: &Url) -> bool {
    let looks = |segment: &str| Text(segment.into()).looks(12);
    url.scheme().starts_with("rtmp") && url.path_segments().is_some_and(|path| path.skip(1).any(looks))
}

/// A part of its query does; `any`: under whatever name.
fn in_query(url: &Url, any: bool) -> bool {
    parts(url).any(|(name, value)| {
        (SECRET.contains(&name.as_str()) && !value.0.is_empty())
            || (OFTEN.contains(&name.as_str()) && value.looks(8))
            || (any && value.looks(12))
    })
}

/// What an address says, without the places for what is filled in.
struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    /// Stream keys of the platforms are long and hold digits.
    fn looks(&self, least: usize) -> bool {
        self.0.len() >= least && self.0.bytes().any(|c| c.is_ascii_digit())
    }
}

fn parts(url: &Url) -> impl Iterator<Item = (String, Text<'_>)> {
    let plain = |value: Cow<'_, str>| value.replace("{key}", "").replace("{file}", "");
    url.query_pairs().map(move |(name, value)| (name.to_ascii_lowercase(), Text(plain(value).into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyed(probe: &str, url: &str) -> bool {
        in_url(&Url::parse(url).unwrap(), probe)
    }

    #[test]
    fn a_key_in_an_address_is_found() {
        let hls = "https://a.upload.youtube.com/http_upload_hls?copy=0&file={file}";
        for (probe, url) in [
            ("hls_push", format!("{hls}&cid=abcd-1234-sup3-r5ec-ret9").as_str()),
            ("hls_push", &format!("{hls}&whatever=abcd-1234-sup3-r5ec-ret9")),
            ("hls_push", &format!("{hls}&cid=abcd-1234{{key}}")),
            ("hls_push", &format!("{hls}&Key=hunter")),
            ("rtmp", "rtmp://127.0.0.1:9/live?key=CANARYkey-7f3a9c"),
            ("rtmp", "rtmp://127.0.0.1:9/live?s=CANARYkey-7f3a9c"),
            ("rtmp", "rtmp://127.0.0.1:9/live/CANARYkey-7f3a9c"),
            ("rehearsal", "rtmp://live.example.com/live?key=secret"),
            ("srt", "srt://127.0.0.1:9000?streamid=publish"),
            ("whip", "https://whip.example.com/live?token=eyJhbGciOi1"),
            ("upload", "https://up.example.com/sink?access_token=eyJhbGciOi1"),
            ("web", "https://www.example.com/live?key=a1b2c3d4e5"),
        ] {
            assert!(keyed(probe, url), "{probe} {url}");
        }
    }

    #[test]
    fn other_addresses_are_let_alone() {
        for (probe, url) in [
            ("hls_push", "https://a.upload.youtube.com/http_upload_hls?cid={key}&copy=0&file={file}"),
            ("hls_push", "https://up.example.com/in/v2/0123456789abcdef/{file}?key={key}"),
            ("rtmp", "rtmps://b.rtmps.youtube.com:443/live2?backup=1"),
            ("rtmp", "rtmp://live.example.com/live2"),
            ("whip", "https://whip.example.com/0123456789abcdef/publish?stream=event-2026-12-04"),
            ("web", "https://www.youtube.com/watch?v=dQw4w9WgXcQ123"),
            ("web", "https://shop.example.com/live?key=launch&token=0123456789abcdef"),
            ("web", "https://cdn.example.com/live.m3u8?hash=0123456789abcdef"),
            ("turn", "turn:turn.example.com:3478?transport=udp"),
        ] {
            assert!(!keyed(probe, url), "{probe} {url}");
        }
    }
}
