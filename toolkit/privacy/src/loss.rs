//! What a release cost in use, in figures.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::{Class, Column};

/// What a release cost in use.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Loss {
    /// The global certainty penalty, 0 (nothing lost) to 1 (nothing left): the mean over all cells of the penalty of
    /// [`crate::Hierarchy::penalty`], 1 for each cell of a row that is left out. Ghinita et al., "Fast Data
    /// Anonymization with Low Information Loss" (VLDB 2007).
    pub penalty: f64,
    /// The share of rows left out, 0 to 1.
    pub suppressed: f64,
    /// The mean size of a class, in rows.
    pub mean_class: f64,
    /// How far each column's distribution moved.
    pub marginals: Vec<Marginal>,
}

/// How far a column's distribution moved.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Marginal {
    /// The column.
    pub column: String,
    /// Half the sum of the differences between the shares of each value before and after, 0 to 1, where a coarse
    /// label counts for the values it covers in equal parts (total variation distance).
    pub total_variation: f64,
}

impl Loss {
    pub(crate) fn of(
        columns: &[Column],
        rows: &[Vec<String>],
        domains: &[BTreeSet<String>],
        classes: &[Class],
        suppressed: usize,
    ) -> Self {
        let kept = rows.len() - suppressed;
        let cells = (rows.len() * columns.len()).max(1) as f64;
        let mut lost = (suppressed * columns.len()) as f64;
        for class in classes {
            let first = &rows[class.rows[0]];
            for (column, hierarchy) in columns.iter().map(|column| &column.hierarchy).enumerate() {
                let penalty = hierarchy.penalty(&first[column], class.levels[column], &domains[column]);
                lost += penalty * class.rows.len() as f64;
            }
        }
        let marginal = |(index, column): (usize, &Column)| Marginal {
            column: column.name.clone(),
            total_variation: total_variation(index, column, rows, &domains[index], classes, kept),
        };
        Self {
            penalty: lost / cells,
            suppressed: suppressed as f64 / rows.len().max(1) as f64,
            mean_class: kept as f64 / classes.len().max(1) as f64,
            marginals: columns.iter().enumerate().map(marginal).collect(),
        }
    }
}

fn total_variation(
    index: usize,
    column: &Column,
    rows: &[Vec<String>],
    domain: &BTreeSet<String>,
    classes: &[Class],
    kept: usize,
) -> f64 {
    if kept == 0 {
        return if rows.is_empty() { 0.0 } else { 1.0 };
    }
    let mut moved: BTreeMap<&str, f64> = BTreeMap::new();
    for row in rows {
        *moved.entry(row[index].as_str()).or_default() -= 1.0 / rows.len() as f64;
    }
    for class in classes {
        let (label, level) = (&class.labels[index], class.levels[index]);
        let covered: Vec<&String> =
            domain.iter().filter(|value| column.hierarchy.label(value, level) == *label).collect();
        let share = class.rows.len() as f64 / kept as f64 / covered.len().max(1) as f64;
        for value in covered {
            *moved.entry(value.as_str()).or_default() += share;
        }
    }
    moved.values().map(|difference| difference.abs()).sum::<f64>() / 2.0
}

impl fmt::Display for Loss {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mean = self.marginals.iter().map(|marginal| marginal.total_variation).sum::<f64>()
            / self.marginals.len().max(1) as f64;
        write!(
            out,
            "certainty penalty {:.3}, {:.1} % of rows left out, {:.1} rows in a class, total variation of \
             marginals {mean:.3} (",
            self.penalty,
            self.suppressed * 100.0,
            self.mean_class
        )?;
        for (i, marginal) in self.marginals.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(out, "{comma}{} {:.3}", marginal.column, marginal.total_variation)?;
        }
        out.write_str(")")
    }
}
