//! One linear support vector machine per class, by dual coordinate descent with shrinking (Hsieh et al., 2008).

use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;

use crate::classify::Training;
use crate::classify::features::Row;

/// Passes end when no coordinate is further than this from its optimum.
const CLOSE: f32 = 0.01;

/// Returns for each class the weights that separate it from all others, trained on `threads` threads.
pub fn separate(
    rows: &[Row],
    labels: &[usize],
    classes: usize,
    features: usize,
    training: Training,
) -> Vec<Vec<f32>> {
    let mut columns: Vec<Vec<f32>> = vec![Vec::new(); classes];
    let share = classes.div_ceil(training.threads.max(1));
    std::thread::scope(|scope| {
        for (part, columns) in columns.chunks_mut(share).enumerate() {
            scope.spawn(move || {
                for (at, column) in columns.iter_mut().enumerate() {
                    *column = separate_one(rows, labels, part * share + at, features, training);
                }
            });
        }
    });
    columns
}

fn separate_one(
    rows: &[Row],
    labels: &[usize],
    class: usize,
    features: usize,
    training: Training,
) -> Vec<f32> {
    let mut random =
        SmallRng::seed_from_u64(training.seed ^ (class as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let diagonal = 0.5 / training.cost;
    let lengths: Vec<f32> = rows
        .iter()
        .map(|row| diagonal + row.entries.iter().map(|(_, value)| value * value).sum::<f32>())
        .collect();
    let mut weights = vec![0.0_f32; features];
    let mut alphas = vec![0.0_f32; rows.len()];
    let mut active: Vec<usize> = (0..rows.len()).collect();
    let mut furthest = f32::INFINITY;
    for _ in 0..training.passes {
        active.shuffle(&mut random);
        let (mut highest, mut lowest) = (f32::NEG_INFINITY, f32::INFINITY);
        let limit = furthest;
        let before = active.len();
        active.retain(|&at| {
            let side = if labels[at] == class { 1.0 } else { -1.0 };
            let product: f32 =
                rows[at].entries.iter().map(|(feature, value)| weights[*feature as usize] * value).sum();
            let gradient = side * product - 1.0 + alphas[at] * diagonal;
            if alphas[at] == 0.0 && gradient > limit {
                return false;
            }
            let projected = if alphas[at] == 0.0 { gradient.min(0.0) } else { gradient };
            highest = highest.max(projected);
            lowest = lowest.min(projected);
            if projected.abs() > 1e-12 {
                let alpha = (alphas[at] - gradient / lengths[at]).max(0.0);
                let step = (alpha - alphas[at]) * side;
                alphas[at] = alpha;
                for (feature, value) in &rows[at].entries {
                    weights[*feature as usize] += step * value;
                }
            }
            true
        });
        if highest - lowest <= CLOSE {
            if before == rows.len() {
                break;
            }
            // What was left out may have come back into reach.
            active = (0..rows.len()).collect();
            furthest = f32::INFINITY;
        } else {
            furthest = if highest > 0.0 { highest } else { f32::INFINITY };
        }
    }
    weights
}
