//! History as files, and SQL over them: the same text on the embedded engine and on a Spark cluster.
//!
//! | URL | engine | for |
//! |---|---|---|
//! | `datafusion:` | DataFusion within this process | nothing to install |
//! | `sc://host[:port]/;token=…;use_ssl=true` | Spark Connect: Apache Spark or Sail | more than one machine holds |
//!
//! A [`Lake`] is a folder of Parquet files, one folder per dataset and one file per partition. An engine reads it as
//! tables. What both engines understand alike is a common part of SQL; the suite in `tests/` says which.
//!
//! Without the feature `engines` only the types are there, and opening an engine says so.

mod cell;
mod engine;
mod error;
mod open;

#[cfg(feature = "engines")]
mod columns;
#[cfg(feature = "engines")]
mod embedded;
#[cfg(feature = "engines")]
mod lake;
#[cfg(feature = "engines")]
mod spark;

pub use cell::{Cell, Column, Kind, Rows};
pub use engine::{EngineOptions, SqlEngine};
pub use error::LakeError;
pub use open::{SCHEMES, check_engine_url, open_engine};

#[cfg(feature = "engines")]
pub use {embedded::Embedded, lake::Lake, spark::Spark};
