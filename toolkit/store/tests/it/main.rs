//! One suite over every SQL backend: SQLite always, servers where they are.

mod backend;
mod broken;
mod sealed;
mod sqlite;
mod suite;

ieum_testkit::over_backends!(
    suite,
    [
        values_of_every_type_come_back_as_they_went_in,
        sums_and_averages_are_numbers,
        a_parameter_keeps_its_type_when_a_statement_is_used_again,
        a_question_mark_in_quotes_or_comments_is_no_placeholder,
        a_wrong_number_of_values_is_refused,
        a_hostile_value_stays_a_value,
        a_dropped_transaction_leaves_nothing,
        a_transaction_with_a_failed_statement_can_only_be_undone,
        a_committed_transaction_is_seen_by_others,
        a_reading_transaction_cannot_write,
        many_writers_lose_no_update,
        a_taken_key_is_a_unique_violation,
        each_constraint_has_its_kind,
        an_upsert_changes_the_row_that_is_there,
        an_insert_tells_which_rows_it_added,
        a_batch_beyond_the_parameter_limit_arrives_whole,
        migrations_apply_once_and_in_order,
        a_changed_migration_is_refused,
        two_migrators_at_once_apply_once,
        a_failed_migration_can_be_repaired_and_continues,
        a_dry_run_changes_nothing,
        a_newer_builds_migrations_are_reported,
        an_exhausted_pool_says_so,
        a_closed_store_says_so,
        a_fault_holds_no_sql_and_no_address,
        statistics_count_what_happened,
        a_column_moves_to_the_first_key_from_clear_and_from_an_older_one,
    ],
    sqlite_file => async { crate::backend::Backend::sqlite_file() },
    sqlite_memory => async { crate::backend::Backend::sqlite_memory() },
    postgres "needs postgres" => crate::backend::Backend::on("postgres"),
    mysql "needs mysql" => crate::backend::Backend::on("mysql"),
);
