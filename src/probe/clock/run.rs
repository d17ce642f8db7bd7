//! Asks all time servers side by side, then, where none told the time, the web server.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Asked, Dated, NTP, Outcome, Reading, Server, Target, Told, Web};
use crate::model::{Endpoint, Failure, NotMeasured};
use crate::net::sntp::{self, Unanswered};
use crate::net::{dial, https_date, kernel_clock, resolve};
use crate::probe::Env;

const LOOKUP: Duration = Duration::from_secs(5);
/// Requests to each address at most.
pub(super) const REQUESTS: u32 = sntp::REQUESTS;
/// Longest time for the time servers, and for the web server after them, s.
pub(super) fn longest_s() -> (f64, f64) {
    let each = sntp::EVERY.as_secs_f64() * f64::from(REQUESTS);
    // TCP, TLS and the answer at each of two addresses.
    let web = 2.0 * 3.0 * https_date::PATIENCE.as_secs_f64();
    (LOOKUP.as_secs_f64() + each + 1.0, LOOKUP.as_secs_f64() + web)
}

pub(super) async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let work = async {
        let servers = target.servers.iter().map(|named| server(named, env));
        let servers = futures::future::try_join_all(servers).await?;
        let told = servers.iter().flat_map(|server| &server.asked);
        let told = told.filter(|asked| matches!(asked.outcome, Outcome::Told(_))).count();
        let https = match &target.https_date {
            Some(named) if told == 0 => Some(web(named, env).await?),
            _ => None,
        };
        Ok(Reading { servers, https, kernel: kernel_clock::read() })
    };
    tokio::select! {
        () = env.cancel.cancelled() => Err(NotMeasured::cancelled()),
        done = work => done,
    }
}

/// One address of each family, of those that this path can use.
async fn addresses(
    named: &str,
    port: u16,
    env: &Env,
) -> Result<Result<Vec<SocketAddr>, Failure>, NotMeasured> {
    let (host, port) = Endpoint::host_port_or(named, port);
    Ok(match resolve::lookup(&host, port, LOOKUP).await {
        Ok(found) => Ok(resolve::one_of_each_family(dial::usable(found, &env.source)?)),
        Err(failure) => Err(failure),
    })
}

async fn server(named: &str, env: &Env) -> Result<Server, NotMeasured> {
    let mut server = Server { named: named.to_owned(), lookup: None, asked: Vec::new() };
    match addresses(named, NTP, env).await? {
        Err(failure) => server.lookup = Some(failure),
        Ok(addresses) => {
            let asked = addresses.into_iter().map(|remote| sntp::ask(remote, &env.source, &env.origin));
            server.asked = futures::future::try_join_all(asked).await?.into_iter().map(in_words).collect();
        }
    }
    Ok(server)
}

fn in_words(asked: sntp::Asked) -> Asked {
    let outcome = match asked.outcome {
        Ok((answer, ours)) => Outcome::Told(Told {
            offset_ms: answer.offset_ms(ours),
            delay_ms: answer.delay_ms(ours),
            root_distance_ms: answer.root_distance_ms,
            stratum: answer.stratum,
            reference: answer.reference,
        }),
        Err(Unanswered::Failed(failure)) => Outcome::Failed(failure),
        Err(Unanswered::Kiss(word)) => Outcome::Kiss(word),
        Err(Unanswered::Nonsense(why)) => Outcome::Nonsense(why),
    };
    Asked { contact: asked.contact, outcome }
}

/// The first address that tells a date.
async fn web(named: &str, env: &Env) -> Result<Web, NotMeasured> {
    let mut web = Web { named: named.to_owned(), lookup: None, contact: None, failure: None, told: None };
    let addresses = match addresses(named, 443, env).await? {
        Ok(addresses) => addresses,
        Err(failure) => {
            web.lookup = Some(failure);
            return Ok(web);
        }
    };
    let (host, _) = Endpoint::host_port_or(named, 443);
    for remote in addresses {
        let asked = https_date::ask(remote, &host, &env.source, &env.roots, &env.origin).await?;
        web.contact = Some(asked.contact);
        match asked.outcome {
            Ok(told) => {
                (web.failure, web.told) = (None, Some(dated(told)));
                break;
            }
            Err(failure) => web.failure = Some(failure),
        }
    }
    Ok(web)
}

/// The date was the server's at some moment between our request and its answer, and any part of the
/// second that it names may have been over.
#[expect(clippy::cast_precision_loss, reason = "differences; a double holds a century to the microsecond")]
fn dated(told: https_date::Told) -> Dated {
    let date_ns = i128::from(told.date_s) * 1_000_000_000;
    let least = (date_ns - i128::from(told.came_ns)) as f64 / 1e6;
    let most = (date_ns + 1_000_000_000 - i128::from(told.sent_ns)) as f64 / 1e6;
    Dated {
        offset_ms: f64::midpoint(least, most),
        error_ms: (most - least) / 2.0,
        cached: told.cached,
        vouched: told.vouched,
    }
}
