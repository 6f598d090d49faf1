//! A time series backend for one test, with measurements of its own.

use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Clock, SystemClock, new_id};
use ieum_data::{Point, Range, TimeSeries, open_series};
use ieum_store::{Store, StoreOptions, Synchronous};
use ieum_testkit::backend::SqlStore;
use ieum_testkit::server::require;

pub struct Backend {
    pub series: Arc<dyn TimeSeries>,
    prefix: String,
    database: Option<(SqlStore, Store)>,
}

impl Backend {
    fn new(series: Arc<dyn TimeSeries>) -> Self {
        Self { series, prefix: format!("m{}", new_id().simple()), database: None }
    }

    pub fn measurement(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Reads until there are `count` points, since not every backend shows them at once.
    pub async fn read(&self, range: &Range, count: usize) -> Vec<Point> {
        let begun = SystemClock.moment();
        loop {
            let points = self.series.query(range).await.expect("reads");
            let waits = !self.series.capabilities().reads_own_writes
                && SystemClock.moment().since(begun) < Duration::from_secs(60);
            if points.len() >= count || !waits {
                assert_eq!(points.len(), count, "{points:?}");
                return points;
            }
            SystemClock.sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn clean_up(self) {
        if let Some((database, store)) = self.database {
            store.close().await;
            database.clean_up().await;
        }
    }
}

fn options() -> StoreOptions {
    StoreOptions { sqlite_synchronous: Synchronous::Off, ..StoreOptions::default() }
}

pub async fn sqlite() -> Backend {
    in_sql(SqlStore::sqlite()).await
}

/// A backend on the server `name`, where one was started.
pub async fn on(name: &str) -> Option<Backend> {
    if let "influxdb" | "victoriametrics" = name {
        return Some(Backend::new(open_series(&require(name)?, None).await.expect("opens")));
    }
    Some(in_sql(SqlStore::on(name).await?).await)
}

async fn in_sql(database: SqlStore) -> Backend {
    let store = Store::open(&database.url, &options()).await.expect("opens the store");
    let series = open_series("sql:", Some(store.clone())).await.expect("opens");
    Backend { database: Some((database, store)), ..Backend::new(series) }
}
