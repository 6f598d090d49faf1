//! The queries of analytics over money.

use std::collections::BTreeMap;

use ieum_contracts::analytics::{MoneyEntries, MoneyEntry, MoneyKind};
use ieum_core::{Fault, Timestamp};
use ieum_store::{Insert, Row, StoreError, Value};

use crate::store::{AnalyticsStore, any_of};

const COLUMNS: [&str; 7] = ["event_id", "entry_id", "kind", "label", "amount_minor", "currency", "at_micros"];

impl AnalyticsStore {
    /// Keeps entries, each in place of the one that has its id, and returns how many the event has then.
    pub async fn record_money(&self, money: &MoneyEntries) -> Result<u64, Fault> {
        let row = |entry: &MoneyEntry| {
            vec![
                money.event_id.as_str().into(),
                entry.entry_id.as_str().into(),
                word(entry.kind).into(),
                entry.label.as_str().into(),
                entry.amount_minor.into(),
                entry.currency.as_str().into(),
                entry.at.map_or(Value::Null, Value::from),
            ]
        };
        let mut tx = self.sql().begin_write().await?;
        let insert =
            Insert::into("ieum_analytics_money").columns(COLUMNS).rows(money.entries.iter().map(row));
        insert.or_update(["event_id", "entry_id"]).run_in(&mut tx).await?;
        let sql = "SELECT COUNT(*) AS entries FROM ieum_analytics_money WHERE event_id = ?";
        let count = tx.fetch_one(sql, &[money.event_id.as_str().into()]).await?.int("entries")?;
        tx.commit().await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Returns the entries of the events asked for, by event and id.
    pub async fn money(&self, only: Option<&[String]>) -> Result<BTreeMap<String, Vec<MoneyEntry>>, Fault> {
        let (condition, values) = any_of("event_id", only);
        let sql = format!("SELECT * FROM ieum_analytics_money WHERE {condition} ORDER BY event_id, entry_id");
        let mut entries: BTreeMap<String, Vec<MoneyEntry>> = BTreeMap::new();
        for row in self.sql().fetch_all(&sql, &values).await? {
            entries.entry(row.text("event_id")?).or_default().push(read(&row)?);
        }
        Ok(entries)
    }
}

fn read(row: &Row) -> Result<MoneyEntry, StoreError> {
    Ok(MoneyEntry {
        entry_id: row.text("entry_id")?,
        kind: if row.text("kind")? == word(MoneyKind::Cost) { MoneyKind::Cost } else { MoneyKind::Revenue },
        label: row.text("label")?,
        amount_minor: row.int("amount_minor")?,
        currency: row.text("currency")?,
        at: row.opt_int("at_micros")?.map(Timestamp::from_micros),
    })
}

fn word(kind: MoneyKind) -> &'static str {
    match kind {
        MoneyKind::Revenue => "revenue",
        MoneyKind::Cost => "cost",
    }
}
