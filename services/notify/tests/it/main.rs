//! The service as a whole over every SQL backend, with providers that a test tells what to do, and over real ones.

mod api;
mod heard;
mod killed;
mod real;
mod script;
mod stage;
mod suite;

ieum_testkit::over_sql_stores!(
    crate::stage::Stage::over,
    suite,
    a_notification_is_told_on_every_wanted_channel_once,
    preferences_are_asked_again_when_a_message_is_about_to_be_sent,
    quiet_hours_hold_back_until_morning_and_urgent_messages_pass,
    a_digest_is_sent_once_however_many_processes_send,
    the_next_provider_is_asked_where_one_did_not_take_a_message,
    mail_that_may_have_been_sent_is_not_sent_again_until_a_person_says_so,
    a_push_that_may_have_been_sent_is_repeated_by_the_same_provider_alone,
    a_process_that_ends_while_sending_mail_leaves_it_uncertain_and_never_doubled,
    a_process_that_ends_while_pushing_has_it_repeated_under_the_same_id,
    what_nobody_takes_is_tried_again_and_then_failed,
    a_refused_message_is_not_tried_again,
    a_provider_that_fails_is_left_alone_for_a_while,
    two_processes_never_send_the_same_message_twice,
    a_removed_recipient_leaves_nothing_behind,
    what_is_wrong_with_a_wish_is_named_and_nothing_is_kept,
    old_messages_are_purged_and_waiting_ones_stay,
    a_wish_on_the_bus_is_accepted_once,
    an_alert_is_told_to_its_followers_once_when_it_is_raised,
);
