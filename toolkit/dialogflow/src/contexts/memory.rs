//! Contexts in this process's memory.

use std::collections::HashMap;

use async_trait::async_trait;
use ieum_core::{Fault, SharedClock};
use parking_lot::Mutex;

use super::rules::alive;
use super::{Change, ContextStore, Kept, checked};
use crate::SessionName;

/// After how many changes sessions that are over are swept out.
const SWEEP: usize = 1_024;

/// Keeps contexts in memory: they are gone with the process.
pub struct MemoryContexts {
    clock: SharedClock,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    sessions: HashMap<SessionName, Vec<Kept>>,
    changes: usize,
}

impl MemoryContexts {
    /// Makes an empty store.
    pub fn new(clock: SharedClock) -> Self {
        Self { clock, inner: Mutex::default() }
    }
}

#[async_trait]
impl ContextStore for MemoryContexts {
    async fn load(&self, session: &SessionName) -> Result<Vec<Kept>, Fault> {
        Ok(self.inner.lock().sessions.get(session).cloned().unwrap_or_default())
    }

    async fn change(&self, session: &SessionName, change: Change<'_>) -> Result<Vec<Kept>, Fault> {
        let now = self.clock.now();
        let mut inner = self.inner.lock();
        let kept = checked(change(inner.sessions.get(session).cloned().unwrap_or_default()))?;
        if kept.is_empty() {
            inner.sessions.remove(session);
        } else {
            inner.sessions.insert(session.clone(), kept.clone());
        }
        inner.changes += 1;
        if inner.changes.is_multiple_of(SWEEP) {
            inner.sessions.retain(|_, kept| !alive(kept.clone(), now).is_empty());
        }
        Ok(kept)
    }
}
