//! The links of a process: opened as the settings say, standing in for each other, seen and steered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::stream::{self, StreamExt};
use ieum_bus::{BusOptions, open_bus};
use ieum_contracts::platform::{LinkOrder, ListLinks, PlatformLinks, PlatformWatch, SteerLink, WatchLinks};
use ieum_core::{Code, Cx, Fault, system_clock};
use ieum_link::{Incoming, Outgoing, contract};
use ieum_policy::{FallbackKind, Origin};
use ieum_store::{Store, StoreOptions};
use ieum_telemetry::{Telemetry, TelemetryConfig};
use ieum_testkit::wait;
use ieum_wires::bus::serve_notices;
use ieum_wires::modes::{LinkServer, router};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::config::{Sources, load};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Word {
    text: String,
}

/// Asked for words.
#[contract("sample.words")]
trait Words {
    /// Returns a word.
    #[query]
    async fn get(&self, cx: &Cx, ask: Word) -> Result<Word, Fault>;
}

/// Talks.
#[contract("sample.talk")]
trait Talk {
    /// Repeats.
    #[stream]
    async fn echo(&self, cx: &Cx, heard: Incoming<Word>) -> Result<Outgoing<Word>, Fault>;
}

/// Rings.
#[contract("sample.bell")]
trait Bell {
    /// Rings.
    #[notice]
    async fn ring(&self, cx: &Cx, word: Word) -> Result<(), Fault>;
}

/// Answers with its name until it is told to fail.
#[derive(Clone)]
struct Answerer {
    name: &'static str,
    down: Arc<AtomicBool>,
    rung: Arc<AtomicUsize>,
}

#[ieum_link::async_trait]
impl Words for Answerer {
    async fn get(&self, _: &Cx, ask: Word) -> Result<Word, Fault> {
        if self.down.load(Ordering::SeqCst) {
            return Err(Fault::unavailable("words.down", "asking for a word"));
        }
        Ok(Word { text: format!("{} from {}", ask.text, self.name) })
    }
}

#[ieum_link::async_trait]
impl Talk for Answerer {
    async fn echo(&self, _: &Cx, heard: Incoming<Word>) -> Result<Outgoing<Word>, Fault> {
        Ok(heard)
    }
}

#[ieum_link::async_trait]
impl Bell for Answerer {
    async fn ring(&self, _: &Cx, _: Word) -> Result<(), Fault> {
        self.rung.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

static CONTRACTS: [&Contract; 3] = [&WORDS_CONTRACT, &TALK_CONTRACT, &BELL_CONTRACT];

fn answerer(name: &'static str) -> Answerer {
    Answerer { name, down: Arc::default(), rung: Arc::default() }
}

impl Answerer {
    fn routes(&self) -> Routes {
        let this = || Arc::new(self.clone());
        WordsRoutes::of(this()).merge(TalkRoutes::of(this())).merge(BellRoutes::of(this()))
    }

    async fn serve(&self) -> LinkServer {
        LinkServer::start(router(self.routes(), system_clock()), system_clock()).await.expect("starts")
    }
}

fn settings(links: &str) -> Settings {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("own.toml");
    std::fs::write(&path, links).expect("is written");
    load(&Sources { file: Some(path), ..Sources::default() }).expect("reads")
}

/// A process of its own: its links, and what it shows of them.
struct Process {
    links: Links,
    board: LinkBoard,
    bus: Bus,
    _folder: TempDir,
}

async fn process(toml: &str, local: Routes) -> Process {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("bus.db").display());
    let store = Store::open(&url, &StoreOptions::default()).await.expect("opens");
    ieum_store::migrate(&store, &ieum_bus::migrations(), |_| ()).await.expect("migrates");
    let bus = open_bus("local:", store, system_clock(), BusOptions::default()).await.expect("opens");
    let (settings, board) = (settings(toml), LinkBoard::default());
    check(&settings, &CONTRACTS).expect("can be honoured");
    let links = Links::new(Arc::new(settings), local, bus.clone(), system_clock(), board.clone(), None);
    Process { links, board, bus, _folder: folder }
}

fn word(text: &str) -> Word {
    Word { text: text.to_owned() }
}

/// Returns the mistakes of `[links]`, one a line.
fn mistakes(toml: &str) -> String {
    match check(&settings(toml), &CONTRACTS) {
        Ok(()) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_link_stands_in_for_an_answerer_that_is_gone_and_says_so() {
    let (first, second) = (answerer("first"), answerer("second"));
    let (near, far) = (first.serve().await, second.serve().await);
    let toml = format!(
        "[links.\"sample.words\"]\nto = \"http://{}\"\nretry = \"off\"\nbreaker = {{ consecutive = 3 }}\n\
         fallback = {{ to = \"grpc://{}\" }}",
        near.address(),
        far.address()
    );
    let process = process(&toml, Routes::empty()).await;
    let words = WordsClient::new(process.links.link(&WORDS_CONTRACT).expect("opens"));
    let live = words.get_marked(&Cx::root(), word("one")).await.expect("answers");
    assert_eq!((live.value, live.origin), (word("one from first"), Origin::Live));
    near.stop().await;
    for _ in 0..5 {
        let other = words.get_marked(&Cx::root(), word("two")).await.expect("is stood in for");
        assert_eq!(other.value, word("two from second"));
        assert_eq!(other.origin, Origin::Fallback(FallbackKind::OtherLink));
    }
    let shown: Vec<_> = process.board.all().iter().map(super::board::Entry::status).collect();
    let names: Vec<_> = shown.iter().map(|link| (&*link.name, &*link.wire)).collect();
    assert_eq!(names, [("sample.words", "http"), ("sample.words.fallback", "grpc")]);
    assert_eq!(shown[0].fallbacks["other-link"], 5);
    assert_eq!(shown[0].breaker.as_ref().map(|breaker| &*breaker.state), Some("open"), "it is spared");
    assert_eq!((shown[1].calls, shown[1].failures), (5, 0));
    far.stop().await;
    let fault = words.get(&Cx::root(), word("three")).await.expect_err("both are gone");
    assert_eq!((fault.code, &*fault.reason), (Code::Unavailable, "link.breaker_open"), "the first explains");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_last_stands_in_as_long_as_the_settings_allow() {
    for (fallback, expected) in [("\"last-good\"", "last-good"), ("\"cache 1h\"", "cache")] {
        let answerer = answerer("here");
        let toml = format!("[links.\"sample.words\"]\nto = \"local\"\nfallback = {fallback}");
        let process = process(&toml, answerer.routes()).await;
        let words = WordsClient::new(process.links.link(&WORDS_CONTRACT).expect("opens"));
        words.get(&Cx::root(), word("one")).await.expect("answers");
        answerer.down.store(true, Ordering::SeqCst);
        let again = words.get_marked(&Cx::root(), word("one")).await.expect("is remembered");
        assert_eq!(again.value, word("one from here"));
        assert!(again.origin.to_string().starts_with(expected), "{}", again.origin);
        words.get(&Cx::root(), word("two")).await.expect_err("was never asked");
        assert_eq!(process.board.all()[0].status().fallbacks[expected], 1);
    }
}

#[test]
fn a_fallback_that_can_never_answer_is_a_mistake() {
    for (toml, words) in [
        (
            "[links.\"sample.words\"]\nto = \"http://a:1\"\nfallback = { to = \"grpc://a:1\" }",
            "links.\"sample.words\".fallback: the link leads to a:1 already",
        ),
        (
            "[links.\"sample.words\"]\nto = \"local\"\nfallback = { to = \"http://localhost:8080\" }",
            "leads to this process already",
        ),
        ("[links.\"sample.words\"]\nto = \"http://a:1\"\nfallback = { to = \"bus:\" }", "answers nothing"),
        (
            "[links.\"sample.words\"]\nto = \"http://a:1\"\nfallback = { to = \"pigeon://roof\" }",
            "no wire is called \"pigeon\"",
        ),
        ("[links.\"sample.bell\"]\nto = \"bus:\"\nfallback = \"last-good\"", "sample.bell has none"),
    ] {
        let said = mistakes(toml);
        assert!(said.contains(words), "{toml}: {said}");
    }
    let right = "[links.\"sample.words\"]\nto = \"http://a:1\"\nfallback = { to = \"local\" }";
    assert_eq!(mistakes(right), "");
}

#[test]
fn a_wire_that_cannot_carry_a_contract_is_a_mistake() {
    let toml =
        "[links]\n\"sample.words\" = \"bus:\"\n\"sample.talk\" = \"http://a:1\"\n\"sample.bell\" = \"bus:\"";
    assert_eq!(
        mistakes(toml),
        "links.\"sample.talk\": linking sample.talk over http://a:1: echo is a stream and this wire carries \
         single messages only; use grpc:// or local\n\
         links.\"sample.words\": linking sample.words over bus: get is a query and this wire carries notices \
         only; use http://, grpc:// or local"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_ride_the_bus_from_link_to_answerer() {
    let answerer = answerer("here");
    let process = process("[links]\n\"sample.bell\" = \"bus:\"", Routes::empty()).await;
    let bell = BellClient::new(process.links.link(&BELL_CONTRACT).expect("opens"));
    bell.ring(&Cx::root(), word("first")).await.expect("is durable");
    let serving = serve_notices(&process.bus, answerer.routes(), "links", system_clock()).await;
    let serving = serving.expect("subscribes");
    assert_eq!(serving.len(), 1, "contracts with answers are not served over the bus");
    let rung = async || answerer.rung.load(Ordering::SeqCst) == 1;
    wait::until("the notice", Duration::from_secs(10), rung).await.expect("arrives");
    for subscribed in serving {
        subscribed.drain().await;
    }
    assert_eq!(process.board.all()[0].status().wire, "bus");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_goes_over_grpc_between_processes() {
    let far = answerer("far").serve().await;
    let process =
        process(&format!("[links]\n\"sample.talk\" = \"grpc://{}\"", far.address()), Routes::empty()).await;
    let talk = TalkClient::new(process.links.link(&TALK_CONTRACT).expect("opens"));
    let heard = stream::iter(["하나", "둘"].map(|text| Ok(word(text)))).boxed();
    let said: Vec<_> = talk.echo(&Cx::root(), heard).await.expect("opens").collect().await;
    assert_eq!(said, [Ok(word("하나")), Ok(word("둘"))]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_steers_a_breaker_and_everybody_who_watches_sees_it() {
    let process = process("", answerer("here").routes()).await;
    let words = WordsClient::new(process.links.link(&WORDS_CONTRACT).expect("opens"));
    let steering = Steering(process.board.clone());
    let stop = CancellationToken::new();
    let watching = Watching { board: process.board.clone(), clock: system_clock(), stop: stop.clone() };
    let asks = stream::iter([Ok(WatchLinks::default())]).chain(stream::pending()).boxed();
    let mut told = watching.links(&Cx::root(), asks).await.expect("opens");
    let state = |status: ieum_contracts::platform::LinkStatus| status.breaker.expect("has one").state;
    assert_eq!(state(told.next().await.expect("is told").expect("is no fault")), "closed");
    let order = |name: &str, order, reason: &str| SteerLink {
        name: name.to_owned(),
        order,
        reason: reason.to_owned(),
    };
    let open = order("sample.words", LinkOrder::Open, "moving the database");
    let status = steering.steer(&Cx::root(), open).await.expect("is steered");
    let breaker = status.breaker.expect("has one");
    assert_eq!((&*breaker.state, breaker.reason.as_deref()), ("held-open", Some("moving the database")));
    assert_eq!(state(told.next().await.expect("is told").expect("is no fault")), "held-open");
    let fault = words.get(&Cx::root(), word("one")).await.expect_err("is held");
    assert!(fault.message.contains("moving the database"), "{fault}");
    let back = order("sample.words", LinkOrder::Release, "");
    steering.steer(&Cx::root(), back).await.expect("is steered");
    words.get(&Cx::root(), word("one")).await.expect("passes again");
    for (wrong, reason) in [
        (order("sample.none", LinkOrder::Open, "why"), "platform.link.unknown"),
        (order("sample.words", LinkOrder::Hold, " "), "platform.link.no_reason"),
        (order("sample.words", LinkOrder::Hold, &"가".repeat(201)), "platform.link.no_reason"),
    ] {
        assert_eq!(steering.steer(&Cx::root(), wrong).await.expect_err("is refused").reason, reason);
    }
    let list = steering.list(&Cx::root(), ListLinks {}).await.expect("is listed").links;
    assert_eq!((list.len(), list[0].calls, list[0].failures, list[0].rejected["breaker"]), (1, 2, 1, 1));
    stop.cancel();
    while told.next().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scrape_tells_every_link_with_bounded_labels() {
    let answerer = answerer("here");
    let toml = "[links.\"sample.words\"]\nto = \"local\"\nretry = { first = \"1ms\", most = \"1ms\" }\nhedge = \"p95\"";
    let process = process(toml, answerer.routes()).await;
    let words = WordsClient::new(process.links.link(&WORDS_CONTRACT).expect("opens"));
    for number in 0..10 {
        words.get(&Cx::root(), word(&format!("word {number}"))).await.expect("answers");
    }
    answerer.down.store(true, Ordering::SeqCst);
    for _ in 0..9 {
        words.get(&Cx::root(), word("one")).await.expect_err("is down");
    }
    let (telemetry, _) = Telemetry::build(&TelemetryConfig::default()).expect("builds");
    telemetry.metrics().ask(Arc::new(process.board.clone()));
    let text = telemetry.render_metrics();
    for line in [
        "ieum_link_calls_total{link=\"sample.words\",outcome=\"ok\"} 10",
        "ieum_link_calls_total{link=\"sample.words\",outcome=\"unavailable\"} 9",
        "ieum_link_breaker_state{link=\"sample.words\",state=\"open\"} 1",
        "ieum_link_breaker_state{link=\"sample.words\",state=\"closed\"} 0",
        "ieum_link_breaker_changes_total{link=\"sample.words\",to=\"open\"} 1",
        "ieum_link_call_seconds_count{link=\"sample.words\",outcome=\"ok\"} 10",
        "ieum_link_call_seconds_bucket{link=\"sample.words\",outcome=\"ok\",le=\"+Inf\"} 10",
        "ieum_link_hedges_total{link=\"sample.words\"} 0",
        "ieum_link_hedges_won_total{link=\"sample.words\"} 0",
        "ieum_link_hedges_held_total{link=\"sample.words\",by=\"budget\"} 0",
        "ieum_link_in_flight{link=\"sample.words\"} 0",
        "# TYPE ieum_link_call_seconds histogram",
    ] {
        assert!(text.lines().any(|told| told == line), "{line} is missing in {text}");
    }
    let value = |name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(name)).expect(name);
        line.rsplit(' ').next().and_then(|number| number.parse().ok()).expect("is a number")
    };
    let retries = value("ieum_link_retries_total{");
    assert!((1.0..=5.0).contains(&retries), "{retries}");
    assert!(value("ieum_link_rejected_total{link=\"sample.words\",by=\"breaker\"}") > 0.0);
    assert!(!text.contains("word 3"), "what is asked is no label");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_to_a_process_follows_its_address_and_its_wire_and_asks_nobody_meanwhile() {
    use ieum_process::{Process as Started, ProcessOptions, RestartRule, State};
    const LONG: Duration = Duration::from_secs(120);
    let platform = process("", Routes::empty()).await;
    let (first, second) = (answerer("first"), answerer("second"));
    let (near, far) = (first.serve().await, second.serve().await);
    let folder = tempfile::tempdir().expect("a folder");
    let tell = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("is written");
    // Says the address of the file until the other file goes.
    let script = "until [ -e run ]; do sleep 0.02; done; echo ieum-plugin $(cat address); \
                  while [ -e run ]; do sleep 0.02; done";
    let command = ["sh", "-c", script].map(str::to_owned);
    let soon = ieum_policy::Backoff {
        first: Duration::from_millis(10),
        most: Duration::from_millis(10),
        ..ieum_policy::Backoff::default()
    };
    let started = Arc::new(Started::new(
        ProcessOptions {
            folder: Some(folder.path().to_owned()),
            restarts: RestartRule { backoff: soon, ..RestartRule::default() },
            patience: LONG,
            ..ProcessOptions::new("sample", &command)
        },
        system_clock(),
    ));
    let link = platform.links.link_to_process(&WORDS_CONTRACT, "sample", &started, &PolicyConfig::default());
    let words = WordsClient::new(link);
    let absent = words.get(&Cx::root(), word("a")).await.expect_err("nobody was started");
    assert_eq!(
        (&*absent.reason, absent.message.contains("is stopped")),
        ("link.process_absent", true),
        "{absent}"
    );

    tell("address", &format!("http://{}", near.address()));
    tell("run", "");
    started.start();
    let mut status = started.watch();
    let mut until = async |is: fn(&State) -> bool| {
        let found = tokio::time::timeout(LONG, status.wait_for(|status| is(&status.state))).await;
        drop(found.expect("comes about").expect("is watched"));
    };
    until(|state| matches!(state, State::Running(_))).await;
    assert_eq!(words.get(&Cx::root(), word("a")).await, Ok(word("a from first")));

    std::fs::remove_file(folder.path().join("run")).expect("is there");
    until(|state| !matches!(state, State::Running(_))).await;
    for _ in 0..10 {
        let absent = words.get(&Cx::root(), word("b")).await.expect_err("does not run");
        assert_eq!(&*absent.reason, "link.process_absent", "{absent}");
    }
    tell("address", &format!("grpc://{}", far.address()));
    tell("run", "");
    until(|state| matches!(state, State::Running(_))).await;
    assert_eq!(
        words.get(&Cx::root(), word("c")).await,
        Ok(word("c from second")),
        "no breaker is in the way"
    );

    let shown = platform.board.get("sample.words/sample").expect("is shown").status();
    assert_eq!((shown.wire.as_str(), shown.to.as_str(), shown.failures), ("process", "process:sh", 0));
    let process = shown.process.expect("is told");
    assert_eq!((process.state.as_str(), process.restarts), ("running", 1));
    assert_eq!(process.ended.as_deref(), Some("it ended with exit status: 0"));
    started.stop().await;
}
