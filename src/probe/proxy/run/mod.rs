//! Collects what is said of proxies, then tries the ingest without and through them.

mod reach;
mod scripts;

use std::time::Duration;

use futures::future::try_join_all;
use url::Url;

use super::reading::{Direct, Reading, Said, Says, Teller, Through};
use super::target::{Ingest, Target};
use crate::model::{Cause, Demand, Endpoint, HostPort, NotMeasured, Transport, WireText};
use crate::net::proxy::{self, Connect, Credentials, Door, Named, Word};
use crate::net::{dial, resolve};
use crate::probe::Env;
use crate::wire::http::product;

const METHOD: &str = "what names a proxy here; the ingest asked directly and through each proxy (CONNECT): RTMP's \
                      handshake, or a TLS handshake whose certificate is held against Mozilla's roots";
const LOOKUP: Duration = Duration::from_secs(5);
/// Proxies that are tried, those of the policy first.
const MAX_PROXIES: usize = 6;
const MAX_ADDRESSES: u64 = 2 * resolve::MAX_PER_FAMILY as u64;

pub(super) fn demand(target: &Target) -> Demand {
    let Some(ingest) = target.ingest() else { return Demand::default() };
    let tcp = |place: &HostPort| Endpoint::new(place.host.clone(), place.port, Transport::Tcp);
    let implied = |host: &str, port| Endpoint { implied: true, ..Endpoint::new(host, port, Transport::Tcp) };
    let mut endpoints = vec![tcp(&ingest.place)];
    endpoints
        .extend(target.proxies.iter().map(|proxy| Endpoint::new(&*proxy.host, proxy.port, Transport::Tcp)));
    endpoints.extend(target.script.iter().map(|url| Endpoint::new(url.host(), url.port(), Transport::Tcp)));
    endpoints.push(implied("this machine's proxies", 8080));
    if target.wpad {
        endpoints.push(implied("wpad", 80));
    }
    let (tries, scripts) = (MAX_ADDRESSES + 2 * MAX_PROXIES as u64, scripts::MAX as u64);
    let script = proxy::FETCH.as_secs_f64() * 2.0 + 2.0;
    let through = proxy::LONGEST.as_secs_f64() * 2.0 + reach::LONGEST.as_secs_f64();
    Demand {
        endpoints,
        bytes_up: tries * 8 * 1024 + scripts * 1024,
        bytes_down: tries * 140_000 + scripts * proxy::MOST_OF_SCRIPT as u64,
        packets: tries * 80 + scripts * 1000,
        seconds: 1.5,
        seconds_max: (proxy::SETTINGS + LOOKUP * 2).as_secs_f64() + script * 2.0 + through,
    }
}

pub(super) async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    tokio::select! {
        () = env.cancel.cancelled() => Err(NotMeasured::cancelled()),
        reading = ask(target, env) => reading,
    }
}

/// A proxy to try, and what admits to it.
type Candidate = (proxy::Proxy, Option<Credentials>);

async fn ask(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let broken =
        || NotMeasured::new(Cause::Broken, "the target's URL is none", "correct the URL in the policy");
    let ingest = target.ingest().ok_or_else(broken)?;
    // What programs make of a destination that they reach by CONNECT.
    let destination = Url::parse(&format!("https://{}/", ingest.place)).map_err(|_| broken())?;
    let (direct, told) =
        tokio::join!(Box::pin(direct(&ingest, env)), Box::pin(told(target, &destination, env)));
    let Told { said, scripts, candidates } = told;
    let through = candidates.iter().map(|candidate| Box::pin(through(&ingest, candidate, env)));
    Ok(Reading {
        method: METHOD.to_owned(),
        url: target.url.clone(),
        through: try_join_all(through).await?,
        direct: direct?,
        said,
        scripts,
    })
}

async fn direct(ingest: &Ingest, env: &Env) -> Result<Direct, NotMeasured> {
    match resolve::lookup(&ingest.place.host, ingest.place.port, LOOKUP).await {
        Err(failure) => Ok(Direct { lookup: Some(failure), attempts: Vec::new() }),
        Ok(addresses) => {
            let addresses = dial::usable(addresses, &env.source)?;
            let attempts = addresses.into_iter().map(|at| reach::direct(at, ingest, env));
            Ok(Direct { lookup: None, attempts: try_join_all(attempts).await? })
        }
    }
}

/// What is said of proxies, and which to try.
#[derive(Default)]
struct Told {
    said: Vec<Said>,
    scripts: Vec<super::Script>,
    candidates: Vec<Candidate>,
}

impl Told {
    fn say(&mut self, teller: Teller, place: &str, says: Says) {
        self.said.push(Said { teller, place: WireText::from(place), says });
    }

    fn proxy(&mut self, teller: Teller, place: &str, candidate: Candidate) {
        let says = Says::Proxy { url: candidate.0.clone(), secret: candidate.1.is_some() };
        self.say(teller, place, says);
        let has_room = self.candidates.len() < MAX_PROXIES;
        match self.candidates.iter_mut().find(|(known, _)| *known == candidate.0) {
            Some((_, credentials)) => *credentials = credentials.take().or(candidate.1),
            None if has_room => self.candidates.push(candidate),
            None => {}
        }
    }
}

async fn told(target: &Target, destination: &Url, env: &Env) -> Told {
    let mut told = Told::default();
    for proxy in &target.proxies {
        told.proxy(Teller::Policy, "proxies", (proxy.clone(), None));
    }
    let mut scripts = scripts::Wanted::new(target);
    for named in proxy::environment(destination) {
        hear(&mut told, &mut scripts, Teller::Environment, named);
    }
    match proxy::settings(destination.clone()).await {
        Ok(all) => all.into_iter().for_each(|named| hear(&mut told, &mut scripts, Teller::Machine, named)),
        Err(why) => {
            let why = WireText::from(why);
            told.say(Teller::Machine, "settings", Says::Unreadable { why });
        }
    }
    scripts.run(&mut told, target, destination, env).await;
    told
}

fn hear(told: &mut Told, scripts: &mut scripts::Wanted, teller: Teller, named: Named) {
    let says = match named.word {
        Word::Proxy(proxy, credentials) => {
            told.proxy(teller, &named.place, (proxy, credentials));
            return;
        }
        Word::Exempt => Says::Direct,
        Word::Discover => Says::Discover,
        Word::Unreadable(why) => Says::Unreadable { why },
        Word::Script(url) => {
            scripts.at(teller, url);
            Says::Script
        }
        Word::InlineScript(script) => {
            scripts.inline(teller, script);
            Says::Script
        }
    };
    told.say(teller, &named.place, says);
}

async fn through(
    ingest: &Ingest,
    (proxy, credentials): &Candidate,
    env: &Env,
) -> Result<Through, NotMeasured> {
    let door = Door {
        proxy,
        credentials: credentials.as_ref(),
        source: &env.source,
        roots: &env.roots,
        origin: &env.origin,
    };
    let opened = proxy::open(&door, &ingest.place).await?;
    let mut through = Through {
        url: proxy.clone(),
        credentials: credentials.is_some(),
        contact: opened.contact,
        product: named(&opened.connect),
        connect: opened.connect,
        on_443: None,
        reached: None,
    };
    match opened.tunnel {
        Some(tunnel) => through.reached = Some(reach::over(tunnel, ingest, env).await),
        None if refuses(&through.connect) && ingest.place.port != 443 => {
            let witness = HostPort { host: ingest.place.host.clone(), port: 443 };
            through.on_443 = Some(proxy::open(&door, &witness).await?.connect);
        }
        None => {}
    }
    Ok(through)
}

const fn refuses(connect: &Connect) -> bool {
    matches!(connect, Connect::Answered { status, .. } if *status != 407)
}

fn named(connect: &Connect) -> Option<String> {
    let Connect::Answered { names_itself, page, .. } = connect else { return None };
    let said = names_itself.iter().chain(std::iter::once(page)).map(WireText::as_str);
    product(said).map(str::to_owned)
}
