//! The Theta method on the seasonally adjusted series.
//!
//! Source: Assimakopoulos, Nikolopoulos, "The theta model: a decomposition approach to forecasting",
//! International Journal of Forecasting 16(4), 2000; the adjustment is the M4 competition's: multiplicative
//! indices by classical decomposition, used where the autocorrelation at the period passes a 90 % test.

use rayon::prelude::*;

use crate::{ForecastError, Model, Panel};

/// Half the trend line, half exponential smoothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Theta;

impl Model for Theta {
    fn name(&self) -> &'static str {
        "theta"
    }

    fn continue_all(&self, panel: &Panel, horizon: usize) -> Result<Vec<Vec<f64>>, ForecastError> {
        panel.check(horizon)?;
        let period = panel.season.short;
        Ok(panel.series.par_iter().map(|series| theta(&series.values, period, horizon)).collect())
    }
}

fn theta(values: &[f64], period: usize, horizon: usize) -> Vec<f64> {
    let adjustment = Adjustment::of(values, period);
    let adjusted = &adjustment.adjusted;
    let (intercept, slope) = line(adjusted);
    let second: Vec<f64> = adjusted
        .iter()
        .enumerate()
        .map(|(at, value)| 2.0 * value - (intercept + slope * at as f64))
        .collect();
    let level = smoothed(&second);
    let forecast = (0..horizon).map(|step| {
        let at = values.len() + step;
        let trend = intercept + slope * at as f64;
        (trend + level) / 2.0 * adjustment.index(at)
    });
    forecast.collect()
}

/// Intercept and slope of the least-squares line over 0, 1, 2…
fn line(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let middle = (count - 1.0) / 2.0;
    let mean = values.iter().sum::<f64>() / count;
    let mut covariance = 0.0;
    let mut variance = 0.0;
    for (at, value) in values.iter().enumerate() {
        let off = at as f64 - middle;
        covariance += off * (value - mean);
        variance += off * off;
    }
    let slope = if variance > 0.0 { covariance / variance } else { 0.0 };
    (mean - slope * middle, slope)
}

/// The level after simple exponential smoothing with the weight that makes the smallest one-step errors.
fn smoothed(values: &[f64]) -> f64 {
    let run = |weight: f64| {
        let mut level = values[0];
        let mut error = 0.0;
        for value in &values[1..] {
            error += (value - level) * (value - level);
            level += weight * (value - level);
        }
        (error, level)
    };
    let runs = (1..=99).map(|percent| run(f64::from(percent) / 100.0));
    runs.min_by(|one, other| one.0.total_cmp(&other.0)).map_or(values[0], |best| best.1)
}

/// A series without its season, and the season's indices.
pub(crate) struct Adjustment {
    pub adjusted: Vec<f64>,
    indices: Vec<f64>,
}

impl Adjustment {
    /// Takes the season out where there is one; a series with values at or below zero stays as it is.
    pub(crate) fn of(values: &[f64], period: usize) -> Self {
        let plain = || Self { adjusted: values.to_vec(), indices: vec![1.0] };
        if values.iter().any(|value| *value <= 0.0) || !is_seasonal(values, period) {
            return plain();
        }
        let indices = multiplicative_indices(values, period);
        if indices.iter().any(|index| !index.is_finite() || *index <= 0.0) {
            return plain();
        }
        let adjusted = values.iter().enumerate().map(|(at, value)| value / indices[at % period]).collect();
        Self { adjusted, indices }
    }

    /// The season's factor at a position counted from the series' start.
    pub(crate) fn index(&self, at: usize) -> f64 {
        self.indices[at % self.indices.len()]
    }
}

/// Whether the autocorrelation at the period is significant at 90 % (Bartlett's formula).
fn is_seasonal(values: &[f64], period: usize) -> bool {
    let count = values.len();
    if count < 3 * period {
        return false;
    }
    let mean = values.iter().sum::<f64>() / count as f64;
    let variance: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    if variance <= 0.0 {
        return false;
    }
    let correlation = |lag: usize| {
        let pairs = values.iter().zip(&values[lag..]);
        pairs.map(|(one, next)| (one - mean) * (next - mean)).sum::<f64>() / variance
    };
    let below: f64 = (1..period).map(|lag| correlation(lag).powi(2)).sum();
    let limit = 1.645 * ((1.0 + 2.0 * below) / count as f64).sqrt();
    correlation(period).abs() > limit
}

/// Mean ratio to the centred moving average at each place of the season, scaled to a mean of one.
fn multiplicative_indices(values: &[f64], period: usize) -> Vec<f64> {
    let half = period / 2;
    let mut sums = vec![0.0; period];
    let mut counts = vec![0.0; period];
    for at in half..values.len() - half {
        let average = centred_average(values, at, period);
        sums[at % period] += values[at] / average;
        counts[at % period] += 1.0;
    }
    let raw: Vec<f64> = sums.iter().zip(&counts).map(|(sum, count)| sum / count).collect();
    let mean = raw.iter().sum::<f64>() / period as f64;
    raw.into_iter().map(|index| index / mean).collect()
}

/// The moving average around `at`; an even period counts its two ends by half.
fn centred_average(values: &[f64], at: usize, period: usize) -> f64 {
    let half = period / 2;
    let window = &values[at - half..=at + half];
    let total: f64 = window.iter().sum();
    if period % 2 == 1 {
        return total / period as f64;
    }
    (total - (window[0] + window[period]) / 2.0) / period as f64
}
