//! Sagas and schedules over every SQL backend, with a clock that stands still and processes that are killed.

mod killed;
mod stage;
mod suite;

ieum_testkit::over_sql_stores!(
    crate::stage::Stage::over,
    suite,
    steps_are_done_in_order_and_the_end_is_told_once,
    a_refused_step_is_undone_with_all_before_it_in_reverse,
    a_step_that_may_pass_is_asked_again_under_the_same_key,
    a_saga_under_the_same_id_begins_once,
    a_saga_that_its_transaction_rolled_back_never_was,
    what_a_dead_process_left_is_taken_over_at_its_step,
    two_processes_never_ask_a_step_at_once,
    a_stuck_saga_waits_for_a_person_and_goes_on_when_told,
    an_end_that_cannot_be_told_is_not_kept,
    what_is_over_is_purged_and_what_is_stuck_stays,
    what_is_due_happens_once_however_many_processes_look,
    what_is_due_at_one_time_happens_in_the_order_in_which_it_was_set,
    what_fails_is_rolled_back_and_tried_later,
    a_schedule_comes_again_moves_and_is_cancelled,
    nobody_begins_what_nobody_does,
);
