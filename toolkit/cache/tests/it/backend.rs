//! A fresh cache of some backend for one test.

use std::sync::Arc;

use ieum_cache::{Cache, open_cache, open_cache_on};
use ieum_core::{new_id, system_clock};
use ieum_store::{Store, StoreOptions, Synchronous};
use ieum_testkit::backend::SqlStore;

pub struct Backend {
    pub cache: Arc<dyn Cache>,
    /// Stands before every key: tests on one server share it.
    prefix: String,
    server: Option<(SqlStore, Store)>,
    _folder: Option<tempfile::TempDir>,
}

impl Backend {
    fn new(cache: Arc<dyn Cache>) -> Self {
        Self { cache, prefix: new_id().simple().to_string(), server: None, _folder: None }
    }

    pub fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.prefix)
    }

    pub async fn clean_up(self) {
        if let Some((database, store)) = self.server {
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
    let folder = tempfile::tempdir().expect("makes a folder");
    let url = format!("sqlite:{}", folder.path().join("cache.db").display());
    let store = Store::open(&url, &options()).await.expect("opens the store");
    let cache = open_cache_on("sql:", system_clock(), Some(store)).await.expect("opens");
    Backend { _folder: Some(folder), ..Backend::new(cache) }
}

pub async fn server(url: &str) -> Backend {
    if url.starts_with("redis") {
        return Backend::new(open_cache(url, system_clock()).await.expect("opens"));
    }
    let database = SqlStore::at(url).await;
    let store = Store::open(&database.url, &options()).await.expect("opens the store");
    let cache = open_cache_on("sql:", system_clock(), Some(store.clone())).await.expect("opens");
    Backend { server: Some((database, store)), ..Backend::new(cache) }
}
