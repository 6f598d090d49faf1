//! The tables of the gates: pushed scans, the ledger, and what alerts were raised.

use ieum_store::{Dialect, Migration};

/// Pushed scans; the ledger, per event, gate, gate and minute, and length of stay; alerts that were raised. Besides,
/// scans by time, for the one query that looks the last of a minute up.
pub const MIGRATION: Migration = Migration { name: "0004_events_gates", owner: "events", up };

fn up(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (key, id, int, json) = (types.key, types.id, types.int, types.json);
    let (time, truth) = (types.timestamp, types.bool);
    vec![
        format!(
            "CREATE TABLE ieum_events_gate_scan (event_id {key} NOT NULL, scan_id {key} NOT NULL, ticket {key}, \
             gate {key} NOT NULL, is_exit {truth} NOT NULL, scanned_at {time} NOT NULL, \
             PRIMARY KEY (event_id, scan_id))"
        ),
        "CREATE INDEX ieum_events_gate_scan_ticket ON ieum_events_gate_scan (event_id, ticket)".into(),
        "CREATE INDEX ieum_events_checkin_time ON ieum_events_checkin (event_id, list_id, scanned_at)".into(),
        format!(
            "CREATE TABLE ieum_events_tally (event_id {key} NOT NULL PRIMARY KEY, basis {json} NOT NULL, \
             registered {int} NOT NULL, checked_in {int} NOT NULL, inside {int} NOT NULL, entered {int} NOT NULL, \
             departed {int} NOT NULL)"
        ),
        format!(
            "CREATE TABLE ieum_events_gate (event_id {key} NOT NULL, gate {key} NOT NULL, entered {int} NOT NULL, \
             departed {int} NOT NULL, last_at {time} NOT NULL, PRIMARY KEY (event_id, gate))"
        ),
        format!(
            "CREATE TABLE ieum_events_gate_minute (event_id {key} NOT NULL, at_minute {int} NOT NULL, \
             gate {key} NOT NULL, entered {int} NOT NULL, departed {int} NOT NULL, last_at {time} NOT NULL, \
             PRIMARY KEY (event_id, at_minute, gate))"
        ),
        format!(
            "CREATE TABLE ieum_events_stay (event_id {key} NOT NULL, stay {id} NOT NULL, at_minute {int} NOT NULL, \
             people {int} NOT NULL, PRIMARY KEY (event_id, stay, at_minute))"
        ),
        format!(
            "CREATE TABLE ieum_events_watch (event_id {key} NOT NULL PRIMARY KEY, memory {json} NOT NULL)"
        ),
    ]
}
