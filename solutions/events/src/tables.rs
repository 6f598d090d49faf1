//! The tables of the events hub.

use ieum_store::{Dialect, Migration};

/// Sources with their sync position and health, raw facts, the live state, and hints not yet followed; then
/// sealed secrets, how scans came in, and points on their way into the time series; then programmes, check-in
/// lists, sweeps and what they missed; then gates; then failures in words of any language.
pub const MIGRATIONS: [Migration; 5] = [
    Migration { name: "0001_events", owner: "events", up: first },
    Migration { name: "0002_events_intake", owner: "events", up: second },
    Migration { name: "0003_events_programme", owner: "events", up: third },
    crate::gates::tables::MIGRATION,
    Migration { name: "0005_events_wording", owner: "events", up: fifth },
];

fn first(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (key, id, int, json, text) = (types.key, types.id, types.int, types.json, types.text);
    let (time, truth) = (types.timestamp, types.bool);
    vec![
        format!(
            "CREATE TABLE ieum_events_source (event_id {key} NOT NULL PRIMARY KEY, config {json} NOT NULL, \
             hook_secret {key} NOT NULL, webhook_id {key}, removed {truth} NOT NULL, healthy {truth} NOT NULL, \
             failures {int} NOT NULL, last_error {text}, last_success_at {time}, created_at {time} NOT NULL)"
        ),
        format!(
            "CREATE TABLE ieum_events_cursor (event_id {key} NOT NULL PRIMARY KEY, phase {id} NOT NULL, \
             cursor_text {text}, profile {json}, version {int} NOT NULL, generation {int} NOT NULL, \
             synced_rows {int} NOT NULL, mismatches {int} NOT NULL, override_totals {json}, \
             reconciled_at {time}, resynced_at {time})"
        ),
        format!(
            "CREATE TABLE ieum_events_order_position (event_id {key} NOT NULL, position_id {int} NOT NULL, \
             order_code {key} NOT NULL, order_status {id} NOT NULL, valid_if_pending {truth} NOT NULL, \
             item {int} NOT NULL, subevent {int}, canceled {truth} NOT NULL, generation {int} NOT NULL, \
             PRIMARY KEY (event_id, position_id))"
        ),
        "CREATE INDEX ieum_events_position_order ON ieum_events_order_position (event_id, order_code)".into(),
        format!(
            "CREATE TABLE ieum_events_checkin (event_id {key} NOT NULL, checkin_id {int} NOT NULL, \
             position_id {int} NOT NULL, list_id {int} NOT NULL, is_exit {truth} NOT NULL, \
             scanned_at {time} NOT NULL, gate {key}, generation {int} NOT NULL, \
             PRIMARY KEY (event_id, checkin_id))"
        ),
        "CREATE INDEX ieum_events_checkin_position ON ieum_events_checkin (event_id, list_id, position_id)"
            .into(),
        format!(
            "CREATE TABLE ieum_events_state (event_id {key} NOT NULL PRIMARY KEY, data {json} NOT NULL, \
             read_at {time} NOT NULL, changed_at {time} NOT NULL)"
        ),
        format!(
            "CREATE TABLE ieum_events_hint (event_id {key} NOT NULL, notification_id {key} NOT NULL, \
             action {key} NOT NULL, order_code {key}, received_at {time} NOT NULL, done {truth} NOT NULL, \
             PRIMARY KEY (event_id, notification_id))"
        ),
    ]
}

fn second(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (key, id, int, time) = (types.key, types.id, types.int, types.timestamp);
    vec![
        format!("ALTER TABLE ieum_events_source ADD COLUMN health_at {time}"),
        format!("ALTER TABLE ieum_events_source ADD COLUMN secrets {}", types.text),
        format!(
            "CREATE TABLE ieum_events_intake (event_id {key} NOT NULL, way {id} NOT NULL, scans {int} NOT NULL, \
             PRIMARY KEY (event_id, way))"
        ),
        format!(
            "CREATE TABLE ieum_events_point (event_id {key} NOT NULL, at_micros {time} NOT NULL, \
             current_attendees {int} NOT NULL, checked_in {int} NOT NULL, total_registered {int} NOT NULL, \
             PRIMARY KEY (event_id, at_micros))"
        ),
    ]
}

fn third(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (key, id, int, text) = (types.key, types.id, types.int, types.text);
    let (time, truth) = (types.timestamp, types.bool);
    vec![
        format!(
            "CREATE TABLE ieum_events_room (event_id {key} NOT NULL, room_id {key} NOT NULL, name {text} NOT NULL, \
             capacity {int}, place {int} NOT NULL, PRIMARY KEY (event_id, room_id))"
        ),
        format!(
            "CREATE TABLE ieum_events_slot (event_id {key} NOT NULL, slot_id {key} NOT NULL, room_id {key}, \
             title {text} NOT NULL, begins_at {time} NOT NULL, ends_at {time} NOT NULL, time_zone {id}, url {text}, \
             cancelled {truth} NOT NULL, hash {id} NOT NULL, gone_at {time}, PRIMARY KEY (event_id, slot_id))"
        ),
        format!(
            "CREATE TABLE ieum_events_list (event_id {key} NOT NULL, list_id {int} NOT NULL, name {text} NOT NULL, \
             PRIMARY KEY (event_id, list_id))"
        ),
        format!("ALTER TABLE ieum_events_cursor ADD COLUMN sweep_text {text}"),
        format!("ALTER TABLE ieum_events_cursor ADD COLUMN swept_at {time}"),
        format!(
            "CREATE TABLE ieum_events_gone (event_id {key} NOT NULL, order_code {key} NOT NULL, \
             gone_at {time} NOT NULL, PRIMARY KEY (event_id, order_code))"
        ),
    ]
}

fn fifth(dialect: Dialect) -> Vec<String> {
    vec![format!("ALTER TABLE ieum_events_source ADD COLUMN last_error_wording {}", dialect.types().text)]
}
