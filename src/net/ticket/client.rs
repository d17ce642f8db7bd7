//! Sends calls: with credentials, with patience, and never twice without looking.

use std::error::Error as _;
use std::future::Future;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::multipart::{Form, Part};
use reqwest::{RequestBuilder, redirect};
use serde_json::Value;

use super::answer::{Answer, MAX_ANSWER, Trouble};
use super::{Body, Call, Site, TicketError};
use crate::model::{Secret, WireText};
use crate::net::clock;

/// Who we are to the ticket system.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A user with a password or an API token (RFC 7617).
    Basic {
        /// The user.
        user: String,
        /// The password or token.
        token: Secret,
    },
    /// A token alone (RFC 6750).
    Bearer(Secret),
}

/// How long is waited and how often is tried.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Attempts at each call, at least 1.
    pub attempts: u32,
    /// The first pause; each further one is twice as long.
    pub pause: Duration,
    /// The longest pause that a server may ask for.
    pub longest: Duration,
    /// How long one call may take.
    pub limit: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 4,
            pause: Duration::from_millis(500),
            longest: Duration::from_mins(1),
            limit: Duration::from_mins(5),
        }
    }
}

/// A site, who we are there, and how patient we are.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    site: Site,
    credentials: Credentials,
    patience: Patience,
}

/// What a call that creates something came to.
#[derive(Debug)]
pub(super) enum Created {
    /// The server's answer says so.
    Answered(Value),
    /// The answer was lost; the list shows it.
    Found,
}

impl Client {
    pub fn new(site: Site, credentials: Credentials, patience: Patience) -> Result<Self, TicketError> {
        let http = requests(site.loopback(), patience.limit).map_err(|why| TicketError {
            what: "preparing HTTPS".to_owned(),
            why,
            remedy: "check this machine's certificates and its proxy variables".to_owned(),
        })?;
        Ok(Self { http, site, credentials, patience })
    }

    /// Asks, or sets what is the same when it is set twice.
    pub async fn ask(&self, call: &Call<'_>) -> Result<Value, TicketError> {
        match self.repeat(call, &|| std::future::ready(Ok(false))).await? {
            Created::Answered(value) => Ok(value),
            Created::Found => Err(self.failed(call, "its answer was lost")),
        }
    }

    /// Creates. When it is not known whether that happened, `there` looks before it is tried again.
    pub async fn create<Looking: Future<Output = Result<bool, TicketError>>>(
        &self,
        call: &Call<'_>,
        there: impl Fn() -> Looking,
    ) -> Result<Created, TicketError> {
        self.repeat(call, &there).await
    }

    async fn repeat<Looking: Future<Output = Result<bool, TicketError>>>(
        &self,
        call: &Call<'_>,
        there: &impl Fn() -> Looking,
    ) -> Result<Created, TicketError> {
        let mut pause = self.patience.pause;
        for left in (0..self.patience.attempts.max(1)).rev() {
            let trouble = match self.once(call).await {
                Ok(value) => return Ok(Created::Answered(value)),
                Err(trouble) => trouble,
            };
            let (again, wait, error) = self.meaning(call, trouble);
            let lost = matches!(again, Again::AfterLooking);
            if lost && there().await? {
                return Ok(Created::Found);
            }
            if left == 0 || matches!(again, Again::Never) {
                return Err(error);
            }
            match wait {
                Some(wait) if wait > self.patience.longest => return Err(error),
                asked => tokio::time::sleep(asked.unwrap_or(pause)).await,
            }
            pause = pause.saturating_mul(2);
        }
        Err(self.failed(call, "it was tried as often as is reasonable"))
    }

    /// Whether another attempt can help, after how long, and what to say if not.
    fn meaning(&self, call: &Call<'_>, trouble: Trouble) -> (Again, Option<Duration>, TicketError) {
        match trouble {
            Trouble::NotSent(why) => (Again::Freely, None, self.failed(call, &why)),
            Trouble::Lost(why) => (Again::AfterLooking, None, self.failed(call, &why)),
            Trouble::Refused(answer) => {
                let wait = answer.retry_after(clock::now());
                let again = match answer.status {
                    429 => Again::Freely,
                    500..=599 => Again::AfterLooking,
                    _ => Again::Never,
                };
                (again, wait, answer.explained(&call.what, self.site.host()))
            }
        }
    }

    /// An error about a call that had no usable answer.
    pub fn failed(&self, call: &Call<'_>, why: &str) -> TicketError {
        TicketError {
            what: call.what.clone(),
            why: format!("{}: {why}", self.site.host()),
            remedy: "check the address, the network and its proxy; look into the ticket before trying again"
                .to_owned(),
        }
    }

    async fn once(&self, call: &Call<'_>) -> Result<Value, Trouble> {
        let request = self.request(call)?;
        let mut response = request.send().await.map_err(|error| {
            let never = error.is_connect() || error.is_builder();
            let why = reason(error);
            if never { Trouble::NotSent(why) } else { Trouble::Lost(why) }
        })?;
        let mut body = Vec::new();
        let answer =
            |body| Answer { status: response.status().as_u16(), headers: response.headers().clone(), body };
        let head = answer(Vec::new());
        // of a refusal, only the beginning is shown
        let most = if head.status == call.success { MAX_ANSWER } else { 64 << 10 };
        while body.len() < most {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(chunk.get(..most - body.len()).unwrap_or(&chunk)),
                Err(error) if head.status == call.success => return Err(Trouble::Lost(reason(error))),
                Ok(None) | Err(_) => break,
            }
        }
        let answer = Answer { body, ..head };
        if answer.status == call.success { answer.json() } else { Err(Trouble::Refused(Box::new(answer))) }
    }

    fn request(&self, call: &Call<'_>) -> Result<RequestBuilder, Trouble> {
        let request = self.http.request(call.method.clone(), self.site.url(call));
        let mut request = request.header(ACCEPT, "application/json");
        for (name, value) in &call.headers {
            request = request.header(*name, *value);
        }
        request = match &self.credentials {
            Credentials::Basic { user, token } => request.basic_auth(user, Some(token.reveal())),
            Credentials::Bearer(token) => {
                request.header(AUTHORIZATION, bearer(token).map_err(Trouble::NotSent)?)
            }
        };
        Ok(match &call.body {
            Body::Empty => request,
            Body::Raw(file) => request.header(CONTENT_TYPE, file.content_type).body(file.bytes.clone()),
            Body::Json(value) => request.header(CONTENT_TYPE, "application/json").body(value.to_string()),
            Body::Form(file) => {
                let part = Part::bytes(file.bytes.clone()).file_name(file.name.clone());
                let part =
                    part.mime_str(file.content_type).map_err(|error| Trouble::NotSent(reason(error)))?;
                request.multipart(Form::new().part("file", part))
            }
        })
    }
}

/// Whether a call may be made again.
#[derive(Debug, Clone, Copy)]
enum Again {
    /// It was not carried out.
    Freely,
    /// It may have been carried out.
    AfterLooking,
    /// It would be refused again.
    Never,
}

/// Sends requests that follow no redirection; `limit` is the longest time of one.
pub(in crate::net) fn requests(to_loopback: bool, limit: Duration) -> Result<reqwest::Client, String> {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("golive/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(limit.min(Duration::from_secs(20)))
        .timeout(limit);
    // the environment's proxy has no business with what stays on this machine
    let builder = if to_loopback { builder.no_proxy() } else { builder };
    builder.build().map_err(reason)
}

/// A token as RFC 6750 sends it.
pub(in crate::net) fn bearer(token: &Secret) -> Result<HeaderValue, String> {
    let value = HeaderValue::try_from(format!("Bearer {}", token.reveal()));
    let mut value = value.map_err(|_| "the token has characters that no token has".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// An error with all its causes, without the address (its host is named where it is shown), inert.
pub(in crate::net) fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    WireText::from(words).as_str().to_owned()
}
