//! The table: charges, begun and ended.

use ieum_store::{Dialect, Migration};

/// Returns the migrations of this service, in order.
pub fn migrations() -> Vec<Migration> {
    vec![Migration { name: "0001_payment", owner: "payment", up: create }]
}

fn create(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (key, int, time) = (types.key, types.int, types.timestamp);
    vec![
        format!(
            "CREATE TABLE ieum_payment_charge (id {key} NOT NULL PRIMARY KEY, user_id {key} NOT NULL, \
             item {key} NOT NULL, won_per_month {int} NOT NULL, begun_at {time} NOT NULL, ended_at {time})"
        ),
        "CREATE INDEX ieum_payment_charge_user ON ieum_payment_charge (user_id, begun_at)".into(),
    ]
}
