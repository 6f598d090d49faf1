//! One suite over every bus: local on SQLite always, servers where they are.

#[cfg(feature = "kafka")]
mod broker;
#[cfg(feature = "kafka")]
mod kafka;
mod kill;
mod listener;
mod suite;
mod world;

use ieum_testkit::server::require;
use world::World;

/// Makes a module with one test per case over a world of its own.
macro_rules! suite_on {
    ($module:ident, $needs:literal, $world:ident, [$($case:ident),* $(,)?]) => {
        mod $module {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = $needs]
            async fn $case() {
                let Some(world) = super::$world().await else { return };
                super::suite::$case(&world).await;
                world.clean_up().await;
            })*
        }
    };
}

/// What holds wherever the log is.
macro_rules! suite_over {
    ([$($case:ident),* $(,)?], only_local: [$($local:ident),* $(,)?]) => {
        mod local_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::suite::$case(&super::World::sqlite().await).await;
            })*
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $local() {
                super::suite::$local(&super::World::sqlite().await).await;
            })*
        }
        suite_on!(local_postgres, "needs postgres", on_postgres, [$($case,)* $($local,)*]);
        suite_on!(local_mariadb, "needs mysql", on_mariadb, [$($case,)* $($local,)*]);
        #[cfg(feature = "kafka")]
        suite_on!(kafka_sqlite, "needs kafka", on_kafka, [$($case,)*]);
        #[cfg(feature = "kafka")]
        suite_on!(kafka_postgres, "needs kafka postgres", on_kafka_and_postgres, [$($case,)*]);
    };
}

async fn on_postgres() -> Option<World> {
    Some(World::server(&require("postgres")?).await)
}

async fn on_mariadb() -> Option<World> {
    Some(World::server(&require("mysql")?).await)
}

#[cfg(feature = "kafka")]
async fn on_kafka() -> Option<World> {
    Some(World::kafka(&require("kafka")?).await)
}

#[cfg(feature = "kafka")]
async fn on_kafka_and_postgres() -> Option<World> {
    let broker = require("kafka")?;
    Some(World::on_server(&require("postgres")?, &broker).await)
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
