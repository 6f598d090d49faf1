//! One suite over every bus: local on SQLite always, servers where they are.

#[cfg(feature = "kafka")]
mod broker;
#[cfg(feature = "kafka")]
mod kafka;
mod kill;
mod listener;
#[cfg(feature = "kafka")]
mod refusals;
#[cfg(feature = "kafka")]
mod secure;
mod suite;
#[cfg(feature = "kafka")]
mod whereabouts;
mod world;

/// What holds wherever the log is, and what only the local one can show.
macro_rules! suite_over {
    ([$($case:ident),* $(,)?], only_local: [$($local:ident),* $(,)?]) => {
        ieum_testkit::over_backends!(
            suite,
            [$($case,)* $($local,)*],
            local_sqlite => crate::world::World::sqlite(),
            local_postgres "needs postgres" => crate::world::World::on("postgres"),
            local_mariadb "needs mysql" => crate::world::World::on("mysql"),
        );
        #[cfg(feature = "kafka")]
        ieum_testkit::over_backends!(
            suite,
            [$($case,)*],
            kafka_sqlite "needs kafka" => crate::world::World::on_kafka(),
            kafka_postgres "needs kafka postgres" => crate::world::World::on_kafka_and("postgres"),
        );
    };
}

suite_over!([
    what_is_published_is_handled_with_its_context,
    every_group_gets_every_event,
    an_event_published_twice_has_one_effect,
    a_retried_event_keeps_its_keys_order_and_blocks_no_other_key,
    an_event_fails_alone_in_its_batch,
    a_rolled_back_outbox_publishes_nothing,
    an_outbox_keeps_the_order_of_each_key,
    effect_and_mark_stand_or_fall_together,
    a_dead_letter_tells_why_and_lets_its_key_go_on,
    a_panic_makes_a_dead_letter,
    attempts_used_up_make_a_dead_letter,
    a_replay_is_handled_once,
    an_edited_dead_letter_is_replayed_with_its_new_body,
    a_discarded_dead_letter_stays_readable_and_is_not_replayed,
    two_consumers_share_a_group_without_doubling,
    a_dead_consumers_slots_are_taken_over,
    a_drained_consumer_leaves_its_slots_at_once,
    an_event_is_located_on_its_whole_way,
    lag_counts_what_waits,
    bad_names_and_events_are_refused,
    nothing_is_passed_by_while_transactions_commit_out_of_order,
], only_local: [
    // These look into the local log's own table.
    garbage_in_the_log_stops_nobody,
    a_purge_keeps_what_some_group_has_not_taken,
    many_publishers_share_commits,
]);
