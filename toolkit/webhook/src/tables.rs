//! The four tables: endpoints, messages, deliveries and the attempts that make the delivery log.

use ieum_store::{Dialect, Migration};

/// Returns the migrations of this crate, in order.
pub fn migrations() -> Vec<Migration> {
    vec![
        Migration { name: "0001_webhook", owner: "webhook", up: create_tables },
        Migration { name: "0002_message_age", owner: "webhook", up: index_age },
        Migration { name: "0003_message_id", owner: "webhook", up: index_id },
        Migration { name: "0004_filters_and_pairs", owner: "webhook", up: add_filters },
    ]
}

fn create_tables(dialect: Dialect) -> Vec<String> {
    let mut statements = vec![
        endpoint_table(dialect),
        message_table(dialect),
        delivery_table(dialect),
        attempt_table(dialect),
    ];
    statements.push("CREATE INDEX ieum_webhook_endpoint_partner ON ieum_webhook_endpoint (partner)".into());
    statements
        .push("CREATE INDEX ieum_webhook_message_time ON ieum_webhook_message (partner, created_at)".into());
    statements
        .push("CREATE INDEX ieum_webhook_delivery_message ON ieum_webhook_delivery (message_id)".into());
    statements.extend(pending_indexes(dialect));
    statements
}

/// What a purge looks for: the oldest messages.
fn index_age(_dialect: Dialect) -> Vec<String> {
    vec!["CREATE INDEX ieum_webhook_message_age ON ieum_webhook_message (created_at)".into()]
}

/// What accepting looks for: ids that are known. The primary key begins with the partner and finds none by id.
fn index_id(_dialect: Dialect) -> Vec<String> {
    vec!["CREATE INDEX ieum_webhook_message_id ON ieum_webhook_message (id)".into()]
}

/// What an endpoint wants of a body, as JSON, and what receivers verify with; none of what was there before.
fn add_filters(dialect: Dialect) -> Vec<String> {
    let text = dialect.types().text;
    vec![
        format!("ALTER TABLE ieum_webhook_endpoint ADD COLUMN filters {text}"),
        format!("ALTER TABLE ieum_webhook_endpoint ADD COLUMN public_key {text}"),
    ]
}

fn endpoint_table(dialect: Dialect) -> String {
    let types = dialect.types();
    let (id, key, text, int, time) = (types.id, types.key, types.text, types.int, types.timestamp);
    format!(
        "CREATE TABLE ieum_webhook_endpoint (id {id} NOT NULL PRIMARY KEY, partner {key} NOT NULL, \
         url {text} NOT NULL, events {text} NOT NULL, ordered {int} NOT NULL, state {id} NOT NULL, \
         reason {id}, state_since {time} NOT NULL, failing_since {time}, not_before {time} NOT NULL, \
         secrets {text} NOT NULL, created_at {time} NOT NULL)"
    )
}

fn message_table(dialect: Dialect) -> String {
    let types = dialect.types();
    let (key, text, time) = (types.key, types.text, types.timestamp);
    format!(
        "CREATE TABLE ieum_webhook_message (partner {key} NOT NULL, id {key} NOT NULL, event {key} NOT NULL, \
         order_key {key}, body {text} NOT NULL, traceparent {key} NOT NULL, created_at {time} NOT NULL, \
         PRIMARY KEY (partner, id))"
    )
}

fn delivery_table(dialect: Dialect) -> String {
    let types = dialect.types();
    let (id, key, int, time) = (types.id, types.key, types.int, types.timestamp);
    format!(
        "CREATE TABLE ieum_webhook_delivery (id {id} NOT NULL PRIMARY KEY, endpoint_id {id} NOT NULL, \
         partner {key} NOT NULL, message_id {key} NOT NULL, event {key} NOT NULL, order_key {key}, \
         state {id} NOT NULL, attempts {int} NOT NULL, tries {int} NOT NULL, due_at {time} NOT NULL, \
         lease_until {time} NOT NULL, lease_owner {id}, last_status {int}, created_at {time} NOT NULL, \
         finished_at {time}, UNIQUE (endpoint_id, message_id))"
    )
}

fn attempt_table(dialect: Dialect) -> String {
    let types = dialect.types();
    let (id, text, int, time) = (types.id, types.text, types.int, types.timestamp);
    format!(
        "CREATE TABLE ieum_webhook_attempt (delivery_id {id} NOT NULL, number {int} NOT NULL, \
         at_time {time} NOT NULL, elapsed_ms {int} NOT NULL, status {int}, detail {text} NOT NULL, \
         PRIMARY KEY (delivery_id, number))"
    )
}

/// Indexes that find due work. Where the database can, they hold pending rows alone, so that a
/// long history costs a claim nothing.
fn pending_indexes(dialect: Dialect) -> Vec<String> {
    let (due, order) = match dialect {
        Dialect::MySql => ("(state, due_at)", "(endpoint_id, order_key, state, id)"),
        Dialect::Sqlite | Dialect::Postgres => (
            "(due_at) WHERE state = 'pending'",
            "(endpoint_id, order_key, id) WHERE state = 'pending' AND order_key IS NOT NULL",
        ),
    };
    vec![
        format!("CREATE INDEX ieum_webhook_delivery_due ON ieum_webhook_delivery {due}"),
        format!("CREATE INDEX ieum_webhook_delivery_order ON ieum_webhook_delivery {order}"),
    ]
}
