//! What answers SQL over a lake.

use std::time::Duration;

use async_trait::async_trait;

use crate::{Cell, Column, LakeError, Rows};

/// What a question may cost.
#[derive(Clone, Copy, Debug)]
pub struct EngineOptions {
    /// The most rows in one answer.
    pub most_rows: usize,
    /// How long one question may take.
    pub timeout: Duration,
    /// How much memory the embedded engine may hold, in bytes. A cluster has its own limits.
    pub memory: usize,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { most_rows: 100_000, timeout: Duration::from_secs(60), memory: 512 << 20 }
    }
}

/// An engine that reads a lake's datasets as tables.
#[async_trait]
pub trait SqlEngine: Send + Sync + 'static {
    /// Names the engine, as people know it.
    fn name(&self) -> &'static str;

    /// Asks the engine for an answer.
    ///
    /// # Errors
    /// [`LakeError::Unreachable`] where it gives none.
    async fn ping(&self) -> Result<(), LakeError>;

    /// Makes the dataset with these columns, so that it can be asked before it has rows.
    ///
    /// # Errors
    /// [`LakeError::Rows`] where it is there with others, [`LakeError::File`].
    async fn declare(&self, dataset: &str, columns: &[Column]) -> Result<(), LakeError>;

    /// Makes the rows the partition's, in place of those it had, and the dataset where it is not there yet. Names are 1
    /// to 64 lower-case letters, digits and `_`, partitions also `-`. All is checked before anything is written.
    ///
    /// # Errors
    /// [`LakeError::Rows`] for a name, a cell or columns that do not fit; [`LakeError::File`] where writing fails, of
    /// which nothing is seen then.
    async fn keep(
        &self,
        dataset: &str,
        partition: &str,
        columns: &[Column],
        rows: Vec<Vec<Cell>>,
    ) -> Result<(), LakeError>;

    /// Returns the names of the dataset's partitions that hold rows, in order; none where it is not there.
    ///
    /// # Errors
    /// [`LakeError::File`] where the folder cannot be read.
    fn partitions(&self, dataset: &str) -> Result<Vec<String>, LakeError>;

    /// Answers one `SELECT` over the datasets, each under its own name. Numbers come as 64 bits, decimals as
    /// floating point; times are UTC.
    ///
    /// # Errors
    /// [`LakeError::Refused`] for anything but a question, and where the engine does not understand it;
    /// [`LakeError::TooMuch`], [`LakeError::Late`] where it costs more than it may.
    async fn query(&self, sql: &str) -> Result<Rows, LakeError>;
}

/// Tells whether the text holds the dataset's name as a word of its own, so that the dataset is worth opening.
#[cfg(feature = "engines")]
pub(crate) fn mentions(sql: &str, dataset: &str) -> bool {
    let words = sql.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    words.into_iter().any(|word| word.eq_ignore_ascii_case(dataset))
}
