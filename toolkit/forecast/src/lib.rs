//! Forecasts for many related series at once: plain models, a gradient-boosted one, and their scored mixture.
//!
//! A [`Panel`] holds the series; a [`Model`] continues all of them by a number of steps; [`Mixture`] weighs
//! models by how well each continued a held-out end, and puts an interval around the result whose width comes
//! from the errors made there. [`score`] has the measures of the M4 competition.

mod boost;
mod calendar;
mod error;
mod ets;
mod features;
mod interval;
mod mixture;
mod naive;
mod panel;
mod pooled;
pub mod score;
mod theta;
mod unusual;

pub use calendar::{Holiday, holidays, regressors};
pub use error::ForecastError;
pub use ets::MstlEts;
pub use interval::{Forecast, repeat_season};
pub use mixture::{Mixture, Weighed};
pub use naive::SeasonalNaive;
pub use panel::{Model, Panel, Season, Series, fill_gaps};
pub use pooled::{Pooled, PooledOptions};
pub use theta::Theta;
pub use unusual::{Unusual, unusual};
