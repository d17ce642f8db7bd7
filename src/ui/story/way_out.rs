//! The way out, from this machine to the far end, as far as checks have seen it: each finding
//! stands at the station that it is about. What nobody measured stays unknown.

use super::{Card, FindingText, Stage, matrix};
use crate::model::{Effect, HopEnd, Outcome};
use crate::probe::Reading;

/// Probes that say nothing of the way.
const NOT_OF_THE_WAY: &[&str] = &["attest", "clock", "dns"];
/// Ends of codes which say that somebody on the way answers in the server's place.
const IN_BETWEEN: &[&str] = &[
    "intercepted",
    "intercepts",
    "spoofed",
    "not_the_ingest",
    "reopened",
    "hello_arrives",
    "publicly_trusted",
    "same_key_outside",
    "public_outside_too",
    "other_key_outside",
    "answers_outside",
];
/// Most hops that a walk takes.
const MAX_HOPS: u8 = 64;

/// A place on the way, in the order in which packets pass them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Station {
    /// This machine and its own packet filter.
    Machine,
    /// The cable or radio that it hangs on.
    Link,
    /// The first router.
    Gateway,
    /// Address translation, a carrier's too.
    Translator,
    /// Proxy, captive portal, inspection: somewhere inside.
    Between,
    /// A router, by its number.
    Hop(u8),
    /// The ingest or far end.
    FarEnd,
}

/// What one check says of a station.
#[derive(Debug, Clone, PartialEq)]
pub struct Sight {
    /// Index of the check's card.
    pub card: usize,
    /// How far it is; judged: what is said of this station.
    pub stage: Stage,
    /// What was seen; empty before.
    pub text: String,
}

/// A station with all that is said of it; nothing, where nobody measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Stop {
    /// Which.
    pub station: Station,
    /// Its address, where known.
    pub address: Option<String>,
    /// What checks say.
    pub sights: Vec<Sight>,
    /// Something is stopped or spoilt here.
    pub blamed: bool,
}

/// One path from this machine to the far end.
#[derive(Debug, Clone, PartialEq)]
pub struct WayOut {
    /// The path; none where the policy names none.
    pub path: Option<String>,
    /// Its stations, in order.
    pub stops: Vec<Stop>,
}

/// How far packets to one address got, when it did not let us in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trail {
    /// Routers that spoke: number and, if it told, address.
    pub hops: Vec<(u8, Option<String>)>,
    /// The last hop that packets reach (0: this machine), and what that means.
    pub blame: Option<(u8, String)>,
}

/// One for each path, in the order of the checks.
pub fn ways_out(cards: &[Card]) -> Vec<WayOut> {
    let of_the_way = || cards.iter().enumerate().filter(|(_, card)| !NOT_OF_THE_WAY.contains(&card.probe));
    let mut paths: Vec<Option<&String>> = Vec::new();
    for (_, card) in of_the_way() {
        if !paths.contains(&card.path.as_ref()) {
            paths.push(card.path.as_ref());
        }
    }
    paths
        .into_iter()
        .map(|path| {
            let mut way = WayOut::unknown(path.cloned());
            let cards = of_the_way().filter(|(_, card)| card.path.as_ref() == path);
            cards.for_each(|(index, card)| way.take_in(index, card));
            way
        })
        .collect()
}

impl WayOut {
    fn unknown(path: Option<String>) -> Self {
        use Station::{Between, FarEnd, Gateway, Link, Machine, Translator};
        let stop = |station| Stop { station, address: None, sights: Vec::new(), blamed: false };
        Self { path, stops: [Machine, Link, Gateway, Translator, Between, FarEnd].map(stop).to_vec() }
    }

    /// The stop at a station, put in its place when it is a new hop.
    fn stop(&mut self, station: Station) -> Option<&mut Stop> {
        let at = self.stops.partition_point(|stop| stop.station < station);
        if self.stops.get(at).is_none_or(|stop| stop.station != station) {
            self.stops.insert(at, Stop { station, address: None, sights: Vec::new(), blamed: false });
        }
        self.stops.get_mut(at)
    }

    fn take_in(&mut self, index: usize, card: &Card) {
        if let (Some(effort), Some(stop)) = (&card.effort, self.stop(Station::Machine)) {
            stop.address = stop.address.take().or_else(|| effort.source.clone());
        }
        for trail in &card.trails {
            self.walk(index, card, trail);
        }
        for (station, finding) in by_station(card) {
            let stage = Stage::Judged(finding.effect.into());
            let text = match (station, finding.effect) {
                (Station::FarEnd, Effect::Pass) => matrix::tail(&finding.code),
                _ => finding.observed.clone(),
            };
            self.add(station, Sight { card: index, stage, text });
        }
        if card.findings.is_empty() {
            let text = card.not_measured.as_ref().map(|not| not.detail.clone()).unwrap_or_default();
            self.add(station(card.probe, ""), Sight { card: index, stage: card.stage, text });
        }
    }

    fn add(&mut self, station: Station, sight: Sight) {
        let Some(stop) = self.stop(station) else { return };
        // a failure at the far end may have its cause anywhere before it
        stop.blamed |= sight.stage == Stage::Judged(Outcome::Fail) && station != Station::FarEnd;
        stop.sights.push(sight);
    }

    fn walk(&mut self, index: usize, card: &Card, trail: &Trail) {
        for (number, address) in &trail.hops {
            let Some(stop) = self.stop(Station::Hop(*number)) else { continue };
            match (&mut stop.address, address) {
                (Some(known), Some(address)) if !known.split(", ").any(|one| one == address) => {
                    known.push_str(", ");
                    known.push_str(address);
                }
                (None, Some(address)) => stop.address = Some(address.clone()),
                _ => {}
            }
        }
        if let Some((number, text)) = &trail.blame {
            let station = if *number == 0 { Station::Machine } else { Station::Hop(*number) };
            self.add(station, Sight { card: index, stage: card.stage, text: text.clone() });
            // a port that is to be blocked, and is, passes
            let bad = matches!(card.stage, Stage::Judged(Outcome::Fail | Outcome::Unknown | Outcome::Warn));
            if let Some(stop) = self.stop(station) {
                stop.blamed |= bad;
            }
        }
    }
}

/// The worst finding about each station.
fn by_station(card: &Card) -> Vec<(Station, &FindingText)> {
    let mut found: Vec<(Station, &FindingText)> = Vec::new();
    for finding in &card.findings {
        let station = station(card.probe, &finding.code);
        match found.iter_mut().find(|(known, _)| *known == station) {
            Some((_, worst)) if finding.effect > worst.effect => *worst = finding,
            Some(_) => {}
            None => found.push((station, finding)),
        }
    }
    found
}

/// What a finding is about.
fn station(probe: &str, code: &str) -> Station {
    let tail = code.rsplit_once('.').map_or("", |(_, tail)| tail);
    match probe {
        "firewall" => Station::Machine,
        "link" if tail.starts_with("gateway") || tail == "several_routes" => Station::Gateway,
        "link" => Station::Link,
        "nat" => Station::Translator,
        "portal" | "proxy" => Station::Between,
        _ if IN_BETWEEN.contains(&tail) => Station::Between,
        _ => Station::FarEnd,
    }
}

/// Walks of a reading.
pub(super) fn trails(reading: &Reading) -> Vec<Trail> {
    let Reading::Port(port) = reading else { return Vec::new() };
    let walked = port.addresses.iter().filter_map(|address| Some((address, address.walk.as_ref()?)));
    walked
        .map(|(address, walk)| {
            let spoke = walk.hops.iter().chain(&walk.reference).filter(|hop| hop.end == HopEnd::Expired);
            let spoke = spoke.filter(|hop| (1..=MAX_HOPS).contains(&hop.ttl));
            let blame = address.blame();
            Trail {
                hops: spoke.map(|hop| (hop.ttl, hop.from.map(|from| from.to_string()))).collect(),
                blame: blame.map(|blame| (blame.last.0, format!("{blame}: {}", blame.place.whom()))),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ui::fixture::{self, End};

    fn cards() -> Vec<Card> {
        fixture::cards(End::NoGo)
    }

    fn stop(way: &WayOut, station: Station) -> &Stop {
        way.stops.iter().find(|stop| stop.station == station).unwrap()
    }

    #[test]
    fn what_nobody_measured_is_unknown() {
        let ways = ways_out(&cards());
        let paths: Vec<_> = ways.iter().map(|way| way.path.as_deref()).collect();
        assert_eq!(paths, [None, Some("primary"), Some("backup")]);
        let translator = stop(&ways[0], Station::Translator);
        assert!(translator.sights.is_empty() && translator.address.is_none() && !translator.blamed);
        assert_eq!(stop(&ways[0], Station::Machine).address.as_deref(), Some("eth0 10.20.3.4"));
    }

    #[test]
    fn a_failure_at_the_far_end_blames_nobody_before_it() {
        let ways = ways_out(&cards());
        assert!(ways.iter().flat_map(|way| &way.stops).all(|stop| !stop.blamed));
        assert!(!stop(&ways[0], Station::FarEnd).sights.is_empty());
    }

    #[test]
    fn a_walk_puts_its_hops_in_order_and_marks_the_one_that_stops_it() {
        let mut cards = cards();
        let port = cards.iter_mut().find(|card| card.probe == "port").unwrap();
        port.stage = Stage::Judged(Outcome::Fail);
        let hop = |number, address: &str| (number, Some(address.to_owned()));
        port.trails = vec![Trail {
            hops: vec![hop(2, "45.30.0.1"), hop(1, "192.168.10.1"), hop(1, "192.168.10.1"), (3, None)],
            blame: Some((2, "packets get to hop 2 (45.30.0.1)".to_owned())),
        }];
        let way = &ways_out(&cards)[0];
        let hops: Vec<_> = way.stops.iter().filter(|stop| matches!(stop.station, Station::Hop(_))).collect();
        let shown: Vec<_> = hops.iter().map(|stop| (stop.address.as_deref(), stop.blamed)).collect();
        assert_eq!(shown, [(Some("192.168.10.1"), false), (Some("45.30.0.1"), true), (None, false)]);
        assert!(way.stops.is_sorted_by_key(|stop| stop.station));
    }

    #[test]
    fn the_walk_of_a_reading_is_its_trail() {
        let hop = |ttl: u8, end: &str, from: Option<&str>| json!({ "ttl": ttl, "end": end, "from": from, "took_ms": 1.0 });
        let contact = json!({ "remote": "45.32.0.9:1935", "local": null, "offset_ms": 0.0, "took_ms": 1.0 });
        let reading = serde_json::from_value(json!({ "port": {
            "method": "TCP", "host": "ingest.example.net", "port": 1935, "transport": "tcp", "asked": "rtmp",
            "lookup": null,
            "addresses": [{
                "family": "v4", "control": null, "decoy": null,
                "attempts": [{
                    "contact": contact, "state": "filtered", "answer_ms": null, "icmp": null, "said": "",
                    "looks_like": null, "detail": "",
                }],
                "walk": {
                    "hops": [hop(1, "expired", Some("192.168.10.1")), hop(2, "silent", None)],
                    "reference": [
                        hop(1, "expired", Some("192.168.10.1")), hop(2, "expired", Some("45.30.0.1")),
                        hop(3, "answered", None),
                    ],
                },
            }],
        }}));
        let [trail] = &trails(&reading.unwrap())[..] else { panic!("one address") };
        let routers: Vec<_> = trail.hops.iter().map(|(number, from)| (*number, from.as_deref())).collect();
        let first = (1, Some("192.168.10.1"));
        assert_eq!(routers, [first, first, (2, Some("45.30.0.1"))]);
        let (number, text) = trail.blame.as_ref().unwrap();
        assert!(*number == 1 && text.contains("this network's own firewall or router"), "{text}");
    }

    #[test]
    fn every_code_of_somebody_in_between_is_a_probes() {
        let codes = || crate::probe::Kind::ALL.iter().flat_map(|kind| kind.codes());
        for tail in IN_BETWEEN {
            assert!(codes().any(|code| code.id.ends_with(&format!(".{tail}"))), "{tail}");
        }
    }
}
