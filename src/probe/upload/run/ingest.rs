//! To an RTMP ingest, with a test stream of the test's cap. It counts nothing back, so what was acknowledged
//! is all there is.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::{addresses_of, bare, is_out_of_reach, look_again, sending_time, too_thin, unsent};
use crate::model::{Cause, Contact, Failure, NotMeasured, Publish, Secret, WireText};
use crate::net::encoder::{self, Asked, End, Filled, Plan, Ready, Way};
use crate::net::tcp_info::TcpInfo;
use crate::net::{congestion, secret};
use crate::probe::Env;
use crate::probe::upload::kernel::Kernel;
use crate::probe::upload::{Attempt, Ending, Ingest, Reading, Sender, Target};
use crate::wire::rtmp::address::Address;

/// An ingest that hangs up so soon, in milliseconds, does not want the stream; no line is tested by that.
const AT_ONCE_MS: f64 = 2000.0;
/// The stream is so much larger than the test's cap, in percent, to which the kernel paces it: so there is
/// always something to send.
const MORE: u64 = 106;

pub(super) async fn measure(target: &Target, env: &Env, ingest: &Ingest) -> Result<Reading, NotMeasured> {
    let wrong = |why: String| NotMeasured::new(Cause::Broken, why, "correct the target in the policy");
    let address = Address::parse(&ingest.url).map_err(|why| wrong(format!("the ingest's URL: {why}")))?;
    if ingest.publish != Publish::Test {
        return Err(wrong("the policy does not allow a test stream to this ingest".to_owned()));
    }
    let key = secret::read(&ingest.test_key)?;
    let test = Test { target, env, address: &address };
    let (admitted, attempts) = tokio::select! {
        () = env.cancel.cancelled() => return Err(NotMeasured::cancelled()),
        admitted = test.admitted(&key) => admitted?,
    };
    test.fill(admitted, attempts).await
}

/// A connection on which the ingest takes a stream.
struct Admitted {
    ready: Ready,
    contact: Contact,
    congestion: Option<String>,
    paced: bool,
}

/// What is kept of the kernel's figures while the thread sends.
struct Watching {
    kernel: Kernel,
    target: Target,
    /// The answer is certain: nothing more needs to be sent.
    certain: bool,
    shown: usize,
    show: encoder::Watch,
}

impl Watching {
    fn look(&mut self, offset_ms: f64, info: Option<TcpInfo>) -> ControlFlow<()> {
        let Some(info) = info else { return ControlFlow::Break(()) };
        self.kernel.look(offset_ms, &[info]);
        if let Some(rtt_ms) = info.rtt_ms {
            (self.show)("rtt_ms", offset_ms, rtt_ms);
        }
        let slots = &self.kernel.acknowledged.slots;
        let over = slots.len().saturating_sub(1);
        let whole = slots.get(..over).unwrap_or_default();
        for (slot, bytes) in whole.iter().enumerate().skip(self.shown) {
            let (at_ms, kbps) = super::drawn(slot, *bytes);
            (self.show)("upload_kbps", at_ms, kbps);
        }
        // Stays so: the last look, at the end, has no fresh slot.
        self.certain |= over > self.shown && is_out_of_reach(&self.target, whole);
        self.shown = over.max(self.shown);
        if self.certain { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[derive(Clone, Copy)]
struct Test<'a> {
    target: &'a Target,
    env: &'a Env,
    address: &'a Address,
}

impl Test<'_> {
    /// The first address that takes the stream, and all that were asked.
    async fn admitted(self, key: &Secret) -> Result<(Admitted, Vec<Attempt>), NotMeasured> {
        let way = Way {
            address: self.address,
            source: &self.env.source,
            roots: &self.env.roots,
            origin: &self.env.origin,
        };
        let most = self.target.at_most_kbps.saturating_mul(125);
        let (mut attempts, mut words) = (Vec::new(), Vec::new());
        for remote in addresses_of(&self.address.host, self.address.port, self.env).await? {
            let mut paced = false;
            let prepare = |socket: &socket2::Socket| {
                congestion::ask(socket, self.target.congestion);
                congestion::keep_unsent_below(socket, unsent(most));
                paced = congestion::pace(socket, most);
            };
            let Asked { contact, congestion, outcome, .. } =
                encoder::admit(&way, remote, key.clone(), prepare).await?;
            match outcome {
                Ok(ready) => {
                    attempts.push(Attempt { contact: contact.clone(), failure: None });
                    return Ok((Admitted { ready, contact, congestion, paced }, attempts));
                }
                Err(why) => {
                    words.push(format!("{remote}: {why}"));
                    attempts.push(Attempt { contact, failure: Some(Failure::Refused) });
                }
            }
        }
        let detail = format!("{} takes no test stream: {}", self.target.peer(), words.join("; "));
        let remedy = "check the ingest's address and the test key; the check `rtmp` says more";
        Err(NotMeasured::new(Cause::FarEnd, detail, remedy))
    }

    async fn fill(self, admitted: Admitted, attempts: Vec<Attempt>) -> Result<Reading, NotMeasured> {
        let Admitted { ready, contact, congestion, paced } = admitted;
        let idle_rtt_ms = vec![contact.took_ms];
        let plan = Plan {
            kbps: self.target.at_most_kbps / 100 * MORE,
            length: sending_time(self.target, &idle_rtt_ms),
            most_bytes: u64::MAX,
        };
        let mut watching = self.watching();
        let work = move |stop: &encoder::Stop| {
            let look = |offset_ms: f64, info| watching.look(offset_ms, info);
            let filled = encoder::fill(ready, &plan, stop, look);
            (filled, watching)
        };
        let (filled, watching) =
            encoder::on_thread(work, self.env.cancel.cancelled()).await.ok_or_else(|| {
                NotMeasured::new(Cause::Broken, "the sending thread broke", "report this defect of golive")
            })?;
        if watching.kernel.last.and_then(|info| info.bytes_acked).is_none() {
            return Err(super::no_acknowledgements());
        }
        if matches!(filled.end, End::Closed { .. } | End::Refused { .. }) && filled.took_ms < AT_ONCE_MS {
            let detail = format!("{} consented, and hung up at the first pictures", self.target.peer());
            let remedy = "ask the platform whether this test key may publish; the check `rtmp` says more";
            return Err(NotMeasured::new(Cause::FarEnd, detail, remedy));
        }
        let ending = ending(&filled, contact.remote, self.env).await;
        let ending = if watching.certain { too_thin(self.target, ending) } else { ending };
        let sender = Sender {
            written_bytes: filled.written_bytes,
            late_ms: filled.late_ms,
            paced,
            ..watching.kernel.sender()
        };
        let reading = Reading {
            method: "a test stream over one TCP connection to the ingest, counted by what was acknowledged"
                .to_owned(),
            congestion,
            idle_rtt_ms,
            loaded_rtt: watching.kernel.loaded_rtt,
            sender,
            ..bare(self.target, attempts, contact, ending)
        };
        super::acknowledged(self.target, watching.kernel.acknowledged, filled.took_ms, reading)
    }

    fn watching(self) -> Watching {
        let (progress, start_ms) = (self.env.progress.clone(), self.env.origin.ms());
        let show: encoder::Watch = Arc::new(move |series, at_ms, value| {
            progress.sample(series, start_ms + at_ms, value);
        });
        Watching { kernel: Kernel::default(), target: self.target.clone(), certain: false, shown: 0, show }
    }
}

/// What the stream's end says of the line.
async fn ending(filled: &Filled, remote: SocketAddr, env: &Env) -> Ending {
    let what = match &filled.end {
        End::Complete | End::Collapsed => return Ending::Complete,
        End::Cancelled => return Ending::Cancelled,
        End::Refused { code, description } => {
            return Ending::FarEndEnded { why: WireText::from(format!("{code}: {description}")) };
        }
        End::SendTimedOut | End::Silent => "nothing was taken any more".to_owned(),
        End::Closed { reset: true } => "the connection was reset".to_owned(),
        End::Closed { reset: false } => "the connection was closed".to_owned(),
        End::Broken { problem } => problem.to_string(),
    };
    look_again(remote, filled.silent_ms, &what, env).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_certain_stays_so_at_the_last_look() {
        let server = crate::model::HostPort::try_from("192.0.2.1:1935".to_owned()).unwrap();
        let target = Target { stop_below_kbps: Some(3_000), ..Target::to_iperf3(server, 60, 6_000) };
        let show: encoder::Watch = Arc::new(|_, _, _| {});
        let mut watching = Watching { kernel: Kernel::default(), target, certain: false, shown: 0, show };
        let mut look = |ms: u32| {
            let info = TcpInfo { bytes_acked: Some(u64::from(ms) * 125), ..TcpInfo::default() };
            watching.look(f64::from(ms), Some(info)).is_break()
        };
        let ended = (0..60_000).step_by(20).find(|ms| look(*ms)).unwrap();
        assert!(ended < 20_000, "{ended}");
        look(ended + 1);
        assert!(watching.certain);
    }
}
