//! A stream whose every request succeeded: is it one, and does it go on?

use super::{PUBLISHER, asked, code, step};
use crate::model::{Exactly, Finding};
use crate::probe::web::{Answer, Content, Head, Limits, Reading, Step, Stream, What};

pub(super) fn findings(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let Some(stream) = &reading.stream else {
        return vec![Finding::unknown(
            code::NO_PLAYLIST,
            asked(reading),
            "nothing was asked",
            "run the check again",
        )];
    };
    if let Some(why) = &stream.trouble {
        let last = reading.steps.last();
        let came = last.map(step::came).unwrap_or_default();
        let body = last.and_then(head).map(|head| head.body.to_string()).unwrap_or_default();
        let remedy = format!(
            "open the address in a browser here: if a sign-in or block page comes, network team: let it pass; else \
             {PUBLISHER}: mend the playlist"
        );
        let observed = format!("{came}: {why}: {body}");
        return vec![Finding::fail(code::NO_PLAYLIST, asked(reading), observed, remedy)];
    }
    let mut findings = vec![segment(reading, stream)];
    findings.extend(content_type(reading));
    findings.extend(cors(reading));
    findings.extend(liveness(limits, stream));
    findings
}

fn head(step: &Step) -> Option<&Head> {
    match &step.answer {
        Answer::Page(head) => Some(head),
        _ => None,
    }
}

fn segment(reading: &Reading, stream: &Stream) -> Finding {
    let expected = format!("{} and a segment of media", asked(reading));
    let Some(step) = reading.steps.iter().find(|step| step.what == What::Segment) else {
        let remedy = format!("{PUBLISHER}: mend the addresses in the playlist");
        let observed = "the playlist names no segment that has an address";
        return Finding::fail(code::NO_SEGMENT, expected, observed, remedy);
    };
    let came = step::came(step);
    match stream.container {
        None if stream.encrypted => Finding::pass(code::PLAYS, expected, format!("{came}; encrypted")),
        Some(container) if container.is_media() => {
            Finding::pass(code::PLAYS, expected, format!("{came}: {}{}", container.words(), quality(stream)))
        }
        other => {
            let what = other.map_or("nothing that was looked at", |container| container.words());
            let remedy = format!(
                "compare with another network: if media comes there, network team: let segments pass unchanged; else \
                 {PUBLISHER}: look at the packager"
            );
            Finding::fail(code::NOT_MEDIA, expected, format!("{came}: {what}"), remedy)
        }
    }
}

fn quality(stream: &Stream) -> String {
    let best = stream.qualities.iter().max_by_key(|quality| quality.kbps);
    let size = best.and_then(|best| Some(format!(", {}×{}", best.width?, best.height?)));
    let kbps = stream.kbps.map(|kbps| format!(", {kbps} kb/s"));
    size.unwrap_or_default() + &kbps.unwrap_or_default()
}

/// RFC 8216, 4: a playlist is known by its name (`.m3u8`, `.m3u`) or by its content type.
fn content_type(reading: &Reading) -> Option<Finding> {
    const TYPES: [&str; 4] =
        ["application/vnd.apple.mpegurl", "application/x-mpegurl", "audio/mpegurl", "audio/x-mpegurl"];
    let is_list = |step: &&Step| matches!(step.what, What::Playlist | What::Variant);
    let unknown = reading.steps.iter().filter(is_list).find(|step| {
        let Some(head) = head(step).filter(|head| head.status < 300) else { return false };
        let kind =
            head.content_type.as_ref().map(|kind| kind.as_str().to_ascii_lowercase()).unwrap_or_default();
        let path = step.location.as_str().to_ascii_lowercase();
        let ending = path.rsplit('.').next().unwrap_or_default();
        match reading.kind {
            Content::Dash => !kind.starts_with("application/dash+xml") && ending != "mpd",
            Content::Hls | Content::Page => {
                !TYPES.iter().any(|known| kind.starts_with(known)) && !["m3u8", "m3u"].contains(&ending)
            }
        }
    })?;
    let remedy =
        format!("{PUBLISHER}: let the server send the playlist's content type: some players refuse others");
    let expected = "a playlist that says that it is one";
    Some(Finding::warn(code::CONTENT_TYPE, expected, step::came(unknown), remedy))
}

fn cors(reading: &Reading) -> Option<Finding> {
    let refused = reading
        .steps
        .iter()
        .find(|step| head(step).is_some_and(|head| head.status < 300 && head.allows_player == Some(false)))?;
    let remedy = format!(
        "{PUBLISHER}: let {} send `Access-Control-Allow-Origin` for the player's site, for playlists and segments",
        refused.host
    );
    let observed = format!("{} from {}: not allowed", refused.what.words(), refused.host);
    Some(Finding::fail(code::CORS, "the player's page may read it (CORS)", observed, remedy))
}

fn liveness(limits: &Limits, stream: &Stream) -> Option<Finding> {
    let wanted = limits.live.as_ref().map(|Exactly(live)| *live);
    let kind = if stream.live { "announced as live" } else { "a recording" };
    if wanted.is_some_and(|wanted| wanted != stream.live) {
        let expected = if stream.live { "a recording" } else { "a live stream" };
        let remedy = format!(
            "{PUBLISHER}: begin the stream, or name the right one: the address shows {kind} of {:.0} s",
            stream.seconds
        );
        return Some(Finding::fail(code::OTHER_LIVENESS, expected, kind, remedy));
    }
    if !stream.live {
        return None;
    }
    let expected = format!("something new every {:.1} s", stream.every_s);
    if stream.moved == Some(true) {
        return Some(Finding::pass(code::MOVES, expected, format!("within {:.1} s", stream.waited_s)));
    }
    let observed = match stream.moved {
        Some(_) => format!("nothing new within {:.1} s", stream.waited_s),
        None => "the playlist could not be had once more".to_owned(),
    };
    let remedy = format!(
        "{PUBLISHER}: is the encoder sending? If it moves on another network, network team: a cache on the way keeps \
         old playlists"
    );
    Some(match wanted {
        Some(true) => Finding::fail(code::STANDS, expected, observed, remedy),
        _ => Finding::warn(code::STANDS, expected, observed, remedy),
    })
}
