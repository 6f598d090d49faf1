//! The one table from URL to time series backend.

use std::sync::Arc;

use ieum_core::redact_url;
use ieum_store::Store;

use crate::influx::InfluxSeries;
use crate::{SeriesError, SqlSeries, TimeSeries};

/// Opens the time series at `url`: `sql:` on `store`, `influxdb://host[:port]/database` or
/// `influxdb+https://…`. Behind the latter two may stand InfluxDB 1 or VictoriaMetrics.
///
/// # Errors
/// A URL that cannot be read, a server that cannot be reached, or `sql:` without a store.
pub async fn open_series(url: &str, store: Option<Store>) -> Result<Arc<dyn TimeSeries>, SeriesError> {
    let wrong = |problem: &str| SeriesError::Url { url: redact_url(url), problem: problem.to_owned() };
    match (url.split_once(':').map(|(scheme, _)| scheme), store) {
        (Some("sql"), Some(store)) => Ok(Arc::new(SqlSeries::open(store).await?)),
        (Some("sql"), None) => Err(wrong("it needs the sql store, which is not open here")),
        (Some("influxdb" | "influxdb+https"), _) => Ok(Arc::new(InfluxSeries::open(url).await?)),
        (Some(other), _) => {
            Err(wrong(&format!("{other:?} is no scheme of time series; expected sql or influxdb")))
        }
        (None, _) => Err(wrong("it has no scheme; expected sql: or influxdb://")),
    }
}
