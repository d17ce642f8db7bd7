//! `dns`: does every resolver here tell the truth about a name?
//!
//! # Asks
//! Each configured resolver by itself, over UDP (and TCP when an answer is cut short): the
//! name's IPv4 and IPv6 addresses, once more with signatures wanted (DNSSEC), and two random names
//! that must not exist. Where it fails: what it says without checking signatures. Where programs
//! here would try a search domain first: what they get then.
//! # Why it matters
//! An encoder goes where the resolver sends it: to a block page, a captive portal, or nowhere.
//! A slow or dead first resolver delays every connection of the show.
//! # How it can mislead
//! Large services answer differently everywhere, so another address is not yet a lie. It is one
//! when it cannot serve the public, is a known block page, is none of the policy's
//! `addresses`, or (with `prove`) cannot show a valid certificate for the name. A local stub
//! (systemd-resolved) is seen as one resolver; programs that use DNS over HTTPS bypass all this.
//! Signatures are not verified here: whether they hold is the resolver's word.
//! # Needs
//! Nothing. For proof: a TLS port of the host (`prove`), or its addresses (`addresses`).

mod judge;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{About, Env, Light, Probe, Problem};
use crate::model::limit::Bound;
use crate::model::{
    AtLeast, AtMost, Code, Contact, Demand, Failure, FarEnd, FarEndName, Finding, Lane, NotMeasured, OneOf,
    Stakes, WireText,
};
use crate::net::dns::PORT;
use crate::net::tls::Identity;
use crate::wire::dns::{Kind, Question, Reply, block_pages};

/// Resolvers asked at most.
pub const MAX_RESOLVERS: usize = 4;

/// The probe.
#[derive(Debug)]
pub struct Dns;

/// What to ask, and whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The name, complete: no search list is used.
    pub name: String,
    /// Resolvers to ask, `address` or `address:port` (left out: this machine's own).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolvers: Vec<String>,
    /// A TLS port on which the answered addresses must prove that they are the name's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prove: Option<u16>,
    /// Beneath this name, random labels must not exist (default: `com`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_suffix: Option<String>,
    /// A resolver outside, to compare with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
}

/// A resolver outside, over TLS (RFC 7858) or HTTPS (RFC 8484), which nobody on the way can alter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// `address` or `address:port`; when left out, the port is 853 over TLS and 443 over HTTPS.
    pub address: String,
    /// Name that its certificate is made out to.
    pub name: String,
    /// Over what (default: TLS). HTTPS passes where a network lets no other DNS out.
    #[serde(default, skip_serializing_if = "Encrypted::is_tls")]
    pub over: Encrypted,
    /// Path of the HTTPS resource (default: `/dns-query`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// Over what a resolver outside is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encrypted {
    /// TLS.
    #[default]
    Tls,
    /// HTTPS.
    Https,
}

impl Encrypted {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    fn is_tls(&self) -> bool {
        *self == Self::Tls
    }
}

impl Reference {
    /// Where it is.
    fn endpoint(&self) -> Option<SocketAddr> {
        endpoint(&self.address, if self.over == Encrypted::Tls { 853 } else { 443 })
    }

    /// The HTTPS resource, if that is how it is asked.
    fn resource(&self) -> Option<&str> {
        (self.over == Encrypted::Https).then(|| self.path.as_deref().unwrap_or("/dns-query"))
    }
}

impl Target {
    fn control_suffix(&self) -> &str {
        self.control_suffix.as_deref().unwrap_or("com")
    }
}

/// True for the published address of a filter's block page: it names the filter's vendor, nobody else.
pub fn is_block_page(ip: IpAddr) -> bool {
    block_pages::owner(ip).is_some()
}

/// `address` or `address:port`.
fn endpoint(text: &str, port: u16) -> Option<SocketAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let whole = || bare.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, port));
    text.parse().ok().or_else(whole)
}

/// A path as HTTP sends it (RFC 9112, 3.2.1).
fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.len() <= 200 && path.bytes().all(|byte| byte.is_ascii_graphic())
}

crate::limits! {
    /// What the answers must be.
    pub struct Limits {
        /// Addresses that the name may have; every other one is wrong.
        pub addresses: OneOf<IpAddr>,
        /// Longest time to a resolver's answer, ms.
        pub latency_ms: AtMost<f64>,
        /// What becomes of a signed name's DNSSEC signatures: `kept` or `validated`.
        pub dnssec: AtLeast<Dnssec>,
    }
}

/// What a resolver makes of DNSSEC signatures, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dnssec {
    /// It passes them on, so that a machine here can verify them.
    Kept,
    /// It says that it verified them (AD), and passes them on.
    Validated,
}

impl fmt::Display for Dnssec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Kept => "kept",
            Self::Validated => "validated",
        })
    }
}

impl Bound for Dnssec {}

/// What each resolver answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// How it was measured.
    pub method: String,
    /// The name, as asked.
    pub name: String,
    /// True when the policy names the resolvers, false when this machine does.
    pub named_resolvers: bool,
    /// Each resolver, in order.
    pub resolvers: Vec<Asked>,
    /// The resolver outside.
    pub reference: Option<Asked>,
    /// The port asked for proof, if any was.
    pub prove: Option<u16>,
    /// What the answered addresses showed there.
    pub proofs: Vec<Proof>,
    /// The name with a search domain behind it, where programs here try that first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searched: Option<Box<Searched>>,
}

/// What programs on this machine get when they hang its search domains behind the name before
/// they ask for the name itself (resolv.conf(5), `ndots`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Searched {
    /// Dots that a name must have to be asked for as it is first.
    pub ndots: usize,
    /// One lookup per family and search domain, until one has an address.
    pub lookups: Vec<Lookup>,
}

/// One resolver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    /// Where it is.
    pub server: SocketAddr,
    /// The name's addresses: one lookup per family.
    pub lookups: Vec<Lookup>,
    /// The control: names that must not exist.
    pub controls: Vec<Lookup>,
    /// The name once more, with its signatures wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Box<Lookup>>,
    /// Where it fails: the name once more, with signatures not to be checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unchecked: Option<Box<Lookup>>,
}

impl Asked {
    /// Every address that it gave for the name.
    fn addresses(&self) -> Vec<IpAddr> {
        let given = self.lookups.iter().filter_map(|lookup| lookup.reply.as_ref());
        given.flat_map(|reply| reply.addresses.iter().copied()).collect()
    }
}

/// One question to one resolver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lookup {
    /// The name asked for.
    pub name: WireText,
    /// Which addresses.
    pub kind: Kind,
    /// Each exchange, the last one the decisive.
    pub attempts: Vec<Attempt>,
    /// The answer, if there was one.
    pub reply: Option<Reply>,
}

/// Over what a question went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS.
    Tls,
    /// HTTPS.
    Https,
}

/// One exchange.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Over what.
    pub transport: Transport,
    /// Addresses and times.
    pub contact: Contact,
    /// How it ended without an answer, if so.
    pub failure: Option<Failure>,
    /// Packets from the resolver's address that were no answer to the question.
    pub strays: u32,
}

/// What an answered address showed on the port of proof.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// Addresses and times of the TCP connection.
    pub contact: Contact,
    /// Why there was no handshake, if so.
    pub failure: Option<Failure>,
    /// Who the server showed itself to be.
    pub identity: Option<Box<Identity>>,
}

impl Probe for Dns {
    const NAME: &'static str = "dns";
    const LANE: Lane = Lane::Ask;
    const ABOUT: About = About {
        asks: "Does every resolver here answer for a name, quickly, and with the truth",
        why: "an encoder goes where the resolver sends it: to the ingest, to a block page or portal, or nowhere",
        misleads: "another address is not yet a lie: only `addresses` or `prove` in the policy tell; a local stub hides the resolvers behind it; that signatures hold is the resolver's word",
        needs: "nothing; for proof, a TLS port of the host",
    };
    const VIEWERS: &'static str =
        "The stream does not start, or goes to the wrong place: viewers see nothing.";
    const CODES: &'static [Code] = judge::CODES;
    const PAGES: &str = include_str!("pages.toml");
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    fn light(target: &Target) -> Result<Light<Target>, &'static str> {
        Ok(Light::any_time(target.clone()))
    }

    fn demand(target: &Target, _: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        run::demand(target)
    }

    fn problems(
        target: &Target,
        limits: &Limits,
        _: &BTreeMap<FarEndName, FarEnd>,
        _: &Stakes,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem = |field, what: String| problems.push(Problem { field, what });
        let is_name = |name: &str| name.parse::<IpAddr>().is_err() && Question::new(0, name, Kind::A).is_ok();
        if !is_name(&target.name) {
            problem("name", "is not a domain name: write `live.example.com`, without scheme or port".into());
        }
        for resolver in target.resolvers.iter().filter(|resolver| endpoint(resolver, PORT).is_none()) {
            let shown = crate::model::text::escape(resolver);
            problem(
                "resolvers",
                format!("`{shown}` is not an address: write `192.0.2.53` or `192.0.2.53:53`"),
            );
        }
        if target.resolvers.len() > MAX_RESOLVERS {
            problem("resolvers", format!("at most {MAX_RESOLVERS} are asked: split the check"));
        }
        if !is_name(&format!("{}.{}", "x".repeat(20), target.control_suffix())) {
            problem("control_suffix", "is not a domain name that 20 letters can stand before".into());
        }
        if target.prove == Some(0) {
            problem("prove", "0 is not a port: 443 is usual".into());
        }
        if let Some(reference) = &target.reference
            && (reference.endpoint().is_none() || !is_name(&reference.name))
        {
            problem("reference", "needs an address and the name in its certificate: { address = \"9.9.9.9\", name = \"dns.quad9.net\" }".into());
        }
        if let Some(Reference { over, path: Some(path), .. }) = &target.reference
            && (over.is_tls() || !is_path(path))
        {
            problem(
                "reference",
                "`path` is of HTTPS, and begins with a slash: over = \"https\", path = \"/dns-query\"".into(),
            );
        }
        if limits.addresses.as_ref().is_some_and(|some| some.0.iter().any(IpAddr::is_unspecified)) {
            problem("addresses", "the unspecified address (0.0.0.0, ::) is where blocked names point".into());
        }
        problems
    }

    async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
        run::measure(target, env).await
    }

    fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
        judge::judge(limits, reading)
    }
}
