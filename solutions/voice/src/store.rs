//! The queries about turns, what is to be sent to devices, and things.

use std::sync::Arc;
use std::time::Duration;

use ieum_contracts::voice::{DialogAnswer, RecordTurn};
use ieum_core::{Fault, SharedClock, Timestamp};
use ieum_store::{Insert, Store, Transaction, Value};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// How long an answer is known again when its turn comes twice.
const KEEP: Duration = Duration::from_secs(86_400);

/// Keeps turns, replies and things.
#[derive(Clone)]
pub struct VoiceStore {
    pub sql: Store,
}

/// Something that is to be sent to a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// Tells messages apart; the device sees it as `messageId`.
    pub id: String,
    /// Which device.
    pub device: String,
    /// What it is: `DIALOG_RESPONSE`, `DEVICE_COMMAND`, `DIALOG_ERROR`.
    pub kind: &'static str,
    /// What is told.
    pub payload: serde_json::Value,
}

/// What a turn led to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Known {
    pub answer: DialogAnswer,
    /// What its session is to remember; none for a turn that belongs to none.
    pub record: Option<RecordTurn>,
    /// What was said.
    #[serde(default)]
    pub said: String,
    /// The device that it was said to.
    #[serde(default)]
    pub device_id: Option<String>,
}

/// A reply as it waits.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    pub position: i64,
    pub id: String,
    pub device: String,
    pub kind: String,
    pub payload: serde_json::Value,
    pub at: Timestamp,
}

/// A thing that a device controls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thing {
    /// The device that controls it.
    pub device: String,
    /// Its id, as the device named it.
    pub id: String,
    /// How people call it.
    pub name: String,
    /// Where it is.
    pub area: Option<String>,
}

impl VoiceStore {
    /// Returns what a turn led to before.
    pub async fn known(&self, key: &str) -> Result<Option<Known>, Fault> {
        let sql = "SELECT answer FROM ieum_voice_turn WHERE id = ?";
        let Some(row) = self.sql.fetch_optional(sql, &[key.into()]).await? else { return Ok(None) };
        let lost = |error| Fault::data_loss("voice.turn", format!("reading the answer of a turn: {error}"));
        serde_json::from_str(&row.text("answer")?).map(Some).map_err(lost)
    }

    /// Returns the latest turns with when they were, the latest first.
    pub async fn latest(&self, most: u32) -> Result<Vec<(Known, Timestamp)>, Fault> {
        let sql = format!("SELECT answer, at FROM ieum_voice_turn ORDER BY at DESC, id LIMIT {most}");
        let rows = self.sql.fetch_all(&sql, &[]).await?;
        let mut turns = Vec::with_capacity(rows.len());
        for row in &rows {
            // What an older version wrote and this one cannot read is no reason to show nothing.
            if let Ok(known) = serde_json::from_str(&row.text("answer")?) {
                turns.push((known, row.timestamp("at")?));
            }
        }
        Ok(turns)
    }

    /// Returns what waits to be sent, the oldest first.
    pub async fn waiting(&self, most: usize) -> Result<Vec<Waiting>, Fault> {
        let sql = format!(
            "SELECT position, id, device, kind, payload, at FROM ieum_voice_reply WHERE sent = 0 \
             ORDER BY position LIMIT {most}"
        );
        let rows = self.sql.fetch_all(&sql, &[]).await?;
        let read = |row: &ieum_store::Row| {
            Ok(Waiting {
                position: row.int("position")?,
                id: row.text("id")?,
                device: row.text("device")?,
                kind: row.text("kind")?,
                payload: row.json("payload")?,
                at: row.timestamp("at")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Notes that these were sent.
    pub async fn sent(&self, positions: &[i64]) -> Result<(), Fault> {
        if positions.is_empty() {
            return Ok(());
        }
        let holes = vec!["?"; positions.len()].join(", ");
        let sql = format!("UPDATE ieum_voice_reply SET sent = 1 WHERE position IN ({holes})");
        let values: Vec<Value> = positions.iter().map(|position| (*position).into()).collect();
        self.sql.execute(&sql, &values).await?;
        Ok(())
    }

    /// Returns the things of a person.
    pub async fn things(&self, user: &str) -> Result<Vec<Thing>, Fault> {
        let sql = "SELECT device, id, name, area FROM ieum_voice_thing WHERE user_id = ? ORDER BY device, id LIMIT 500";
        let read = |row: &ieum_store::Row| {
            Ok(Thing {
                device: row.text("device")?,
                id: row.text("id")?,
                name: row.text("name")?,
                area: row.opt_text("area")?,
            })
        };
        self.sql.fetch_all(sql, &[user.into()]).await?.iter().map(read).collect()
    }

    /// Lets go of what nobody asks for again; what is not sent stays.
    pub async fn purge(&self, now: Timestamp) -> Result<(), Fault> {
        let before = now - KEEP;
        for sql in [
            "DELETE FROM ieum_voice_turn WHERE at < ?",
            "DELETE FROM ieum_voice_reply WHERE sent = 1 AND at < ?",
            "DELETE FROM ieum_voice_chunk WHERE at < ?",
        ] {
            self.sql.execute(sql, &[before.into()]).await?;
        }
        Ok(())
    }
}

/// Keeps the answer of a turn; returns false where the turn has one already.
pub async fn keep_answer(
    tx: &mut Transaction,
    key: &str,
    known: &Known,
    now: Timestamp,
) -> Result<bool, Fault> {
    let text = json(known)?;
    let row: Vec<Value> = vec![key.into(), text.into(), now.into()];
    let insert = Insert::into("ieum_voice_turn").columns(["id", "answer", "at"]).rows([row]);
    Ok(insert.or_ignore(["id"]).run_in(tx).await? > 0)
}

/// Puts messages into the queue to devices; one that is known by its id stays as it is.
pub async fn queue(tx: &mut Transaction, replies: &[Reply], now: Timestamp) -> Result<(), Fault> {
    let mut rows = Vec::with_capacity(replies.len());
    for reply in replies {
        let row: Vec<Value> = vec![
            reply.id.as_str().into(),
            reply.device.as_str().into(),
            reply.kind.into(),
            json(&reply.payload)?.into(),
            0_i64.into(),
            now.into(),
        ];
        rows.push(row);
    }
    if !rows.is_empty() {
        let columns = ["id", "device", "kind", "payload", "sent", "at"];
        Insert::into("ieum_voice_reply").columns(columns).rows(rows).or_ignore(["id"]).run_in(tx).await?;
    }
    Ok(())
}

/// Tells the sender that something waits, where the commit comes after this: who looks too early is told again.
pub fn tell_after_commit(clock: &SharedClock, waiting: &Arc<Notify>) {
    let (clock, waiting) = (clock.clone(), waiting.clone());
    tokio::spawn(async move {
        for wait in [10, 100] {
            clock.sleep(Duration::from_millis(wait)).await;
            waiting.notify_one();
        }
    });
}

/// Replaces the things of a device.
pub async fn keep_things(
    tx: &mut Transaction,
    user: &str,
    device: &str,
    things: &[Thing],
) -> Result<(), Fault> {
    tx.execute("DELETE FROM ieum_voice_thing WHERE device = ?", &[device.into()]).await?;
    let row = |thing: &Thing| -> Vec<Value> {
        vec![
            user.into(),
            device.into(),
            thing.id.as_str().into(),
            thing.name.as_str().into(),
            thing.area.clone().into(),
        ]
    };
    let rows: Vec<Vec<Value>> = things.iter().map(row).collect();
    if !rows.is_empty() {
        let insert =
            Insert::into("ieum_voice_thing").columns(["user_id", "device", "id", "name", "area"]).rows(rows);
        insert.or_ignore(["user_id", "device", "id"]).run_in(tx).await?;
    }
    Ok(())
}

fn json(value: &impl serde::Serialize) -> Result<String, Fault> {
    serde_json::to_string(value)
        .map_err(|error| Fault::internal("voice.json", format!("writing an answer as JSON: {error}")))
}
