//! The keys, over everything else.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::dialog::Dialog;
use crate::judge::Word;
use crate::model::Outcome;
use crate::ui::tui::keys::{HELP, Key, MOUSE};
use crate::ui::tui::pointer::{Hit, Spots};
use crate::ui::tui::theme::Theme;

/// `mouse`: it is golive's.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, mouse: bool, theme: Theme, spots: &mut Spots) {
    let mut dialog = Dialog::default();
    let rows = || HELP.iter().chain(mouse.then_some(&MOUSE));
    for (keys, what) in rows() {
        let keys = Span::styled(format!(" {keys:<17}"), theme.strong());
        dialog.line(Line::from(vec![keys, Span::raw(*what)]));
    }
    // the smallest screen has no row to spare
    if usize::from(area.height) > rows().count() + 4 {
        dialog.gap();
    }
    dialog.line(outcomes(theme));
    dialog.line(verdicts(theme));
    dialog.draw(frame, area, "keys and signs", theme, spots);
    spots.put(area, Hit::Key(Key::Back));
}

fn outcomes(theme: Theme) -> Line<'static> {
    let all = [Outcome::Pass, Outcome::Warn, Outcome::Fail, Outcome::Unknown, Outcome::NotApplicable];
    let spans = all.map(|outcome| {
        Span::styled(format!(" {} {}  ", theme.sign(outcome), outcome.word()), theme.outcome(outcome))
    });
    Line::from(spans.to_vec())
}

fn verdicts(theme: Theme) -> Line<'static> {
    let all = [Word::Go, Word::ConditionalGo, Word::NoGo, Word::Inconclusive];
    let text = all.map(|word| format!("{} {} {}", theme.verdict_sign(word), word.text(), word.exit_code()));
    Line::from(Span::styled(format!(" exit codes: {}", text.join("  ")), theme.faint()))
}
