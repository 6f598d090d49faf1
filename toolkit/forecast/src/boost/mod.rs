//! Gradient boosting for the median: histogram trees grown leaf by leaf.
//!
//! Sources: Friedman, "Greedy function approximation: a gradient boosting machine", Annals of Statistics 29(5),
//! 2001, for least-absolute-deviation boosting with medians in the leaves; Ke et al., "LightGBM", NeurIPS 2017,
//! for histograms, best-leaf-first growth and the subtraction of a sibling's histogram. Why it is ours: no
//! library that builds on stable Rust boosts an absolute loss.

mod bins;
mod tree;

use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rayon::prelude::*;

use bins::Bins;
use tree::{Grower, Tree};

/// How trees are grown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BoostOptions {
    pub trees: usize,
    /// Share of each tree's answer that is kept.
    pub rate: f32,
    pub leaves: usize,
    /// Fewest rows of a leaf.
    pub smallest: usize,
    /// Share of the rows each tree sees.
    pub rows: f64,
    /// Share of the columns each tree sees.
    pub columns: f64,
    pub seed: u64,
}

/// A fitted sum of trees.
pub(crate) struct Boosted {
    start: f32,
    trees: Vec<Tree>,
}

/// Fits the median of `target` given `columns`, each as long as the target. A column's NaN means unknown.
pub(crate) fn fit(columns: &[Vec<f32>], target: &[f32], options: BoostOptions) -> Boosted {
    let mut random = SmallRng::seed_from_u64(options.seed);
    let bins = Bins::of(columns);
    let start = median(&mut target.to_vec());
    let mut residual: Vec<f32> = target.iter().map(|value| value - start).collect();
    let mut trees = Vec::with_capacity(options.trees);
    for _ in 0..options.trees {
        let seen: Vec<u32> = (0..target.len() as u32).filter(|_| random.random_bool(options.rows)).collect();
        if seen.len() < 2 * options.smallest {
            break;
        }
        let used = some_columns(columns.len(), options.columns, &mut random);
        let tree = Grower::new(&bins, &residual, &used, options).grow(seen);
        residual.par_iter_mut().enumerate().for_each(|(row, left)| *left -= tree.binned(&bins, row));
        trees.push(tree);
    }
    Boosted { start, trees }
}

impl Boosted {
    /// The answer for one row of values, in the columns' order.
    pub(crate) fn answer(&self, row: &[f32]) -> f32 {
        self.start + self.trees.iter().map(|tree| tree.answer(row)).sum::<f32>()
    }
}

fn some_columns(count: usize, share: f64, random: &mut SmallRng) -> Vec<usize> {
    let mut all: Vec<usize> = (0..count).collect();
    all.shuffle(random);
    all.truncate(((count as f64 * share).ceil() as usize).max(1));
    all
}

/// The middle value; the list is left in another order.
pub(crate) fn median(values: &mut [f32]) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: BoostOptions =
        BoostOptions { trees: 200, rate: 0.1, leaves: 8, smallest: 5, rows: 0.8, columns: 1.0, seed: 7 };

    #[test]
    fn a_step_and_a_slope_are_learned() {
        let one: Vec<f32> = (0..500).map(|row| (row % 50) as f32).collect();
        let two: Vec<f32> = (0..500).map(|row| (row / 50) as f32).collect();
        let target: Vec<f32> =
            one.iter().zip(&two).map(|(one, two)| if *one > 20.0 { 10.0 } else { 0.0 } + two).collect();
        let fitted = fit(&[one.clone(), two.clone()], &target, OPTIONS);
        for row in (0..500).step_by(37) {
            let off = (fitted.answer(&[one[row], two[row]]) - target[row]).abs();
            assert!(off < 0.5, "row {row} is off by {off}");
        }
    }

    #[test]
    fn outliers_do_not_move_the_median() {
        let column: Vec<f32> = (0..400).map(|row| (row % 2) as f32).collect();
        let target: Vec<f32> =
            (0..400).map(|row| if row % 10 == 3 { 1e6 } else { (row % 2) as f32 }).collect();
        let fitted = fit(&[column], &target, OPTIONS);
        assert!((fitted.answer(&[1.0]) - 1.0).abs() < 0.1, "{}", fitted.answer(&[1.0]));
    }

    #[test]
    fn an_unknown_value_has_an_answer_of_its_own() {
        let column: Vec<f32> = (0..400).map(|row| if row % 4 == 0 { f32::NAN } else { row as f32 }).collect();
        let target: Vec<f32> = (0..400).map(|row| if row % 4 == 0 { -5.0 } else { 5.0 }).collect();
        let fitted = fit(&[column], &target, OPTIONS);
        assert!((fitted.answer(&[f32::NAN]) + 5.0).abs() < 0.1);
        assert!((fitted.answer(&[201.0]) - 5.0).abs() < 0.1);
    }

    #[test]
    fn the_same_seed_gives_the_same_trees() {
        let column: Vec<f32> = (0..300).map(|row| ((row * 7919) % 300) as f32).collect();
        let target: Vec<f32> = column.iter().map(|value| value.sin()).collect();
        let answers = || {
            let fitted = fit(std::slice::from_ref(&column), &target, OPTIONS);
            (0..300).map(|row| fitted.answer(&[row as f32]).to_bits()).collect::<Vec<_>>()
        };
        assert_eq!(answers(), answers());
    }
}
