//! What becomes of unsynced changes in one power cut, drawn by a seed.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// The unit in which a disk writes (bytes).
const SECTOR: usize = 512;

/// What becomes of one change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Kept,
    Dropped,
    /// Of a write: some sectors are there, some are not.
    Torn,
}

/// Draws the fates of one power cut.
pub(super) struct Loss {
    random: SmallRng,
    manner: Manner,
    /// Whether files that grew without their data hold noise instead of zeros.
    noise: bool,
}

/// How a cut treats what was not synced.
enum Manner {
    /// Nothing of it is there.
    Nothing,
    /// All before one record is there, that record is torn, nothing after it is there.
    InOrder(usize),
    /// Each change by itself.
    Each { kept: f64, torn: f64 },
}

impl Loss {
    /// Draws a manner; `pending` are the first and the last record that are not synced.
    pub(super) fn new(seed: u64, pending: Option<(usize, usize)>) -> Self {
        let mut random = SmallRng::seed_from_u64(seed);
        let manner = match (random.random_range(0..10), pending) {
            (0..3, _) | (_, None) => Manner::Nothing,
            (3..5, Some((first, last))) => Manner::InOrder(random.random_range(first..=last)),
            _ => Manner::Each { kept: random.random(), torn: random.random_range(0.0..0.6) },
        };
        let noise = random.random();
        Self { random, manner, noise }
    }

    /// Draws what becomes of the change in `record`.
    pub(super) fn fate(&mut self, record: usize) -> Fate {
        match self.manner {
            Manner::Nothing => Fate::Dropped,
            Manner::InOrder(cut) if record == cut => Fate::Torn,
            Manner::InOrder(cut) if record < cut => Fate::Kept,
            Manner::InOrder(_) => Fate::Dropped,
            Manner::Each { torn, .. } if self.random.random_bool(torn) => Fate::Torn,
            Manner::Each { kept, .. } if self.random.random_bool(kept) => Fate::Kept,
            Manner::Each { .. } => Fate::Dropped,
        }
    }

    /// Writes those sectors of `data` that reached the disk; the file has grown in any case.
    pub(super) fn tear(&mut self, content: &mut Vec<u8>, offset: usize, data: &[u8]) {
        self.grow(content, offset + data.len());
        let sectors = (offset / SECTOR)..=((offset + data.len().saturating_sub(1)) / SECTOR);
        let cut = self.random.random_range(sectors.clone());
        let linear = self.random.random_bool(0.5);
        for sector in sectors {
            if if linear { sector < cut } else { self.random.random() } {
                let begin = offset.max(sector * SECTOR);
                let end = (offset + data.len()).min((sector + 1) * SECTOR);
                content[begin..end].copy_from_slice(&data[begin - offset..end - offset]);
            }
        }
    }

    /// Makes a file at least `length` bytes long.
    pub(super) fn grow(&mut self, content: &mut Vec<u8>, length: usize) {
        let before = content.len();
        if length > before {
            content.resize(length, 0);
            if self.noise {
                self.random.fill(&mut content[before..]);
            }
        }
    }

    /// Draws a left-over of `length` bytes, or none.
    pub(super) fn left_over(&mut self, length: usize) -> Option<Vec<u8>> {
        let mut content = vec![0; length];
        self.random.fill(&mut content[..]);
        self.random.random::<bool>().then_some(content)
    }
}
