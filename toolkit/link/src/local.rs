//! The wires within one process: the value handed over, or encoded and sent twice to prove it could travel.

use std::sync::Arc;

use futures::future::{Either, select};
use futures::stream::{self, StreamExt};
use ieum_core::{BoxFuture, Cx, Fault, SharedClock, within};
use ieum_policy::PolicyRequest;

use crate::{
    Call, Incoming, Link, Operation, Outgoing, Payload, Reply, Route, Routes, StreamLink, UnaryLink,
    unserved, wrong_kind,
};

/// Hands values over within the process, without encoding. The caller's deadline ends the work, as on a
/// far wire.
pub fn local_link(routes: Routes, clock: SharedClock) -> Link {
    let wire = Arc::new(LocalWire { routes, clock });
    Link::from_unary(wire.clone()).with_streams(wire)
}

/// Stays within the process but encodes and decodes every message and sends what may be repeated twice.
/// Implementations that lean on shared memory or on a single delivery fail their tests here.
pub fn loopback(routes: Routes, clock: SharedClock) -> Link {
    let wire = Arc::new(LoopbackWire { inner: LocalWire { routes, clock } });
    Link::from_unary(wire.clone()).with_streams(wire)
}

struct LocalWire {
    routes: Routes,
    clock: SharedClock,
}

struct LoopbackWire {
    inner: LocalWire,
}

/// Says why `operation` has no route of the kind it was called as.
fn refused(routes: &Routes, operation: &Operation) -> Fault {
    match routes.get(operation.path) {
        Some(route) => wrong_kind(route.operation()),
        None => unserved(routes.contracts(), operation.contract, operation.method),
    }
}

// === LocalWire ===

impl UnaryLink for LocalWire {
    fn call(&self, call: Call) -> BoxFuture<'static, Result<Reply, Fault>> {
        let Some(Route::Unary(_, handler)) = self.routes.get(call.operation.path) else {
            return Box::pin(std::future::ready(Err(refused(&self.routes, call.operation))));
        };
        let deadline = call.cx.deadline();
        let path = call.operation.path;
        let answer = handler(call.cx, call.payload);
        let Some(deadline) = deadline else {
            return Box::pin(async move { answer.await.map(Reply::live) });
        };
        let clock = Arc::clone(&self.clock);
        Box::pin(async move {
            let answer = within(&clock, deadline, answer).await.unwrap_or_else(|| {
                let message = format!("calling {path}: the deadline passed before the answer");
                Err(Fault::deadline_exceeded("link.deadline", message))
            });
            answer.map(Reply::live)
        })
    }
}

impl StreamLink for LocalWire {
    fn open(
        &self,
        operation: &'static Operation,
        cx: Cx,
        incoming: Incoming<Payload>,
    ) -> BoxFuture<'static, Result<Outgoing<Payload>, Fault>> {
        match self.routes.get(operation.path) {
            Some(Route::Stream(_, handler)) => {
                let late = cx.deadline().map(|deadline| self.clock.sleep_until(deadline));
                let opened = handler(cx, incoming);
                Box::pin(async move { Ok(ended(operation, opened.await?, late)) })
            }
            _ => Box::pin(std::future::ready(Err(refused(&self.routes, operation)))),
        }
    }
}

/// Ends a stream with its first fault, or with `link.deadline` once `late` completes.
fn ended(
    operation: &'static Operation,
    outgoing: Outgoing<Payload>,
    late: Option<BoxFuture<'static, ()>>,
) -> Outgoing<Payload> {
    let late = late.unwrap_or_else(|| Box::pin(std::future::pending()));
    stream::unfold(Some((outgoing, late)), move |state| async move {
        let (mut outgoing, mut late) = state?;
        let item = match select(outgoing.next(), &mut late).await {
            Either::Left((item, _)) => item?,
            Either::Right(_) => Err(Fault::deadline_exceeded(
                "link.deadline",
                format!("calling {}: the deadline passed before the answer", operation.path),
            )),
        };
        let next = item.is_ok().then_some((outgoing, late));
        Some((item, next))
    })
    .boxed()
}

// === LoopbackWire ===

fn recode(payload: &Payload) -> Result<Payload, Fault> {
    payload.to_json().map(Payload::json)
}

/// The context as it would arrive over headers.
fn recode_cx(cx: &Cx, clock: &SharedClock) -> Cx {
    let now = clock.moment();
    let pairs = cx.to_pairs(now);
    let lookup = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
    let arrived = Cx::from_pairs(lookup, now);
    // Whole milliseconds travel; the caller's own deadline must not grow by rounding.
    cx.deadline().map_or(arrived.clone(), |deadline| arrived.with_deadline(deadline))
}

impl UnaryLink for LoopbackWire {
    fn call(&self, call: Call) -> BoxFuture<'static, Result<Reply, Fault>> {
        let recoded = recode(&call.payload).map(|payload| Call {
            operation: call.operation,
            cx: recode_cx(&call.cx, &self.inner.clock),
            payload,
        });
        let call = match recoded {
            Ok(call) => call,
            Err(fault) => return Box::pin(std::future::ready(Err(fault))),
        };
        let again = if call.is_repeatable() { call.try_clone() } else { None };
        let first = self.inner.call(call);
        let second = again.map(|call| self.inner.call(call));
        Box::pin(async move {
            let first = first.await;
            let answer = match second {
                Some(second) => second.await,
                None => first,
            };
            answer.and_then(|reply| Ok(Reply { payload: recode(&reply.payload)?, origin: reply.origin }))
        })
    }
}

impl StreamLink for LoopbackWire {
    fn open(
        &self,
        operation: &'static Operation,
        cx: Cx,
        incoming: Incoming<Payload>,
    ) -> BoxFuture<'static, Result<Outgoing<Payload>, Fault>> {
        let incoming = incoming.map(|item| item.and_then(|payload| recode(&payload))).boxed();
        let outgoing = self.inner.open(operation, recode_cx(&cx, &self.inner.clock), incoming);
        Box::pin(
            async move { Ok(outgoing.await?.map(|item| item.and_then(|payload| recode(&payload))).boxed()) },
        )
    }
}
