//! Measures of a forecast, as the M4 competition defines them.
//!
//! Source: Makridakis, Spiliotis, Assimakopoulos, "The M4 Competition: 100,000 time series and 61 forecasting
//! methods", International Journal of Forecasting 36(1), 2020, section 3.3.

use crate::theta::Adjustment;

/// Symmetric mean absolute percentage error, in percent (0 to 200).
pub fn smape(actual: &[f64], forecast: &[f64]) -> f64 {
    let terms = actual.iter().zip(forecast).map(|(actual, forecast)| {
        let size = actual.abs() + forecast.abs();
        if size == 0.0 { 0.0 } else { 200.0 * (actual - forecast).abs() / size }
    });
    terms.sum::<f64>() / actual.len() as f64
}

/// Mean absolute error over that of the season repeated within `history` (Hyndman and Koehler, 2006).
pub fn mase(history: &[f64], actual: &[f64], forecast: &[f64], period: usize) -> f64 {
    mean_absolute_error(actual, forecast) / seasonal_scale(history, period)
}

/// Mean absolute error.
pub fn mean_absolute_error(actual: &[f64], forecast: &[f64]) -> f64 {
    let total: f64 = actual.iter().zip(forecast).map(|(actual, forecast)| (actual - forecast).abs()).sum();
    total / actual.len() as f64
}

/// Mean absolute difference between values one period apart; above zero, so that it can divide.
pub(crate) fn seasonal_scale(history: &[f64], period: usize) -> f64 {
    let pairs = history.len().saturating_sub(period).max(1) as f64;
    let total: f64 =
        history.iter().zip(history.iter().skip(period)).map(|(one, next)| (next - one).abs()).sum();
    let size = history.iter().map(|value| value.abs()).sum::<f64>() / history.len().max(1) as f64;
    (total / pairs).max(1e-9 * size).max(f64::MIN_POSITIVE)
}

/// One series' history, what came, and what was forecast.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// What the forecast was made from.
    pub history: &'a [f64],
    /// What came.
    pub actual: &'a [f64],
    /// What was forecast.
    pub forecast: &'a [f64],
}

/// Scores over a set of series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Mean symmetric percentage error, in percent.
    pub smape: f64,
    /// Mean scaled error; 1 is the season repeated, inside the history.
    pub mase: f64,
    /// Overall weighted average over Naive2, the competition's benchmark: below 1 beats it.
    pub owa: f64,
}

/// Scores forecasts with the short `period`, against Naive2 on the same series.
pub fn score(judged: &[Judged<'_>], period: usize) -> Score {
    let mean = |of: &dyn Fn(&Judged<'_>) -> f64| judged.iter().map(of).sum::<f64>() / judged.len() as f64;
    let benchmark: Vec<Vec<f64>> =
        judged.iter().map(|one| naive2(one.history, period, one.actual.len())).collect();
    let smape_of = mean(&|one| smape(one.actual, one.forecast));
    let mase_of = mean(&|one| mase(one.history, one.actual, one.forecast, period));
    let count = judged.len() as f64;
    let pairs = || judged.iter().zip(&benchmark);
    let smape_naive = pairs().map(|(one, naive)| smape(one.actual, naive)).sum::<f64>() / count;
    let mase_naive =
        pairs().map(|(one, naive)| mase(one.history, one.actual, naive, period)).sum::<f64>() / count;
    Score { smape: smape_of, mase: mase_of, owa: (smape_of / smape_naive + mase_of / mase_naive) / 2.0 }
}

/// Naive2: the last value of the seasonally adjusted series, with the season put back.
fn naive2(history: &[f64], period: usize, horizon: usize) -> Vec<f64> {
    let adjustment = Adjustment::of(history, period);
    let last = adjustment.adjusted.last().copied().unwrap_or_default();
    (0..horizon).map(|step| last * adjustment.index(history.len() + step)).collect()
}

/// Share of the values that lie within the interval, 0 to 1.
pub fn coverage(actual: &[f64], lower: &[f64], upper: &[f64]) -> f64 {
    let within = actual
        .iter()
        .zip(lower.iter().zip(upper))
        .filter(|(actual, (lower, upper))| **actual >= **lower && **actual <= **upper);
    within.count() as f64 / actual.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_measures_are_those_of_the_competition() {
        assert_eq!(smape(&[100.0, 0.0], &[50.0, 0.0]), 200.0 * 50.0 / 150.0 / 2.0);
        // The season moves by 2 a step in the history; the forecast is off by 3.
        assert_eq!(mase(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[7.0, 8.0], &[10.0, 11.0], 2), 1.5);
        assert_eq!(coverage(&[1.0, 2.0, 3.0, 4.0], &[0.0; 4], &[2.5; 4]), 0.5);
    }

    #[test]
    fn the_benchmark_scores_one_against_itself() {
        let history: Vec<f64> = (0..96).map(|hour| 10.0 + f64::from(hour % 24)).collect();
        let naive = naive2(&history, 24, 24);
        let actual: Vec<f64> = naive.iter().map(|value| value + 1.0).collect();
        let scored = score(&[Judged { history: &history, actual: &actual, forecast: &naive }], 24);
        assert!((scored.owa - 1.0).abs() < 1e-12, "{scored:?}");
    }
}
