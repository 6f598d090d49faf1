//! One suite over every time series backend: SQLite always, servers where they are.

mod backend;
mod suite;
mod wire;

ieum_testkit::over_backends!(
    suite,
    [
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
    ],
    sqlite => crate::backend::sqlite(),
    postgres "needs postgres" => crate::backend::on("postgres"),
    mysql "needs mysql" => crate::backend::on("mysql"),
    influxdb "needs influxdb" => crate::backend::on("influxdb"),
    victoriametrics "needs victoriametrics" => crate::backend::on("victoriametrics"),
);
