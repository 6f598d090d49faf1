//! The desk for dead letters: list, show, edit, replay, discard, and who did what.

use ieum_core::Timestamp;
use ieum_store::{Insert, Row, StoreError, Transaction, Value};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::sql::{touch_head, write_outbox};
use crate::storage::Entry;
use crate::{Bus, BusError, Event};

/// The group under which stand the events that left the outbox and that the log refused for good. No
/// subscription can have this name.
pub const OUTBOX_GROUP: &str = "(outbox)";

/// An event that a group could not handle, or that the log would not take.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// The dead letter's own id.
    pub id: String,
    /// The topic.
    pub topic: String,
    /// The group that could not handle it; [`OUTBOX_GROUP`] where the log refused it.
    pub group: String,
    /// The event's key.
    pub key: String,
    /// The event's id; for a body that is no event, where it was found.
    pub event_id: String,
    /// The event's source; empty for a body that is no event.
    pub source: String,
    /// The event in CloudEvents JSON structured mode, or the body as it was found.
    pub body: String,
    /// The last fault's code, such as `invalid_argument`.
    pub code: String,
    /// The last fault's stable reason, such as `stock.sold_out`.
    pub reason: String,
    /// The last fault's message.
    pub message: String,
    /// How often it was handled, or sent, in all, replays included.
    pub attempts: u32,
    /// When it was handled first.
    pub first_at: Timestamp,
    /// When it was handled last.
    pub last_at: Timestamp,
    /// The sender's W3C trace position.
    pub traceparent: Option<String>,
    /// SHA-256 of `body` as it first failed, in hex.
    pub payload_hash: String,
    /// What became of it.
    pub state: DeadState,
}

/// What became of a dead letter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadState {
    /// Waits for a decision.
    Parked,
    /// A replay was asked.
    Replaying,
    /// The replay is in its group's lane.
    InLane,
    /// A replay was handled.
    Resolved,
    /// Somebody decided that it need not be handled.
    Discarded,
}

/// Which dead letters are wanted. An absent field wants all.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DeadFilter {
    /// Only of this topic.
    pub topic: Option<String>,
    /// Only of this group.
    pub group: Option<String>,
    /// Only with this reason.
    pub reason: Option<String>,
    /// Only in this state.
    pub state: Option<DeadState>,
    /// At most this many, the latest first; 0 is 100.
    pub limit: usize,
}

/// How many dead letters have one cause.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadCause {
    /// The topic.
    pub topic: String,
    /// The group.
    pub group: String,
    /// The fault's stable reason.
    pub reason: String,
    /// How many are parked.
    pub count: i64,
    /// When the latest failed.
    pub last_at: Timestamp,
}

/// Who did what to a dead letter.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadTrail {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// `edit`, `replay` or `discard`.
    pub action: String,
    /// For an edit the hash of the body before it; for a discard the reason given.
    pub detail: String,
}

/// The desk; see [`Bus::dead_letters`].
#[derive(Clone)]
pub struct DeadLetters {
    bus: Bus,
}

const COLUMNS: &str = "id, topic, group_name, lane_key, event_id, source, body, code, reason, message, attempts, \
                       first_at, last_at, traceparent, payload_hash, state";

impl DeadLetters {
    pub(crate) fn new(bus: Bus) -> Self {
        Self { bus }
    }

    /// Returns the dead letters that `filter` wants, the latest first.
    ///
    /// # Errors
    /// Fails where the store does.
    pub async fn list(&self, filter: &DeadFilter) -> Result<Vec<DeadLetter>, BusError> {
        let (condition, values) = filter.condition();
        let limit = if filter.limit == 0 { 100 } else { filter.limit };
        let sql = format!(
            "SELECT {COLUMNS} FROM ieum_bus_dead WHERE {condition} ORDER BY last_at DESC, id LIMIT {limit}"
        );
        let failed = || BusError::store("listing dead letters");
        let rows = self.bus.inner.store.fetch_all(&sql, &values).await.map_err(failed())?;
        rows.iter().map(read).collect::<Result<_, _>>().map_err(failed())
    }

    /// Returns how many parked dead letters there are by topic, group and reason, the most frequent first.
    ///
    /// # Errors
    /// Fails where the store does.
    pub async fn causes(&self) -> Result<Vec<DeadCause>, BusError> {
        let sql = "SELECT topic, group_name, reason, COUNT(*) AS letters, MAX(last_at) AS latest \
                   FROM ieum_bus_dead WHERE state = 'parked' GROUP BY topic, group_name, reason \
                   ORDER BY letters DESC, topic, group_name, reason";
        let failed = || BusError::store("grouping dead letters");
        let rows = self.bus.inner.store.fetch_all(sql, &[]).await.map_err(failed())?;
        let read = |row: &Row| -> Result<DeadCause, StoreError> {
            Ok(DeadCause {
                topic: row.text("topic")?,
                group: row.text("group_name")?,
                reason: row.text("reason")?,
                count: row.int("letters")?,
                last_at: row.timestamp("latest")?,
            })
        };
        rows.iter().map(read).collect::<Result<_, _>>().map_err(failed())
    }

    /// Returns one dead letter.
    ///
    /// # Errors
    /// [`BusError::NoDeadLetter`] where there is none under `id`.
    pub async fn show(&self, id: &str) -> Result<DeadLetter, BusError> {
        let failed = || BusError::store("reading a dead letter");
        let sql = format!("SELECT {COLUMNS} FROM ieum_bus_dead WHERE id = ?");
        let row = self.bus.inner.store.fetch_optional(&sql, &[id.into()]).await.map_err(failed())?;
        let row = row.ok_or_else(|| BusError::NoDeadLetter { id: id.to_owned() })?;
        read(&row).map_err(failed())
    }

    /// Returns who did what to a dead letter, the earliest first.
    ///
    /// # Errors
    /// Fails where the store does.
    pub async fn trail(&self, id: &str) -> Result<Vec<DeadTrail>, BusError> {
        let sql =
            "SELECT changed_at, who, action, detail FROM ieum_bus_dead_audit WHERE dead_id = ? ORDER BY id";
        let failed = || BusError::store("reading a dead letter's trail");
        let rows = self.bus.inner.store.fetch_all(sql, &[id.into()]).await.map_err(failed())?;
        let read = |row: &Row| -> Result<DeadTrail, StoreError> {
            Ok(DeadTrail {
                at: row.timestamp("changed_at")?,
                who: row.text("who")?,
                action: row.text("action")?,
                detail: row.text("detail")?,
            })
        };
        rows.iter().map(read).collect::<Result<_, _>>().map_err(failed())
    }

    /// Asks that the group handles the event again, ahead of what waits of its key. The group's members do
    /// so at their own pace; the inbox lets the effect happen once, however often this is asked. What the log
    /// had refused ([`OUTBOX_GROUP`]) is sent to it again.
    ///
    /// # Errors
    /// [`BusError::NotParked`] where it is replayed or decided already.
    pub async fn replay(&self, id: &str, who: &str) -> Result<(), BusError> {
        let failed = || BusError::store("asking for a replay");
        let letter = self.show(id).await?;
        // A log that refuses nothing does not look for what another log, used before, refused.
        let at_once = letter.group == OUTBOX_GROUP && !self.bus.refuses();
        let state = if at_once { "resolved" } else { "replaying" };
        let (mut tx, now) = self.change(id, state, "replayed").await?;
        if at_once {
            let refuse = |source| BusError::Event { topic: letter.topic.clone(), source };
            let event = letter.event().map_err(refuse)?;
            let entry = Entry::new(&letter.topic, &event).map_err(refuse)?;
            write_outbox(&mut tx, &entry, now).await.map_err(failed())?;
        }
        audit(&mut tx, id, now, who, ("replay", "")).await.map_err(failed())?;
        touch_head(&mut tx, 1).await.map_err(failed())?;
        tx.commit().await.map_err(failed())?;
        self.bus.wake();
        Ok(())
    }

    /// Asks for a replay of everything parked that `filter` wants; returns how many there were.
    ///
    /// # Errors
    /// Fails where the store does; some replays may then have been asked.
    pub async fn replay_all(&self, filter: &DeadFilter, who: &str) -> Result<usize, BusError> {
        let parked = DeadFilter { state: Some(DeadState::Parked), ..filter.clone() };
        let mut count = 0;
        for letter in self.list(&parked).await? {
            match self.replay(&letter.id, who).await {
                Ok(()) => count += 1,
                // Somebody else decided meanwhile.
                Err(BusError::NotParked { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(count)
    }

    /// Replaces the body of a parked dead letter.
    ///
    /// # Errors
    /// [`BusError::Event`] where `body` is no event, or names another `source` or `id` than the event had;
    /// [`BusError::NotParked`].
    pub async fn edit(&self, id: &str, body: &str, who: &str) -> Result<(), BusError> {
        let failed = || BusError::store("editing a dead letter");
        let letter = self.show(id).await?;
        let event = edited(&letter, body, self.bus.inner.clock.now())?;
        let (mut tx, now) = self.change(id, "parked", "edited").await?;
        let sql = "UPDATE ieum_bus_dead SET body = ?, event_id = ?, source = ?, lane_key = ? WHERE id = ?";
        let text = event.to_cloud_event_json();
        let values = [text.into(), event.id.into(), event.source.into(), event.key.into(), id.into()];
        tx.execute(sql, &values).await.map_err(failed())?;
        let before = hex::encode(Sha256::digest(letter.body.as_bytes()));
        audit(&mut tx, id, now, who, ("edit", &before)).await.map_err(failed())?;
        tx.commit().await.map_err(failed())
    }

    /// Decides that a parked dead letter need not be handled. It stays readable.
    ///
    /// # Errors
    /// [`BusError::NotParked`] where it is replayed or decided already.
    pub async fn discard(&self, id: &str, who: &str, why: &str) -> Result<(), BusError> {
        let failed = || BusError::store("discarding a dead letter");
        let (mut tx, now) = self.change(id, "discarded", "discarded").await?;
        audit(&mut tx, id, now, who, ("discard", why)).await.map_err(failed())?;
        tx.commit().await.map_err(failed())
    }

    /// Begins a transaction in which a parked dead letter has the new state.
    async fn change(
        &self,
        id: &str,
        state: &'static str,
        action: &'static str,
    ) -> Result<(Transaction, Timestamp), BusError> {
        let failed = || BusError::store("changing a dead letter");
        let now = self.bus.inner.clock.now();
        let mut tx = self.bus.inner.store.begin_write().await.map_err(failed())?;
        let sql = "UPDATE ieum_bus_dead SET state = ?, changed_at = ? WHERE id = ? AND state = 'parked'";
        let changed = tx.execute(sql, &[state.into(), now.into(), id.into()]).await.map_err(failed())?;
        if changed == 1 {
            return Ok((tx, now));
        }
        drop(tx);
        let state = format!("{:?}", self.show(id).await?.state).to_lowercase();
        Err(BusError::NotParked { id: id.to_owned(), state, action })
    }
}

fn edited(letter: &DeadLetter, body: &str, now: Timestamp) -> Result<Event, BusError> {
    let refuse = |source| BusError::Event { topic: letter.topic.clone(), source };
    let event = Event::from_cloud_event_json(body.as_bytes(), now).map_err(refuse)?;
    let was_event = !letter.source.is_empty();
    for (attribute, new, old) in
        [("id", &event.id, &letter.event_id), ("source", &event.source, &letter.source)]
    {
        if was_event && new != old {
            let problem = format!("is {new:?}; an edit keeps {old:?}");
            return Err(refuse(crate::EventError::invalid(attribute, problem)));
        }
    }
    Ok(event)
}

async fn audit(
    tx: &mut Transaction,
    id: &str,
    now: Timestamp,
    who: &str,
    (action, detail): (&'static str, &str),
) -> Result<(), StoreError> {
    let columns = ["dead_id", "changed_at", "who", "action", "detail"];
    let row = vec![id.into(), now.into(), who.into(), action.into(), detail.into()];
    Insert::into("ieum_bus_dead_audit").columns(columns).rows([row]).run_in(tx).await.map(drop)
}

fn read(row: &Row) -> Result<DeadLetter, StoreError> {
    Ok(DeadLetter {
        id: row.text("id")?,
        topic: row.text("topic")?,
        group: row.text("group_name")?,
        key: row.text("lane_key")?,
        event_id: row.text("event_id")?,
        source: row.text("source")?,
        body: row.text("body")?,
        code: row.text("code")?,
        reason: row.text("reason")?,
        message: row.text("message")?,
        attempts: u32::try_from(row.int("attempts")?).unwrap_or(u32::MAX),
        first_at: row.timestamp("first_at")?,
        last_at: row.timestamp("last_at")?,
        traceparent: row.opt_text("traceparent")?,
        payload_hash: row.text("payload_hash")?,
        state: DeadState::of(&row.text("state")?),
    })
}

// === DeadLetter ===

impl DeadLetter {
    /// Returns the event, or why the body is none.
    ///
    /// # Errors
    /// Names the attribute that is missing or wrong.
    pub fn event(&self) -> Result<Event, crate::EventError> {
        Event::from_cloud_event_json(self.body.as_bytes(), self.first_at)
    }
}

// === DeadState ===

impl DeadState {
    fn of(name: &str) -> Self {
        match name {
            "replaying" => Self::Replaying,
            "in_lane" => Self::InLane,
            "resolved" => Self::Resolved,
            "discarded" => Self::Discarded,
            _ => Self::Parked,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Parked => "parked",
            Self::Replaying => "replaying",
            Self::InLane => "in_lane",
            Self::Resolved => "resolved",
            Self::Discarded => "discarded",
        }
    }
}

// === DeadFilter ===

impl DeadFilter {
    fn condition(&self) -> (String, Vec<Value>) {
        let fields = [
            ("topic", self.topic.clone()),
            ("group_name", self.group.clone()),
            ("reason", self.reason.clone()),
            ("state", self.state.map(|state| state.name().to_owned())),
        ];
        let mut condition = "1 = 1".to_owned();
        let mut values = Vec::new();
        for (column, value) in fields {
            if let Some(value) = value {
                condition.push_str(&format!(" AND {column} = ?"));
                values.push(value.into());
            }
        }
        (condition, values)
    }
}
