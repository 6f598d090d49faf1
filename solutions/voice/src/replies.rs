//! The queue of what is to be sent to devices and people: its rows and their queries.
//!
//! Whatever goes to one device, or to one person wherever that is, is a lane: its order is kept, and a lane that cannot be
//! sent to now is held, so that its rows are in nobody's way.

use std::time::Duration;

use ieum_contracts::voice::ScheduleRang;
use ieum_core::{Fault, Timestamp};
use ieum_store::{Insert, Row, Store, Transaction, Value};
use serde_json::json;

use crate::tongue::Tongue;

/// How long something waits for somebody to be there.
const KEEP: Duration = Duration::from_secs(86_400);
/// How long a command to a thing waits, and words to be spoken: later nobody expects them.
const KEEP_SHORT: Duration = Duration::from_secs(600);
/// What the lanes of people begin with: no device that comes by MQTT has such a name.
const PERSON: &str = "person/";
/// What the lanes of devices begin with whose names could be taken for a person's lane.
const DEVICE: &str = "device/";
/// The kind of words that are spoken.
pub const ALOUD: &str = "DIALOG_AUDIO";

/// How far a row has come.
mod sent {
    /// Is to be looked at.
    pub const NEW: i64 = 0;
    /// Is sent, or let go.
    pub const DONE: i64 = 1;
    /// Waits for its lane.
    pub const HELD: i64 = 2;
}

/// Something that is to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// Tells messages apart; whoever gets it sees it as `messageId`.
    pub id: String,
    /// To whom.
    pub lane: String,
    /// Whose open streams are told of it, too.
    pub person: Option<String>,
    /// What it is: `DIALOG_RESPONSE`, `DIALOG_AUDIO`, `DEVICE_COMMAND`, `DIALOG_ERROR`.
    pub kind: &'static str,
    /// What is told.
    pub payload: serde_json::Value,
}

/// A reply as it waits.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    pub position: i64,
    pub id: String,
    pub lane: String,
    pub person: Option<String>,
    pub kind: String,
    pub payload: serde_json::Value,
    pub at: Timestamp,
}

/// Returns the lane of a person.
pub fn person_lane(user: &str) -> String {
    format!("{PERSON}{user}")
}

/// Returns the person whose lane it is, if any.
pub fn person_of(lane: &str) -> Option<&str> {
    lane.strip_prefix(PERSON)
}

/// Returns the lane of a device.
pub fn device_lane(device: &str) -> String {
    if device.contains('/') { format!("{DEVICE}{device}") } else { device.to_owned() }
}

/// Words to be spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    pub text: String,
    pub tongue: Tongue,
    /// The session and the turn that they answer; none where nobody asked.
    pub answer_of: Option<(String, String)>,
}

// === Reply ===

impl Reply {
    /// Goes to a device.
    pub fn to_device(id: String, device: &str, kind: &'static str, payload: serde_json::Value) -> Self {
        Self { id, lane: device_lane(device), person: None, kind, payload }
    }

    /// Goes to a device, and to the open streams of its person; to wherever the person is where no device is named.
    pub fn unasked(id: String, device: Option<&str>, user: &str, payload: serde_json::Value) -> Self {
        let lane = device.map_or_else(|| person_lane(user), device_lane);
        Self { id, lane, person: Some(user.to_owned()), kind: "DIALOG_RESPONSE", payload }
    }

    /// Returns the same words, to be spoken. They become sound when they are sent.
    pub fn aloud(&self, turn_id: &str, text: &str, tongue: Tongue) -> Self {
        Self {
            id: format!("{}:audio", self.id),
            kind: ALOUD,
            payload: json!({ "turnId": turn_id, "text": text, "language": tongue.code() }),
            ..self.clone()
        }
    }

    /// Says which session's turn the words answer.
    #[must_use]
    pub fn answering(mut self, session: &str) -> Self {
        self.payload["sessionId"] = json!(session);
        self
    }
}

// === Waiting ===

impl Waiting {
    /// Tells whether it is too old to be sent at `now`.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        let keep = match self.kind.as_str() {
            "DEVICE_COMMAND" | ALOUD => KEEP_SHORT,
            _ => KEEP,
        };
        now.since(self.at) > keep
    }

    /// Returns the words where it is words to be spoken.
    pub fn words(&self) -> Option<Words> {
        let text = |name: &str| self.payload[name].as_str().map(str::to_owned);
        let words = text("text").filter(|_| self.kind == ALOUD)?;
        let tongue = text("language").as_deref().and_then(Tongue::of).unwrap_or(Tongue::Korean);
        Some(Words { text: words, tongue, answer_of: text("sessionId").zip(text("turnId")) })
    }
}

/// Puts messages into the queue; one that is known by its id stays as it is.
pub async fn queue(tx: &mut Transaction, replies: &[Reply], now: Timestamp) -> Result<(), Fault> {
    let mut rows = Vec::with_capacity(replies.len());
    for reply in replies {
        let row: Vec<Value> = vec![
            reply.id.as_str().into(),
            reply.lane.as_str().into(),
            reply.person.clone().into(),
            reply.kind.into(),
            reply.payload.to_string().into(),
            sent::NEW.into(),
            now.into(),
        ];
        rows.push(row);
    }
    if !rows.is_empty() {
        let columns = ["id", "device", "person", "kind", "payload", "sent", "at"];
        Insert::into("ieum_voice_reply").columns(columns).rows(rows).or_ignore(["id"]).run_in(tx).await?;
    }
    Ok(())
}

/// Sends an answer again, under the same `messageId` and aloud where it was aloud; one that waits to be sent waits on.
pub async fn queue_again(tx: &mut Transaction, reply: &Reply, now: Timestamp) -> Result<(), Fault> {
    // It is new to the device where the turn came by another door, or its answer was let go of.
    queue(tx, std::slice::from_ref(reply), now).await?;
    let sql = "UPDATE ieum_voice_reply SET sent = ?, at = ? WHERE id IN (?, ?) AND sent = ?";
    let (own, aloud) = (reply.id.as_str().into(), format!("{}:audio", reply.id).into());
    tx.execute(sql, &[sent::NEW.into(), now.into(), own, aloud, sent::DONE.into()]).await?;
    Ok(())
}

/// The queue as the sender sees it.
#[derive(Clone)]
pub struct Queue {
    pub sql: Store,
}

impl Queue {
    /// Returns what is new, the oldest first.
    pub async fn fresh(&self, most: usize) -> Result<Vec<Waiting>, Fault> {
        let rest = format!("sent = ? ORDER BY position LIMIT {most}");
        self.select(&rest, &[sent::NEW.into()]).await
    }

    /// Returns what waits in a lane that is held, the oldest first.
    pub async fn held(&self, lane: &str, most: usize) -> Result<Vec<Waiting>, Fault> {
        let rest = format!("device = ? AND sent = ? ORDER BY position LIMIT {most}");
        self.select(&rest, &[lane.into(), sent::HELD.into()]).await
    }

    /// Returns the lanes that an earlier process held.
    pub async fn lanes(&self) -> Result<Vec<String>, Fault> {
        let sql = "SELECT DISTINCT device FROM ieum_voice_reply WHERE sent = ?";
        let rows = self.sql.fetch_all(sql, &[sent::HELD.into()]).await?;
        rows.iter().map(|row| Ok(row.text("device")?)).collect()
    }

    /// Returns the timer, alarm or reminder that rang last for a person, where that was not before `since`.
    pub async fn rang(&self, user: &str, since: Timestamp) -> Result<Option<ScheduleRang>, Fault> {
        let rest = "person = ? AND at >= ? ORDER BY position DESC LIMIT 50";
        let told = self.select(rest, &[user.into(), since.into()]).await?;
        Ok(told.into_iter().find_map(|told| serde_json::from_value(told.payload["schedule"].clone()).ok()))
    }

    async fn select(&self, rest: &str, values: &[Value]) -> Result<Vec<Waiting>, Fault> {
        let sql = format!(
            "SELECT position, id, device, person, kind, payload, at FROM ieum_voice_reply WHERE {rest}"
        );
        let read = |row: &Row| {
            Ok(Waiting {
                position: row.int("position")?,
                id: row.text("id")?,
                lane: row.text("device")?,
                person: row.opt_text("person")?,
                kind: row.text("kind")?,
                payload: row.json("payload")?,
                at: row.timestamp("at")?,
            })
        };
        self.sql.fetch_all(&sql, values).await?.iter().map(read).collect()
    }

    /// Notes that these are sent, or let go.
    pub async fn done(&self, positions: &[i64]) -> Result<(), Fault> {
        self.mark(sent::DONE, positions).await
    }

    /// Notes that these wait for their lanes.
    pub async fn hold(&self, positions: &[i64]) -> Result<(), Fault> {
        self.mark(sent::HELD, positions).await
    }

    /// Notes that all that is new in a lane waits for it.
    pub async fn hold_lane(&self, lane: &str) -> Result<(), Fault> {
        let sql = "UPDATE ieum_voice_reply SET sent = ? WHERE device = ? AND sent = ?";
        self.sql.execute(sql, &[sent::HELD.into(), lane.into(), sent::NEW.into()]).await?;
        Ok(())
    }

    async fn mark(&self, state: i64, positions: &[i64]) -> Result<(), Fault> {
        if positions.is_empty() {
            return Ok(());
        }
        let holes = vec!["?"; positions.len()].join(", ");
        let sql = format!("UPDATE ieum_voice_reply SET sent = ? WHERE position IN ({holes})");
        let values = std::iter::once(state).chain(positions.iter().copied()).map(Value::from);
        self.sql.execute(&sql, &values.collect::<Vec<_>>()).await?;
        Ok(())
    }

    /// Lets go of what was sent long ago, and of what nobody came for or nobody sends: a process without devices rings too.
    pub async fn purge(&self, now: Timestamp) -> Result<(), Fault> {
        let before = now - KEEP;
        let sql = "DELETE FROM ieum_voice_reply WHERE sent = ? AND at < ?";
        self.sql.execute(sql, &[sent::DONE.into(), before.into()]).await?;
        for waits in [sent::HELD, sent::NEW] {
            count_let_go("kept", self.sql.execute(sql, &[waits.into(), before.into()]).await?);
        }
        Ok(())
    }
}

/// Counts what was let go without having been sent.
pub fn count_let_go(why: &'static str, count: u64) {
    metrics::counter!("ieum_voice_let_go_total", "why" => why).increment(count);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_never_taken_for_a_person() {
        let lane = device_lane("person/ada");
        assert_eq!((lane.as_str(), person_of(&lane)), ("device/person/ada", None));
        assert_eq!(person_of(&person_lane("ada")), Some("ada"));
        assert_eq!(device_lane("hermes:hall"), "hermes:hall");
    }

    #[test]
    fn a_command_waits_less_long_than_an_answer() {
        let at = Timestamp::from_seconds(1_777_604_700);
        let waiting = |kind: &str| Waiting {
            position: 1,
            id: "1".into(),
            lane: "kitchen".into(),
            person: None,
            kind: kind.into(),
            payload: json!({ "text": "끝", "language": "ko" }),
            at,
        };
        let later = at + Duration::from_secs(3_600);
        assert!(waiting("DEVICE_COMMAND").is_stale(later) && waiting(ALOUD).is_stale(later));
        assert!(!waiting("DIALOG_RESPONSE").is_stale(later));
        assert!(waiting("DIALOG_RESPONSE").is_stale(at + Duration::from_secs(90_000)));
        let words = Words { text: "끝".to_owned(), tongue: Tongue::Korean, answer_of: None };
        assert_eq!(waiting(ALOUD).words(), Some(words));
        assert_eq!(waiting("DIALOG_RESPONSE").words(), None);
    }
}
