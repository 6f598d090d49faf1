//! The tables: contexts, turns with their answers, what is to be sent to devices, parts of recordings, things.

use ieum_store::{Dialect, Migration};

/// Returns the migrations of this solution, in order.
pub fn migrations() -> Vec<Migration> {
    vec![Migration { name: "0001_voice", owner: "voice", up: create }]
}

fn create(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (id, key, text, int, time, bytes) =
        (types.id, types.key, types.text, types.int, types.timestamp, types.bytes);
    let serial = types.serial_primary_key;
    vec![
        format!(
            "CREATE TABLE ieum_voice_context (user_id {key} NOT NULL, session_id {key} NOT NULL, \
             turn_count {int} NOT NULL, state {text} NOT NULL, older {text} NOT NULL, history {text} NOT NULL, \
             updated_at {time} NOT NULL, PRIMARY KEY (user_id, session_id))"
        ),
        format!(
            "CREATE TABLE ieum_voice_turn (id {key} NOT NULL PRIMARY KEY, answer {text} NOT NULL, \
             at {time} NOT NULL)"
        ),
        "CREATE INDEX ieum_voice_turn_at ON ieum_voice_turn (at)".into(),
        format!(
            "CREATE TABLE ieum_voice_reply (position {serial}, id {key} NOT NULL UNIQUE, device {key} NOT NULL, \
             kind {id} NOT NULL, payload {text} NOT NULL, sent {int} NOT NULL, at {time} NOT NULL)"
        ),
        "CREATE INDEX ieum_voice_reply_sent ON ieum_voice_reply (sent, position)".into(),
        format!(
            "CREATE TABLE ieum_voice_chunk (device {key} NOT NULL, session {key} NOT NULL, sequence {int} NOT NULL, \
             last {int} NOT NULL, rate {int} NOT NULL, data {bytes} NOT NULL, at {time} NOT NULL, \
             PRIMARY KEY (device, session, sequence))"
        ),
        format!(
            "CREATE TABLE ieum_voice_thing (user_id {key} NOT NULL, device {key} NOT NULL, id {key} NOT NULL, \
             name {key} NOT NULL, area {key}, PRIMARY KEY (user_id, device, id))"
        ),
        format!(
            "CREATE TABLE ieum_voice_tally (day {id} NOT NULL, intent {key} NOT NULL, outcome {id} NOT NULL, \
             turns {int} NOT NULL, PRIMARY KEY (day, intent, outcome))"
        ),
        format!(
            "CREATE TABLE ieum_voice_activity (user_id {key} NOT NULL PRIMARY KEY, turns {int} NOT NULL, \
             last_at {time} NOT NULL, last_intent {key} NOT NULL)"
        ),
        format!(
            "CREATE TABLE ieum_voice_nudge (user_id {key} NOT NULL, rule {key} NOT NULL, at {time} NOT NULL, \
             PRIMARY KEY (user_id, rule))"
        ),
    ]
}
