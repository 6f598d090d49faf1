//! The series a forecast is made for, and what a model is.

use crate::ForecastError;

/// How long the pattern takes to repeat, in steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Season {
    /// The short period: 24 for hours of a day, 7 for days of a week.
    pub short: usize,
    /// A longer one on top of it, where there is one: 168 for hours of a week.
    pub long: Option<usize>,
}

impl Season {
    /// Hours of a day and of a week.
    pub const HOURLY: Season = Season { short: 24, long: Some(168) };
    /// Days of a week.
    pub const DAILY: Season = Season { short: 7, long: None };
}

/// One series of equally spaced values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// What it is called in results and errors.
    pub name: String,
    /// The values in order of time.
    pub values: Vec<f64>,
    /// What is known ahead of time (a holiday, a planned event): one list each, over history and horizon.
    pub known: Vec<Vec<f64>>,
}

/// Series that are continued together, because they share their season and can learn from each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// The season they share.
    pub season: Season,
    /// The series; each may have a length of its own.
    pub series: Vec<Series>,
}

impl Panel {
    /// Checks that every series can be continued by `horizon` steps.
    ///
    /// # Errors
    /// Names the first series, and the first place in it, that cannot.
    pub fn check(&self, horizon: usize) -> Result<(), ForecastError> {
        if horizon == 0 {
            return Err(ForecastError::NoHorizon);
        }
        for period in [Some(self.season.short), self.season.long].into_iter().flatten() {
            if period < 2 {
                return Err(ForecastError::BadSeason { period });
            }
        }
        let regressors = self.series.first().ok_or(ForecastError::NoSeries)?.known.len();
        self.series.iter().try_for_each(|series| series.check(self.season, regressors, horizon))
    }

    /// The panel without the last `steps` values of each series.
    pub(crate) fn without_last(&self, steps: usize) -> Panel {
        let mut panel = self.clone();
        for series in &mut panel.series {
            series.values.truncate(series.values.len().saturating_sub(steps));
        }
        panel
    }
}

impl Series {
    fn check(&self, season: Season, regressors: usize, horizon: usize) -> Result<(), ForecastError> {
        let needed = 2 * season.short;
        if self.values.len() < needed {
            return Err(ForecastError::TooShort {
                name: self.name.clone(),
                values: self.values.len(),
                needed,
            });
        }
        if let Some(position) = self.values.iter().position(|value| !value.is_finite()) {
            return Err(ForecastError::NotFinite { name: self.name.clone(), position });
        }
        let needed = self.values.len() + horizon;
        for regressor in 0..regressors.max(self.known.len()) {
            let values = self.known.get(regressor).map_or(0, Vec::len);
            if values < needed || regressor >= regressors {
                return Err(ForecastError::ShortRegressor {
                    name: self.name.clone(),
                    regressor,
                    values,
                    needed,
                });
            }
        }
        Ok(())
    }
}

/// A way of continuing series.
pub trait Model: Send + Sync {
    /// Its name in reports.
    fn name(&self) -> &'static str;

    /// Continues every series of the panel by `horizon` steps, in the panel's order.
    ///
    /// # Errors
    /// As [`Panel::check`].
    fn continue_all(&self, panel: &Panel, horizon: usize) -> Result<Vec<Vec<f64>>, ForecastError>;
}

/// Puts a value into every gap: the mean of the nearest values whole seasons before and after it, else the
/// nearest value there is. `None` where there is no value at all.
///
/// A series has to be equally spaced: a day that was left out would shift all weekdays after it.
pub fn fill_gaps(values: &[Option<f64>], period: usize) -> Option<Vec<f64>> {
    let known = |at: usize| values[at].filter(|value| value.is_finite());
    let fill = |at: usize| {
        let before = (0..=at).rev().step_by(period.max(1)).find_map(known);
        let after = (at..values.len()).step_by(period.max(1)).find_map(known);
        match (before, after) {
            (Some(before), Some(after)) => Some((before + after) / 2.0),
            (Some(one), None) | (None, Some(one)) => Some(one),
            (None, None) => (0..values.len())
                .filter_map(|other| Some((other.abs_diff(at), known(other)?)))
                .min_by_key(|near| near.0)
                .map(|near| near.1),
        }
    };
    (0..values.len()).map(|at| known(at).or_else(|| fill(at))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_filled_from_the_seasons_around_it() {
        let mut values: Vec<Option<f64>> = (0..21).map(|day| Some(f64::from(day % 7))).collect();
        values[9] = None;
        assert_eq!(fill_gaps(&values, 7).expect("there are values")[9], 2.0);
        assert_eq!(fill_gaps(&[None, Some(3.0), None], 7), Some(vec![3.0; 3]));
        assert_eq!(fill_gaps(&[None, None], 7), None);
    }

    #[test]
    fn what_cannot_be_continued_is_named() {
        let series = |values: Vec<f64>| Series { name: "gate".to_owned(), values, known: Vec::new() };
        let panel = |one: Series| Panel { season: Season::DAILY, series: vec![one] };
        let too_short = panel(series(vec![1.0; 5])).check(3);
        assert_eq!(
            too_short,
            Err(ForecastError::TooShort { name: "gate".to_owned(), values: 5, needed: 14 })
        );
        let mut values = vec![1.0; 20];
        values[4] = f64::NAN;
        let not_finite = panel(series(values)).check(3);
        assert_eq!(not_finite, Err(ForecastError::NotFinite { name: "gate".to_owned(), position: 4 }));
        let mut known = series(vec![1.0; 20]);
        known.known = vec![vec![0.0; 21]];
        let short = panel(known).check(3);
        assert!(
            matches!(short, Err(ForecastError::ShortRegressor { needed: 23, values: 21, .. })),
            "{short:?}"
        );
        assert_eq!(panel(series(vec![1.0; 20])).check(0), Err(ForecastError::NoHorizon));
    }
}
