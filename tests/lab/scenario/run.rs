//! Runs one scenario: builds its network, runs golive in it, compares.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ::golive::judge::evaluate;
use ::golive::report::{Document, build, judged_from};
use jiff::SignedDuration;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::compare::Seen;
use super::format::Scenario;
use super::lanes::lane;
use super::{golive, policy};
use crate::ground::namespace::Namespace;
use crate::ground::peer::need;
use crate::middlebox::{Installed, Middlebox, Place};
use crate::truth::watch::Watch;
use crate::venue::{Plan, Venue, address};

/// What came of a scenario.
#[derive(Debug)]
pub struct Outcome {
    pub seen: Seen,
    /// Every difference from what was expected, in words.
    pub differences: Vec<String>,
    pub took: Duration,
    /// What golive and the boxes said.
    pub log: String,
}

impl Outcome {
    /// The scenario could not be run.
    pub fn broken(why: &str) -> Self {
        let differences = vec![why.to_owned()];
        Self { seen: Seen::default(), differences, took: Duration::ZERO, log: String::new() }
    }
}

/// Files of the run's folder that golive reads its secrets from.
const SECRETS: [&str; 3] = ["token", "test-key", "media-key"];

/// A thread that wakes so late keeps golive's own from measuring.
const FELT: Duration = Duration::from_millis(60);

/// Runs it. A network that the lab could not emulate as it should is tried again, thrice in all.
pub fn run(scenario: &Scenario) -> Outcome {
    let _lane = lane(scenario.is_alone());
    let started = Instant::now();
    for attempt in 1.. {
        let world = World::build(scenario);
        let watch = Watch::start();
        let report = world.check(scenario);
        let woke_late = watch.worst();
        // Who only asks does not mind an answer some milliseconds late.
        let too_slow = world.too_slow().filter(|_| scenario.is_alone());
        if let Some(why) = too_slow.as_ref().filter(|_| attempt < 3) {
            eprintln!("{}: the emulator was too slow ({why}); again", scenario.name);
            continue;
        }
        let (seen, mut differences) = match report {
            Ok(report) => {
                let seen = Seen::of(&report);
                let differences = seen.differences(&scenario.expect);
                (seen, differences)
            }
            Err(said) => (Seen::default(), vec![said]),
        };
        // What golive measured on a machine that kept it waiting, or its packets, says nothing of the network.
        let busy = woke_late > FELT || world.slow().is_some();
        if scenario.is_alone() && !differences.is_empty() && busy && attempt < 3 {
            eprintln!("{}: this machine was busy ({woke_late:?}), and it differs; again", scenario.name);
            continue;
        }
        differences.extend(world.leaks());
        differences
            .extend(too_slow.map(|why| format!("this machine was too slow to emulate the network: {why}")));
        return Outcome { seen, differences, took: started.elapsed(), log: world.log() };
    }
    unreachable!("the third attempt returns")
}

/// A scenario's network.
pub struct World {
    // What stands in the way goes before the namespaces that it stands in.
    boxes: Vec<Installed>,
    pub venue: Venue,
    folder: tempfile::TempDir,
}

impl World {
    /// Builds the venue and puts the boxes in their places.
    pub fn build(scenario: &Scenario) -> Self {
        let plan = Plan {
            uplink: scenario.uplink.clone(),
            backup: scenario.backup.clone(),
            platform: scenario.platform.clone(),
            no_ipv6: scenario.run.no_ipv6,
            congestion_control: scenario.run.congestion_control.clone(),
            far_end: scenario.run.far_end.clone(),
            iperf3: scenario.run.iperf3,
            routes: scenario.run.routes.clone(),
            no_ipv4: scenario.run.no_ipv4,
            vpn_mtu: scenario.run.vpn_mtu,
        };
        let venue = Venue::build(&plan, &golive::program());
        let folder = tempfile::Builder::new().prefix("golive-scenario-").tempdir().unwrap();
        let mut world = Self { boxes: Vec::new(), venue, folder };
        world.install(scenario);
        for command in &scenario.run.ip {
            world.venue.laptop.ip(&command.split(' ').collect::<Vec<_>>());
        }
        world
    }

    fn install(&mut self, scenario: &Scenario) {
        let venue = &self.venue;
        let honest: Middlebox = toml::from_str("resolver = {}").unwrap();
        let resolves = |boxes: &[Middlebox]| boxes.iter().any(|b| matches!(b, Middlebox::Resolver(_)));
        // A router without a resolver of its own in the scenario has an honest one.
        let ours = |boxes: &[Middlebox]| if resolves(boxes) { None } else { Some(honest.clone()) };
        let places: [(&Namespace, Spot, &[Middlebox], Option<Middlebox>); 6] = [
            (&venue.laptop, LAPTOP, &scenario.laptop, None),
            (&venue.router, ROUTER, &scenario.router, ours(&scenario.router)),
            (&venue.building, BUILDING, &scenario.building, None),
            (&venue.internet, INTERNET, &scenario.internet, None),
            (&venue.cell, CELL, &scenario.cell, ours(&scenario.cell)),
            (&venue.cloud, CLOUD, &scenario.cloud, None),
        ];
        let upstream = address::NAMES.map(|address| SocketAddr::new(address.parse().unwrap(), 53));
        for (namespace, spot, boxes, more) in places {
            let place = Place {
                name: spot.name,
                namespace,
                inside: spot.inside,
                outside: spot.outside,
                address4: spot.addresses[0].parse().unwrap(),
                address6: spot.addresses[1].parse().unwrap(),
                resolvers: &upstream[..1],
                public: &venue.public,
            };
            let installed = more.iter().chain(boxes).map(|middlebox| middlebox.install(&place));
            let installed: Vec<Installed> = installed.collect();
            // The laptop's resolvers are those of the network that it prefers.
            if spot.name == ROUTER.name {
                tell_the_laptop(venue, scenario, &installed);
            }
            self.boxes.extend(installed);
        }
    }

    /// Runs `golive check` on the laptop and reads its report.
    ///
    /// # Errors
    /// What golive said instead of writing one.
    pub fn check(&self, scenario: &Scenario) -> Result<Value, String> {
        self.check_as(scenario, "out", &[])
    }

    /// The same into a folder of its own, with more arguments.
    ///
    /// # Errors
    /// As [`World::check`].
    pub fn check_as(&self, scenario: &Scenario, out: &str, more: &[&str]) -> Result<Value, String> {
        let folder = self.folder.path();
        self.write(scenario)?;
        let mut golive = self.golive(scenario);
        golive.args(["check", "policy.toml", "--plain", "--out", out]).args(more);
        if !scenario.answer.is_empty() {
            golive.args(["--answers", "answers.toml"]);
        }
        let child = spawn(&mut golive, &folder.join("said"));
        let said = || std::fs::read_to_string(folder.join("said")).unwrap_or_default();
        if !await_end(child, scenario, &self.venue) {
            return Err(format!("golive did not end in {} s; it said:\n{}", scenario.run.at_most_s, said()));
        }
        let report = std::fs::read(folder.join(out).join("report.json"))
            .map_err(|error| format!("no report ({error}); golive said:\n{}", said()))?;
        let report: Value = serde_json::from_slice(&report).map_err(|error| error.to_string())?;
        scenario.run.judged_after_h.map_or(Ok(report.clone()), |hours| judged_later(&report, hours))
    }

    /// Runs golive on the laptop with other arguments and gives what it printed.
    pub fn say(&self, scenario: &Scenario, args: &[&str]) -> String {
        let output = self.golive(scenario).args(args).output().expect("golive starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "golive {args:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Where a file of the run's folder lies.
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// A file of the run's folder.
    pub fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap()
    }

    /// Files of the run's folder that hold a secret and are not its own: what golive said on both
    /// its streams, the journal, the report in all its forms, a core dump.
    fn leaks(&self) -> Vec<String> {
        let secrets = SECRETS.map(|file| std::fs::read_to_string(self.path(file)).unwrap_or_default());
        let secrets: Vec<_> = SECRETS.iter().zip(&secrets).filter(|(_, secret)| !secret.is_empty()).collect();
        let mut folders = vec![self.path("")];
        let mut leaks = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if path.is_dir() {
                    folders.push(path);
                } else if !SECRETS.contains(&name.as_ref()) {
                    let content = std::fs::read(&path).unwrap();
                    let content = String::from_utf8_lossy(&content);
                    let found = secrets.iter().filter(|(_, secret)| content.contains(secret.as_str()));
                    leaks.extend(found.map(|(file, _)| format!("{name} holds the secret of {file}")));
                }
            }
        }
        leaks
    }

    /// Where the emulator was later than its line should be.
    pub fn slow(&self) -> Option<String> {
        [&self.venue.uplink, &self.venue.backup].into_iter().find_map(|wan| wan.kept_up().err())
    }

    /// Where it was so late that it was another line.
    fn too_slow(&self) -> Option<String> {
        [&self.venue.uplink, &self.venue.backup].into_iter().find_map(|wan| wan.kept_up_roughly().err())
    }

    /// What golive said on its screen, and each box in its log.
    pub fn log(&self) -> String {
        let said = std::fs::read_to_string(self.folder.path().join("said")).unwrap_or_default();
        let boxes: Vec<String> = self.boxes.iter().map(Installed::log).collect();
        format!("{said}\n{}", boxes.join("\n"))
    }

    fn write(&self, scenario: &Scenario) -> Result<(), String> {
        let folder = self.folder.path();
        let mut answers = toml::Table::new();
        let mut given = toml::Value::try_from(&scenario.answer).unwrap();
        policy::fill(&mut given, &self.venue)?;
        answers.insert("answer".to_owned(), given);
        let files = [
            ("policy.toml", policy::text(scenario, &self.venue)?),
            ("answers.toml", answers.to_string()),
            ("token", self.venue.far_end.token.clone()),
            ("test-key", "lab-test-key".to_owned()),
            ("media-key", self.venue.far_end.media_key.clone()),
        ];
        for (name, content) in files {
            std::fs::write(folder.join(name), content).unwrap();
        }
        let trusted = self.boxes.iter().map(Installed::told).filter(|told| told.trusted);
        let authorities: String = trusted.filter_map(|told| told.authority.clone()).collect();
        let public = if scenario.run.old_store { "" } else { self.venue.public.pem() };
        let store = authorities + self.venue.company.pem() + public;
        std::fs::write(folder.join("machine.pem"), store).unwrap();
        std::fs::create_dir_all(folder.join("out")).unwrap();
        if scenario.run.unprivileged {
            open(folder);
        }
        Ok(())
    }

    /// golive on the laptop, as the user that the scenario names.
    fn golive(&self, scenario: &Scenario) -> Command {
        let mut command = Command::new(need("ip", "iproute2"));
        command.args(["netns", "exec", self.venue.laptop.name()]);
        if scenario.run.unprivileged {
            command.arg(need("setpriv", "util-linux"));
            command.args([
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "--inh-caps=-all",
                "--bounding-set=-all",
            ]);
        }
        command.args(golive::program()).current_dir(self.folder.path());
        command.env(golive::AUTHORITY, &self.venue.public_file);
        command.env("SSL_CERT_FILE", self.folder.path().join("machine.pem"));
        command.envs(&scenario.run.env);
        command.envs(scenario.run.breaks_with.as_ref().map(|file| (golive::BREAKS, self.path(file))));
        command
    }
}

/// The report again, judged as of so many hours after it was written.
fn judged_later(report: &Value, hours: f64) -> Result<Value, String> {
    let stored: Document = serde_json::from_value(report.clone()).map_err(|error| error.to_string())?;
    let (policy, evidence) = judged_from(&stored).map_err(|error| error.to_string())?;
    let later = stored.verdict.evaluated_at + SignedDuration::from_secs_f64(hours * 3600.0);
    let verdict = evaluate(&policy, &evidence, later);
    serde_json::to_value(build(stored.run.clone(), &policy, &evidence, &verdict))
        .map_err(|error| error.to_string())
}

/// Writes down what the laptop knows of names: from DHCP, or by hand.
fn tell_the_laptop(venue: &Venue, scenario: &Scenario, by_router: &[Installed]) {
    let run = &scenario.run;
    let usable = |ip: &IpAddr| if ip.is_ipv4() { !run.no_ipv4 } else { !run.no_ipv6 };
    let told = by_router.iter().flat_map(|b| &b.told().resolvers).copied().filter(usable);
    let resolvers: Vec<String> = if run.resolvers.is_empty() {
        told.map(|ip| ip.to_string()).collect()
    } else {
        run.resolvers.clone()
    };
    let lines = resolvers.iter().map(|resolver| format!("nameserver {resolver}"));
    let lines: Vec<String> = lines.chain(run.resolv_conf.clone()).collect();
    venue.laptop.setting("resolv.conf", &(lines.join("\n") + "\n"));
    if !run.hosts.is_empty() {
        venue.laptop.setting("hosts", &run.hosts);
    }
}

/// Where a box can be put.
#[derive(Clone, Copy)]
struct Spot {
    name: &'static str,
    inside: &'static str,
    outside: &'static str,
    addresses: [&'static str; 2],
}

const fn spot(
    name: &'static str,
    inside: &'static str,
    outside: &'static str,
    addresses: [&'static str; 2],
) -> Spot {
    Spot { name, inside, outside, addresses }
}

const LAPTOP: Spot = spot("laptop", "lo", "eth0", address::LAPTOP);
const ROUTER: Spot = spot("router", "lan0", "wan0", address::ROUTER);
const BUILDING: Spot = spot("building", "in0", "out0", ["45.30.0.1", "2a00:30::1"]);
const INTERNET: Spot = spot("internet", "isp0", "p0", ["45.31.0.2", "2a00:31::2"]);
const CELL: Spot = spot("cell", "lan0", "out0", address::CELL);
const CLOUD: Spot = spot("cloud", "net0", "lo", address::CLOUD);

/// Lets an ordinary user write into the run's folder and read its secrets.
fn open(folder: &Path) {
    for file in std::iter::once(folder.to_owned())
        .chain(std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()))
    {
        std::os::unix::fs::chown(&file, Some(65534), Some(65534)).unwrap();
    }
}

fn spawn(command: &mut Command, log: &Path) -> Child {
    let log = std::fs::File::create(log).unwrap();
    let errors = log.try_clone().unwrap();
    command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn().expect("golive starts")
}

/// Waits for it while the scenario's incidents happen, and kills it when it takes too long (false).
fn await_end(mut child: Child, scenario: &Scenario, venue: &Venue) -> bool {
    let started = Instant::now();
    let pid = Pid::from_child(&child);
    let mut incidents = incidents(scenario);
    while started.elapsed() < Duration::from_secs(scenario.run.at_most_s) {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        while incidents.first().is_some_and(|(after, _)| started.elapsed().as_secs_f64() > *after) {
            match incidents.remove(0).1 {
                Incident::Signal(signal) => kill_process(pid, signal).unwrap(),
                Incident::FarEnd(signal) => venue.far_end.signal(signal),
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
    false
}

/// What happens while golive runs.
enum Incident {
    Signal(Signal),
    FarEnd(Signal),
}

/// The scenario's incidents with their seconds, in order.
fn incidents(scenario: &Scenario) -> Vec<(f64, Incident)> {
    let run = &scenario.run;
    let mut incidents = Vec::new();
    incidents.extend(run.stop_after_s.map(|at| (at, Incident::Signal(Signal::INT))));
    incidents.extend(run.far_end_ends_after_s.map(|at| (at, Incident::FarEnd(Signal::TERM))));
    incidents.extend(run.far_end_dies_after_s.map(|at| (at, Incident::FarEnd(Signal::KILL))));
    if let Some(freeze) = run.freeze {
        incidents.push((freeze.at_s, Incident::Signal(Signal::STOP)));
        incidents.push((freeze.at_s + freeze.for_s, Incident::Signal(Signal::CONT)));
    }
    incidents.sort_by(|a, b| a.0.total_cmp(&b.0));
    incidents
}
