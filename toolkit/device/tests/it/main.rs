//! The broker from the outside.

mod conformance_five;
mod conformance_three;
mod credentials;
mod durable;
mod inside;
mod kept;
mod limits;
mod originals;
mod raw;
mod secrets;
mod unmodified;
mod world;

ieum_testkit::over_sql_stores!(
    crate::credentials::over,
    credentials,
    of_many_who_add_a_device_at_once_one_gets_a_secret,
    of_many_secrets_that_replace_one_at_once_one_stays,
);
