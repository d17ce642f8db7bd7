//! The way out, station by station, with the one that stops or spoils the stream marked.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{framed, scroll};
use crate::model::Outcome;
use crate::ui::story::{Sight, Stage, Station, Stop, WayOut, ways_out};
use crate::ui::tui::state::{Fit, State};
use crate::ui::tui::theme::Theme;
use crate::ui::tui::wrap::wrap;

/// Cells of a station's sign and name.
const NAME: usize = 16;

/// Draws the part that it is scrolled to; finds out how far it can be.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, theme: Theme, fit: &mut Fit) {
    let width = usize::from(framed(theme, "").inner(area).width);
    let map = Map { state, theme, width };
    let ways = ways_out(&state.story.cards);
    let several = ways.len() > 1;
    let mut lines = Vec::new();
    for way in &ways {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        map.way(way, several, &mut lines);
    }
    if lines.is_empty() {
        lines.push(Line::from(Span::styled(" nothing is asked of the network", theme.faint())));
    }
    scroll::draw(frame, area, "the way out", lines, state, theme, fit);
}

struct Map<'a> {
    state: &'a State,
    theme: Theme,
    width: usize,
}

impl Map<'_> {
    fn way(&self, way: &WayOut, several: bool, lines: &mut Vec<Line<'static>>) {
        if several {
            let path = way.path.as_deref().unwrap_or("default route");
            lines.push(Line::from(Span::styled(format!(" over {path}"), self.theme.strong())));
        }
        let walked = way.stops.iter().any(|stop| matches!(stop.station, Station::Hop(_)));
        for stop in &way.stops {
            if stop.station == Station::FarEnd && !walked {
                lines.push(
                    self.unknown("routers", "not walked: that is done where a port does not let golive in"),
                );
            }
            let (sights, hop) = (&stop.sights, matches!(stop.station, Station::Hop(_)));
            if sights.is_empty() && stop.address.is_none() && !hop {
                lines.push(self.unknown(&name(stop.station), "unknown: nothing was measured here"));
                continue;
            }
            lines.push(self.station(stop));
            let rail = if stop.station == Station::FarEnd { " " } else { self.theme.pick("│", "|") };
            for sight in sights {
                self.sight(sight, rail, lines);
            }
        }
    }

    fn station(&self, stop: &Stop) -> Line<'static> {
        let theme = self.theme;
        let (sign, style) = match worst(&stop.sights) {
            Some(stage) => (theme.stage_sign(stage, self.state.now_ms()), theme.stage(stage)),
            None => (theme.pick("•", "o"), theme.faint()),
        };
        let silent = matches!(stop.station, Station::Hop(_)) && stop.address.is_none();
        let address =
            if silent { "did not say who it is" } else { stop.address.as_deref().unwrap_or_default() };
        let room = NAME.saturating_sub(3);
        let mut spans = vec![
            Span::styled(format!(" {sign} "), style),
            Span::styled(format!("{:<room$}", name(stop.station)), theme.strong()),
            Span::raw(address.to_owned()),
        ];
        if stop.blamed {
            let here = theme.outcome(Outcome::Fail).patch(theme.selected());
            spans.push(Span::raw(if address.is_empty() { "" } else { "  " }));
            spans.push(Span::styled(theme.pick("◀ here", "<== here"), here));
        }
        Line::from(spans)
    }

    /// A stretch of which nothing is known.
    fn unknown(&self, name: &str, why: &str) -> Line<'static> {
        let room = NAME.saturating_sub(3);
        let text = format!(" {} {name:<room$}{why}", self.theme.pick("┊", ":"));
        Line::from(Span::styled(text, self.theme.faint()))
    }

    fn sight(&self, sight: &Sight, rail: &str, lines: &mut Vec<Line<'static>>) {
        let Some(card) = self.state.story.cards.get(sight.card) else { return };
        let theme = self.theme;
        let sign = theme.stage_sign(sight.stage, self.state.now_ms());
        let said = if sight.text.is_empty() { super::stage_text(sight.stage) } else { &sight.text };
        let text = format!("{}: {said}", card.id);
        for (row, line) in wrap(&text, self.width.saturating_sub(NAME + 3)).into_iter().enumerate() {
            let mark = if row == 0 { sign } else { " " };
            lines.push(Line::from(vec![
                Span::styled(format!(" {rail}{}", " ".repeat(NAME - 2)), theme.faint()),
                Span::styled(format!("{mark} "), theme.stage(sight.stage)),
                Span::raw(line),
            ]));
        }
    }
}

fn name(station: Station) -> String {
    match station {
        Station::Machine => "this machine".to_owned(),
        Station::Link => "link".to_owned(),
        Station::Gateway => "gateway".to_owned(),
        Station::Translator => "NAT".to_owned(),
        Station::Between => "in between".to_owned(),
        Station::Hop(number) => format!("router {number}"),
        Station::FarEnd => "far end".to_owned(),
    }
}

/// The worst of what is judged; what is under way, when nothing is.
fn worst(sights: &[Sight]) -> Option<Stage> {
    let rank = |stage: &Stage| match stage {
        Stage::Judged(Outcome::Fail) => 7,
        Stage::Judged(Outcome::Unknown) => 6,
        Stage::Judged(Outcome::Warn) => 5,
        Stage::Judged(Outcome::Pass) => 4,
        Stage::Judged(Outcome::NotApplicable) => 3,
        Stage::Running { .. } => 2,
        Stage::Measured => 1,
        Stage::Waiting => 0,
    };
    sights.iter().map(|sight| sight.stage).max_by_key(rank)
}
