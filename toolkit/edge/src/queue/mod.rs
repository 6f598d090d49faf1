//! What a device said and the broker has not acknowledged: in SQLite, synced before it counts as taken.
//!
//! The rule of what is given up: what is older than the longest age, whatever it is; and where there is no room, the
//! oldest telemetry, then the oldest events. What somebody said makes no room: the next message is refused instead.
//!
//! A disk that is full or fails ends nothing: what is said is refused, or held in memory where it can go out at once and
//! whoever says it is told so; and what the file should let go of is owed to it until it takes that.

mod error;
mod file;
mod heads;
mod owed;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{SharedClock, new_id};
use parking_lot::Mutex;
use serde_json::{Map, Value as Json};

use crate::Kind;
pub use error::{QueueError, full_disk};
use file::{File, Kept};
pub use heads::Why;
use heads::{Head, Heads};
pub(crate) use owed::News;
use owed::Owed;

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
    folder: PathBuf,
    clock: SharedClock,
    limits: QueueLimits,
    /// The first half of every message's id.
    name: String,
    /// Held while something is taken, so that rows and heads have one order.
    taking: tokio::sync::Mutex<i64>,
    heads: Mutex<Heads>,
    owed: Mutex<Owed>,
    /// Held while what is owed is written.
    settling: tokio::sync::Mutex<()>,
}

/// A message that goes out until the broker has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Its place in the order of all that the device ever said, from 1.
    pub number: i64,
    /// Its `messageId`: the queue's own name and the number, or one of its own where it is not kept.
    pub id: String,
    /// It is synced. What is not is held in memory, and lost where the process ends before the broker has it.
    pub kept: bool,
}

/// What a message says, where it is there.
pub(crate) enum Payload {
    Says(Vec<u8>),
    /// It was given up.
    Gone,
    /// It cannot be read now, which is told as news.
    Unread,
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
        let (taking, heads, owed) = (tokio::sync::Mutex::new(taken), Mutex::new(heads), Mutex::default());
        let (folder, settling) = (folder.to_owned(), tokio::sync::Mutex::default());
        let inner = Inner { file, folder, clock, limits, name, taking, heads, owed, settling };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Takes a message: a JSON object, which gets a `messageId` and a `timestamp` of its own. Returns once it is
    /// synced. Parts `together` may overtake each other, but nothing else.
    ///
    /// # Errors
    /// No room, or a file that does not do as it is asked; then nothing is kept.
    pub async fn take(
        &self,
        kind: Kind,
        body: Map<String, Json>,
        together: Option<&str>,
    ) -> Result<Taken, QueueError> {
        self.take_or_hold(kind, body, together, false).await
    }

    /// Takes a message as [`Self::take`] does, or where the disk takes nothing and it `may_be_held` holds it in memory.
    pub(crate) async fn take_or_hold(
        &self,
        kind: Kind,
        mut body: Map<String, Json>,
        together: Option<&str>,
        may_be_held: bool,
    ) -> Result<Taken, QueueError> {
        let inner = &*self.inner;
        let mut taken = inner.taking.lock().await;
        let number = *taken + 1;
        let at = inner.clock.now();
        let id = format!("{}-{number}", inner.name);
        body.insert("timestamp".to_owned(), at.as_millis().into());
        let payload = written(&mut body, &id, kind)?;
        let size = payload.len();
        let given_up = inner.heads.lock().room_for(kind, size, inner.limits, at)?;
        let together = together.map(str::to_owned);
        let head = Head { position: number, kind, together, size, at, flying: false, again: false };
        let taken_so = match inner.file.add(&head, payload, &given_up).await {
            Ok(()) => {
                {
                    let mut owed = inner.owed.lock();
                    owed.drop_held(&given_up);
                    // What is owed waits for the next sweep: it may fail, and this message is kept whatever it does.
                    owed.is_well();
                }
                let mut heads = inner.heads.lock();
                heads.give_up(&given_up);
                heads.add(head);
                Taken { number, id, kept: true }
            }
            Err(error) => self.hold(head, body, may_be_held, error)?,
        };
        *taken = number;
        Ok(taken_so)
    }

    /// Holds in memory what the disk did not take, where that may be.
    fn hold(
        &self,
        mut head: Head,
        mut body: Map<String, Json>,
        may_be: bool,
        error: QueueError,
    ) -> Result<Taken, QueueError> {
        let Some(problem) = error.of_the_disk(&self.inner.folder) else { return Err(error) };
        // One of its own: the number is given again where the process ends before the file knows of it.
        let id = new_id().to_string();
        let payload = written(&mut body, &id, head.kind)?;
        let (number, kind) = (head.position, head.kind.name());
        head.size = payload.len();
        let mut owed = self.inner.owed.lock();
        let is_held = may_be && owed.hold(number, payload);
        owed.fails(problem.clone(), !is_held);
        match error {
            _ if is_held => {
                self.inner.heads.lock().add(head);
                Ok(Taken { number, id, kept: false })
            }
            QueueError::Store(_, source) => Err(QueueError::Disk { kind, problem, source: Box::new(source) }),
            error => Err(error),
        }
    }

    /// Writes what is owed to the file, a part after the other, for as long as that takes it.
    ///
    /// # Errors
    /// A file that does not do as it is asked, unless the disk takes nothing.
    pub(crate) async fn settle(&self) -> Result<(), QueueError> {
        let inner = &*self.inner;
        let _settling = inner.settling.lock().await;
        loop {
            let (gone, heard) = {
                let owed = inner.owed.lock();
                if owed.is_nothing() {
                    return Ok(());
                }
                owed.next()
            };
            let written = inner.file.settle(&gone, &heard).await;
            let mut owed = inner.owed.lock();
            let Err(error) = written else {
                owed.is_written(&gone, &heard);
                owed.is_well();
                continue;
            };
            let Some(problem) = error.of_the_disk(&inner.folder) else { return Err(error) };
            owed.fails(problem, false);
            return Ok(());
        }
    }

    /// Returns what changed with the disk since this was last asked.
    pub(crate) fn news(&self) -> Option<News> {
        self.inner.owed.lock().news()
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
        self.let_go(&old).await?;
        self.inner.heads.lock().give_up(&old);
        Ok(())
    }

    /// Lets go of messages: at once in the file, or owed to it.
    async fn let_go(&self, gone: &[(i64, Why)]) -> Result<(), QueueError> {
        let is_owed = {
            let mut owed = self.inner.owed.lock();
            let gone = owed.drop_held(gone);
            owed.goes(&gone);
            !gone.is_empty()
        };
        if is_owed { self.settle_unless_in_trouble().await } else { Ok(()) }
    }

    /// Writes what is owed. While the disk takes nothing only a sweep asks it again, not each message that goes.
    async fn settle_unless_in_trouble(&self) -> Result<(), QueueError> {
        let is_in_trouble = self.inner.owed.lock().is_in_trouble();
        if is_in_trouble { Ok(()) } else { self.settle().await }
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

    /// Returns what a message says.
    ///
    /// # Errors
    /// A file that does not do as it is asked, unless it is the disk that does not let it be read.
    pub(crate) async fn payload(&self, position: i64) -> Result<Payload, QueueError> {
        let held = self.inner.owed.lock().held(position);
        if let Some(payload) = held {
            return Ok(Payload::Says(payload));
        }
        let read = self.inner.file.payload(position).await;
        let mut owed = self.inner.owed.lock();
        match read {
            Ok(payload) => {
                owed.is_read();
                Ok(payload.map_or(Payload::Gone, Payload::Says))
            }
            Err(error) => {
                let Some(problem) = error.of_the_disk(&self.inner.folder) else { return Err(error) };
                owed.is_unread(problem);
                Ok(Payload::Unread)
            }
        }
    }

    /// Lets go of a message that the broker has, or will never take.
    pub(crate) async fn done(&self, position: i64) -> Result<(), QueueError> {
        self.let_go(&[(position, Why::Old)]).await?;
        self.inner.heads.lock().remove(position);
        Ok(())
    }

    /// Tells how many messages wait, and their bytes.
    pub fn waiting(&self) -> (usize, usize) {
        self.inner.heads.lock().waiting()
    }

    /// Tells whether a message that came was dealt with before.
    pub(crate) async fn was_heard(&self, id: &str) -> Result<bool, QueueError> {
        Ok(self.inner.owed.lock().was_heard(id) || self.inner.file.was_heard(id).await?)
    }

    /// Notes that a message that came is dealt with.
    pub(crate) async fn heard(&self, id: &str) -> Result<(), QueueError> {
        self.inner.owed.lock().heard(id);
        self.settle_unless_in_trouble().await
    }

    /// Closes the file.
    pub async fn close(&self) {
        // What it still owes is done again after the next start, and is known again by its id.
        let _ = self.settle().await;
        self.inner.file.close().await;
    }
}

/// Writes a message under its id.
fn written(body: &mut Map<String, Json>, id: &str, kind: Kind) -> Result<Vec<u8>, QueueError> {
    body.insert("messageId".to_owned(), id.into());
    serde_json::to_vec(body).map_err(|source| QueueError::Json { kind: kind.name(), source })
}
