//! The solution over its own store, a broker in the process, and a directory that a test scripts.

mod across;
mod cached;
mod contexts;
mod dialogflow;
mod dialogues;
mod dialogues_about;
mod dialogues_chosen;
mod dialogues_colours;
mod dialogues_everyday;
mod dialogues_following;
mod dialogues_later;
mod dialogues_moved;
mod dialogues_no;
mod dialogues_refused;
mod dialogues_repeats;
mod dialogues_several;
mod dialogues_shifted;
mod dialogues_timers;
mod facts;
mod farewells;
mod orders;
mod pages;
mod people;
mod reaching;
mod recordings;
mod replaying;
mod retries;
mod sounds;
mod stage;
mod talk;
mod weather;

ieum_testkit::over_sql_stores!(
    crate::stage::Stage::over,
    contexts,
    a_session_begins_empty_and_remembers_its_turns,
    a_turn_that_comes_twice_is_counted_once,
    turns_at_once_are_all_counted,
    a_long_history_keeps_its_last_turns_and_its_count,
);
