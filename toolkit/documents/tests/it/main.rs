//! One suite over every backend of documents: SQLite always, servers where they are.

mod backend;
#[cfg(feature = "mongo")]
mod faults;
mod suite;
#[cfg(feature = "mongo")]
mod wire;

macro_rules! over_documents {
    ($($row:tt)*) => {
        ieum_testkit::over_backends!(
            suite,
            [
                a_document_begins_with_its_first_entry,
                an_entry_that_comes_twice_is_counted_once,
                entries_at_once_are_all_counted_and_none_is_lost,
                an_entry_that_comes_many_times_at_once_is_counted_once,
                the_last_entries_are_shown_in_their_order,
                old_entries_go_and_the_count_stays,
                keys_that_look_alike_when_joined_are_different_documents,
                an_owner_is_forgotten_with_every_document_and_nobody_else,
                what_comes_back_is_what_went_in,
            ],
            $($row)*
        );
    };
}

over_documents!(
    sqlite => crate::backend::sqlite(),
    postgres "needs postgres" => crate::backend::on("postgres"),
    mysql "needs mysql" => crate::backend::on("mysql"),
);

#[cfg(feature = "mongo")]
over_documents!(mongodb "needs mongodb" => crate::backend::in_mongodb());
