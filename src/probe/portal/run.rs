//! Fetches the page from each address, and asks the API.

use std::time::Duration;

use super::{Answer, Api, ApiAnswer, Attempt, Page, Reading, Target, Teller};
use crate::model::{Demand, Endpoint, Failure, NotMeasured, Transport, WireText};
use crate::net::http::{Fetched, Request, fetch};
use crate::net::{clock, dhcp, dial, resolve};
use crate::probe::Env;
use crate::wire::captive::{self, MEDIA_TYPE, without_query};
use crate::wire::http::{self, WebUrl};
use crate::wire::lease::UNRESTRICTED;

const METHOD: &str = "one plain HTTP request to each address of the page's host, no proxy, no redirection followed; \
                      the captive portal's API (RFC 8908) where it is known";
const LOOKUP: Duration = Duration::from_secs(5);
const LIMIT: Duration = Duration::from_secs(5);
const MOST: usize = 16 * 1024;
/// Addresses of the API that are tried, one after the other.
const API_ADDRESSES: u32 = 2;
const MAX_ADDRESSES: u64 = 2 * resolve::MAX_PER_FAMILY as u64;

pub(super) fn demand(target: &Target) -> Demand {
    let mut endpoints = vec![Endpoint::new(target.url.host(), target.url.port(), Transport::Tcp)];
    endpoints.push(match &target.api {
        Some(api) => Endpoint::new(api.host(), api.port(), Transport::Tcp),
        None => Endpoint {
            implied: true,
            ..Endpoint::new("captive portal API of this network", 443, Transport::Tcp)
        },
    });
    Demand {
        endpoints,
        // A request and a TLS handshake up; a page, a chain of certificates and an answer down.
        bytes_up: MAX_ADDRESSES * 1024 + 6 * 1024,
        bytes_down: MAX_ADDRESSES * 70_000 + 140_000,
        packets: MAX_ADDRESSES * 30 + 80,
        seconds: 1.0,
        // The API's addresses one after the other: connection, TLS, answer; then the pages side by side.
        seconds_max: (LOOKUP + LIMIT * 3 * API_ADDRESSES + LIMIT * 2).as_secs_f64(),
    }
}

pub(super) async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    tokio::select! {
        () = env.cancel.cancelled() => Err(NotMeasured::cancelled()),
        reading = ask(target, env) => reading,
    }
}

async fn ask(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let (found, api) = tokio::join!(
        resolve::lookup(target.url.host(), target.url.port(), LOOKUP),
        Box::pin(api(target, env))
    );
    let lookup = found.as_ref().err().copied();
    let addresses = dial::usable(found.unwrap_or_default(), &env.source)?;
    let request = Request { url: &target.url, accept: "*/*", most: MOST, limit: LIMIT };
    let fetched = addresses.into_iter().map(|at| fetch(at, &request, &env.source, &env.roots, &env.origin));
    let fetched = futures::future::try_join_all(fetched).await?;
    Ok(Reading {
        method: METHOD.to_owned(),
        url: target.url.clone(),
        at: clock::now(),
        lookup,
        attempts: fetched.into_iter().map(|fetched| attempt(&target.url, fetched)).collect(),
        api: api?,
    })
}

fn attempt(asked: &WebUrl, fetched: Fetched) -> Attempt {
    let answer = match fetched.outcome {
        Ok(page) => Answer::Page(as_read(asked, &page)),
        Err(trouble) => {
            Answer::None { failure: trouble.failure, detail: trouble.detail, connected: trouble.connected }
        }
    };
    Attempt { contact: fetched.contact, answer }
}

fn as_read(asked: &WebUrl, page: &http::Page) -> Page {
    let response = &page.response;
    let leads = response.location.as_ref().map(WireText::as_str);
    let host = leads.and_then(|location| asked.join(location));
    Page {
        status: response.status,
        location: leads.map(without_query),
        same_host: host.is_some_and(|to| to.host().eq_ignore_ascii_case(asked.host())),
        content_type: response.value("content-type").cloned(),
        body: WireText::from_bytes(page.body.trim_ascii()),
        body_bytes: page.body.len(),
        whole: page.whole,
    }
}

/// Asks the API that the policy names, or else the network.
async fn api(target: &Target, env: &Env) -> Result<Api, NotMeasured> {
    let (by, url) = if let Some(api) = &target.api {
        (Teller::Policy, api.clone())
    } else {
        let noted = dhcp::noted(&env.source);
        let told = match noted.options.captive_portal {
            None => return Ok(Api::Unnamed { dhcp_readable: noted.readable }),
            Some(urn) if urn.eq_ignore_ascii_case(UNRESTRICTED) => return Ok(Api::Unrestricted),
            Some(told) => told,
        };
        match WebUrl::try_from(told.clone()) {
            Ok(url) if url.is_tls() => (Teller::Network, url),
            // Older networks name the portal's own page there (RFC 8910, appendix A).
            _ => {
                let detail = WireText::from("it is no https:// address");
                let answer = ApiAnswer::None { failure: Failure::WrongProtocol, detail };
                return Ok(Api::Asked { by: Teller::Network, url: without_query(&told), answer });
            }
        }
    };
    let answer = match answer(&url, env).await? {
        Ok(state) => ApiAnswer::State(state),
        Err((failure, detail)) => ApiAnswer::None { failure, detail },
    };
    Ok(Api::Asked { by, url: WireText::from(url.without_query()), answer })
}

type State = Result<captive::State, (Failure, WireText)>;

async fn answer(url: &WebUrl, env: &Env) -> Result<State, NotMeasured> {
    let addresses = match resolve::lookup(url.host(), url.port(), LOOKUP).await {
        // The page itself says when there is no way out at all.
        Ok(addresses) => dial::usable(addresses, &env.source).unwrap_or_default(),
        Err(failure) => return Ok(Err((failure, WireText::default()))),
    };
    let request = Request { url, accept: MEDIA_TYPE, most: MOST, limit: LIMIT };
    let mut last = (Failure::NoAddress, WireText::default());
    for address in addresses.into_iter().take(API_ADDRESSES as usize) {
        match fetch(address, &request, &env.source, &env.roots, &env.origin).await?.outcome {
            Ok(page) if page.response.is_success() => {
                return Ok(captive::read(&page.body).map_err(|why| (Failure::WrongProtocol, why)));
            }
            Ok(page) => {
                let status = format!("HTTP {} {}", page.response.status, page.response.reason);
                return Ok(Err((Failure::WrongProtocol, WireText::from(status))));
            }
            Err(trouble) => last = (trouble.failure, trouble.detail),
        }
    }
    Ok(Err(last))
}
