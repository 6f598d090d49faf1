//! The tables: sagas, and what is to happen at a time.

use ieum_store::{Dialect, Migration};

/// Returns the migrations of sagas and schedules, in order.
pub fn migrations() -> Vec<Migration> {
    vec![
        Migration { name: "0001_saga", owner: "saga", up: create },
        Migration { name: "0002_saga_order", owner: "saga", up: order },
    ]
}

/// What is due at the same time is found in the order in which it was set, without looking at all of it.
fn order(dialect: Dialect) -> Vec<String> {
    let of = if dialect == Dialect::MySql { " ON ieum_schedule" } else { "" };
    vec![
        "CREATE INDEX ieum_schedule_order ON ieum_schedule (failed, asked_at, created_at, id)".into(),
        format!("DROP INDEX ieum_schedule_due{of}"),
    ]
}

fn create(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (id, key, text, int, json, time) =
        (types.id, types.key, types.text, types.int, types.json, types.timestamp);
    vec![
        format!(
            "CREATE TABLE ieum_saga (id {key} NOT NULL PRIMARY KEY, name {key} NOT NULL, state {json} NOT NULL, \
             phase {id} NOT NULL, step {key} NOT NULL, attempts {int} NOT NULL, fault {text}, trace {text} NOT NULL, \
             due_at {time} NOT NULL, lease_owner {id}, lease_until {time} NOT NULL, created_at {time} NOT NULL, \
             finished_at {time})"
        ),
        "CREATE INDEX ieum_saga_due ON ieum_saga (phase, due_at)".into(),
        format!(
            "CREATE TABLE ieum_schedule (id {key} NOT NULL PRIMARY KEY, name {key} NOT NULL, owner {key} NOT NULL, \
             payload {json} NOT NULL, due_at {time} NOT NULL, asked_at {time} NOT NULL, attempts {int} NOT NULL, \
             failed {int} NOT NULL, fault {text}, trace {text} NOT NULL, created_at {time} NOT NULL)"
        ),
        "CREATE INDEX ieum_schedule_due ON ieum_schedule (failed, asked_at)".into(),
        "CREATE INDEX ieum_schedule_owner ON ieum_schedule (owner, due_at)".into(),
    ]
}
