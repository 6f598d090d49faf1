//! What a device said and the broker has not acknowledged: in SQLite, synced before it counts as taken.
//!
//! The rule of what is given up: what is older than the longest age, whatever it is; and where there is no room, the
//! oldest telemetry, then the oldest events. What somebody said makes no room: the next message is refused instead.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{SharedClock, Timestamp, new_id};
use ieum_store::{MigrationError, Store, StoreError, StoreOptions, Transaction, Value, migrate};
use parking_lot::Mutex;
use serde_json::{Map, Value as Json};

use crate::Kind;
use crate::schema::migrations;

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
    store: Store,
    clock: SharedClock,
    limits: QueueLimits,
    /// The first half of every message's id.
    name: String,
    /// Held while something is taken, so that rows and heads have one order.
    taking: tokio::sync::Mutex<i64>,
    heads: Mutex<Heads>,
}

/// All messages without what they say, in order.
#[derive(Default)]
struct Heads {
    waiting: VecDeque<Head>,
    bytes: usize,
    given_up: HashMap<(Kind, Why), u64>,
}

/// A message without what it says.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub position: i64,
    pub kind: Kind,
    /// What it is a part of; parts of one thing may overtake each other.
    pub together: Option<String>,
    pub size: usize,
    pub at: Timestamp,
    /// It went out on the connection that stands.
    pub flying: bool,
    /// It may have gone out before.
    pub again: bool,
}

/// Why a message was given up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Why {
    /// It was too old.
    Old,
    /// Something newer needed the room.
    Room,
}

/// A message that is kept until the broker has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Its place in the order of all that the device ever said, from 1.
    pub number: i64,
    /// Its `messageId`: the queue's own name and the number.
    pub id: String,
}

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// There is no room, and nothing that may be given up.
    #[error(
        "keeping a message of kind {kind}: the queue holds {held} of {most} bytes and nothing may be given up for it; \
         connect the device, or raise agent.keep_bytes"
    )]
    Full {
        /// The kind.
        kind: &'static str,
        /// Bytes held.
        held: usize,
        /// Bytes that may be.
        most: usize,
    },
    /// What is to be said is no JSON object, or cannot be written.
    #[error("writing a message of kind {kind} as JSON")]
    Json {
        /// The kind.
        kind: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The file cannot be opened.
    #[error("opening the queue in {folder}; the folder must be this device's own and writable")]
    Open {
        /// The folder.
        folder: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file does not do as it is asked.
    #[error("{0} the device's queue")]
    Store(&'static str, #[source] StoreError),
}

/// How many messages that came are remembered, to know them again.
const HEARD: i64 = 1_000;

impl Default for QueueLimits {
    fn default() -> Self {
        Self { bytes: 64 * 1024 * 1024, age: Duration::from_secs(86_400) }
    }
}

fn failed(action: &'static str) -> impl Fn(StoreError) -> QueueError {
    move |error| QueueError::Store(action, error)
}

impl Queue {
    /// Opens the queue in `folder`, which is made where it is not there.
    ///
    /// # Errors
    /// A folder that cannot be used.
    pub async fn open(folder: &Path, limits: QueueLimits, clock: SharedClock) -> Result<Self, QueueError> {
        let shown = folder.display().to_string();
        let unopened = |source: Box<dyn std::error::Error + Send + Sync>| QueueError::Open {
            folder: shown.clone(),
            source,
        };
        let url = format!("sqlite:{}", folder.join("queue.db").display());
        let options = StoreOptions { pool_size: 2, ..StoreOptions::default() };
        let store = Store::open(&url, &options).await.map_err(|error| unopened(Box::new(error)))?;
        let migrated: Result<_, MigrationError> = migrate(&store, &migrations(), |_| {}).await;
        migrated.map_err(|error| unopened(Box::new(error)))?;
        Self::over(store, limits, clock).await
    }

    async fn over(store: Store, limits: QueueLimits, clock: SharedClock) -> Result<Self, QueueError> {
        let sql = "INSERT INTO ieum_edge_self (id, name, taken) VALUES (1, ?, 0) ON CONFLICT (id) DO NOTHING";
        store.execute(sql, &[new_id().to_string().into()]).await.map_err(failed("naming"))?;
        let row = store.fetch_one("SELECT name, taken FROM ieum_edge_self WHERE id = 1", &[]).await;
        let row = row.map_err(failed("reading"))?;
        let name = row.text("name").map_err(failed("reading"))?;
        let taken = row.int("taken").map_err(failed("reading"))?;
        let sql = "SELECT position, kind, together, LENGTH(payload) AS size, at FROM ieum_edge_message ORDER BY position";
        let mut heads = Heads::default();
        for row in store.fetch_all(sql, &[]).await.map_err(failed("reading"))? {
            let head = head_of(&row).map_err(failed("reading"))?;
            heads.bytes += head.size;
            heads.waiting.push_back(head);
        }
        let inner = Inner {
            store,
            clock,
            limits,
            name,
            taking: tokio::sync::Mutex::new(taken),
            heads: Mutex::new(heads),
        };
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
        let given_up = self.room_for(kind, size, at)?;
        let row: [Value; 5] = [
            number.into(),
            kind.name().into(),
            together.map(str::to_owned).into(),
            payload.into(),
            at.into(),
        ];
        let write = async {
            let mut transaction = inner.store.begin_write().await?;
            remove(&mut transaction, &given_up).await?;
            let sql = "INSERT INTO ieum_edge_message (position, kind, together, payload, at) VALUES (?, ?, ?, ?, ?)";
            transaction.execute(sql, &row).await?;
            let sql = "UPDATE ieum_edge_self SET taken = ? WHERE id = 1";
            transaction.execute(sql, &[number.into()]).await?;
            transaction.commit().await
        };
        write.await.map_err(failed("writing"))?;
        *taken = number;
        let together = together.map(str::to_owned);
        let mut heads = inner.heads.lock();
        heads.give_up(&given_up);
        heads.bytes += size;
        heads.waiting.push_back(Head {
            position: number,
            kind,
            together,
            size,
            at,
            flying: false,
            again: false,
        });
        Ok(Taken { number, id })
    }

    /// Returns what goes for a message of `size` bytes, with why.
    fn room_for(&self, kind: Kind, size: usize, now: Timestamp) -> Result<Vec<(i64, Why)>, QueueError> {
        let QueueLimits { bytes: most, age } = self.inner.limits;
        let heads = self.inner.heads.lock();
        let mut held = heads.bytes;
        let mut gone = heads.old(now, age);
        held -= gone.iter().map(|head| head.size).sum::<usize>();
        let mut goes: Vec<(i64, Why)> = gone.drain(..).map(|head| (head.position, Why::Old)).collect();
        for place in 0..=1 {
            let here = |head: &&Head| head.kind.makes_room() == Some(place) && !head.flying;
            for head in heads.waiting.iter().filter(here) {
                if held + size <= most {
                    break;
                }
                if goes.iter().all(|(position, _)| *position != head.position) {
                    held -= head.size;
                    goes.push((head.position, Why::Room));
                }
            }
        }
        if held + size > most {
            return Err(QueueError::Full { kind: kind.name(), held: heads.bytes, most });
        }
        Ok(goes)
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
        self.forget(&old).await?;
        self.inner.heads.lock().give_up(&old);
        Ok(())
    }

    /// Returns how many messages were given up since this was last asked, by kind and why.
    pub(crate) fn given_up(&self) -> HashMap<(Kind, Why), u64> {
        std::mem::take(&mut self.inner.heads.lock().given_up)
    }

    /// Returns the next message that may go out, and holds it as under way. While parts of one thing are under way only
    /// other parts of it may.
    pub(crate) fn next(&self) -> Option<Head> {
        let mut heads = self.inner.heads.lock();
        let next = heads.waiting.iter().position(|head| !head.flying)?;
        let head = &heads.waiting[next];
        let fits = |other: &Head| head.together.is_some() && other.together == head.together;
        if !heads.waiting.iter().filter(|other| other.flying).all(fits) {
            return None;
        }
        let head = &mut heads.waiting[next];
        let taken = head.clone();
        head.flying = true;
        head.again = true;
        Some(taken)
    }

    /// Lets a message wait again, or all of them.
    pub(crate) fn land(&self, position: Option<i64>) {
        for head in &mut self.inner.heads.lock().waiting {
            if position.is_none_or(|position| position == head.position) {
                head.flying = false;
            }
        }
    }

    /// Returns what a message says, or nothing where it was given up.
    pub(crate) async fn payload(&self, position: i64) -> Result<Option<Vec<u8>>, QueueError> {
        let sql = "SELECT payload FROM ieum_edge_message WHERE position = ?";
        let row =
            self.inner.store.fetch_optional(sql, &[position.into()]).await.map_err(failed("reading"))?;
        row.map(|row| row.bytes("payload")).transpose().map_err(failed("reading"))
    }

    /// Lets go of a message that the broker has, or will never take.
    pub(crate) async fn done(&self, position: i64) -> Result<(), QueueError> {
        self.forget(&[(position, Why::Old)]).await?;
        let mut heads = self.inner.heads.lock();
        if let Some(at) = heads.waiting.iter().position(|head| head.position == position)
            && let Some(head) = heads.waiting.remove(at)
        {
            heads.bytes -= head.size;
        }
        Ok(())
    }

    async fn forget(&self, gone: &[(i64, Why)]) -> Result<(), QueueError> {
        if gone.is_empty() {
            return Ok(());
        }
        let write = async {
            let mut transaction = self.inner.store.begin_write().await?;
            remove(&mut transaction, gone).await?;
            transaction.commit().await
        };
        write.await.map_err(failed("shortening"))
    }

    /// Tells how many messages wait, and their bytes.
    pub fn waiting(&self) -> (usize, usize) {
        let heads = self.inner.heads.lock();
        (heads.waiting.len(), heads.bytes)
    }

    /// Tells whether a message that came was dealt with before.
    pub(crate) async fn was_heard(&self, id: &str) -> Result<bool, QueueError> {
        let sql = "SELECT number FROM ieum_edge_heard WHERE message = ?";
        let row = self.inner.store.fetch_optional(sql, &[id.into()]).await.map_err(failed("reading"))?;
        Ok(row.is_some())
    }

    /// Notes that a message that came is dealt with.
    pub(crate) async fn heard(&self, id: &str) -> Result<(), QueueError> {
        let write = async {
            let mut transaction = self.inner.store.begin_write().await?;
            let sql = "INSERT INTO ieum_edge_heard (message) VALUES (?) ON CONFLICT (message) DO NOTHING";
            transaction.execute(sql, &[id.into()]).await?;
            let sql =
                "DELETE FROM ieum_edge_heard WHERE number <= (SELECT MAX(number) FROM ieum_edge_heard) - ?";
            transaction.execute(sql, &[HEARD.into()]).await?;
            transaction.commit().await
        };
        write.await.map_err(failed("writing"))
    }

    /// Closes the file.
    pub async fn close(&self) {
        self.inner.store.close().await;
    }
}

impl Heads {
    fn old(&self, now: Timestamp, age: Duration) -> Vec<Head> {
        let old = |head: &&Head| !head.flying && now.since(head.at) > age;
        self.waiting.iter().filter(old).cloned().collect()
    }

    fn give_up(&mut self, gone: &[(i64, Why)]) {
        for (position, why) in gone {
            let Some(at) = self.waiting.iter().position(|head| head.position == *position) else { continue };
            if let Some(head) = self.waiting.remove(at) {
                self.bytes -= head.size;
                *self.given_up.entry((head.kind, *why)).or_default() += 1;
            }
        }
    }
}

async fn remove(transaction: &mut Transaction, gone: &[(i64, Why)]) -> Result<(), StoreError> {
    for (position, _) in gone {
        let sql = "DELETE FROM ieum_edge_message WHERE position = ?";
        transaction.execute(sql, &[(*position).into()]).await?;
    }
    Ok(())
}

fn head_of(row: &ieum_store::Row) -> Result<Head, StoreError> {
    Ok(Head {
        position: row.int("position")?,
        kind: Kind::of(&row.text("kind")?).unwrap_or(Kind::Event),
        together: row.opt_text("together")?,
        size: usize::try_from(row.int("size")?).unwrap_or_default(),
        at: row.timestamp("at")?,
        flying: false,
        // It may have gone out before the process ended.
        again: true,
    })
}

#[cfg(test)]
mod tests {
    use ieum_core::ManualClock;
    use serde_json::json;

    use super::*;

    fn body(text: &str) -> Map<String, Json> {
        json!({ "text": text }).as_object().cloned().expect("is an object")
    }

    async fn queue(folder: &Path, bytes: usize, clock: &ManualClock) -> Queue {
        let limits = QueueLimits { bytes, age: Duration::from_secs(60) };
        Queue::open(folder, limits, clock.shared()).await.expect("opens")
    }

    fn clock() -> ManualClock {
        ManualClock::at(Timestamp::from_seconds(1_800_000_000))
    }

    #[tokio::test]
    async fn a_full_queue_gives_up_telemetry_then_events_and_never_what_was_said() {
        let (folder, clock) = (tempfile::tempdir().expect("a folder"), clock());
        let queue = queue(folder.path(), 450, &clock).await;
        for kind in [Kind::Event, Kind::Telemetry, Kind::Text, Kind::Text] {
            queue.take(kind, body("x"), None).await.expect("has room");
        }
        assert!(queue.waiting().1 <= 450 && queue.waiting().1 > 350, "{:?}", queue.waiting());
        queue.take(Kind::Text, body("x"), None).await.expect("telemetry makes room");
        assert_eq!(queue.given_up(), HashMap::from([((Kind::Telemetry, Why::Room), 1)]));
        queue.take(Kind::Text, body("x"), None).await.expect("an event makes room");
        assert_eq!(queue.given_up(), HashMap::from([((Kind::Event, Why::Room), 1)]));
        let refused = queue.take(Kind::Telemetry, body("x"), None).await.expect_err("has no room");
        assert!(refused.to_string().starts_with("keeping a message of kind telemetry"), "{refused}");
        assert_eq!(queue.waiting().0, 4, "nothing that was said is gone");
    }

    #[tokio::test]
    async fn numbers_go_on_after_a_restart_and_what_is_old_is_given_up() {
        let (folder, clock) = (tempfile::tempdir().expect("a folder"), clock());
        let first = queue(folder.path(), 10_000, &clock).await;
        let one = first.take(Kind::Text, body("one"), None).await.expect("has room");
        let two = first.take(Kind::Text, body("two"), None).await.expect("has room");
        first.done(two.number).await.expect("is written");
        first.close().await;
        let second = queue(folder.path(), 10_000, &clock).await;
        let three = second.take(Kind::Text, body("three"), None).await.expect("has room");
        assert_eq!((one.number, three.number), (1, 3));
        assert_eq!(
            one.id.rsplit_once('-').map(|(name, _)| name),
            three.id.rsplit_once('-').map(|(name, _)| name)
        );
        let next = second.next().expect("waits");
        assert_eq!((next.position, next.again), (1, true));
        assert!(second.next().is_none(), "one after the other");
        second.land(None);
        clock.advance(Duration::from_secs(61));
        second.expire().await.expect("is written");
        assert_eq!((second.waiting(), second.given_up().len()), ((0, 0), 1));
    }

    #[tokio::test]
    async fn parts_of_one_recording_go_at_once_and_nothing_overtakes_them() {
        let (folder, clock) = (tempfile::tempdir().expect("a folder"), clock());
        let queue = queue(folder.path(), 10_000, &clock).await;
        for together in [Some("a"), Some("a"), None, Some("b")] {
            queue.take(Kind::Audio, body("x"), together).await.expect("has room");
        }
        let mut flying = Vec::new();
        while let Some(head) = queue.next() {
            flying.push(head.position);
        }
        assert_eq!(flying, [1, 2]);
        queue.done(1).await.expect("is written");
        assert!(queue.next().is_none(), "the second part is still under way");
        queue.done(2).await.expect("is written");
        assert_eq!(queue.next().map(|head| head.position), Some(3));
        assert!(queue.next().is_none());
    }
}
