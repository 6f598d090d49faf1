//! `kill -9` of whoever sends: a mail server never gets the same mail twice, and no mail is forgotten.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ieum_bus::{BusOptions, open_bus};
use ieum_client::OutboundPolicy;
use ieum_contracts::notify::{Channel, MessageState};
use ieum_core::{Clock, SystemClock, system_clock};
use ieum_notify::{NotifyDeps, NotifyOptions, NotifyPart, ProviderContext, open_provider};
use ieum_store::{Store, StoreOptions};
use ieum_testkit::backend::SqlStore;
use ieum_testkit::process::Child;
use ieum_testkit::wait::until;
use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::stage::Stage;

const URL: &str = "IEUM_NOTIFY_CHILD_URL";
const MAIL: &str = "IEUM_NOTIFY_CHILD_MAIL";

const PATIENCE: Duration = Duration::from_secs(400);
/// Mails to send, and processes that are killed meanwhile.
const MAILS: usize = 150;
const KILLS: u64 = 4;

/// How often each mail was taken, by its id.
type Taken = Arc<Mutex<BTreeMap<String, usize>>>;

/// The process that is killed: it sends what is due. No test by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test that kills it"]
async fn child_that_sends() {
    let (Some(url), Some(mail)) = (setting(URL), setting(MAIL)) else { return };
    let clock = system_clock();
    let store = Store::open(&url, &StoreOptions::default()).await.expect("opens");
    let bus = open_bus("local:", store.clone(), clock.clone(), BusOptions::default()).await.expect("opens");
    let context = ProviderContext {
        outbound: OutboundPolicy { allow: vec!["127.0.0.0/8".parse().expect("is a network")] },
        clock: clock.clone(),
        from: "Ieum <no-reply@example.org>".into(),
    };
    let providers =
        [(Channel::Email, vec![open_provider(&mail, Channel::Email, &context).expect("opens")])].into();
    let options = NotifyOptions::default();
    let part = NotifyPart::new(NotifyDeps { store, bus, clock, providers, options }).expect("is wired");
    part.start().await.expect("starts");
    std::future::pending::<()>().await;
}

/// A mail server that takes its time over each mail, so that a kill often comes in between. Of what it takes beyond
/// `most` it never says that it did, however late the kill comes.
async fn slow_mail_server(most: Arc<AtomicUsize>) -> (String, Taken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("has an address");
    let taken = Taken::default();
    let book = taken.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (book, most) = (book.clone(), most.clone());
            tokio::spawn(async move {
                let (read, mut write) = stream.into_split();
                let mut lines = BufReader::new(read).lines();
                let _ = write.write_all(b"220 slow ESMTP\r\n").await;
                let (mut within, mut id) = (false, String::new());
                while let Ok(Some(line)) = lines.next_line().await {
                    if let Some(found) = line.strip_prefix("Message-ID: ").filter(|_| within) {
                        id = found.to_owned();
                    }
                    let answer = match (within, line.as_str()) {
                        (true, ".") => {
                            // Taken from here on, whether the sender lives to hear of it or not.
                            *book.lock().entry(std::mem::take(&mut id)).or_default() += 1;
                            if book.lock().len() >= most.load(Ordering::SeqCst) {
                                std::future::pending::<()>().await;
                            }
                            SystemClock.sleep(Duration::from_millis(40)).await;
                            within = false;
                            "250 ok"
                        }
                        (true, _) => continue,
                        (false, "DATA") => {
                            within = true;
                            "354 go on"
                        }
                        (false, "QUIT") => "221 bye",
                        (false, _) => "250 ok",
                    };
                    if write.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (format!("smtp://{address}?tls=none"), taken)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_gets_no_mail_twice_however_often_its_sender_is_killed() {
    let base = SqlStore::sqlite();
    let stage = Stage::over(&base.url).await;
    // Due at once, for the child's clock is later than the stage's.
    for i in 0..MAILS {
        stage.send(&format!("n-{i}"), "mail").await;
    }
    let most = Arc::new(AtomicUsize::new(usize::MAX));
    let (mail, taken) = slow_mail_server(most.clone()).await;
    let log = tempfile::tempdir().expect("a folder");
    let child = |round: u64| {
        let mut command = Command::new(std::env::current_exe().expect("knows itself"));
        command.args(["--ignored", "--exact", "killed::child_that_sends"]);
        command.env(URL, &base.url).env(MAIL, &mail);
        Child::start("the sender", command, &log.path().join(round.to_string())).expect("starts")
    };
    for round in 0..KILLS {
        let before = taken.lock().len();
        let more = 7 + usize::try_from(round).expect("is small") * 5;
        // The first is killed with a mail under way for certain, the others anywhere, but before the last mail.
        most.store(before + more + if round == 0 { 0 } else { 12 }, Ordering::SeqCst);
        let mut sender = child(round);
        let sends = || async { taken.lock().len() >= before + more };
        until("it sends", PATIENCE, sends).await.expect("sends");
        sender.kill();
    }
    let cut_short = taken.lock().len();
    assert!(cut_short < MAILS, "every kill came after the last mail");
    most.store(usize::MAX, Ordering::SeqCst);
    let mut last = child(KILLS);
    // What a killed process was sending is looked after once its lease is over, a minute later.
    let settled = || async {
        let open = [MessageState::Pending, MessageState::Sending];
        stage.all().await.iter().all(|message| !open.contains(&message.state))
    };
    until("every mail is sent or known to be uncertain", PATIENCE, settled).await.expect("is");
    last.kill();
    let all = stage.all().await;
    let count = |state| all.iter().filter(|message| message.state == state).count();
    let (sent, uncertain) = (count(MessageState::Sent), count(MessageState::Uncertain));
    assert_eq!((all.len(), sent + uncertain), (MAILS, MAILS), "none is forgotten");
    assert!(uncertain > 0, "no kill came while a mail was under way");
    let taken = taken.lock();
    assert!(taken.values().all(|times| *times == 1), "taken twice: {taken:?}");
    assert!((sent..=sent + uncertain).contains(&taken.len()), "{} taken, {sent} sent", taken.len());
    println!("{KILLS} kills: {sent} sent, {uncertain} uncertain, {} taken, none twice", taken.len());
}

#[allow(clippy::disallowed_methods, reason = "the parent test hands settings over in the environment")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
