//! A fresh cache of some backend for one test.

use std::sync::Arc;

use ieum_cache::{Cache, open_cache, open_cache_on};
use ieum_core::{new_id, system_clock};
use ieum_store::{Store, StoreOptions, Synchronous};
use ieum_testkit::backend::SqlStore;
use ieum_testkit::server::require;

pub struct Backend {
    pub cache: Arc<dyn Cache>,
    /// Stands before every key: tests on one server share it.
    prefix: String,
    database: Option<(SqlStore, Store)>,
}

impl Backend {
    fn new(cache: Arc<dyn Cache>) -> Self {
        Self { cache, prefix: new_id().simple().to_string(), database: None }
    }

    pub fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.prefix)
    }

    pub async fn clean_up(self) {
        if let Some((database, store)) = self.database {
            store.close().await;
            database.clean_up().await;
        }
    }
}

pub fn options() -> StoreOptions {
    StoreOptions { sqlite_synchronous: Synchronous::Off, ..StoreOptions::default() }
}

pub async fn memory() -> Backend {
    Backend::new(open_cache("memory:", system_clock()).await.expect("opens"))
}

pub async fn sqlite() -> Backend {
    in_sql(SqlStore::sqlite()).await
}

/// A backend on the server `name`, where one was started.
pub async fn on(name: &str) -> Option<Backend> {
    if name == "redis" {
        let cache = open_cache(&require(name)?, system_clock()).await.expect("opens");
        return Some(Backend::new(cache));
    }
    Some(in_sql(SqlStore::on(name).await?).await)
}

async fn in_sql(database: SqlStore) -> Backend {
    let store = Store::open(&database.url, &options()).await.expect("opens the store");
    let cache = open_cache_on("sql:", system_clock(), Some(store.clone())).await.expect("opens");
    Backend { database: Some((database, store)), ..Backend::new(cache) }
}
