//! Models weighed by how well each continued a held-out end of the series.

use rayon::prelude::*;

use crate::interval::Widths;
use crate::score::seasonal_scale;
use crate::{Forecast, ForecastError, Model, Panel};

/// How much a model's error over the whole panel counts beside its error on the series itself.
const PANEL_SHARE: f64 = 0.5;
/// How strongly a smaller error is preferred.
const SHARPNESS: i32 = 8;

/// A mixture of models with intervals of one level.
pub struct Mixture {
    models: Vec<Box<dyn Model>>,
    level: f64,
}

/// What a model was given.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighed {
    /// The model's name.
    pub model: &'static str,
    /// Its mean scaled error on the held-out end.
    pub error: f64,
    /// Its mean weight over the series, 0 to 1.
    pub weight: f64,
}

/// A held-out end, and how each model continued what is before it.
struct Window {
    tried: Vec<Vec<Vec<f64>>>,
    /// How many values lie after the end.
    after: usize,
}

/// Held-out errors and weights: one list a model, one number a series.
type PerModel = Vec<Vec<f64>>;

impl Mixture {
    /// A mixture of `models` with intervals that hold a share of `level` of what comes (0.9: nine of ten).
    pub fn new(models: Vec<Box<dyn Model>>, level: f64) -> Self {
        Self { models, level }
    }

    /// Continues every series by `horizon` steps; says also what each model was worth.
    ///
    /// # Errors
    /// As [`Panel::check`], on the panel without its last `horizon` values.
    pub fn forecast(
        &self,
        panel: &Panel,
        horizon: usize,
    ) -> Result<(Vec<Forecast>, Vec<Weighed>), ForecastError> {
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(ForecastError::BadLevel { level: self.level });
        }
        panel.check(horizon)?;
        let windows = self.windows(panel, horizon)?;
        let units: Vec<f64> =
            panel.series.iter().map(|series| seasonal_scale(&series.values, panel.season.short)).collect();
        let errors = errors(panel, &windows[0], &units);
        let weights = weights(&errors);
        let widths = widths(panel, &windows, &weights, self.level, &units);
        let continued = mix(&self.continued(panel, horizon)?, &weights);
        let each = panel.series.iter().zip(continued).zip(&units);
        let forecasts = each.map(|((series, values), unit)| {
            let never_negative = series.values.iter().all(|value| *value >= 0.0);
            widths.around(&series.name, values, *unit, never_negative)
        });
        Ok((forecasts.collect(), self.worth(&errors, &weights)))
    }

    /// Continues the panel without its last horizon, and, where every series is long enough, without its last two.
    ///
    /// Weights come from the last end alone, which is likest to what comes. Widths come from both: on the end that
    /// chose the weights the mixture looks better than it is.
    fn windows(&self, panel: &Panel, horizon: usize) -> Result<Vec<Window>, ForecastError> {
        let window = |after: usize| {
            let shown = panel.without_last(after + horizon);
            Ok(Window { tried: self.continued(&shown, horizon)?, after })
        };
        let mut windows = vec![window(0)?];
        match window(horizon) {
            Ok(earlier) => windows.push(earlier),
            Err(ForecastError::TooShort { .. }) => {}
            Err(other) => return Err(other),
        }
        Ok(windows)
    }

    fn continued(&self, panel: &Panel, horizon: usize) -> Result<Vec<Vec<Vec<f64>>>, ForecastError> {
        self.models.iter().map(|model| model.continue_all(panel, horizon)).collect()
    }

    fn worth(&self, errors: &PerModel, weights: &PerModel) -> Vec<Weighed> {
        let each = self.models.iter().zip(errors.iter().zip(weights));
        each.map(|(model, (errors, weights))| Weighed {
            model: model.name(),
            error: mean(errors),
            weight: mean(weights),
        })
        .collect()
    }
}

/// Mean absolute error of each model on each series' held-out end, in the series' unit.
fn errors(panel: &Panel, window: &Window, units: &[f64]) -> PerModel {
    let of_model = |tried: &Vec<Vec<f64>>| {
        let each = panel.series.iter().zip(tried).zip(units);
        each.map(|((series, tried), unit)| mean(&window.errors(&series.values, tried)) / unit).collect()
    };
    window.tried.iter().map(of_model).collect()
}

/// A weight for each model and series: the smaller its error there and over the panel, the more.
fn weights(errors: &PerModel) -> PerModel {
    let over_panel: Vec<f64> = errors.iter().map(|errors| mean(errors)).collect();
    let raw: PerModel = errors
        .iter()
        .zip(&over_panel)
        .map(|(errors, over_panel)| {
            let blended = errors.iter().map(|own| own * (1.0 - PANEL_SHARE) + over_panel * PANEL_SHARE);
            blended.map(|error| (error + 1e-9).powi(-SHARPNESS)).collect()
        })
        .collect();
    let series = raw.first().map_or(0, Vec::len);
    let totals: Vec<f64> = (0..series).map(|at| raw.iter().map(|model| model[at]).sum()).collect();
    raw.into_iter()
        .map(|model| model.iter().zip(&totals).map(|(weight, total)| weight / total).collect())
        .collect()
}

fn mix(tried: &[Vec<Vec<f64>>], weights: &PerModel) -> Vec<Vec<f64>> {
    let series = tried.first().map_or(0, Vec::len);
    let one = |at: usize| {
        let horizon = tried[0][at].len();
        let step = |step: usize| {
            tried.iter().zip(weights).map(|(model, weight)| model[at][step] * weight[at]).sum::<f64>()
        };
        (0..horizon).map(step).collect()
    };
    (0..series).into_par_iter().map(one).collect()
}

/// The intervals' widths, from what the mixture would have missed on the held-out ends, in the series' units.
fn widths(panel: &Panel, windows: &[Window], weights: &PerModel, level: f64, units: &[f64]) -> Widths {
    let scaled = windows.iter().flat_map(|window| {
        let mixed = mix(&window.tried, weights);
        let each = panel.series.iter().zip(mixed).zip(units);
        each.map(|((series, mixed), unit)| {
            let errors = window.errors(&series.values, &mixed);
            errors.into_iter().map(|error| error / unit.max(f64::MIN_POSITIVE)).collect()
        })
        .collect::<Vec<Vec<f64>>>()
    });
    Widths::of(&scaled.collect::<Vec<_>>(), level)
}

impl Window {
    /// What was missed of the held-out end.
    fn errors(&self, values: &[f64], tried: &[f64]) -> Vec<f64> {
        let end = values.len() - self.after;
        let held_out = &values[end - tried.len()..end];
        held_out.iter().zip(tried).map(|(came, tried)| (came - tried).abs()).collect()
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MstlEts, Pooled, Season, SeasonalNaive, Series, Theta, score};

    /// Gates that are busier by day, more so on the sixth and seventh day, and grow; no two alike.
    fn gates(count: u32, days: u32) -> Panel {
        let value = |gate: u32, hour: u32| {
            let (of_day, day) = (f64::from(hour % 24), hour / 24);
            let busy = if day % 7 >= 5 { 2.0 } else { 1.0 };
            let wave = 1.0 + (std::f64::consts::TAU * of_day / 24.0).sin();
            let noise = f64::from((hour * 7919 + gate * 104_729) % 97) / 97.0 - 0.5;
            f64::from(gate + 1) * (20.0 + busy * 10.0 * wave + 0.01 * f64::from(hour) + 2.0 * noise)
        };
        let series = |gate: u32| Series {
            name: format!("gate {gate}"),
            values: (0..days * 24).map(|hour| value(gate, hour)).collect(),
            known: Vec::new(),
        };
        Panel { season: Season::HOURLY, series: (0..count).map(series).collect() }
    }

    fn models() -> Vec<Box<dyn Model>> {
        vec![Box::new(SeasonalNaive), Box::new(Theta), Box::new(MstlEts), Box::new(Pooled::default())]
    }

    #[test]
    fn the_better_model_weighs_more_and_the_mixture_beats_the_repeated_season() {
        let whole = gates(12, 30);
        let shown = whole.without_last(48);
        let (forecasts, worth) = Mixture::new(models(), 0.9).forecast(&shown, 48).expect("forecast");
        let naive = SeasonalNaive.continue_all(&shown, 48).expect("forecast");
        let came = |at: usize| &whole.series[at].values[whole.series[at].values.len() - 48..];
        let error = |of: &dyn Fn(usize) -> Vec<f64>| {
            (0..12).map(|at| score::mean_absolute_error(came(at), &of(at)) / (at + 1) as f64).sum::<f64>()
        };
        let mixed = error(&|at| forecasts[at].values.clone());
        let repeated = error(&|at| naive[at].clone());
        assert!(mixed < 0.7 * repeated, "the mixture is off by {mixed}, the repeated season by {repeated}");
        let best = worth.iter().min_by(|one, other| one.error.total_cmp(&other.error)).expect("models");
        assert!(worth.iter().all(|other| other.weight <= best.weight), "{worth:?}");
        let covered: f64 = forecasts
            .iter()
            .enumerate()
            .map(|(at, forecast)| score::coverage(came(at), &forecast.lower, &forecast.upper))
            .sum();
        assert!((0.75..=1.0).contains(&(covered / 12.0)), "{}", covered / 12.0);
    }

    #[test]
    fn a_level_that_is_none_is_refused() {
        let refused = Mixture::new(models(), 1.0).forecast(&gates(2, 30), 24);
        assert_eq!(refused.err(), Some(ForecastError::BadLevel { level: 1.0 }));
    }
}
