//! The simulated network: requests and answers are late, lost, doubled or cut off, and nodes part for a while.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::future::{Either, select};
use http::{HeaderMap, Request, StatusCode};
use ieum_bus::sim::{Dice, Spawner};
use ieum_core::{Moment, SharedClock};
use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};
use tower::ServiceExt;

use crate::witness::Witness;

/// How long a packet is sent again before the connection counts as broken.
const PERSISTENCE: Duration = Duration::from_secs(3);
/// The longest answer taken.
const LONGEST: usize = 1 << 20;

/// The network between nodes. Cloning shares it.
#[derive(Clone)]
pub struct Net {
    pub dice: Dice,
    pub clock: SharedClock,
    pub witness: Witness,
    spawner: Spawner,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    routers: BTreeMap<usize, Router>,
    /// Pairs of nodes that do not reach each other.
    apart: BTreeSet<(usize, usize)>,
    calm: bool,
}

/// A message as it travels.
#[derive(Clone)]
pub struct Packet {
    pub path: &'static str,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub deadline: Option<Moment>,
    /// Whether something on the way may send it twice.
    pub repeatable: bool,
}

/// What comes back.
pub struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
}

type Reply = Arc<Mutex<Option<oneshot::Sender<Answer>>>>;

struct Journey {
    from: usize,
    to: usize,
    packet: Packet,
    reply: Reply,
    /// Turns true once the caller has left.
    left: watch::Receiver<bool>,
}

impl Net {
    pub fn new(witness: &Witness, spawner: Spawner) -> Self {
        let (dice, clock) = (witness.dice.clone(), witness.clock.clone());
        Self { dice, clock, witness: witness.clone(), spawner, state: Arc::default() }
    }

    /// Lets `node` answer with `router`.
    pub fn serve(&self, node: usize, router: Router) {
        self.state.lock().routers.insert(node, router);
    }

    /// Lets nobody answer at `node`.
    pub fn unserve(&self, node: usize) {
        self.state.lock().routers.remove(&node);
    }

    /// Parts two nodes, or joins them again.
    pub fn part(&self, one: usize, other: usize) {
        let pair = (one.min(other), one.max(other));
        let mut state = self.state.lock();
        if !state.apart.remove(&pair) {
            state.apart.insert(pair);
        }
    }

    /// Ends all that is wrong with the network.
    pub fn heal(&self) {
        let mut state = self.state.lock();
        state.calm = true;
        state.apart.clear();
    }

    fn rough(&self, probability: f64) -> bool {
        !self.state.lock().calm && self.dice.chance(probability)
    }

    /// Sends a packet; the answer's sender is dropped where the connection breaks. The returned guard says
    /// with its end that the caller left.
    pub fn send(
        &self,
        from: usize,
        to: usize,
        packet: Packet,
    ) -> (oneshot::Receiver<Answer>, watch::Sender<bool>) {
        let (reply, answer) = oneshot::channel();
        let reply: Reply = Arc::new(Mutex::new(Some(reply)));
        let (guard, left) = watch::channel(false);
        self.dice.note("send", &format!("{from}>{to} {} {}", packet.path, packet.text()));
        let copies = if packet.repeatable && self.rough(0.06) { 2 } else { 1 };
        for _ in 0..copies {
            let (packet, reply, left) = (packet.clone(), Arc::clone(&reply), left.clone());
            let journey = Journey { from, to, packet, reply, left };
            self.spawner.spawn(None, self.clone().carry(journey));
        }
        (answer, guard)
    }

    async fn carry(self, journey: Journey) {
        let sent = self.clock.moment();
        if !self.transit(journey.from, journey.to).await {
            return;
        }
        let Some(router) = self.state.lock().routers.get(&journey.to).cloned() else {
            self.dice.note("refused", journey.packet.path);
            return;
        };
        let net = self.clone();
        let node = journey.to;
        self.spawner.spawn(Some(node), async move { net.answer(router, journey, sent).await });
    }

    /// Runs on the answering node, as its server does.
    async fn answer(self, router: Router, mut journey: Journey, sent: Moment) {
        let packet = &journey.packet;
        if let Some(deadline) = packet.deadline {
            let delay = self.clock.moment().since(sent);
            self.witness.allow(&packet.headers, packet.path, deadline, delay);
        }
        let mut request =
            Request::post(format!("/links/{}", packet.path)).body(Body::from(packet.body.clone()));
        if let Ok(request) = &mut request {
            *request.headers_mut() = packet.headers.clone();
        }
        let request = request.expect("a path is a target");
        let work = Box::pin(router.oneshot(request));
        // A server drops the work of a caller that hung up, where it notices.
        let notices = self.dice.chance(0.5);
        let gone = Box::pin(async move {
            let _ = journey.left.wait_for(|left| *left).await;
            if !notices {
                std::future::pending::<()>().await;
            }
        });
        let Either::Left((Ok(response), _)) = select(work, gone).await else {
            return self.dice.note("dropped", "the caller left");
        };
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, LONGEST).await.expect("is whole");
        self.dice.note("answer", &format!("{} {}", head.status, String::from_utf8_lossy(&body)));
        let (from, to, reply) = (journey.from, journey.to, journey.reply);
        let net = self.clone();
        self.spawner.spawn(None, async move {
            if net.transit(to, from).await
                && let Some(reply) = reply.lock().take()
            {
                // A caller that left wants no answer.
                let _ = reply.send(Answer { status: head.status, body });
            }
        });
    }

    /// Takes one packet across; `false` where it never arrives.
    async fn transit(&self, from: usize, to: usize) -> bool {
        let millis = if self.rough(0.05) { self.dice.within(100..1_500) } else { self.dice.within(0..15) };
        self.clock.sleep(Duration::from_millis(millis)).await;
        if self.rough(0.03) {
            self.dice.note("cut", &format!("{from}>{to}"));
            return false;
        }
        if self.rough(0.03) {
            self.dice.note("lost", &format!("{from}>{to}"));
            self.clock.sleep(PERSISTENCE).await;
            return false;
        }
        let began = self.clock.moment();
        while self.state.lock().apart.contains(&(from.min(to), from.max(to))) {
            if self.clock.moment().since(began) > PERSISTENCE {
                return false;
            }
            self.clock.sleep(Duration::from_millis(100)).await;
        }
        true
    }
}

impl Packet {
    fn text(&self) -> String {
        let pairs = self
            .headers
            .iter()
            .map(|(name, value)| format!("{name}={} ", String::from_utf8_lossy(value.as_bytes())));
        let mut text: String = pairs.collect();
        text.push_str(&String::from_utf8_lossy(&self.body));
        text
    }
}
