//! The context that travels with every send, in process and over every wire.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{Fault, Moment, TraceContext};

/// The context of one send: trace, deadline, caller, tenant, idempotency key, attempt.
///
/// It is an argument of every send, so it cannot be forgotten. Cloning copies one pointer.
#[derive(Clone, Debug)]
pub struct Cx(Arc<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    trace: TraceContext,
    deadline: Option<Moment>,
    caller: Option<Caller>,
    tenant: Option<Arc<str>>,
    idempotency_key: Option<Arc<str>>,
    attempt: u32,
}

/// Who asks: a service, a partner or a person, by its stable name.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Caller(Arc<str>);

/// Names of the headers (HTTP, gRPC metadata, bus attributes) in which a context travels.
pub mod header {
    /// W3C Trace Context.
    pub const TRACEPARENT: &str = "traceparent";
    /// Whole milliseconds the caller still waits. A span, not a time: clocks of two machines differ.
    pub const TIMEOUT: &str = "ieum-timeout-ms";
    /// Who asks.
    pub const CALLER: &str = "ieum-caller";
    /// For which tenant.
    pub const TENANT: &str = "ieum-tenant";
    /// The IETF draft's header (draft-ietf-httpapi-idempotency-key-header).
    pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
    /// How often this was sent before, over all layers; 0 is the first time.
    pub const ATTEMPT: &str = "ieum-attempt";
}

/// A context as header pairs, for wires that carry text pairs of their own.
pub type CxHeaders = Vec<(&'static str, String)>;

/// The longest header value that is taken over from a stranger, in bytes.
const LONGEST_VALUE: usize = 256;

// === Cx ===

impl Cx {
    /// Begins a context with a new trace, no deadline and nobody as caller.
    pub fn root() -> Self {
        Self::with_trace(TraceContext::root())
    }

    /// Begins a context within `trace`.
    pub fn with_trace(trace: TraceContext) -> Self {
        Self(Arc::new(Inner {
            trace,
            deadline: None,
            caller: None,
            tenant: None,
            idempotency_key: None,
            attempt: 0,
        }))
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Inner::clone(&self.0);
        change(&mut inner);
        Self(Arc::new(inner))
    }

    /// Returns the trace.
    pub fn trace(&self) -> TraceContext {
        self.0.trace
    }

    /// Returns the moment after which nobody waits for the answer.
    pub fn deadline(&self) -> Option<Moment> {
        self.0.deadline
    }

    /// Returns who asks.
    pub fn caller(&self) -> Option<&Caller> {
        self.0.caller.as_ref()
    }

    /// Returns for which tenant.
    pub fn tenant(&self) -> Option<&str> {
        self.0.tenant.as_deref()
    }

    /// Returns the key under which a command may be repeated.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.0.idempotency_key.as_deref()
    }

    /// Returns how often this was sent before, over all layers; 0 is the first time.
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// Returns the same context as a child span.
    #[must_use]
    pub fn child(&self) -> Self {
        self.change(|inner| inner.trace = inner.trace.child())
    }

    /// Returns the same context in another trace position.
    #[must_use]
    pub fn in_trace(&self, trace: TraceContext) -> Self {
        self.change(|inner| inner.trace = trace)
    }

    /// Returns a context whose deadline is `deadline` or the present one, whichever is earlier.
    #[must_use]
    pub fn with_deadline(&self, deadline: Moment) -> Self {
        if self.0.deadline.is_some_and(|present| present <= deadline) {
            return self.clone();
        }
        self.change(|inner| inner.deadline = Some(deadline))
    }

    /// Returns a context that ends `timeout` after `now` at the latest.
    #[must_use]
    pub fn with_timeout(&self, now: Moment, timeout: Duration) -> Self {
        self.with_deadline(now + timeout)
    }

    /// Returns a context asked by `caller`.
    #[must_use]
    pub fn with_caller(&self, caller: Caller) -> Self {
        self.change(|inner| inner.caller = Some(caller))
    }

    /// Returns a context for `tenant`.
    #[must_use]
    pub fn with_tenant(&self, tenant: &str) -> Self {
        self.change(|inner| inner.tenant = Some(tenant.into()))
    }

    /// Returns a context whose command may be repeated under `key`.
    #[must_use]
    pub fn with_idempotency_key(&self, key: &str) -> Self {
        self.change(|inner| inner.idempotency_key = Some(key.into()))
    }

    /// Returns a context that was sent `attempt` times before.
    #[must_use]
    pub fn with_attempt(&self, attempt: u32) -> Self {
        self.change(|inner| inner.attempt = attempt)
    }

    /// Returns the time left at `now`: `None` without a deadline, zero once it passed.
    pub fn time_left(&self, now: Moment) -> Option<Duration> {
        self.0.deadline.map(|deadline| deadline.since(now))
    }

    /// Fails with `link.deadline` where the deadline has passed at `now`.
    pub fn check(&self, now: Moment) -> Result<(), Fault> {
        match self.time_left(now) {
            Some(Duration::ZERO) => Err(Fault::deadline_exceeded(
                "link.deadline",
                "the caller's deadline passed before the work began",
            )),
            _ => Ok(()),
        }
    }

    /// Returns the context as header pairs; the deadline becomes the time left at `now`.
    pub fn to_pairs(&self, now: Moment) -> CxHeaders {
        let mut pairs = vec![(header::TRACEPARENT, self.0.trace.to_string())];
        if let Some(left) = self.time_left(now) {
            pairs.push((header::TIMEOUT, left.as_millis().to_string()));
        }
        if let Some(caller) = &self.0.caller {
            pairs.push((header::CALLER, caller.name().to_owned()));
        }
        if let Some(tenant) = &self.0.tenant {
            pairs.push((header::TENANT, tenant.to_string()));
        }
        if let Some(key) = &self.0.idempotency_key {
            pairs.push((header::IDEMPOTENCY_KEY, key.to_string()));
        }
        if self.0.attempt > 0 {
            pairs.push((header::ATTEMPT, self.0.attempt.to_string()));
        }
        pairs
    }

    /// Reads a context from header pairs. What is missing, over-long or malformed is left out:
    /// a stranger's bad header must not fail a good request.
    pub fn from_pairs<'a>(lookup: impl Fn(&str) -> Option<&'a str>, now: Moment) -> Self {
        let lookup = |name: &str| lookup(name).filter(|value| value.len() <= LONGEST_VALUE);
        let trace =
            lookup(header::TRACEPARENT).and_then(|text| text.parse().ok()).unwrap_or_else(TraceContext::root);
        let millis = lookup(header::TIMEOUT).and_then(|text| text.parse::<u64>().ok());
        Self(Arc::new(Inner {
            trace,
            deadline: millis.map(|millis| now + Duration::from_millis(millis)),
            caller: lookup(header::CALLER).map(Caller::new),
            tenant: lookup(header::TENANT).map(Into::into),
            idempotency_key: lookup(header::IDEMPOTENCY_KEY).map(Into::into),
            attempt: lookup(header::ATTEMPT).and_then(|text| text.parse().ok()).unwrap_or(0),
        }))
    }

    /// Writes the context into HTTP headers. A value that no header can carry is left out.
    pub fn write_headers(&self, headers: &mut HeaderMap, now: Moment) {
        for (name, value) in self.to_pairs(now) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }

    /// Reads a context from HTTP headers; see [`Cx::from_pairs`].
    pub fn from_headers(headers: &HeaderMap, now: Moment) -> Self {
        Self::from_pairs(|name| headers.get(name).and_then(|value| value.to_str().ok()), now)
    }
}

// === Caller ===

impl Caller {
    /// Names a caller.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_survives_headers_with_its_time_left() {
        let now = Moment::from_start(Duration::from_secs(10));
        let cx = Cx::root()
            .with_timeout(now, Duration::from_millis(800))
            .with_caller(Caller::new("events"))
            .with_tenant("seoul")
            .with_idempotency_key("key-1")
            .with_attempt(2);
        let mut headers = HeaderMap::new();
        cx.write_headers(&mut headers, now + Duration::from_millis(300));
        let there = Moment::from_start(Duration::from_secs(99));
        let read = Cx::from_headers(&headers, there);
        assert_eq!(read.trace(), cx.trace());
        assert_eq!(read.time_left(there), Some(Duration::from_millis(500)));
        assert_eq!(read.caller(), cx.caller());
        assert_eq!(read.tenant(), Some("seoul"));
        assert_eq!(read.idempotency_key(), Some("key-1"));
        assert_eq!(read.attempt(), 2);
    }

    #[test]
    fn a_strangers_garbage_is_left_out() {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", HeaderValue::from_static("zz"));
        headers.insert("ieum-timeout-ms", HeaderValue::from_static("soon"));
        headers.insert("ieum-tenant", HeaderValue::from_str(&"x".repeat(9_999)).expect("is ASCII"));
        let cx = Cx::from_headers(&headers, Moment::START);
        assert_eq!((cx.deadline(), cx.tenant()), (None, None));
    }

    #[test]
    fn a_deadline_only_gets_nearer() {
        let near = Moment::from_start(Duration::from_secs(1));
        let cx = Cx::root().with_deadline(near).with_deadline(near + Duration::from_secs(9));
        assert_eq!(cx.deadline(), Some(near));
        assert!(cx.check(near).is_err());
        assert!(cx.check(Moment::START).is_ok());
    }
}
