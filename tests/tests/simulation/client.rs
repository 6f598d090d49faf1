//! Clients outside every node: each wish is sent until it is granted, under one key and in one trace.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ieum_core::Cx;
use parking_lot::Mutex;

use crate::contract::{Cup, Front, FrontClient};
use crate::witness::Witness;

/// How many clients there are, and how many wishes each has.
pub const CLIENTS: usize = 3;
pub const WISHES: usize = 7;

/// What clients asked for and what they were told.
#[derive(Default)]
pub struct Ledger {
    /// Every wish that was ever sent, and its trace.
    pub wished: BTreeMap<String, String>,
    /// Placed cups and their numbers, as clients were told.
    pub placed: BTreeMap<String, u64>,
    /// Touched cups, each asked for once only.
    pub touched: BTreeMap<String, u64>,
    /// Visits that are known to be told, by their keys.
    pub visited: BTreeMap<String, ()>,
    pub finished: usize,
}

/// One client.
pub struct Client {
    pub number: usize,
    pub front: FrontClient,
    pub witness: Witness,
    pub ledger: Arc<Mutex<Ledger>>,
}

impl Client {
    /// Sends all wishes, one after the other.
    pub async fn run(self) {
        for number in 0..WISHES {
            let cup =
                Cup { id: format!("c{}-{number}", self.number), shelf: format!("s{}", self.number % 2) };
            match self.witness.dice.index(6) {
                0 => self.touch(cup).await,
                1 | 2 => self.visit(cup).await,
                _ => self.place(cup).await,
            }
            self.wait(1..1_500).await;
        }
        self.ledger.lock().finished += 1;
    }

    async fn wait(&self, millis: std::ops::Range<u64>) {
        let millis = self.witness.dice.within(millis);
        self.witness.clock.sleep(Duration::from_millis(millis)).await;
    }

    fn wish(&self, kind: &str, cup: &Cup) -> (String, Cx) {
        let name = format!("{kind}/{}", cup.id);
        let cx = Cx::root();
        self.ledger.lock().wished.insert(name.clone(), cx.trace().trace_id.to_string());
        (name, cx)
    }

    fn attempt(&self, cx: &Cx) -> Cx {
        let patience = self.witness.dice.within(300..2_500);
        cx.child().with_timeout(self.witness.clock.moment(), Duration::from_millis(patience))
    }

    /// Few give up: what they asked for may have happened or not, but once at most.
    fn gives_up(&self) -> bool {
        self.witness.dice.chance(0.03)
    }

    async fn place(&self, cup: Cup) {
        let (key, cx) = self.wish("place", &cup);
        let cx = cx.with_idempotency_key(&key);
        loop {
            match self.front.place(&self.attempt(&cx), cup.clone()).await {
                Ok(answer) => {
                    self.ledger.lock().placed.insert(cup.id, answer.number);
                    return;
                }
                Err(fault) => self.complain(&key, &fault),
            }
            if self.gives_up() {
                return;
            }
            self.wait(50..600).await;
        }
    }

    async fn visit(&self, cup: Cup) {
        let (key, cx) = self.wish("visit", &cup);
        let cx = cx.with_idempotency_key(&key);
        loop {
            let mut sure = 0;
            match self.front.visit(&self.attempt(&cx), cup.clone()).await {
                Ok(_) => sure = 1,
                Err(fault) => self.complain(&key, &fault),
            }
            if sure > 0 {
                self.ledger.lock().visited.insert(key.clone(), ());
                // A client that does not trust the answer tells it again.
                if !self.witness.dice.chance(0.2) {
                    return;
                }
            } else if self.gives_up() {
                return;
            }
            self.wait(50..600).await;
        }
    }

    async fn touch(&self, cup: Cup) {
        let (_, cx) = self.wish("touch", &cup);
        match self.front.touch(&self.attempt(&cx), cup.clone()).await {
            Ok(answer) => {
                self.ledger.lock().touched.insert(cup.id, answer.number);
            }
            Err(fault) => self.complain(&cup.id, &fault),
        }
    }

    /// What is in the way must pass with time, else the wish would never be granted.
    fn complain(&self, wish: &str, fault: &ieum_core::Fault) {
        self.witness.dice.note("told", &format!("{wish}: {fault}"));
        if !fault.is_retryable() {
            self.witness.problem(format!("{wish} was refused for good: {fault}"));
        }
    }
}
