//! The contract attribute over the wires within one process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::StreamExt;
use ieum_core::{Code, Cx, Fault, ManualClock, system_clock};
use ieum_link::{Call, Incoming, Kind, Link, Outgoing, Payload, contract, local_link, loopback};
use ieum_policy::PolicyRequest;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Word {
    text: String,
}

/// Counts what it hears.
#[contract("sample.counter")]
trait Counter {
    /// Returns how often it was asked.
    #[query]
    async fn asked(&self, cx: &Cx, ask: Word) -> Result<u32, Fault>;
    /// Adds one.
    #[command]
    async fn add(&self, cx: &Cx, word: Word) -> Result<u32, Fault>;
    /// Never answers.
    #[query]
    async fn hang(&self, cx: &Cx, ask: Word) -> Result<u32, Fault>;
    /// Repeats each word in capitals and fails on an empty one.
    #[stream]
    async fn shout(&self, cx: &Cx, heard: Incoming<Word>) -> Result<Outgoing<Word>, Fault>;
}

#[derive(Default)]
struct Counting {
    asked: AtomicU32,
    added: AtomicU32,
}

#[ieum_link::async_trait]
impl Counter for Counting {
    async fn asked(&self, _: &Cx, _: Word) -> Result<u32, Fault> {
        Ok(self.asked.fetch_add(1, Ordering::SeqCst) + 1)
    }

    async fn add(&self, _: &Cx, word: Word) -> Result<u32, Fault> {
        if word.text.is_empty() {
            return Err(Fault::invalid_argument("counter.empty", "adding an empty word"));
        }
        Ok(self.added.fetch_add(1, Ordering::SeqCst) + 1)
    }

    async fn hang(&self, _: &Cx, _: Word) -> Result<u32, Fault> {
        futures::future::pending().await
    }

    async fn shout(&self, _: &Cx, heard: Incoming<Word>) -> Result<Outgoing<Word>, Fault> {
        let louder = |item: Result<Word, Fault>| match item {
            Ok(word) if word.text.is_empty() => {
                Err(Fault::invalid_argument("counter.empty", "an empty word"))
            }
            other => other.map(|word| Word { text: word.text.to_uppercase() }),
        };
        Ok(heard.map(louder).boxed())
    }
}

fn word(text: &str) -> Word {
    Word { text: text.to_owned() }
}

fn links() -> [(&'static str, Link); 2] {
    let routes = || CounterRoutes::of(Arc::new(Counting::default()));
    [("local", local_link(routes(), system_clock())), ("loopback", loopback(routes(), system_clock()))]
}

#[tokio::test]
async fn loopback_sends_what_may_be_repeated_twice_and_nothing_else() {
    let counting = Arc::new(Counting::default());
    let client = CounterClient::new(loopback(CounterRoutes::of(counting.clone()), system_clock()));
    assert_eq!(client.asked(&Cx::root(), word("a")).await, Ok(2));
    assert_eq!(client.add(&Cx::root(), word("a")).await, Ok(1));
    assert_eq!(client.add(&Cx::root().with_idempotency_key("k"), word("a")).await, Ok(3));
}

#[tokio::test]
async fn a_fault_and_a_stream_cross_both_wires_unchanged() {
    for (mode, link) in links() {
        let client = CounterClient::new(link);
        let fault = client.add(&Cx::root(), word("")).await.expect_err("an empty word is refused");
        assert_eq!(fault, Fault::invalid_argument("counter.empty", "adding an empty word"), "{mode}");
        let heard = futures::stream::iter([Ok(word("안녕")), Ok(word("hey")), Ok(word(""))]).boxed();
        let said: Vec<_> = client.shout(&Cx::root(), heard).await.expect("opens").collect().await;
        assert_eq!(said[..2], [Ok(word("안녕")), Ok(word("HEY"))], "{mode}");
        assert_eq!(said[2].as_ref().map_err(|fault| fault.code), Err(Code::InvalidArgument), "{mode}");
    }
}

#[tokio::test]
async fn a_deadline_ends_the_work_in_process_too() {
    let clock = ManualClock::default();
    let routes = CounterRoutes::of(Arc::new(Counting::default()));
    let client = CounterClient::new(local_link(routes, clock.shared()));
    let cx = Cx::root().with_deadline(ieum_core::Moment::from_start(Duration::from_secs(1)));
    let asking = tokio::spawn(async move { client.hang(&cx, word("a")).await });
    while clock.next_wake().is_none() {
        tokio::task::yield_now().await;
    }
    clock.advance(Duration::from_secs(1));
    let fault = asking.await.expect("does not panic").expect_err("nobody answers");
    assert_eq!((fault.code, fault.reason.as_ref()), (Code::DeadlineExceeded, "link.deadline"));
}

#[tokio::test]
async fn json_that_does_not_fit_names_the_place() {
    let link = local_link(CounterRoutes::of(Arc::new(Counting::default())), system_clock());
    let operation = &COUNTER_CONTRACT.operations[0];
    let payload = Payload::json(bytes::Bytes::from_static(br#"{"text": 7}"#));
    let fault = link.call(Call { operation, cx: Cx::root(), payload }).await.expect_err("7 is no text");
    assert_eq!(fault.reason, "link.message");
    assert!(fault.message.contains("line 1 column 10"), "{}", fault.message);
}

#[test]
fn only_queries_and_keyed_commands_are_repeatable() {
    let repeatable = |i: usize, cx: Cx| {
        Call { operation: &COUNTER_CONTRACT.operations[i], cx, payload: Payload::value(word("a")) }
            .is_repeatable()
    };
    assert!(repeatable(0, Cx::root()));
    assert!(!repeatable(1, Cx::root()));
    assert!(repeatable(1, Cx::root().with_idempotency_key("k")));
    assert!(!repeatable(3, Cx::root().with_idempotency_key("k")));
    assert_eq!(COUNTER_CONTRACT.operations[3].kind, Kind::Stream);
}
