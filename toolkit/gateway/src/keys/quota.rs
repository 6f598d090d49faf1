//! How many requests of its day a key has left: counted in the store, so exact over all processes.

use std::time::Duration;

use ieum_core::Timestamp;
use ieum_store::{Insert, StoreError};

use super::Keys;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// A key's day after a request was counted or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DayLeft {
    /// How many requests the day has.
    pub quota: u32,
    /// How many are left.
    pub left: u32,
    /// Whether this request was among them.
    pub allowed: bool,
    /// The time until the next day, UTC.
    pub resets_in: Duration,
}

impl Keys {
    /// Takes one request from the key's day, if there is one left. Fails where the store fails.
    pub(crate) async fn take_of_day(&self, id: &str, quota: u32) -> Result<DayLeft, StoreError> {
        let now = self.0.clock.now();
        let day = day_of(now);
        // One statement decides and counts: two processes never take the same last one.
        let taking = "UPDATE api_key_days SET requests = requests + 1 \
                      WHERE key_id = ? AND at_day = ? AND requests < ?";
        let values = [id.into(), day.into(), i64::from(quota).into()];
        let mut taken = self.0.store.execute(taking, &values).await?;
        if taken == 0 {
            Insert::into("api_key_days")
                .columns(["key_id", "at_day", "requests"])
                .rows([vec![id.into(), day.into(), 0_i64.into()]])
                .or_ignore(["key_id", "at_day"])
                .run(&self.0.store)
                .await?;
            taken = self.0.store.execute(taking, &values).await?;
        }
        let used = self.used_of_day(id, day).await?;
        let left = quota.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX));
        let ends = Timestamp::from_seconds((day + 1) * DAY);
        Ok(DayLeft { quota, left, allowed: taken > 0, resets_in: ends.since(now) })
    }

    /// Returns how many requests the key took from its quota today, UTC; 0 where it has none.
    pub async fn used_today(&self, id: &str) -> Result<u64, StoreError> {
        self.used_of_day(id, day_of(self.0.clock.now())).await
    }

    async fn used_of_day(&self, id: &str, day: i64) -> Result<u64, StoreError> {
        let sql = "SELECT requests FROM api_key_days WHERE key_id = ? AND at_day = ?";
        let row = self.0.store.fetch_optional(sql, &[id.into(), day.into()]).await?;
        Ok(row.map(|row| row.int("requests")).transpose()?.map_or(0, |used| u64::try_from(used).unwrap_or(0)))
    }
}

fn day_of(now: Timestamp) -> i64 {
    now.as_seconds().div_euclid(DAY)
}
