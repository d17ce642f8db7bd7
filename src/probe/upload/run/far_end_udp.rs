//! To a golive far end over UDP, at an even rate: it counts what arrives, and reports every 100 ms.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{
    LAST_WORD, LAST_WORD_CANCELLED, attempts, bare, byte_budget, is_out_of_reach, sample, too_thin,
    wanted_slots,
};
use crate::model::{Cause, Contact, FarEnd, NotMeasured, WireText};
use crate::net::burst::{self, Sent};
use crate::net::dial;
use crate::net::far_end::{Control, Lost};
use crate::probe::Env;
use crate::probe::upload::tally::Tally;
use crate::probe::upload::{DATAGRAM, Datagrams, Ending, Reading, Sender, Target};
use crate::wire::control::{Ended, Reply, Request, datagram};

/// How long datagrams on their way may take: the queue of a slow line.
const DRAIN: Duration = Duration::from_secs(1);
/// Nothing arrived for so long from the start on: UDP does not get through.
const NOTHING: Duration = Duration::from_secs(4);

/// How the far end's side went.
struct Heard {
    tally: Tally,
    /// Its last word: how, datagrams, its own timer's lateness.
    last: Option<(Ended, u64, u64)>,
    lost: Option<Lost>,
}

pub(super) async fn measure(target: &Target, env: &Env, far_end: &FarEnd) -> Result<Reading, NotMeasured> {
    let prepared = tokio::select! {
        () = env.cancel.cancelled() => return Err(NotMeasured::cancelled()),
        prepared = prepare(target, env, far_end) => prepared?,
    };
    let (mut control, idle_rtt_ms, mut sending, data) = prepared;
    let started = Instant::now();
    let start_ms = env.origin.ms();
    let mut heard = Heard { tally: Tally::default(), last: None, lost: None };
    let mut certain = false;
    let cancelled = loop {
        tokio::select! {
            () = env.cancel.cancelled() => break true,
            () = sending.done() => break false,
            () = tokio::time::sleep_until(started + NOTHING), if heard.tally.slots.is_empty() => break false,
            reply = control.next() => match reply {
                Ok(reply) => {
                    if heard.hear(&reply, target, env, start_ms) {
                        break false;
                    }
                    certain = is_out_of_reach(target, &heard.tally.slots);
                    if certain {
                        break false;
                    }
                }
                Err(lost) => { heard.lost = Some(lost); break false }
            },
        }
    };
    let sent = sending.stop().await;
    if heard.last.is_none() && heard.lost.is_none() {
        let patience = if cancelled { LAST_WORD_CANCELLED } else { LAST_WORD };
        heard.await_end(&mut control, target, env, start_ms, patience).await;
    }
    let ending = ending(&heard, cancelled);
    let ending = if certain { too_thin(target, ending) } else { ending };
    reading(target, (control, idle_rtt_ms, data), &sent, heard, ending)
}

async fn prepare(
    target: &Target,
    env: &Env,
    far_end: &FarEnd,
) -> Result<(Control, Vec<f64>, burst::Sending, Contact), NotMeasured> {
    let mut control = Control::connect(far_end, &env.source, &env.origin).await?;
    let idle_rtt_ms = control.ping(10, Duration::from_millis(40)).await?;
    let budget = byte_budget(target);
    let packets = budget / u64::from(DATAGRAM) + 1;
    let (ticket, grant) = control.open_datagrams(target.seconds + 60, budget, packets).await?;
    if grant.bytes < budget || grant.packets < packets || grant.seconds < target.seconds + 5 {
        let detail = format!(
            "the far end allows {} s, {} bytes and {} packets a session; this test takes {} s and up to {budget} bytes",
            grant.seconds, grant.bytes, grant.packets, target.seconds
        );
        let remedy = "ask for less in the policy, or start `golive far-end` with larger caps";
        return Err(NotMeasured::new(Cause::FarEnd, detail, remedy));
    }
    let socket = dial::udp(control.remote(), &env.source).await?;
    let data = Contact { local: socket.local_addr().ok(), ..control.contact.clone() };
    let plan = burst::Plan {
        payload: DATAGRAM.into(),
        kbps: target.at_most_kbps,
        // A little longer than asked, so that every slot is full.
        time: Duration::from_secs(target.seconds.into()) + Duration::from_millis(300),
    };
    let sending = burst::send(socket, plan, move |number, _| datagram::header(&ticket, number))?;
    Ok((control, idle_rtt_ms, sending, data))
}

impl Heard {
    /// True at the last word.
    fn hear(&mut self, reply: &Reply, target: &Target, env: &Env, start_ms: f64) -> bool {
        if let Reply::Ended { how, packets, late_ms, .. } = reply {
            self.last = Some((*how, *packets, *late_ms));
            return true;
        }
        for (slot, bytes) in self.tally.reply(reply, wanted_slots(target)).1 {
            sample(env, start_ms, slot, bytes);
        }
        false
    }

    async fn await_end(
        &mut self,
        control: &mut Control,
        target: &Target,
        env: &Env,
        start_ms: f64,
        patience: Duration,
    ) {
        let drained = Instant::now() + DRAIN.min(patience);
        let deadline = Instant::now() + patience;
        let mut told = false;
        loop {
            let until = if told { deadline } else { drained };
            match timeout_at(until, control.next()).await {
                Ok(Ok(reply)) => {
                    if self.hear(&reply, target, env, start_ms) {
                        return;
                    }
                }
                Ok(Err(lost)) => {
                    self.lost = Some(lost);
                    return;
                }
                Err(_) if told => return,
                Err(_) => {
                    told = true;
                    if let Err(lost) = control.send(&Request::Close {}).await {
                        self.lost = Some(lost);
                        return;
                    }
                }
            }
        }
    }
}

fn ending(heard: &Heard, cancelled: bool) -> Ending {
    match (&heard.last, &heard.lost) {
        _ if cancelled => Ending::Cancelled,
        (Some((Ended::Closed, ..)), _) => Ending::Complete,
        (Some((Ended::Refused(why), ..)), _) => Ending::FarEndEnded { why: WireText::from(why.words()) },
        (Some(_), _) => Ending::FarEndEnded { why: WireText::from("it closed the session") },
        (None, Some(lost)) => {
            Ending::FarEndLost { detail: WireText::from(format!("control: {}", lost.failure)) }
        }
        (None, None) => Ending::LineDead {
            silent_ms: LAST_WORD.as_secs_f64() * 1000.0,
            detail: WireText::from("no last word over the control connection"),
        },
    }
}

fn reading(
    target: &Target,
    (control, idle_rtt_ms, data): (Control, Vec<f64>, Contact),
    sent: &Sent,
    mut heard: Heard,
    ending: Ending,
) -> Result<Reading, NotMeasured> {
    heard.tally.cut_to(wanted_slots(target));
    if heard.tally.slots.is_empty() {
        return Err(match ending {
            Ending::Cancelled => NotMeasured::cancelled(),
            _ => NotMeasured::new(
                Cause::FarEnd,
                format!(
                    "no datagram arrived at the far end {}, while its TCP port answers",
                    control.remote()
                ),
                "let UDP to this host and port through, there and here; or measure over TCP",
            ),
        });
    }
    let datagrams = heard.last.map(|(_, arrived, _)| Datagrams {
        payload_bytes: DATAGRAM.into(),
        sent: sent.datagrams,
        expected: sent.datagrams,
        lost: sent.datagrams.saturating_sub(arrived),
        jitter_ms: None,
    });
    let attempts = attempts(&control.missed, &control.contact);
    Ok(Reading {
        method: "UDP datagrams at an even rate, counted by the far end".to_owned(),
        seen_as: heard.tally.seen_as,
        arrived_bytes: heard.tally.slots,
        gaps: heard.tally.gaps,
        gaps_left_out: heard.tally.gaps_left_out,
        idle_rtt_ms,
        sender: Sender {
            written_bytes: sent.bytes,
            late_ms: sent.late.as_secs_f64() * 1000.0,
            ..Sender::default()
        },
        datagrams,
        far_end_late_ms: heard.last.map(|(_, _, late_ms)| late_ms),
        ..bare(target, attempts, data, ending)
    })
}
