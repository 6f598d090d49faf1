//! The rows of SQL backends over which a suite runs.

/// Runs each case over every SQL backend; a server that was not started is reported as not run.
macro_rules! on_every_backend {
    ($($case:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(&ieum_testkit::backend::SqlStore::sqlite()).await;
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
                let Some(base) = ieum_testkit::backend::SqlStore::on($name).await else { return };
                super::$case(&base).await;
                base.clean_up().await;
            })+
        }
    };
}

pub(crate) use {on_every_backend, on_server};
