//! How long it took to speak the answers of turns, beside them: an answer is written, and sent as text, before it is
//! spoken.

use std::collections::HashMap;
use std::time::Duration;

use ieum_core::{Fault, Timestamp};
use ieum_store::{Insert, Store, Value};

/// Session and turn with the milliseconds that speaking took.
pub type SaidTimes = HashMap<(String, String), f64>;

/// Keeps how long one took. Where it cannot be kept, the answer is spoken all the same.
pub async fn keep(sql: &Store, (session, turn): (&str, &str), took: Duration, now: Timestamp) {
    let millis = took.as_secs_f64() * 1_000.0;
    let row: Vec<Value> = vec![session.into(), turn.into(), millis.into(), now.into()];
    let insert = Insert::into("ieum_voice_said").columns(["session", "turn", "ms", "at"]).rows([row]);
    if let Err(error) = insert.or_ignore(["session", "turn"]).run(sql).await {
        tracing::warn!(error = %ieum_core::describe(&error), "keeping how long speaking took failed");
    }
}

/// Returns how long the latest took, at most `most`.
pub async fn latest(sql: &Store, most: u32) -> Result<SaidTimes, Fault> {
    let query = format!("SELECT session, turn, ms FROM ieum_voice_said ORDER BY at DESC LIMIT {most}");
    let rows = sql.fetch_all(&query, &[]).await?;
    let read = |row: &ieum_store::Row| Ok(((row.text("session")?, row.text("turn")?), row.float("ms")?));
    rows.iter().map(read).collect()
}

/// Returns how long one took; `None` where it was not spoken.
pub async fn of(sql: &Store, (session, turn): (&str, &str)) -> Result<Option<f64>, Fault> {
    let query = "SELECT ms FROM ieum_voice_said WHERE session = ? AND turn = ?";
    let row = sql.fetch_optional(query, &[session.into(), turn.into()]).await?;
    row.map(|row| Ok(row.float("ms")?)).transpose()
}
