//! One suite over many backends, and fresh SQL databases, one per test: SQLite in a temporary folder, the others on
//! the servers of the test run.

use sqlx::{AssertSqlSafe, Connection, MySqlConnection, PgConnection};
use tempfile::TempDir;

use crate::{server, temp};

/// A database that belongs to one test. Its URL says which backend it is.
pub struct SqlStore {
    /// Where it is.
    pub url: String,
    server: Option<Server>,
    _folder: Option<TempDir>,
}

/// The server on which a database was made, and the database.
struct Server {
    url: String,
    database: String,
}

impl SqlStore {
    /// Makes a SQLite file in a folder of its own.
    pub fn sqlite() -> Self {
        let folder = temp::folder();
        let url = temp::sqlite_url(&folder, "test.db");
        Self { url, server: None, _folder: Some(folder) }
    }

    /// Makes a database on the server `name` (`postgres` or `mysql`), or records that the test did not run.
    ///
    /// # Panics
    /// Where the server does not do as it is asked.
    pub async fn on(name: &str) -> Option<Self> {
        Some(Self::at(&server::require(name)?).await)
    }

    /// Makes a database on the server at `url`.
    ///
    /// # Panics
    /// Where the server does not do as it is asked.
    pub async fn at(url: &str) -> Self {
        let database = format!("ieum_test_{}", ieum_core::new_id().simple());
        run(url, format!("CREATE DATABASE {database}")).await;
        let mut own = url::Url::parse(url).expect("a test server's address is a URL");
        own.set_path(&database);
        let server = Server { url: url.to_owned(), database };
        Self { url: own.into(), server: Some(server), _folder: None }
    }

    /// Drops the database, whoever is still connected.
    ///
    /// # Panics
    /// Where the server does not do as it is asked.
    pub async fn clean_up(self) {
        let Some(Server { url, database }) = self.server else { return };
        let force = if url.starts_with("postgres") { " WITH (FORCE)" } else { "" };
        run(&url, format!("DROP DATABASE {database}{force}")).await;
    }
}

async fn run(url: &str, sql: String) {
    let done = async {
        if url.starts_with("postgres") {
            let mut connection = PgConnection::connect(url).await?;
            sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut connection).await?;
            connection.close().await
        } else {
            let mut connection = MySqlConnection::connect(url).await?;
            sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut connection).await?;
            connection.close().await
        }
    };
    if let Err(error) = done.await {
        panic!("running {sql} on the test server: {error}");
    }
}

/// Writes a test per case and SQL backend: `$make` makes a stage over a fresh database's URL, `$suite::$case`
/// takes the stage.
#[macro_export]
macro_rules! over_sql_stores {
    ($make:path, $suite:ident, $($case:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let store = $crate::backend::SqlStore::sqlite();
                super::$suite::$case(&$make(&store.url).await).await;
            })*
        }
        $crate::over_sql_stores!(@server postgres, "needs postgres", $make, $suite, $($case),*);
        $crate::over_sql_stores!(@server mysql, "needs mysql", $make, $suite, $($case),*);
    };
    (@server $server:ident, $needs:literal, $make:path, $suite:ident, $($case:ident),*) => {
        mod $server {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = $needs]
            async fn $case() {
                let on = $crate::backend::SqlStore::on(stringify!($server)).await;
                let Some(store) = on else { return };
                super::$suite::$case(&$make(&store.url).await).await;
                store.clean_up().await;
            })*
        }
    };
}

/// Writes a test per case and backend: `$make` makes a fresh backend, `$suite::$case` takes it, and its `clean_up` ends
/// it. Where servers are named, it may make `None`: what it [`require`](crate::server::require)s was not started.
///
/// `over_backends!(suite, [a_case, another], memory => crate::memory(), redis "needs redis" => crate::on("redis"));`
#[macro_export]
macro_rules! over_backends {
    ($suite:ident, $cases:tt, $($backend:ident $($needs:literal)? => $make:expr),+ $(,)?) => {
        $($crate::over_backends!(@row $suite, $cases, $backend, $make $(, $needs)?);)+
    };
    (@row $suite:ident, [$($case:ident),* $(,)?], $backend:ident, $make:expr) => {
        mod $backend {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let backend = $make.await;
                super::$suite::$case(&backend).await;
                backend.clean_up().await;
            })*
        }
    };
    (@row $suite:ident, [$($case:ident),* $(,)?], $backend:ident, $make:expr, $needs:literal) => {
        mod $backend {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = $needs]
            async fn $case() {
                let Some(backend) = $make.await else { return };
                super::$suite::$case(&backend).await;
                backend.clean_up().await;
            })*
        }
    };
}
