//! Shares calls out over the instances of an answerer and leaves out those that keep failing.

use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Fault, Moment, SharedClock};
use ieum_policy::{OutlierEjection, OutlierRule, PeakEwma, pick_two};
use parking_lot::Mutex;
use rand::Rng;

use crate::connect::chain;
use crate::discovery::{Discovery, Instance};
use crate::faults;

/// A new instance's guessed latency and how fast its measured one is forgotten.
const GUESS: Duration = Duration::from_millis(10);
const DECAY: Duration = Duration::from_secs(10);
/// How many instances one call is sent to where nobody listens at the ones before.
const MOST_ASKED: usize = 3;

/// Picks an instance for each call: of two at random the one with less latency and fewer calls under way,
/// leaving out those that failed several times in a row.
pub struct Balancer {
    discovery: Arc<dyn Discovery>,
    clock: SharedClock,
    known: Mutex<Known>,
    first: tokio::sync::Mutex<()>,
}

struct Known {
    endpoints: Vec<Arc<Endpoint>>,
    outliers: OutlierEjection<Instance>,
    asked: Option<Moment>,
}

struct Endpoint {
    instance: Instance,
    load: Mutex<PeakEwma>,
}

/// One instance as the balancer sees it.
#[derive(Clone, PartialEq, Debug)]
pub struct InstanceLoad {
    /// The instance.
    pub instance: Instance,
    /// Calls under way.
    pub running: u32,
    /// Whether it is left out for a while because it kept failing.
    pub ejected: bool,
}

/// One call's hold on an instance, given back when dropped.
pub(crate) struct Lease {
    balancer: Arc<Balancer>,
    endpoint: Arc<Endpoint>,
    began: Moment,
    ended: bool,
}

impl Balancer {
    /// Balances over what `discovery` finds, leaving failing instances out by `rule`.
    pub fn new(discovery: Arc<dyn Discovery>, rule: OutlierRule, clock: SharedClock) -> Arc<Self> {
        let outliers = OutlierEjection::new(rule);
        let known = Mutex::new(Known { endpoints: Vec::new(), outliers, asked: None });
        Arc::new(Self { discovery, clock, known, first: tokio::sync::Mutex::new(()) })
    }

    /// Returns the instances known at present.
    pub fn loads(&self) -> Vec<InstanceLoad> {
        let now = self.clock.moment();
        let known = self.known.lock();
        let load = |endpoint: &Arc<Endpoint>| InstanceLoad {
            instance: endpoint.instance.clone(),
            running: endpoint.load.lock().running(),
            ejected: known.outliers.is_ejected(&endpoint.instance, now),
        };
        known.endpoints.iter().map(load).collect()
    }

    /// Tells whether a call that was sent `asked` times, the last time with this outcome, may go to another instance:
    /// nothing was sent to where nobody listens, so that any call may, three instances at most.
    pub(crate) fn may_ask_another(&self, asked: usize, fault: Option<&Fault>) -> bool {
        asked < MOST_ASKED && fault.is_some_and(faults::found_nobody) && self.known.lock().endpoints.len() > 1
    }

    /// Takes an instance for one call. Fails with `link.discovery` where none was ever found.
    pub(crate) async fn take(self: &Arc<Self>) -> Result<Lease, Fault> {
        if let Some(endpoint) = self.pick() {
            self.refresh_when_due();
            return Ok(self.lease(endpoint));
        }
        let _one_at_a_time = self.first.lock().await;
        if self.pick().is_none() {
            self.known.lock().asked = Some(self.clock.moment());
            self.refresh().await?;
        }
        let none = || Fault::unavailable("link.discovery", "picking an instance where none is known");
        Ok(self.lease(self.pick().ok_or_else(none)?))
    }

    fn lease(self: &Arc<Self>, endpoint: Arc<Endpoint>) -> Lease {
        endpoint.load.lock().begin();
        Lease { balancer: Arc::clone(self), endpoint, began: self.clock.moment(), ended: false }
    }

    fn pick(&self) -> Option<Arc<Endpoint>> {
        let now = self.clock.moment();
        let known = self.known.lock();
        let well: Vec<_> = known
            .endpoints
            .iter()
            .filter(|endpoint| !known.outliers.is_ejected(&endpoint.instance, now))
            .collect();
        let loads: Vec<_> = well.iter().map(|endpoint| endpoint.load.lock().load(now)).collect();
        let mut random = rand::rng();
        let i = pick_two(&loads, random.random(), random.random())?;
        Some(Arc::clone(well[i]))
    }

    /// Asks again in the background; until it answers, and when it fails, the known instances stay.
    fn refresh_when_due(self: &Arc<Self>) {
        let Some(interval) = self.discovery.refresh() else { return };
        let now = self.clock.moment();
        {
            let mut known = self.known.lock();
            if known.asked.is_some_and(|asked| now.since(asked) < interval) {
                return;
            }
            known.asked = Some(now);
        }
        let balancer = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(fault) = balancer.refresh().await {
                tracing::warn!(error = %fault, "looking instances up again failed; the known ones stay");
            }
        });
    }

    async fn refresh(&self) -> Result<(), Fault> {
        let found = self.discovery.instances().await;
        let found = found.map_err(|error| Fault::unavailable("link.discovery", chain(&error)))?;
        let now = self.clock.moment();
        let mut known = self.known.lock();
        known.outliers.set_instances(found.iter().cloned());
        let endpoints = found.into_iter().map(|instance| {
            let old = known.endpoints.iter().find(|endpoint| endpoint.instance == instance);
            let load = || Mutex::new(PeakEwma::new(GUESS, DECAY, now));
            old.cloned().unwrap_or_else(|| Arc::new(Endpoint { instance, load: load() }))
        });
        let endpoints = endpoints.collect();
        known.endpoints = endpoints;
        Ok(())
    }
}

// === Lease ===

impl Lease {
    pub(crate) fn instance(&self) -> &Instance {
        &self.endpoint.instance
    }

    /// Tells how the call went. An instance that keeps failing is left out for a while, and at once where nobody listens.
    pub(crate) fn went(mut self, fault: Option<&Fault>) {
        self.ended = true;
        let now = self.balancer.clock.moment();
        let well = fault.is_none_or(|fault| !faults::blames_instance(fault));
        // A call that fails at once tells nothing of latency: it must not make the instance look fast.
        let elapsed = Some(now.since(self.began)).filter(|elapsed| well || *elapsed > GUESS);
        self.endpoint.load.lock().end(elapsed, now);
        let mut known = self.balancer.known.lock();
        let ejected = match fault {
            Some(fault) if faults::found_nobody(fault) => known.outliers.eject(&self.endpoint.instance, now),
            _ => known.outliers.record(&self.endpoint.instance, well, now),
        };
        drop(known);
        if ejected {
            tracing::warn!(instance = %self.endpoint.instance, "instance keeps failing and is left out for a while");
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.ended {
            self.endpoint.load.lock().end(None, self.balancer.clock.moment());
        }
    }
}

#[cfg(test)]
mod tests {
    use ieum_core::ManualClock;

    use super::*;
    use crate::discovery::{DiscoveryError, Static};

    struct Changing(Mutex<Vec<Result<Vec<Instance>, DiscoveryError>>>);

    #[async_trait::async_trait]
    impl Discovery for Changing {
        async fn instances(&self) -> Result<Vec<Instance>, DiscoveryError> {
            self.0.lock().pop().expect("is asked no more often")
        }

        fn refresh(&self) -> Option<Duration> {
            Some(Duration::from_secs(10))
        }
    }

    fn instance(port: u16) -> Instance {
        Instance::new("http", "stock", port)
    }

    #[tokio::test]
    async fn an_instance_that_keeps_failing_is_left_out_and_comes_back() {
        let clock = ManualClock::default();
        let two = Arc::new(Static::new(instance(1), [instance(2)]));
        let balancer = Balancer::new(two, OutlierRule::default(), clock.shared());
        while !balancer.loads().iter().any(|load| load.ejected) {
            let lease = balancer.take().await.expect("has instances");
            let fault = Fault::unavailable("link.cut", "calling");
            let fault = Some(&fault).filter(|_| lease.instance().port == 1);
            lease.went(fault);
        }
        for _ in 0..50 {
            let lease = balancer.take().await.expect("has instances");
            assert_eq!(lease.instance().port, 2);
            lease.went(None);
        }
        clock.advance(Duration::from_secs(11));
        assert!(balancer.loads().iter().all(|load| !load.ejected));
    }

    #[tokio::test]
    async fn an_instance_where_nobody_listens_is_left_out_at_once() {
        let two = Arc::new(Static::new(instance(1), [instance(2)]));
        let balancer = Balancer::new(two, OutlierRule::default(), ManualClock::default().shared());
        let mut refused = 0;
        for _ in 0..50 {
            let lease = balancer.take().await.expect("has instances");
            let fault = Fault::unavailable("link.connect", "calling");
            let fault = Some(&fault).filter(|_| lease.instance().port == 1);
            refused += usize::from(fault.is_some());
            lease.went(fault);
        }
        assert_eq!(refused, 1);
    }

    #[tokio::test]
    async fn a_dropped_call_is_no_longer_under_way() {
        let one = Arc::new(Static::new(instance(1), []));
        let balancer = Balancer::new(one, OutlierRule::default(), ManualClock::default().shared());
        let lease = balancer.take().await.expect("has one");
        assert_eq!(balancer.loads()[0].running, 1);
        drop(lease);
        assert_eq!(balancer.loads()[0].running, 0);
    }

    #[tokio::test]
    async fn known_instances_stay_when_looking_up_again_fails() {
        let clock = ManualClock::default();
        let none = || DiscoveryError::NoAddress { host: "stock".into() };
        let answers = vec![Err(none()), Ok(vec![instance(1)]), Err(none())];
        let balancer =
            Balancer::new(Arc::new(Changing(Mutex::new(answers))), OutlierRule::default(), clock.shared());
        let fault = balancer.take().await.err().expect("the first look-up fails");
        assert_eq!(fault.reason, "link.discovery");
        drop(balancer.take().await.expect("the second finds one"));
        clock.advance(Duration::from_secs(11));
        drop(balancer.take().await.expect("the known one stays"));
        tokio::task::yield_now().await;
        drop(balancer.take().await.expect("also after the look-up failed"));
    }
}
