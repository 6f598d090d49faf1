//! How far a suppressed cell can move while every published number stays: flows over a table with its sums.
//!
//! A table whose rows and columns add up is a network (Castro, "A shortest-paths heuristic for statistical data
//! protection in positive tables", INFORMS Journal on Computing 19, 2007): each row and each column is a node, a
//! cell an arc from its row to its column, a sum an arc back. Numbers that keep all sums are a circulation.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// More than any cell can move; sums of many still fit.
pub(crate) const UNBOUNDED: u64 = 1 << 50;

/// A table with its sums as last row and last column.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    /// Rows with the row of sums.
    pub rows: usize,
    /// Columns with the column of sums.
    pub columns: usize,
    /// Row by row.
    pub counts: Vec<u64>,
    /// Which cells are not published.
    pub hidden: Vec<bool>,
}

/// A way to move cells: up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Move {
    cell: usize,
    up: bool,
    from: usize,
    to: usize,
}

/// What a search over single steps costs.
struct Step {
    cost: u64,
    from: usize,
    cell: usize,
}

impl Grid {
    pub fn is_sum(&self, cell: usize) -> bool {
        self.row(cell) + 1 == self.rows || self.column(cell) + 1 == self.columns
    }

    pub fn is_grand_total(&self, cell: usize) -> bool {
        cell + 1 == self.counts.len()
    }

    fn row(&self, cell: usize) -> usize {
        cell / self.columns
    }

    fn column(&self, cell: usize) -> usize {
        cell % self.columns
    }

    /// The arc of a cell that grows or shrinks.
    fn arc(&self, cell: usize, up: bool) -> Move {
        let (row, column) = (self.row(cell), self.rows + self.column(cell));
        // Inner cells and the grand total lead from row to column, the other sums back.
        let forth = (self.row(cell) + 1 == self.rows) == (self.column(cell) + 1 == self.columns);
        let (from, to) = if forth == up { (row, column) } else { (column, row) };
        Move { cell, up, from, to }
    }

    fn moves(&self, without: usize) -> impl Iterator<Item = Move> + '_ {
        let cells = (0..self.counts.len()).filter(move |&cell| cell != without);
        cells.flat_map(|cell| [self.arc(cell, true), self.arc(cell, false)])
    }

    fn capacity(&self, step: Move) -> u64 {
        if step.up { UNBOUNDED } else { self.counts[step.cell] }
    }

    /// Returns by how much the hidden `cell` can grow or shrink while the published numbers stay, at most
    /// [`UNBOUNDED`], and what the hidden cells then are.
    pub fn room(&self, cell: usize, up: bool) -> (u64, Vec<u64>) {
        let own = self.arc(cell, up);
        let most = if up { UNBOUNDED } else { self.counts[cell] };
        let mut moved: Vec<i64> = vec![0; self.counts.len()];
        let mut total = 0;
        // What `cell` moves must flow back from where its arc ends to where it begins.
        while total < most {
            let Some(path) = self.path(own, &moved) else { break };
            let least = path.iter().map(|&step| self.left(step, &moved)).min().unwrap_or(0);
            let by = least.min(most - total);
            if by == 0 {
                break;
            }
            for step in path {
                let by = i64::try_from(by).unwrap_or(i64::MAX);
                moved[step.cell] += if step.up { by } else { -by };
            }
            total += by;
        }
        let own_move = i64::try_from(total).unwrap_or(i64::MAX);
        moved[cell] += if up { own_move } else { -own_move };
        let counts = self.counts.iter().zip(&moved);
        (total, counts.map(|(count, moved)| count.saturating_add_signed(*moved)).collect())
    }

    /// What is left of a step's capacity: what was moved the other way can be taken back on top.
    fn left(&self, step: Move, moved: &[i64]) -> u64 {
        let already = if step.up { moved[step.cell] } else { -moved[step.cell] };
        let capacity = i64::try_from(self.capacity(step)).unwrap_or(i64::MAX);
        u64::try_from(capacity.saturating_sub(already)).unwrap_or(0)
    }

    /// Returns a shortest path back over hidden cells that can still move.
    fn path(&self, own: Move, moved: &[i64]) -> Option<Vec<Move>> {
        let nodes = self.rows + self.columns;
        let mut came: Vec<Option<Move>> = vec![None; nodes];
        let mut queue = VecDeque::from([own.to]);
        while let Some(node) = queue.pop_front() {
            if node == own.from {
                return Some(trace(&came, own));
            }
            let steps = self.moves(own.cell).filter(|step| step.from == node && self.hidden[step.cell]);
            for step in steps {
                if step.to != own.to && came[step.to].is_none() && self.left(step, moved) > 0 {
                    came[step.to] = Some(step);
                    queue.push_back(step.to);
                }
            }
        }
        None
    }

    /// Returns the published cells that cost least to hide so that `cell` can move by `amount`; `None` where there
    /// are none.
    pub fn cheapest(
        &self,
        cell: usize,
        up: bool,
        amount: u64,
        cost: impl Fn(usize) -> u64,
    ) -> Option<Vec<usize>> {
        let own = self.arc(cell, up);
        let nodes = self.rows + self.columns;
        let mut best: Vec<Option<Step>> = (0..nodes).map(|_| None).collect();
        let mut queue = BinaryHeap::from([(Reverse(0_u64), own.to)]);
        let mut done = vec![false; nodes];
        while let Some((Reverse(so_far), node)) = queue.pop() {
            if std::mem::replace(&mut done[node], true) {
                continue;
            }
            let steps = self.moves(cell).filter(|step| step.from == node && self.capacity(*step) >= amount);
            for step in steps {
                let price = if self.hidden[step.cell] { 0 } else { cost(step.cell) };
                let whole = so_far.saturating_add(price);
                let better = best[step.to].as_ref().is_none_or(|known| whole < known.cost);
                if step.to != own.to && !done[step.to] && better {
                    best[step.to] = Some(Step { cost: whole, from: node, cell: step.cell });
                    queue.push((Reverse(whole), step.to));
                }
            }
        }
        let mut cells = Vec::new();
        let mut node = own.from;
        while node != own.to {
            let step = best[node].as_ref()?;
            if !self.hidden[step.cell] {
                cells.push(step.cell);
            }
            node = step.from;
        }
        Some(cells)
    }
}

fn trace(came: &[Option<Move>], own: Move) -> Vec<Move> {
    let mut path = Vec::new();
    let mut node = own.from;
    while let Some(step) = came[node] {
        path.push(step);
        node = step.from;
    }
    path
}
