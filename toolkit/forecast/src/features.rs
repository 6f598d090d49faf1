//! What the pooled model sees of a series at one moment: the season's past, in units of its own variation.
//!
//! Everything is told relative to the same place of the last season (the base) and divided by how much the
//! series usually moves from season to season, so that one model serves series of any size.

use crate::panel::{Season, Series};

/// How many steps of the past say how much a series moves, in long (or short) seasons.
const SCALE_SEASONS: usize = 2;
/// How many earlier short seasons are shown.
const PAST_SEASONS: usize = 6;
/// Over how many earlier short seasons the base is the median.
const BASE_SEASONS: usize = 4;

/// The rows of one series at one origin, and how to turn answers back into values.
pub(crate) struct Sight {
    /// One row a step of the horizon.
    pub rows: Vec<Vec<f32>>,
    /// The value one or more whole seasons before each step.
    pub base: Vec<f64>,
    /// The unit of the answers.
    pub scale: f64,
}

struct Origin<'a> {
    series: &'a Series,
    season: Season,
    /// How many values are known.
    at: usize,
    scale: f64,
    level: f64,
    /// What is the same for every step of the horizon.
    shared: Vec<f32>,
}

/// Looks at `series` as if only its first `at` values were known.
pub(crate) fn look(series: &Series, season: Season, at: usize, horizon: usize) -> Sight {
    let past = &series.values[..at];
    let reach = SCALE_SEASONS * season.long.unwrap_or(8 * season.short);
    let recent = &past[at.saturating_sub(reach)..];
    let scale = crate::score::seasonal_scale(recent, season.short);
    let level = mean(recent.iter().map(|value| value.abs()));
    let mut origin = Origin { series, season, at, scale, level, shared: Vec::new() };
    origin.shared = origin.shared_features(recent);
    let steps = 1..=horizon;
    let base: Vec<f64> = steps.clone().map(|step| origin.base(step)).collect();
    let rows = steps.zip(&base).map(|(step, base)| origin.row(step, *base)).collect();
    Sight { rows, base, scale }
}

impl Origin<'_> {
    fn seasons_ahead(&self, step: usize) -> usize {
        step.div_ceil(self.season.short)
    }

    /// The median of the last seasons at this place, so that one odd day moves nothing.
    fn base(&self, step: usize) -> f64 {
        let ahead = self.season.short * self.seasons_ahead(step);
        let same = (0..BASE_SEASONS).map(|past| self.value(step, ahead + past * self.season.short));
        let mut same: Vec<f64> = same.filter(|value| value.is_finite()).collect();
        same.sort_unstable_by(f64::total_cmp);
        let middle = same.len() / 2;
        if same.len() % 2 == 1 { same[middle] } else { (same[middle - 1] + same[middle]) / 2.0 }
    }

    /// The value `lag` before a step, where it is known.
    fn value(&self, step: usize, lag: usize) -> f64 {
        let position = (self.at - 1 + step).checked_sub(lag);
        position
            .filter(|position| *position < self.at)
            .map_or(f64::NAN, |position| self.series.values[position])
    }

    fn scaled(&self, difference: f64) -> f32 {
        (difference / self.scale) as f32
    }

    fn shared_features(&self, recent: &[f64]) -> Vec<f32> {
        let season = self.season;
        let change = |span: usize, lag: usize| self.scaled(self.mean_change(span, lag));
        let mut shared = vec![
            change(1, season.short),
            change((season.short / 8).max(1), season.short),
            change((season.short / 4).max(1), season.short),
            change(season.short, season.short),
            self.scaled(self.mean_last(season.short) - self.mean_last(7 * season.short)),
            (self.scale / self.level.max(f64::MIN_POSITIVE)) as f32,
            self.scaled(deviation(recent)),
        ];
        if let Some(long) = season.long {
            shared.push(change(season.short, long));
            shared.push(change((season.short / 8).max(1), long));
            let longer = crate::score::seasonal_scale(recent, long.min(recent.len().saturating_sub(1)));
            shared.push(self.scaled(longer));
        }
        shared
    }

    /// How much the last `span` values lie above those `lag` earlier.
    fn mean_change(&self, span: usize, lag: usize) -> f64 {
        mean((0..span).map(|back| self.value(0, back) - self.value(0, back + lag)))
    }

    fn mean_last(&self, span: usize) -> f64 {
        let from = self.at.saturating_sub(span);
        mean(self.series.values[from..self.at].iter().copied())
    }

    fn row(&self, step: usize, base: f64) -> Vec<f32> {
        let season = self.season;
        let ahead = self.seasons_ahead(step) * season.short;
        let mut row = vec![step as f32, (step % season.short) as f32, (ahead / season.short) as f32];
        for past in 0..=PAST_SEASONS {
            row.push(self.scaled(self.value(step, ahead + past * season.short) - base));
        }
        for shift in [2_usize, 1] {
            row.push(self.scaled(self.value(step, ahead + shift) - base));
            row.push(self.scaled(self.value(step, ahead - shift) - base));
        }
        if let Some(long) = season.long {
            let weeks = step.div_ceil(long) * long;
            let before = self.value(step, weeks);
            let earlier = self.value(step, weeks + long);
            row.push(self.scaled(before - base));
            row.push(self.scaled(earlier - base));
            row.push(self.scaled(before - self.value(step, weeks + season.short)));
            row.push(self.scaled(before - self.value(step, weeks + ahead)));
            row.push(self.scaled(earlier - self.value(step, weeks + long + ahead)));
        }
        row.push(self.scaled(base - self.mean_last(season.short)));
        row.push(self.scaled(self.value(0, 0) - base));
        row.extend_from_slice(&self.shared);
        self.push_known(&mut row, step, ahead);
        row
    }

    /// What is known of the step itself, of its base, and of the season before that.
    fn push_known(&self, row: &mut Vec<f32>, step: usize, ahead: usize) {
        let position = self.at - 1 + step;
        for known in &self.series.known {
            row.push(known[position] as f32);
            row.push(known[position - ahead] as f32);
            let earlier = position.checked_sub(ahead + self.season.short);
            row.push(earlier.map_or(f32::NAN, |earlier| known[earlier] as f32));
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (total, count) = values.fold((0.0, 0.0), |(total, count), value| (total + value, count + 1.0));
    total / count
}

fn deviation(values: &[f64]) -> f64 {
    let middle = mean(values.iter().copied());
    mean(values.iter().map(|value| (value - middle).powi(2))).sqrt()
}
