//! Plays the beginning of a stream: playlist, best quality, first segment; then looks whether it moves.

use std::time::Duration;

use super::follow::{Follow, Got, Wanted};
use crate::model::{NotMeasured, WireText};
use crate::net::clock;
use crate::net::viewer::{Chosen, download};
use crate::probe::Env;
use crate::probe::web::reading::{Quality, Reading, Stream, What};
use crate::probe::web::target::{Content, Target};
use crate::wire::http::{Browse, WebUrl};
use crate::wire::streaming::{Container, Media, Piece, Unplayable, Variant, dash, hls};

/// Bytes of a playlist that are read.
const PLAYLIST: usize = 1024 * 1024;
/// Bytes of a segment that are read.
pub(super) const SEGMENT: u64 = 32 * 1024 * 1024;
/// Longest wait for something new, s.
pub(super) const MOST_WAITED: f64 = 15.0;
const HLS: &str = "application/vnd.apple.mpegurl, application/x-mpegurl, */*;q=0.8";
const DASH: &str = "application/dash+xml, */*;q=0.8";

/// A stream that can be played, and where its list came from.
struct Playable {
    media: Media,
    /// Where the list came from: it is asked again there.
    list: WebUrl,
    /// What its segments are relative to.
    base: WebUrl,
}

pub(super) async fn measure(
    target: &Target,
    env: &Env,
    chosen: &Chosen,
    reading: &mut Reading,
) -> Result<(), NotMeasured> {
    let mut follow = Follow::new(target, env, chosen);
    let mut stream = Stream::default();
    let played = play(target, &mut follow, &mut stream).await?;
    if let Some((playable, segment)) = &played {
        reading.took_ms = Some(segment.ended_ms - follow.began_ms);
        // First of all: a live segment is not kept for long.
        if let Some(load) = &target.download {
            let span = playable.media.first.span;
            let ask = Browse { url: &segment.url, accept: "*/*", span, player: target.player.as_ref() };
            let world = (&env.source, &env.roots, &env.origin);
            reading.download = Some(Box::pin(download(&ask, load, chosen, world)).await?);
        }
        if playable.media.live {
            look_again(target, env, &mut follow, (playable, segment.ended_ms), &mut stream).await?;
        }
    }
    reading.steps = follow.steps;
    reading.stream = Some(stream);
    Ok(())
}

/// As far as the first segment. What stopped it stands in the steps, or in the stream's trouble.
async fn play(
    target: &Target,
    follow: &mut Follow<'_>,
    stream: &mut Stream,
) -> Result<Option<(Playable, Got)>, NotMeasured> {
    let Some(playable) = list(target, follow, stream).await? else { return Ok(None) };
    let media = &playable.media;
    (stream.live, stream.every_s, stream.seconds) = (media.live, media.every_s, media.seconds);
    (stream.encrypted, stream.segment_s) = (media.encrypted, media.first_s);
    if let Some(init) = &media.init
        && piece(follow, &playable.base, init, What::Init).await?.is_none()
    {
        return Ok(None);
    }
    let Some(segment) = piece(follow, &playable.base, &media.first, What::Segment).await? else {
        return Ok(None);
    };
    stream.container = (!media.encrypted).then(|| Container::of(&segment.page.body));
    Ok(Some((playable, segment)))
}

async fn piece(
    follow: &mut Follow<'_>,
    base: &WebUrl,
    piece: &Piece,
    what: What,
) -> Result<Option<Got>, NotMeasured> {
    let Some(url) = base.join(&piece.uri) else { return Ok(None) };
    let most = usize::try_from(SEGMENT).unwrap_or(usize::MAX);
    follow.get(url, Wanted { what, accept: "*/*", span: piece.span, keep: most }).await
}

async fn list(
    target: &Target,
    follow: &mut Follow<'_>,
    stream: &mut Stream,
) -> Result<Option<Playable>, NotMeasured> {
    let accept = if target.kind == Content::Dash { DASH } else { HLS };
    let wanted = Wanted { what: What::Playlist, accept, span: None, keep: PLAYLIST };
    let Some(first) = follow.get(target.url.clone(), wanted).await? else { return Ok(None) };
    let read = match target.kind {
        Content::Dash => manifest(&first, stream),
        Content::Hls | Content::Page => match hls::read(&first.page.body) {
            Ok(hls::Playlist::Master(variants)) => {
                let Some(url) = best(&variants, &first.url, stream) else {
                    stream.trouble = Some(WireText::from("its qualities lead nowhere"));
                    return Ok(None);
                };
                let wanted = Wanted { what: What::Variant, ..wanted };
                let Some(of_quality) = follow.get(url, wanted).await? else { return Ok(None) };
                media_playlist(&of_quality)
            }
            Ok(hls::Playlist::Media(media)) => Ok(at(media, &first.url)),
            Err(why) => Err(why),
        },
    };
    Ok(read.map_err(|why| stream.trouble = Some(WireText::from(why.to_string()))).ok())
}

fn at(media: Media, url: &WebUrl) -> Playable {
    Playable { media, list: url.clone(), base: url.clone() }
}

fn media_playlist(got: &Got) -> Result<Playable, Unplayable> {
    match hls::read(&got.page.body)? {
        hls::Playlist::Media(media) => Ok(at(media, &got.url)),
        hls::Playlist::Master(_) => Err(Unplayable::NoSegment),
    }
}

fn manifest(got: &Got, stream: &mut Stream) -> Result<Playable, Unplayable> {
    let manifest = dash::read(&got.page.body, clock::now())?;
    stream.qualities = qualities(&manifest.variants);
    stream.kbps = (manifest.kbps > 0).then_some(manifest.kbps);
    let base = manifest.bases.iter().try_fold(got.url.clone(), |base, next| base.join(next));
    let base = base.ok_or(Unplayable::NoSegment)?;
    Ok(Playable { media: manifest.media, list: got.url.clone(), base })
}

/// The quality with the highest bit rate: what players in a building climb to.
fn best(variants: &[Variant], base: &WebUrl, stream: &mut Stream) -> Option<WebUrl> {
    stream.qualities = qualities(variants);
    let best = variants.iter().max_by_key(|variant| variant.kbps)?;
    stream.kbps = Some(best.kbps);
    base.join(&best.uri)
}

fn qualities(variants: &[Variant]) -> Vec<Quality> {
    let quality = |variant: &Variant| Quality {
        kbps: variant.kbps,
        width: variant.size.map(|size| size.0),
        height: variant.size.map(|size| size.1),
    };
    variants.iter().map(quality).collect()
}

/// Asks for the list until it is another, for as long as RFC 8216 (6.2.1) lets a server wait: one and a
/// half of its target duration.
async fn look_again(
    target: &Target,
    env: &Env,
    follow: &mut Follow<'_>,
    (playable, since_ms): (&Playable, f64),
    stream: &mut Stream,
) -> Result<(), NotMeasured> {
    let most_s = (playable.media.every_s * 1.5 + 1.0).min(MOST_WAITED);
    let pause = Duration::from_secs_f64((playable.media.every_s / 2.0).clamp(0.5, 3.0));
    let accept = if target.kind == Content::Dash { DASH } else { HLS };
    let wanted = Wanted { what: What::SecondLook, accept, span: None, keep: PLAYLIST };
    loop {
        tokio::time::sleep(pause).await;
        // Only the last look is kept.
        follow.steps.retain(|step| step.what != What::SecondLook);
        let Some(got) = follow.get(playable.list.clone(), wanted).await? else { return Ok(()) };
        let newest = match target.kind {
            Content::Dash => dash::read(&got.page.body, clock::now()).map(|manifest| manifest.media.newest),
            Content::Hls | Content::Page => media_playlist(&got).map(|playable| playable.media.newest),
        };
        stream.waited_s = (env.origin.ms() - since_ms) / 1000.0;
        let moved = newest.is_ok_and(|newest| newest != playable.media.newest);
        stream.moved = Some(moved);
        if moved || stream.waited_s >= most_s {
            return Ok(());
        }
    }
}
