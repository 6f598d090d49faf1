//! A hub in a process of its own, so that it can be killed at any moment.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ieum_core::system_clock;
use ieum_events::{EventsOptions, Sweep};
use ieum_testkit::process::Child;
use ieum_testkit::wait::until_some;

use crate::hub::{ForTests, Hub, serve};

const URL: &str = "IEUM_EVENTS_CHILD_URL";
const LISTEN: &str = "IEUM_EVENTS_CHILD_LISTEN";
const SWEEP: &str = "IEUM_EVENTS_CHILD_SWEEP";
const VANISHED: &str = "IEUM_EVENTS_CHILD_VANISHED";

/// The process that is killed: a hub that reads whatever is registered in its tables. No test by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the tests that kill a hub"]
async fn child_hub() {
    let Some(url) = setting(URL) else { return };
    let options = EventsOptions::default();
    let options = match setting(SWEEP).as_deref() {
        Some("never") => options.without_sweep(),
        // Often: every annulled scan needs one.
        _ => EventsOptions { sweep: Sweep::AtMostEvery(Duration::from_secs(2)), ..options.for_tests() },
    };
    let options = match setting(VANISHED) {
        Some(millis) => {
            let every = Duration::from_millis(millis.parse().expect("is a number"));
            EventsOptions { vanished_every: every, ..options }
        }
        None => options,
    };
    let hub = Hub::open_at(&url, system_clock(), options).await;
    if let Some(address) = setting(LISTEN) {
        // The one before may still be on its way out.
        let bind = || async { tokio::net::TcpListener::bind(&address).await.ok() };
        let listener = until_some("the port is free", Duration::from_secs(120), bind).await.expect("binds");
        serve(listener, hub.router());
    }
    hub.part.start().await.expect("starts");
    std::future::pending::<()>().await;
    hub.stop().await;
}

/// A killable hub over the tables at a URL.
#[derive(Clone)]
pub struct ChildHub {
    /// The tables.
    pub url: String,
    /// Where it serves its routes, if anywhere.
    pub listen: Option<String>,
    /// Whether it may read everything anew where totals differ.
    pub sweep: bool,
    /// How often it looks through sources for what vanished; as often as usual where left out.
    pub vanished: Option<Duration>,
}

impl ChildHub {
    pub fn start(&self) -> Child {
        let mut command = Command::new(std::env::current_exe().expect("knows itself"));
        command.args(["--ignored", "--exact", "child::child_hub"]).env(URL, &self.url);
        if let Some(address) = &self.listen {
            command.env(LISTEN, address);
        }
        if let Some(every) = self.vanished {
            command.env(VANISHED, every.as_millis().to_string());
        }
        if !self.sweep {
            command.env(SWEEP, "never");
        }
        // Its value ends it, so that none outlives a test that fails.
        Child::start("hub", command, Path::new("/dev/null")).expect("starts")
    }
}

/// Kills at once, as a crash would.
pub fn kill(mut child: Child) {
    child.kill();
}

/// Returns a number below `most` and moves the seed on.
pub fn spread(seed: &mut u64, most: u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) % most
}

#[allow(clippy::disallowed_methods, reason = "the parent test hands settings over in the environment")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
