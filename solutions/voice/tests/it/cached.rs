//! Contexts that are kept elsewhere and remembered here for an hour.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ieum_cache::open_cache;
use ieum_contracts::voice::{
    Context, ContextEngine, ContextEngineClient, ContextState, ForgetPerson, GetContext, PastTurn, RecordTurn,
};
use ieum_core::{Cx, Fault, ManualClock};
use ieum_testkit::backend::SqlStore;
use ieum_voice::CachedContexts;
use parking_lot::Mutex;

use crate::stage::{NOON, Stage, at};

const HOUR: Duration = Duration::from_secs(3_600);

/// Counts how often contexts are asked for, and may be out of reach.
struct Counted {
    inner: ContextEngineClient,
    asked: AtomicUsize,
    is_away: Mutex<bool>,
}

impl Counted {
    fn reached(&self) -> Result<(), Fault> {
        match *self.is_away.lock() {
            true => Err(Fault::unavailable("test.away", "asking another process")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl ContextEngine for Counted {
    async fn get(&self, cx: &Cx, ask: GetContext) -> Result<Context, Fault> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.reached()?;
        self.inner.get(cx, ask).await
    }

    async fn record(&self, cx: &Cx, turn: RecordTurn) -> Result<Context, Fault> {
        self.reached()?;
        self.inner.record(cx, turn).await
    }

    async fn forget(&self, cx: &Cx, ask: ForgetPerson) -> Result<ForgetPerson, Fault> {
        self.reached()?;
        self.inner.forget(cx, ask).await
    }
}

struct Far {
    _stage: Stage,
    _store: SqlStore,
    engine: Arc<Counted>,
    clock: ManualClock,
}

impl Far {
    async fn new() -> Self {
        let store = SqlStore::sqlite();
        let stage = Stage::over(&store.url).await;
        let engine = Arc::new(Counted {
            inner: stage.contexts.clone(),
            asked: AtomicUsize::new(0),
            is_away: Mutex::new(false),
        });
        Self { clock: ManualClock::at(at(NOON)), engine, _stage: stage, _store: store }
    }

    /// A process with a cache of its own.
    async fn process(&self) -> CachedContexts {
        let cache = open_cache("memory:", self.clock.shared()).await.expect("opens");
        CachedContexts::new(self.engine.clone(), cache, HOUR)
    }

    fn asked(&self) -> usize {
        self.engine.asked.load(Ordering::SeqCst)
    }
}

fn ask() -> GetContext {
    GetContext { user_id: "ada".into(), session_id: "거실".into() }
}

async fn record(process: &CachedContexts, turn: &str) -> Result<Context, Fault> {
    let GetContext { user_id, session_id } = ask();
    let state = ContextState { topic: Some(turn.into()), ..ContextState::default() };
    let turn = PastTurn {
        turn_id: turn.into(),
        said: "몇 시야?".into(),
        intent: "time.query".into(),
        answered: "낮이에요.".into(),
        at: at(NOON),
    };
    let cx = Cx::root().with_idempotency_key(&turn.turn_id);
    process.record(&cx, RecordTurn { user_id, session_id, turn, state }).await
}

async fn turns(process: &CachedContexts) -> u64 {
    process.get(&Cx::root(), ask()).await.expect("is told").turn_count
}

#[tokio::test]
async fn a_context_is_asked_for_once_an_hour() {
    let far = Far::new().await;
    let process = far.process().await;
    for _ in 0..3 {
        assert_eq!(turns(&process).await, 0);
    }
    assert_eq!(far.asked(), 1);
    far.clock.advance(HOUR - Duration::from_secs(1));
    assert_eq!((turns(&process).await, far.asked()), (0, 1));
    far.clock.advance(Duration::from_secs(2));
    assert_eq!((turns(&process).await, far.asked()), (0, 2));
}

#[tokio::test]
async fn a_stale_cache_loses_no_turn() {
    let far = Far::new().await;
    let (one, other) = (far.process().await, far.process().await);
    assert_eq!((turns(&one).await, turns(&other).await), (0, 0));
    record(&one, "1").await.expect("is recorded");
    record(&one, "2").await.expect("is recorded");
    assert_eq!(turns(&other).await, 0, "the other's cache is stale");
    let third = record(&other, "3").await.expect("is recorded");
    let known: Vec<&str> = third.conversation_history.iter().map(|turn| turn.turn_id.as_str()).collect();
    assert_eq!((third.turn_count, known), (3, vec!["1", "2", "3"]));
    assert_eq!((turns(&one).await, turns(&other).await), (2, 3));
    far.clock.advance(HOUR + Duration::from_secs(1));
    assert_eq!(turns(&one).await, 3, "an hour later it is asked again");
}

#[tokio::test]
async fn a_turn_that_may_have_been_recorded_empties_the_cache() {
    let far = Far::new().await;
    let process = far.process().await;
    record(&process, "1").await.expect("is recorded");
    *far.engine.is_away.lock() = true;
    assert_eq!(turns(&process).await, 1, "what is cached is told while the other is away");
    record(&process, "2").await.expect_err("the other is away");
    process.get(&Cx::root(), ask()).await.expect_err("nothing is told that may be wrong");
    *far.engine.is_away.lock() = false;
    // The same turn comes again, as it does where its answer was not recorded.
    record(&process, "2").await.expect("is recorded");
    assert_eq!(turns(&process).await, 2);
}
