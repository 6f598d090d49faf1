//! What a far wire serves: operations by their path, each answered over a link within the caller's time.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::future::{Either, FutureExt, select};
use futures::stream::{self, StreamExt};
use ieum_core::{BoxFuture, Cx, Fault, Moment, SharedClock};
use ieum_link::{
    Call, Contract, Incoming, Link, Operation, Outgoing, Payload, Reply, Routes, local_link, unserved,
};

/// The operations of some contracts and the link that answers them.
#[derive(Clone)]
pub(crate) struct Served {
    operations: Arc<HashMap<&'static str, &'static Operation>>,
    contracts: Arc<[&'static Contract]>,
    link: Link,
    clock: SharedClock,
}

impl Served {
    /// Serves what `routes` answer.
    pub(crate) fn routes(routes: Routes, clock: SharedClock) -> Self {
        let contracts = routes.contracts().to_vec();
        Self::link(&contracts, local_link(routes, Arc::clone(&clock)), clock)
    }

    /// Serves `contracts` by passing calls on over `link`.
    pub(crate) fn link(contracts: &[&'static Contract], link: Link, clock: SharedClock) -> Self {
        let operations = contracts.iter().flat_map(|contract| contract.operations.iter());
        Self {
            operations: Arc::new(operations.map(|operation| (operation.path, operation)).collect()),
            contracts: contracts.into(),
            link,
            clock,
        }
    }

    pub(crate) fn clock(&self) -> &SharedClock {
        &self.clock
    }

    pub(crate) fn contracts(&self) -> &[&'static Contract] {
        &self.contracts
    }

    /// Returns the operation at `contract/method`. Fails naming what is not known: the contract, its version
    /// or the operation.
    pub(crate) fn find(&self, contract: &str, method: &str) -> Result<&'static Operation, Fault> {
        let found = self.operations.get(format!("{contract}/{method}").as_str()).copied();
        found.ok_or_else(|| unserved(&self.contracts, contract, method))
    }

    /// Answers one call. The work is dropped when the caller's time is over (`link.deadline`) and a panic
    /// in it becomes `link.panic`.
    pub(crate) async fn answer(
        &self,
        operation: &'static Operation,
        cx: Cx,
        payload: Payload,
    ) -> Result<Reply, Fault> {
        cx.check(self.clock.moment())?;
        let deadline = cx.deadline();
        let answer = self.link.call(Call { operation, cx, payload });
        let answer = AssertUnwindSafe(answer).catch_unwind();
        self.within(operation, deadline, answer).await?.unwrap_or_else(|_| Err(panicked(operation)))
    }

    /// Waits for `work` until `end`. Fails with `link.deadline`.
    pub(crate) async fn within<T>(
        &self,
        operation: &Operation,
        end: Option<Moment>,
        work: impl Future<Output = T> + Send,
    ) -> Result<T, Fault> {
        within(&self.clock, operation, end, work).await
    }

    /// Opens a stream whose items end with `link.deadline` when the caller's time is over; then, and when
    /// the returned stream is dropped, the answerer's stream is dropped as well.
    pub(crate) async fn open(
        &self,
        operation: &'static Operation,
        cx: Cx,
        incoming: Incoming<Payload>,
    ) -> Result<Outgoing<Payload>, Fault> {
        cx.check(self.clock.moment())?;
        let deadline = cx.deadline();
        let opened = AssertUnwindSafe(self.link.open(operation, cx, incoming)).catch_unwind();
        let opened = async move { opened.await.unwrap_or_else(|_| Err(panicked(operation))) };
        let Some(deadline) = deadline else { return Ok(ended_by_errors(operation, opened.await?)) };
        let over = self.clock.sleep_until(deadline);
        let (outgoing, over) = match select(Box::pin(opened), over).await {
            Either::Left((opened, over)) => (opened?, over),
            Either::Right(_) => return Err(late(operation)),
        };
        Ok(until(operation, ended_by_errors(operation, outgoing), over))
    }
}

/// Waits for `work` until `end`. Fails with `link.deadline`.
pub(crate) async fn within<T>(
    clock: &SharedClock,
    operation: &Operation,
    end: Option<Moment>,
    work: impl Future<Output = T> + Send,
) -> Result<T, Fault> {
    let Some(end) = end else { return Ok(work.await) };
    ieum_core::within(clock, end, work).await.ok_or_else(|| late(operation))
}

fn late(operation: &Operation) -> Fault {
    let message = format!("calling {}: the deadline passed before the answer", operation.path);
    Fault::deadline_exceeded("link.deadline", message)
}

fn panicked(operation: &Operation) -> Fault {
    tracing::error!(operation = operation.path, "handler panicked");
    Fault::internal("link.panic", format!("calling {}: the answerer broke down", operation.path))
}

/// Ends a stream with its first error, and with `link.panic` where making an item panics.
fn ended_by_errors(operation: &'static Operation, outgoing: Outgoing<Payload>) -> Outgoing<Payload> {
    let outgoing = AssertUnwindSafe(outgoing).catch_unwind();
    let outgoing = outgoing.map(move |item| item.unwrap_or_else(|_| Err(panicked(operation))));
    stream::unfold(Some(outgoing.boxed()), |outgoing| async move {
        let mut outgoing = outgoing?;
        match outgoing.next().await? {
            Ok(item) => Some((Ok(item), Some(outgoing))),
            Err(fault) => Some((Err(fault), None)),
        }
    })
    .boxed()
}

/// Ends a stream with `link.deadline` once `over` completes.
pub(crate) fn until(
    operation: &'static Operation,
    outgoing: Outgoing<Payload>,
    over: BoxFuture<'static, ()>,
) -> Outgoing<Payload> {
    stream::unfold(Some((outgoing, over)), move |state| async move {
        let (mut outgoing, mut over) = state?;
        let next = match select(outgoing.next(), &mut over).await {
            Either::Left((next, _)) => Some(next),
            Either::Right(_) => None,
        };
        match next {
            Some(None) => None,
            Some(Some(item)) => Some((item, Some((outgoing, over)))),
            None => Some((Err(late(operation)), None)),
        }
    })
    .boxed()
}
