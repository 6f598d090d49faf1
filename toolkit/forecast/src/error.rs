//! What can go wrong with a forecast.

/// Why no forecast was made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ForecastError {
    /// There is nothing to forecast.
    #[error("the panel has no series: add at least one")]
    NoSeries,
    /// The horizon is zero.
    #[error("a forecast of 0 steps was asked: ask for at least one")]
    NoHorizon,
    /// A period of the season is below two steps.
    #[error("a season of {period} steps repeats nothing: name a period of at least 2")]
    BadSeason {
        /// The period, in steps.
        period: usize,
    },
    /// A series has too few values.
    #[error("series {name} has {values} values, this forecast needs at least {needed}")]
    TooShort {
        /// The series.
        name: String,
        /// How many values it has.
        values: usize,
        /// How many are needed.
        needed: usize,
    },
    /// A value is not a finite number.
    #[error("series {name} has no finite number at position {position}")]
    NotFinite {
        /// The series.
        name: String,
        /// Position of the value, from 0.
        position: usize,
    },
    /// A known regressor does not reach over the horizon, or series name different numbers of them.
    #[error(
        "regressor {regressor} of series {name} has {values} values, needs {needed}: history and horizon"
    )]
    ShortRegressor {
        /// The series.
        name: String,
        /// Position of the regressor, from 0.
        regressor: usize,
        /// How many values it has.
        values: usize,
        /// How many are needed.
        needed: usize,
    },
    /// Series that are looked at side by side have different lengths.
    #[error("series {name} has {values} values, the first one {needed}: bring them to one length")]
    Unequal {
        /// The series.
        name: String,
        /// How many values it has.
        values: usize,
        /// How many the first has.
        needed: usize,
    },
    /// A confidence level outside of (0, 1).
    #[error("{level} is no level of confidence: name one between 0 and 1, such as 0.9")]
    BadLevel {
        /// What was given.
        level: f64,
    },
}
