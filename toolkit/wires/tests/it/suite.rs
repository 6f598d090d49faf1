//! The same suite over direct, local, loopback, HTTP and gRPC.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use ieum_core::{Caller, Code, Cx, Fault, Timestamp, TraceContext, system_clock};
use ieum_link::{Call, Kind, Link, Operation, Payload};
use ieum_wires::modes::{LinkServer, Mode, open};

use crate::sample::{Answerer, Desk, DeskClient, Everything, FailWith, Nothing, Talk, TalkClient, Word};

/// One way to meet the sample contracts; `mode` is `None` for the implementation itself.
pub struct Setup {
    pub mode: Option<Mode>,
    pub answerer: Answerer,
    pub desk: Arc<dyn Desk>,
    pub talk: Arc<dyn Talk>,
    pub link: Option<Link>,
    pub _server: Option<LinkServer>,
}

pub async fn setup(mode: Option<Mode>) -> Setup {
    let answerer = Answerer::default();
    let Some(kind) = mode else {
        let (desk, talk) = (Arc::new(answerer.clone()), Arc::new(answerer.clone()));
        return Setup { mode, answerer, desk, talk, link: None, _server: None };
    };
    let (link, server) = open(kind, answerer.routes(), system_clock()).await.expect("opens");
    let (desk, talk) = (Arc::new(DeskClient::new(link.clone())), Arc::new(TalkClient::new(link.clone())));
    Setup { mode, answerer, desk, talk, link: Some(link), _server: server }
}

pub fn words(texts: &[&str]) -> ieum_link::Incoming<Word> {
    let words: Vec<_> = texts.iter().map(|text| Ok(Word { text: (*text).to_owned() })).collect();
    stream::iter(words).boxed()
}

/// How long a test waits for what is to happen.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Limits for what ends by its time, each tried only where the one before was over before the work began.
const LIMITS: [Duration; 3] = [Duration::from_millis(300), Duration::from_secs(5), Duration::from_secs(60)];

pub async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect(what)
}

async fn values_come_back_as_they_went(setup: Setup) {
    let rich = Everything {
        text: "한글 이음 \u{1F309} \"quoted\" \\ \n \u{0} end".into(),
        number: i64::MIN,
        large: u64::MAX,
        fraction: 0.1 + 0.2,
        perhaps: Some(String::new()),
        list: vec!["하나".into(), String::new()],
        pairs: [("키".to_owned(), -1), (String::new(), 0)].into(),
        at: Timestamp::from_millis(1_790_000_000_123),
    };
    let large = Everything { text: "긴".repeat(300_000), ..Everything::default() };
    for value in [rich, Everything::default(), large] {
        assert_eq!(setup.desk.mirror(&Cx::root(), value.clone()).await, Ok(value));
    }
}

async fn every_fault_comes_back_identical(setup: Setup) {
    for code in Code::ALL {
        for retry_after_ms in [None, Some(1_500)] {
            let message = format!("예약 7: {} 100% \"x\"", code.name());
            let ask =
                FailWith { code, reason: "stock.sold_out".into(), message: message.clone(), retry_after_ms };
            let mut fault = Fault::new(code, "stock.sold_out", message);
            fault.retry_after = retry_after_ms.map(Duration::from_millis);
            assert_eq!(setup.desk.fail(&Cx::root(), ask).await.err(), Some(fault));
        }
    }
}

async fn the_context_arrives_whole(setup: Setup) {
    let trace = TraceContext { sampled: false, ..TraceContext::root() };
    let cx = Cx::with_trace(trace)
        .with_timeout(system_clock().moment(), Duration::from_secs(29))
        .with_caller(Caller::new("events"))
        .with_tenant("seoul")
        .with_idempotency_key("key-1")
        .with_attempt(2);
    let seen = setup.desk.look(&cx, Nothing {}).await.expect("answers");
    assert_eq!(seen.trace, trace.to_string());
    assert_eq!((seen.caller.as_deref(), seen.tenant.as_deref()), (Some("events"), Some("seoul")));
    assert_eq!((seen.key.as_deref(), seen.attempt), (Some("key-1"), 2));
    let left = seen.left_ms.expect("has a deadline");
    assert!((1_000..=29_000).contains(&left), "{left}");
    let bare = setup.desk.look(&Cx::root(), Nothing {}).await.expect("answers");
    assert_eq!((bare.caller, bare.tenant, bare.key, bare.attempt), (None, None, None, 0));
}

async fn the_deadline_ends_the_servers_work(setup: Setup) {
    let diary = &setup.answerer.0;
    for limit in LIMITS {
        let cx = Cx::root().with_timeout(system_clock().moment(), limit);
        let fault = soon("the deadline", setup.desk.hang(&cx, Nothing {})).await.expect_err("is late");
        assert_eq!((fault.code, &*fault.reason), (Code::DeadlineExceeded, "link.deadline"));
        if diary.started.load(Ordering::SeqCst) > 0 {
            break;
        }
    }
    diary
        .until("the work stops", |diary| {
            let started = diary.started.load(Ordering::SeqCst);
            started > 0 && diary.dropped.load(Ordering::SeqCst) == started
        })
        .await;
}

async fn a_caller_that_gives_up_ends_the_servers_work(setup: Setup) {
    let diary = &setup.answerer.0;
    let desk = Arc::clone(&setup.desk);
    let call = tokio::spawn(async move { desk.hang(&Cx::root(), Nothing {}).await });
    diary.until("the work begins", |diary| diary.started.load(Ordering::SeqCst) > 0).await;
    call.abort();
    diary
        .until("the work stops", |diary| {
            diary.dropped.load(Ordering::SeqCst) == diary.started.load(Ordering::SeqCst)
        })
        .await;
}

async fn a_passed_deadline_reaches_nobody(setup: Setup) {
    let clock = system_clock();
    let cx = Cx::root().with_deadline(clock.moment());
    let fault = setup.desk.hang(&cx, Nothing {}).await.expect_err("is late");
    assert_eq!((fault.code, &*fault.reason), (Code::DeadlineExceeded, "link.deadline"));
}

async fn a_notice_arrives(setup: Setup) {
    setup.desk.idle(&Cx::root(), Word { text: "s-1 조용".into() }).await.expect("is taken");
    let arrived = |gone: &[String]| !gone.is_empty() && gone.iter().all(|text| text == "s-1 조용");
    setup.answerer.0.until("the notice", |diary| arrived(&diary.gone.lock())).await;
}

async fn an_unknown_operation_is_named(setup: Setup) {
    static NEWER: Operation =
        Operation { contract: "sample.desk", method: "newer", path: "sample.desk/newer", kind: Kind::Query };
    static VERSION: Operation = Operation {
        contract: "sample.desk.v2",
        method: "look",
        path: "sample.desk.v2/look",
        kind: Kind::Query,
    };
    static FOREIGN: Operation =
        Operation { contract: "sample.none", method: "get", path: "sample.none/get", kind: Kind::Query };
    let Some(link) = setup.link else { return };
    for (operation, reason, words) in [
        (&NEWER, "link.unknown_operation", "it has mirror, fail"),
        (&VERSION, "link.unknown_version", "served is sample.desk"),
        (&FOREIGN, "link.unserved", "nobody serves"),
    ] {
        let call = Call { operation, cx: Cx::root(), payload: Payload::value(Nothing {}) };
        let fault = link.call(call).await.expect_err("is unknown");
        assert_eq!((fault.code, &*fault.reason), (Code::Unimplemented, reason));
        assert!(fault.message.contains(operation.path) && fault.message.contains(words), "{fault}");
    }
}

async fn a_call_of_the_wrong_kind_is_refused(setup: Setup) {
    static ECHO: Operation =
        Operation { contract: "sample.talk", method: "echo", path: "sample.talk/echo", kind: Kind::Query };
    static LOOK: Operation =
        Operation { contract: "sample.desk", method: "look", path: "sample.desk/look", kind: Kind::Stream };
    let Some(link) = setup.link else { return };
    let call = Call { operation: &ECHO, cx: Cx::root(), payload: Payload::value(Nothing {}) };
    let fault = soon("the answer", link.call(call)).await.expect_err("is a stream");
    assert_eq!((fault.code, &*fault.reason), (Code::Unimplemented, "link.wrong_kind"));
    let opened = soon("the refusal", link.open(&LOOK, Cx::root(), stream::empty().boxed())).await;
    let fault = opened.err().expect("is no stream");
    assert_eq!((fault.code, &*fault.reason), (Code::Unimplemented, "link.wrong_kind"));
    assert!(fault.message.contains("sample.desk/look as a stream"), "{fault}");
}

async fn what_does_not_fit_the_message_is_named(setup: Setup) {
    let Some(link) = setup.link else { return };
    static MIRROR: Operation = Operation {
        contract: "sample.desk",
        method: "mirror",
        path: "sample.desk/mirror",
        kind: Kind::Query,
    };
    for (text, named) in [
        (r#"{"text":1}"#, "text: invalid type: integer `1`, expected a string at line 1 column 9"),
        (
            r#"{"text":"","number":0,"large":0,"fraction":0,"list":["a",2]}"#,
            "list[1]: invalid type: integer `2`, expected a string at line 1 column 58",
        ),
        (r#"{"pairs":{"키":"x"}}"#, "pairs.키: invalid type: string \"x\", expected i64 at line 1"),
        ("{\"text\":", "line 1"),
        ("", "EOF"),
        ("[]", "line 1"),
        ("\u{FEFF}{}", "line 1"),
    ] {
        let payload = Payload::json(bytes::Bytes::copy_from_slice(text.as_bytes()));
        let call = Call { operation: &MIRROR, cx: Cx::root(), payload };
        let fault = link.call(call).await.expect_err("does not fit");
        assert_eq!((fault.code, &*fault.reason), (Code::InvalidArgument, "link.message"), "{text}");
        assert!(fault.message.contains(named), "{text}: {}", fault.message);
    }
}

async fn many_calls_at_once_keep_their_answers_apart(setup: Setup) {
    let calls = (0..200).map(|number| {
        let desk = Arc::clone(&setup.desk);
        async move {
            let ask = Everything { number, ..Everything::default() };
            desk.mirror(&Cx::root(), ask).await.map(|answer| answer.number == number)
        }
    });
    let answers = soon("all answers", futures::future::join_all(calls)).await;
    assert!(answers.into_iter().all(|answer| answer == Ok(true)));
}

async fn a_panic_is_a_fault_and_the_next_call_works(setup: Setup) {
    if !matches!(setup.mode, Some(Mode::Http | Mode::Grpc)) {
        return;
    }
    let fault = setup.desk.panic(&Cx::root(), Nothing {}).await.expect_err("breaks down");
    assert_eq!((fault.code, &*fault.reason), (Code::Internal, "link.panic"));
    assert!(setup.desk.look(&Cx::root(), Nothing {}).await.is_ok());
}

async fn repeatable_calls_are_sent_twice_in_loopback_only(setup: Setup) {
    let calls = || setup.answerer.0.calls.load(Ordering::SeqCst);
    setup.desk.mirror(&Cx::root(), Everything::default()).await.expect("answers");
    let twice = if setup.mode == Some(Mode::Loopback) { 2 } else { 1 };
    assert_eq!(calls(), twice);
    setup.desk.look(&Cx::root(), Nothing {}).await.expect("answers");
    assert_eq!(calls(), twice + 1, "a command without a key is sent once");
    setup.desk.look(&Cx::root().with_idempotency_key("k"), Nothing {}).await.expect("answers");
    assert_eq!(calls(), 2 * twice + 1);
}

async fn words_go_both_ways_in_order(setup: Setup) {
    let heard = words(&["하나", "", "three"]);
    let said = setup.talk.echo(&Cx::root(), heard).await.expect("opens");
    let said: Vec<_> = soon("the words", said.map(|word| word.expect("is no fault").text).collect()).await;
    assert_eq!(said, ["하나", "", "three"]);
}

async fn each_word_is_answered_before_the_next_is_said(setup: Setup) {
    let (say, hear) = futures::channel::mpsc::unbounded();
    let mut said = soon("opening", setup.talk.echo(&Cx::root(), hear.boxed())).await.expect("opens");
    for text in ["하나", "둘", "셋"] {
        say.unbounded_send(Ok(Word { text: text.into() })).expect("is open");
        let word = soon("the echo", said.next()).await.expect("is open").expect("is no fault");
        assert_eq!(word.text, text);
    }
    drop(say);
    assert!(soon("the end", said.next()).await.is_none());
}

async fn a_fault_within_a_stream_ends_it(setup: Setup) {
    let said = setup.talk.echo(&Cx::root(), words(&["one", "stop", "three"])).await.expect("opens");
    let mut said: Vec<_> = soon("the words", said.collect()).await;
    assert_eq!(said.len(), 2, "{said:?}");
    let fault = said.pop().expect("has two").expect_err("is the fault");
    assert_eq!(fault, Fault::failed_precondition("talk.stopped", "hearing 그만, as told"));
}

async fn a_refused_stream_says_why(setup: Setup) {
    let fault = setup.talk.refuse(&Cx::root(), words(&[])).await.err().expect("is refused");
    assert_eq!((fault.code, &*fault.reason), (Code::PermissionDenied, "talk.refused"));
    assert_eq!(fault.retry_after, Some(Duration::from_secs(3)));
}

async fn a_listener_that_leaves_ends_the_speaker(setup: Setup) {
    let diary = &setup.answerer.0;
    let mut said = setup.talk.flood(&Cx::root(), words(&[])).await.expect("opens");
    assert!(said.next().await.is_some_and(|word| word.is_ok()));
    drop(said);
    diary.until("the speaker stops", |diary| diary.dropped.load(Ordering::SeqCst) == 1).await;
}

async fn a_slow_listener_slows_the_speaker(setup: Setup) {
    let diary = &setup.answerer.0;
    let mut said = setup.talk.flood(&Cx::root(), words(&[])).await.expect("opens");
    assert!(said.next().await.is_some_and(|word| word.is_ok()));
    for _ in 0..100 {
        setup.desk.mirror(&Cx::root(), Everything::default()).await.expect("answers meanwhile");
    }
    let spoken = diary.spoken.load(Ordering::SeqCst);
    assert!(spoken < 1_000, "spoke {spoken} times 16 KiB ahead of the listener");
    drop(said);
}

async fn a_stream_of_many_words_is_heard_whole(setup: Setup) {
    let many = stream::iter((0..5_000).map(|i| Ok(Word { text: format!("{i}") }))).boxed();
    let mut said = setup.talk.sink(&Cx::root(), many).await.expect("opens");
    let count = soon("the count", said.next()).await.expect("is one").expect("is no fault");
    assert_eq!(count.text, "5000");
}

async fn the_deadline_ends_a_stream(setup: Setup) {
    let is_late = |fault: &Fault| (fault.code, &*fault.reason) == (Code::DeadlineExceeded, "link.deadline");
    let mut ended = false;
    for limit in LIMITS {
        let cx = Cx::root().with_timeout(system_clock().moment(), limit);
        match setup.talk.echo(&cx, stream::pending().boxed()).await {
            Ok(mut said) => {
                let fault = soon("the deadline", said.next()).await.expect("is one").expect_err("is late");
                assert!(is_late(&fault), "{fault}");
                ended = true;
                break;
            }
            Err(fault) => assert!(is_late(&fault), "{fault}"),
        }
    }
    assert!(ended, "it opens");
    let diary = &setup.answerer.0;
    diary
        .until("the work stops", |diary| {
            let started = diary.started.load(Ordering::SeqCst);
            started > 0 && diary.dropped.load(Ordering::SeqCst) == started
        })
        .await;
}

async fn a_fault_of_the_caller_ends_the_stream_at_the_server(setup: Setup) {
    let heard = vec![Ok(Word { text: "one".into() }), Err(Fault::data_loss("mic.broken", "reading sound"))];
    let said = setup.talk.echo(&Cx::root(), stream::iter(heard).boxed()).await;
    if let Ok(said) = said {
        let said: Vec<_> = soon("the end", said.collect()).await;
        assert!(said.last().is_some_and(Result::is_err), "{said:?}");
    }
    let diary = &setup.answerer.0;
    diary
        .until("the server hears of it", |diary| {
            !diary.heard_end.lock().is_empty() || diary.dropped.load(Ordering::SeqCst) == 1
        })
        .await;
}

macro_rules! over {
    ($name:ident, $mode:expr; $($case:ident)*) => {
        mod $name {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$case(setup($mode).await).await;
                }
            )*
        }
    };
}

macro_rules! singles {
    ($name:ident, $mode:expr; $($more:ident)*) => {
        over! { $name, $mode;
            values_come_back_as_they_went
            every_fault_comes_back_identical
            the_context_arrives_whole
            a_caller_that_gives_up_ends_the_servers_work
            a_notice_arrives
            an_unknown_operation_is_named
            what_does_not_fit_the_message_is_named
            many_calls_at_once_keep_their_answers_apart
            a_panic_is_a_fault_and_the_next_call_works
            repeatable_calls_are_sent_twice_in_loopback_only
            $($more)*
        }
    };
}

macro_rules! all {
    ($name:ident, $mode:expr; $($more:ident)*) => {
        singles! { $name, $mode;
            a_call_of_the_wrong_kind_is_refused
            words_go_both_ways_in_order
            each_word_is_answered_before_the_next_is_said
            a_refused_stream_says_why
            a_listener_that_leaves_ends_the_speaker
            a_slow_listener_slows_the_speaker
            a_stream_of_many_words_is_heard_whole
            a_fault_of_the_caller_ends_the_stream_at_the_server
            $($more)*
        }
    };
}

// Without a link nobody watches the deadline for the implementation or ends its streams.
all! { direct, None; }
all! { local, Some(Mode::Local);
the_deadline_ends_the_servers_work a_passed_deadline_reaches_nobody
    a_fault_within_a_stream_ends_it the_deadline_ends_a_stream }
all! { loopback, Some(Mode::Loopback);
the_deadline_ends_the_servers_work a_passed_deadline_reaches_nobody
    a_fault_within_a_stream_ends_it the_deadline_ends_a_stream }
singles! { http, Some(Mode::Http);
the_deadline_ends_the_servers_work a_passed_deadline_reaches_nobody }
all! { grpc, Some(Mode::Grpc);
the_deadline_ends_the_servers_work a_passed_deadline_reaches_nobody
a_fault_within_a_stream_ends_it the_deadline_ends_a_stream }
