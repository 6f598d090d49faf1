//! The front door with a real store and a clock turned by hand.

mod doors;
mod errors;
mod forward;
mod forward_tls;
mod keys;
mod mint;
mod stage;
mod telemetry;
mod tokens;

/// What holds over every store.
mod suite {
    pub use crate::doors::*;
    pub use crate::keys::*;
    pub use crate::tokens::*;
}

ieum_testkit::over_sql_stores!(
    crate::stage::Stage::over,
    suite,
    a_key_is_kept_as_a_hash_and_shown_once,
    malformed_foreign_and_altered_keys_are_all_simply_wrong,
    a_busy_key_costs_no_sql_while_it_is_remembered,
    many_requests_at_once_ask_the_store_once,
    after_a_rotation_both_texts_work_until_the_overlap_ends_and_never_three,
    a_key_ends_at_its_time,
    a_revoked_key_ends_here_at_once_and_elsewhere_within_a_second,
    the_last_use_is_written_in_batches,
    a_wish_that_cannot_be_met_names_its_field_and_saves_nothing,
    a_limit_lets_exactly_its_number_through_and_says_when_to_come_back,
    strangers_are_limited_per_address_and_keys_on_their_own,
    a_key_may_have_its_own_limit,
    who_tries_wrong_keys_is_held_back_and_known_keys_behind_the_same_address_are_not,
    a_revoked_token_ends_at_every_door,
);
