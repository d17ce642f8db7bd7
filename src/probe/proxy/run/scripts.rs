//! Finds proxy scripts, fetches and runs them.

use std::time::Duration;

use url::Url;

use super::Told;
use crate::model::{Failure, WireText};
use crate::net::proxy::{self, Step};
use crate::net::{dhcp, resolve};
use crate::probe::Env;
use crate::probe::proxy::reading::{Says, Script, ScriptAnswer, Teller};
use crate::probe::proxy::target::Target;
use crate::wire::captive::without_query;
use crate::wire::http::WebUrl;

const LOOKUP: Duration = Duration::from_secs(3);
/// Scripts that are run.
pub(super) const MAX: usize = 4;

/// A script to run.
enum Source {
    At(WebUrl),
    Inline(String),
    Nowhere(String),
}

/// Scripts to run, each once.
pub(super) struct Wanted(Vec<(Teller, Source)>);

impl Wanted {
    pub(super) fn new(target: &Target) -> Self {
        Self(target.script.iter().map(|url| (Teller::Policy, Source::At(url.clone()))).collect())
    }

    pub(super) fn at(&mut self, teller: Teller, url: String) {
        let source = WebUrl::try_from(url.clone()).map_or(Source::Nowhere(url), Source::At);
        self.0.push((teller, source));
    }

    pub(super) fn inline(&mut self, teller: Teller, script: String) {
        self.0.push((teller, Source::Inline(script)));
    }

    /// Looks for more on the network where the policy lets it, then runs all, and hears what they say.
    pub(super) async fn run(mut self, told: &mut Told, target: &Target, destination: &Url, env: &Env) {
        if target.wpad {
            self.discover(told, env).await;
        }
        self.0.truncate(MAX);
        let ran = self.0.into_iter().map(|(teller, source)| one(teller, source, destination, env));
        for (script, steps) in futures::future::join_all(ran).await {
            for step in steps {
                match step {
                    Step::Direct => told.say(Teller::Script, script.url.as_str(), Says::Direct),
                    Step::Proxy(proxy) => told.proxy(Teller::Script, script.url.as_str(), (proxy, None)),
                }
            }
            told.scripts.push(script);
        }
    }

    /// DHCP's word first, then the name: as the draft has it.
    async fn discover(&mut self, told: &mut Told, env: &Env) {
        if let Some(url) = dhcp::noted(&env.source).options.proxy_script {
            told.say(Teller::Dhcp, "option 252", Says::Script);
            self.at(Teller::Dhcp, url);
        } else if resolve::lookup("wpad", 80, LOOKUP).await.is_ok() {
            told.say(Teller::Dns, "wpad", Says::Script);
            self.at(Teller::Dns, proxy::WPAD.to_owned());
        }
    }
}

async fn one(teller: Teller, source: Source, destination: &Url, env: &Env) -> (Script, Vec<Step>) {
    let (url, text) = match source {
        Source::At(url) => (
            WireText::from(url.without_query()),
            proxy::fetch_script(&url, &env.source, &env.roots, &env.origin).await,
        ),
        Source::Inline(text) => (WireText::from("written into the settings"), Ok((text, None))),
        Source::Nowhere(url) => {
            let detail = WireText::from("it is no web address");
            (without_query(&url), Err((Failure::WrongProtocol, detail)))
        }
    };
    let script = |answer| Script { teller, url: url.clone(), answer };
    let (text, own) = match text {
        Ok(text) => text,
        Err((failure, detail)) => return (script(ScriptAnswer::NotFetched { failure, detail }), Vec::new()),
    };
    let destination = destination.clone();
    let ran = tokio::task::spawn_blocking(move || proxy::run(&text, &destination, own)).await;
    match ran.unwrap_or(Err("the interpreter broke")) {
        Err(why) => (script(ScriptAnswer::Failed { why: WireText::from(why) }), Vec::new()),
        Ok(steps) => {
            let words = steps.iter().map(|step| match step {
                Step::Direct => WireText::from("DIRECT"),
                Step::Proxy(proxy) => WireText::from(proxy.to_string()),
            });
            (script(ScriptAnswer::Ways(words.collect())), steps)
        }
    }
}
