//! The tables of a device's queue.

use ieum_store::{Dialect, Migration};

/// Returns the migrations of a queue.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration { name: "0001_edge", owner: "edge", up: first }]
}

fn first(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (int, key, bytes, time) = (types.int, types.key, types.bytes, types.timestamp);
    vec![
        format!(
            "CREATE TABLE ieum_edge_self (id {int} NOT NULL PRIMARY KEY, name {key} NOT NULL, \
             taken {int} NOT NULL)"
        ),
        format!(
            "CREATE TABLE ieum_edge_message (position {int} NOT NULL PRIMARY KEY, kind {key} NOT NULL, \
             together {key}, payload {bytes} NOT NULL, at {time} NOT NULL)"
        ),
        format!(
            "CREATE TABLE ieum_edge_heard (number {}, message {key} NOT NULL UNIQUE)",
            types.serial_primary_key
        ),
    ]
}
