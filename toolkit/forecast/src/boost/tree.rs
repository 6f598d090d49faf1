//! One tree: grown where it helps most, with the median of what is left in its leaves.

use rayon::prelude::*;

use super::bins::{Bins, MOST_BINS};
use super::{BoostOptions, median};

/// A grown tree.
pub(crate) struct Tree {
    nodes: Vec<Node>,
}

enum Node {
    Leaf(f32),
    /// Rows up to the cut, and those with an unknown value, go left.
    Split {
        column: usize,
        bin: u8,
        upper: f32,
        left: usize,
        right: usize,
    },
}

impl Tree {
    /// The answer for a row of values.
    pub(crate) fn answer(&self, row: &[f32]) -> f32 {
        self.walk(|column, _, upper| row[column] <= upper || row[column].is_nan())
    }

    /// The answer for a row the tree was fitted with.
    pub(crate) fn binned(&self, bins: &Bins, row: usize) -> f32 {
        self.walk(|column, bin, _| bins.column(column)[row] <= bin)
    }

    fn walk(&self, goes_left: impl Fn(usize, u8, f32) -> bool) -> f32 {
        let mut at = 0;
        loop {
            match &self.nodes[at] {
                Node::Leaf(answer) => return *answer,
                Node::Split { column, bin, upper, left, right } => {
                    at = if goes_left(*column, *bin, *upper) { *left } else { *right };
                }
            }
        }
    }
}

/// Sum of gradients and count of rows for each bin of each used column.
type Histogram = Vec<[(f32, u32); MOST_BINS]>;

#[derive(Clone, Copy)]
struct Split {
    gain: f32,
    /// Place in the list of used columns.
    column: usize,
    bin: u8,
}

struct Growing {
    node: usize,
    rows: Vec<u32>,
    histogram: Histogram,
    split: Option<Split>,
}

/// What a tree is grown from.
pub(crate) struct Grower<'a> {
    bins: &'a Bins,
    residual: &'a [f32],
    used: &'a [usize],
    options: BoostOptions,
}

impl<'a> Grower<'a> {
    pub(crate) fn new(bins: &'a Bins, residual: &'a [f32], used: &'a [usize], options: BoostOptions) -> Self {
        Self { bins, residual, used, options }
    }

    /// Grows over `rows`, splitting the leaf that gains most until there are enough.
    pub(crate) fn grow(&self, rows: Vec<u32>) -> Tree {
        let mut nodes = vec![Node::Leaf(0.0)];
        let histogram = self.histogram(&rows);
        let split = self.best(&histogram);
        let mut leaves = vec![Growing { node: 0, rows, histogram, split }];
        while leaves.len() < self.options.leaves {
            let Some(next) = most_gain(&leaves) else { break };
            let leaf = leaves.swap_remove(next);
            let Some(split) = leaf.split else { break };
            leaves.extend(self.split(leaf, split, &mut nodes));
        }
        for leaf in leaves {
            let mut left: Vec<f32> = leaf.rows.iter().map(|row| self.residual[*row as usize]).collect();
            nodes[leaf.node] = Node::Leaf(median(&mut left) * self.options.rate);
        }
        Tree { nodes }
    }

    fn split(&self, leaf: Growing, split: Split, nodes: &mut Vec<Node>) -> [Growing; 2] {
        let column = self.used[split.column];
        let bins = self.bins.column(column);
        let (left, right): (Vec<u32>, Vec<u32>) =
            leaf.rows.iter().partition(|row| bins[**row as usize] <= split.bin);
        let (first, second) = (nodes.len(), nodes.len() + 1);
        nodes.extend([Node::Leaf(0.0), Node::Leaf(0.0)]);
        let upper = self.bins.upper(column, split.bin);
        nodes[leaf.node] = Node::Split { column, bin: split.bin, upper, left: first, right: second };
        // Only the smaller half is counted; the other is what remains of the whole.
        let smaller = self.histogram(if left.len() < right.len() { &left } else { &right });
        let larger = without(leaf.histogram, &smaller);
        let (of_left, of_right) =
            if left.len() < right.len() { (smaller, larger) } else { (larger, smaller) };
        [self.growing(first, left, of_left), self.growing(second, right, of_right)]
    }

    fn growing(&self, node: usize, rows: Vec<u32>, histogram: Histogram) -> Growing {
        let split = self.best(&histogram);
        Growing { node, rows, histogram, split }
    }

    fn histogram(&self, rows: &[u32]) -> Histogram {
        // The gradient of an absolute error is its sign.
        let signs: Vec<f32> = rows.iter().map(|row| self.residual[*row as usize].signum()).collect();
        let count = |column: &usize| {
            let bins = self.bins.column(*column);
            let mut counted = [(0.0, 0); MOST_BINS];
            for (row, sign) in rows.iter().zip(&signs) {
                let cell = &mut counted[usize::from(bins[*row as usize])];
                cell.0 += sign;
                cell.1 += 1;
            }
            counted
        };
        if rows.len() < 4_000 {
            self.used.iter().map(count).collect()
        } else {
            self.used.par_iter().map(count).collect()
        }
    }

    fn best(&self, histogram: &Histogram) -> Option<Split> {
        let each = histogram.iter().enumerate().filter_map(|(column, cells)| self.best_of(column, cells));
        each.max_by(|one, other| one.gain.total_cmp(&other.gain).then(other.column.cmp(&one.column)))
    }

    fn best_of(&self, column: usize, cells: &[(f32, u32); MOST_BINS]) -> Option<Split> {
        let smallest = self.options.smallest as u32;
        let (sum, rows) = cells.iter().fold((0.0, 0), |(sum, rows), cell| (sum + cell.0, rows + cell.1));
        let worth = |sum: f32, rows: u32| sum * sum / rows as f32;
        let mut best: Option<Split> = None;
        let (mut left_sum, mut left_rows) = (0.0, 0);
        for (bin, cell) in cells.iter().enumerate() {
            left_sum += cell.0;
            left_rows += cell.1;
            let right_rows = rows - left_rows;
            if left_rows < smallest {
                continue;
            }
            if right_rows < smallest {
                break;
            }
            let gain = worth(left_sum, left_rows) + worth(sum - left_sum, right_rows) - worth(sum, rows);
            if gain > best.map_or(1e-3, |best| best.gain) {
                best = Some(Split { gain, column, bin: bin as u8 });
            }
        }
        best
    }
}

fn most_gain(leaves: &[Growing]) -> Option<usize> {
    let gains = leaves.iter().enumerate().filter_map(|(at, leaf)| Some((at, leaf.split?.gain)));
    gains.max_by(|one, other| one.1.total_cmp(&other.1)).map(|(at, _)| at)
}

fn without(mut whole: Histogram, part: &Histogram) -> Histogram {
    for (whole, part) in whole.iter_mut().flatten().zip(part.iter().flatten()) {
        whole.0 -= part.0;
        whole.1 -= part.1;
    }
    whole
}
