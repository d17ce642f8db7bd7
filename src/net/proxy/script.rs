//! Proxy scripts (PAC): code of strangers. It runs in an interpreter that has no files, no sockets and no
//! names, for two seconds and in 64 MiB at most.

use std::net::IpAddr;
use std::time::Duration;

use proxy_watch::pac::{PacPolicy, PacScript, evaluate};
use proxy_watch::{Error, ProxyStep};
use url::Url;

use super::settings::proxy;
use super::{Proxy, Scheme};
use crate::model::{Failure, SourceAddress, WireText};
use crate::net::clock::Origin;
use crate::net::http::{Request, fetch};
use crate::net::tls::Roots;
use crate::net::{dial, resolve};
use crate::wire::http::WebUrl;

/// Where the name `wpad` keeps its script (draft-ietf-wrec-wpad-01, 4.4).
pub const WPAD: &str = "http://wpad/wpad.dat";
/// Longest time for a script.
const LIMIT: Duration = Duration::from_secs(2);
const LOOKUP: Duration = Duration::from_secs(3);
/// Longest time of [`fetch_script`] for the connection and for the answer, each.
pub const FETCH: Duration = Duration::from_secs(4);
/// Longest script that is fetched, in bytes: browsers take no more either.
pub const MOST: usize = 1024 * 1024;
/// Steps of an answer that are kept.
const MAX_STEPS: usize = 8;

/// One way that a script names, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Without a proxy.
    Direct,
    /// Through this one.
    Proxy(Proxy),
}

/// What a script says of a destination. It sees `myIpAddress()` as `own`; names it cannot look up, so
/// that it cannot send any of what it is told: `dnsResolve` gives nothing. Blocks: call it where that
/// does no harm.
///
/// # Errors
/// Why it gave no answer, in words.
pub fn run(script: &str, destination: &Url, own: Option<IpAddr>) -> Result<Vec<Step>, &'static str> {
    let mut policy = PacPolicy::new().with_timeout(Some(LIMIT));
    if let Some(own) = own {
        policy = policy.with_my_ip_address(own);
    }
    let steps = evaluate(&PacScript::new(script), destination, &policy).map_err(|error| reason(&error))?;
    let steps = steps.into_iter().take(MAX_STEPS).map(|step| match step.endpoint() {
        None => Step::Direct,
        Some(endpoint) => {
            let scheme = match &step {
                ProxyStep::Https(_) => Scheme::Https,
                ProxyStep::Socks4(_) | ProxyStep::Socks5(_) => Scheme::Socks,
                _ => Scheme::Http,
            };
            Step::Proxy(proxy(endpoint, scheme).0)
        }
    });
    Ok(steps.collect())
}

/// Fetches a script: its text, and our own address in the connection that it came over.
///
/// # Errors
/// How it ended, with what came instead or the system's words.
pub async fn fetch_script(
    url: &WebUrl,
    source: &SourceAddress,
    roots: &Roots,
    origin: &Origin,
) -> Result<(String, Option<IpAddr>), (Failure, WireText)> {
    let found =
        resolve::lookup(url.host(), url.port(), LOOKUP).await.map_err(|why| (why, WireText::default()))?;
    let usable = dial::usable(found, source).map_err(|why| (Failure::NetUnreachable, why.detail.into()))?;
    let request = Request { url, accept: "application/x-ns-proxy-autoconfig, */*", most: MOST, limit: FETCH };
    let Some(&at) = usable.first() else { return Err((Failure::NoAddress, WireText::default())) };
    let fetched = fetch(at, &request, source, roots, origin)
        .await
        .map_err(|why| (Failure::NetUnreachable, WireText::from(why.detail)))?;
    let page = fetched.outcome.map_err(|trouble| (trouble.failure, trouble.detail))?;
    let own = fetched.contact.local.map(|local| local.ip());
    match page.response.status {
        200 if page.whole => Ok((String::from_utf8_lossy(&page.body).into_owned(), own)),
        200 => Err((Failure::Other, WireText::from("it is longer than 1 MiB, or was cut off"))),
        status => Err((Failure::Other, WireText::from(format!("HTTP {status} {}", page.response.reason)))),
    }
}

/// In words of our own: the crate's may quote the script.
const fn reason(error: &Error) -> &'static str {
    match error {
        Error::PacTimeout { .. } => "it did not come to an end within 2 s",
        Error::PacInvalidResult { .. } => "its answer is none",
        _ => "it is no proxy script, or it failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn say(script: &str) -> Result<Vec<Step>, &'static str> {
        let url = Url::parse("https://live.example.com:1935/").unwrap();
        run(script, &url, Some("192.168.10.20".parse().unwrap()))
    }

    fn http(host: &str, port: u16) -> Step {
        Step::Proxy(Proxy { scheme: Scheme::Http, host: host.to_owned(), port })
    }

    #[test]
    fn a_script_says_where_to_go() {
        let script = "function FindProxyForURL(url, host) {
            if (isInNet(myIpAddress(), '192.168.10.0', '255.255.255.0') && shExpMatch(host, '*.example.com'))
                return 'PROXY proxy.example:3128; SOCKS5 s.example:1080; DIRECT';
            return 'DIRECT'; }";
        let socks = Step::Proxy(Proxy { scheme: Scheme::Socks, host: "s.example".to_owned(), port: 1080 });
        assert_eq!(say(script).unwrap(), [http("proxy.example", 3128), socks, Step::Direct]);
    }

    #[test]
    fn a_script_learns_no_names() {
        let script = "function FindProxyForURL(url, host) {
            return dnsResolve('localhost') ? 'PROXY told.example:1' : 'DIRECT'; }";
        assert_eq!(say(script).unwrap(), [Step::Direct]);
    }

    #[test]
    fn hostile_scripts_end() {
        let start = Instant::now();
        for script in [
            "",
            "<html>Welcome</html>",
            "function FindProxyForURL() { for (;;) {} }",
            "function FindProxyForURL() { var a = []; for (;;) a.push(new Array(1000000).join('x')); }",
            "function FindProxyForURL() { function f() { f(); } f(); }",
            "function FindProxyForURL() { return 7; }",
            "function FindProxyForURL() { throw 'x'; }",
        ] {
            assert!(say(script).is_err(), "{script}");
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    }
}
