//! DASH manifests (ISO/IEC 23009-1): the video with the highest bit rate, its first segment for a player.

mod document;
mod template;

use jiff::{SpanRelativeTo, Timestamp, Unit};

use super::{Media, Piece, Span, Unplayable, Variant};
use document::{AdaptationSet, List, Mpd, Period, Representation, Template, Text};

/// Qualities that are kept.
const MAX_VARIANTS: usize = 64;
/// Bytes of a file that holds everything which are fetched.
const BEGINNING: Span = (0, 1024 * 1024);

/// A manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Every quality of the video.
    pub variants: Vec<Variant>,
    /// The best of them, in kb/s; 0 when the manifest does not say.
    pub kbps: u64,
    /// That one.
    pub media: Media,
    /// Base URIs that its segments are relative to, outermost first, each to be joined to the one before.
    pub bases: Vec<String>,
}

/// What holds for all segments of a presentation.
#[derive(Debug, Clone, Copy)]
struct Times {
    live: bool,
    /// How much of the period could have been made by now, s.
    elapsed_s: f64,
    /// How far behind that a player stays, s.
    delay_s: Option<f64>,
    /// How often the manifest must be asked for again, s.
    update_s: Option<f64>,
}

/// Reads a manifest as of `now`.
///
/// # Errors
/// Why a player could do nothing with it.
pub fn read(body: &[u8], now: Timestamp) -> Result<Manifest, Unplayable> {
    let text = std::str::from_utf8(body).map_err(|_| Unplayable::NotDash)?;
    if !text.contains("<MPD") {
        return Err(Unplayable::NotDash);
    }
    let mpd: Mpd = quick_xml::de::from_str(text).map_err(|_| Unplayable::NotDash)?;
    let live = mpd.kind.as_deref() == Some("dynamic");
    let period = if live { mpd.periods.last() } else { mpd.periods.first() };
    let period = period.ok_or(Unplayable::NoSegment)?;
    let (set, representation) = best(period).ok_or(Unplayable::NoSegment)?;
    let upper = Template::below(period.template.as_ref(), set.template.as_ref());
    let template = Template::below(upper.as_ref(), representation.template.as_ref());
    let times = times(&mpd, period, now);
    let media = match (template, &representation.list) {
        (Some(template), _) => template::media(&template, representation, times),
        (None, Some(list)) => of_list(list, times),
        (None, None) => of_file(times),
    };
    let bases = [&mpd.base, &period.base, &set.base, &representation.base];
    Ok(Manifest {
        variants: variants(set),
        kbps: representation.bandwidth.div_ceil(1000),
        media: media.ok_or(Unplayable::NoSegment)?,
        bases: bases.into_iter().filter_map(|base| base.first()).map(|Text { text }| text.clone()).collect(),
    })
}

fn times(mpd: &Mpd, period: &Period, now: Timestamp) -> Times {
    let live = mpd.kind.as_deref() == Some("dynamic");
    let length = seconds(period.duration.as_ref()).or_else(|| seconds(mpd.duration.as_ref()));
    let since = mpd.available_from.as_ref().and_then(|from| from.parse::<Timestamp>().ok());
    let run = since.map_or(0.0, |since| (now.duration_since(since)).as_secs_f64());
    let elapsed = run - seconds(period.start.as_ref()).unwrap_or(0.0);
    Times {
        live,
        elapsed_s: if live { elapsed.min(length.unwrap_or(f64::MAX)) } else { length.unwrap_or(0.0) },
        delay_s: seconds(mpd.delay.as_ref()),
        update_s: seconds(mpd.update.as_ref()),
    }
}

/// An ISO 8601 duration; none that a presentation could not have.
fn seconds(text: Option<&String>) -> Option<f64> {
    let span: jiff::Span = text?.parse().ok()?;
    let seconds = span.total((Unit::Second, SpanRelativeTo::days_are_24_hours())).ok()?;
    (0.0..1e9).contains(&seconds).then_some(seconds)
}

fn best(period: &Period) -> Option<(&AdaptationSet, &Representation)> {
    let is_video = |set: &&AdaptationSet| {
        let first = set.representations.first().and_then(|one| one.mime.as_ref());
        let named = [set.content.as_ref(), set.mime.as_ref(), first];
        named.into_iter().flatten().any(|kind| kind.starts_with("video"))
    };
    let set = period.sets.iter().find(is_video).or_else(|| period.sets.first())?;
    Some((set, set.representations.iter().max_by_key(|one| one.bandwidth)?))
}

fn variants(set: &AdaptationSet) -> Vec<Variant> {
    let variant = |one: &Representation| Variant {
        uri: one.id.clone(),
        kbps: one.bandwidth.div_ceil(1000),
        size: one.width.zip(one.height),
    };
    set.representations.iter().take(MAX_VARIANTS).map(variant).collect()
}

fn of_list(list: &List, times: Times) -> Option<Media> {
    let pieces: Vec<Piece> = list
        .segments
        .iter()
        .map(|one| Piece {
            uri: one.media.clone().unwrap_or_default(),
            span: one.range.as_deref().and_then(range),
        })
        .collect();
    let first = if times.live { pieces.len().saturating_sub(3) } else { 0 };
    #[expect(clippy::cast_precision_loss, reason = "ticks of a segment")]
    let each_s = list.duration.unwrap_or(0) as f64 / list.timescale.unwrap_or(1).max(1) as f64;
    #[expect(clippy::cast_precision_loss, reason = "segments of a list")]
    let seconds = each_s * pieces.len() as f64;
    let newest = pieces.last()?;
    Some(Media {
        live: times.live,
        every_s: times.update_s.unwrap_or(each_s),
        seconds,
        newest: format!("{} {} {:?}", pieces.len(), newest.uri, newest.span),
        init: list.init.as_ref().map(|init| Piece {
            uri: init.url.clone().unwrap_or_default(),
            span: init.range.as_deref().and_then(range),
        }),
        first: pieces.get(first)?.clone(),
        first_s: each_s,
        encrypted: false,
    })
}

/// One file with everything in it: its beginning.
fn of_file(times: Times) -> Option<Media> {
    let first = Piece { uri: String::new(), span: Some(BEGINNING) };
    (!times.live).then(|| Media {
        live: false,
        every_s: 0.0,
        seconds: times.elapsed_s,
        newest: String::new(),
        init: None,
        first,
        first_s: 0.0,
        encrypted: false,
    })
}

/// `first-last`, both included.
fn range(text: &str) -> Option<Span> {
    let (first, last) = text.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    Some((first, last.checked_sub(first)?.checked_add(1)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEAD: &str = r#"<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011""#;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn manifest(attributes: &str, inside: &str) -> Manifest {
        let text = format!("{HEAD} {attributes}>{inside}</MPD>");
        read(text.as_bytes(), at("2026-11-28T12:01:00Z")).unwrap()
    }

    #[test]
    fn a_timeline_is_followed() {
        // as ffmpeg's muxer writes it
        let live = manifest(
            r#"type="dynamic" minimumUpdatePeriod="PT2S" availabilityStartTime="2026-11-28T12:00:00Z""#,
            r#"<Period id="0" start="PT0.0S"><AdaptationSet id="0" contentType="audio"><Representation id="9" bandwidth="1"/></AdaptationSet>
               <AdaptationSet contentType="video"><Representation id="0" mimeType="video/mp4" bandwidth="800000" width="640" height="360">
               <SegmentTemplate timescale="1000" initialization="init-$RepresentationID$.m4s" media="c-$RepresentationID$-$Number%05d$.m4s" startNumber="5">
               <SegmentTimeline><S t="8000" d="2000" r="4"/></SegmentTimeline></SegmentTemplate></Representation></AdaptationSet></Period>"#,
        );
        let media = &live.media;
        assert!(media.live && (media.every_s - 2.0).abs() < 1e-9 && (media.seconds - 10.0).abs() < 1e-9);
        assert_eq!(media.init.as_ref().unwrap().uri, "init-0.m4s");
        assert_eq!((media.first.uri.as_str(), media.newest.as_str()), ("c-0-00007.m4s", "c-0-00009.m4s"));
        assert_eq!((live.kbps, live.variants[0].size), (800, Some((640, 360))));
    }

    #[test]
    fn numbers_go_by_the_clock() {
        let live = manifest(
            r#"type="dynamic" availabilityStartTime="2026-11-28T12:00:00Z" suggestedPresentationDelay="PT6S""#,
            r#"<BaseURL>live/</BaseURL><Period><AdaptationSet mimeType="video/mp4">
               <SegmentTemplate timescale="90000" duration="180000" media="$Bandwidth$/$Number$.m4s" startNumber="1"/>
               <Representation id="a" bandwidth="5000"/><Representation id="b" bandwidth="7000000"/></AdaptationSet></Period>"#,
        );
        // 60 s have been made: thirty segments, the last of them number 30; a player stays 6 s behind
        assert_eq!(
            (live.media.newest.as_str(), live.media.first.uri.as_str()),
            ("7000000/30.m4s", "7000000/28.m4s")
        );
        assert_eq!((live.bases.as_slice(), live.kbps), (&["live/".to_owned()][..], 7000));
    }

    #[test]
    fn lists_and_files_are_read() {
        let list = manifest(
            r#"type="static" mediaPresentationDuration="PT1M0.5S""#,
            r#"<Period><AdaptationSet contentType="video"><Representation id="1" bandwidth="1000"><SegmentList duration="4">
               <Initialization range="0-9"/><SegmentURL media="a.mp4" mediaRange="10-19"/><SegmentURL media="b.mp4"/></SegmentList>
               </Representation></AdaptationSet></Period>"#,
        );
        assert_eq!(list.media.first, Piece { uri: "a.mp4".into(), span: Some((10, 10)) });
        assert_eq!(list.media.init.unwrap().span, Some((0, 10)));
        let file = manifest(
            "",
            r#"<Period><AdaptationSet><Representation id="1"><BaseURL>v.mp4</BaseURL><SegmentBase/></Representation></AdaptationSet></Period>"#,
        );
        assert_eq!(
            (file.bases.as_slice(), file.media.first.span),
            (&["v.mp4".to_owned()][..], Some(BEGINNING))
        );
    }

    #[test]
    fn what_is_no_manifest_says_why() {
        let now = at("2026-11-28T12:01:00Z");
        assert_eq!(read(b"<html>Blocked</html>", now), Err(Unplayable::NotDash));
        assert_eq!(read(b"<MPD><Period>", now), Err(Unplayable::NotDash));
        assert_eq!(read(format!("{HEAD}></MPD>").as_bytes(), now), Err(Unplayable::NoSegment));
    }

    proptest! {
        #[test]
        fn hostile_numbers_are_read_without_harm(
            t in any::<u64>(), d in any::<u64>(), r in any::<i64>(), scale in any::<u64>(), start in any::<u64>(), live in any::<bool>(),
        ) {
            let kind = if live { "dynamic" } else { "static" };
            let text = format!(
                r#"<MPD type="{kind}" availabilityStartTime="2020-01-01T00:00:00Z" mediaPresentationDuration="PT9S"><Period><AdaptationSet><SegmentTemplate media="$Time%099999999d$" timescale="{scale}" duration="{d}" startNumber="{start}"><SegmentTimeline><S t="{t}" d="{d}" r="{r}"/></SegmentTimeline></SegmentTemplate><Representation id="x" bandwidth="1"/></AdaptationSet></Period></MPD>"#
            );
            let _ = read(text.as_bytes(), at("2026-11-28T12:01:00Z"));
            let _ = read(text.replace("SegmentTimeline", "Other").as_bytes(), at("2026-11-28T12:01:00Z"));
        }
    }
}
