//! SQL behind one door: SQLite, PostgreSQL and MySQL/MariaDB, chosen by URL.
//!
//! ```no_run
//! # async fn example() -> Result<(), ieum_store::StoreError> {
//! use ieum_store::{Store, StoreOptions};
//!
//! let store = Store::open("sqlite:ieum.db", &StoreOptions::default()).await?;
//! let mut transaction = store.begin().await?;
//! transaction.execute("INSERT INTO cups (id, taste) VALUES (?, ?)", &["7".into(), "sweet".into()]).await?;
//! transaction.commit().await?;
//! # Ok(()) }
//! ```
//!
//! SQL text is written once with `?` placeholders; [`Dialect`] holds what differs. What a backend cannot do
//! is in [`Capabilities`].

mod capabilities;
mod columns;
mod connect;
mod connection;
mod dialect;
mod error;
mod insert;
mod journal;
mod migrate;
mod placeholder;
mod private;
mod row;
mod seal;
mod seal_key;
mod statistics;
mod store;
mod store_url;
mod transaction;
mod value;

pub use capabilities::Capabilities;
pub use dialect::{ColumnTypes, Dialect};
pub use error::{ConstraintKind, StoreError};
pub use insert::{Insert, Statement};
pub use migrate::{
    AppliedMigration, Migration, MigrationError, MigrationReport, MigrationStep, PendingMigration, migrate,
    pending,
};
pub use row::Row;
pub use seal::{Place, SealError, SealedColumn, Sealer};
pub use seal_key::{SealingKey, SealingKeyError};
pub use statistics::Statistics;
pub use store::{Store, StoreOptions, Synchronous};
pub use transaction::Transaction;
pub use value::Value;
