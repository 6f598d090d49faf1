//! How much memory a process and its children hold, read from `/proc` (proc_pid_status(5)).

use std::fs;

/// Returns the bytes that the processes of a group hold and that no file could give back: anonymous and shared memory, in
/// swap too. What is shared by a fork counts for each. `None` where the system does not tell.
pub fn held(group: u32) -> Option<u64> {
    let mut total = 0;
    let mut found = false;
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let name = entry.file_name();
        let Some(id) = name.to_str().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())) else {
            continue;
        };
        // One that has ended meanwhile holds nothing.
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        if group_of(&stat) == Some(group) {
            found = true;
            total += of_status(&fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default());
        }
    }
    found.then_some(total)
}

/// Reads the process group, the third field after the name, which may hold spaces and brackets itself.
fn group_of(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(2)?.parse().ok()
}

fn of_status(status: &str) -> u64 {
    let kibibytes = |line: &str| line.split_whitespace().nth(1)?.parse::<u64>().ok();
    let held = status
        .lines()
        .filter(|line| ["RssAnon:", "RssShmem:", "VmSwap:"].iter().any(|field| line.starts_with(field)));
    held.filter_map(kibibytes).sum::<u64>() * 1_024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_read_from_behind_the_name_whatever_the_name_is() {
        assert_eq!(group_of("17 (a) b) (c) S 1 4321 4321 0 -1"), Some(4_321));
        assert_eq!(group_of("17 broken"), None);
        let status = "Name:\tx\nVmRSS:\t  900 kB\nRssAnon:\t  100 kB\nRssFile:\t 700 kB\nRssShmem:\t 24 kB\nVmSwap:\t 4 kB\n";
        assert_eq!(of_status(status), 128 * 1_024);
    }
}
