//! One suite over every SQL backend, and the official Standard Webhooks libraries as judges.

mod chosen;
mod kill;
mod official;
mod purged;
mod receiver;
mod secrecy;
mod stage;
mod suite;

ieum_testkit::over_sql_stores!(
    crate::stage::Stage::over,
    suite,
    a_message_arrives_signed_in_both_ways,
    a_failed_delivery_is_tried_again_under_the_same_id,
    a_transaction_that_is_undone_sends_nothing,
    a_message_is_accepted_once_per_id,
    an_endpoint_gets_only_the_events_it_wants,
    gone_disables_the_endpoint_and_holds_back_the_rest,
    a_throttled_endpoint_is_left_alone_as_long_as_it_asks,
    an_ordered_endpoint_gets_each_key_in_order,
    what_was_accepted_before_a_crash_is_delivered_after_it,
    a_crash_after_sending_sends_again_under_the_same_id,
    two_processes_send_nothing_twice,
    a_schedule_that_is_used_up_ends_the_delivery,
    an_endpoint_that_failed_for_the_whole_span_is_disabled,
    a_hanging_receiver_is_given_up_in_time,
    a_redirect_is_not_followed,
    an_inner_address_is_refused_when_registered_and_at_each_attempt,
    an_open_breaker_leaves_the_endpoint_alone,
    a_rotated_secret_signs_beside_the_old_one,
    a_delivery_can_be_sent_again,
    everything_missed_since_a_time_can_be_sent_again,
    the_log_keeps_the_start_of_each_answer,
    a_foreign_partner_sees_and_changes_nothing,
    a_drained_sender_leaves_nothing_under_way,
    what_arrived_goes_after_its_time_and_what_is_to_be_sent_stays,
    a_missed_message_stays_in_range_of_a_resend_and_many_go_in_groups,
    a_message_is_signed_for_the_public_key_too_over_a_rotation,
    an_endpoint_gets_only_what_its_filters_let_through,
    a_trial_goes_to_one_endpoint_whatever_it_wants,
    a_span_is_sent_again_with_what_arrived_where_asked,
    the_log_is_searched_by_event_message_and_span,
);
