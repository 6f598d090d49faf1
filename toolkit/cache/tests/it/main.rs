//! One suite over every cache backend: memory and SQLite always, servers where they are.

mod backend;
mod limits;
mod suite;

ieum_testkit::over_backends!(
    suite,
    [
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
    ],
    memory => crate::backend::memory(),
    sqlite => crate::backend::sqlite(),
    postgres "needs postgres" => crate::backend::on("postgres"),
    mysql "needs mysql" => crate::backend::on("mysql"),
    redis "needs redis" => crate::backend::on("redis"),
);
