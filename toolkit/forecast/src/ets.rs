//! Several seasons taken out (MSTL), the rest smoothed exponentially (ETS), by `augurs`.

use augurs::ets::AutoETS;
use augurs::mstl::MSTLModel;
use augurs::{Fit, Predict};
use rayon::prelude::*;

use crate::naive::repeat_last;
use crate::{ForecastError, Model, Panel, Season};

/// MSTL with an automatically chosen ETS trend; a series it cannot decompose repeats its season.
#[derive(Clone, Copy, Debug, Default)]
pub struct MstlEts;

impl Model for MstlEts {
    fn name(&self) -> &'static str {
        "MSTL + ETS"
    }

    fn continue_all(&self, panel: &Panel, horizon: usize) -> Result<Vec<Vec<f64>>, ForecastError> {
        panel.check(horizon)?;
        let each = panel.series.par_iter().map(|series| {
            let decomposed = decomposed(&series.values, panel.season, horizon);
            decomposed.unwrap_or_else(|| repeat_last(&series.values, panel.season.short, horizon))
        });
        Ok(each.collect())
    }
}

fn decomposed(values: &[f64], season: Season, horizon: usize) -> Option<Vec<f64>> {
    let long = season.long.filter(|long| values.len() > 2 * long);
    let periods: Vec<usize> = [Some(season.short), long].into_iter().flatten().collect();
    let trend = AutoETS::non_seasonal();
    let fitted = MSTLModel::new(periods, trend.into_trend_model()).fit(values).ok()?;
    let forecast = fitted.predict(horizon, None).ok()?.point;
    forecast.iter().all(|value| value.is_finite()).then_some(forecast)
}
