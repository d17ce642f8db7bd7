//! Connections to web servers, directly or through a proxy: made side by side, kept, and opened anew when a
//! kept one is gone.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use super::client::{Ended, Exchange};
use super::way::Chosen;
use crate::model::{Contact, Failure, HostPort, NotMeasured, SourceAddress, WireText};
use crate::net::clock::Origin;
use crate::net::dial::{Dialled, Undialled};
use crate::net::http::{Trouble, exchange_watched};
use crate::net::proxy::{self, Door, Tunnel};
use crate::net::tls::{self, Accept, Ask, Roots, Session};
use crate::net::{dial, resolve};
use crate::wire::http::{Page, Pages, WebUrl};

const LOOKUP: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(5);
const TLS: Duration = Duration::from_secs(8);
const SECOND_LOOK: Duration = Duration::from_secs(4);
/// How long the first address may take before the next is tried beside it (RFC 8305, 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Longest time for a connection, s.
pub(in crate::net) const LONGEST: f64 = 5.0 + 25.0 + 8.0 + 2.0 * 4.0;

/// What is sent, and how long to wait.
#[derive(Clone, Copy)]
pub(in crate::net) struct Question<'a> {
    /// Whose scheme, host and port lead there.
    pub(in crate::net) url: &'a WebUrl,
    /// Head and body.
    pub(in crate::net) bytes: &'a [u8],
    /// Longest time for sending and for the answer with its body.
    pub(in crate::net) limit: Duration,
    /// Whether to send it again where a kept connection turns out to be gone.
    pub(in crate::net) again: bool,
}

/// An open connection.
struct Line {
    stream: Tunnel,
    contact: Contact,
    session: Option<Session>,
}

/// A connection that did not come about.
struct NoLine {
    contact: Option<Contact>,
    session: Option<Session>,
    ended: Ended,
}

impl NoLine {
    const fn of(contact: Option<Contact>, ended: Ended) -> Self {
        Self { contact, session: None, ended }
    }
}

/// How connections are made.
#[derive(Clone, Copy)]
struct Dialler<'a> {
    chosen: &'a Chosen,
    accept: Accept,
    source: &'a SourceAddress,
    roots: &'a Roots,
    origin: &'a Origin,
}

/// Connections that are kept, one for each site.
pub(in crate::net) struct Lines<'a> {
    dialler: Dialler<'a>,
    kept: BTreeMap<String, Line>,
}

impl<'a> Lines<'a> {
    /// None yet. `accept` says which certificates let anything be sent.
    pub(in crate::net) const fn new(
        chosen: &'a Chosen,
        accept: Accept,
        source: &'a SourceAddress,
        roots: &'a Roots,
        origin: &'a Origin,
    ) -> Self {
        Self { dialler: Dialler { chosen, accept, source, roots, origin }, kept: BTreeMap::new() }
    }

    /// Sends and takes what comes. `heard` is told of every piece that comes, how many bytes it has.
    pub(in crate::net) async fn exchange(
        &mut self,
        question: Question<'_>,
        pages: impl Fn() -> Pages,
        mut heard: impl FnMut(usize) + Send,
    ) -> Result<Exchange, NotMeasured> {
        let offset_ms = self.dialler.origin.ms();
        if let Some(line) = self.kept.remove(&question.url.origin()) {
            let (contact, session) = (line.contact.clone(), line.session.clone());
            let told = self.converse(line, question, pages(), &mut heard).await;
            // A server may close a kept connection at any time (RFC 9112, 9.3.1): ask once more.
            if told.1.is_some() || !question.again {
                return Ok(self.told(offset_ms, offset_ms, (Some(contact), session), true, told));
            }
        }
        match self.dialler.open(question.url).await? {
            Ok(line) => {
                let ready_ms = self.dialler.origin.ms();
                let (contact, session) = (line.contact.clone(), line.session.clone());
                let told = self.converse(line, question, pages(), &mut heard).await;
                Ok(self.told(offset_ms, ready_ms, (Some(contact), session), false, told))
            }
            Err(NoLine { contact, session, ended }) => {
                let now_ms = self.dialler.origin.ms();
                Ok(self.told(offset_ms, now_ms, (contact, session), false, (Err(ended), None)))
            }
        }
    }

    fn told(
        &self,
        offset_ms: f64,
        ready_ms: f64,
        (contact, session): (Option<Contact>, Option<Session>),
        kept: bool,
        (outcome, first_ms): (Result<Page, Ended>, Option<f64>),
    ) -> Exchange {
        let answered_ms = first_ms.map(|first| first - offset_ms);
        let took_ms = self.dialler.origin.ms() - offset_ms;
        let connected_ms = ready_ms - offset_ms;
        Exchange { offset_ms, contact, kept, session, connected_ms, answered_ms, took_ms, outcome }
    }

    /// The page, and when its first byte came.
    async fn converse(
        &mut self,
        mut line: Line,
        question: Question<'_>,
        pages: Pages,
        heard: &mut (impl FnMut(usize) + Send),
    ) -> (Result<Page, Ended>, Option<f64>) {
        let origin = self.dialler.origin;
        let mut first_ms = None;
        let watch = |length| {
            first_ms.get_or_insert_with(|| origin.ms());
            heard(length);
        };
        let answered = exchange_watched(&mut line.stream, question.bytes, pages, question.limit, watch).await;
        match answered {
            Ok(page) => {
                if may_go_on(&page) {
                    self.kept.insert(question.url.origin(), line);
                }
                (Ok(page), first_ms)
            }
            Err(Trouble { failure, detail, .. }) => (Err(Ended::Unanswered { failure, detail }), first_ms),
        }
    }
}

impl Dialler<'_> {
    async fn open(&self, url: &WebUrl) -> Result<Result<Line, NoLine>, NotMeasured> {
        let Some(proxy) = self.chosen.proxy() else { return self.open_directly(url).await };
        let credentials = self.chosen.credentials.as_ref();
        let door = Door { proxy, credentials, source: self.source, roots: self.roots, origin: self.origin };
        if !url.is_tls() {
            return Ok(match proxy::reach(&door).await? {
                Ok((contact, stream)) => Ok(Line { stream, contact, session: None }),
                Err((contact, connect)) => Err(NoLine::of(contact, Ended::Proxy(connect))),
            });
        }
        let to = HostPort { host: url.host().to_owned(), port: url.port() };
        let opened = proxy::open(&door, &to).await?;
        match (opened.contact, opened.tunnel) {
            (Some(contact), Some(tunnel)) => Ok(self.encrypt(url, tunnel, contact).await),
            (contact, _) => Ok(Err(NoLine::of(contact, Ended::Proxy(opened.connect)))),
        }
    }

    async fn open_directly(&self, url: &WebUrl) -> Result<Result<Line, NoLine>, NotMeasured> {
        let addresses = match resolve::lookup(url.host(), url.port(), LOOKUP).await {
            Ok(addresses) => dial::usable(addresses, self.source)?,
            Err(failure) => return Ok(Err(NoLine::of(None, Ended::NoAddress { failure }))),
        };
        let Dialled { stream, contact } = match self.dial(addresses).await? {
            Ok(dialled) => dialled,
            Err(None) => {
                return Ok(Err(NoLine::of(None, Ended::NoAddress { failure: Failure::NoAddress })));
            }
            Err(Some(missed)) => {
                let ended =
                    Ended::NotConnected { failure: missed.failure, detail: WireText::from(missed.detail) };
                return Ok(Err(NoLine::of(Some(missed.contact), ended)));
            }
        };
        if !url.is_tls() {
            return Ok(Ok(Line { stream: Box::new(stream), contact, session: None }));
        }
        let remote = contact.remote;
        let mut opened = self.encrypt(url, Box::new(stream), contact).await;
        if let Err(NoLine { ended: Ended::Tls { failure, nameless, .. }, .. }) = &mut opened
            && matches!(failure, Failure::Reset | Failure::Closed | Failure::TimedOut)
        {
            *nameless = self.answers_without_name(remote).await?;
        }
        Ok(opened)
    }

    /// Addresses one after the other with a head start each, the first connection wins (RFC 8305); else
    /// the first failure.
    async fn dial(
        &self,
        addresses: Vec<SocketAddr>,
    ) -> Result<Result<Dialled, Option<Undialled>>, NotMeasured> {
        let attempts = addresses.into_iter().zip(0u32..).map(async |(at, turn)| {
            tokio::time::sleep(HEAD_START * turn).await;
            dial::tcp(at, self.source, CONNECT, self.origin).await
        });
        let mut attempts: FuturesUnordered<_> = attempts.collect();
        let mut missed = None;
        while let Some(attempt) = attempts.next().await {
            match attempt? {
                Ok(dialled) => return Ok(Ok(dialled)),
                Err(undialled) => missed = missed.or(Some(undialled)),
            }
        }
        Ok(Err(missed))
    }

    async fn encrypt(&self, url: &WebUrl, stream: Tunnel, contact: Contact) -> Result<Line, NoLine> {
        let mut ask = Ask::new(url.host(), self.accept, self.roots);
        ask.limit = TLS;
        match tls::connect(stream, &ask).await {
            Ok(connected) => {
                Ok(Line { stream: Box::new(connected.stream), contact, session: Some(connected.session) })
            }
            Err(failed) => {
                let detail = match &failed.answered[..] {
                    [] => failed.detail,
                    _ if failed.failure == Failure::WrongProtocol => WireText::from_bytes(&failed.answered),
                    _ => failed.detail,
                };
                let ended = Ended::Tls { failure: failed.failure, detail, nameless: None };
                Err(NoLine::of(Some(contact), ended))
            }
        }
    }

    /// Whether the address answers a `ClientHello` that names no host: what kills only the one with the
    /// name heeds names.
    async fn answers_without_name(&self, at: SocketAddr) -> Result<Option<bool>, NotMeasured> {
        let Ok(dialled) = dial::tcp(at, self.source, SECOND_LOOK, self.origin).await? else {
            return Ok(None);
        };
        let literal = at.ip().to_string();
        let mut ask = Ask::new(&literal, Accept::Any, self.roots);
        ask.limit = SECOND_LOOK;
        Ok(Some(match tls::connect(dialled.stream, &ask).await {
            Ok(_) => true,
            Err(failed) => failed.failure == Failure::TlsAlert,
        }))
    }
}

/// Whether another request may follow on the same connection. After a body in chunks something may still
/// be on its way: not then.
fn may_go_on(page: &Page) -> bool {
    let response = &page.response;
    let is_close = |value: &WireText| value.as_str().eq_ignore_ascii_case("close");
    page.whole
        && response.value("content-length").is_some()
        && response.value("transfer-encoding").is_none()
        && !response.values("connection").any(is_close)
}
