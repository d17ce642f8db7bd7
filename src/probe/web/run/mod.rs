//! Opens what viewers open.

mod follow;
mod stream;

use super::reading::{Answer, Reading, What};
use super::target::{Content, Target};
use crate::model::{Demand, Endpoint, NotMeasured, Transport};
use crate::net::viewer::{self, Chosen, LONGEST, Via};
use crate::probe::Env;
use follow::{Follow, Wanted};

const METHOD: &str = "HTTP/1.1 as a browser on this machine asks: through the proxy that is named here, over kept \
                      connections; redirections followed to hosts that the policy names";
/// Bytes of a page that are searched.
const PAGE: usize = 1024 * 1024;
/// Longest time to learn of proxies, s.
const PROXIES: f64 = 3.0 + 3.0 + 2.0 * 4.0 + 2.0;

pub(super) fn demand(target: &Target) -> Demand {
    let mut endpoints = target.endpoints();
    if target.via == Via::AsConfigured {
        let implied =
            |host: &str, port| Endpoint { implied: true, ..Endpoint::new(host, port, Transport::Tcp) };
        endpoints.push(implied("a proxy that this machine's settings name", 3128));
    }
    let is_stream = target.kind != Content::Page;
    let requests = u64::from(follow::MAX_HOPS) * if is_stream { 4 } else { 1 };
    let (load_s, load_bytes) =
        target.download.map_or((0, 0), |load| (load.seconds, load.at_most_mb.saturating_mul(1_000_000)));
    #[expect(clippy::cast_precision_loss, reason = "at most 60 s")]
    let load_s = load_s as f64;
    let media = if is_stream { 2 * stream::SEGMENT } else { 0 };
    let bytes_down = requests * (PAGE as u64 + 16 * 1024) + media + load_bytes;
    Demand {
        endpoints,
        bytes_up: requests * 8 * 1024 + bytes_down / 40,
        bytes_down,
        packets: bytes_down / 1000,
        seconds: if is_stream { 4.0 + load_s } else { 1.0 },
        seconds_max: PROXIES + LONGEST * if is_stream { 5.0 } else { 1.0 } + stream::MOST_WAITED + load_s,
    }
}

pub(super) async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    tokio::select! {
        () = env.cancel.cancelled() => Err(NotMeasured::cancelled()),
        reading = Box::pin(ask(target, env)) => reading,
    }
}

async fn ask(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let chosen = match target.via {
        Via::Direct => viewer::direct("the policy asks so"),
        Via::AsConfigured => viewer::choose(&target.url, &env.source, &env.roots, &env.origin).await,
    };
    let mut reading = Reading {
        method: METHOD.to_owned(),
        url: target.url.clone(),
        kind: target.kind,
        way: chosen.way.clone(),
        steps: Vec::new(),
        took_ms: None,
        holds_text: None,
        stream: None,
        download: None,
    };
    match target.kind {
        Content::Page => page(target, env, &chosen, &mut reading).await?,
        Content::Hls | Content::Dash => stream::measure(target, env, &chosen, &mut reading).await?,
    }
    Ok(reading)
}

async fn page(target: &Target, env: &Env, chosen: &Chosen, reading: &mut Reading) -> Result<(), NotMeasured> {
    let mut follow = Follow::new(target, env, chosen);
    let wanted = Wanted { what: What::Page, accept: "text/html,*/*;q=0.8", span: None, keep: PAGE };
    let got = follow.get(target.url.clone(), wanted).await?;
    if let Some(got) = &got {
        reading.took_ms = Some(got.ended_ms - follow.began_ms);
        reading.holds_text = target.contains.as_ref().map(|text| holds(&got.page.body, text));
    }
    reading.steps = follow.steps;
    // What holds the text is the page itself, whatever else it looks like.
    if reading.holds_text == Some(true)
        && let Some(Answer::Page(head)) = reading.steps.last_mut().map(|step| &mut step.answer)
    {
        head.product = None;
    }
    Ok(())
}

/// Whether a page holds a text, blanks counted as one and letters of either case alike.
fn holds(body: &[u8], text: &str) -> bool {
    let even = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    even(&String::from_utf8_lossy(body)).contains(&even(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_across_lines_and_in_either_case() {
        assert!(holds(b"<h1>Autumn\n   product LAUNCH</h1>", "autumn  Product launch"));
        assert!(!holds(b"<h1>Access denied</h1>", "Autumn product launch"));
    }
}
