//! The bus wire: notices as events on the topic `links.{contract}`. Nothing that has an answer rides it.

use std::sync::Arc;

use bytes::Bytes;
use ieum_bus::{Bus, BusError, Consumer, Event, Subscribed, Subscription};
use ieum_core::{Cx, Fault, SharedClock};
use ieum_link::{Call, Contract, Kind, Link, Payload, Reply, Routes};
use ieum_store::Transaction;

use crate::open::{LinkUrlError, OpenedLink, carries};
use crate::served::Served;

/// The `source` of events that are notices.
const SOURCE: &str = "ieum/links";
/// How a bus link is written.
const URL: &str = "bus";
/// The longest idempotency key that becomes part of an event's id.
const LONGEST_KEY: usize = 64;

/// The sender's side of the bus wire.
pub struct BusWire;

impl BusWire {
    /// Opens a link for `contract` over `bus`. A call returns once its notice is durable. Fails where the
    /// contract has an operation that is no notice, naming it.
    pub fn open(bus: Bus, contract: &'static Contract) -> Result<OpenedLink, LinkUrlError> {
        Self::check(contract)?;
        let url = URL.to_owned();
        let link = Link::new(tower::service_fn(move |call: Call| {
            let bus = bus.clone();
            async move { send(&bus, call).await }
        }));
        Ok(OpenedLink { link, wire: "bus", url, balancer: None })
    }

    /// Tells, before there is a bus, whether it could carry `contract`. Fails as [`BusWire::open`] does.
    pub fn check(contract: &'static Contract) -> Result<(), LinkUrlError> {
        carries(contract, URL, |kind| kind == Kind::Notice, "notices only; use http://, grpc:// or local")
    }
}

fn topic(contract: &str) -> String {
    format!("links.{contract}")
}

async fn send(bus: &Bus, call: Call) -> Result<Reply, Fault> {
    let operation = call.operation;
    if operation.kind != Kind::Notice {
        let message = format!("calling {} over the bus, which carries notices only", operation.path);
        return Err(Fault::unimplemented("link.no_answers", message));
    }
    let event = event_of(&call)?;
    bus.publish(&topic(operation.contract), event).await.map_err(Fault::from)?;
    Ok(Reply::live(Payload::json(Bytes::from_static(b"null"))))
}

/// Writes a notice as an event. Notices of one trace keep their order; a notice sent again under its
/// idempotency key is the same event.
fn event_of(call: &Call) -> Result<Event, Fault> {
    let operation = call.operation;
    let wrong = |error: &dyn std::fmt::Display| {
        Fault::internal("link.encode", format!("writing {} as an event: {error}", operation.path))
    };
    let data: serde_json::Value =
        serde_json::from_slice(&call.payload.to_json()?).map_err(|error| wrong(&error))?;
    let key = call.cx.trace().trace_id.to_string();
    let kind = format!("{}.{}", operation.contract, operation.method);
    let event = Event::new(&call.cx, SOURCE, kind, key, data).map_err(|error| wrong(&error))?;
    Ok(match call.cx.idempotency_key().filter(|key| key.len() <= LONGEST_KEY) {
        Some(key) => event.with_id(format!("{}.{key}", operation.method)),
        None => event,
    })
}

/// Answers the contracts of `routes` that hold notices only and arrive over `bus`, each notice handled once in the group `group` as far as the
/// handler's own effects are repeatable: it runs beside the bus's transaction, not within it. A retryable
/// fault is tried again in the retry lane, any other makes a dead letter.
///
/// With a bus on SQLite nobody else writes to the bus's file while a notice is handled, so a handler that
/// writes must keep its rows in another file; it would wait for itself and end as a dead letter.
///
/// # Errors
/// A group name that breaks a rule.
pub async fn serve_notices(
    bus: &Bus,
    routes: Routes,
    group: &str,
    clock: SharedClock,
) -> Result<Vec<Subscribed>, BusError> {
    let contracts = routes.contracts().to_vec();
    let served = Served::routes(routes, clock);
    let mut subscribed = Vec::new();
    for contract in contracts.into_iter().filter(rides) {
        let consumer = Arc::new(Notices { contract, served: served.clone() });
        subscribed.push(bus.subscribe(Subscription::new(topic(contract.name), group), consumer).await?);
    }
    Ok(subscribed)
}

/// Tells whether a contract may ride the bus: it holds notices and nothing else.
fn rides(contract: &&'static Contract) -> bool {
    contract.has(Kind::Notice) && contract.is_only(Kind::Notice)
}

struct Notices {
    contract: &'static Contract,
    served: Served,
}

#[async_trait::async_trait]
impl Consumer for Notices {
    async fn handle(&self, cx: &Cx, event: &Event, _: &mut Transaction) -> Result<(), Fault> {
        let method = event.kind.strip_prefix(self.contract.name).and_then(|rest| rest.strip_prefix('.'));
        let operation = self.served.find(self.contract.name, method.unwrap_or(&event.kind))?;
        if operation.kind != Kind::Notice {
            let message = format!("calling {} over the bus, which carries notices only", operation.path);
            return Err(Fault::unimplemented("link.no_answers", message));
        }
        let payload = Payload::json(event.data.to_string().into());
        self.served.answer(operation, cx.clone(), payload).await.map(drop)
    }
}
