//! The tables of analytics.

use ieum_store::{Dialect, Migration};

/// What is known of events, their history in quarters of an hour, gates, money, forecasts; then privacy budgets and
/// what was told of behaviour.
pub const MIGRATIONS: [Migration; 2] = [
    Migration { name: "0001_analytics", owner: "analytics", up: first },
    Migration { name: "0002_analytics_privacy", owner: "analytics", up: second },
];

fn first(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (key, id, int, float, json, text) =
        (types.key, types.id, types.int, types.float, types.json, types.text);
    let time = types.timestamp;
    vec![
        // An event may be described before it is seen, and seen before it is described: all but its id may be null.
        format!(
            "CREATE TABLE ieum_analytics_event (event_id {key} NOT NULL PRIMARY KEY, event_type {key}, \
             time_zone {key}, capacity {int}, event_name {text}, status {id}, last_seen {json}, \
             came_before {int}, version {int})"
        ),
        // The local columns follow from slot_at and the event's time zone; reports group by them.
        format!(
            "CREATE TABLE ieum_analytics_slot (event_id {key} NOT NULL, slot_at {time} NOT NULL, \
             local_day {int} NOT NULL, local_hour {int} NOT NULL, local_weekday {int} NOT NULL, \
             arrivals {float} NOT NULL, most_inside {int} NOT NULL, registered {int} NOT NULL, \
             checked_in {int} NOT NULL, rate {float}, PRIMARY KEY (event_id, slot_at))"
        ),
        "CREATE INDEX ieum_analytics_slot_time ON ieum_analytics_slot (slot_at)".into(),
        format!(
            "CREATE TABLE ieum_analytics_gate (event_id {key} NOT NULL, gate_id {key} NOT NULL, \
             slot_at {time} NOT NULL, people {float} NOT NULL, PRIMARY KEY (event_id, gate_id, slot_at))"
        ),
        format!(
            "CREATE TABLE ieum_analytics_money (event_id {key} NOT NULL, entry_id {key} NOT NULL, \
             kind {id} NOT NULL, label {text} NOT NULL, amount_minor {int} NOT NULL, currency {id} NOT NULL, \
             at_micros {time}, PRIMARY KEY (event_id, entry_id))"
        ),
        // gate_id is '' for the whole event.
        format!(
            "CREATE TABLE ieum_analytics_forecast (event_id {key} NOT NULL, gate_id {key} NOT NULL, \
             step {id} NOT NULL, data {json} NOT NULL, made_at {time} NOT NULL, \
             PRIMARY KEY (event_id, gate_id, step))"
        ),
    ]
}

fn second(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (key, id, int, json) = (types.key, types.id, types.int, types.json);
    vec![
        // Spent epsilon in millionths, over all events.
        format!(
            "CREATE TABLE ieum_analytics_privacy (partner {key} NOT NULL, month {id} NOT NULL, spent {int} NOT NULL, \
             PRIMARY KEY (partner, month))"
        ),
        // Never let go of: new noise on the same visits would tell more than was paid for.
        format!(
            "CREATE TABLE ieum_analytics_told (partner {key} NOT NULL, question {key} NOT NULL, month {id} NOT NULL, \
             answer {json} NOT NULL, PRIMARY KEY (partner, question))"
        ),
    ]
}
