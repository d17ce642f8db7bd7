//! The only part of the UI that touches a terminal, a clock or a signal. It has a thread of
//! its own, so that a slow terminal never delays what is being measured.

mod raw;

use std::io;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossterm::event::{Event as Input, EventStream};
use futures::StreamExt as _;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use super::errand::{Clerk, Done};
use super::form::Stroke;
use super::keys::Key;
use super::pointer::Pointer;
use super::signals::{self, Signal, Signals};
use super::state::{Action, Fit, Meant, Phase, State, Watching};
use super::theme::{Palette, Theme};
use super::view;
use crate::run::Event;
use crate::run::earlier::Earlier;
use crate::run::people::{Desk, Said};
use crate::ui::story::Charset;
pub use raw::restore;
use raw::{Raw, enter};

/// Shortest time between two drawings.
const FRAME: Duration = Duration::from_millis(50);
/// How often what moves by itself is drawn.
const TURN: Duration = Duration::from_millis(125);
/// Longest that events are taken in without a look at the keyboard.
const BATCH: Duration = Duration::from_millis(25);

/// What to watch, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// A run or a recording.
    pub watching: Watching,
    /// Signs and colours.
    pub theme: Theme,
    /// How fast the viewer's clock runs, for a recording; 1 is real time.
    pub speed: f64,
    /// The mouse is golive's; else the terminal's, which selects text with it.
    pub mouse: bool,
}

impl Options {
    /// Signs and colours from the environment (`LC_ALL`, `LC_CTYPE`, `LANG`, `TERM`, `NO_COLOR`,
    /// `GOLIVE_THEME`), unless a theme is asked for; with the mouse, unless `GOLIVE_NO_MOUSE` is set and not
    /// empty. An error names the themes that there are.
    pub fn from_env(watching: Watching, asked: Option<Palette>) -> Result<Self, String> {
        let mouse = std::env::var_os("GOLIVE_NO_MOUSE").is_none_or(|value| value.is_empty());
        Ok(Self { watching, theme: theme_from_env(asked)?, speed: 1.0, mouse })
    }
}

fn theme_from_env(asked: Option<Palette>) -> Result<Theme, String> {
    let var = |name| std::env::var(name).ok();
    let charset = if cfg!(windows) {
        let (session, program) = (var("WT_SESSION"), var("TERM_PROGRAM"));
        Charset::from_windows(session.as_deref(), program.as_deref(), var("TERM").as_deref())
    } else {
        let (all, ctype, lang) = (var("LC_ALL"), var("LC_CTYPE"), var("LANG"));
        Charset::from_locale(all.as_deref(), ctype.as_deref(), lang.as_deref(), var("TERM").as_deref())
    };
    let palette = Palette::choose(asked, var("NO_COLOR").as_deref(), var("GOLIVE_THEME").as_deref())?;
    Ok(Theme { palette, charset })
}

/// What belongs to a run beside its events.
#[derive(Debug, Default)]
pub struct Beside {
    /// Hears the answers that are typed.
    pub desk: Option<Desk>,
    /// Does what is asked for once the run is over.
    pub clerk: Option<Box<dyn Clerk>>,
    /// Earlier runs of the event.
    pub earlier: Earlier,
}

/// Shows a run until the user leaves, a signal ends it, or the run's side goes away without
/// a verdict. `cancel` is cancelled when the user asks the run to stop.
pub async fn run(
    events: UnboundedReceiver<Event>,
    cancel: CancellationToken,
    beside: Beside,
    options: Options,
) -> io::Result<()> {
    let leave = CancellationToken::new();
    let (tell, told) = tokio::sync::oneshot::channel();
    let screen = Screen { events, cancel, beside, leave: leave.clone(), options, open: true };
    let thread = std::thread::Builder::new().name("screen".to_owned()).spawn(move || {
        let _ = tell.send(screen.on_its_own_runtime());
    })?;
    // Dropped early (the caller panicked or gave up), it still gives the terminal back.
    let _guard = Thread { leave, thread: Some(thread) };
    told.await.unwrap_or_else(|_| Err(io::Error::other("the terminal UI broke")))
}

/// Ends the screen's thread and waits for it.
struct Thread {
    leave: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.leave.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Screen {
    events: UnboundedReceiver<Event>,
    cancel: CancellationToken,
    beside: Beside,
    leave: CancellationToken,
    options: Options,
    /// The run's side of the channel is there.
    open: bool,
}

impl Screen {
    fn on_its_own_runtime(self) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shown = {
            let _raw = Raw::enter(self.options.mouse)?;
            runtime.block_on(self.show())
        };
        // Input is read by a thread that may be waiting: leave it behind.
        runtime.shutdown_background();
        shown
    }

    async fn show(mut self) -> io::Result<()> {
        let Options { watching, theme, speed, mouse } = self.options;
        let mut terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        let mut state = State::new(theme.charset, watching);
        state.mouse = mouse;
        state.story.remember(&std::mem::take(&mut self.beside.earlier));
        let (mut input, mut signals) = (EventStream::new(), Signals::new()?);
        let origin = Instant::now();
        let mut drawn: Option<Instant> = None;
        let mut due = Some(Duration::ZERO);
        // something changed that is not drawn yet: events wait for the drawing, which takes them in
        let mut pending = false;
        loop {
            let happened = tokio::select! {
                biased;
                () = self.leave.cancelled() => return Ok(()),
                signal = signals.next() => Happened::Signal(signal),
                input = input.next() => Happened::Input(input.transpose()?),
                event = self.events.recv(), if self.open && !pending => Happened::Event(event),
                () = sleep(due), if due.is_some() => Happened::Time,
            };
            state.tick(origin.elapsed().as_secs_f64() * 1000.0 * speed);
            let changed = !matches!(happened, Happened::Time);
            match self.take_in(happened, &mut state) {
                Next::GoOn => {}
                Next::Leave => return Ok(()),
                Next::Sleep if !asleep(&mut signals).await? => {
                    self.cancel.cancel();
                    return Ok(());
                }
                Next::Sleep | Next::TakeBack => {
                    enter(mouse)?;
                    // not `clear`: it asks the terminal where the cursor is, and the answer would come in
                    // between keys, or never
                    let size = terminal.size()?;
                    terminal.resize(size.into())?;
                }
            }
            let wait = drawn.map_or(Duration::ZERO, |at| FRAME.saturating_sub(at.elapsed()));
            pending = changed && !wait.is_zero();
            if pending {
                due = Some(wait);
                continue;
            }
            state.settle();
            let mut fit = Fit::default();
            terminal.draw(|frame| fit = view::draw(frame, &state, theme))?;
            state.fit(fit);
            drawn = Some(Instant::now());
            due = state.moving().then_some(TURN);
        }
    }

    fn take_in(&mut self, happened: Happened, state: &mut State) -> Next {
        let meant = match happened {
            Happened::Signal(Signal::Leave) => {
                self.cancel.cancel();
                return Next::Leave;
            }
            Happened::Signal(Signal::Interrupt) => Some(Meant::Key(Key::Interrupt)),
            Happened::Signal(Signal::Sleep) => Some(Meant::Key(Key::Suspend)),
            Happened::Signal(Signal::Continued) => return Next::TakeBack,
            // The keyboard went away: nobody is left to press q.
            Happened::Input(None) => return Next::Leave,
            Happened::Input(Some(Input::Key(key))) => state.meant(&key),
            Happened::Input(Some(Input::Mouse(mouse))) => {
                Pointer::from_event(&mouse).and_then(|pointer| state.point(pointer))
            }
            Happened::Event(Some(event)) => {
                state.apply(&event);
                self.take_in_waiting(state);
                None
            }
            Happened::Event(None) => {
                self.open = false;
                state.end();
                let nothing_left = state.phase == Phase::Cut && state.watching == Watching::Run;
                return if nothing_left { Next::Leave } else { Next::GoOn };
            }
            Happened::Time => {
                self.take_in_waiting(state);
                None
            }
            Happened::Input(Some(_)) => None,
        };
        match meant {
            Some(Meant::Key(key)) => self.key(key, state),
            Some(Meant::Stroke(stroke)) => self.stroke(stroke, state),
            None => Next::GoOn,
        }
    }

    fn key(&mut self, key: Key, state: &mut State) -> Next {
        if let Some(said) = state.waiting(key) {
            self.say(said);
        }
        match state.key(key) {
            Action::Quit => return Next::Leave,
            Action::Suspend => match signals::may_sleep() {
                Ok(()) => return Next::Sleep,
                Err(why) => state.notice = Some(why),
            },
            Action::Cancel => self.cancel.cancel(),
            Action::None => {}
        }
        Next::GoOn
    }

    /// A key for what is being filled in or typed.
    fn stroke(&mut self, stroke: Stroke, state: &mut State) -> Next {
        if state.form.is_some() {
            if let Some(said) = state.stroke(stroke) {
                self.say(said);
            }
        } else if state.sheet.is_some() {
            if let (Some(errand), Some(clerk)) = (state.fill(stroke), &mut self.beside.clerk) {
                match clerk.carry_out(&errand) {
                    Ok(Done::Leave) => return Next::Leave,
                    Ok(Done::Said(done)) => state.told(Ok(done)),
                    Err(why) => state.told(Err(why)),
                }
            }
        } else if state.search.typing {
            state.seek(stroke);
        }
        Next::GoOn
    }

    /// A run that no longer listens needs no answer.
    fn say(&self, said: Said) {
        if let Some(desk) = &self.beside.desk {
            let _ = desk.send(said);
        }
    }

    /// The events that wait.
    fn take_in_waiting(&mut self, state: &mut State) {
        let begun = Instant::now();
        while let Ok(event) = self.events.try_recv() {
            state.apply(&event);
            if begun.elapsed() > BATCH {
                break;
            }
        }
    }
}

/// What is to be done about it.
enum Next {
    GoOn,
    /// Others used the terminal: take it, and draw all of it again.
    TakeBack,
    /// Give the terminal back until golive is woken.
    Sleep,
    Leave,
}

/// Gives the terminal back and sleeps. False when golive was woken to end.
async fn asleep(signals: &mut Signals) -> io::Result<bool> {
    restore();
    signals::sleep()?;
    // This thread may run on for a moment: the terminal is taken back when golive was woken, not before.
    loop {
        match signals.next().await {
            Signal::Continued => return Ok(true),
            Signal::Leave => return Ok(false),
            Signal::Interrupt | Signal::Sleep => {}
        }
    }
}

/// What the screen waits for.
enum Happened {
    Signal(Signal),
    Input(Option<Input>),
    Event(Option<Event>),
    Time,
}

async fn sleep(time: Option<Duration>) {
    tokio::time::sleep(time.unwrap_or_default()).await;
}
