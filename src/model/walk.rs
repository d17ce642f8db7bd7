//! Where on the way packets to a port stop, as a TTL walk shows it.

use std::fmt;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Hop, HopEnd, Special};

/// How something on the way stops what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// In silence.
    Drop,
    /// By an ICMP error.
    Deny,
    /// By a reset in the host's name.
    Reset,
    /// A connection stands, and what is asked on it gets no answer.
    Swallow,
    /// A connection stands, and ends once it is asked.
    Cut,
}

/// What packets with a growing TTL came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Walk {
    /// On the way to the port: handshakes or datagrams; where the port accepts connections, questions on them.
    pub hops: Vec<Hop>,
    /// On the way to the control on the same host, which shows which routers speak at all, and how
    /// far the host is; beside questions, the handshakes before them. Empty without such a control.
    pub reference: Vec<Hop>,
}

/// Whose a hop is, as far as its address and its place tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A private address, or the first router: this network.
    Inside,
    /// The first public address behind private ones: the network's outermost router, or already the
    /// provider's first.
    Edge,
    /// Farther out.
    Beyond,
    /// The host's own network: nothing stands between the last router and the host.
    Host,
}

/// Where packets to the port stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blame {
    /// The last hop that they reach: its number and, if it told, its address. 0: this machine.
    pub last: (u8, Option<IpAddr>),
    /// The next one that packets to the control reach; none when nothing farther speaks.
    pub next: Option<(u8, Option<IpAddr>)>,
    /// Whose the last hop is.
    pub place: Place,
    /// Handshakes get farther: it is a question that stops.
    pub asked: bool,
}

impl Walk {
    /// Of what was walked and its reference; `None` where neither tells anything.
    pub fn of((hops, reference): (Vec<Hop>, Vec<Hop>)) -> Option<Self> {
        (!hops.is_empty() || !reference.is_empty()).then_some(Self { hops, reference })
    }

    /// Who stops packets to the port; `None` where the walk does not tell.
    pub fn blame(&self, stop: Stop) -> Option<Blame> {
        let last = match stop {
            Stop::Drop | Stop::Swallow => self.silenced()?,
            Stop::Deny => self.denied()?,
            Stop::Reset => self.refused_for_the_host()?,
            Stop::Cut => self.cut()?,
        };
        let beyond = |hop: &&Hop| hop.ttl > last && matches!(hop.end, HopEnd::Expired | HopEnd::Answered);
        let next = self.reference.iter().find(beyond);
        let asked = matches!(stop, Stop::Swallow | Stop::Cut);
        if asked && (next.is_none() || stop == Stop::Swallow && last == 0) {
            return None; // handshakes get no farther either, or no router speaks of questions
        }
        let address = self.address(last);
        let place = match next {
            Some(hop) if hop.end == HopEnd::Answered && hop.ttl == last + 1 && last > 1 => Place::Host,
            _ => self.place(last, address),
        };
        Some(Blame { last: (last, address), next: next.map(|hop| (hop.ttl, hop.from)), place, asked })
    }

    /// The last hop reached, when then nothing comes back any more.
    fn silenced(&self) -> Option<u8> {
        if self.hops.iter().any(|hop| hop.end.is_last()) {
            return None; // it got through: the walk contradicts the attempt
        }
        let last = self.hops.iter().rev().find(|hop| hop.end == HopEnd::Expired);
        // Nobody spoke, which tells something only where routers speak to the control.
        let first = || self.reference.iter().any(|hop| hop.ttl == 1 && hop.end == HopEnd::Expired);
        last.map(|hop| hop.ttl).or_else(|| first().then_some(0))
    }

    /// The hop that denied it.
    fn denied(&self) -> Option<u8> {
        let denied = self.hops.iter().find(|hop| hop.end == HopEnd::Denied)?;
        let own = self.hops.iter().find(|hop| hop.end == HopEnd::Expired && hop.from == denied.from);
        Some(own.map_or(denied.ttl, |hop| hop.ttl))
    }

    /// The hop that reset it in the host's name: the reset came back for a TTL with which nothing
    /// reaches the host.
    fn refused_for_the_host(&self) -> Option<u8> {
        let refused = self.hops.iter().find(|hop| hop.end == HopEnd::Refused)?;
        let far = |hop: &Hop| hop.ttl >= refused.ttl && hop.end == HopEnd::Expired;
        self.reference.iter().any(far).then(|| refused.ttl.saturating_sub(1))
    }

    /// The hop behind which a question is cut: what ended there was answered by an end that is not the
    /// host's, since the handshake from the same port with the same TTL ran out before the host.
    fn cut(&self) -> Option<u8> {
        let cut = self.hops.iter().find(|hop| hop.end == HopEnd::Refused)?;
        let before = |hop: &Hop| hop.ttl == cut.ttl && hop.end == HopEnd::Expired;
        let gets_on = |hop: &Hop| hop.ttl > cut.ttl && !matches!(hop.end, HopEnd::Refused | HopEnd::Silent);
        let sure = self.reference.iter().any(before) && !self.hops.iter().any(gets_on);
        sure.then(|| cut.ttl.saturating_sub(1))
    }

    /// How many hops away a question is cut, when it gets as far as the one that accepted the connection:
    /// the host, or whoever stands in its place.
    pub fn cut_where_accepted(&self, stop: Stop) -> Option<u8> {
        let cut = self.hops.iter().find(|hop| hop.end == HopEnd::Refused).filter(|_| stop == Stop::Cut)?;
        let there = |hop: &Hop| hop.ttl == cut.ttl && hop.end == HopEnd::Answered;
        self.reference.iter().any(there).then_some(cut.ttl).filter(|hops| *hops > 1)
    }

    /// Adds what it tells to what was observed, and whom to ask to what to do.
    pub fn tell(&self, stop: Stop, observed: &mut String, remedy: &mut String) {
        observed.extend(self.told(stop).map(|told| format!("; {told}")));
        remedy.extend(self.blame(stop).map(|blame| format!("; it stops {}", blame.advice())));
    }

    /// What it tells, for a person.
    pub fn told(&self, stop: Stop) -> Option<String> {
        let accepted = |hops| format!("cut only where the connection was accepted, {hops} hops away");
        let blame = self.blame(stop).map(|blame| blame.to_string());
        blame.or_else(|| self.cut_where_accepted(stop).map(accepted))
    }

    fn address(&self, ttl: u8) -> Option<IpAddr> {
        let here = |hop: &&Hop| hop.ttl == ttl;
        self.hops.iter().chain(&self.reference).filter(here).find_map(|hop| hop.from)
    }

    fn place(&self, ttl: u8, address: Option<IpAddr>) -> Place {
        let before = ttl.checked_sub(1).and_then(|before| self.address(before));
        match address {
            _ if ttl <= 1 => Place::Inside,
            Some(address) if is_private(address) => Place::Inside,
            _ if ttl == 2 || before.is_some_and(is_private) => Place::Edge,
            _ => Place::Beyond,
        }
    }
}

/// An address that no network outside has: RFC 1918, a carrier's (RFC 6598), unique local, link-local.
fn is_private(address: IpAddr) -> bool {
    matches!(Special::of(address), Some(Special::Private | Special::Carrier | Special::LinkLocal))
}

impl Place {
    /// Whom to ask, for a remedy.
    pub const fn whom(self) -> &'static str {
        match self {
            Self::Inside => "this network's own firewall or router",
            Self::Edge => "the outermost firewall of this network, or else the provider's first router",
            Self::Beyond => "the internet provider, or a filter before the host",
            Self::Host => "the last router before the host, or the host's own firewall",
        }
    }
}

fn hop((number, address): (u8, Option<IpAddr>)) -> String {
    match (number, address) {
        (0, _) => "this machine".to_owned(),
        (_, Some(address)) => format!("hop {number} ({address})"),
        (_, None) => format!("hop {number}"),
    }
}

/// "packets get to hop 2 (192.0.2.1), not to hop 3 (198.51.100.1), which the control reaches".
impl fmt::Display for Blame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(next) = self.next.filter(|_| self.asked) {
            return write!(
                f,
                "handshakes get through, the question stops between {} and {}",
                hop(self.last),
                hop(next)
            );
        }
        write!(f, "packets get to {}", hop(self.last))?;
        match self.next {
            Some(next) => write!(f, ", not to {}, which the control reaches", hop(next)),
            None => write!(f, "; nothing farther speaks"),
        }
    }
}

impl Blame {
    /// "at hop 2 (192.0.2.1): ask …", for a remedy.
    pub fn advice(&self) -> String {
        let at = match self.last.0 {
            0 if self.asked => "at this machine".to_owned(),
            0 => "before the first router".to_owned(),
            _ => format!("at {}", hop(self.last)),
        };
        format!("{at}: {}", self.place.whom())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTER: &str = "192.168.10.1";
    const BUILDING: &str = "45.30.0.1";
    const INTERNET: &str = "45.31.0.2";

    fn hops(list: &[(HopEnd, &str)]) -> Vec<Hop> {
        let hop = |(at, (end, from)): (usize, &(HopEnd, &str))| Hop {
            ttl: u8::try_from(at).unwrap() + 1,
            end: *end,
            from: from.parse().ok(),
            took_ms: 1.0,
        };
        list.iter().enumerate().map(hop).collect()
    }

    fn reference() -> Vec<Hop> {
        use HopEnd::{Answered, Expired};
        hops(&[(Expired, ROUTER), (Expired, BUILDING), (Expired, INTERNET), (Answered, "")])
    }

    fn blame(list: &[(HopEnd, &str)], stop: Stop) -> Option<(u8, Place)> {
        let walk = Walk { hops: hops(list), reference: reference() };
        walk.blame(stop).map(|blame| (blame.last.0, blame.place))
    }

    #[test]
    fn the_last_hop_that_speaks_drops() {
        use HopEnd::{Answered, Expired, Silent};
        let found = |list: &[_]| blame(list, Stop::Drop);
        assert_eq!(found(&[(Expired, ROUTER), (Expired, BUILDING)]), Some((2, Place::Edge)));
        assert_eq!(found(&[(Expired, ROUTER)]), Some((1, Place::Inside)));
        let all = [(Expired, ROUTER), (Expired, BUILDING), (Expired, INTERNET)];
        assert_eq!(found(&all), Some((3, Place::Host)));
        assert_eq!(found(&[]), Some((0, Place::Inside)));
        assert_eq!(found(&[(Expired, ROUTER), (Silent, ""), (Answered, "")]), None);
        let mute = Walk { hops: hops(&[]), reference: hops(&[(Silent, ""), (Answered, "")]) };
        assert_eq!(mute.blame(Stop::Drop), None, "a network that answers no ICMP tells nothing");
    }

    #[test]
    fn without_a_control_nothing_is_said_of_the_next_hop() {
        let walk =
            Walk { hops: hops(&[(HopEnd::Expired, ROUTER), (HopEnd::Expired, BUILDING)]), reference: vec![] };
        let blame = walk.blame(Stop::Drop).unwrap();
        assert_eq!(blame.to_string(), "packets get to hop 2 (45.30.0.1); nothing farther speaks");
        assert_eq!((blame.next, blame.place), (None, Place::Edge));
    }

    #[test]
    fn a_reset_from_before_the_host_is_not_the_hosts() {
        use HopEnd::{Expired, Refused};
        let on_the_way = [(Expired, ROUTER), (Expired, BUILDING), (Refused, "")];
        assert_eq!(blame(&on_the_way, Stop::Reset), Some((2, Place::Edge)));
        let by_the_host = [(Expired, ROUTER), (Expired, BUILDING), (Expired, INTERNET), (Refused, "")];
        assert_eq!(blame(&by_the_host, Stop::Reset), None);
        let unknown = Walk { hops: hops(&on_the_way), reference: vec![] };
        assert_eq!(unknown.blame(Stop::Reset), None, "nobody knows how far the host is");
    }

    #[test]
    fn who_prohibits_is_found_by_its_address() {
        use HopEnd::{Denied, Expired};
        let list = [(Expired, ROUTER), (Expired, BUILDING), (Denied, BUILDING)];
        assert_eq!(blame(&list, Stop::Deny), Some((2, Place::Edge)));
        assert_eq!(blame(&[(Denied, ROUTER)], Stop::Deny), Some((1, Place::Inside)));
        assert_eq!(blame(&[(Expired, ROUTER), (Denied, BUILDING)], Stop::Deny), Some((2, Place::Edge)));
    }

    #[test]
    fn private_hops_are_inside_however_many_there_are() {
        use HopEnd::Expired;
        let list = [(Expired, ROUTER), (Expired, "10.0.0.1"), (Expired, "10.1.0.1")];
        let walk = Walk { hops: hops(&list), reference: vec![] };
        assert_eq!(walk.blame(Stop::Drop).unwrap().place, Place::Inside);
        let list = [list.as_slice(), &[(Expired, BUILDING)]].concat();
        let walk = Walk { hops: hops(&list), reference: vec![] };
        assert_eq!(walk.blame(Stop::Drop).unwrap().place, Place::Edge);
        let list = [list.as_slice(), &[(Expired, INTERNET)]].concat();
        let walk = Walk { hops: hops(&list), reference: vec![] };
        assert_eq!(walk.blame(Stop::Drop).unwrap().place, Place::Beyond);
    }

    #[test]
    fn a_question_is_cut_by_whom_it_reaches_before_the_host() {
        use HopEnd::{Answered, Expired, Refused, Silent};
        let found = |list: &[_]| blame(list, Stop::Cut);
        let on_the_way = [(Expired, ROUTER), (Expired, BUILDING), (Refused, ""), (Refused, "")];
        assert_eq!(found(&on_the_way), Some((2, Place::Edge)));
        let walk = Walk { hops: hops(&on_the_way), reference: reference() };
        let words =
            "handshakes get through, the question stops between hop 2 (45.30.0.1) and hop 3 (45.31.0.2)";
        assert_eq!(walk.blame(Stop::Cut).unwrap().to_string(), words);
        assert_eq!(walk.cut_where_accepted(Stop::Cut), None);
        // The host's own end, one that another packet gets past, and one on a way that nobody measured.
        let by_the_host = [(Expired, ROUTER), (Expired, BUILDING), (Expired, INTERNET), (Refused, "")];
        assert_eq!(found(&by_the_host), None);
        let walk = Walk { hops: hops(&by_the_host), reference: reference() };
        assert_eq!(
            (walk.cut_where_accepted(Stop::Cut), walk.cut_where_accepted(Stop::Reset)),
            (Some(4), None)
        );
        assert_eq!(found(&[(Expired, ROUTER), (Refused, ""), (Expired, INTERNET), (Refused, "")]), None);
        assert_eq!(found(&[(Expired, ROUTER), (Answered, ""), (Answered, ""), (Answered, "")]), None);
        let mute = Walk { hops: hops(&on_the_way), reference: hops(&[(Silent, ""); 3]) };
        assert_eq!(mute.blame(Stop::Cut), None);
    }

    #[test]
    fn a_question_that_is_swallowed_stops_where_handshakes_get_on() {
        use HopEnd::{Answered, Expired, Silent};
        let found = |list: &[_]| blame(list, Stop::Swallow);
        let swallowed = [(Expired, ROUTER), (Expired, BUILDING), (Silent, ""), (Silent, "")];
        assert_eq!(found(&swallowed), Some((2, Place::Edge)));
        assert_eq!(found(&[(Silent, ""); 4]), None, "no router speaks of questions");
        // The host takes it and says nothing.
        let taken = [(Expired, ROUTER), (Expired, BUILDING), (Expired, INTERNET), (Answered, "")];
        assert_eq!(found(&taken), None);
        let mute =
            Walk { hops: hops(&swallowed), reference: hops(&[(Expired, ROUTER), (Expired, BUILDING)]) };
        assert_eq!(mute.blame(Stop::Swallow), None, "nobody farther speaks to handshakes either");
    }
}
