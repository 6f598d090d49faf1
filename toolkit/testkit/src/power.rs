//! Power cuts: what a process wrote and synced is written down, and every moment's disk can be made from it.
//!
//! `kill -9` keeps the page cache and so never tests a sync. Here a real process runs with a small library in
//! front of the C library (`shim.c`, by `LD_PRELOAD`), which writes down each operation on one folder in one
//! order. [`Replay`] then makes the folder as it may lie on the disk after a power cut at any moment:
//!
//! - What a returned `fsync` or `fdatasync` covers is there. A sync under way promises nothing yet (POSIX,
//!   <https://pubs.opengroup.org/onlinepubs/9799919799/functions/fsync.html>).
//! - Every other write is kept, dropped, or torn at sectors of 512 bytes, each by itself, so later ones may be
//!   there while earlier ones are not. Bytes beside a write keep their value ("powersafe overwrite",
//!   <https://www.sqlite.org/psow.html>). Where a file grew without its data, zeros or noise stand in it.
//! - A name that was made, moved or removed is sure only once its *folder* was synced (fsync(2): "does not
//!   necessarily ensure that the entry in the directory containing the file has also reached disk"). ext4 keeps
//!   more than this (it writes names down in order, and a file's own with its sync); we count on none of it.
//! - After a sync that failed, what it covered is there or not for good, and a later sync does not mend it
//!   (<https://wiki.postgresql.org/wiki/Fsync_Errors>).
//! - SQLite's `-shm` file is no data: it is missing after the cut, or full of noise.

mod disk;
mod loss;
mod moment;
mod record;
mod rig;
#[cfg(test)]
mod tests;

pub use disk::{Image, Replay};
pub use moment::{Moment, Phase};
pub use record::History;
pub use rig::{PowerError, Rig};

/// Returns the seed given by hand in `IEUM_TEST_SEED`, or `otherwise`.
#[allow(clippy::disallowed_methods, reason = "a seed given by hand to repeat a failure")]
pub fn seed(otherwise: u64) -> u64 {
    std::env::var("IEUM_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}
