//! Processor time of processes, as proc(5) counts it.

/// Seconds of processor time that a process took so far, all its threads together.
pub fn seconds(pid: u32) -> f64 {
    fields(&pid.to_string(), [11, 12])
}

/// The same of this process.
pub fn own() -> f64 {
    fields("self", [11, 12])
}

/// The same of all children of this process that have ended and were waited for.
pub fn ended_children() -> f64 {
    fields("self", [13, 14])
}

/// Sums fields of `stat`, counted behind the program's name; a hundred ticks are a second.
fn fields(process: &str, wanted: [usize; 2]) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let rest: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    wanted.iter().map(|&field| rest[field].parse::<f64>().unwrap()).sum::<f64>() / 100.0
}
