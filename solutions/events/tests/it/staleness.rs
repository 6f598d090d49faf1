//! How long after pretix accepted a scan the hub's number holds it, by looking into the hub's tables all the
//! time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Clock, SystemClock, Timestamp};
use ieum_store::{Store, StoreOptions};
use parking_lot::Mutex;
use tokio::task::JoinHandle;

/// How long to pause between two looks. No sample is more exact than this.
const PAUSE: Duration = Duration::from_millis(20);

/// A scan that the hub does not hold yet.
struct Waiting {
    scan: i64,
    event_id: &'static str,
    accepted: Timestamp,
}

#[derive(Default)]
struct Seen {
    waiting: Vec<Waiting>,
    samples: Vec<Duration>,
}

/// Measures until it is dropped.
pub struct Staleness {
    seen: Arc<Mutex<Seen>>,
    watching: JoinHandle<()>,
}

impl Staleness {
    /// Begins to look into the hub's tables at `url`.
    pub async fn start(url: &str) -> Self {
        let store = Store::open(url, &StoreOptions::default()).await.expect("opens the hub's tables");
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let shared = seen.clone();
        let watching = tokio::spawn(async move {
            loop {
                look(&store, &shared).await;
                SystemClock.sleep(PAUSE).await;
            }
        });
        Self { seen, watching }
    }

    /// A scan was accepted, at `accepted` by pretix's clock, which is this machine's.
    pub fn accepted(&self, event_id: &'static str, scan: i64, accepted: Timestamp) {
        self.seen.lock().waiting.push(Waiting { scan, event_id, accepted });
    }

    /// A scan was taken back; where the hub never held it, there is nothing to measure.
    pub fn annulled(&self, scan: i64) {
        self.seen.lock().waiting.retain(|waiting| waiting.scan != scan);
    }

    /// Returns how many samples there are, their median and the largest, and how many scans still wait.
    pub fn summary(&self) -> (usize, Duration, Duration, usize) {
        let seen = self.seen.lock();
        let mut samples = seen.samples.clone();
        samples.sort_unstable();
        let median = samples.get(samples.len() / 2).copied().unwrap_or_default();
        (samples.len(), median, samples.last().copied().unwrap_or_default(), seen.waiting.len())
    }
}

impl Drop for Staleness {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

async fn look(store: &Store, seen: &Mutex<Seen>) {
    let mut events: Vec<&'static str> = seen.lock().waiting.iter().map(|waiting| waiting.event_id).collect();
    events.sort_unstable();
    events.dedup();
    for event_id in events {
        // Busy tables are looked at again in a moment.
        let Ok(Some(held)) = held(store, event_id).await else { continue };
        let now = SystemClock.now();
        let mut seen = seen.lock();
        let (done, waiting) = std::mem::take(&mut seen.waiting)
            .into_iter()
            .partition(|waiting| waiting.event_id == event_id && held.contains(&waiting.scan));
        seen.waiting = waiting;
        let done: Vec<Waiting> = done;
        seen.samples.extend(done.iter().map(|waiting| now.since(waiting.accepted)));
    }
}

/// Returns the scans that the hub's number holds: those in its tables, where the state shown counts them all.
async fn held(store: &Store, event_id: &str) -> Result<Option<Vec<i64>>, ieum_store::StoreError> {
    let mut tx = store.begin_read().await?;
    let scans = "SELECT checkin_id FROM ieum_events_checkin WHERE event_id = ?";
    let scans = tx.fetch_all(scans, &[event_id.into()]).await?;
    let counted = "SELECT COUNT(c.entered) AS came, COUNT(CASE WHEN c.entered IS NOT NULL AND (c.left_at IS NULL \
                   OR c.left_at < c.entered) THEN 1 END) AS inside FROM ieum_events_order_position p \
                   LEFT JOIN (SELECT position_id, MAX(CASE WHEN is_exit = 0 THEN scanned_at END) AS entered, \
                   MAX(CASE WHEN is_exit = 1 THEN scanned_at END) AS left_at FROM ieum_events_checkin k \
                   JOIN ieum_events_cursor r ON r.event_id = k.event_id AND k.list_id = \
                   json_extract(r.profile, '$.list_id') WHERE k.event_id = ? GROUP BY position_id) c \
                   ON c.position_id = p.position_id \
                   WHERE p.event_id = ? AND p.canceled = 0 AND p.order_status = 'p'";
    let counted = tx.fetch_one(counted, &[event_id.into(), event_id.into()]).await?;
    let shown = "SELECT data FROM ieum_events_state WHERE event_id = ?";
    let shown = tx.fetch_optional(shown, &[event_id.into()]).await?;
    tx.rollback().await?;
    let Some(shown) = shown else { return Ok(None) };
    let shown: serde_json::Value = serde_json::from_str(&shown.text("data")?).expect("a state is JSON");
    let metrics = &shown["metrics"];
    let same = metrics["checkedIn"].as_i64() == Some(counted.int("came")?)
        && metrics["currentAttendees"].as_i64() == Some(counted.int("inside")?);
    let ids = scans.iter().map(|row| row.int("checkin_id")).collect::<Result<_, _>>()?;
    Ok(same.then_some(ids))
}

/// How long after pretalx released a change the hub's programme holds it. Measures until it is dropped.
pub struct ProgrammeStaleness {
    seen: Arc<Mutex<Releases>>,
    watching: JoinHandle<()>,
}

#[derive(Default)]
struct Releases {
    /// By talk: when it begins, `None` where it was taken out, and when that was released.
    waiting: BTreeMap<String, (Option<Timestamp>, Timestamp)>,
    samples: Vec<Duration>,
}

impl ProgrammeStaleness {
    /// Begins to look into the hub's tables at `url`.
    pub async fn start(url: &str) -> Self {
        let store = Store::open(url, &StoreOptions::default()).await.expect("opens the hub's tables");
        let seen: Arc<Mutex<Releases>> = Arc::default();
        let shared = seen.clone();
        let watching = tokio::spawn(async move {
            loop {
                look_at_programme(&store, &shared).await;
                SystemClock.sleep(PAUSE).await;
            }
        });
        Self { seen, watching }
    }

    /// A talk was placed or taken out, and that was released just now. What waited of it is overtaken.
    pub fn released(&self, code: &str, begins_at: Option<Timestamp>) {
        self.seen.lock().waiting.insert(code.to_owned(), (begins_at, SystemClock.now()));
    }

    /// Returns how many samples there are, the largest, and how many talks still wait.
    pub fn summary(&self) -> (usize, Duration, usize) {
        let seen = self.seen.lock();
        (seen.samples.len(), seen.samples.iter().max().copied().unwrap_or_default(), seen.waiting.len())
    }
}

impl Drop for ProgrammeStaleness {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

async fn look_at_programme(store: &Store, seen: &Mutex<Releases>) {
    if seen.lock().waiting.is_empty() {
        return;
    }
    let sql = "SELECT slot_id, begins_at FROM ieum_events_slot WHERE gone_at IS NULL AND cancelled = 0";
    // Busy tables are looked at again in a moment.
    let Ok(rows) = store.fetch_all(sql, &[]).await else { return };
    let slot = |row: &ieum_store::Row| Some((row.text("slot_id").ok()?, row.int("begins_at").ok()?));
    let slots: BTreeMap<String, i64> = rows.iter().filter_map(slot).collect();
    let now = SystemClock.now();
    let Releases { waiting, samples } = &mut *seen.lock();
    waiting.retain(|code, (begins_at, released)| {
        let waits = slots.get(code).copied() != begins_at.map(Timestamp::as_micros);
        if !waits {
            samples.push(now.since(*released));
        }
        waits
    });
}
