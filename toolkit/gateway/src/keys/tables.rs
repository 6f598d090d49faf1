//! The tables of API keys, and how rows become keys.

use std::collections::BTreeSet;
use std::time::Duration;

use ieum_core::{HumanDuration, Timestamp};
use ieum_store::{Dialect, Migration, Row, StoreError};

use super::KeyRecord;
use crate::{EventAccess, Rate, Tier};

/// The columns of `api_keys` in the order in which they are inserted.
pub(super) const INSERT_KEY: &str = "INSERT INTO api_keys \
    (id, name, tier, scopes, events, rate_limit, rate_per, rate_burst, created_at, expires_at, plan) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// One row per key and valid text.
pub(super) const SELECT_KEY: &str = "SELECT k.id, k.name, k.tier, k.scopes, k.events, k.rate_limit, \
    k.rate_per, k.rate_burst, k.created_at, k.expires_at, k.revoked_at, k.last_used_at, k.plan, s.hash, s.valid_until \
    FROM api_keys k JOIN api_key_texts s ON s.key_id = k.id";

/// Returns the tables' migrations.
pub(super) fn migrations() -> Vec<Migration> {
    vec![
        Migration { name: "0001_api_keys", owner: "gateway", up: create },
        Migration { name: "0002_revoked_tokens", owner: "gateway", up: crate::tokens::revoked::create },
        Migration { name: "0003_plans", owner: "gateway", up: add_plans },
        Migration { name: "0004_revocations", owner: "gateway", up: crate::tokens::revoked::describe },
    ]
}

fn create(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (key, text, int, at, json) = (types.key, types.text, types.int, types.timestamp, types.json);
    vec![
        format!(
            "CREATE TABLE api_keys (id {key} NOT NULL PRIMARY KEY, name {text} NOT NULL, tier {key} NOT NULL, \
             scopes {json} NOT NULL, events {json} NOT NULL, rate_limit {int}, rate_per {int}, \
             rate_burst {int}, created_at {at} NOT NULL, expires_at {at}, revoked_at {at}, last_used_at {at})"
        ),
        format!(
            "CREATE TABLE api_key_texts (hash {key} NOT NULL PRIMARY KEY, key_id {key} NOT NULL, \
             created_at {at} NOT NULL, valid_until {at})"
        ),
        "CREATE INDEX api_key_texts_key ON api_key_texts (key_id)".to_owned(),
    ]
}

/// Which plan a key is on, what its day took, and how it was used.
fn add_plans(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (key, int) = (types.key, types.int);
    vec![
        format!("ALTER TABLE api_keys ADD COLUMN plan {key}"),
        format!(
            "CREATE TABLE api_key_days (key_id {key} NOT NULL, at_day {int} NOT NULL, \
             requests {int} NOT NULL, PRIMARY KEY (key_id, at_day))"
        ),
        format!(
            "CREATE TABLE api_key_uses (key_id {key} NOT NULL, at_hour {int} NOT NULL, \
             endpoint {key} NOT NULL, requests {int} NOT NULL, refused {int} NOT NULL, \
             PRIMARY KEY (key_id, at_hour, endpoint))"
        ),
    ]
}

/// One text of a key as it is kept.
#[derive(Clone, Debug)]
pub(super) struct StoredText {
    pub hash: String,
    pub valid_until: Option<Timestamp>,
}

/// Puts rows of [`SELECT_KEY`] that belong to one key together, in the order of the rows.
pub(super) fn group(rows: &[Row]) -> Result<Vec<(KeyRecord, Vec<StoredText>)>, StoreError> {
    let mut keys: Vec<(KeyRecord, Vec<StoredText>)> = Vec::new();
    for row in rows {
        let id = row.text("id")?;
        let text = StoredText { hash: row.text("hash")?, valid_until: row.opt_timestamp("valid_until")? };
        match keys.last_mut() {
            Some((key, texts)) if key.id == id => texts.push(text),
            _ => keys.push((read(row, id)?, vec![text])),
        }
    }
    for (key, texts) in &mut keys {
        key.previous_valid_until = texts.iter().filter_map(|text| text.valid_until).max();
    }
    Ok(keys)
}

fn read(row: &Row, id: String) -> Result<KeyRecord, StoreError> {
    let wrong = |column: &str, problem: String| StoreError::Column { column: column.to_owned(), problem };
    let tier: Tier = row.text("tier")?.parse().map_err(|problem| wrong("tier", problem))?;
    let list = |column: &str| -> Result<Vec<String>, StoreError> {
        serde_json::from_str(&row.text(column)?).map_err(|error| wrong(column, error.to_string()))
    };
    Ok(KeyRecord {
        id,
        name: row.text("name")?,
        tier,
        scopes: list("scopes")?.into_iter().collect::<BTreeSet<_>>(),
        events: EventAccess::from(list("events")?),
        rate: rate(row)?,
        plan: row.opt_text("plan")?,
        created_at: row.timestamp("created_at")?,
        expires_at: row.opt_timestamp("expires_at")?,
        revoked_at: row.opt_timestamp("revoked_at")?,
        last_used_at: row.opt_timestamp("last_used_at")?,
        previous_valid_until: None,
    })
}

fn rate(row: &Row) -> Result<Option<Rate>, StoreError> {
    let number = |value: i64| u32::try_from(value).unwrap_or(u32::MAX);
    let (limit, per) = (row.opt_int("rate_limit")?, row.opt_int("rate_per")?);
    let burst = row.opt_int("rate_burst")?;
    Ok(limit.zip(per).map(|(limit, per)| {
        let limit = number(limit);
        let per = Duration::from_micros(u64::try_from(per).unwrap_or(0));
        Rate { limit, per: HumanDuration(per), burst: burst.map_or(limit, number) }
    }))
}
