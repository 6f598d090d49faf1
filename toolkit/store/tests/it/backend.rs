//! A fresh store of some backend for one test.

use std::time::Duration;

use ieum_core::new_id;
use ieum_store::{Store, StoreOptions, Synchronous};

pub struct Backend {
    url: String,
    server: Option<(String, String)>,
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
        let database = format!("ieum_test_{}", new_id().simple());
        let admin = Store::open(url, &StoreOptions::default()).await.expect("reaches the server");
        admin.execute(&format!("CREATE DATABASE {database}"), &[]).await.expect("makes a database");
        admin.close().await;
        let mut own = url::Url::parse(url).expect("is a url");
        own.set_path(&database);
        Self { url: own.into(), server: Some((url.to_owned(), database)), _folder: None }
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
        if let Some((url, database)) = self.server {
            let admin = Store::open(&url, &StoreOptions::default()).await.expect("reaches the server");
            let force = if url.starts_with("postgres") { " WITH (FORCE)" } else { "" };
            admin
                .execute(&format!("DROP DATABASE {database}{force}"), &[])
                .await
                .expect("drops the database");
            admin.close().await;
        }
    }
}
