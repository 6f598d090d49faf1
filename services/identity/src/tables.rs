//! The tables: people, the places of their devices, devices.

use ieum_store::{Dialect, Migration};

/// Returns the migrations of this service, in order.
pub fn migrations() -> Vec<Migration> {
    vec![Migration { name: "0001_identity", owner: "identity", up: create }]
}

fn create(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (id, key, text, int, time) = (types.id, types.key, types.text, types.int, types.timestamp);
    vec![
        format!(
            "CREATE TABLE ieum_identity_user (id {key} NOT NULL PRIMARY KEY, name {text} NOT NULL, \
             status {id} NOT NULL, plan {id} NOT NULL, language {key}, zone {key}, created_at {time} NOT NULL, \
             updated_at {time} NOT NULL)"
        ),
        format!(
            "CREATE TABLE ieum_identity_place (user_id {key} NOT NULL, device_id {key} NOT NULL, \
             registration {key} NOT NULL, shown {int} NOT NULL, PRIMARY KEY (user_id, device_id))"
        ),
        format!(
            "CREATE TABLE ieum_identity_device (id {key} NOT NULL PRIMARY KEY, user_id {key} NOT NULL, \
             registration {key} NOT NULL, kind {key} NOT NULL, name {text} NOT NULL, area {text}, \
             premium {int} NOT NULL, registered_at {time} NOT NULL, last_seen_at {time})"
        ),
        "CREATE INDEX ieum_identity_device_user ON ieum_identity_device (user_id, id)".into(),
    ]
}
