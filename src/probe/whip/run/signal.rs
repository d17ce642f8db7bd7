//! What is said over HTTPS: the offer and its answer, and the end of the session.

use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::{ANSWER, ANSWER_WHEN_STOPPED, DELETE, LOOKUP, MAX_HOPS, TCP, TLS};
use crate::model::{Cause, Contact, Failure, NotMeasured, Secret, WireText};
use crate::net::dial::{self, Dialled, Undialled};
use crate::net::http::{Trouble, exchange};
use crate::net::resolve;
use crate::net::tls::{self, Accept, Ask, Session, Tap};
use crate::probe::Env;
use crate::probe::whip::reading::{Answered, Attempt, Deleted, End, Reading};
use crate::probe::whip::target::Target;
use crate::wire::http::{Page, Pages, WebUrl, block_page};
use crate::wire::webrtc::MAX_ANSWER;
use crate::wire::whip::{self, BadToken};

/// Asks an endpoint.
pub(super) struct Signal<'a> {
    pub(super) target: &'a Target,
    pub(super) env: &'a Env,
    /// The test key; absent when nothing is published.
    pub(super) token: Option<Secret>,
}

/// The answer to an offer.
pub(super) struct Answer {
    pub(super) sdp: String,
    pub(super) servers: Vec<WireText>,
    pub(super) held: Held,
    /// Whether the server is this machine itself.
    pub(super) here: bool,
}

/// The session that an answer opened.
pub(super) enum Held {
    /// To be ended here.
    Session(WebUrl),
    /// At a host that the policy does not name.
    Elsewhere,
    /// The answer names none.
    Unnamed,
}

type Encrypted = TlsStream<Tap<TcpStream>>;

/// An open connection.
struct Line {
    stream: Encrypted,
    contact: Contact,
    session: Session,
}

/// A page, where it came from, and whether that is this machine.
struct Got {
    url: WebUrl,
    page: Page,
    here: bool,
}

impl Signal<'_> {
    /// Asks without a token, and follows nothing.
    pub(super) async fn ask(&self, request: &[u8], reading: &mut Reading) -> Result<(), NotMeasured> {
        if let Some(line) = self.open_noted(&self.target.url, reading).await? {
            self.converse(line, &self.target.url, request, reading).await;
        }
        Ok(())
    }

    /// Offers, and follows where the endpoint sends us (RFC 9725, 4.2), but only to hosts that the policy
    /// names. None when no answer to the offer came: the reading says what did.
    pub(super) async fn offer(
        &self,
        request: impl Fn(&WebUrl) -> Result<Secret, BadToken>,
        reading: &mut Reading,
    ) -> Result<Option<Answer>, NotMeasured> {
        let mut url = self.target.url.clone();
        for _ in 0..MAX_HOPS {
            let request = request(&url).map_err(|why| {
                NotMeasured::new(
                    Cause::Unsupported,
                    why.to_string(),
                    "correct the test key, or name another endpoint",
                )
            })?;
            let line = tokio::select! {
                line = self.open_noted(&url, reading) => line?,
                () = self.env.cancel.cancelled() => return Err(NotMeasured::cancelled()),
            };
            let Some(line) = line else { return Ok(None) };
            let got = tokio::select! {
                got = self.converse(line, &url, request.reveal().as_bytes(), reading) => got,
                () = self.stopped_for_long() => return Err(NotMeasured::cancelled()),
            };
            let Some(got) = got else { return Ok(None) };
            match Self::leads(&got) {
                Some(next) if self.follows(got.page.response.status, &next) => url = next,
                _ => return Ok(self.answer(&got)),
            }
        }
        Ok(None)
    }

    async fn stopped_for_long(&self) {
        self.env.cancel.cancelled().await;
        tokio::time::sleep(ANSWER_WHEN_STOPPED).await;
    }

    fn names(&self, url: &WebUrl) -> bool {
        url.is_tls() && url.is_of(self.target.url.host(), &self.target.hosts)
    }

    fn follows(&self, status: u16, to: &WebUrl) -> bool {
        keeps_the_offer(status) && self.names(to)
    }

    fn leads(got: &Got) -> Option<WebUrl> {
        got.url.join(got.page.response.location.as_ref()?.as_str())
    }

    fn answer(&self, got: &Got) -> Option<Answer> {
        if !got.page.response.is_success() {
            return None;
        }
        let held = match Self::leads(got) {
            None => Held::Unnamed,
            Some(session) if self.names(&session) => Held::Session(session),
            Some(_) => Held::Elsewhere,
        };
        // What is no SDP may still have opened a session, which is then ended.
        let sdp = String::from_utf8_lossy(&got.page.body).into_owned();
        Some(Answer { sdp, servers: whip::ice_servers(&got.page), held, here: got.here })
    }

    /// A connection to the first address that makes one, or why the last one did not. What each did that made
    /// none is noted.
    async fn open(
        &self,
        url: &WebUrl,
        notes: &mut Vec<Attempt>,
    ) -> Result<Result<Line, Failure>, NotMeasured> {
        let addresses = match resolve::lookup(url.host(), url.port(), LOOKUP).await {
            Ok(addresses) => dial::usable(addresses, &self.env.source)?,
            Err(failure) => return Ok(Err(failure)),
        };
        let mut last = Failure::NoAddress;
        for remote in addresses {
            let (contact, end) = match dial::tcp(remote, &self.env.source, TCP, &self.env.origin).await? {
                Ok(Dialled { stream, contact }) => match self.secure(stream, url).await {
                    Ok((stream, session)) => return Ok(Ok(Line { stream, contact, session })),
                    Err((failure, end)) => {
                        last = failure;
                        (contact, end)
                    }
                },
                Err(Undialled { failure, icmp, detail, contact }) => {
                    last = failure;
                    (contact, End::NotConnected { failure, icmp, detail: WireText::from(detail) })
                }
            };
            notes.push(attempt(url, contact, end));
        }
        Ok(Err(last))
    }

    async fn secure(&self, stream: TcpStream, url: &WebUrl) -> Result<(Encrypted, Session), (Failure, End)> {
        let mut ask = Ask::new(url.host(), Accept::Trusted, &self.env.roots);
        ask.limit = TLS;
        let failed = match tls::connect(stream, &ask).await {
            Ok(connected) => return Ok((connected.stream, connected.session)),
            Err(failed) => failed,
        };
        let failure = failed.failure;
        let detail = match failure {
            Failure::WrongProtocol => WireText::from_bytes(&failed.answered),
            _ => failed.detail,
        };
        Err((failure, End::NotSecured { failure, detail, identity: failed.identity.map(Box::new) }))
    }

    /// As [`Self::open`]; a name without an address is noted in the reading.
    async fn open_noted(&self, url: &WebUrl, reading: &mut Reading) -> Result<Option<Line>, NotMeasured> {
        let before = reading.attempts.len();
        let opened = self.open(url, &mut reading.attempts).await?;
        if reading.attempts.len() == before {
            reading.lookup = opened.as_ref().err().copied();
        }
        Ok(opened.ok())
    }

    /// Asks over an open connection and notes what came.
    async fn converse(&self, line: Line, url: &WebUrl, request: &[u8], reading: &mut Reading) -> Option<Got> {
        let Line { mut stream, contact, session } = line;
        let here = contact.remote.ip().to_canonical().is_loopback();
        let began = self.env.origin.ms();
        let outcome = exchange(&mut stream, request, Pages::new(MAX_ANSWER), ANSWER).await;
        let answered_ms = self.env.origin.ms() - began;
        let mut attempt =
            attempt(url, contact, End::Unanswered { failure: Failure::Closed, detail: WireText::default() });
        attempt.tls = Some(session);
        let got = match outcome {
            Ok(page) => {
                attempt.answered_ms = Some(answered_ms);
                let got = Got { url: url.clone(), page, here };
                attempt.end = End::Answered(self.answered(&got));
                Some(got)
            }
            Err(Trouble { failure, detail, .. }) => {
                attempt.end = End::Unanswered { failure, detail };
                None
            }
        };
        reading.attempts.push(attempt);
        got
    }

    fn answered(&self, got: &Got) -> Answered {
        let response = &got.page.response;
        let words = |text: &WireText| whip::words(text.as_str().as_bytes(), self.token.as_ref());
        let redirects = (300..400).contains(&response.status);
        let leads = Self::leads(got);
        let shown = leads.as_ref().filter(|_| redirects);
        Answered {
            status: response.status,
            reason: words(&response.reason),
            content_type: response.value("content-type").map(words),
            location: shown.map(|to| whip::words(to.without_query().as_bytes(), self.token.as_ref())),
            followed: shown.is_some_and(|to| self.token.is_some() && self.follows(response.status, to)),
            takes_offers: whip::takes_offers(&got.page),
            names_session: !redirects && leads.is_some(),
            product: block_page(&got.page, leads.as_ref()).map(str::to_owned),
            body: if whip::is_sdp(&got.page) {
                WireText::default()
            } else {
                whip::words(&got.page.body, self.token.as_ref())
            },
        }
    }

    /// Ends a session, within [`DELETE`].
    pub(super) async fn delete(&self, session: &WebUrl) -> Deleted {
        let Some(request) = self.token.as_ref().and_then(|token| whip::delete(session, token).ok()) else {
            return Deleted::Unnamed;
        };
        match tokio::time::timeout(DELETE, self.status_of(session, &request)).await {
            Ok(Ok(200..=299)) => Deleted::Done,
            Ok(Ok(status)) => Deleted::Refused { status },
            Ok(Err(failure)) => Deleted::Unanswered { failure },
            Err(_) => Deleted::Unanswered { failure: Failure::TimedOut },
        }
    }

    async fn status_of(&self, session: &WebUrl, request: &Secret) -> Result<u16, Failure> {
        let opened = self.open(session, &mut Vec::new()).await.map_err(|_| Failure::NetUnreachable)?;
        let request = request.reveal().as_bytes();
        let page = exchange(&mut opened?.stream, request, Pages::new(1024), DELETE).await;
        page.map(|page| page.response.status).map_err(|trouble| trouble.failure)
    }
}

/// Those that keep verb and body (RFC 9110, 15.4.8 and 15.4.9): only these may be followed with an offer.
const fn keeps_the_offer(status: u16) -> bool {
    matches!(status, 307 | 308)
}

fn attempt(url: &WebUrl, contact: Contact, end: End) -> Attempt {
    let location = WireText::from(url.without_query());
    Attempt { location, contact, tls: None, answered_ms: None, end }
}

/// What is done after a run was stopped has five seconds.
const _: () = assert!(DELETE.as_millis() + ANSWER_WHEN_STOPPED.as_millis() < 5000);
