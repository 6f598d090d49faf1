//! The whole stack of policies as one service, in the one order that makes sense.
//!
//! From outside in: fallback, total time limit, rate limit, bulkhead, retry and hedge (with one budget), breaker,
//! limit per attempt, and the service itself. It is one future: each machine is asked in turn, and a
//! timer is made only for a call that waits.

use std::sync::Arc;

use ieum_core::{Fault, Moment, SharedClock};
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

use crate::layer::{
    End, Hedger, Memory, MemoryRule, Patience, RateLimit, Repeater, enter, guard, may_stand_in, repeat,
};
use crate::meter::Meter;
use crate::{
    Breaker, Bulkhead, FallbackConfig, FallbackKind, Origin, PolicyConfig, PolicyHandle, PolicyReply,
    PolicyRequest, RetryBudget,
};

/// A guarded service, cheap to clone and free to share.
pub type PolicyService<R, P> = BoxCloneSyncService<R, P, Fault>;

/// All policies of one dependency. Clones share one state.
#[derive(Clone)]
pub struct PolicyStack {
    machines: Arc<Machines>,
}

/// The machines of one dependency and what they counted.
pub(crate) struct Machines {
    pub name: Arc<str>,
    pub clock: SharedClock,
    pub config: PolicyConfig,
    pub rate: Option<RateLimit>,
    pub bulkhead: Option<Bulkhead>,
    pub repeater: Repeater,
    pub breaker: Option<Breaker>,
    pub meter: Meter,
}

/// What stands in for the answerer beside what the settings say.
pub struct Alternative<R, P> {
    /// Another link that offers the same (`fallback = { to = … }`). It gets the caller's own deadline.
    pub link: Option<PolicyService<R, P>>,
}

/// What answers a query when the answerer does not; tried in the order of its fields.
struct StandIn<R, P> {
    link: Option<PolicyService<R, P>>,
    memory: Option<Memory<P>>,
    value: Option<serde_json::Value>,
}

impl<R, P> Default for Alternative<R, P> {
    fn default() -> Self {
        Self { link: None }
    }
}

// === PolicyStack ===

impl PolicyStack {
    /// Makes the policies of the dependency `name`.
    pub fn new(name: &str, config: &PolicyConfig, clock: SharedClock) -> Self {
        Self::with_seed(name, config, clock, rand::random())
    }

    /// Makes the policies of the dependency `name`, with waits spread by a sequence that `seed` decides:
    /// for simulations that must repeat.
    pub fn with_seed(name: &str, config: &PolicyConfig, clock: SharedClock, seed: u64) -> Self {
        let budget = RetryBudget::new(config.budget_rule());
        let breaker = config.breaker_rule().map(Breaker::new);
        let hedger = config.hedge_rule().map(|rule| Hedger::new(rule, breaker.clone()));
        let machines = Machines {
            name: name.into(),
            rate: config.rate.map(|rate| RateLimit::new(rate.gcra)),
            bulkhead: config
                .bulkhead
                .map(|bulkhead| Bulkhead::new(bulkhead.limit as usize, bulkhead.queue as usize)),
            repeater: Repeater::new(config.retry_rule(), budget, hedger, clock.clone(), seed),
            breaker,
            config: config.clone(),
            clock,
            meter: Meter::default(),
        };
        Self { machines: Arc::new(machines) }
    }

    /// Returns the dependency's name.
    pub fn name(&self) -> &str {
        &self.machines.name
    }

    /// Returns the means to look into and steer the policies while they work.
    pub fn handle(&self) -> PolicyHandle {
        PolicyHandle::new(self.machines.clone())
    }

    /// Puts the policies around `inner`.
    pub fn apply<R, P, S>(&self, inner: S) -> PolicyService<R, P>
    where
        R: PolicyRequest,
        P: PolicyReply,
        S: Service<R, Response = P, Error = Fault> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        self.apply_with(inner, Alternative::default())
    }

    /// Puts the policies around `inner`, with `alternative` behind the fallback.
    pub fn apply_with<R, P, S>(&self, inner: S, alternative: Alternative<R, P>) -> PolicyService<R, P>
    where
        R: PolicyRequest,
        P: PolicyReply,
        S: Service<R, Response = P, Error = Fault> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        let machines = self.machines.clone();
        match StandIn::new(&machines.config.fallback, alternative) {
            None => BoxCloneSyncService::new(tower::service_fn(move |request: R| {
                let (inner, machines) = (inner.clone(), machines.clone());
                async move { machines.counted(inner, request).await }
            })),
            Some(stand_in) => {
                let stand_in = Arc::new(stand_in);
                BoxCloneSyncService::new(tower::service_fn(move |request: R| {
                    let (inner, machines, stand_in) = (inner.clone(), machines.clone(), stand_in.clone());
                    async move { stand_in.answer(&machines, inner, request).await }
                }))
            }
        }
    }
}

// === Machines ===

impl Machines {
    async fn counted<R, P, S>(&self, inner: S, request: R) -> Result<P, Fault>
    where
        R: PolicyRequest,
        S: Service<R, Response = P, Error = Fault> + Clone,
    {
        let now = self.clock.moment();
        let measured = self.meter.begin(&self.clock, now);
        let result = self.live(inner, request, now).await;
        measured.end(&result);
        result
    }

    async fn live<R, P, S>(&self, inner: S, mut request: R, now: Moment) -> Result<P, Fault>
    where
        R: PolicyRequest,
        S: Service<R, Response = P, Error = Fault> + Clone,
    {
        let (name, clock) = (&*self.name, &self.clock);
        request.cx().check(now)?;
        let end = End::of(request.cx().deadline(), now + self.config.timeout);
        let cx = request.cx().with_deadline(end.at);
        request.with_cx(cx);
        if let Some(rate) = &self.rate {
            rate.admit(name, now).inspect_err(|_| self.meter.refused_by_rate())?;
        }
        let place = match &self.bulkhead {
            Some(bulkhead) => {
                let entered = enter(name, bulkhead, clock, Some(end.at)).await;
                Some(entered.inspect_err(|_| self.meter.refused_by_bulkhead())?)
            }
            None => None,
        };
        let patience = Patience { attempt: self.config.attempt, whole: self.config.timeout };
        let result = repeat(&self.repeater, request, |request| {
            let send = || inner.clone().oneshot(request);
            guard(name, self.breaker.as_ref(), patience, clock, end, send)
        })
        .await;
        drop(place);
        result
    }
}

// === StandIn ===

impl<R: PolicyRequest, P: PolicyReply> StandIn<R, P> {
    fn new(config: &FallbackConfig, alternative: Alternative<R, P>) -> Option<Self> {
        let memory = match config {
            FallbackConfig::LastGood { entries } => Some(MemoryRule { within: None, entries: *entries }),
            FallbackConfig::Cache { within, entries } => {
                Some(MemoryRule { within: Some(*within), entries: *entries })
            }
            FallbackConfig::Off | FallbackConfig::Value(_) | FallbackConfig::To(_) => None,
        };
        let value = match config {
            FallbackConfig::Value(value) => Some(value.clone()),
            _ => None,
        };
        let stand_in = Self { link: alternative.link, memory: memory.map(Memory::new), value };
        let any = stand_in.link.is_some() || stand_in.memory.is_some() || stand_in.value.is_some();
        any.then_some(stand_in)
    }

    async fn answer<S>(&self, machines: &Machines, inner: S, request: R) -> Result<P, Fault>
    where
        S: Service<R, Response = P, Error = Fault> + Clone,
    {
        let memory = self.memory.as_ref().and_then(|memory| Some((memory, memory.question(&request)?)));
        // A question is a query's; asking again would hash the request a second time.
        if memory.is_none() && !request.is_query() {
            return machines.counted(inner, request).await;
        }
        let spare = self.link.as_ref().and_then(|link| Some((link.clone(), request.try_clone()?)));
        let mut result = machines.counted(inner, request).await;
        let failed = matches!(&result, Err(fault) if may_stand_in(fault));
        if let (true, Some((link, request))) = (failed, spare) {
            // The first fault is the one that explains; the other link's is logged by its own policies.
            result = match link.oneshot(request).await {
                Ok(mut reply) => {
                    reply.set_origin(Origin::Fallback(FallbackKind::OtherLink));
                    Ok(reply)
                }
                Err(_) => result,
            };
        }
        if let Some((memory, question)) = memory {
            result = memory.settle(question, result, machines.clock.moment());
        }
        if let (Err(fault), Some(value)) = (&result, &self.value)
            && may_stand_in(fault)
            && let Some(mut reply) = P::from_value(value)
        {
            reply.set_origin(Origin::Fallback(FallbackKind::Value));
            result = Ok(reply);
        }
        if let (true, Ok(reply)) = (failed, &result) {
            machines.meter.stood_in(reply.origin());
        }
        result
    }
}
