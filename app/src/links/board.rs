//! Every link of a process with what is known of it, for people, metrics and steering.

use std::collections::BTreeMap;
use std::sync::Arc;

use ieum_contracts::platform::{BreakerStatus, InstanceStatus, LinkStatus, ProcessStatus};
use ieum_policy::{BreakerState, FallbackConfig, PolicyHandle, PolicySnapshot, PolicyStack};
use ieum_process::Process;
use ieum_wires::OpenedLink;
use ieum_wires::balance::Balancer;
use parking_lot::RwLock;

/// The links of a process by name. Clones show the same links.
#[derive(Clone, Default)]
pub struct LinkBoard {
    links: Arc<RwLock<BTreeMap<String, Entry>>>,
}

/// One link.
#[derive(Clone)]
pub struct Entry {
    to: String,
    wire: &'static str,
    /// Its policies.
    pub policies: PolicyHandle,
    /// Its instances, where the wire has any.
    pub balancer: Option<Arc<Balancer>>,
    /// The process that answers, where this one started it.
    process: Option<Arc<Process>>,
}

impl LinkBoard {
    /// Shows `link` under the name of `stack`, its policies.
    pub fn add(&self, link: &OpenedLink, stack: &PolicyStack) {
        let entry = Entry {
            to: link.url.clone(),
            wire: link.wire,
            policies: stack.handle(),
            balancer: link.balancer.clone(),
            process: None,
        };
        self.links.write().insert(stack.name().to_owned(), entry);
    }

    /// Shows the link to a process of this one under the name of `stack`, its policies.
    pub fn add_process(&self, process: &Arc<Process>, stack: &PolicyStack) {
        let entry = Entry {
            to: format!("process:{}", process.program()),
            wire: "process",
            policies: stack.handle(),
            balancer: None,
            process: Some(process.clone()),
        };
        self.links.write().insert(stack.name().to_owned(), entry);
    }

    /// Shows calls to a service of somebody else's under the name of its policies; `to` may hold secrets, which are not
    /// shown.
    pub fn add_outside(&self, to: &str, wire: &'static str, policies: PolicyHandle) {
        let name = policies.name().to_owned();
        let entry = Entry { to: ieum_core::redact_url(to), wire, policies, balancer: None, process: None };
        self.links.write().insert(name, entry);
    }

    /// Returns the link called `name`.
    pub fn get(&self, name: &str) -> Option<Entry> {
        self.links.read().get(name).cloned()
    }

    /// Returns every link, ordered by name.
    pub fn all(&self) -> Vec<Entry> {
        self.links.read().values().cloned().collect()
    }

    /// Returns the names of all links.
    pub fn names(&self) -> Vec<String> {
        self.links.read().keys().cloned().collect()
    }
}

impl Entry {
    /// Returns how the link fares right now.
    pub fn status(&self) -> LinkStatus {
        let seen = self.policies.snapshot();
        LinkStatus {
            to: self.to.clone(),
            wire: self.wire.to_owned(),
            fallback: fallback(&self.policies.config().fallback),
            calls: seen.calls,
            in_flight: seen.in_flight,
            failures: seen.failures,
            rejected: [
                ("breaker", seen.rejected.breaker),
                ("bulkhead", seen.rejected.bulkhead),
                ("rate", seen.rejected.rate),
            ]
            .map(|(name, count)| (name.to_owned(), count))
            .into(),
            fallbacks: seen.fallbacks.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect(),
            retries: seen.retries,
            budget: seen.budget,
            p95_ms: seen.latency_ok.quantile(0.95).map(|seconds| seconds * 1_000.0),
            breaker: breaker(&seen),
            instances: self.instances(),
            process: self.process.as_deref().map(process),
            name: seen.name,
        }
    }

    fn instances(&self) -> Vec<InstanceStatus> {
        let loads = self.balancer.as_ref().map(|balancer| balancer.loads()).unwrap_or_default();
        let status = |load: ieum_wires::balance::InstanceLoad| InstanceStatus {
            address: load.instance.to_string(),
            running: load.running,
            ejected: load.ejected,
        };
        loads.into_iter().map(status).collect()
    }
}

fn fallback(config: &FallbackConfig) -> String {
    match config {
        FallbackConfig::Off => "off".to_owned(),
        FallbackConfig::Value(_) => "value".to_owned(),
        FallbackConfig::Cache { .. } => "cache".to_owned(),
        FallbackConfig::LastGood { .. } => "last-good".to_owned(),
        FallbackConfig::To(url) => ieum_core::redact_url(url),
    }
}

fn process(process: &Process) -> ProcessStatus {
    let status = process.status();
    ProcessStatus {
        state: status.state.name().to_owned(),
        address: status.address().map(ToString::to_string),
        restarts: status.restarts,
        ended: status.ended.map(|ended| ended.to_string()),
    }
}

fn breaker(seen: &PolicySnapshot) -> Option<BreakerStatus> {
    let state = seen.breaker.as_ref()?;
    let reason = match state {
        BreakerState::Open { cause, .. } => Some(cause.to_string()),
        BreakerState::HeldOpen { reason } | BreakerState::ForcedClosed { reason } => Some(reason.clone()),
        BreakerState::Closed { .. } | BreakerState::HalfOpen { .. } => None,
    };
    let opened = seen.breaker_counts.map_or(0, |counts| counts.opened);
    Some(BreakerStatus { state: state.name().to_owned(), reason, opened })
}
