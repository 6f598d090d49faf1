//! What can be wrong with what callers bring.

/// Says why a hierarchy cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HierarchyError {
    /// A width is not positive, or no multiple of the one before, so that a band would be cut by a wider one.
    #[error("band width {width} is not a positive multiple of {before}, the width before it")]
    Width {
        /// The width.
        width: i64,
        /// The width before it; 1 for the first.
        before: i64,
    },
    /// Prefixes do not grow shorter.
    #[error("prefix length {length} is not shorter than {before}, the length before it")]
    Prefix {
        /// The length.
        length: usize,
        /// The length before it.
        before: usize,
    },
    /// A category is its own ancestor.
    #[error("category {category:?} is its own ancestor")]
    Circle {
        /// The category.
        category: String,
    },
}

/// Says why rows cannot be anonymised.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnonymiseError {
    /// Fewer than two people per class is no anonymity.
    #[error("k is {k}; at least 2 people make a class")]
    TooSmall {
        /// The `k` asked for.
        k: usize,
    },
    /// The share of rows that may be left out is no share.
    #[error("the share of rows that may be left out is {share}, expected 0 to 1")]
    Share {
        /// The share, as text.
        share: String,
    },
    /// A row does not fit the columns.
    #[error("row {row} has {values} values for {columns} columns")]
    RowLength {
        /// The row, from 0.
        row: usize,
        /// Its values.
        values: usize,
        /// The columns.
        columns: usize,
    },
    /// A value is none of its column.
    #[error("row {row}, column {column}: {value:?} is no number")]
    NotANumber {
        /// The row, from 0.
        row: usize,
        /// The column.
        column: String,
        /// The value.
        value: String,
    },
    /// There is not one secret per row.
    #[error("{secrets} secrets for {rows} rows")]
    Secrets {
        /// The secrets given.
        secrets: usize,
        /// The rows given.
        rows: usize,
    },
}

/// Says why a table of counts cannot be protected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// A row is longer or shorter than the first.
    #[error("row {row} has {cells} cells, the first has {columns}")]
    RowLength {
        /// The row, from 0.
        row: usize,
        /// Its cells.
        cells: usize,
        /// The cells of the first row.
        columns: usize,
    },
    /// There is nothing in the table.
    #[error("the table has no cell")]
    Empty,
    /// The counts do not fit into 62 bits together.
    #[error("the counts are too large to be added up")]
    TooLarge,
}

/// Says why no noise can be added.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoiseError {
    /// An epsilon of nothing lets nothing be said.
    #[error("epsilon is zero; nothing can be told for nothing")]
    NoEpsilon,
    /// A person who may contribute nothing makes no question.
    #[error("a person contributes at most {contributions} rows; expected 1 to 1000000")]
    Contributions {
        /// The rows.
        contributions: u32,
    },
    /// The bounds of a sum are the wrong way round or too wide.
    #[error(
        "values are cut to {lower} to {upper}; expected a lower bound not above the upper, each within ±2^40"
    )]
    Bounds {
        /// The lower.
        lower: i64,
        /// The upper.
        upper: i64,
    },
    /// The library refused.
    #[error("OpenDP refused while {step}: {why}")]
    Library {
        /// What was tried.
        step: &'static str,
        /// What it said.
        why: String,
    },
}

/// Says why a question is not answered.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError<E: std::error::Error + 'static> {
    /// The budget does not hold what the question costs.
    #[error("partner {partner} has {left} of epsilon {limit} left for {dataset}, the question costs {cost}")]
    UsedUp {
        /// Who asks.
        partner: String,
        /// About what.
        dataset: String,
        /// What is left.
        left: crate::Epsilon,
        /// What there was.
        limit: crate::Epsilon,
        /// What the question costs.
        cost: crate::Epsilon,
    },
    /// The ledger cannot be read or written; nothing was told.
    #[error("{step} the ledger of {dataset}")]
    Store {
        /// What was tried.
        step: &'static str,
        /// About what.
        dataset: String,
        /// Why.
        #[source]
        cause: E,
    },
    /// Others kept asking at the same time; nothing was told.
    #[error("the ledger of {dataset} changed {tries} times while the question was asked; ask again")]
    Busy {
        /// About what.
        dataset: String,
        /// How often it was tried.
        tries: u32,
    },
    /// No noise can be added.
    #[error("adding noise")]
    Noise(#[source] NoiseError),
}
