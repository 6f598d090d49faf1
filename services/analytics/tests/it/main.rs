//! The service as a whole over every SQL backend: history, reports, forecasts, money, pages.

mod behaviour;
mod broadway;
mod description;
mod history;
mod killed;
mod outlook;
mod pages;
mod people;
mod questions;
mod stage;
mod suite;

ieum_testkit::over_sql_stores!(
    crate::stage::Stage::over,
    suite,
    a_state_becomes_history_once_however_often_it_comes,
    reports_group_by_type_and_local_hours_with_nothing_for_what_is_not_known,
    a_new_time_zone_moves_the_history_along,
    a_rebuilt_history_is_the_one_that_was_lived,
    a_rebuild_goes_on_with_what_is_told_next,
    what_an_event_cannot_be_is_refused_by_field,
    a_forecast_says_what_it_stands_on_or_why_there_is_none,
    a_forecast_is_scored_by_what_came,
    an_event_that_is_over_is_not_forecast,
    money_is_kept_by_entry_and_answered_with_its_rows,
    an_insight_has_the_seeds_shape_and_rows_for_what_it_recommends,
    a_key_sees_its_events_and_no_money_without_the_scope,
    a_bad_question_names_its_field,
    history_answers_sql_as_the_report_does,
    answers_are_what_the_description_says,
    the_same_question_gets_the_same_answer_and_costs_once,
    a_used_up_budget_refuses_until_the_month_ends_and_still_tells_what_was_told,
    a_budget_is_never_overspent_by_many_at_once_and_outlives_its_process,
    no_group_of_fewer_than_five_is_told_or_follows,
    one_person_more_or_less_is_not_found_in_the_answers,
    a_partner_is_told_of_its_own_events_alone,
);
