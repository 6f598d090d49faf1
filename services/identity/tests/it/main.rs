//! The service over every SQL backend, with charges that a test tells what to do.

mod stage;
mod suite;

ieum_testkit::over_sql_stores!(
    crate::stage::Stage::over,
    suite,
    a_person_is_saved_listed_and_removed,
    that_a_person_is_gone_is_told_once,
    a_device_becomes_a_persons_and_is_told_once,
    the_plan_says_how_many_devices_there_may_be_also_at_once,
    a_refused_charge_leaves_nothing_behind,
    a_charge_that_cannot_be_reached_is_asked_for_later,
    a_device_is_one_persons_only,
    the_same_wish_under_the_same_key_is_one_registration,
    a_removed_device_is_charged_for_no_more,
    a_blocked_person_gets_no_device,
    pages_answer_as_the_contract_does,
);
