//! The ledger over every SQL backend.

mod stage;
mod suite;

ieum_testkit::over_sql_stores!(
    crate::stage::Stage::over,
    suite,
    a_charge_under_one_id_begins_once_and_ends_once,
    one_that_ended_may_begin_again,
    what_has_no_price_is_refused_and_not_kept,
);
