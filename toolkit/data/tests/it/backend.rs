//! A time series backend for one test, with measurements of its own.

use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Clock, SystemClock, new_id};
use ieum_data::{Point, Range, TimeSeries, open_series};
use ieum_store::{Store, StoreOptions, Synchronous};
use ieum_testkit::backend::SqlStore;

pub struct Backend {
    pub series: Arc<dyn TimeSeries>,
    prefix: String,
    server: Option<(SqlStore, Store)>,
    _folder: Option<tempfile::TempDir>,
}

impl Backend {
    fn new(series: Arc<dyn TimeSeries>) -> Self {
        Self { series, prefix: format!("m{}", new_id().simple()), server: None, _folder: None }
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
        if let Some((database, store)) = self.server {
            store.close().await;
            database.clean_up().await;
        }
    }
}

fn options() -> StoreOptions {
    StoreOptions { sqlite_synchronous: Synchronous::Off, ..StoreOptions::default() }
}

pub async fn sqlite() -> Backend {
    let folder = tempfile::tempdir().expect("makes a folder");
    let url = format!("sqlite:{}", folder.path().join("series.db").display());
    let store = Store::open(&url, &options()).await.expect("opens the store");
    let series = open_series("sql:", Some(store)).await.expect("opens");
    Backend { _folder: Some(folder), ..Backend::new(series) }
}

pub async fn server(url: &str) -> Backend {
    if url.starts_with("influxdb") {
        return Backend::new(open_series(url, None).await.expect("opens"));
    }
    let database = SqlStore::at(url).await;
    let store = Store::open(&database.url, &options()).await.expect("opens the store");
    let series = open_series("sql:", Some(store.clone())).await.expect("opens");
    Backend { server: Some((database, store)), ..Backend::new(series) }
}
