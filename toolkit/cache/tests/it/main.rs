//! One suite over every cache backend: memory and SQLite always, servers where they are.

mod backend;
mod limits;
mod suite;

macro_rules! suite_over {
    ($($case:ident),* $(,)?) => {
        suite_over!(@always memory, $($case),*);
        suite_over!(@always sqlite, $($case),*);
        suite_over!(@server postgres, "needs postgres", $($case),*);
        suite_over!(@server mysql, "needs mysql", $($case),*);
        suite_over!(@server redis, "needs redis", $($case),*);
    };
    (@always $backend:ident, $($case:ident),*) => {
        mod $backend {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let backend = super::backend::$backend().await;
                super::suite::$case(&backend).await;
            })*
        }
    };
    (@server $backend:ident, $reason:literal, $($case:ident),*) => {
        mod $backend {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = $reason]
            async fn $case() {
                let Some(url) = ieum_testkit::server::require(stringify!($backend)) else { return };
                let backend = super::backend::server(&url).await;
                super::suite::$case(&backend).await;
                backend.clean_up().await;
            })*
        }
    };
}

suite_over!(
    a_value_comes_back_as_it_went_in,
    a_deleted_key_is_gone,
    a_lifetime_ends,
    a_newer_value_has_its_own_lifetime,
    a_ranking_is_ordered_and_changes,
    the_same_name_may_be_key_ranking_lock_and_limit,
    a_lock_has_one_holder,
    a_dropped_lock_is_given_back,
    a_lock_ends_by_time,
    a_limit_lets_the_burst_pass_and_no_more,
    a_limit_refills_at_its_rate,
    many_tasks_share_one_limit_exactly,
    a_key_no_backend_could_keep_is_refused,
);
