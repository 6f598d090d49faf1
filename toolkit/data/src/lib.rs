//! Time series: points written in batches and read back by range, whole or in steps.
//!
//! | URL | where | for |
//! |---|---|---|
//! | `sql:` | the SQL store | nothing to install |
//! | `influxdb://host/database` | InfluxDB 1 or VictoriaMetrics, over HTTP | many points |
//! | `influxdb+https://host/database` | the same over HTTPS | many points |
//!
//! What a backend cannot do is in [`Capabilities`].

mod capabilities;
mod error;
mod influx;
mod open;
mod point;
mod range;
mod sql;

use async_trait::async_trait;

pub use capabilities::Capabilities;
pub use error::SeriesError;
pub use influx::{InfluxSeries, to_line};
pub use open::open_series;
pub use point::{Field, Point};
pub use range::{Aggregate, Range};
pub use sql::SqlSeries;

/// A store of time series.
#[async_trait]
pub trait TimeSeries: Send + Sync + 'static {
    /// Returns what this backend gives and lacks.
    fn capabilities(&self) -> Capabilities;

    /// Asks the backend for an answer.
    async fn ping(&self) -> Result<(), SeriesError>;

    /// Keeps the points. A field that is there already for the same measurement, tags and time is replaced,
    /// so writing the same points again changes nothing. All points are checked before any is kept; a
    /// failure afterwards may leave some of them behind.
    async fn write(&self, points: &[Point]) -> Result<(), SeriesError>;

    /// Returns the points of the range by time, then tags; with a step, one point per series and step that
    /// holds something, whose time is the step's beginning.
    async fn query(&self, range: &Range) -> Result<Vec<Point>, SeriesError>;
}
