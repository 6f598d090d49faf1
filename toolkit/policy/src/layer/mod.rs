//! The policies as tower layers, one per file; each runs the same machine that the whole stack runs.

mod breaker;
mod bulkhead;
mod fallback;
mod hedge;
mod rate_limit;
mod retry;
mod time_limit;

pub use breaker::{BreakerLayer, BreakerService};
pub use bulkhead::{BulkheadLayer, BulkheadService};
pub use fallback::{FallbackLayer, FallbackService};
pub use hedge::HedgeLayer;
pub use rate_limit::{RateLimit, RateLimitLayer, RateLimitService};
pub use retry::{RetryLayer, RetryService};
pub use time_limit::{TimeLimitLayer, TimeLimitService};

pub(crate) use breaker::{End, Patience, guard};
pub(crate) use bulkhead::enter;
pub(crate) use fallback::{Memory, MemoryRule, may_stand_in};
pub(crate) use hedge::Hedger;
pub(crate) use retry::{Repeater, repeat};

/// Writes the parts of a tower service that are the same in every layer: readiness is the inner one's,
/// and the ready instance is the one that is called.
macro_rules! guarded_service {
    ($service:ident, $request:ident, [$($bound:tt)*], |$guard:ident, $inner:ident| $body:expr) => {
        impl<S, $request> tower::Service<$request> for $service<S>
        where
            S: tower::Service<$request, Error = ieum_core::Fault> + Clone + Send + 'static,
            S::Future: Send + 'static,
            S::Response: Send + 'static,
            $request: $crate::PolicyRequest,
            $($bound)*
        {
            type Response = S::Response;
            type Error = ieum_core::Fault;
            type Future = ieum_core::BoxFuture<'static, Result<S::Response, ieum_core::Fault>>;

            fn poll_ready(
                &mut self,
                task: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Result<(), ieum_core::Fault>> {
                self.inner.poll_ready(task)
            }

            fn call(&mut self, request: $request) -> Self::Future {
                let next = self.inner.clone();
                let $inner = std::mem::replace(&mut self.inner, next);
                let $guard = self.guard.clone();
                let work = $body;
                Box::pin(work(request))
            }
        }
    };
}
pub(crate) use guarded_service;
