//! Cuts the power of a working process at seeded moments, fills its disk and lets it fail: nothing acknowledged is
//! lost, every store opens.
//!
//! The process is this test binary again, with the shim of `ieum_testkit::power` in front of the C library.

mod broken;
mod check;
mod cut;
mod devices;
mod key;
mod left;
mod schema;
mod workload;
