//! One boosted model for all series of a panel: they learn from each other's past.

use rayon::prelude::*;

use crate::boost::{self, BoostOptions};
use crate::features::{Sight, look};
use crate::{ForecastError, Model, Panel, Series};

/// Answers further from the base than this many usual movements are taken as this many while learning.
const FURTHEST: f64 = 20.0;

/// How much the pooled model learns from.
#[derive(Clone, Copy, Debug)]
pub struct PooledOptions {
    /// From how many moments of each series' past it learns, one short season apart.
    pub origins: usize,
    /// How many trees are added up.
    pub trees: usize,
    /// How many leaves a tree has at most.
    pub leaves: usize,
    /// What the sampling of rows and columns starts from.
    pub seed: u64,
}

impl Default for PooledOptions {
    fn default() -> Self {
        Self { origins: 8, trees: 200, leaves: 63, seed: 1 }
    }
}

/// Gradient boosting over lags, levels and what is known ahead, pooled over the panel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pooled {
    /// How much it learns from.
    pub options: PooledOptions,
}

impl Model for Pooled {
    fn name(&self) -> &'static str {
        "pooled boosting"
    }

    fn continue_all(&self, panel: &Panel, horizon: usize) -> Result<Vec<Vec<f64>>, ForecastError> {
        panel.check(horizon)?;
        for series in &panel.series {
            let needed = self.first_origin(panel) + horizon;
            if series.values.len() < needed {
                let (name, values) = (series.name.clone(), series.values.len());
                return Err(ForecastError::TooShort { name, values, needed });
            }
        }
        let lessons: Vec<Sight> =
            panel.series.par_iter().flat_map_iter(|series| self.lessons(panel, series, horizon)).collect();
        let (columns, target) = table(&lessons);
        drop(lessons);
        let options = BoostOptions {
            trees: self.options.trees,
            rate: 0.05,
            leaves: self.options.leaves,
            smallest: 50.min(target.len() / 20).max(5),
            rows: 0.7,
            columns: 0.7,
            seed: self.options.seed,
        };
        let fitted = boost::fit(&columns, &target, options);
        let answers = panel.series.par_iter().map(|series| {
            let sight = look(series, panel.season, series.values.len(), horizon);
            let rows = sight.rows.iter().zip(&sight.base);
            rows.map(|(row, base)| base + sight.scale * f64::from(fitted.answer(row))).collect()
        });
        Ok(answers.collect())
    }
}

impl Pooled {
    /// The earliest moment with enough past to look back on.
    fn first_origin(&self, panel: &Panel) -> usize {
        2 * panel.season.long.unwrap_or(2 * panel.season.short)
    }

    /// The moments of a series' past that have a whole horizon after them, the latest first.
    fn origins(&self, panel: &Panel, series: &Series, horizon: usize) -> impl Iterator<Item = usize> {
        let first = self.first_origin(panel);
        let short = panel.season.short;
        let last = series.values.len() - horizon;
        (0..self.options.origins)
            .map_while(move |back| last.checked_sub(back * short))
            .take_while(move |at| *at >= first)
    }

    fn lessons(&self, panel: &Panel, series: &Series, horizon: usize) -> Vec<Sight> {
        let origins = self.origins(panel, series, horizon);
        let season = panel.season;
        let lesson = |at: usize| {
            let mut sight = look(series, season, at, horizon);
            // The answer to learn stands in the last column.
            for (step, row) in sight.rows.iter_mut().enumerate() {
                let answer = (series.values[at + step] - sight.base[step]) / sight.scale;
                row.push(answer.clamp(-FURTHEST, FURTHEST) as f32);
            }
            sight
        };
        origins.map(lesson).collect()
    }
}

/// The lessons as columns, and the answers.
fn table(lessons: &[Sight]) -> (Vec<Vec<f32>>, Vec<f32>) {
    let width = lessons.first().and_then(|sight| sight.rows.first()).map_or(1, Vec::len);
    let column = |column: usize| -> Vec<f32> {
        lessons.iter().flat_map(|sight| sight.rows.iter().map(move |row| row[column])).collect()
    };
    let columns = (0..width - 1).into_par_iter().map(column).collect();
    (columns, column(width - 1))
}
