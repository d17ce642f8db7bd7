//! Everything that the terminal UI shows and remembers. Pure: events and keys go in,
//! [`Action`]s come out; nothing blocks, nothing asks a clock.

mod listing;
mod matrix;
mod pointer;
mod sheet;
mod time;

use super::form::{Form, Pressed, Stroke};
use super::keys::Key;
use super::page::Page;
use super::pointer::Spots;
use super::sheet::Sheet;
use crate::model::Outcome;
use crate::run::Event;
use crate::run::people::Said;
use crate::ui::story::{Card, Charset, Stage, Story};
pub use listing::{Filter, Search};
use matrix::Step;
pub use pointer::Meant;
use sheet::Wanted;

/// What is being watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watching {
    /// A run that can be stopped.
    Run,
    /// A recording: leaving it stops nothing.
    Recording,
}

/// What the terminal must do after a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing but draw again.
    None,
    /// Ask the run to stop, keeping what was measured.
    Cancel,
    /// Give the terminal back.
    Quit,
    /// Give the terminal back until golive is woken.
    Suspend,
}

/// What lies over the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlay {
    /// Nothing.
    None,
    /// The help.
    Help,
    /// "Stop the run?"
    StopQuestion,
}

/// How the watching goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nobody here asked the run to stop.
    Going,
    /// The user asked the run to stop.
    Stopping,
    /// The events ended without a verdict.
    Cut,
}

/// What a drawing found out: how far things can be scrolled, and what lies where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fit {
    /// Lines of details beyond what fits.
    pub beyond: usize,
    /// Lines of details that fit.
    pub page: usize,
    /// What can be clicked.
    pub spots: Spots,
}

/// The state.
#[derive(Debug, Clone)]
pub struct State {
    /// What the events told.
    pub story: Story,
    /// What is being watched.
    pub watching: Watching,
    /// The mouse is golive's, and the help says so.
    pub mouse: bool,
    /// What the middle of the screen shows.
    pub page: Page,
    /// Index of the selected card.
    pub selected: usize,
    /// Lines that the details are scrolled down.
    pub scroll: usize,
    /// How many charts the user went on by.
    pub chart: usize,
    /// Which checks are listed.
    pub filter: Filter,
    /// What is looked for in them.
    pub search: Search,
    /// What lies over the screen.
    pub overlay: Overlay,
    /// How the watching goes on.
    pub phase: Phase,
    /// Questions to people, being answered.
    pub form: Option<Form>,
    /// What is being filled in, once the run is over.
    pub sheet: Option<Sheet>,
    /// A word to the user, until the next key.
    pub notice: Option<&'static str>,
    /// Row and column of the matrix that were gone to.
    cell: (usize, usize),
    /// No check is at that cell.
    at_nothing: bool,
    follow: bool,
    fit: Fit,
    now_ms: f64,
    base_ms: f64,
    ended_ms: Option<f64>,
}

impl State {
    /// Nothing has happened yet.
    pub fn new(charset: Charset, watching: Watching) -> Self {
        Self {
            story: Story::new(charset),
            watching,
            mouse: true,
            page: Page::Checks,
            selected: 0,
            scroll: 0,
            chart: 0,
            filter: Filter::All,
            search: Search::default(),
            overlay: Overlay::None,
            phase: Phase::Going,
            form: None,
            sheet: None,
            notice: None,
            cell: (0, 0),
            at_nothing: false,
            follow: true,
            fit: Fit::default(),
            now_ms: 0.0,
            base_ms: 0.0,
            ended_ms: None,
        }
    }

    /// The viewer's clock, in milliseconds from any origin; never runs backwards.
    pub fn tick(&mut self, now_ms: f64) {
        if now_ms.is_finite() {
            self.now_ms = self.now_ms.max(now_ms);
        }
    }

    /// Takes in one event.
    pub fn apply(&mut self, event: &Event) {
        self.story.apply(event);
        match event {
            Event::RunStarted(_) => {
                (self.selected, self.scroll, self.follow) = (0, 0, true);
                self.begin();
            }
            Event::RunResumed { .. } => self.begin(),
            Event::RunFinished { .. } => {
                let took = self.story.took_ms();
                self.ended_ms = Some(took.map_or(self.now_ms, |ms| self.base_ms + ms));
                self.drop_question();
                self.form = None;
            }
            _ => {}
        }
        if matches!(event, Event::Sample { .. }) {
            return;
        }
        if self.follow {
            self.follow_run();
        }
    }

    fn begin(&mut self) {
        self.base_ms = self.now_ms;
        self.ended_ms = None;
    }

    /// The events ended. Without a verdict, the screen says so.
    pub fn end(&mut self) {
        if self.story.ending.is_none() {
            self.phase = Phase::Cut;
        }
        self.ended_ms.get_or_insert(self.now_ms);
        self.drop_question();
    }

    /// There is nothing left to stop.
    fn drop_question(&mut self) {
        if self.overlay == Overlay::StopQuestion {
            self.overlay = Overlay::None;
        }
    }

    /// Takes in a key.
    pub fn key(&mut self, key: Key) -> Action {
        self.settle();
        self.notice = None;
        if self.overlay == Overlay::StopQuestion {
            self.overlay = Overlay::None;
            return match key {
                Key::Yes | Key::Quit | Key::Interrupt => self.cancel(),
                _ => Action::None,
            };
        }
        match key {
            Key::Quit if self.can_stop() => self.overlay = Overlay::StopQuestion,
            Key::Interrupt if self.can_stop() => return self.cancel(),
            Key::Quit | Key::Interrupt => return Action::Quit,
            Key::Suspend if self.running() => {
                self.notice = Some("not put to sleep: that would spoil what is being measured");
            }
            Key::Suspend => return Action::Suspend,
            Key::Help if self.overlay == Overlay::None => self.overlay = Overlay::Help,
            Key::Back if self.overlay == Overlay::None => self.search = Search::default(),
            Key::Help | Key::Back => self.overlay = Overlay::None,
            Key::Up => self.go(-1),
            Key::Down => self.go(1),
            Key::First => self.go(isize::MIN),
            Key::Last => self.go(isize::MAX),
            Key::Left | Key::Right if self.page != Page::Matrix => {}
            Key::Left => self.step_cell(Step::Columns(-1)),
            Key::Right => self.step_cell(Step::Columns(1)),
            Key::Done if self.page == Page::Matrix => self.show_cell(),
            Key::NextPage => self.open(self.page.beside(true)),
            Key::PreviousPage => self.open(self.page.beside(false)),
            Key::Page(tab) => self.open(Page::at(tab).unwrap_or(self.page)),
            Key::Sign => self.open_sheet(Wanted::Signature),
            Key::Waive => self.open_sheet(Wanted::Waiver),
            Key::Export => self.open_sheet(Wanted::Export),
            Key::Again => self.open_sheet(Wanted::Again),
            Key::PageUp => self.scroll = self.scroll.saturating_sub(self.fit.page.max(1)),
            Key::PageDown => self.scroll = (self.scroll + self.fit.page.max(1)).min(self.fit.beyond),
            Key::Filter => self.next_filter(),
            Key::Search => self.open_search(),
            Key::Chart => self.chart = self.chart.wrapping_add(1),
            Key::Follow => {
                self.follow = true;
                self.follow_run();
                self.settle();
            }
            Key::Answer => self.open_form(),
            Key::Yes | Key::Done | Key::Other => {}
        }
        Action::None
    }

    fn open(&mut self, page: Page) {
        (self.page, self.scroll, self.chart) = (page, 0, 0);
    }

    /// So many checks, cells or lines up or down.
    fn go(&mut self, by: isize) {
        match self.page {
            Page::Checks => self.step(by),
            Page::Matrix => self.step_cell(Step::Rows(by)),
            Page::WayOut | Page::History => {
                self.scroll = self.scroll.saturating_add_signed(by).min(self.fit.beyond);
            }
        }
    }

    /// True while answers are taken: a run is under way, or its report waits for them.
    fn takes_answers(&self) -> bool {
        self.running() && self.phase == Phase::Going
    }

    fn open_form(&mut self) {
        if !self.takes_answers() {
            self.notice = Some("the run is over: answer with golive attest");
            return;
        }
        self.form = self.story.policy().and_then(|policy| Form::new(policy, &self.story));
        if self.form.is_none() {
            self.notice = Some("the policy asks nothing of people");
        }
    }

    /// Takes in a key while the form is open, or while the report waits; what the run is to be told.
    pub fn stroke(&mut self, stroke: Stroke) -> Option<Said> {
        let now = self.story.opening.as_ref().map(|opening| opening.at);
        let form = self.form.as_mut()?;
        match form.press(stroke, now) {
            Pressed::Typed => Some(Said::Busy),
            Pressed::Closed => {
                self.form = None;
                Some(Said::Busy)
            }
            Pressed::Answered(given) => {
                let next = self.story.policy().and_then(|policy| Form::after(policy, &self.story, &given));
                self.form = next;
                Some(Said::Answer(given))
            }
        }
    }

    /// What a key means to a report that waits for people.
    pub fn waiting(&self, key: Key) -> Option<Said> {
        if self.story.asking.is_empty() || !self.takes_answers() || self.overlay != Overlay::None {
            return None;
        }
        Some(if key == Key::Done { Said::Done } else { Said::Busy })
    }

    /// Takes in what the last drawing found out.
    pub fn fit(&mut self, fit: Fit) {
        self.scroll = self.scroll.min(fit.beyond);
        self.fit = fit;
    }

    /// True while a run is under way on this machine.
    pub fn running(&self) -> bool {
        self.watching == Watching::Run && self.moving()
    }

    /// True while a key could ask the run to stop.
    pub fn can_stop(&self) -> bool {
        self.running() && self.phase == Phase::Going
    }

    /// True while anything on screen moves by itself.
    pub fn moving(&self) -> bool {
        self.story.ending.is_none() && self.phase != Phase::Cut
    }

    fn cancel(&mut self) -> Action {
        self.phase = Phase::Stopping;
        Action::Cancel
    }

    /// Looks at what runs; once it is over, at the worst, else at what has a chart.
    fn follow_run(&mut self) {
        let cards = &self.story.cards;
        let running = |card: &Card| matches!(card.stage, Stage::Running { .. });
        let worst = |outcome: Outcome| cards.iter().position(|card| card.outcome() == Some(outcome));
        let found = if self.story.ending.is_some() {
            let bad = [Outcome::Fail, Outcome::Unknown, Outcome::Warn].into_iter().find_map(worst);
            bad.or_else(|| cards.iter().rposition(|card| !card.traces.is_empty())).or(Some(0))
        } else if cards.get(self.selected).is_some_and(running) {
            None
        } else {
            cards.iter().position(running)
        };
        if let Some(index) = found {
            self.select(index);
        }
    }
}
