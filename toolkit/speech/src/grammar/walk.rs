//! Walks a net letter by letter, on all its ways at once.

use super::{DONE, Grammar, Place, Step};

/// All places where a walk may stand after the same letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Places(Vec<Place>);

// === Grammar ===

impl Grammar {
    /// Returns where a walk begins.
    pub(crate) fn start(&self) -> Places {
        let mut places: Vec<Place> = self.after(0).into_iter().map(|(place, _)| place).collect();
        places.sort_unstable();
        places.dedup();
        Places(places)
    }

    /// Returns where a walk stands after one more letter; nowhere when no sentence goes on with it.
    pub(crate) fn next(&self, places: &Places, letter: u8) -> Places {
        let mut next = Vec::new();
        for place in &places.0 {
            match self.read(*place, letter) {
                Some(Step::Within(place)) => next.push(place),
                Some(Step::Over(knot)) => next.extend(self.after(knot).into_iter().map(|(place, _)| place)),
                None => {}
            }
        }
        next.sort_unstable();
        next.dedup();
        Places(next)
    }
}

// === Places ===

impl Places {
    /// Tells whether no sentence goes on here.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether a sentence may end here.
    pub(crate) fn may_end(&self) -> bool {
        self.0.last() == Some(&DONE)
    }
}
