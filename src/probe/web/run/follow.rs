//! Asks for one thing and follows redirections, but only to hosts that the policy names.

use crate::model::{NotMeasured, WireText};
use crate::net::viewer::{Chosen, Exchange, Viewer, Want};
use crate::probe::Env;
use crate::probe::web::reading::{Answer, Head, Step, What};
use crate::probe::web::target::Target;
use crate::wire::http::{Browse, Page, WebUrl, block_page};
use crate::wire::streaming::Span;

/// Requests for one thing: redirections that are followed, and one more.
pub(super) const MAX_HOPS: u32 = 6;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) what: What,
    pub(super) accept: &'static str,
    pub(super) span: Option<Span>,
    /// Bytes that are kept, and read.
    pub(super) keep: usize,
}

/// What came, from where, and when that was at its end.
pub(super) struct Got {
    pub(super) url: WebUrl,
    pub(super) page: Page,
    pub(super) ended_ms: f64,
}

/// One browser, and what it did so far.
pub(super) struct Follow<'a> {
    target: &'a Target,
    env: &'a Env,
    viewer: Viewer<'a>,
    pub(super) began_ms: f64,
    pub(super) steps: Vec<Step>,
}

impl<'a> Follow<'a> {
    pub(super) fn new(target: &'a Target, env: &'a Env, chosen: &'a Chosen) -> Self {
        let viewer = Viewer::new(chosen, &env.source, &env.roots, &env.origin);
        Self { target, env, viewer, began_ms: env.origin.ms(), steps: Vec::new() }
    }

    /// What came at last, if it is a success. Each request leaves its step.
    pub(super) async fn get(&mut self, url: WebUrl, wanted: Wanted) -> Result<Option<Got>, NotMeasured> {
        let mut url = url;
        for _ in 0..MAX_HOPS {
            if !self.target.names(&url) {
                self.steps.push(unnamed(wanted.what, &url));
                return Ok(None);
            }
            let player = self.target.player.as_ref();
            let ask = Browse { url: &url, accept: wanted.accept, span: wanted.span, player };
            let want = Want { keep: wanted.keep, whole: false };
            let exchange = self.viewer.get(&ask, want, |_| {}).await?;
            let (step, page) = self.step(wanted, &url, exchange);
            self.steps.push(step);
            let Some(page) = page else { return Ok(None) };
            let leads = page.response.location.as_ref().and_then(|to| url.join(to.as_str()));
            match leads.filter(|_| (300..400).contains(&page.response.status)) {
                Some(next) => url = next,
                None if page.response.is_success() => {
                    return Ok(Some(Got { url, page, ended_ms: self.env.origin.ms() }));
                }
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    fn step(&self, wanted: Wanted, url: &WebUrl, exchange: Exchange) -> (Step, Option<Page>) {
        let mut step = Step {
            contact: exchange.contact,
            kept: exchange.kept,
            session: exchange.session.filter(|_| !exchange.kept).map(Box::new),
            answered_ms: exchange.answered_ms,
            took_ms: exchange.took_ms,
            ..unnamed(wanted.what, url)
        };
        match exchange.outcome {
            Err(ended) => {
                step.answer = Answer::None(ended);
                (step, None)
            }
            Ok(page) => {
                step.answer = Answer::Page(self.head(wanted, url, &page));
                (step, Some(page))
            }
        }
    }

    fn head(&self, wanted: Wanted, url: &WebUrl, page: &Page) -> Head {
        let response = &page.response;
        let leads = response.location.as_ref().and_then(|to| url.join(to.as_str()));
        let is_text = !matches!(wanted.what, What::Segment | What::Init) || !response.is_success();
        Head {
            status: response.status,
            content_type: response.value("content-type").cloned(),
            bytes: page.length,
            whole: page.whole,
            cut: !page.whole && page.body.len() < wanted.keep,
            allows_player: self.target.player.as_ref().map(|player| {
                let allowed = response.value("access-control-allow-origin").map(WireText::as_str);
                url.origin() == player.origin()
                    || allowed.is_some_and(|allowed| allowed == "*" || allowed == player.origin())
            }),
            product: block_page(page, leads.as_ref()).map(str::to_owned),
            body: if is_text { WireText::from(page.beginning()) } else { WireText::default() },
        }
    }
}

fn unnamed(what: What, url: &WebUrl) -> Step {
    Step {
        what,
        location: WireText::from(url.without_query()),
        host: WireText::from(url.host()),
        contact: None,
        kept: false,
        session: None,
        answered_ms: None,
        took_ms: 0.0,
        answer: Answer::Unnamed,
    }
}
