//! Steps at which a series was far from what its own season and all the others say: event days, before anybody
//! told of them.
//!
//! A step's usual value is the median of the same place in the seasons around it, moved by what all series did at
//! that step (a holiday, a snowfall). What is left, in logarithms, is measured in the series' own median absolute
//! deviation (Iglewicz and Hoaglin, "How to Detect and Handle Outliers", 1993, section 3.3).

use rayon::prelude::*;

use crate::{ForecastError, Panel};

/// So many seasons to each side say what is usual.
const SEASONS: usize = 4;
/// A median absolute deviation times this is the standard deviation of normal values.
const TO_DEVIATION: f64 = 1.4826;
/// A series that hardly ever moves is taken to move by this share all the same.
const LEAST_DEVIATION: f64 = 0.03;

/// A step that stands out.
#[derive(Clone, Debug, PartialEq)]
pub struct Unusual {
    /// The series, by its position in the panel.
    pub series: usize,
    /// The step, from 0.
    pub step: usize,
    /// What came.
    pub value: f64,
    /// What was usual.
    pub usual: f64,
    /// How many of the series' own deviations lie between them; above zero where more came.
    pub score: f64,
}

/// Finds the steps that lie at least `least` deviations from what was usual, to either side, the strangest first.
/// The series must be of one length, without negative values, and begin together.
///
/// # Errors
/// As [`Panel::check`]; [`ForecastError::Unequal`].
pub fn unusual(panel: &Panel, least: f64) -> Result<Vec<Unusual>, ForecastError> {
    panel.check(1).or_else(|error| match error {
        // Nothing is looked at ahead.
        ForecastError::ShortRegressor { .. } => Ok(()),
        other => Err(other),
    })?;
    let steps = panel.series.first().map_or(0, |series| series.values.len());
    if let Some(other) = panel.series.iter().find(|series| series.values.len() != steps) {
        let (name, values) = (other.name.clone(), other.values.len());
        return Err(ForecastError::Unequal { name, values, needed: steps });
    }
    let own: Vec<(Vec<f64>, Vec<f64>)> =
        panel.series.par_iter().map(|series| residuals(&series.values, panel.season.short)).collect();
    let together: Vec<f64> =
        (0..steps).map(|step| median(own.iter().map(|(_, residuals)| residuals[step]).collect())).collect();
    let each = own.par_iter().enumerate().flat_map_iter(|(at, (usual, residuals))| {
        let left: Vec<f64> = residuals.iter().zip(&together).map(|(own, all)| own - all).collect();
        let middle = median(left.clone());
        let spread = median(left.iter().map(|left| (left - middle).abs()).collect()) * TO_DEVIATION;
        let values = &panel.series[at].values;
        let together = &together;
        left.into_iter().enumerate().filter_map(move |(step, left)| {
            let score = (left - middle) / spread.max(LEAST_DEVIATION);
            let usual = usual[step] * together[step].exp();
            (score.abs() >= least).then_some(Unusual { series: at, step, value: values[step], usual, score })
        })
    });
    let mut found: Vec<Unusual> = each.collect();
    found.sort_by(|one, other| other.score.abs().total_cmp(&one.score.abs()));
    Ok(found)
}

/// What is usual at each step, and the logarithm of what came over it.
fn residuals(values: &[f64], period: usize) -> (Vec<f64>, Vec<f64>) {
    let usual = |step: usize| {
        let before = (1..=SEASONS).filter_map(|back| step.checked_sub(back * period));
        let after = (1..=SEASONS).map(|on| step + on * period);
        median(before.chain(after).filter_map(|near| values.get(near).copied()).collect())
    };
    let usual: Vec<f64> = (0..values.len()).map(usual).collect();
    let residual = |(value, usual): (&f64, &f64)| ((value + 1.0) / (usual + 1.0)).ln();
    let residuals = values.iter().zip(&usual).map(residual).collect();
    (usual, residuals)
}

fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    let upper = *values.select_nth_unstable_by(middle, f64::total_cmp).1;
    if values.len() % 2 == 1 {
        return upper;
    }
    let lower = values[..middle].iter().copied().fold(f64::NEG_INFINITY, f64::max);
    f64::midpoint(lower, upper)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Season, Series};

    fn gates() -> Panel {
        let value = |gate: usize, day: usize| {
            let holiday = if day == 40 { 0.5 } else { 1.0 };
            let concert = if gate == 2 && day == 33 { 3.0 } else { 1.0 };
            let noise = 1.0 + ((day * 7_919 + gate * 104_729) % 97) as f64 / 970.0;
            (100.0 + 40.0 * (day % 7) as f64) * (gate + 1) as f64 * holiday * concert * noise
        };
        let series = |gate: usize| Series {
            name: format!("gate {gate}"),
            values: (0..70).map(|day| value(gate, day)).collect(),
            known: Vec::new(),
        };
        Panel { season: Season::DAILY, series: (0..6).map(series).collect() }
    }

    #[test]
    fn a_concert_stands_out_and_a_holiday_of_all_does_not() {
        let found = unusual(&gates(), 6.0).expect("is looked at");
        assert_eq!(found.len(), 1, "{found:?}");
        let concert = &found[0];
        assert_eq!((concert.series, concert.step), (2, 33));
        assert!((2.5..3.5).contains(&(concert.value / concert.usual)), "{concert:?}");
    }

    #[test]
    fn series_of_unequal_length_are_refused_by_name() {
        let mut panel = gates();
        panel.series[3].values.pop();
        let refused = unusual(&panel, 6.0).expect_err("is refused");
        assert_eq!(refused, ForecastError::Unequal { name: "gate 3".into(), values: 69, needed: 70 });
    }
}
