//! The power cuts themselves, and the proofs that they find what is wrong.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ieum_store::Synchronous;
use ieum_testkit::power::{History, Moment, PowerError, Replay, Rig, seed};
use ieum_testkit::process::Child;

use crate::check::{Acknowledged, problem};
use crate::workload::Plan;

/// Every so many moments the bus works on in the store that the cut left.
const RESUMES: usize = 8;

/// Where the disks of the moments are made: in memory where there is such a folder.
fn stage() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = tempfile::Builder::new().prefix("ieum-power-").tempdir_in(memory);
    made.unwrap_or_else(|_| ieum_testkit::temp::folder())
}

/// Compiles the shim, or records that the calling test did not run.
pub fn rig() -> Option<Rig> {
    match Rig::new() {
        Ok(rig) => Some(rig),
        Err(error @ PowerError::NoCompiler(_)) => {
            ieum_testkit::server::not_run("a C compiler", &error.to_string());
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Runs the test called `name` of this binary as the watched process.
pub fn run(rig: &Rig, name: &str, plan: &Plan) {
    let mut command = Command::new(std::env::current_exe().expect("has a path"));
    command.args(["--exact", name, "--include-ignored", "--nocapture", "--test-threads", "1"]);
    command.env("RUST_BACKTRACE", "0");
    plan.tell(&mut command);
    rig.watch(&mut command);
    let mut child = Child::start("the watched process", command, &rig.log()).expect("starts the child");
    let ended = child.wait(Duration::from_secs(600));
    let worked = ended.is_some_and(|status| status.success());
    let again = replay(plan.seed);
    assert!(
        worked,
        "the watched process ended with {ended:?}; replay it with {again}: {}",
        child.log_tail(30)
    );
}

/// Says how to run a seed again; what it draws is of another length in the long form.
pub fn replay(seed: u64) -> String {
    let form = if ieum_testkit::server::long_faults() { "IEUM_TEST_FAULTS=full " } else { "" };
    format!("{form}IEUM_TEST_SEED={seed}")
}

/// Runs the test called `name` and returns what it did; or reads the journal that was given by hand.
pub fn history_of(rig: &Rig, name: &str, plan: &Plan) -> History {
    if let Some(journal) = journal_given() {
        return History::read(&journal).expect("reads the journal");
    }
    run(rig, name, plan);
    rig.history().expect("reads the journal")
}

/// A journal given by hand, to repeat a failure exactly.
#[allow(clippy::disallowed_methods, reason = "a journal given by hand to repeat a failure")]
fn journal_given() -> Option<PathBuf> {
    std::env::var_os("IEUM_TEST_JOURNAL").map(PathBuf::from)
}

/// Cuts the power at `moments` and returns what went wrong.
async fn cut(history: &History, moments: &[Moment]) -> Vec<(Moment, String)> {
    let mut replay = Replay::new(history);
    let mut problems = Vec::new();
    for (number, moment) in moments.iter().enumerate() {
        let stage = stage();
        replay.cut(moment).write_to(stage.path()).expect("writes the disk");
        let told = Acknowledged::read(history.marks_before(moment.at));
        if let Err(found) = problem(stage.path(), &told, number % RESUMES == 0).await {
            problems.push((*moment, found));
        }
    }
    problems
}

fn describe(history: &History, moments: &[Moment]) -> String {
    let mut phases = BTreeMap::new();
    for moment in moments {
        *phases.entry(format!("{:?}", moment.phase)).or_insert(0) += 1;
    }
    let marks = moments.iter().filter(|moment| moment.after_mark).count();
    let (records, syncs) = (history.len(), history.syncs());
    let told = history.marks_before(records).count();
    format!(
        "{} moments of {records} operations with {syncs} syncs and {told} acknowledgements; not synced then: \
         {phases:?}; {marks} right after an acknowledgement",
        moments.len()
    )
}

/// How many moments, and how many events each publisher publishes in a round.
fn size() -> (usize, usize) {
    if ieum_testkit::server::long_faults() { (300, 60) } else { (60, 20) }
}

/// Cuts the power at `count` moments; whatever is missing then fails the test and says how to repeat it.
pub async fn must_last(rig: &Rig, history: &History, seed: u64, count: usize) {
    let moments = history.moments(count, seed);
    eprintln!("seed {seed}: {}", describe(history, &moments));
    let problems = cut(history, &moments).await;
    if problems.is_empty() {
        return;
    }
    let kept = std::env::temp_dir().join(format!("ieum-power-{seed}-{}.journal", std::process::id()));
    // Threads interleave anew in each run, so the journal belongs to the seed.
    std::fs::copy(rig.journal(), &kept).expect("keeps the journal");
    let lines: Vec<String> = problems.iter().map(|(moment, found)| format!("{moment}: {found}")).collect();
    panic!(
        "seed {seed}: {} of {count} moments failed; replay with {} IEUM_TEST_JOURNAL={}\n{}",
        lines.len(),
        replay(seed),
        kept.display(),
        lines.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_loses_nothing_acknowledged_and_every_store_opens() {
    let Some(rig) = rig() else { return };
    let seed = seed(7);
    let (count, events) = size();
    let history = history_of(&rig, "workload::child", &Plan { seed, ..Plan::of(&rig, events) });
    must_last(&rig, &history, seed, count).await;
}

/// Runs with a bug and returns what a hundred moments found, `None` where nothing could run.
async fn found(synchronous: Synchronous, hasty: bool) -> Option<Vec<String>> {
    let rig = rig()?;
    run(&rig, "workload::child", &Plan { synchronous, hasty, ..Plan::of(&rig, 20) });
    let history = rig.history().expect("reads the journal");
    let moments = history.moments(100, seed(7));
    eprintln!("{}", describe(&history, &moments));
    let problems = cut(&history, &moments).await;
    eprintln!("{} of {} moments failed", problems.len(), moments.len());
    for (moment, found) in &problems {
        eprintln!("{moment}: {found}");
    }
    Some(problems.into_iter().map(|(_, found)| found).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_syncs_the_same_cuts_find_losses() {
    let Some(found) = found(Synchronous::Off, false).await else { return };
    assert!(found.iter().any(|problem| problem.contains("are lost")), "lost events must be found: {found:?}");
    assert!(found.iter().any(|problem| problem.contains("damaged")), "damage must be found: {found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledgement_before_the_commit_is_found() {
    let Some(found) = found(Synchronous::Full, true).await else { return };
    assert!(
        found.iter().any(|problem| problem.contains("rows are lost")),
        "lost rows must be found: {found:?}"
    );
    assert!(found.iter().all(|problem| problem.contains("rows are lost")), "nothing else is lost: {found:?}");
}
