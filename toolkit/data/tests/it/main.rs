//! One suite over every time series backend: SQLite always, servers where they are.

mod backend;
mod suite;
mod wire;

macro_rules! suite_over {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::suite::$case(&super::backend::sqlite().await).await;
            })*
        }
        suite_over!(@server postgres, "needs postgres", $($case),*);
        suite_over!(@server mysql, "needs mysql", $($case),*);
        suite_over!(@server influxdb, "needs influxdb", $($case),*);
        suite_over!(@server victoriametrics, "needs victoriametrics", $($case),*);
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
    points_come_back_as_they_went_in,
    a_range_holds_its_first_time_and_not_its_last,
    tags_choose_series,
    steps_are_made_of_their_points_and_no_others,
    a_range_that_cuts_a_step_takes_only_what_is_inside,
    writing_again_changes_nothing_and_replaces_by_field,
    names_alike_are_kept_apart,
    thousands_of_points_arrive_whole,
    a_point_no_backend_could_keep_is_refused_and_named,
    a_range_that_cannot_be_read_is_refused,
);
