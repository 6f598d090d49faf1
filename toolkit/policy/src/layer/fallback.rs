//! The fallback: what answers a query when the answerer does not, always marked as such.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ieum_core::{BoxFuture, Code, Fault, Moment, SharedClock};
use parking_lot::Mutex;
use tower::{Layer, Service};

use crate::blame::is_of_answerer;
use crate::{FallbackKind, Origin, PolicyReply, PolicyRequest};

/// Answers queries from remembered replies, or else with a value, when the service below fails.
#[derive(Clone)]
pub struct FallbackLayer<P> {
    guard: Guard<P>,
}

/// See [`FallbackLayer`].
#[derive(Clone)]
pub struct FallbackService<S, P> {
    guard: Guard<P>,
    inner: S,
}

struct Guard<P> {
    memory: Arc<Memory<P>>,
    clock: SharedClock,
}

/// What of the past may answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct MemoryRule {
    /// The greatest age; `None` is any, marked with the age.
    pub within: Option<Duration>,
    /// How many replies are remembered.
    pub entries: usize,
}

/// Good replies to past queries, bounded; the one that was refreshed longest ago goes first.
pub(crate) struct Memory<P> {
    rule: MemoryRule,
    hasher: RandomState,
    inner: Mutex<Remembered<P>>,
}

/// Which query a reply answered: for whom and what, and the request's own fingerprint.
pub(crate) type Question = (u64, u64);

struct Remembered<P> {
    replies: HashMap<Question, Entry<P>>,
    order: VecDeque<(u64, Question)>,
    turn: u64,
}

struct Entry<P> {
    reply: P,
    at: Moment,
    turn: u64,
}

impl<P> Clone for Guard<P> {
    fn clone(&self) -> Self {
        Self { memory: self.memory.clone(), clock: self.clock.clone() }
    }
}

impl<P: PolicyReply> FallbackLayer<P> {
    /// Answers with the last good reply to the same query, remembering `entries` of them.
    pub fn last_good(entries: usize, clock: SharedClock) -> Self {
        Self::with_rule(MemoryRule { within: None, entries }, clock)
    }

    /// Answers with a remembered reply that is not older than `within`.
    pub fn cache(within: Duration, entries: usize, clock: SharedClock) -> Self {
        Self::with_rule(MemoryRule { within: Some(within), entries }, clock)
    }

    fn with_rule(rule: MemoryRule, clock: SharedClock) -> Self {
        Self { guard: Guard { memory: Arc::new(Memory::new(rule)), clock } }
    }
}

impl<S, P: PolicyReply> Layer<S> for FallbackLayer<P> {
    type Service = FallbackService<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        FallbackService { guard: self.guard.clone(), inner }
    }
}

impl<S, R, P> Service<R> for FallbackService<S, P>
where
    S: Service<R, Response = P, Error = Fault> + Clone + Send + 'static,
    S::Future: Send + 'static,
    R: PolicyRequest,
    P: PolicyReply,
{
    type Response = P;
    type Error = Fault;
    type Future = BoxFuture<'static, Result<P, Fault>>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let Guard { memory, clock } = self.guard.clone();
        let question = memory.question(&request);
        let reply = self.inner.call(request);
        Box::pin(async move {
            let result = reply.await;
            let Some(question) = question else { return result };
            memory.settle(question, result, clock.moment())
        })
    }
}

/// Tells whether `fault` is a failure of the answerer, for which something else may stand in. A wrong
/// request stays wrong, and "not found" is an answer. Who has too much to do is well, and may be stood in for too.
pub(crate) fn may_stand_in(fault: &Fault) -> bool {
    is_of_answerer(fault.code) || fault.code == Code::ResourceExhausted
}

// === Memory ===

impl<P: PolicyReply> Memory<P> {
    pub(crate) fn new(rule: MemoryRule) -> Self {
        let inner = Remembered { replies: HashMap::new(), order: VecDeque::new(), turn: 0 };
        Self { rule, hasher: RandomState::new(), inner: Mutex::new(inner) }
    }

    /// Returns which question `request` asks, or `None` where its reply may not be remembered. What one
    /// tenant or caller was told is not told to another.
    pub(crate) fn question<R: PolicyRequest>(&self, request: &R) -> Option<Question> {
        let fingerprint = request.fingerprint()?;
        let cx = request.cx();
        let who = (request.operation(), cx.tenant(), cx.caller());
        Some((self.hasher.hash_one(who), fingerprint))
    }

    /// Remembers a good reply and puts a remembered one in place of a failure.
    pub(crate) fn settle(
        &self,
        question: Question,
        result: Result<P, Fault>,
        now: Moment,
    ) -> Result<P, Fault> {
        match result {
            Ok(reply) => {
                self.remember(question, &reply, now);
                Ok(reply)
            }
            Err(fault) if may_stand_in(&fault) => self.recall(question, now).ok_or(fault),
            Err(fault) => Err(fault),
        }
    }

    /// Remembers a live reply.
    fn remember(&self, question: Question, reply: &P, now: Moment) {
        if !reply.origin().is_live() || self.rule.entries == 0 {
            return;
        }
        let Some(reply) = reply.try_clone() else { return };
        let mut inner = self.inner.lock();
        inner.turn += 1;
        let turn = inner.turn;
        inner.replies.insert(question, Entry { reply, at: now, turn });
        inner.order.push_back((turn, question));
        inner.shrink(self.rule.entries);
    }

    /// Returns what is remembered of `question`, marked.
    fn recall(&self, question: Question, now: Moment) -> Option<P> {
        let inner = self.inner.lock();
        let entry = inner.replies.get(&question)?;
        let age = now.since(entry.at);
        let kind = match self.rule.within {
            Some(within) if age > within => return None,
            Some(_) => FallbackKind::Cache,
            None => FallbackKind::LastGood { age },
        };
        let mut reply = entry.reply.try_clone()?;
        reply.set_origin(Origin::Fallback(kind));
        Some(reply)
    }
}

impl<P> Remembered<P> {
    /// Drops the longest unrefreshed replies, and places in the order that a refresh made void.
    fn shrink(&mut self, entries: usize) {
        let Self { replies, order, .. } = self;
        if order.len() > entries.saturating_mul(2) {
            order.retain(|(turn, question)| replies.get(question).is_some_and(|entry| entry.turn == *turn));
        }
        while replies.len() > entries {
            let Some((turn, question)) = order.pop_front() else { return };
            if replies.get(&question).is_some_and(|entry| entry.turn == turn) {
                replies.remove(&question);
            }
        }
    }
}
