//! The season repeated: the model every other has to beat.

use crate::{ForecastError, Model, Panel};

/// Repeats the last short season.
#[derive(Clone, Copy, Debug, Default)]
pub struct SeasonalNaive;

impl Model for SeasonalNaive {
    fn name(&self) -> &'static str {
        "seasonal naive"
    }

    fn continue_all(&self, panel: &Panel, horizon: usize) -> Result<Vec<Vec<f64>>, ForecastError> {
        panel.check(horizon)?;
        let period = panel.season.short;
        Ok(panel.series.iter().map(|series| repeat_last(&series.values, period, horizon)).collect())
    }
}

/// The last `period` values, again and again.
pub(crate) fn repeat_last(values: &[f64], period: usize, horizon: usize) -> Vec<f64> {
    let last = &values[values.len() - period..];
    last.iter().copied().cycle().take(horizon).collect()
}
