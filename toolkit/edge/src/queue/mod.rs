//! What a device said and the broker has not acknowledged: in SQLite, synced before it counts as taken.
//!
//! The rule of what is given up: what is older than the longest age, whatever it is; and where there is no room, the
//! oldest telemetry, then the oldest events. What somebody said makes no room: the next message is refused instead.

mod error;
mod file;
mod heads;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ieum_core::SharedClock;
use parking_lot::Mutex;
use serde_json::{Map, Value as Json};

use crate::Kind;
pub use error::QueueError;
use file::{File, Kept};
pub use heads::Why;
use heads::{Head, Heads};

/// How much a queue holds.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    /// Bytes of all messages.
    pub bytes: usize,
    /// What is older is given up.
    pub age: Duration,
}

/// What a device said, durably, and what came back to it. Cloning shares it.
#[derive(Clone)]
pub struct Queue {
    inner: Arc<Inner>,
}

struct Inner {
    file: File,
    clock: SharedClock,
    limits: QueueLimits,
    /// The first half of every message's id.
    name: String,
    /// Held while something is taken, so that rows and heads have one order.
    taking: tokio::sync::Mutex<i64>,
    heads: Mutex<Heads>,
}

/// A message that is kept until the broker has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Its place in the order of all that the device ever said, from 1.
    pub number: i64,
    /// Its `messageId`: the queue's own name and the number.
    pub id: String,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self { bytes: 64 * 1024 * 1024, age: Duration::from_secs(86_400) }
    }
}

impl Queue {
    /// Opens the queue in `folder`, which is made where it is not there.
    ///
    /// # Errors
    /// A folder that cannot be used.
    pub async fn open(folder: &Path, limits: QueueLimits, clock: SharedClock) -> Result<Self, QueueError> {
        let file = File::open(folder).await?;
        let Kept { name, taken, heads } = file.kept().await?;
        let (taking, heads) = (tokio::sync::Mutex::new(taken), Mutex::new(heads));
        Ok(Self { inner: Arc::new(Inner { file, clock, limits, name, taking, heads }) })
    }

    /// Takes a message: a JSON object, which gets a `messageId` and a `timestamp` of its own. Returns once it is
    /// synced. Parts `together` may overtake each other, but nothing else.
    ///
    /// # Errors
    /// No room, or a file that does not do as it is asked; then nothing is kept.
    pub async fn take(
        &self,
        kind: Kind,
        mut body: Map<String, Json>,
        together: Option<&str>,
    ) -> Result<Taken, QueueError> {
        let inner = &*self.inner;
        let mut taken = inner.taking.lock().await;
        let number = *taken + 1;
        let at = inner.clock.now();
        let id = format!("{}-{number}", inner.name);
        body.insert("messageId".to_owned(), id.clone().into());
        body.insert("timestamp".to_owned(), at.as_millis().into());
        let payload = serde_json::to_vec(&Json::Object(body))
            .map_err(|source| QueueError::Json { kind: kind.name(), source })?;
        let size = payload.len();
        let given_up = inner.heads.lock().room_for(kind, size, inner.limits, at)?;
        let together = together.map(str::to_owned);
        let head = Head { position: number, kind, together, size, at, flying: false, again: false };
        inner.file.add(&head, payload, &given_up).await?;
        *taken = number;
        let mut heads = inner.heads.lock();
        heads.give_up(&given_up);
        heads.add(head);
        Ok(Taken { number, id })
    }

    /// Gives up what is too old.
    ///
    /// # Errors
    /// A file that does not do as it is asked.
    pub(crate) async fn expire(&self) -> Result<(), QueueError> {
        let old: Vec<(i64, Why)> = {
            let heads = self.inner.heads.lock();
            let old = heads.old(self.inner.clock.now(), self.inner.limits.age);
            old.iter().map(|head| (head.position, Why::Old)).collect()
        };
        self.inner.file.forget(&old).await?;
        self.inner.heads.lock().give_up(&old);
        Ok(())
    }

    /// Returns how many messages were given up since this was last asked, by kind and why.
    pub(crate) fn given_up(&self) -> HashMap<(Kind, Why), u64> {
        self.inner.heads.lock().given_up()
    }

    /// Returns the next message that may go out, and holds it as under way. While parts of one thing are under way only
    /// other parts of it may.
    pub(crate) fn next(&self) -> Option<Head> {
        self.inner.heads.lock().next()
    }

    /// Lets a message wait again, or all of them.
    pub(crate) fn land(&self, position: Option<i64>) {
        self.inner.heads.lock().land(position);
    }

    /// Returns what a message says, or nothing where it was given up.
    pub(crate) async fn payload(&self, position: i64) -> Result<Option<Vec<u8>>, QueueError> {
        self.inner.file.payload(position).await
    }

    /// Lets go of a message that the broker has, or will never take.
    pub(crate) async fn done(&self, position: i64) -> Result<(), QueueError> {
        self.inner.file.forget(&[(position, Why::Old)]).await?;
        self.inner.heads.lock().remove(position);
        Ok(())
    }

    /// Tells how many messages wait, and their bytes.
    pub fn waiting(&self) -> (usize, usize) {
        self.inner.heads.lock().waiting()
    }

    /// Tells whether a message that came was dealt with before.
    pub(crate) async fn was_heard(&self, id: &str) -> Result<bool, QueueError> {
        self.inner.file.was_heard(id).await
    }

    /// Notes that a message that came is dealt with.
    pub(crate) async fn heard(&self, id: &str) -> Result<(), QueueError> {
        self.inner.file.heard(id).await
    }

    /// Closes the file.
    pub async fn close(&self) {
        self.inner.file.close().await;
    }
}
