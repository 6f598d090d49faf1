//! Intervals from the errors made on a held-out end.
//!
//! Source: split conformal prediction (Lei et al., "Distribution-free predictive inference for regression",
//! JASA 113, 2018) on errors divided by each series' own held-out error, by step of the horizon.

use crate::naive::repeat_last;
use crate::{ForecastError, Panel, Season, Series};

/// A continued series with the interval the values are expected in.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// The series.
    pub name: String,
    /// The expected values.
    pub values: Vec<f64>,
    /// Lower ends of the interval.
    pub lower: Vec<f64>,
    /// Upper ends of the interval.
    pub upper: Vec<f64>,
}

/// How wide the interval is at each step, in units of a series' own error.
pub(crate) struct Widths {
    by_step: Vec<f64>,
}

/// Fewest errors a quantile is taken from; below it, neighbouring steps are looked at together.
const FEWEST: usize = 200;

impl Widths {
    /// From one list a series of absolute errors by step, each divided by the series' unit.
    pub(crate) fn of(errors: &[Vec<f64>], level: f64) -> Self {
        let horizon = errors.first().map_or(0, Vec::len);
        let reach = FEWEST.div_ceil(2 * errors.len().max(1));
        let by_step = (0..horizon).map(|step| {
            let from = step.saturating_sub(reach);
            let to = (step + reach + 1).min(horizon);
            let mut near: Vec<f64> =
                errors.iter().flat_map(|series| series[from..to].iter().copied()).collect();
            quantile(&mut near, level)
        });
        Self { by_step: by_step.collect() }
    }

    /// Puts the interval around `values`. A series that was never negative stays so.
    pub(crate) fn around(&self, name: &str, values: Vec<f64>, unit: f64, never_negative: bool) -> Forecast {
        let floor = if never_negative { 0.0 } else { f64::NEG_INFINITY };
        let values: Vec<f64> = values.into_iter().map(|value| value.max(floor)).collect();
        let ends = |sign: f64| {
            let pairs = values.iter().zip(&self.by_step);
            pairs.map(|(value, width)| (value + sign * width * unit).max(floor)).collect()
        };
        Forecast { name: name.to_owned(), lower: ends(-1.0), upper: ends(1.0), values }
    }
}

/// Continues a series by its last season, with the interval from how much each value differs from the one a season
/// before: what there is to say of a series too short for a held-out end.
///
/// # Errors
/// A level that is none, no horizon, or fewer values than two seasons.
pub fn repeat_season(
    series: &Series,
    season: Season,
    horizon: usize,
    level: f64,
) -> Result<Forecast, ForecastError> {
    if !(level > 0.0 && level < 1.0) {
        return Err(ForecastError::BadLevel { level });
    }
    let panel = Panel { season, series: vec![Series { known: Vec::new(), ..series.clone() }] };
    panel.check(horizon)?;
    let values = &series.values;
    let pairs = values.iter().zip(values.iter().skip(season.short));
    let mut errors: Vec<f64> = pairs.map(|(before, after)| (after - before).abs()).collect();
    let widths = Widths { by_step: vec![quantile(&mut errors, level); horizon] };
    let never_negative = values.iter().all(|value| *value >= 0.0);
    Ok(widths.around(&series.name, repeat_last(values, season.short, horizon), 1.0, never_negative))
}

/// The value that a share of `level` of as many again would not pass: the (n + 1)·level-th smallest.
fn quantile(values: &mut [f64], level: f64) -> f64 {
    if values.is_empty() {
        return f64::INFINITY;
    }
    let rank = ((values.len() + 1) as f64 * level).ceil() as usize;
    let at = rank.clamp(1, values.len()) - 1;
    *values.select_nth_unstable_by(at, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_conformal_one() {
        let mut values: Vec<f64> = (1..=9).map(f64::from).collect();
        assert_eq!(quantile(&mut values, 0.8), 8.0);
        assert_eq!(quantile(&mut values, 0.9), 9.0);
    }

    #[test]
    fn a_short_series_repeats_its_season_within_what_its_seasons_differed_by() {
        let values: Vec<f64> =
            (0..3).flat_map(|week| (0..7).map(move |day| f64::from(week + 10 * day))).collect();
        let series = Series { name: "gate".into(), values, known: Vec::new() };
        let forecast = repeat_season(&series, Season::DAILY, 9, 0.9).expect("is long enough");
        assert_eq!(forecast.values[..2], [2.0, 12.0]);
        assert_eq!(forecast.values[7..], [2.0, 12.0], "the second week repeats the first");
        assert_eq!(
            (forecast.lower[1], forecast.upper[1]),
            (11.0, 13.0),
            "each week is one more than the last"
        );
        let short = Series { values: vec![1.0; 13], ..series };
        let refused = repeat_season(&short, Season::DAILY, 7, 0.9).expect_err("is too short");
        assert!(matches!(refused, ForecastError::TooShort { needed: 14, .. }));
    }

    #[test]
    fn counts_never_fall_below_zero() {
        let widths = Widths::of(&vec![vec![1.0, 2.0]; 300], 0.9);
        let forecast = widths.around("gate", vec![0.5, -1.0], 1.0, true);
        assert_eq!(forecast.values, [0.5, 0.0]);
        assert_eq!(forecast.lower, [0.0, 0.0]);
        assert!(forecast.upper[1] > 0.0);
    }
}
