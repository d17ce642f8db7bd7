//! Pushes the test card in the time in which it plays.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use super::Target;
use super::reading::{Answer, Head, Push, Reading, What};
use crate::media::{SEGMENT_MS, Segments};
use crate::model::{Cause, Demand, Endpoint, NotMeasured, Secret, Transport, WireText};
use crate::net::push::{ANSWER, File, Pusher};
use crate::net::secret;
use crate::net::viewer::{self, Ended, Exchange, LONGEST, Via};
use crate::probe::Env;
use crate::wire::http::{Page, block_page};
use crate::wire::streaming::hls;

const METHOD: &str = "HTTP/1.1 as an HLS encoder pushes: each segment when it would have been recorded, the playlist \
                      after it, over one kept connection, through the proxy that is named here";
const SEGMENT: Duration = Duration::from_millis(SEGMENT_MS);
const MEDIA: &str = "video/mp2t";
const PLAYLIST: &str = "application/vnd.apple.mpegurl";
/// How long deleting may take in all.
const CLEAN_UP: Duration = Duration::from_secs(15);
/// The same when the run is being stopped.
const CLEAN_UP_SOON: Duration = Duration::from_secs(2);
/// Longest time to learn of proxies, s.
const PROXIES: f64 = 16.0;

pub(super) fn demand(target: &Target) -> Demand {
    let site = target.url.site();
    let mut endpoints = vec![Endpoint::new(site.host(), site.port(), Transport::Tcp)];
    if target.via == Via::AsConfigured {
        let proxy = Endpoint::new("a proxy that this machine's settings name", 3128, Transport::Tcp);
        endpoints.push(Endpoint { implied: true, ..proxy });
    }
    let segments = u64::from(target.segments());
    // What a transport stream and TLS add: an eighth, and more where sound is much of it.
    let media = segments * (target.media_kbps * 9 / 8 + 80) * SEGMENT_MS / 8;
    let bytes_up = media + (segments * 3 + 2) * 4 * 1024;
    let playing = SEGMENT.as_secs_f64() * f64::from(target.segments());
    let answers = f64::from(target.segments() * 2) * ANSWER.as_secs_f64();
    Demand {
        endpoints,
        bytes_up,
        bytes_down: bytes_up / 40 + segments * 3 * 16 * 1024,
        packets: bytes_up / 1000,
        seconds: playing,
        seconds_max: PROXIES + LONGEST + playing + answers + CLEAN_UP.as_secs_f64(),
    }
}

pub(super) async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let key = target.test_key.as_ref().map(secret::read).transpose()?;
    let segments = Segments::test_card(target.media_kbps).map_err(|error| {
        NotMeasured::new(Cause::Broken, format!("the test card: {error}"), "golive is at fault")
    })?;
    let chosen = tokio::select! {
        () = env.cancel.cancelled() => return Err(NotMeasured::cancelled()),
        chosen = choose(target, env) => chosen,
    };
    let world = (&env.source, &env.roots, &env.origin);
    let mut encoder = Encoder {
        pusher: Pusher::new((&target.url, key.as_ref()), &chosen, world),
        target,
        key: key.as_ref(),
        left: Vec::new(),
        pushes: Vec::new(),
    };
    let name = format!("golive-{:08x}", getrandom::u32().unwrap_or_default());
    let outcome = tokio::select! {
        () = env.cancel.cancelled() => Err(NotMeasured::cancelled()),
        outcome = Box::pin(encoder.push(&name, segments)) => outcome,
    };
    if target.delete {
        let limit = if env.cancel.is_cancelled() { CLEAN_UP_SOON } else { CLEAN_UP };
        // What is left when that is over shows: it has no step.
        let _ = timeout(limit, encoder.clean_up()).await;
    }
    let pushes = encoder.pushes;
    outcome?;
    Ok(Reading {
        method: METHOD.to_owned(),
        url: target.url.clone(),
        verb: target.verb(),
        media_kbps: target.media_kbps,
        segment_ms: SEGMENT_MS,
        planned: target.segments(),
        way: chosen.way,
        pushes,
    })
}

async fn choose(target: &Target, env: &Env) -> viewer::Chosen {
    match target.via {
        Via::Direct => viewer::direct("the policy asks so"),
        Via::AsConfigured => viewer::choose(target.url.site(), &env.source, &env.roots, &env.origin).await,
    }
}

/// One encoder, and what it left on the server.
struct Encoder<'a> {
    pusher: Pusher<'a>,
    target: &'a Target,
    key: Option<&'a Secret>,
    left: Vec<String>,
    pushes: Vec<Push>,
}

impl Encoder<'_> {
    /// Until all is pushed, or a file was not taken.
    async fn push(&mut self, name: &str, segments: Segments) -> Result<(), NotMeasured> {
        let method = self.target.verb().word();
        let list = format!("{name}.m3u8");
        let (mut names, mut due) = (Vec::new(), Instant::now());
        for (number, segment) in (1..=self.target.segments()).zip(segments) {
            sleep_until(due).await;
            due += SEGMENT;
            let file = format!("{name}-{number}.ts");
            names.push(file.clone());
            let segment = File { name: &file, content_type: MEDIA, body: &segment };
            if !self.send(What::Segment, method, segment).await? {
                return Ok(());
            }
            let text = hls::playlist(&names, SEGMENT_MS, number == self.target.segments());
            let playlist = File { name: &list, content_type: PLAYLIST, body: text.as_bytes() };
            if !self.send(What::Playlist, method, playlist).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Deletes what may be there.
    async fn clean_up(&mut self) -> Result<(), NotMeasured> {
        while let Some(name) = self.left.pop() {
            let file = File { name: &name, content_type: MEDIA, body: &[] };
            self.send(What::Delete, "DELETE", file).await?;
        }
        Ok(())
    }

    /// Whether the server took it.
    async fn send(&mut self, what: What, method: &str, file: File<'_>) -> Result<bool, NotMeasured> {
        // One that is cut off halfway may be there, too.
        self.left.retain(|left| left != file.name);
        if what != What::Delete {
            self.left.push(file.name.to_owned());
        }
        let exchange = self.pusher.send(method, file).await?;
        let push = self.told(what, file.body.len() as u64, exchange);
        let taken = push.is_taken();
        if !taken && matches!(push.answer, Answer::Http(_)) {
            self.left.retain(|left| left != file.name);
        }
        self.pushes.push(push);
        Ok(taken)
    }

    fn told(&self, what: What, bytes: u64, exchange: Exchange) -> Push {
        Push {
            what,
            bytes,
            offset_ms: exchange.offset_ms,
            contact: exchange.contact,
            kept: exchange.kept,
            session: exchange.session.filter(|_| !exchange.kept).map(Box::new),
            took_ms: exchange.took_ms - exchange.connected_ms,
            answer: match exchange.outcome {
                Ok(page) => Answer::Http(self.head(&page)),
                Err(Ended::Unanswered { failure, detail }) => {
                    Answer::None(Ended::Unanswered { failure, detail: self.clean(detail.as_str()) })
                }
                Err(ended) => Answer::None(ended),
            },
        }
    }

    fn head(&self, page: &Page) -> Head {
        let response = &page.response;
        let leads = response.location.as_ref().and_then(|to| self.target.url.site().join(to.as_str()));
        Head {
            status: response.status,
            reason: self.clean(response.reason.as_str()),
            content_type: response.value("content-type").map(|kind| self.clean(kind.as_str())),
            location: leads.as_ref().map(|to| self.clean(to.without_query())),
            product: block_page(page, leads.as_ref()).map(str::to_owned),
            body: self.clean(&page.beginning()),
        }
    }

    /// Without the key, as it was given and as it stands in an address.
    fn clean(&self, text: &str) -> WireText {
        let Some(key) = self.key else { return WireText::from(text) };
        let in_address = self.target.url.target(Some(key), "");
        let text = key.hidden_in(&in_address.hidden_in(text));
        WireText::from(text.as_str())
    }
}
