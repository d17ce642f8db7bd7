//! The rules. Each gives its breaches as `path:line: why`.

use super::paths::{self, Path};
use super::source::Source;
use super::tokens::{self, Token};

/// The layers; each uses only those before it, and those in one group never name each other. A
/// module's own tests may look further: those of `wire` carry real media.
const LAYERS: [&[&str]; 13] = [
    &["model"],
    &["wire"],
    &["media"],
    &["net"],
    &["farend", "probe"],
    &["policy"],
    &["evidence"],
    &["judge"],
    &["report"],
    &["run"],
    &["ui"],
    &["cli"],
    &["main"],
];
const LONGEST: usize = 400;
const EMPTY_NAMES: [&str; 5] = ["utils", "common", "helpers", "types", "manager"];

/// Every breach in one source.
pub fn all(source: &Source) -> Vec<String> {
    let tokens = tokens::read(&source.text);
    let module = source.module();
    let paths = paths::of(&tokens, &module);
    let production =
        if source.is_test() { Vec::new() } else { paths::of(&tokens::without_tests(&tokens), &module) };
    let mut found = Vec::new();
    found.extend(direction(&module, &production));
    found.extend(wings(&module, &paths));
    found.extend(another_probe(source, &module, &paths));
    if !may_touch_the_world(&module) {
        found.extend(production.iter().filter_map(touches_the_world));
        found.extend(elapsed(&tokens::without_tests(&tokens)).filter(|_| !source.is_test()));
    }
    found.extend(names(&module, &tokens));
    found.extend(length(source));
    found.extend(untyped_errors(&module, &production));
    found.extend(unsafe_code(&module, &tokens));
    found.sort();
    found.dedup();
    found.into_iter().map(|(line, why)| format!("{}:{line}: {why}", source.path)).collect()
}

type Breach = (usize, String);

fn rank(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|group| group.contains(&layer))
}

fn direction(module: &[&str], paths: &[Path]) -> Vec<Breach> {
    let Some(&layer) = module.first() else { return Vec::new() }; // lib.rs lists them all
    let Some(from) = rank(layer) else {
        return vec![(1, format!("{layer} is no layer: give it a place in this test and in the design"))];
    };
    let mut found = Vec::new();
    for path in paths.iter().filter(|path| path.local) {
        let Some(to) = path.names.first() else { continue };
        if to == "*" {
            found.push((path.line, "a module may not import everything from the crate's root".to_owned()));
        } else if rank(to).is_some_and(|rank| to != layer && rank >= from) || (layer == "main" && to != "cli")
        {
            found.push((path.line, format!("{layer} may not use {to}")));
        }
    }
    found
}

/// The two wings that share `wire/control` are told apart in tests, too.
fn wings(module: &[&str], paths: &[Path]) -> Vec<Breach> {
    let (layer, other) = match module.first() {
        Some(&"farend") => ("farend", "probe"),
        Some(&"probe") => ("probe", "farend"),
        _ => return Vec::new(),
    };
    let across = paths.iter().filter(|path| path.local && path.names.first().is_some_and(|to| to == other));
    across.map(|path| (path.line, format!("{layer} may not use {other}"))).collect()
}

/// The probe that a module belongs to: `src/probe/NAME/…`.
fn probe_of<'a>(source: &Source, module: &[&'a str]) -> Option<&'a str> {
    let in_folder = source.path.split('/').count() > 3;
    match module {
        ["probe", name, ..] if in_folder => Some(name),
        _ => None,
    }
}

fn another_probe(source: &Source, module: &[&str], paths: &[Path]) -> Vec<Breach> {
    let Some(own) = probe_of(source, module) else { return Vec::new() };
    let mut found = Vec::new();
    for path in paths {
        let named = match path.names.iter().position(|name| name == "probe") {
            Some(at) if path.local || at == 0 => path.names.get(at + 1),
            _ => None,
        };
        let Some(named) = named else { continue };
        if named == "*" {
            found.push((path.line, "a probe may not import everything from `probe`".to_owned()));
        } else if named != own && named.starts_with(|c: char| c.is_ascii_lowercase()) && named != "self" {
            found.push((path.line, format!("the probe {own} names the probe {named}")));
        }
    }
    found
}

fn may_touch_the_world(module: &[&str]) -> bool {
    matches!(
        module,
        ["net" | "farend" | "run" | "cli" | "main", ..]
            | ["probe", _, "run", ..]
            | ["ui", "tui", "terminal", ..]
    )
}

fn touches_the_world(path: &Path) -> Option<Breach> {
    const SOCKETS: [&str; 7] =
        ["TcpStream", "TcpListener", "TcpSocket", "UdpSocket", "UnixStream", "UnixListener", "UnixDatagram"];
    const CLOCKS: [&str; 4] = ["Instant", "SystemTime", "Timestamp", "Zoned"];
    const MACROS: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];
    let names: Vec<&str> = path.names.iter().map(String::as_str).collect();
    let joined = |pair: [&str; 2]| names.windows(2).any(|two| two == pair);
    let what = if matches!(names.as_slice(), ["tokio", "net", ..] | ["socket2", ..])
        || names.iter().any(|name| SOCKETS.contains(name))
        || names.contains(&"ToSocketAddrs")
    {
        "a socket"
    } else if CLOCKS.iter().any(|clock| joined([clock, "now"]))
        || matches!(names.as_slice(), ["tokio", "time", ..])
        || joined(["thread", "sleep"])
    {
        "a clock"
    } else if path.macro_call && names.last().is_some_and(|name| MACROS.contains(name))
        || joined(["io", "stdout"])
        || joined(["io", "stderr"])
    {
        "printing"
    } else {
        return None;
    };
    Some((path.line, format!("{what} ({}) has no place here", names.join("::"))))
}

/// `.elapsed()` asks a clock too.
fn elapsed(tokens: &[Token]) -> impl Iterator<Item = Breach> {
    tokens
        .windows(2)
        .filter(|two| two[0].is('.') && two[1].is_name("elapsed"))
        .map(|two| (two[1].line, "a clock (.elapsed) has no place here".to_owned()))
}

fn names(module: &[&str], tokens: &[Token]) -> Vec<Breach> {
    let inline = tokens.windows(2).filter(|two| two[0].is_name("mod")).filter_map(|two| two[1].name());
    module
        .iter()
        .copied()
        .chain(inline)
        .filter(|name| EMPTY_NAMES.contains(name))
        .map(|name| (1, format!("`{name}` says nothing: name the module after what it holds")))
        .collect()
}

fn length(source: &Source) -> Option<Breach> {
    let lines = source.text.lines().count();
    (lines > LONGEST && !source.is_test())
        .then(|| (lines, format!("{lines} lines, and {LONGEST} are the most: split it by what it holds")))
}

fn untyped_errors(module: &[&str], paths: &[Path]) -> Vec<Breach> {
    if matches!(module, ["cli" | "main", ..]) {
        return Vec::new();
    }
    let untyped = paths.iter().filter(|path| path.names.first().is_some_and(|name| name == "anyhow"));
    untyped.map(|path| (path.line, "anyhow belongs to cli: give the error a type".to_owned())).collect()
}

fn unsafe_code(module: &[&str], tokens: &[Token]) -> Vec<Breach> {
    if module.first() == Some(&"net") {
        return Vec::new();
    }
    let unsafe_words = tokens.iter().filter(|token| token.is_name("unsafe"));
    unsafe_words.map(|token| (token.line, "unsafe code belongs to net".to_owned())).collect()
}
