//! The tables: contexts, turns with their answers, what is to be sent to devices, parts of recordings, things.

use ieum_documents::SqlDocuments;
use ieum_store::{Dialect, Migration};

use crate::context::SESSIONS;

/// Returns the migrations of this solution, in order.
pub fn migrations() -> Vec<Migration> {
    vec![
        Migration { name: "0001_voice", owner: "voice", up: create },
        Migration { name: "0002_voice_lanes", owner: "voice", up: lanes },
        Migration { name: "0003_voice_measured", owner: "voice", up: measured },
        Migration { name: "0004_voice_said", owner: "voice", up: said },
        Migration { name: "0005_voice_heard", owner: "voice", up: heard },
        Migration { name: "0006_voice_zone", owner: "voice", up: zones },
    ]
}

/// The zone in which each device was last known to be, and whose it was.
fn zones(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (key, time) = (types.key, types.timestamp);
    vec![
        format!(
            "CREATE TABLE ieum_voice_zone (device {key} NOT NULL PRIMARY KEY, user_id {key} NOT NULL, \
             zone {key} NOT NULL, at {time} NOT NULL)"
        ),
        "CREATE INDEX ieum_voice_zone_user ON ieum_voice_zone (user_id)".into(),
    ]
}

/// Which recordings were answered by which turns.
fn heard(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (key, int, time) = (types.key, types.int, types.timestamp);
    vec![
        format!(
            "CREATE TABLE ieum_voice_heard (device {key} NOT NULL, session {key} NOT NULL, sequence {int} NOT NULL, \
             digest {key} NOT NULL, turn {key} NOT NULL, at {time} NOT NULL, PRIMARY KEY (device, session, sequence))"
        ),
        "CREATE INDEX ieum_voice_heard_at ON ieum_voice_heard (at)".into(),
    ]
}

/// How long answers took to be spoken.
fn said(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (key, float, time) = (types.key, types.float, types.timestamp);
    vec![
        format!(
            "CREATE TABLE ieum_voice_said (session {key} NOT NULL, turn {key} NOT NULL, ms {float} NOT NULL, \
             at {time} NOT NULL, PRIMARY KEY (session, turn))"
        ),
        "CREATE INDEX ieum_voice_said_at ON ieum_voice_said (at)".into(),
    ]
}

/// What each device measured last.
fn measured(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (key, text, time) = (types.key, types.text, types.timestamp);
    vec![format!(
        "CREATE TABLE ieum_voice_measured (device {key} NOT NULL PRIMARY KEY, data {text} NOT NULL, at {time} NOT NULL)"
    )]
}

/// What is sent may be for a person wherever that is, and waits by whom it is for.
fn lanes(dialect: Dialect) -> Vec<String> {
    vec![
        format!("ALTER TABLE ieum_voice_reply ADD COLUMN person {}", dialect.types().key),
        "CREATE INDEX ieum_voice_reply_lane ON ieum_voice_reply (device, sent, position)".into(),
    ]
}

fn create(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (id, key, text, int, time, bytes) =
        (types.id, types.key, types.text, types.int, types.timestamp, types.bytes);
    let serial = types.serial_primary_key;
    vec![
        SqlDocuments::table(&SESSIONS, dialect),
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
