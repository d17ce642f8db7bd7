//! The selected check: what came out, limit beside measurement, what to do, who must do it,
//! why it matters.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{brief, framed, history, minute, scroll, stage_word, titled};
use crate::model::{Effect, Enforcement, Lane, Outcome};
use crate::ui::story::{Card, FindingText, Stage};
use crate::ui::tui::state::{Fit, State};
use crate::ui::tui::theme::Theme;
use crate::ui::tui::wrap::{cells, wrap};

/// Draws the lines that the state is scrolled to; finds out how far it can be.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    lines: Vec<Line<'static>>,
    state: &State,
    theme: Theme,
    fit: &mut Fit,
) {
    let Some(card) = state.card() else {
        frame.render_widget(framed(theme, titled(theme, "details")), area);
        return;
    };
    let title = format!("{}{}{}", card.id, theme.dot(), card.probe);
    scroll::draw(frame, area, &title, lines, state, theme, fit);
}

/// The lines of the details in a frame of this width; none, when no check is selected.
pub(super) fn lines(state: &State, theme: Theme, width: u16) -> Vec<Line<'static>> {
    let within = usize::from(width.saturating_sub(2));
    state.card().map(|card| Page::of(card, state, theme, within).lines).unwrap_or_default()
}

/// Cells for the name of an entry.
const NAME: usize = 8;

/// The lines of the details, wrapped to a width.
struct Page {
    theme: Theme,
    width: usize,
    lines: Vec<Line<'static>>,
}

impl Page {
    fn of(card: &Card, state: &State, theme: Theme, width: usize) -> Self {
        let mut page = Self { theme, width, lines: Vec::new() };
        page.status(card, state);
        page.not_measured(card);
        let (bad, good): (Vec<_>, Vec<_>) =
            card.findings.iter().partition(|finding| finding.effect != Effect::Pass);
        page.findings(&bad, Effect::Fail);
        page.findings(&bad, Effect::Unknown);
        page.findings(&bad, Effect::Warn);
        page.about(card);
        page.findings(&good, Effect::Pass);
        page.measured(card);
        page.earlier(card, state);
        page
    }

    fn status(&mut self, card: &Card, state: &State) {
        let theme = self.theme;
        let took = state.running_ms(card).map(|ms| format!(" for {}", brief(ms))).unwrap_or_default();
        let sign = theme.stage_sign(card.stage, state.now_ms());
        let word = match card.stage {
            Stage::Judged(outcome) => outcome.word().to_uppercase(),
            _ => stage_word(card).to_owned(),
        };
        let binding = match card.enforcement {
            Enforcement::Advisory => "advisory, never blocks",
            Enforcement::Waivable => "can be waived",
            Enforcement::Hard => "cannot be waived",
        };
        self.lines.push(Line::from(vec![
            Span::styled(format!("{sign} {word}{took}"), theme.stage(card.stage)),
            Span::styled(format!("{}{binding}", theme.dot()), theme.faint()),
        ]));
        if let Some(waived) = &card.waived {
            self.entry("waived", waived, theme.strong());
        }
    }

    fn not_measured(&mut self, card: &Card) {
        if card.never_asked() {
            self.gap();
            let unknown = Outcome::Unknown;
            let text = "never asked: the run ended before its turn";
            self.text(self.theme.sign(unknown), text, self.theme.outcome(unknown));
        }
        let Some(not) = &card.not_measured else { return };
        self.gap();
        let theme = self.theme;
        let title = format!("not measured: {}", not.cause);
        self.text(theme.sign(Outcome::Unknown), &title, theme.outcome(Outcome::Unknown));
        self.entry(" why", &not.detail, Style::new());
        self.entry(" do", &not.remedy, theme.strong());
    }

    fn findings(&mut self, findings: &[&FindingText], effect: Effect) {
        for finding in findings.iter().filter(|finding| finding.effect == effect) {
            self.gap();
            let outcome = Outcome::from(effect);
            let theme = self.theme;
            let title = match &finding.means {
                Some(means) if effect != Effect::Pass => format!("{means} ({})", finding.code),
                _ => finding.code.clone(),
            };
            self.text(theme.sign(outcome), &title, theme.outcome(outcome));
            self.entry(" limit", &finding.expected, Style::new());
            self.entry(" seen", &finding.observed, Style::new());
            self.entry(" do", &finding.remedy, theme.strong());
        }
    }

    fn about(&mut self, card: &Card) {
        self.gap();
        let asks = match &card.path {
            Some(path) => format!("{} over {path}", card.target),
            None => card.target.clone(),
        };
        self.entry("asks", &asks, Style::new());
        self.entry("owner", &card.owned_by(), Style::new());
        self.entry("matters", &card.why, Style::new());
        if card.findings.is_empty() {
            self.limits(card);
        }
        if card.stage == Stage::Waiting && card.seconds > 0.0 {
            self.entry("takes", &format!("about {}", brief(card.seconds * 1000.0)), Style::new());
        }
    }

    /// The limits, none of them broken between its name and its bound.
    fn limits(&mut self, card: &Card) {
        let room = self.width.saturating_sub(NAME);
        let mut lines: Vec<String> = Vec::new();
        for (field, bound) in &card.limits {
            let one = format!("{field} {bound}");
            match lines.last_mut() {
                Some(line) if cells(line) + cells(&one) + 2 <= room => {
                    line.push_str(", ");
                    line.push_str(&one);
                }
                _ => lines.push(one),
            }
        }
        for (row, line) in lines.iter().enumerate() {
            self.entry(if row == 0 { "limits" } else { "" }, line, Style::new());
        }
    }

    fn measured(&mut self, card: &Card) {
        let Some(effort) = &card.effort else { return };
        self.gap();
        let from = effort.source.as_ref().map(|source| format!(" from {source}")).unwrap_or_default();
        let took = match card.lane {
            Lane::Person => String::new(),
            _ => format!(", took {}{from}", brief(effort.took_ms)),
        };
        let carried =
            card.carried.as_ref().map(|run| format!(", carried from run {run}")).unwrap_or_default();
        let text = format!("{}{took}{carried}", minute(effort.started));
        self.entry("when", &text, self.theme.faint());
        if let Some(expires) = card.expires {
            self.entry("counts", &format!("until {}", minute(expires)), self.theme.faint());
        }
    }

    /// What earlier runs of the event said of it, the newest first.
    fn earlier(&mut self, card: &Card, state: &State) {
        for run in state.story.past.runs.iter().filter(|run| run.check(&card.id).is_some()) {
            self.gap();
            self.entry("earlier", &minute(run.at), self.theme.faint());
            self.lines.extend(history::check(run, &card.id, self.theme, self.width));
        }
    }

    fn gap(&mut self) {
        self.lines.push(Line::default());
    }

    /// A sign and a text, the text's lines under one another.
    fn text(&mut self, sign: &str, text: &str, style: Style) {
        let indent = cells(sign) + 1;
        for (row, line) in wrap(text, self.width.saturating_sub(indent)).into_iter().enumerate() {
            let line =
                if row == 0 { format!("{sign} {line}") } else { format!("{}{line}", " ".repeat(indent)) };
            self.lines.push(Line::from(Span::styled(line, style)));
        }
    }

    /// A name and a text, the text's lines under one another; nothing for an empty text.
    fn entry(&mut self, name: &str, text: &str, style: Style) {
        if text.is_empty() {
            return;
        }
        for (row, line) in wrap(text, self.width.saturating_sub(NAME)).into_iter().enumerate() {
            let name = if row == 0 { name } else { "" };
            let pad = " ".repeat(NAME.saturating_sub(cells(name)));
            self.lines.push(Line::from(vec![
                Span::styled(format!("{name}{pad}"), self.theme.faint()),
                Span::styled(line, style),
            ]));
        }
    }
}
