//! How keys are used: when last, and how often per hour and endpoint; collected in memory, written in batches.

use std::collections::HashMap;
use std::time::Duration;

use ieum_core::{BoxFuture, Timestamp};
use ieum_store::{Insert, Transaction, Value};
use parking_lot::Mutex;
use serde::Serialize;

use super::{KeyError, Keys};

/// Seconds of an hour.
const HOUR: i64 = 3_600;
/// The longest name of an endpoint that is kept, in bytes.
const LONGEST_ENDPOINT: usize = 180;

/// Uses since the last write. Bounded by the keys there are and the endpoints in the route table.
#[derive(Default)]
pub(super) struct Usage {
    last: Mutex<HashMap<String, Timestamp>>,
    counts: Mutex<HashMap<Place, Count>>,
}

/// Where a request is counted: key, hour since the epoch, endpoint.
type Place = (String, i64, String);

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    requests: u64,
    refused: u64,
}

/// How often a key asked at one endpoint within one hour.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyUse {
    /// The hour's beginning.
    pub at: Timestamp,
    /// Method and path, as `GET /api/partner/events`.
    pub endpoint: String,
    /// All requests.
    pub requests: u64,
    /// Those answered with 401, 403 or 429.
    pub refused: u64,
}

impl Usage {
    pub fn note(&self, id: &str, now: Timestamp) {
        let mut last = self.last.lock();
        match last.get_mut(id) {
            Some(at) => *at = now.max(*at),
            None => {
                last.insert(id.to_owned(), now);
            }
        }
    }

    fn add(&self, place: Place, count: Count) {
        let mut counts = self.counts.lock();
        let sum = counts.entry(place).or_default();
        sum.requests += count.requests;
        sum.refused += count.refused;
    }
}

impl Keys {
    /// Counts one request of a key at an endpoint.
    pub(crate) fn count(&self, id: &str, endpoint: &str, refused: bool) {
        let hour = self.0.clock.now().as_seconds().div_euclid(HOUR);
        let end =
            (0..=LONGEST_ENDPOINT.min(endpoint.len())).rev().find(|&end| endpoint.is_char_boundary(end));
        let endpoint = endpoint[..end.unwrap_or(0)].to_owned();
        self.0.usage.add((id.to_owned(), hour, endpoint), Count { requests: 1, refused: u64::from(refused) });
    }

    /// Writes when and how often keys were used, in one transaction; returns how many keys that were. What could
    /// not be written is kept for the next time. Fails where the store fails.
    pub async fn flush_usage(&self) -> Result<usize, KeyError> {
        let uses = std::mem::take(&mut *self.0.usage.last.lock());
        let counts = std::mem::take(&mut *self.0.usage.counts.lock());
        if uses.is_empty() && counts.is_empty() {
            return Ok(0);
        }
        let written = self.write_usage(&uses, &counts).await;
        if written.is_err() {
            uses.iter().for_each(|(id, at)| self.0.usage.note(id, *at));
            counts.into_iter().for_each(|(place, count)| self.0.usage.add(place, count));
        }
        written.map(|()| uses.len())
    }

    async fn write_usage(
        &self,
        uses: &HashMap<String, Timestamp>,
        counts: &HashMap<Place, Count>,
    ) -> Result<(), KeyError> {
        let mut sorted: Vec<_> = uses.iter().collect();
        // The same order everywhere: two processes that write at once cannot wait for each other.
        sorted.sort();
        let mut transaction = self.0.store.begin_write().await?;
        let sql = "UPDATE api_keys SET last_used_at = ? WHERE id = ? \
                   AND (last_used_at IS NULL OR last_used_at < ?)";
        for (id, at) in sorted {
            transaction.execute(sql, &[(*at).into(), id.into(), (*at).into()]).await?;
        }
        let mut sorted: Vec<_> = counts.iter().collect();
        sorted.sort_by_key(|(place, _)| *place);
        for (place, count) in sorted {
            add(&mut transaction, place, *count).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Returns how a key was used by hour and endpoint, within `since` and `until`, the earliest first. What is
    /// not written yet is written first. Fails where the store fails.
    pub async fn usage_series(
        &self,
        id: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<KeyUse>, KeyError> {
        self.flush_usage().await?;
        let sql = "SELECT at_hour, endpoint, requests, refused FROM api_key_uses \
                   WHERE key_id = ? AND at_hour >= ? AND at_hour < ? ORDER BY at_hour, endpoint";
        let hour = |at: Timestamp| at.as_seconds().div_euclid(HOUR);
        // The hour that `until` cuts belongs to it, as the one that `since` cuts.
        let values = [id.into(), hour(since).into(), (hour(until) + 1).into()];
        let rows = self.0.store.fetch_all(sql, &values).await?;
        let number = |value: i64| u64::try_from(value).unwrap_or(0);
        let read = |row: &ieum_store::Row| {
            Ok(KeyUse {
                at: Timestamp::from_seconds(row.int("at_hour")? * HOUR),
                endpoint: row.text("endpoint")?,
                requests: number(row.int("requests")?),
                refused: number(row.int("refused")?),
            })
        };
        rows.iter().map(read).collect()
    }

    /// Forgets how keys were used before a time; returns how many rows that were. Fails where the store fails.
    pub async fn forget_usage(&self, before: Timestamp) -> Result<u64, KeyError> {
        let hour = before.as_seconds().div_euclid(HOUR);
        let sql = "DELETE FROM api_key_uses WHERE at_hour < ?";
        let gone = self.0.store.execute(sql, &[hour.into()]).await?;
        let sql = "DELETE FROM api_key_days WHERE at_day < ?";
        Ok(gone + self.0.store.execute(sql, &[hour.div_euclid(24).into()]).await?)
    }

    /// Writes the uses every `span` until dropped. To be spawned; a failure is logged and made up for.
    pub fn flush_usage_every(&self, span: Duration) -> BoxFuture<'static, ()> {
        let keys = self.clone();
        Box::pin(async move {
            loop {
                keys.0.clock.sleep(span).await;
                if let Err(error) = keys.flush_usage().await {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "writing the last use of API keys"
                    );
                }
            }
        })
    }
}

async fn add(transaction: &mut Transaction, place: &Place, count: Count) -> Result<(), KeyError> {
    let (id, hour, endpoint) = place;
    let number = |count: u64| Value::from(i64::try_from(count).unwrap_or(i64::MAX));
    let adding = "UPDATE api_key_uses SET requests = requests + ?, refused = refused + ? \
                  WHERE key_id = ? AND at_hour = ? AND endpoint = ?";
    let values = [
        number(count.requests),
        number(count.refused),
        id.as_str().into(),
        (*hour).into(),
        endpoint.as_str().into(),
    ];
    if transaction.execute(adding, &values).await? > 0 {
        return Ok(());
    }
    Insert::into("api_key_uses")
        .columns(["key_id", "at_hour", "endpoint", "requests", "refused"])
        .rows([vec![
            id.as_str().into(),
            (*hour).into(),
            endpoint.as_str().into(),
            0_i64.into(),
            0_i64.into(),
        ]])
        .or_ignore(["key_id", "at_hour", "endpoint"])
        .run_in(transaction)
        .await?;
    transaction.execute(adding, &values).await?;
    Ok(())
}
