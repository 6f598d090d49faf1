//! The service as a whole over every SQL backend: keys, doors, answers, webhooks; the committed API description.

mod api;
mod description;
mod isolation;
mod plans;
mod stage;
mod suite;
mod told;

ieum_testkit::over_sql_stores!(
    crate::stage::Stage::over,
    suite,
    a_key_sees_its_events_and_its_limit,
    a_foreign_event_is_forbidden_whether_it_exists_or_not,
    each_door_asks_for_its_tier_and_scope,
    a_bad_query_names_its_field,
    both_texts_of_a_rotated_key_work_and_none_of_a_revoked_one,
    a_webhook_endpoint_shows_its_secret_once,
    a_bad_webhook_names_its_field_and_saves_nothing,
    the_description_is_served,
    a_change_reaches_who_may_see_it_signed_and_once,
    a_key_made_after_the_start_is_told_as_well,
    no_path_shows_a_partner_anything_of_another,
    totals_alone_unless_plan_or_key_says_otherwise,
    a_days_quota_is_exact_over_two_processes_and_named,
    a_key_sees_its_own_use_by_endpoint,
    an_unknown_plan_is_refused,
);
