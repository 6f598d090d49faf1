//! A fresh database of some backend for one test, and the rows of backends over which a suite runs.

use ieum_core::new_id;
use ieum_store::{Store, StoreOptions};

/// Where a hub keeps its tables.
pub struct Base {
    url: String,
    server: Option<(String, String)>,
    _folder: Option<tempfile::TempDir>,
}

impl Base {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("makes a folder");
        let url = format!("sqlite:{}", folder.path().join("hub.db").display());
        Self { url, server: None, _folder: Some(folder) }
    }

    /// Makes a database of its own on the server `name`, or records that the test did not run.
    pub async fn server(name: &str) -> Option<Self> {
        let url = ieum_testkit::server::require(name)?;
        let database = format!("ieum_events_{}", new_id().simple());
        let admin = Store::open(&url, &StoreOptions::default()).await.expect("reaches the server");
        admin.execute(&format!("CREATE DATABASE {database}"), &[]).await.expect("makes a database");
        admin.close().await;
        let mut own = url::Url::parse(&url).expect("is a url");
        own.set_path(&database);
        Some(Self { url: own.into(), server: Some((url, database)), _folder: None })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub async fn clean_up(self) {
        let Some((url, database)) = self.server else { return };
        let admin = Store::open(&url, &StoreOptions::default()).await.expect("reaches the server");
        let force = if url.starts_with("postgres") { " WITH (FORCE)" } else { "" };
        let dropped = admin.execute(&format!("DROP DATABASE {database}{force}"), &[]).await;
        dropped.expect("drops the database");
        admin.close().await;
    }
}

/// Runs each case over every SQL backend; a server that was not started is reported as not run.
macro_rules! on_every_backend {
    ($($case:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(&crate::base::Base::sqlite()).await;
            })+
        }
        crate::base::on_server!("postgres", "needs postgres", postgres, $($case),+);
        crate::base::on_server!("mysql", "needs mysql", mysql, $($case),+);
    };
}

macro_rules! on_server {
    ($name:literal, $reason:literal, $module:ident, $($case:ident),+) => {
        mod $module {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = $reason]
            async fn $case() {
                let Some(base) = crate::base::Base::server($name).await else { return };
                super::$case(&base).await;
                base.clean_up().await;
            })+
        }
    };
}

pub(crate) use {on_every_backend, on_server};
