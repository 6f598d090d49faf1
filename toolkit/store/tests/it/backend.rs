//! A fresh store of some backend for one test.

use std::time::Duration;

use ieum_store::{Store, StoreOptions, Synchronous};
use ieum_testkit::backend::SqlStore;

pub struct Backend {
    url: String,
    server: Option<SqlStore>,
    _folder: Option<tempfile::TempDir>,
}

impl Backend {
    pub fn sqlite_file() -> Self {
        let folder = tempfile::tempdir().expect("makes a folder");
        let url = format!("sqlite:{}", folder.path().join("한글 폴더/store.db").display());
        Self { url, server: None, _folder: Some(folder) }
    }

    pub fn sqlite_memory() -> Self {
        Self { url: "sqlite::memory:".to_owned(), server: None, _folder: None }
    }

    /// Makes a database of its own on the server at `url`.
    pub async fn server(url: &str) -> Self {
        let database = SqlStore::at(url).await;
        Self { url: database.url.clone(), server: Some(database), _folder: None }
    }

    /// The same on the server `name`, where one was started.
    pub async fn on(name: &str) -> Option<Self> {
        Some(Self::server(&ieum_testkit::server::require(name)?).await)
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn has_one_connection(&self) -> bool {
        self.url == "sqlite::memory:"
    }

    pub fn options() -> StoreOptions {
        StoreOptions {
            pool_size: 4,
            acquire_timeout: Duration::from_secs(20),
            sqlite_synchronous: Synchronous::Off,
            ..StoreOptions::default()
        }
    }

    pub async fn store(&self) -> Store {
        self.store_with(&Self::options()).await
    }

    pub async fn store_with(&self, options: &StoreOptions) -> Store {
        Store::open(&self.url, options).await.expect("opens the store")
    }

    pub async fn clean_up(self) {
        if let Some(database) = self.server {
            database.clean_up().await;
        }
    }
}
