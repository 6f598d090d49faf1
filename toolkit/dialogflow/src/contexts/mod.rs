//! The contexts of sessions: how long they last, and where they are kept.

mod cached;
mod memory;
pub(crate) mod rules;

use async_trait::async_trait;
use ieum_core::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Context, SessionName};

pub use cached::CacheContexts;
pub use memory::MemoryContexts;

/// The most contexts of one session.
pub const MOST_CONTEXTS: usize = 100;

/// A context as it is kept.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// The context, with the turns it still has.
    #[serde(flatten)]
    pub context: Context,
    /// When it is forgotten whatever turns it has, microseconds since the Unix epoch.
    pub until_micros: i64,
}

/// Changes the contexts of a session; may run several times.
pub type Change<'a> = &'a (dyn Fn(Vec<Kept>) -> Vec<Kept> + Send + Sync);

/// Keeps the contexts of sessions.
#[async_trait]
pub trait ContextStore: Send + Sync + 'static {
    /// Returns what is kept of `session`, over-aged contexts perhaps included.
    ///
    /// # Errors
    /// A store that cannot be reached.
    async fn load(&self, session: &SessionName) -> Result<Vec<Kept>, Fault>;

    /// Puts what `change` makes of the contexts in their place, nobody between, and returns it.
    ///
    /// # Errors
    /// `dialogflow.too_many_contexts` above [`MOST_CONTEXTS`]; a store that cannot be reached.
    async fn change(&self, session: &SessionName, change: Change<'_>) -> Result<Vec<Kept>, Fault>;
}

impl Kept {
    /// Keeps `context` from `now` for as long as contexts last.
    pub fn from(context: Context, now: Timestamp) -> Self {
        Self { context, until_micros: (now + Context::LONGEST).as_micros() }
    }

    /// Returns whether the context is still there at `now`.
    pub fn is_there(&self, now: Timestamp) -> bool {
        self.context.lifespan > 0 && self.until_micros > now.as_micros()
    }
}

fn checked(kept: Vec<Kept>) -> Result<Vec<Kept>, Fault> {
    if kept.len() > MOST_CONTEXTS {
        let message = format!("a session would have more than {MOST_CONTEXTS} contexts; delete some first");
        return Err(Fault::resource_exhausted("dialogflow.too_many_contexts", message));
    }
    Ok(kept)
}
