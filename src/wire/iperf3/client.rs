//! The client's side: bytes in, steps out.

use super::results::ours;
use super::state as say;
use super::{COOKIE, Parameters, Refusal, Results};
use crate::model::WireText;

/// Longest JSON that is taken: what a server prints in an hour, as JSON.
pub const MAX_BODY: usize = 8 * 1024 * 1024;
/// An error's code and errno.
const ERROR: usize = 8;

/// How far a test has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The cookie is sent; nothing came yet.
    Greeting,
    /// Parameters are sent.
    Agreeing,
    /// Data streams are being opened.
    Opening,
    /// The test has begun.
    Started,
    /// Data is being sent.
    Running,
    /// The end is told.
    Ending,
    /// Ours are sent; theirs are to come.
    Results,
    /// Theirs came; good-bye is to come.
    Parting,
    /// Nothing more will come.
    Over,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Send this over the control connection.
    Send(Vec<u8>),
    /// Open the data streams, one after the other; each begins with the cookie.
    OpenStreams,
    /// Send data now.
    Run,
    /// The test is over and the server told what it counted.
    Done(Results),
    /// The server refused, or ended it.
    Refused(Refusal),
}

/// A server does not speak this protocol, or not to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    /// A byte that is no state, or none that may come now.
    #[error("not iperf3: byte {byte} while {phase:?}")]
    State {
        /// The byte.
        byte: i8,
        /// How far the test had come.
        phase: Phase,
    },
    /// More JSON than is taken.
    #[error("results of {0} bytes: more than is taken")]
    TooLong(u32),
    /// Not the JSON of results.
    #[error("not iperf3's results: {0}")]
    Results(WireText),
    /// The connection ended in the middle.
    #[error("the server closed the connection while {0:?}")]
    Closed(Phase),
}

/// The machine.
#[derive(Debug)]
pub struct Client {
    parameters: Parameters,
    phase: Phase,
    held: Vec<u8>,
    /// An error was announced and is being read.
    error: bool,
    /// Our results are sent; the server's are being read.
    sums: (Vec<u64>, f64),
    results: Option<Results>,
}

impl Client {
    /// Begins; the bytes are to be sent first.
    pub fn begin(parameters: Parameters, cookie: &[u8; COOKIE]) -> (Self, Vec<u8>) {
        let client = Self {
            parameters,
            phase: Phase::Greeting,
            held: Vec::new(),
            error: false,
            sums: (Vec::new(), 0.0),
            results: None,
        };
        (client, cookie.to_vec())
    }

    /// How far it has come.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Takes bytes of the control connection.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// All was sent, so many bytes on each stream: tells the server. Nothing when no test runs.
    pub fn finish(&mut self, bytes_of_streams: Vec<u64>, seconds: f64) -> Option<Vec<u8>> {
        if !matches!(self.phase, Phase::Started | Phase::Running) {
            return None;
        }
        self.phase = Phase::Ending;
        self.sums = (bytes_of_streams, seconds);
        Some(byte(say::TEST_END))
    }

    /// Tells the server that we give up.
    pub fn give_up(&mut self) -> Vec<u8> {
        self.phase = Phase::Over;
        byte(say::CLIENT_TERMINATE)
    }

    /// The next step, if what came allows one.
    ///
    /// # Errors
    /// What came is not iperf3's protocol; the connection is of no use any more.
    pub fn step(&mut self) -> Result<Option<Step>, BadAnswer> {
        if self.error {
            return Ok(self.read_error(false));
        }
        if self.phase == Phase::Results {
            return self.read_results();
        }
        if self.phase == Phase::Over || self.held.is_empty() {
            return Ok(None);
        }
        let [byte] = self.held.remove(0).to_be_bytes();
        self.enter(byte.cast_signed())
    }

    /// The server closed the connection: what that means.
    ///
    /// # Errors
    /// It closed in the middle of the test.
    pub fn closed(&mut self) -> Result<Option<Step>, BadAnswer> {
        if self.error
            && let Some(step) = self.read_error(true)
        {
            return Ok(Some(step));
        }
        let phase = std::mem::replace(&mut self.phase, Phase::Over);
        match self.results.take() {
            Some(results) if phase == Phase::Parting => Ok(Some(Step::Done(results))),
            _ if phase == Phase::Over => Ok(None),
            _ => Err(BadAnswer::Closed(phase)),
        }
    }

    fn enter(&mut self, state: i8) -> Result<Option<Step>, BadAnswer> {
        let step = match (state, self.phase) {
            (say::ACCESS_DENIED, _) => return Ok(Some(self.refused(Refusal::Busy))),
            (say::SERVER_TERMINATE, _) => return Ok(Some(self.refused(Refusal::Terminated))),
            (say::SERVER_ERROR, _) => {
                self.error = true;
                return self.step();
            }
            (say::PARAM_EXCHANGE, Phase::Greeting) => {
                self.phase = Phase::Agreeing;
                let body = serde_json::to_vec(&self.parameters).unwrap_or_default();
                Step::Send(framed(body))
            }
            (say::CREATE_STREAMS, Phase::Agreeing) => {
                self.phase = Phase::Opening;
                Step::OpenStreams
            }
            (say::TEST_START, Phase::Opening) => {
                self.phase = Phase::Started;
                return self.step();
            }
            (say::TEST_RUNNING, Phase::Started) => {
                self.phase = Phase::Running;
                Step::Run
            }
            (say::EXCHANGE_RESULTS, Phase::Ending) => {
                self.phase = Phase::Results;
                Step::Send(framed(ours(&self.sums.0, self.sums.1)))
            }
            (say::DISPLAY_RESULTS, Phase::Parting) => {
                self.phase = Phase::Over;
                Step::Done(self.results.take().unwrap_or_default())
            }
            (byte, phase) => return Err(BadAnswer::State { byte, phase }),
        };
        Ok(Some(step))
    }

    fn refused(&mut self, why: Refusal) -> Step {
        self.phase = Phase::Over;
        Step::Refused(why)
    }

    /// Some errors come without errno: then the end of the connection ends them.
    fn read_error(&mut self, ended: bool) -> Option<Step> {
        if self.held.len() < ERROR && !ended {
            return None;
        }
        let (code, rest) = self.held.split_first_chunk::<4>()?;
        let errno = rest.first_chunk::<4>().map_or(0, |errno| u32::from_be_bytes(*errno));
        let code = u32::from_be_bytes(*code);
        self.error = false;
        Some(self.refused(Refusal::Error { code, errno }))
    }

    fn read_results(&mut self) -> Result<Option<Step>, BadAnswer> {
        let Some((head, rest)) = self.held.split_first_chunk::<4>() else { return Ok(None) };
        // A length's first byte is 0; an error may come here too.
        if head[0].cast_signed() < 0 {
            self.phase = Phase::Ending;
            return self.step();
        }
        let announced = u32::from_be_bytes(*head);
        let length = usize::try_from(announced).unwrap_or(usize::MAX);
        if length > MAX_BODY {
            return Err(BadAnswer::TooLong(announced));
        }
        let Some(body) = rest.get(..length) else { return Ok(None) };
        let results =
            Results::parse(body).map_err(|error| BadAnswer::Results(WireText::from(error.to_string())))?;
        self.held.drain(..head.len() + length);
        self.results = Some(results);
        self.phase = Phase::Parting;
        self.step()
    }
}

/// The client's last word.
pub(super) const DONE: i8 = say::IPERF_DONE;

impl Client {
    /// What to send after [`Step::Done`].
    pub fn good_bye() -> Vec<u8> {
        byte(DONE)
    }
}

fn byte(state: i8) -> Vec<u8> {
    vec![state.cast_unsigned()]
}

fn framed(body: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    [length.to_be_bytes().to_vec(), body].concat()
}
