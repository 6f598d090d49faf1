//! The bus's tables.

use ieum_store::{Dialect, Migration};

/// Returns the bus's migrations.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration { name: "0001_bus", owner: "bus", up: first }]
}

fn first(dialect: Dialect) -> Vec<String> {
    let mut statements = log_tables(dialect);
    statements.extend(group_tables(dialect));
    statements.extend(dead_tables(dialect));
    statements
}

fn log_tables(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (int, key, text, time) = (types.int, types.key, types.text, types.timestamp);
    let serial = types.serial_primary_key;
    let event = format!(
        "topic {key} NOT NULL, part {int} NOT NULL, lane_key {key} NOT NULL, event_id {key} NOT NULL, \
         source {key} NOT NULL, body {text} NOT NULL, written_at {time} NOT NULL"
    );
    vec![
        format!("CREATE TABLE ieum_bus_head (name {key} NOT NULL PRIMARY KEY, next_seq {int} NOT NULL)"),
        "INSERT INTO ieum_bus_head (name, next_seq) VALUES ('log', 1)".to_owned(),
        format!("CREATE TABLE ieum_bus_log (seq {int} NOT NULL PRIMARY KEY, {event})"),
        "CREATE UNIQUE INDEX ieum_bus_log_event ON ieum_bus_log (event_id, source, topic)".to_owned(),
        "CREATE INDEX ieum_bus_log_part ON ieum_bus_log (topic, part, seq)".to_owned(),
        format!("CREATE TABLE ieum_bus_outbox (id {serial}, {event})"),
    ]
}

fn group_tables(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (int, key, text, time) = (types.int, types.key, types.text, types.timestamp);
    let slot = format!("group_name {key} NOT NULL, topic {key} NOT NULL, part {int} NOT NULL");
    vec![
        format!(
            "CREATE TABLE ieum_bus_slot ({slot}, position {int} NOT NULL, owner {key} NOT NULL, \
             epoch {int} NOT NULL, lease_until {time} NOT NULL, PRIMARY KEY (group_name, topic, part))"
        ),
        format!(
            "CREATE TABLE ieum_bus_member (group_name {key} NOT NULL, topic {key} NOT NULL, \
             owner {key} NOT NULL, alive_until {time} NOT NULL, PRIMARY KEY (group_name, topic, owner))"
        ),
        format!(
            "CREATE TABLE ieum_bus_inbox (event_id {key} NOT NULL, source {key} NOT NULL, \
             topic {key} NOT NULL, group_name {key} NOT NULL, handled_at {time} NOT NULL, \
             PRIMARY KEY (event_id, source, topic, group_name))"
        ),
        "CREATE INDEX ieum_bus_inbox_age ON ieum_bus_inbox (handled_at)".to_owned(),
        format!(
            "CREATE TABLE ieum_bus_lane ({slot}, lane_key {key} NOT NULL, position {int} NOT NULL, \
             event_id {key} NOT NULL, source {key} NOT NULL, body {text} NOT NULL, attempts {int} NOT NULL, \
             due_at {time}, first_at {time}, last_at {time}, reason {text} NOT NULL, message {text} NOT NULL, \
             dead_id {key}, PRIMARY KEY (group_name, topic, part, lane_key, position))"
        ),
        "CREATE INDEX ieum_bus_lane_due ON ieum_bus_lane (group_name, topic, part, due_at)".to_owned(),
        "CREATE INDEX ieum_bus_lane_event ON ieum_bus_lane (event_id)".to_owned(),
    ]
}

fn dead_tables(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (int, key, text, time) = (types.int, types.key, types.text, types.timestamp);
    let serial = types.serial_primary_key;
    vec![
        format!(
            "CREATE TABLE ieum_bus_dead (id {key} NOT NULL PRIMARY KEY, group_name {key} NOT NULL, \
             topic {key} NOT NULL, part {int} NOT NULL, lane_key {key} NOT NULL, position {int} NOT NULL, \
             event_id {key} NOT NULL, source {key} NOT NULL, body {text} NOT NULL, code {key} NOT NULL, \
             reason {key} NOT NULL, message {text} NOT NULL, attempts {int} NOT NULL, \
             first_at {time} NOT NULL, last_at {time} NOT NULL, traceparent {key}, \
             payload_hash {key} NOT NULL, state {key} NOT NULL, changed_at {time} NOT NULL)"
        ),
        "CREATE INDEX ieum_bus_dead_slot ON ieum_bus_dead (state, group_name, topic, part)".to_owned(),
        "CREATE INDEX ieum_bus_dead_event ON ieum_bus_dead (event_id)".to_owned(),
        format!(
            "CREATE TABLE ieum_bus_dead_audit (id {serial}, dead_id {key} NOT NULL, changed_at {time} NOT NULL, \
             who {key} NOT NULL, action {key} NOT NULL, detail {text} NOT NULL)"
        ),
        "CREATE INDEX ieum_bus_dead_audit_dead ON ieum_bus_dead_audit (dead_id)".to_owned(),
    ]
}
