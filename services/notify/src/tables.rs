//! The tables: recipients, messages, and which alerts are raised.

use ieum_store::{Dialect, Migration};

/// Returns the migrations of this service, in order.
pub fn migrations() -> Vec<Migration> {
    vec![Migration { name: "0001_notify", owner: "notify", up: create }]
}

fn create(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (id, key, text, int, time) = (types.id, types.key, types.text, types.int, types.timestamp);
    let due = match dialect {
        Dialect::MySql => "(state, due_at)",
        Dialect::Sqlite | Dialect::Postgres => {
            "(state, due_at) WHERE state IN ('pending', 'sending', 'held')"
        }
    };
    vec![
        format!(
            "CREATE TABLE ieum_notify_recipient (id {key} NOT NULL PRIMARY KEY, recipient {text} NOT NULL, \
             follows_any {int} NOT NULL, updated_at {time} NOT NULL)"
        ),
        format!(
            "CREATE TABLE ieum_notify_message (id {id} NOT NULL PRIMARY KEY, notification {key} NOT NULL, \
             channel {id} NOT NULL, recipient {key} NOT NULL, kind {key} NOT NULL, template {key} NOT NULL, \
             payload {text} NOT NULL, urgent {int} NOT NULL, digest {int} NOT NULL, state {id} NOT NULL, \
             reason {text}, provider {key}, reference {text}, attempts {int} NOT NULL, title {text}, body {text}, \
             due_at {time} NOT NULL, lease_until {time} NOT NULL, lease_owner {id}, digest_id {id}, \
             created_at {time} NOT NULL, finished_at {time}, read_at {time}, UNIQUE (notification, recipient, channel))"
        ),
        format!("CREATE INDEX ieum_notify_message_due ON ieum_notify_message {due}"),
        "CREATE INDEX ieum_notify_message_recipient ON ieum_notify_message (recipient, id)".into(),
        format!(
            "CREATE TABLE ieum_notify_alert (event_id {key} NOT NULL, kind {key} NOT NULL, raised {int} NOT NULL, \
             told_at {time} NOT NULL, PRIMARY KEY (event_id, kind))"
        ),
    ]
}
