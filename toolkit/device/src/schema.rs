//! The tables of sessions, messages and credentials.

use ieum_store::{Dialect, Migration};

/// Returns the migrations of what devices need.
pub fn migrations() -> Vec<Migration> {
    vec![
        Migration { name: "0001_device", owner: "device", up: first },
        Migration { name: "0002_owner", owner: "device", up: owner },
        Migration { name: "0003_holder", owner: "device", up: holder },
    ]
}

/// The broker that opened the tables last; whoever opened them before may write no more.
fn owner(dialect: Dialect) -> Vec<String> {
    let int = dialect.types().int;
    vec![
        format!("CREATE TABLE ieum_device_owner (id {int} NOT NULL PRIMARY KEY, epoch {int} NOT NULL)"),
        "INSERT INTO ieum_device_owner (id, epoch) VALUES (1, 0)".to_owned(),
    ]
}

/// Who that broker is, and who had the tables before it and runs still.
fn holder(dialect: Dialect) -> Vec<String> {
    let (key, time) = (dialect.types().key, dialect.types().timestamp);
    let column = |named: &str| format!("ALTER TABLE ieum_device_owner ADD COLUMN {named}");
    let names = ["name", "rival"].map(|name| column(&format!("{name} {key}")));
    let times = ["since", "rival_since"].map(|name| column(&format!("{name} {time}")));
    names.into_iter().chain(times).collect()
}

fn first(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (int, key, text, bytes, time) = (types.int, types.key, types.text, types.bytes, types.timestamp);
    let message = format!(
        "topic {text} NOT NULL, payload {bytes} NOT NULL, properties {bytes} NOT NULL, \
         quality {int} NOT NULL, expires_at {time}"
    );
    vec![
        format!("CREATE TABLE ieum_device_session (name {key} NOT NULL PRIMARY KEY, body {text} NOT NULL)"),
        format!(
            "CREATE TABLE ieum_device_queue (position {int} NOT NULL PRIMARY KEY, session {key} NOT NULL, \
             {message}, retain {int} NOT NULL, identifiers {text} NOT NULL, packet {int}, \
             released {int} NOT NULL)"
        ),
        "CREATE INDEX ieum_device_queue_session ON ieum_device_queue (session, position)".to_owned(),
        format!(
            "CREATE TABLE ieum_device_received (session {key} NOT NULL, packet {int} NOT NULL, \
             PRIMARY KEY (session, packet))"
        ),
        format!("CREATE TABLE ieum_device_retained (topic_hash {key} NOT NULL PRIMARY KEY, {message})"),
        format!("CREATE TABLE ieum_device_seen (device {key} NOT NULL PRIMARY KEY, seen_at {time} NOT NULL)"),
        format!(
            "CREATE TABLE ieum_device_credential (id {key} NOT NULL PRIMARY KEY, device {key} NOT NULL, \
             secret_hash {key} NOT NULL, created_at {time} NOT NULL, expires_at {time})"
        ),
        "CREATE INDEX ieum_device_credential_device ON ieum_device_credential (device)".to_owned(),
    ]
}
