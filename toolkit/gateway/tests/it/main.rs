//! The front door with a real store and a clock turned by hand.

mod doors;
mod errors;
mod forward;
mod keys;
mod mint;
mod stage;
mod telemetry;
mod tokens;

/// Runs keys and limits over every store: SQLite always, servers where they are.
macro_rules! suite_over {
    ($($module:ident::$case:ident),* $(,)?) => {
        suite_over!(@always sqlite, $($module::$case),*);
        suite_over!(@server postgres, "needs postgres", $($module::$case),*);
        suite_over!(@server mysql, "needs mysql", $($module::$case),*);
    };
    (@always $backend:ident, $($module:ident::$case:ident),*) => {
        mod $backend {
            $(#[tokio::test]
            async fn $case() {
                super::$module::$case(&super::stage::Stage::new().await).await;
            })*
        }
    };
    (@server $backend:ident, $reason:literal, $($module:ident::$case:ident),*) => {
        mod $backend {
            $(#[tokio::test]
            #[ignore = $reason]
            async fn $case() {
                let Some(url) = ieum_testkit::server::require(stringify!($backend)) else { return };
                let stage = super::stage::Stage::on_server(&url).await;
                super::$module::$case(&stage).await;
                stage.clean_up().await;
            })*
        }
    };
}

suite_over!(
    keys::a_key_is_kept_as_a_hash_and_shown_once,
    keys::malformed_foreign_and_altered_keys_are_all_simply_wrong,
    keys::a_busy_key_costs_no_sql_while_it_is_remembered,
    keys::many_requests_at_once_ask_the_store_once,
    keys::after_a_rotation_both_texts_work_until_the_overlap_ends_and_never_three,
    keys::a_key_ends_at_its_time,
    keys::a_revoked_key_ends_here_at_once_and_elsewhere_within_a_second,
    keys::the_last_use_is_written_in_batches,
    keys::a_wish_that_cannot_be_met_names_its_field_and_saves_nothing,
    doors::a_limit_lets_exactly_its_number_through_and_says_when_to_come_back,
    doors::strangers_are_limited_per_address_and_keys_on_their_own,
    doors::a_key_may_have_its_own_limit,
    doors::who_tries_wrong_keys_is_held_back_and_known_keys_behind_the_same_address_are_not,
    tokens::a_revoked_token_ends_at_every_door,
);
