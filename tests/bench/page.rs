//! Figures as Markdown, and the page that keeps them.

use std::fmt::Write as _;
use std::path::Path;

use crate::ground::peer::need;

/// One table, with what it says about how it was measured.
pub struct Section {
    pub title: String,
    pub how: String,
    pub head: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
}

impl Section {
    pub fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let head: Vec<String> = self.head.iter().map(|&cell| cell.to_owned()).collect();
        let rule: Vec<String> = self.head.iter().map(|_| "---".to_owned()).collect();
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        format!("## {}\n\n{}\n\n{}{}{rows}", self.title, self.how, line(&head), line(&rule))
    }
}

/// Whether a goal was met, in words.
pub fn goal(text: &str, met: bool) -> String {
    format!("{text}: {}", if met { "met" } else { "**not met**" })
}

/// The value in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}

/// The value below which so many of a hundred lie.
pub fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[((values.len() * percent).div_ceil(100)).max(1) - 1]
}

/// Puts a part's section into the page, in place of its last figures.
pub fn write(part: &str, section: &Section, load: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/bench.md");
    let old = std::fs::read_to_string(&file).unwrap_or_else(|_| HEAD.to_owned());
    let (begin, end) = (format!("<!-- part:{part} -->\n"), format!("<!-- /part:{part} -->\n"));
    let mut fresh = format!("{begin}{}\n", section.markdown());
    write!(fresh, "_{}; load average {load} before_\n{end}", machine(part)).unwrap();
    let page = match (old.find(&begin), old.find(&end)) {
        (Some(from), Some(to)) => format!("{}{fresh}{}", &old[..from], &old[to + end.len()..]),
        _ => format!("{old}\n{fresh}"),
    };
    std::fs::write(file, page).unwrap();
}

const HEAD: &str = "# Speed and exactness, side by side\n\n\
    Written by `cargo bench --bench speed -- --write`: medians of rounds (a single one, where one was asked for) in which golive and its peer took \
    turns on one machine. How busy that was before stands below each table: times in ms want an idle one.\n";

/// How busy the machine was in the last minute, in processes that wanted to run.
pub fn load() -> String {
    let average = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    average.split(' ').next().unwrap_or_default().to_owned()
}

/// What it was measured on.
fn machine(part: &str) -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let iperf3 = std::process::Command::new(need("iperf3", "iperf3")).arg("--version").output().unwrap();
    let iperf3 = String::from_utf8_lossy(&iperf3.stdout);
    format!(
        "{}, `cargo bench --bench speed -- {part} --write`, {cores} cores of {}, Linux {}, {}",
        jiff::Timestamp::now().strftime("%F"),
        model.map_or("a processor without a name", |(_, model)| model),
        read("/proc/sys/kernel/osrelease").trim(),
        iperf3.lines().next().unwrap_or_default().split(" (").next().unwrap_or_default()
    )
}
