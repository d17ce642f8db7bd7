//! Calls each address of the ingest, one after another: two calls at once with one stream id
//! would be a conflict of our own making.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;

use super::{Attempt, Conclusion, End, HOLD_MS, Induction, PHASE_S, Phase, Reading, Target, Until};
use crate::model::{Cause, Contact, Failure, Family, NotMeasured, Transport, WireText};
use crate::net::unreached::{Refusals, Unreached};
use crate::net::{dial, icmp_error, own_rules, resolve, secret};
use crate::probe::Env;
use crate::wire::srt::{
    BadOptions, Caller, CallerEvent, CallerOptions, Ending, KeyLength, KeyState, Phase as WirePhase, Unusable,
};

/// How long the name's look-up may take.
pub(super) const LOOKUP_S: u8 = 5;
/// Larger than any datagram that the caller looks at.
const DATAGRAM: usize = 2048;

pub(super) async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let options = options(target)?;
    let (host, port) = (target.url.host(), target.url.port());
    let mut reading = Reading {
        method: "SRT handshake version 5 over UDP".to_owned(),
        host: host.to_owned(),
        port,
        until: target.until(),
        with_passphrase: options.passphrase.is_some(),
        asked_latency_ms: target.latency_ms(),
        payload_bytes: u32::try_from(options.payload_bytes).unwrap_or(u32::MAX),
        lookup: None,
        attempts: Vec::new(),
    };
    let lookup = resolve::lookup(host, port, Duration::from_secs(LOOKUP_S.into()));
    let addresses = tokio::select! {
        found = lookup => found,
        () = env.cancel.cancelled() => return Err(NotMeasured::cancelled()),
    };
    match addresses {
        Err(failure) => reading.lookup = Some(failure),
        Ok(addresses) => {
            let mut no_socket = None;
            for remote in addresses {
                let offset_ms = env.origin.ms();
                let attempt = tokio::select! {
                    attempt = call(remote, &options, env) => attempt,
                    () = env.cancel.cancelled() => return Err(NotMeasured::cancelled()),
                };
                match attempt {
                    Ok(mut attempt) => {
                        explain(&mut attempt, env).await;
                        reading.attempts.push(attempt);
                    }
                    // A machine without IPv6 still has IPv4.
                    Err(why) if why.cause == Cause::NoPath => {
                        reading.attempts.push(without_socket(remote, offset_ms, &why));
                        no_socket.get_or_insert(why);
                    }
                    Err(why) => return Err(why),
                }
            }
            if let Some(why) =
                no_socket.filter(|_| reading.attempts.iter().all(|a| a.contact.local.is_none()))
            {
                return Err(why);
            }
        }
    }
    Ok(reading)
}

fn options(target: &Target) -> Result<CallerOptions, NotMeasured> {
    let conclude = target.until() == Until::Conclusion;
    let read = |source| if conclude { Option::map(source, secret::read).transpose() } else { Ok(None) };
    let stream_id = read(target.stream_id.as_ref())?;
    let passphrase = read(target.passphrase.as_ref())?;
    Ok(CallerOptions {
        stream_id,
        passphrase,
        key: target.key_bits.and_then(KeyLength::from_bits),
        latency: Duration::from_millis(target.latency_ms().into()),
        payload_bytes: target.payload_bytes(),
        phase_limit: Duration::from_secs(PHASE_S.into()),
        induction_only: !conclude,
        ..CallerOptions::default()
    })
}

fn bad_options(why: BadOptions) -> NotMeasured {
    let cause = match why {
        BadOptions::StreamId | BadOptions::Passphrase => Cause::NoSecret,
        BadOptions::KeyLength => Cause::Unsupported,
        BadOptions::Range | BadOptions::Peer => Cause::Broken,
    };
    NotMeasured::new(cause, why.to_string(), "correct the target of this check in the policy, or the secret")
}

fn without_socket(remote: SocketAddr, offset_ms: f64, why: &NotMeasured) -> Attempt {
    let detail = why.detail.as_str().into();
    let end = End::Unreached { failure: Failure::NetUnreachable, icmp: None, detail };
    let contact = Contact { remote, local: None, offset_ms, took_ms: 0.0 };
    Attempt { contact, induction: None, conclusion: None, own_rules: None, end }
}

/// By which rule, when it is this machine that forbids it.
async fn explain(attempt: &mut Attempt, env: &Env) {
    if let End::Unreached { failure, icmp, .. } = attempt.end {
        attempt.own_rules =
            own_rules::explain((failure, icmp), &attempt.contact, Transport::Udp, &env.source).await;
    }
}

async fn call(remote: SocketAddr, options: &CallerOptions, env: &Env) -> Result<Attempt, NotMeasured> {
    let seed = getrandom::u64().map_err(|error| {
        NotMeasured::new(
            Cause::Broken,
            format!("no random bytes: {error}"),
            "look at this machine's system log",
        )
    })?;
    let offset_ms = env.origin.ms();
    let contact = Contact { remote, local: None, offset_ms, took_ms: 0.0 };
    let mut attempt =
        Attempt { contact, induction: None, conclusion: None, own_rules: None, end: End::Reached };
    let socket = dial::bound(remote, socket2::Type::DGRAM, &env.source)?;
    let socket = UdpSocket::from_std(socket.into()).map_err(|error| {
        NotMeasured::new(
            Cause::Broken,
            format!("no UDP socket: {error}"),
            "look at this machine's system log",
        )
    })?;
    // Without a route this fails: the address cannot be reached from here, which is a reading.
    icmp_error::keep(&socket, Family::of(remote.ip()), true);
    if let Err(error) = socket.connect(remote).await {
        attempt.end = Unreached::of(&socket, &error).into();
        return Ok(attempt);
    }
    attempt.contact.local = socket.local_addr().ok();
    let now = Instant::now();
    let caller = Caller::new(options.clone(), remote, seed, now).map_err(bad_options)?;
    let mut session =
        Session { socket: &socket, remote, caller, phase_began: now, refusals: Refusals::default(), attempt };
    let end = session.run(options).await;
    session.hang_up().await;
    let answers = session.caller.counts().induction_answers;
    if let Some(induction) = &mut session.attempt.induction {
        induction.answers = answers;
    }
    let mut attempt = session.attempt;
    attempt.end = end;
    attempt.contact.took_ms = env.origin.ms() - offset_ms;
    Ok(attempt)
}

struct Session<'a> {
    socket: &'a UdpSocket,
    remote: SocketAddr,
    caller: Caller,
    phase_began: Instant,
    refusals: Refusals,
    attempt: Attempt,
}

impl Session<'_> {
    /// Drives the call to its end.
    async fn run(&mut self, options: &CallerOptions) -> End {
        let mut held_since: Option<Instant> = None;
        let hold = Duration::from_millis(HOLD_MS.into());
        let mut datagram = [0; DATAGRAM];
        loop {
            let now = Instant::now();
            self.caller.timeout(now);
            while let Some(packet) = self.caller.transmit(now) {
                if let Err(error) = self.socket.send(&packet).await
                    && let Some(end) = self.failed(&error)
                {
                    return end;
                }
            }
            while let Some(event) = self.caller.event() {
                match event {
                    CallerEvent::Inducted(answer) => {
                        self.inducted(&answer);
                        if options.induction_only {
                            return end_of_induction(&answer);
                        }
                    }
                    CallerEvent::Connected(answer) => {
                        self.attempt.conclusion = Some(Conclusion {
                            took_ms: self.phase_ms(),
                            packets: answer.packets,
                            version: format!(
                                "{}.{}.{}",
                                answer.version.0, answer.version.1, answer.version.2
                            ),
                            latency_ms: u64::try_from(answer.latency.as_millis()).unwrap_or(u64::MAX),
                            encrypted: answer.encrypted,
                        });
                        held_since = Some(Instant::now());
                    }
                    CallerEvent::Ended(ending) => return self.end(ending, held_since),
                }
            }
            if held_since.is_some_and(|since| since.elapsed() >= hold) {
                return End::Reached;
            }
            let wake = [self.caller.next_time(), held_since.map(|since| since + hold)];
            let wake = wake.into_iter().flatten().min().unwrap_or(now);
            tokio::select! {
                received = self.socket.recv(&mut datagram) => match received {
                    Ok(length) => {
                        let bytes = datagram.get(..length).unwrap_or_default();
                        self.caller.receive(Instant::now(), self.remote, bytes);
                    }
                    Err(error) => if let Some(end) = self.failed(&error) {
                        return end;
                    },
                },
                () = tokio::time::sleep_until(wake.into()) => {}
            }
        }
    }

    /// What an error of the socket means; lets the first "port unreachable" pass.
    fn failed(&mut self, error: &io::Error) -> Option<End> {
        self.refusals.believe(self.socket, error).map(End::from)
    }

    fn phase_ms(&self) -> f64 {
        self.phase_began.elapsed().as_secs_f64() * 1000.0
    }

    fn inducted(&mut self, answer: &crate::wire::srt::Induction) {
        self.attempt.induction = Some(Induction {
            took_ms: self.phase_ms(),
            packets: answer.packets,
            answers: 1,
            version: answer.version,
            magic: answer.magic == crate::wire::srt::Induction::MAGIC,
            advertised_key_bits: answer.advertised_key.map(KeyLength::bits),
            mtu_bytes: answer.mtu,
        });
        self.phase_began = Instant::now();
    }

    fn end(&self, ending: Ending, held_since: Option<Instant>) -> End {
        let words = |why: &str| End::Unusable { why: why.to_owned() };
        match ending {
            Ending::Silent(phase) => match (phase, self.caller.foreign()) {
                (_, Some(said)) => {
                    End::NotSrt { said: WireText::from_bytes(said), datagrams: self.caller.counts().foreign }
                }
                (WirePhase::Induction, None) => End::Silent(Phase::Induction),
                (WirePhase::Conclusion, None) => End::Silent(Phase::Conclusion),
            },
            Ending::Rejected(why) => End::Rejected { code: why.code(), name: why.name().map(str::to_owned) },
            Ending::KeyRefused(state) => End::KeyRefused { state: key_state(state) },
            Ending::Unusable(why) => End::Unusable { why: unusable(why) },
            Ending::Shutdown | Ending::PeerError(_) | Ending::Idle => End::HungUp {
                after_ms: held_since.map_or(0.0, |since| since.elapsed().as_secs_f64() * 1000.0),
            },
            Ending::Stuck | Ending::Stopped => words("the call was stopped"),
        }
    }

    /// Says farewell, so that the listener is free again at once.
    async fn hang_up(&mut self) {
        let now = Instant::now();
        self.caller.stop(now);
        while let Some(packet) = self.caller.transmit(now) {
            let _ = self.socket.send(&packet).await;
        }
    }
}

fn end_of_induction(answer: &crate::wire::srt::Induction) -> End {
    if answer.is_srt() {
        End::Reached
    } else if answer.version == 5 {
        End::Unusable { why: unusable(Unusable::Magic(answer.magic)) }
    } else {
        End::Unusable { why: unusable(Unusable::Version(answer.version)) }
    }
}

fn key_state(state: KeyState) -> String {
    match state {
        KeyState::NoSecret => "no secret".to_owned(),
        KeyState::BadSecret => "bad secret".to_owned(),
        KeyState::BadMode => "cipher mode differs".to_owned(),
        KeyState::Other(state) => format!("state {state}"),
    }
}

fn unusable(why: Unusable) -> String {
    match why {
        Unusable::Version(version) => format!("it speaks handshake version {version}, not 5"),
        Unusable::Magic(magic) => format!("it answers with 0x{magic:04X} instead of SRT's 0x4A17"),
        Unusable::NoSrtExtension => "its answer has no SRT extension".to_owned(),
        Unusable::FileMode => "it works in file mode, not live mode".to_owned(),
        Unusable::Mtu(bytes) => format!("it takes packets of at most {bytes} bytes"),
        Unusable::Demands => "it demands a packet filter, a group or another congestion control".to_owned(),
        Unusable::KeyMaterial => "it sends other key material back than it got".to_owned(),
        Unusable::Other => "its answer breaks the protocol".to_owned(),
    }
}
