//! The wire over the simulated network: HTTP's bytes, deadlines and faults, served by the HTTP wire's own server.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::{Either, select};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use ieum_core::{BoxFuture, Fault, Problem};
use ieum_link::{Call, Link, Payload, Reply, UnaryLink};
use ieum_policy::{PolicyConfig, PolicyRequest, PolicyStack};
use parking_lot::Mutex;

use crate::net::{Answer, Net, Packet};
use crate::plant::Plant;

/// A node's way to one of several answerers.
#[derive(Clone)]
pub struct Wire {
    pub net: Net,
    pub from: usize,
    pub to: Vec<usize>,
    pub plant: Plant,
    pub sent: Arc<Mutex<u64>>,
}

impl UnaryLink for Wire {
    fn call(&self, call: Call) -> BoxFuture<'static, Result<Reply, Fault>> {
        let wire = self.clone();
        Box::pin(async move { wire.exchange(call).await })
    }
}

impl Wire {
    /// Makes the way of `from` to `to`.
    pub fn new(net: &Net, from: usize, to: impl Into<Vec<usize>>, plant: Plant) -> Self {
        Self { net: net.clone(), from, to: to.into(), plant, sent: Arc::default() }
    }

    /// Returns the link without policies.
    pub fn link(&self) -> Link {
        Link::from_unary(Arc::new(self.clone()))
    }

    /// Returns the link behind policies, whose retries are counted.
    pub fn guarded(&self, name: &str, config: &PolicyConfig) -> Link {
        let stack =
            PolicyStack::with_seed(name, config, self.net.clock.clone(), self.net.dice.within(0..u64::MAX));
        let counted = Counted { wire: self.clone(), stack: stack.clone() };
        Link::new(stack.apply(Link::from_unary(Arc::new(counted))))
    }

    async fn exchange(&self, call: Call) -> Result<Reply, Fault> {
        let now = self.net.clock.moment();
        call.cx.check(now)?;
        *self.sent.lock() += 1;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        call.cx.write_headers(&mut headers, now);
        let path = call.operation.path;
        let deadline = call.cx.deadline();
        let repeatable = call.is_repeatable();
        let packet = Packet { path, headers, body: call.payload.to_json()?, deadline, repeatable };
        let to = self.to[self.net.dice.index(self.to.len())];
        let (answer, guard) = self.net.send(self.from, to, packet);
        let guard = Leaves(guard);
        let result = match deadline {
            None => answer.await.map_err(|_| cut(path)),
            Some(deadline) => match select(answer, self.net.clock.sleep_until(deadline)).await {
                Either::Left((answer, _)) => answer.map_err(|_| cut(path)),
                Either::Right(_) => Err(late(path)),
            },
        };
        drop(guard);
        match result {
            Ok(answer) => read(&answer),
            Err(_) if self.plant == Plant::SwallowsLoss => {
                Ok(Reply::live(Payload::json(Bytes::from_static(br#"{"number":1}"#))))
            }
            Err(fault) => Err(fault),
        }
    }
}

/// Tells the other side, where it looks, that nobody waits any more.
struct Leaves(tokio::sync::watch::Sender<bool>);

impl Drop for Leaves {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

fn cut(path: &str) -> Fault {
    Fault::unavailable("link.cut", format!("calling {path}: the connection broke before the whole answer"))
}

fn late(path: &str) -> Fault {
    Fault::deadline_exceeded(
        "link.deadline",
        format!("calling {path}: the deadline passed before the answer"),
    )
}

fn read(answer: &Answer) -> Result<Reply, Fault> {
    if answer.status == StatusCode::OK {
        return Ok(Reply::live(Payload::json(answer.body.clone())));
    }
    let problem: Problem = serde_json::from_slice(&answer.body).expect("a server of ours tells its problem");
    Err(problem.into())
}

/// Checks the promise of the retry budget at every send.
struct Counted {
    wire: Wire,
    stack: PolicyStack,
}

impl UnaryLink for Counted {
    fn call(&self, call: Call) -> BoxFuture<'static, Result<Reply, Fault>> {
        let calls = self.stack.handle().snapshot().calls;
        let sent = *self.wire.sent.lock() + 1;
        if sent > calls + (calls / 5).max(3) {
            self.wire
                .net
                .witness
                .problem(format!("{calls} calls to {} became {sent} sends", self.stack.name()));
        }
        self.wire.call(call)
    }
}
