//! A request, a reply and an answerer that do as they are told.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use ieum_core::{Cx, Fault};
use ieum_policy::{Origin, PolicyReply, PolicyRequest};
use parking_lot::Mutex;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Ask {
    pub cx: Cx,
    pub query: bool,
    pub repeatable: bool,
    pub number: u64,
}

/// What is answered.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    pub number: u64,
    pub origin: Origin,
}

type Script = dyn Fn(u64, &Ask) -> Reaction + Send + Sync;

/// What the answerer does with a call.
pub enum Reaction {
    Answer,
    Fail(Fault),
    Hang,
    Wait(Pin<Box<dyn Future<Output = ()> + Send>>),
}

/// An answerer that counts its calls and asks a script what to do; numbers begin at 1.
#[derive(Clone)]
pub struct Answerer {
    script: Arc<Script>,
    calls: Arc<AtomicU64>,
    seen: Arc<Mutex<Vec<Ask>>>,
}

pub fn query(number: u64) -> Ask {
    Ask { cx: Cx::root(), query: true, repeatable: true, number }
}

pub fn command(number: u64) -> Ask {
    Ask { query: false, repeatable: false, ..query(number) }
}

pub fn down() -> Fault {
    Fault::unavailable("test.down", "asking the double")
}

impl Answerer {
    pub fn new(script: impl Fn(u64, &Ask) -> Reaction + Send + Sync + 'static) -> Self {
        Self { script: Arc::new(script), calls: Arc::default(), seen: Arc::default() }
    }

    pub fn failing() -> Self {
        Self::new(|_, _| Reaction::Fail(down()))
    }

    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    pub fn attempts_seen(&self) -> Vec<u32> {
        self.seen.lock().iter().map(|ask| ask.cx.attempt()).collect()
    }
}

impl tower::Service<Ask> for Answerer {
    type Response = Answer;
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Fault>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, ask: Ask) -> Self::Future {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let reaction = (self.script)(call, &ask);
        self.seen.lock().push(ask.clone());
        Box::pin(async move {
            match reaction {
                Reaction::Answer => {}
                Reaction::Fail(fault) => return Err(fault),
                Reaction::Hang => std::future::pending().await,
                Reaction::Wait(until) => until.await,
            }
            Ok(Answer { number: ask.number, origin: Origin::Live })
        })
    }
}

impl PolicyRequest for Ask {
    fn cx(&self) -> &Cx {
        &self.cx
    }

    fn with_cx(&mut self, cx: Cx) {
        self.cx = cx;
    }

    fn is_repeatable(&self) -> bool {
        self.repeatable
    }

    fn try_clone(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn operation(&self) -> &str {
        "test.double/ask"
    }

    fn fingerprint(&self) -> Option<u64> {
        self.query.then_some(self.number)
    }
}

impl PolicyReply for Answer {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn set_origin(&mut self, origin: Origin) {
        self.origin = origin;
    }

    fn try_clone(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn from_value(value: &serde_json::Value) -> Option<Self> {
        Some(Self { number: value.as_u64()?, origin: Origin::Live })
    }
}
