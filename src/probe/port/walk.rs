//! Where on the way packets to the port stop, as a TTL walk shows it.

use std::fmt;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::State;
use crate::model::{Hop, HopEnd};

/// What packets with a growing TTL came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Walk {
    /// On the way to the port.
    pub hops: Vec<Hop>,
    /// On the way to the control on the same host, which shows which routers speak at all, and how
    /// far the host is. Empty without such a control.
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
}

impl Walk {
    /// Who stops packets to the port; `None` where the walk does not tell.
    pub fn blame(&self, state: State) -> Option<Blame> {
        let last = match state {
            State::Filtered | State::Silent => self.silenced()?,
            State::Prohibited | State::Unreachable => self.denied()?,
            State::Refused => self.refused_for_the_host()?,
            _ => return None,
        };
        let beyond = |hop: &&Hop| hop.ttl > last && matches!(hop.end, HopEnd::Expired | HopEnd::Answered);
        let next = self.reference.iter().find(beyond);
        let address = self.address(last);
        let place = match next {
            Some(hop) if hop.end == HopEnd::Answered && hop.ttl == last + 1 && last > 1 => Place::Host,
            _ => self.place(last, address),
        };
        Some(Blame { last: (last, address), next: next.map(|hop| (hop.ttl, hop.from)), place })
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
    match address.to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || matches!(ip.octets(), [100, 64..=127, ..]),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
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

    fn blame(list: &[(HopEnd, &str)], state: State) -> Option<(u8, Place)> {
        let walk = Walk { hops: hops(list), reference: reference() };
        walk.blame(state).map(|blame| (blame.last.0, blame.place))
    }

    #[test]
    fn the_last_hop_that_speaks_drops() {
        use HopEnd::{Answered, Expired, Silent};
        let found = |list: &[_]| blame(list, State::Filtered);
        assert_eq!(found(&[(Expired, ROUTER), (Expired, BUILDING)]), Some((2, Place::Edge)));
        assert_eq!(found(&[(Expired, ROUTER)]), Some((1, Place::Inside)));
        let all = [(Expired, ROUTER), (Expired, BUILDING), (Expired, INTERNET)];
        assert_eq!(found(&all), Some((3, Place::Host)));
        assert_eq!(found(&[]), Some((0, Place::Inside)));
        assert_eq!(found(&[(Expired, ROUTER), (Silent, ""), (Answered, "")]), None);
        let mute = Walk { hops: hops(&[]), reference: hops(&[(Silent, ""), (Answered, "")]) };
        assert_eq!(mute.blame(State::Filtered), None, "a network that answers no ICMP tells nothing");
    }

    #[test]
    fn without_a_control_nothing_is_said_of_the_next_hop() {
        let walk =
            Walk { hops: hops(&[(HopEnd::Expired, ROUTER), (HopEnd::Expired, BUILDING)]), reference: vec![] };
        let blame = walk.blame(State::Silent).unwrap();
        assert_eq!(blame.to_string(), "packets get to hop 2 (45.30.0.1); nothing farther speaks");
        assert_eq!((blame.next, blame.place), (None, Place::Edge));
    }

    #[test]
    fn a_reset_from_before_the_host_is_not_the_hosts() {
        use HopEnd::{Expired, Refused};
        let on_the_way = [(Expired, ROUTER), (Expired, BUILDING), (Refused, "")];
        assert_eq!(blame(&on_the_way, State::Refused), Some((2, Place::Edge)));
        let by_the_host = [(Expired, ROUTER), (Expired, BUILDING), (Expired, INTERNET), (Refused, "")];
        assert_eq!(blame(&by_the_host, State::Refused), None);
        let unknown = Walk { hops: hops(&on_the_way), reference: vec![] };
        assert_eq!(unknown.blame(State::Refused), None, "nobody knows how far the host is");
    }

    #[test]
    fn who_prohibits_is_found_by_its_address() {
        use HopEnd::{Denied, Expired};
        let list = [(Expired, ROUTER), (Expired, BUILDING), (Denied, BUILDING)];
        assert_eq!(blame(&list, State::Prohibited), Some((2, Place::Edge)));
        assert_eq!(blame(&[(Denied, ROUTER)], State::Prohibited), Some((1, Place::Inside)));
        assert_eq!(
            blame(&[(Expired, ROUTER), (Denied, BUILDING)], State::Unreachable),
            Some((2, Place::Edge))
        );
    }

    #[test]
    fn private_hops_are_inside_however_many_there_are() {
        use HopEnd::Expired;
        let list = [(Expired, ROUTER), (Expired, "10.0.0.1"), (Expired, "10.1.0.1")];
        let walk = Walk { hops: hops(&list), reference: vec![] };
        assert_eq!(walk.blame(State::Filtered).unwrap().place, Place::Inside);
        let list = [list.as_slice(), &[(Expired, BUILDING)]].concat();
        let walk = Walk { hops: hops(&list), reference: vec![] };
        assert_eq!(walk.blame(State::Filtered).unwrap().place, Place::Edge);
        let list = [list.as_slice(), &[(Expired, INTERNET)]].concat();
        let walk = Walk { hops: hops(&list), reference: vec![] };
        assert_eq!(walk.blame(State::Filtered).unwrap().place, Place::Beyond);
    }
}
