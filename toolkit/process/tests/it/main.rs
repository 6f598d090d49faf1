//! Processes as they are: shells that answer, end, hang, eat memory, and leave children behind.

use std::path::Path;
use std::time::Duration;

use ieum_core::system_clock;
use ieum_policy::{Backoff, Jitter};
use ieum_process::{Ending, Process, ProcessOptions, RestartRule, State, Status};
use ieum_testkit::wait;

/// How long a test waits for what is to happen.
const LONG: Duration = Duration::from_secs(120);

/// Says that it answers, as a plugin does.
const ANSWERS: &str = "echo ieum-plugin http://127.0.0.1:7001; ";

fn options(script: &str) -> ProcessOptions {
    let command = ["sh", "-c", script].map(str::to_owned);
    let first = Duration::from_millis(10);
    let backoff = Backoff { first, factor: 2.0, most: Duration::from_millis(100), jitter: Jitter::None };
    let restarts = RestartRule { backoff, ..RestartRule::default() };
    let look = Duration::from_millis(50);
    let grace = Duration::from_secs(1);
    // However busy the machine, a shell says where it answers.
    ProcessOptions { restarts, look, grace, patience: LONG, ..ProcessOptions::new("coffee", &command) }
}

fn started(options: ProcessOptions) -> Process {
    let process = Process::new(options, system_clock());
    process.start();
    process
}

async fn until(process: &Process, what: &str, is: impl Fn(&Status) -> bool) -> Status {
    let mut seen = process.watch();
    let found = tokio::time::timeout(LONG, seen.wait_for(is)).await;
    found.unwrap_or_else(|_| panic!("{what}: {:?}", process.status())).expect("is watched").clone()
}

async fn running(process: &Process) -> Status {
    until(process, "it runs", |status| status.address().is_some()).await
}

async fn ended(process: &Process) -> Ending {
    let status = until(process, "it ended", |status| status.ended.is_some()).await;
    status.ended.expect("it ended")
}

/// Waits for the number that a script wrote.
async fn number(file: &Path) -> u32 {
    let read = || async { std::fs::read_to_string(file).ok()?.trim().parse().ok() };
    wait::until_some("a number is written", LONG, read).await.expect("is written")
}

async fn gone(id: u32) {
    let is_gone = || async { !Path::new(&format!("/proc/{id}")).exists() };
    wait::until("the process is gone", LONG, is_gone).await.expect("is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_where_it_answers_and_knows_no_more_than_it_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut options = options(&format!("env > seen; ulimit -d > data; {ANSWERS} exec sleep 1000"));
    options.memory = 16 << 20;
    options.folder = Some(folder.path().to_owned());
    options.environment = [("BEANS".to_owned(), "arabica".to_owned())].into();
    let process = started(options);
    let status = running(&process).await;
    assert_eq!(status.address().map(|address| address.as_str()), Some("http://127.0.0.1:7001"));
    let seen = std::fs::read_to_string(folder.path().join("seen")).expect("was written");
    let mut names: Vec<&str> = seen.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
    names.sort_unstable();
    assert_eq!(names, ["BEANS", "PATH"], "{seen}");
    let data = number(&folder.path().join("data")).await;
    assert_eq!(data, (2 * 16 + 256) * 1_024, "no single process is given more, in KiB");
    process.stop().await;
    assert_eq!(process.status().state, State::Stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_killed_is_started_again_and_its_children_do_not_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = format!("echo $$ > leader; sleep 1000 & echo $! > child; {ANSWERS} wait");
    let process = started(ProcessOptions { folder: Some(folder.path().to_owned()), ..options(&script) });
    running(&process).await;
    let (leader, child) =
        (number(&folder.path().join("leader")).await, number(&folder.path().join("child")).await);
    let killed = std::process::Command::new("kill").args(["-9", &leader.to_string()]).status();
    assert!(killed.expect("kill runs").success());
    let again =
        until(&process, "it runs again", |status| status.restarts == 1 && status.address().is_some()).await;
    assert_eq!(again.ended.expect("it ended").to_string(), "it ended with signal: 9 (SIGKILL)");
    gone(child).await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_eats_memory_ends_all_of_them() {
    let eat = "( word=$(head -c 90000000 /dev/zero | tr '\\0' a); sleep 1000 ) & wait";
    let process = started(ProcessOptions { memory: 32 << 20, ..options(&format!("{ANSWERS} {eat}")) });
    match ended(&process).await {
        Ending::Memory { held, limit } => assert!(held > limit && limit == 32 << 20, "{held}"),
        other => panic!("{other}"),
    }
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_never_says_where_it_answers_or_says_nonsense_is_ended() {
    let patience = Duration::from_millis(200);
    let process = started(ProcessOptions { patience, ..options("exec sleep 1000") });
    assert!(matches!(ended(&process).await, Ending::Silent { .. }));
    let process = started(options("echo ieum-plugin http://10.1.2.3:81/; exec sleep 1000"));
    let ending = ended(&process).await.to_string();
    assert!(ending.contains("it was ended because of its address"), "{ending}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_there_is_not_is_named() {
    let mut options = options("");
    options.command = vec!["no-such-program".to_owned()];
    let process = started(options);
    assert_eq!(ended(&process).await.to_string(), "there is no program \"no-such-program\"");
    until(&process, "it is tried again", |status| status.restarts >= 2).await;
    process.stop().await;
    assert_eq!(process.status().state, State::Stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_answered_and_ends_as_a_shell_does_was_there() {
    for code in [126, 127] {
        let process = started(options(&format!("{ANSWERS} sleep 0.3; exit {code}")));
        assert_eq!(ended(&process).await.to_string(), format!("it ended with exit status: {code}"));
        process.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_there_is_not_is_named() {
    let process = started(ProcessOptions { folder: Some("/no/such/folder".into()), ..options("") });
    let ending = ended(&process).await.to_string();
    assert_eq!(ending, "it could not be started: there is no folder /no/such/folder");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_will_not_end_is_ended_with_its_children() {
    let folder = tempfile::tempdir().expect("a folder");
    let stubborn = "trap '' TERM; echo $$ > leader; ( trap '' TERM; sleep 1000 ) & echo $! > child";
    let script = format!("{stubborn}; {ANSWERS} while :; do wait; sleep 1; done");
    let process = started(ProcessOptions { folder: Some(folder.path().to_owned()), ..options(&script) });
    running(&process).await;
    let (leader, child) =
        (number(&folder.path().join("leader")).await, number(&folder.path().join("child")).await);
    process.stop().await;
    gone(leader).await;
    gone(child).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_asked_to_end_may_finish() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = format!("trap 'echo 1 > finished; exit 0' TERM; {ANSWERS} while :; do sleep 0.05; done");
    let folder_of_its_own = Some(folder.path().to_owned());
    // A busy machine may need more than a moment to let it finish.
    let process = started(ProcessOptions { folder: folder_of_its_own, grace: LONG, ..options(&script) });
    running(&process).await;
    process.stop().await;
    assert_eq!(number(&folder.path().join("finished")).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_it_ends_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = format!("echo $$ > leader; {ANSWERS} exec sleep 1000");
    let process = started(ProcessOptions { folder: Some(folder.path().to_owned()), ..options(&script) });
    running(&process).await;
    let leader = number(&folder.path().join("leader")).await;
    drop(process);
    gone(leader).await;
}
