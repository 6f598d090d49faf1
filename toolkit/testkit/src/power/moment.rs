//! The moments at which the power is cut: some after a mark, some within checkpoints and commits, some anywhere.

use std::fmt;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::disk::Disk;
use super::record::{History, Record};

/// A moment at which the power is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// How many records have happened.
    pub at: usize,
    /// Draws what becomes of the changes that are not synced.
    pub seed: u64,
    /// What the process was at.
    pub phase: Phase,
    /// Whether the last thing that happened is a mark.
    pub after_mark: bool,
}

/// What a process was at, by what is not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// A database file: a checkpoint, or a change of the journal mode.
    Checkpoint,
    /// A write-ahead log: a commit.
    Commit,
    /// Only names or another file.
    Names,
    /// All is synced.
    Rest,
}

impl History {
    /// Draws `count` moments, in order: a third right after marks, a third within checkpoints, a sixth within
    /// commits, the others anywhere.
    pub fn moments(&self, count: usize, seed: u64) -> Vec<Moment> {
        let mut random = SmallRng::seed_from_u64(seed);
        let phases = self.phases();
        let all: Vec<usize> = (1..=self.len()).collect();
        let of = |phase| all.iter().copied().filter(|at| phases[*at] == phase).collect::<Vec<_>>();
        let (checkpoints, commits) = (of(Phase::Checkpoint), of(Phase::Commit));
        let after_mark = |at: &usize| matches!(self.records[at - 1], Record::Mark(_));
        let marked: Vec<usize> = all.iter().copied().filter(after_mark).collect();
        let mut moments: Vec<Moment> = (0..count)
            .map(|number| {
                let wanted = match number % 6 {
                    0 | 1 => &marked,
                    2 | 3 => &checkpoints,
                    4 => &commits,
                    _ => &all,
                };
                let from = if wanted.is_empty() { &all } else { wanted };
                let at = if from.is_empty() { 0 } else { from[random.random_range(0..from.len())] };
                let after_mark = at > 0 && after_mark(&at);
                Moment { at, seed: random.random(), phase: phases[at], after_mark }
            })
            .collect();
        moments.sort();
        moments
    }

    /// Returns the phase of every moment.
    fn phases(&self) -> Vec<Phase> {
        let mut disk = Disk::default();
        let mut phases = vec![Phase::Rest];
        for (index, record) in self.records.iter().enumerate() {
            disk.apply(index, record);
            phases.push(disk.phase());
        }
        phases
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after_mark = if self.after_mark { ", right after a mark" } else { "" };
        write!(formatter, "moment {} (seed {}, {:?}{after_mark})", self.at, self.seed, self.phase)
    }
}
