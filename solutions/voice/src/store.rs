//! The queries about turns and things.

use std::sync::Arc;
use std::time::Duration;

use ieum_contracts::voice::{DialogAnswer, Effect, RecordTurn};
use ieum_core::{Fault, SharedClock, Timestamp};
use ieum_store::{Insert, Store, Transaction, Value};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::leading::Setting;
use crate::replies::Queue;

/// How long an answer is known again when its turn comes twice.
const KEEP: Duration = Duration::from_secs(86_400);

/// Keeps turns and things.
#[derive(Clone)]
pub struct VoiceStore {
    pub sql: Store,
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
    /// What it was led by; none of a turn that was not led anywhere, or that an older version kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<Setting>,
    /// What happened besides; none where an older version kept it, which did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effects: Option<Vec<Effect>>,
}

/// A turn as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptTurn {
    /// The key under which it happened once.
    pub key: String,
    /// What it led to.
    pub known: Known,
    /// When it was.
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
        Ok(self.turn(key).await?.map(|kept| kept.known))
    }

    /// Returns a turn as it is kept.
    pub async fn turn(&self, key: &str) -> Result<Option<KeptTurn>, Fault> {
        let sql = "SELECT answer, at FROM ieum_voice_turn WHERE id = ?";
        let Some(row) = self.sql.fetch_optional(sql, &[key.into()]).await? else { return Ok(None) };
        let lost = |error| Fault::data_loss("voice.turn", format!("reading the answer of a turn: {error}"));
        let known = serde_json::from_str(&row.text("answer")?).map_err(lost)?;
        Ok(Some(KeptTurn { key: key.to_owned(), known, at: row.timestamp("at")? }))
    }

    /// Returns the latest turns, the latest first.
    pub async fn latest(&self, most: u32) -> Result<Vec<KeptTurn>, Fault> {
        let sql = format!("SELECT id, answer, at FROM ieum_voice_turn ORDER BY at DESC, id LIMIT {most}");
        let rows = self.sql.fetch_all(&sql, &[]).await?;
        let mut turns = Vec::with_capacity(rows.len());
        for row in &rows {
            // What an older version wrote and this one cannot read is no reason to show nothing.
            if let Ok(known) = serde_json::from_str(&row.text("answer")?) {
                turns.push(KeptTurn { key: row.text("id")?, known, at: row.timestamp("at")? });
            }
        }
        Ok(turns)
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

    /// Lets go of what nobody asks for again.
    pub async fn purge(&self, now: Timestamp) -> Result<(), Fault> {
        let before = now - KEEP;
        for sql in [
            "DELETE FROM ieum_voice_turn WHERE at < ?",
            "DELETE FROM ieum_voice_chunk WHERE at < ?",
            "DELETE FROM ieum_voice_heard WHERE at < ?",
            "DELETE FROM ieum_voice_said WHERE at < ?",
        ] {
            self.sql.execute(sql, &[before.into()]).await?;
        }
        Queue { sql: self.sql.clone() }.purge(now).await
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
