//! Columns as small whole numbers: trees look for splits between bins, not between values.

use rayon::prelude::*;

/// Most bins of a column, the one for unknown values included.
pub(crate) const MOST_BINS: usize = 128;
/// How many values are looked at to place a column's cuts.
const SAMPLE: usize = 20_000;

/// The columns' bins and where the cuts lie.
pub(crate) struct Bins {
    columns: Vec<Vec<u8>>,
    cuts: Vec<Vec<f32>>,
}

impl Bins {
    pub(crate) fn of(columns: &[Vec<f32>]) -> Self {
        let cuts: Vec<Vec<f32>> = columns.par_iter().map(|column| cuts_of(column)).collect();
        let columns = columns
            .par_iter()
            .zip(&cuts)
            .map(|(column, cuts)| column.iter().map(|value| bin(*value, cuts)).collect());
        Self { columns: columns.collect(), cuts }
    }

    pub(crate) fn column(&self, column: usize) -> &[u8] {
        &self.columns[column]
    }

    /// The highest value of `bin`. Unknown values lie in bin 0, below all others.
    pub(crate) fn upper(&self, column: usize, bin: u8) -> f32 {
        match bin {
            0 => f32::NEG_INFINITY,
            bin => self.cuts[column].get(usize::from(bin) - 1).copied().unwrap_or(f32::INFINITY),
        }
    }
}

fn bin(value: f32, cuts: &[f32]) -> u8 {
    if value.is_nan() {
        return 0;
    }
    // At most MOST_BINS - 2 cuts, so this fits.
    1 + cuts.partition_point(|cut| *cut < value) as u8
}

/// Cuts at equal shares of the values seen, each at most once.
fn cuts_of(column: &[f32]) -> Vec<f32> {
    let stride = column.len().div_ceil(SAMPLE).max(1);
    let mut seen: Vec<f32> = column.iter().copied().step_by(stride).filter(|value| !value.is_nan()).collect();
    seen.sort_unstable_by(f32::total_cmp);
    if seen.is_empty() {
        return Vec::new();
    }
    let most = MOST_BINS - 2;
    let mut cuts: Vec<f32> = (1..=most).map(|part| seen[(seen.len() - 1) * part / (most + 1)]).collect();
    cuts.dedup();
    cuts
}
