//! Intervals from the errors made on a held-out end.
//!
//! Source: split conformal prediction (Lei et al., "Distribution-free predictive inference for regression",
//! JASA 113, 2018) on errors divided by each series' own held-out error, by step of the horizon.

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
    fn counts_never_fall_below_zero() {
        let widths = Widths::of(&vec![vec![1.0, 2.0]; 300], 0.9);
        let forecast = widths.around("gate", vec![0.5, -1.0], 1.0, true);
        assert_eq!(forecast.values, [0.5, 0.0]);
        assert_eq!(forecast.lower, [0.0, 0.0]);
        assert!(forecast.upper[1] > 0.0);
    }
}
