//! The only part of the UI that touches a terminal, a clock or a signal. It has a thread of
//! its own, so that a slow terminal never delays what is being measured.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossterm::event::{Event as Input, EventStream};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, execute, terminal};
use futures::StreamExt as _;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use super::errand::Clerk;
use super::form::Stroke;
use super::keys::Key;
use super::signals::{Signal, Signals};
use super::state::{Action, Fit, Phase, State, Watching};
use super::theme::{Palette, Theme};
use super::view;
use crate::run::earlier::Earlier;
use crate::run::people::{Desk, Said};
use crate::run::{Event, crash};
use crate::ui::story::Charset;

/// Shortest time between two drawings.
const FRAME: Duration = Duration::from_millis(50);
/// How often what moves by itself is drawn.
const TURN: Duration = Duration::from_millis(125);
/// Most events taken in before the next drawing.
const BATCH: usize = 4096;

/// What to watch, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// A run or a recording.
    pub watching: Watching,
    /// Signs and colours.
    pub theme: Theme,
    /// How fast the viewer's clock runs, for a recording; 1 is real time.
    pub speed: f64,
}

impl Options {
    /// Signs and colours from the environment (`LC_ALL`, `LC_CTYPE`, `LANG`, `TERM`, `NO_COLOR`,
    /// `GOLIVE_THEME`), unless a theme is asked for. An error names the themes that there are.
    pub fn from_env(watching: Watching, asked: Option<Palette>) -> Result<Self, String> {
        Ok(Self { watching, theme: theme_from_env(asked)?, speed: 1.0 })
    }
}

fn theme_from_env(asked: Option<Palette>) -> Result<Theme, String> {
    let var = |name| std::env::var(name).ok();
    let charset = Charset::from_locale(
        var("LC_ALL").as_deref(),
        var("LC_CTYPE").as_deref(),
        var("LANG").as_deref(),
        var("TERM").as_deref(),
    );
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
            let _raw = Raw::enter()?;
            runtime.block_on(self.show())
        };
        // Input is read by a thread that may be waiting: leave it behind.
        runtime.shutdown_background();
        shown
    }

    async fn show(mut self) -> io::Result<()> {
        let Options { watching, theme, speed } = self.options;
        let mut terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        let mut state = State::new(theme.charset, watching);
        state.story.remember(&std::mem::take(&mut self.beside.earlier));
        let (mut input, mut signals) = (EventStream::new(), Signals::new()?);
        let origin = Instant::now();
        let mut drawn: Option<Instant> = None;
        let mut due = Some(Duration::ZERO);
        loop {
            let happened = tokio::select! {
                biased;
                () = self.leave.cancelled() => return Ok(()),
                signal = signals.next() => Happened::Signal(signal),
                input = input.next() => Happened::Input(input.transpose()?),
                event = self.events.recv(), if self.open => Happened::Event(event),
                () = sleep(due), if due.is_some() => Happened::Time,
            };
            state.tick(origin.elapsed().as_secs_f64() * 1000.0 * speed);
            let changed = !matches!(happened, Happened::Time);
            if self.take_in(happened, &mut state, &mut terminal)? {
                return Ok(());
            }
            let wait = drawn.map_or(Duration::ZERO, |at| FRAME.saturating_sub(at.elapsed()));
            if changed && !wait.is_zero() {
                due = Some(wait);
                continue;
            }
            let mut fit = Fit::default();
            terminal.draw(|frame| fit = view::draw(frame, &state, theme))?;
            state.fit(fit);
            drawn = Some(Instant::now());
            due = state.moving().then_some(TURN);
        }
    }

    /// True when the screen is to be left.
    fn take_in<B>(
        &mut self,
        happened: Happened,
        state: &mut State,
        terminal: &mut Terminal<B>,
    ) -> io::Result<bool>
    where
        B: ratatui::backend::Backend<Error = io::Error>,
    {
        let key = match happened {
            Happened::Signal(Signal::Leave) => {
                self.cancel.cancel();
                return Ok(true);
            }
            Happened::Signal(Signal::Interrupt) => Some(Key::Interrupt),
            Happened::Signal(Signal::Continued) => {
                enter()?;
                terminal.clear()?;
                None
            }
            // The keyboard went away: nobody is left to press q.
            Happened::Input(None) => return Ok(true),
            Happened::Input(Some(Input::Key(key))) if state.form.is_some() => {
                if let Some(said) = Stroke::from_event(&key).and_then(|stroke| state.stroke(stroke)) {
                    self.say(said);
                }
                None
            }
            Happened::Input(Some(Input::Key(key))) if state.sheet.is_some() => {
                let errand = Stroke::from_event(&key).and_then(|stroke| state.fill(stroke));
                if let (Some(errand), Some(clerk)) = (errand, &mut self.beside.clerk) {
                    state.told(clerk.carry_out(&errand));
                }
                None
            }
            Happened::Input(Some(Input::Key(key))) if state.search.typing => {
                if let Some(stroke) = Stroke::from_event(&key) {
                    state.seek(stroke);
                }
                None
            }
            Happened::Input(Some(Input::Key(key))) => Key::from_event(&key),
            Happened::Event(event) => return Ok(self.events(event, state)),
            Happened::Time | Happened::Input(Some(_)) => None,
        };
        if let Some(said) = key.and_then(|key| state.waiting(key)) {
            self.say(said);
        }
        match key.map(|key| state.key(key)) {
            Some(Action::Quit) => return Ok(true),
            Some(Action::Cancel) => self.cancel.cancel(),
            Some(Action::None) | None => {}
        }
        Ok(false)
    }

    /// A run that no longer listens needs no answer.
    fn say(&self, said: Said) {
        if let Some(desk) = &self.beside.desk {
            let _ = desk.send(said);
        }
    }

    /// An event and all that wait behind it. True when there is nothing left to watch.
    fn events(&mut self, first: Option<Event>, state: &mut State) -> bool {
        let Some(first) = first else {
            self.open = false;
            state.end();
            return state.phase == Phase::Cut && state.watching == Watching::Run;
        };
        state.apply(&first);
        for _ in 0..BATCH {
            match self.events.try_recv() {
                Ok(event) => state.apply(&event),
                Err(_) => break,
            }
        }
        false
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

/// True while the terminal is ours.
static OURS: AtomicBool = AtomicBool::new(false);
/// What panicked while the terminal was ours, to be said after it is given back.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn enter() -> io::Result<()> {
    terminal::enable_raw_mode()?;
    OURS.store(true, Ordering::SeqCst);
    execute!(io::stdout(), EnterAlternateScreen, cursor::Hide)
}

/// Gives the terminal back, if it is ours; before ending the process early, call this.
pub fn restore() {
    if !OURS.swap(false, Ordering::SeqCst) {
        return;
    }
    let _ = execute!(io::stdout(), LeaveAlternateScreen, cursor::Show);
    let _ = terminal::disable_raw_mode();
    let mut panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
    for panic in panics.drain(..) {
        let _ = writeln!(io::stderr(), "{panic}");
    }
}

/// The terminal in raw mode on its alternate screen; dropping it gives the terminal back, also
/// when drawing panics.
struct Raw;

impl Raw {
    fn enter() -> io::Result<Self> {
        if !io::stdout().is_terminal() {
            return Err(io::Error::other("stdout is not a terminal: use --plain or --json"));
        }
        keep_panics_off_the_screen();
        let raw = Self;
        enter()?;
        Ok(raw)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore();
    }
}

/// While the terminal is ours, a panic's text would be written across the screen, and a panic
/// in a probe is no reason to end the screen (it becomes a "not measured"). So the text is
/// kept until the terminal is given back; a panic of the process's own end gives it back first.
fn keep_panics_off_the_screen() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if OURS.load(Ordering::SeqCst) && std::thread::current().name() == Some("main") {
                restore();
            }
            if OURS.load(Ordering::SeqCst) {
                let mut panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
                panics.push(crash::hear(info));
                panics.truncate(16);
            } else {
                before(info);
            }
        }));
    });
}
