//! A consumer that writes down what it handled and fails as told.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use ieum_bus::{Consumer, Event};
use ieum_core::{Cx, Fault};
use ieum_store::{Insert, Transaction};
use parking_lot::Mutex;

type Verdict = Box<dyn Fn(&Event, u32) -> Result<(), Fault> + Send + Sync>;

/// Writes one effect per event, after which the verdict may still fail it.
pub struct Listener {
    group: &'static str,
    verdict: Verdict,
    calls: Mutex<HashMap<String, u32>>,
    contexts: Mutex<Vec<Cx>>,
}

impl Listener {
    pub fn new(group: &'static str) -> Arc<Self> {
        Self::failing(group, |_, _| Ok(()))
    }

    /// The verdict gets the event and how often it was handled before, successes included.
    pub fn failing(
        group: &'static str,
        verdict: impl Fn(&Event, u32) -> Result<(), Fault> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let verdict = Box::new(verdict);
        Arc::new(Self { group, verdict, calls: Mutex::default(), contexts: Mutex::default() })
    }

    pub fn calls_of(&self, event_id: &str) -> u32 {
        self.calls.lock().get(event_id).copied().unwrap_or(0)
    }

    pub fn contexts(&self) -> Vec<Cx> {
        self.contexts.lock().clone()
    }
}

#[async_trait]
impl Consumer for Listener {
    async fn handle(&self, cx: &Cx, event: &Event, tx: &mut Transaction) -> Result<(), Fault> {
        self.contexts.lock().push(cx.clone());
        let before = {
            let mut calls = self.calls.lock();
            let count = calls.entry(event.id.clone()).or_default();
            *count += 1;
            *count - 1
        };
        let row = vec![self.group.into(), event.id.as_str().into(), event.key.as_str().into()];
        Insert::into("effect").columns(["group_name", "event_id", "lane_key"]).rows([row]).run_in(tx).await?;
        (self.verdict)(event, before)
    }
}
