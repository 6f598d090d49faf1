//! Finding people again: what somebody who knows a person's attributes can make of a release.

use std::collections::HashMap;

use crate::{Column, Release};

/// What came of looking for every person in a release by all their attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attack {
    /// People looked for.
    pub people: usize,
    /// Those of whom exactly one released row can be.
    pub found: usize,
    /// Those of whom some, but fewer than `k` released rows can be.
    pub narrowed: usize,
    /// The fewest rows that one person in the release can be; 0 for an empty release.
    pub smallest_crowd: usize,
}

/// Returns how many people are the only ones with their attributes: whom the rows themselves give away.
pub fn unique_people(rows: &[Vec<String>]) -> usize {
    let mut counts: HashMap<&[String], usize> = HashMap::new();
    for row in rows {
        *counts.entry(row.as_slice()).or_default() += 1;
    }
    counts.values().filter(|&&count| count == 1).count()
}

impl Attack {
    /// Looks for everybody. The attacker knows all attributes of a person exactly, and how the release was made: a
    /// released row can be a person where its labels cover the person's values, and where two classes cover them,
    /// the attacker knows which one the person would have been put into.
    pub fn on(release: &Release, columns: &[Column], rows: &[Vec<String>], k: usize) -> Self {
        let mut attack = Self { people: rows.len(), smallest_crowd: usize::MAX, ..Self::default() };
        for person in rows {
            let covers = |labels: &[String], levels: &[usize]| {
                let mut cells = columns.iter().zip(person).zip(labels).zip(levels);
                cells.all(|(((column, value), label), level)| column.hierarchy.label(value, *level) == *label)
            };
            let classes = release.classes.iter().filter(|class| covers(&class.labels, &class.levels));
            // The narrowest guess of a cunning attacker is the smallest of the classes that fit.
            let Some(crowd) = classes.map(|class| class.rows.len()).min() else { continue };
            attack.found += usize::from(crowd == 1);
            attack.narrowed += usize::from(crowd < k);
            attack.smallest_crowd = attack.smallest_crowd.min(crowd);
        }
        if attack.smallest_crowd == usize::MAX {
            attack.smallest_crowd = 0;
        }
        attack
    }
}
