//! To an iperf3 server over TCP. It tells its sum at the end only, so what was acknowledged is
//! the series, and the sum says whether acknowledgements can be believed.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::load::{Load, Spent};
use super::{
    LAST_WORD, addresses_of, attempts, connections, dial_any, is_out_of_reach, look_again, of_load,
    sending_time, too_thin, unconfirmed,
};
use crate::model::{Cause, Contact, Failure, HostPort, NotMeasured, WireText};
use crate::net::failure::classify;
use crate::net::far_end::{Missed, PATIENCE};
use crate::probe::Env;
use crate::probe::upload::{Ending, Reading, Target, Total};
use crate::wire::iperf3::{BadAnswer, COOKIE, Client, Parameters, Phase, Refusal, Results, Step, cookie};

/// The kernel's figures are looked at so often, in milliseconds: gaps are known within that.
const LOOK_MS: u64 = 20;
/// How long what is on its way may take to be acknowledged before the end is told.
const DRAIN: Duration = Duration::from_secs(2);

/// How often a busy server is asked, and how long between.
const GREETINGS: u32 = 3;
const A_MOMENT: Duration = Duration::from_secs(1);

const RUNS: &str = "start `iperf3 -s` there, and let TCP to this host and port through";

/// The control connection of a test.
#[derive(Debug)]
pub(super) struct Server {
    stream: TcpStream,
    client: Client,
    buffer: Vec<u8>,
    shown: String,
    /// What each data stream begins with.
    pub(super) cookie: [u8; COOKIE],
    /// Addresses and time of the handshake.
    pub(super) contact: Contact,
    /// Addresses tried in vain.
    pub(super) missed: Vec<Missed>,
}

/// What a server's silence or word came to.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It refused, by name.
    Refused(Refusal),
    /// It does not speak the protocol, or not to its end.
    Bad(BadAnswer),
    /// The control connection failed.
    Lost(Failure),
}

impl Server {
    /// Connects, gives the cookie and the parameters, and comes back when data streams are to be
    /// opened. A server that is busy is asked again: it needs a moment after each test.
    pub(super) async fn agree(
        server: &HostPort,
        parameters: Parameters,
        env: &Env,
    ) -> Result<Self, NotMeasured> {
        for _ in 1..GREETINGS {
            match Self::greet(server, parameters.clone(), env).await? {
                (agreed, Ok(())) => return Ok(agreed),
                (_, Err(Trouble::Refused(Refusal::Busy))) => tokio::time::sleep(A_MOMENT).await,
                (refused, Err(trouble)) => return Err(refused.not_measured(&trouble)),
            }
        }
        let (last, outcome) = Self::greet(server, parameters, env).await?;
        outcome.map_err(|trouble| last.not_measured(&trouble)).map(|()| last)
    }

    async fn greet(
        server: &HostPort,
        parameters: Parameters,
        env: &Env,
    ) -> Result<(Self, Result<(), Trouble>), NotMeasured> {
        let shown = format!("the iperf3 server {server}");
        let addresses = addresses_of(&server.host, server.port, env).await?;
        let (dialled, missed) = dial_any(&addresses, env, &shown, RUNS, |_| {}).await?;
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| {
            NotMeasured::new(Cause::Broken, format!("no random bytes: {error}"), "report this")
        })?;
        let cookie = cookie(random);
        let (client, first) = Client::begin(parameters, &cookie);
        let mut server = Self {
            stream: dialled.stream,
            client,
            buffer: vec![0; 16 * 1024],
            shown,
            cookie,
            contact: dialled.contact,
            missed,
        };
        let outcome = match server.say(&first).await {
            Ok(()) => server.await_step().await,
            Err(trouble) => Err(trouble),
        };
        let outcome = outcome.and_then(|step| match step {
            Step::OpenStreams => Ok(()),
            _ => Err(Trouble::Lost(Failure::WrongProtocol)),
        });
        Ok((server, outcome))
    }

    /// Where it is.
    pub(super) const fn remote(&self) -> SocketAddr {
        self.contact.remote
    }

    /// Data streams are there: waits until it lets data come.
    pub(super) async fn await_start(&mut self) -> Result<(), NotMeasured> {
        match self.await_step().await {
            Ok(Step::Run) => Ok(()),
            Ok(_) => Err(self.not_measured(&Trouble::Lost(Failure::WrongProtocol))),
            Err(trouble) => Err(self.not_measured(&trouble)),
        }
    }

    pub(super) async fn say(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        match timeout(PATIENCE, self.stream.write_all(bytes)).await {
            Ok(sent) => sent.map_err(|error| Trouble::Lost(classify(&error))),
            Err(_) => Err(Trouble::Lost(Failure::TimedOut)),
        }
    }

    /// The next step that is not only an answer of ours. May be dropped between steps.
    pub(super) async fn next(&mut self) -> Result<Step, Trouble> {
        loop {
            match self.client.step().map_err(Trouble::Bad)? {
                Some(Step::Send(bytes)) => self.say(&bytes).await?,
                Some(Step::Refused(why)) => return Err(Trouble::Refused(why)),
                Some(step) => return Ok(step),
                None => {
                    let read = self.stream.read(&mut self.buffer).await;
                    match read.map_err(|error| Trouble::Lost(classify(&error)))? {
                        0 => match self.client.closed().map_err(Trouble::Bad)? {
                            Some(Step::Refused(why)) => return Err(Trouble::Refused(why)),
                            Some(step) => return Ok(step),
                            None => return Err(Trouble::Lost(Failure::Closed)),
                        },
                        count => self.client.receive(self.buffer.get(..count).unwrap_or_default()),
                    }
                }
            }
        }
    }

    async fn await_step(&mut self) -> Result<Step, Trouble> {
        timeout(PATIENCE, self.next()).await.unwrap_or(Err(Trouble::Lost(Failure::TimedOut)))
    }

    /// Tells the end, so many bytes on each stream; what the server counted.
    pub(super) async fn finish(
        &mut self,
        written: Vec<u64>,
        seconds: f64,
        patience: Duration,
    ) -> Result<Results, Trouble> {
        let finish = async {
            if let Some(end) = self.client.finish(written, seconds) {
                self.say(&end).await?;
            }
            match self.next().await? {
                Step::Done(results) => {
                    let _ = self.say(&Client::good_bye()).await;
                    Ok(results)
                }
                _ => Err(Trouble::Lost(Failure::WrongProtocol)),
            }
        };
        timeout(patience, finish).await.unwrap_or(Err(Trouble::Lost(Failure::TimedOut)))
    }

    /// Leaves in the middle, and says so.
    pub(super) async fn give_up(&mut self) {
        let bytes = self.client.give_up();
        let _ = timeout(Duration::from_millis(500), self.stream.write_all(&bytes)).await;
    }

    /// Nothing was measured.
    pub(super) fn not_measured(&self, trouble: &Trouble) -> NotMeasured {
        let shown = &self.shown;
        let (detail, remedy) = match trouble {
            Trouble::Refused(why) => (format!("{shown} {why}"), why.remedy()),
            Trouble::Bad(BadAnswer::Closed(Phase::Greeting)) => (
                format!("{shown} closed the connection without a word"),
                "look at what the server printed: it may be busy, or something in between closed it",
            ),
            Trouble::Bad(BadAnswer::Closed(Phase::Opening)) => (
                format!(
                    "{shown} closed the connection before the test began, as iperf3 does when the rate \
                     is beyond its limit"
                ),
                "lower `at_most_kbps` to what the server allows (`--server-bitrate-limit`), or take another one",
            ),
            Trouble::Bad(bad) => (
                format!("{shown}: {bad}"),
                "make sure that iperf3 (not iperf 2) listens there, and ask the network team whether a \
                 proxy or firewall answers in its place",
            ),
            Trouble::Lost(failure) => (
                format!("{shown}, after the TCP handshake: {failure}"),
                "look at what the server printed, then run the check again",
            ),
        };
        NotMeasured::new(Cause::FarEnd, detail, remedy)
    }
}

impl Trouble {
    /// How a test that had begun ended.
    pub(super) async fn ending(&self, remote: SocketAddr, silent_ms: f64, env: &Env) -> Ending {
        match self {
            Self::Refused(why) => {
                Ending::FarEndEnded { why: WireText::from(format!("the iperf3 server {why}")) }
            }
            Self::Bad(bad) => look_again(remote, silent_ms, &format!("control: {bad}"), env).await,
            Self::Lost(failure) => look_again(remote, silent_ms, &format!("control: {failure}"), env).await,
        }
    }
}

pub(super) async fn measure(target: &Target, env: &Env, server: &HostPort) -> Result<Reading, NotMeasured> {
    let mut test = tokio::select! {
        () = env.cancel.cancelled() => return Err(NotMeasured::cancelled()),
        test = Test::prepare(target, env, server) => test?,
    };
    let ending = test.send().await;
    test.reading(ending)
}

struct Test<'a> {
    target: &'a Target,
    env: &'a Env,
    server: Server,
    load: Load<'a>,
    total: Option<Total>,
    shown: usize,
}

impl<'a> Test<'a> {
    async fn prepare(target: &'a Target, env: &'a Env, server: &HostPort) -> Result<Self, NotMeasured> {
        let parameters = Parameters::tcp(target.seconds, target.streams, target.at_most_kbps);
        let mut server = Server::agree(server, parameters, env).await?;
        let mut load = Load::new(target, env, LOOK_MS)?;
        for _ in 0..target.streams {
            load.open(server.remote(), server.cookie.to_vec(), target).await?;
            load.send_heads().await.map_err(|failure| server.not_measured(&Trouble::Lost(failure)))?;
        }
        server.await_start().await?;
        load.start();
        if load.kernel.last.and_then(|info| info.bytes_acked).is_none() {
            server.give_up().await;
            return Err(super::no_acknowledgements());
        }
        Ok(Self { target, env, server, load, total: None, shown: 0 })
    }

    fn idle_rtt_ms(&self) -> Vec<f64> {
        vec![self.server.contact.took_ms]
    }

    async fn send(&mut self) -> Ending {
        let end = self.load.started + sending_time(self.target, &self.idle_rtt_ms());
        loop {
            let spent = tokio::select! {
                () = self.env.cancel.cancelled() => {
                    self.server.give_up().await;
                    return Ending::Cancelled;
                }
                // Nothing is to come here until the end is told: it refuses, or it is gone.
                word = self.server.next() => {
                    let trouble = word.err().unwrap_or(Trouble::Lost(Failure::WrongProtocol));
                    return trouble.ending(self.server.remote(), self.load.silent_ms(), self.env).await;
                }
                spent = self.load.step(end) => spent,
            };
            let over = self.load.show_acknowledged(self.shown);
            let fresh = std::mem::replace(&mut self.shown, over) < over;
            let slots = self.load.kernel.acknowledged.slots.get(..over).unwrap_or_default();
            if fresh && is_out_of_reach(self.target, slots) {
                let ending = self.finish().await;
                return too_thin(self.target, ending);
            }
            let what = match spent {
                None => continue,
                Some(Spent::Done) => return self.finish().await,
                Some(Spent::Broken(failure)) => format!("data: {failure}"),
                Some(Spent::Silence) => "nothing was acknowledged any more".to_owned(),
            };
            // Its reason may lie in the control connection already.
            if let Ok(Err(trouble @ Trouble::Refused(_))) =
                timeout(Duration::from_millis(300), self.server.next()).await
            {
                return trouble.ending(self.server.remote(), 0.0, self.env).await;
            }
            return look_again(self.server.remote(), self.load.silent_ms(), &what, self.env).await;
        }
    }

    /// Lets what is on its way arrive, since the server stops to read at the end; then compares.
    async fn finish(&mut self) -> Ending {
        let deadline = Instant::now() + DRAIN;
        while !self.load.is_all_acknowledged() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
            self.load.look();
        }
        let seconds = self.load.offset_ms() / 1000.0;
        match self.server.finish(self.load.written(), seconds, LAST_WORD).await {
            Ok(results) => {
                self.load.look();
                self.total = Some(Total {
                    received_bytes: results.bytes(),
                    acknowledged_bytes: self.load.kernel.acknowledged.total(),
                });
                Ending::Complete
            }
            Err(trouble) => {
                unconfirmed(trouble.ending(self.server.remote(), self.load.silent_ms(), self.env).await)
            }
        }
    }

    fn reading(mut self, ending: Ending) -> Result<Reading, NotMeasured> {
        let offset_ms = self.load.offset_ms();
        let counted = std::mem::take(&mut self.load.kernel.acknowledged);
        let attempts = attempts(&self.server.missed, &self.server.contact);
        let idle_rtt_ms = self.idle_rtt_ms();
        let reading = Reading {
            method: format!(
                "{} to an iperf3 server, counted by what its TCP acknowledged",
                connections(self.target)
            ),
            idle_rtt_ms,
            total: self.total,
            ..of_load(self.load, self.target, attempts, ending)
        };
        super::acknowledged(self.target, counted, offset_ms, reading)
    }
}
