//! What runs on our behalf, so that Ctrl-C and SIGTERM leave nothing behind.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

/// Process groups to end and folders to remove.
static LEFT: Mutex<Left> = Mutex::new(Left { groups: Vec::new(), folders: Vec::new() });

struct Left {
    groups: Vec<u32>,
    folders: Vec<PathBuf>,
}

/// Ends the process group `group` should this program be stopped.
pub fn remember_group(group: u32) {
    if let Ok(mut left) = LEFT.lock() {
        left.groups.push(group);
    }
}

/// Forgets a process group that has ended, since its number may be given to another.
pub fn forget_group(group: u32) {
    if let Ok(mut left) = LEFT.lock() {
        left.groups.retain(|other| *other != group);
    }
}

/// Removes `folder` should this program be stopped.
pub fn remember_folder(folder: PathBuf) {
    if let Ok(mut left) = LEFT.lock() {
        left.folders.push(folder);
    }
}

/// From now on SIGINT, SIGTERM and SIGHUP stop what was remembered and end this program with 130.
pub fn stop_on_signals() {
    std::thread::spawn(|| {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(first_signal());
        stop_all();
    });
}

async fn first_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut signals = Vec::new();
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        signals.extend(signal(kind));
    }
    std::future::poll_fn(|context| {
        let came = signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
        if came { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

fn stop_all() -> ! {
    // The lock is kept until the end, so that nothing more is started meanwhile.
    let left = LEFT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for signal in ["-TERM", "-KILL"] {
        for group in &left.groups {
            let _ = Command::new("kill")
                .args([signal, "--", &format!("-{group}")])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
        }
        if signal == "-TERM" && !left.groups.is_empty() {
            std::thread::sleep(Duration::from_secs(2));
        }
    }
    for folder in &left.folders {
        let _ = std::fs::remove_dir_all(folder);
    }
    std::process::exit(130);
}
