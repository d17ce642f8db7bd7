//! HLS playlists (RFC 8216): the master with its variants, the media playlist with its segments.

use std::fmt::Write as _;

use super::{Media, Piece, Span, Unplayable, Variant};

/// Variants and segments that are looked at: a playlist of days names more.
const MAX_LINES: usize = 200_000;
/// Variants that are kept.
const MAX_VARIANTS: usize = 64;

/// A playlist.
#[derive(Debug, Clone, PartialEq)]
pub enum Playlist {
    /// One that leads to others: at least one.
    Master(Vec<Variant>),
    /// One that leads to segments.
    Media(Media),
}

/// A segment while the list is read.
struct Segment<'a> {
    uri: &'a str,
    seconds: f64,
    span: Option<Span>,
    init: Option<Piece>,
    encrypted: bool,
}

/// What holds for segments to come.
#[derive(Default)]
struct State {
    seconds: f64,
    length: Option<(u64, Option<u64>)>,
    init: Option<Piece>,
    encrypted: bool,
}

/// Reads a playlist.
///
/// # Errors
/// Why a player could do nothing with it.
pub fn read(body: &[u8]) -> Result<Playlist, Unplayable> {
    let text = std::str::from_utf8(body).map_err(|_| Unplayable::NotHls)?;
    let text = text.trim_start_matches('\u{feff}');
    let mut lines = text.lines().map(str::trim_end).take(MAX_LINES);
    if lines.next() != Some("#EXTM3U") {
        return Err(Unplayable::NotHls);
    }
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let variants = variants(&lines);
    if variants.is_empty() { media(&lines).map(Playlist::Media) } else { Ok(Playlist::Master(variants)) }
}

/// A media playlist of segments that play `ms` each (RFC 8216, 4.3); `ended` says that no more will come.
pub fn playlist(segments: &[String], ms: u64, ended: bool) -> String {
    let target = ms.div_ceil(1000);
    let mut text =
        format!("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{target}\n#EXT-X-MEDIA-SEQUENCE:0\n");
    for name in segments {
        let _ = write!(text, "#EXTINF:{}.{:03},\n{name}\n", ms / 1000, ms % 1000);
    }
    if ended {
        text.push_str("#EXT-X-ENDLIST\n");
    }
    text
}

fn variants(lines: &[&str]) -> Vec<Variant> {
    let pairs = lines.iter().enumerate().filter_map(|(at, line)| {
        let attributes = line.strip_prefix("#EXT-X-STREAM-INF:")?;
        let uri = lines.get(at + 1..)?.iter().find(|line| !line.starts_with('#'))?;
        let bits: u64 = attribute(attributes, "BANDWIDTH")?.parse().ok()?;
        let size = attribute(attributes, "RESOLUTION").and_then(|size| {
            let (width, height) = size.split_once('x')?;
            Some((width.parse().ok()?, height.parse().ok()?))
        });
        Some(Variant { uri: (*uri).to_owned(), kbps: bits.div_ceil(1000), size })
    });
    pairs.take(MAX_VARIANTS).collect()
}

fn media(lines: &[&str]) -> Result<Media, Unplayable> {
    let number = |tag: &str| lines.iter().find_map(|line| line.strip_prefix(tag)?.trim().parse::<u64>().ok());
    #[expect(clippy::cast_precision_loss, reason = "seconds of a segment")]
    let target = number("#EXT-X-TARGETDURATION:").ok_or(Unplayable::NoTarget)?.min(86_400) as f64;
    let sequence = number("#EXT-X-MEDIA-SEQUENCE:").unwrap_or(0);
    let live = !lines.contains(&"#EXT-X-ENDLIST");
    let segments = segments(lines);
    let newest = segments.last().ok_or(Unplayable::NoSegment)?;
    let first = segments.get(if live { live_start(&segments, target) } else { 0 }).unwrap_or(newest);
    Ok(Media {
        live,
        every_s: target,
        seconds: segments.iter().map(|segment| segment.seconds).sum(),
        newest: format!("{} {}", sequence.saturating_add(segments.len() as u64), newest.uri),
        init: first.init.clone(),
        first: Piece { uri: first.uri.to_owned(), span: first.span },
        first_s: first.seconds,
        encrypted: first.encrypted,
    })
}

/// Where a player starts: three target durations before the end (RFC 8216, 6.3.3), or at the beginning.
fn live_start(segments: &[Segment], target: f64) -> usize {
    let mut left = 0.0;
    let start = segments.iter().rposition(|segment| {
        left += segment.seconds;
        left >= 3.0 * target
    });
    start.unwrap_or(0)
}

fn segments<'a>(lines: &[&'a str]) -> Vec<Segment<'a>> {
    let mut state = State::default();
    let mut segments: Vec<Segment<'a>> = Vec::new();
    for line in lines {
        if !line.starts_with('#') {
            let before = segments.last().filter(|before| before.uri == *line).and_then(|before| before.span);
            let span = state.length.take().map(|(length, start)| {
                // Without a start it follows the part before it (RFC 8216, 4.3.2.2).
                let follows = before.map_or(0, |(start, length)| start.saturating_add(length));
                (start.unwrap_or(follows), length)
            });
            let (seconds, init, encrypted) = (state.seconds, state.init.clone(), state.encrypted);
            segments.push(Segment { uri: line, seconds, span, init, encrypted });
        } else if let Some((tag, value)) = line.split_once(':') {
            state.tag(tag, value);
        }
    }
    segments
}

impl State {
    fn tag(&mut self, tag: &str, value: &str) {
        match tag {
            "#EXTINF" => {
                let seconds = value.split(',').next().unwrap_or_default().trim().parse().unwrap_or(0.0);
                self.seconds = if (0.0..86_400.0).contains(&seconds) { seconds } else { 0.0 };
            }
            "#EXT-X-BYTERANGE" => self.length = range(value),
            "#EXT-X-MAP" => {
                self.init = attribute(value, "URI").map(|uri| Piece {
                    uri: uri.to_owned(),
                    span: attribute(value, "BYTERANGE")
                        .and_then(range)
                        .map(|(length, start)| (start.unwrap_or(0), length)),
                });
            }
            "#EXT-X-KEY" => self.encrypted = attribute(value, "METHOD") == Some("AES-128"),
            _ => {}
        }
    }
}

/// `length[@start]`.
fn range(text: &str) -> Option<(u64, Option<u64>)> {
    let (length, start) = match text.trim().split_once('@') {
        Some((length, start)) => (length, Some(start.parse().ok()?)),
        None => (text.trim(), None),
    };
    Some((length.parse().ok()?, start))
}

/// The value of an attribute in a list (RFC 8216, 4.2), its quotes taken off.
fn attribute<'a>(list: &'a str, wanted: &str) -> Option<&'a str> {
    let mut rest = list;
    while let Some((name, after)) = rest.split_once('=') {
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => {
                let (value, next) = quoted.split_once('"')?;
                (value, next.trim_start_matches(','))
            }
            None => after.split_once(',').unwrap_or((after, "")),
        };
        if name.trim() == wanted {
            return Some(value.trim());
        }
        rest = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn media_of(text: &str) -> Media {
        match read(text.as_bytes()).unwrap() {
            Playlist::Media(media) => media,
            Playlist::Master(_) => panic!("a master"),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let names = ["0.ts".to_owned(), "1.ts".to_owned()];
        for ended in [false, true] {
            let text = playlist(&names, 1920, ended);
            let Ok(Playlist::Media(media)) = read(text.as_bytes()) else { panic!("{text}") };
            assert_eq!((media.live, media.every_s, media.seconds), (!ended, 2.0, 3.84));
            assert_eq!((media.first.uri.as_str(), media.first_s), ("0.ts", 1.92));
        }
    }

    #[test]
    fn a_master_names_its_variants() {
        // RFC 8216, 8.4, with a quoted comma.
        let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1280000,AVERAGE-BANDWIDTH=1000000\nlow.m3u8\n\
                    #EXT-X-STREAM-INF:CODECS=\"avc1.4d401f,mp4a.40.2\",BANDWIDTH=7680001,RESOLUTION=1920x1080\n\nhi.m3u8\n";
        let Playlist::Master(variants) = read(text.as_bytes()).unwrap() else { panic!() };
        assert_eq!(
            variants,
            [
                Variant { uri: "low.m3u8".into(), kbps: 1280, size: None },
                Variant { uri: "hi.m3u8".into(), kbps: 7681, size: Some((1920, 1080)) },
            ]
        );
    }

    #[test]
    fn a_live_list_starts_three_targets_before_its_end_and_moves() {
        let list = |first: u64| {
            let head = format!(
                "#EXTM3U\r\n#EXT-X-TARGETDURATION:2\r\n#EXT-X-MEDIA-SEQUENCE:{first}\r\n#EXT-X-MAP:URI=\"i.mp4\",BYTERANGE=\"9@3\"\r\n"
            );
            let segments = (first..first + 6).map(|n| format!("#EXTINF:2.000,\r\ns{n}.m4s\r\n"));
            media_of(&(head + &segments.collect::<Vec<_>>().concat()))
        };
        let (now, later) = (list(7), list(8));
        assert!(now.live && now.newest != later.newest);
        assert_eq!(
            (now.first.uri.as_str(), now.first_s, now.every_s, now.seconds),
            ("s10.m4s", 2.0, 2.0, 12.0)
        );
        assert_eq!(now.init, Some(Piece { uri: "i.mp4".into(), span: Some((3, 9)) }));
    }

    #[test]
    fn a_recording_starts_at_its_beginning() {
        let media = media_of(
            "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXT-X-BYTERANGE:10@5\n\
             #EXTINF:4,\nall.ts\n#EXT-X-KEY:METHOD=NONE\n#EXT-X-BYTERANGE:20\n#EXTINF:4,\nall.ts\n#EXT-X-ENDLIST\n",
        );
        assert!(!media.live && media.encrypted);
        assert_eq!(media.first, Piece { uri: "all.ts".into(), span: Some((5, 10)) });
    }

    #[test]
    fn what_is_no_playlist_says_why() {
        for (text, why) in [
            ("<html>Blocked</html>", Unplayable::NotHls),
            ("#EXTM3U8\n", Unplayable::NotHls),
            ("#EXTM3U\n#EXTINF:2,\na.ts\n", Unplayable::NoTarget),
            ("#EXTM3U\n#EXT-X-TARGETDURATION:2\n", Unplayable::NoSegment),
        ] {
            assert_eq!(read(text.as_bytes()), Err(why), "{text}");
        }
    }

    proptest! {
        #[test]
        fn anything_is_read_without_harm(body in prop::collection::vec(any::<u8>(), 0..300), text in "[#EXTM3U:=,\"@0-9a-z\\n]{0,200}") {
            let _ = read(&body);
            let _ = read(format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n{text}").as_bytes());
        }
    }
}
