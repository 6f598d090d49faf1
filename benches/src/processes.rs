//! What other processes use, from `/proc`.

use std::path::PathBuf;
use std::time::Duration;

/// Clock ticks per second of `/proc/PID/stat`; 100 on every Linux that matters (`getconf CLK_TCK`).
const TICKS_PER_SECOND: u64 = 100;

/// Returns user and system time of a process, of its children and of those children that have ended.
pub fn tree_cpu(process: u32) -> Duration {
    let folders = std::fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
    let ticks: u64 = folders
        .filter_map(|folder| Stat::read(folder.join("stat")))
        .filter(|stat| stat.process == process || stat.parent == process)
        .map(|stat| stat.ticks + if stat.process == process { stat.ticks_of_ended } else { 0 })
        .sum();
    Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND)
}

/// Returns user and system time of a process alone.
pub fn cpu(process: u32) -> Duration {
    let ticks = Stat::read(format!("/proc/{process}/stat").into()).map_or(0, |stat| stat.ticks);
    Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND)
}

/// Returns the resident memory of a process in MiB.
pub fn resident_mib(process: u32) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let kib = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    kib.trim().trim_end_matches(" kB").parse::<f64>().ok().map(|kib| kib / 1024.0)
}

/// Returns the most memory that a process has ever held, in MiB.
pub fn peak_mib(process: u32) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let kib = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    kib.trim().trim_end_matches(" kB").parse::<f64>().ok().map(|kib| kib / 1024.0)
}

/// The fields of `/proc/PID/stat` that matter here; see proc(5).
struct Stat {
    process: u32,
    parent: u32,
    ticks: u64,
    ticks_of_ended: u64,
}

impl Stat {
    fn read(path: PathBuf) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        // The second field is the program's name in brackets and may hold spaces.
        let (before, after) = text.rsplit_once(") ")?;
        let fields: Vec<u64> = after.split(' ').map(|field| field.trim().parse().unwrap_or(0)).collect();
        Some(Self {
            process: before.split(' ').next()?.parse().ok()?,
            parent: u32::try_from(*fields.get(1)?).ok()?,
            ticks: fields.get(11)? + fields.get(12)?,
            ticks_of_ended: fields.get(13)? + fields.get(14)?,
        })
    }
}
