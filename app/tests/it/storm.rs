//! Many devices that talk while lines are cut, devices restart and the hub is killed: every question is answered once,
//! and in the order in which its device asked.
//!
//! Short by a fixed seed; `cargo xtask test faults` takes 200 devices for 30 minutes. `IEUM_STORM_SEED`,
//! `IEUM_STORM_DEVICES` and `IEUM_STORM_SECONDS` choose others.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ieum_core::{Clock, Secret, SystemClock, system_clock};
use ieum_edge::{Address, Agent, AgentOptions, Answer, Kind, Listener, Notice, Queue, QueueLimits, Trust};
use ieum_policy::Backoff;
use ieum_testkit::fault::{FaultPlan, TcpProxy};
use ieum_testkit::port::KeptPort;
use ieum_testkit::{server, wait};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Running, up};

/// Numbers that one seed leads to again (xorshift64*, Vigna 2016).
struct Dice(u64);

impl Dice {
    fn of(seed: u64, who: u64) -> Self {
        let mut dice = Self(
            seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (who + 1).wrapping_mul(0xD1B5_4A32_D192_ED03) | 1,
        );
        for _ in 0..8 {
            dice.below(2);
        }
        dice
    }

    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % most.max(1)
    }

    fn between(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(least + self.below(most - least))
    }
}

#[allow(clippy::disallowed_methods, reason = "how a person chooses another storm")]
fn chosen(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[derive(Default)]
struct Ears {
    answers: Mutex<Told>,
}

/// What a device was told.
#[derive(Default)]
struct Told {
    /// The answers' own ids by the turn they answer.
    known: HashMap<String, HashSet<String>>,
    /// The turns in the order of their first answers.
    order: Vec<String>,
}

#[async_trait]
impl Listener for Ears {
    async fn answered(&self, answer: Answer) {
        let told: Value = serde_json::from_slice(&answer.payload).expect("is JSON");
        assert_eq!(told["type"], "DIALOG_RESPONSE", "{told}");
        let turn = told["payload"]["turnId"].as_str().expect("names its turn").to_owned();
        let id = told["messageId"].as_str().expect("has an id").to_owned();
        let mut told = self.answers.lock();
        let Told { known, order } = &mut *told;
        if known.entry(turn.clone()).or_default().insert(id) {
            order.push(turn);
        }
    }

    fn noticed(&self, notice: Notice) {
        assert!(!matches!(notice, Notice::Refused { .. } | Notice::GivenUp { .. }), "{notice:?}");
    }
}

/// A device that talks.
struct Talker {
    folder: PathBuf,
    options: AgentOptions,
    ears: Arc<Ears>,
    said: Vec<String>,
    restarts: u64,
    /// Milliseconds between two questions, at least and at most.
    pace: (u64, u64),
    running: Option<(Agent, Queue, JoinHandle<()>)>,
}

impl Talker {
    async fn start(&mut self) {
        let limits = QueueLimits::default();
        let queue = Queue::open(&self.folder, limits, system_clock()).await.expect("opens");
        let agent = Agent::new(queue.clone(), system_clock());
        let (own, options, ears) = (agent.clone(), self.options.clone(), self.ears.clone());
        let task = tokio::spawn(async move {
            own.run(&options, ears, CancellationToken::new()).await.expect("never gives up");
        });
        self.running = Some((agent, queue, task));
    }

    /// Ends it as a kill does, and begins again with what is on its disk.
    async fn restart(&mut self) {
        let Some((agent, queue, task)) = self.running.take() else { return };
        task.abort();
        let _ = task.await;
        drop(agent);
        queue.close().await;
        self.restarts += 1;
        self.start().await;
    }

    async fn say(&mut self) {
        let Some((agent, ..)) = &self.running else { return };
        let body = json!({ "text": "지금 몇 시야?" }).as_object().cloned().expect("is an object");
        let taken = agent.say(Kind::Text, body, None).await.expect("has room");
        self.said.push(taken.id);
    }

    fn waiting(&self) -> usize {
        self.running.as_ref().map_or(0, |(agent, ..)| agent.waiting().0)
    }

    /// Talks until `end`, then waits until all is answered.
    async fn live(mut self, mut dice: Dice, end: Duration) -> Self {
        let begun = SystemClock.moment();
        while SystemClock.moment().since(begun) < end {
            SystemClock.sleep(dice.between(self.pace.0, self.pace.1)).await;
            self.say().await;
            if dice.below(25) == 0 {
                self.restart().await;
            }
        }
        let patience = Duration::from_secs(300) + end;
        let all = async || self.waiting() == 0 && self.ears.answers.lock().order.len() >= self.said.len();
        let waited = wait::until("every question is answered", patience, all).await;
        if let Err(error) = waited {
            let Told { known, order } = &*self.ears.answers.lock();
            let open: Vec<&String> = self.said.iter().filter(|id| !known.contains_key(*id)).collect();
            let answered = order.len();
            panic!(
                "{error}: {} said, {answered} answered, {} wait, open {open:?}",
                self.said.len(),
                self.waiting()
            );
        }
        self
    }

    fn check(&self) {
        let Told { known, order } = &*self.ears.answers.lock();
        assert_eq!(order, &self.said, "in the order in which they were asked, and nothing else");
        assert!(known.values().all(|answers| answers.len() == 1), "each once");
    }
}

/// Kills the hub and cuts lines until `end`, and leaves it running. Returns it with how often.
async fn rage(
    (mut platform, proxy): (Running, &TcpProxy),
    folder: &std::path::Path,
    mut dice: Dice,
    end: Duration,
    every: (u64, u64),
) -> (Running, u64, u64) {
    let (mqtt, begun) = (platform.mqtt.clone(), SystemClock.moment());
    let (mut kills, mut cuts) = (0, 0);
    let mut kill_in = dice.between(every.0, every.1);
    // A machine that stood still meanwhile is given its kill later.
    while SystemClock.moment().since(begun) < end || kills == 0 {
        let wait = dice.between(300, 3_000);
        SystemClock.sleep(wait).await;
        proxy.cut();
        proxy.restore();
        cuts += 1;
        kill_in = kill_in.saturating_sub(wait);
        if kill_in.is_zero() {
            platform.child.kill().expect("is killed");
            platform.child.wait().expect("is gone");
            let (folder, mqtt) = (folder.to_owned(), mqtt.clone());
            let again = tokio::task::spawn_blocking(move || {
                up(&folder, &["voice"], &[("IEUM__DEVICE__LISTEN", mqtt.as_str())])
            });
            platform = again.await.expect("starts again");
            kills += 1;
            kill_in = dice.between(every.0, every.1);
        }
    }
    (platform, kills, cuts)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_over_many_devices_leaves_each_question_answered_once_and_in_order() {
    let long = server::long_faults();
    let seed = chosen("IEUM_STORM_SEED", 7);
    let devices = chosen("IEUM_STORM_DEVICES", if long { 200 } else { 20 });
    let seconds = chosen("IEUM_STORM_SECONDS", if long { 1_800 } else { 20 });
    // Printed where it fails.
    println!("IEUM_STORM_SEED={seed} IEUM_STORM_DEVICES={devices} IEUM_STORM_SECONDS={seconds}");
    let (here, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    // Nobody else gets the port while the hub is dead.
    let kept = KeptPort::take();
    let platform =
        up(there.path(), &["voice"], &[("IEUM__DEVICE__LISTEN", kept.address().to_string().as_str())]);
    let proxy = TcpProxy::start(&platform.mqtt, FaultPlan::default()).await.expect("starts");
    let end = Duration::from_secs(seconds);
    let trust = Trust::of_this_machine().expect("is believed");
    let address = Address::parse(&format!("mqtt://{}", proxy.address())).expect("is one");
    let mut talking = Vec::new();
    for number in 0..devices {
        let device = format!("device-{number}");
        let added = platform.ask(there.path(), &["device", "add", &device]);
        let secret = Secret::new(added["secret"].as_str().expect("is shown once"));
        let mut options = AgentOptions::new(address.clone(), &device, Some(secret), trust.clone());
        options.backoff.most = Duration::from_secs(2);
        options.backoff = Backoff { first: Duration::from_millis(100), ..options.backoff };
        let folder = here.path().join(&device);
        // As people talk; faster where few devices have only seconds.
        let pace = if long { (2_000, 10_000) } else { (50, 2_500) };
        let (ears, said) = (Arc::default(), Vec::new());
        let mut talker = Talker { folder, options, ears, said, restarts: 0, pace, running: None };
        talker.start().await;
        talking.push(tokio::spawn(talker.live(Dice::of(seed, number), end)));
    }
    let every = if long { (20_000, 60_000) } else { (4_000, 8_000) };
    let dice = Dice::of(seed, u64::MAX / 2);
    let (platform, kills, cuts) = rage((platform, &proxy), there.path(), dice, end, every).await;
    let (mut said, mut restarts) = (0, 0);
    for talker in talking {
        let talker = talker.await.unwrap_or_else(|error| panic!("IEUM_STORM_SEED={seed}: {error}"));
        talker.check();
        said += talker.said.len();
        restarts += talker.restarts;
    }
    println!(
        "{said} questions of {devices} devices answered once, in order; {kills} kills of the hub, {cuts} cuts of all lines, {restarts} restarts of devices"
    );
    assert!(kills > 0 && cuts > 0, "nothing happened");
    platform.stop();
}
