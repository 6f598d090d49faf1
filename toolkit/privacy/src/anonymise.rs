//! Making a release in which nobody stands alone: top-down over hierarchies, the rest suppressed.
//!
//! The search is Mondrian's (LeFevre, DeWitt, Ramakrishnan, "Mondrian Multidimensional K-Anonymity", ICDE 2006):
//! everybody begins in one class of `*`, and a class is cut along one column while every part stays safe. Cuts
//! follow the column's hierarchy instead of the median, so that labels are the ones people know. Of all safe cuts the
//! one is taken that lowers the normalised certainty penalty most. Parts that are too small on their own stay
//! together one level coarser as the rest of the class; a rest that is too small itself is suppressed where that
//! costs less than not cutting, within the share allowed.

use std::collections::{BTreeMap, BTreeSet};

use crate::{AnonymiseError, Column, Diversity, Loss};

/// How safe a release must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// The least number of people in a class. Default 5.
    pub k: usize,
    /// What the secrets of a class must be like. Default nothing.
    pub diversity: Diversity,
    /// The largest share of rows, 0 to 1, that may be left out to keep the others finer. Default 0.05. Where even
    /// one class of all is not safe, everything is left out.
    pub most_suppressed: f64,
}

/// People whom the release does not tell apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// One label per column.
    pub labels: Vec<String>,
    /// How coarse each label is; see [`crate::Hierarchy::label`].
    pub levels: Vec<usize>,
    /// The rows in it, by their place among the rows given.
    pub rows: Vec<usize>,
}

/// What may be given away.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// The classes, each of at least `k` rows.
    pub classes: Vec<Class>,
    /// The rows that are left out.
    pub suppressed: Vec<usize>,
    /// What this cost in use.
    pub loss: Loss,
}

/// What the search looks at: columns, rows, secrets, rules.
struct Search<'a> {
    columns: &'a [Column],
    rows: &'a [Vec<String>],
    secrets: &'a [String],
    rules: Rules,
    /// The values that occur, per column.
    domains: Vec<BTreeSet<String>>,
    /// Rows that may still be left out.
    allowance: usize,
    classes: Vec<Class>,
    suppressed: Vec<usize>,
}

/// One way to cut a class.
struct Cut {
    column: usize,
    parts: Vec<Vec<usize>>,
    /// What stays a level coarser.
    rest: Vec<usize>,
    /// What is left out.
    dropped: Vec<usize>,
    gain: f64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { k: 5, diversity: Diversity::None, most_suppressed: 0.05 }
    }
}

/// Makes a release of `rows`, one value per column each, with one secret per row (none where the rules ask for no
/// diversity). The same rows give the same release. Time grows with rows × columns × levels.
///
/// # Errors
/// Names the rule, row or value that is wrong.
pub fn anonymise(
    columns: &[Column],
    rows: &[Vec<String>],
    secrets: &[String],
    rules: Rules,
) -> Result<Release, AnonymiseError> {
    check(columns, rows, secrets, &rules)?;
    let domains = (0..columns.len()).map(|column| rows.iter().map(|row| row[column].clone()).collect());
    let allowance = (rows.len() as f64 * rules.most_suppressed).floor() as usize;
    let mut search = Search {
        columns,
        rows,
        secrets,
        rules,
        domains: domains.collect(),
        allowance,
        classes: Vec::new(),
        suppressed: Vec::new(),
    };
    let all: Vec<usize> = (0..rows.len()).collect();
    if search.is_safe(&all) {
        search.refine(all, columns.iter().map(|column| column.hierarchy.top()).collect());
    } else {
        search.suppressed = all;
    }
    let Search { classes, mut suppressed, domains, .. } = search;
    suppressed.sort_unstable();
    let loss = Loss::of(columns, rows, &domains, &classes, suppressed.len());
    Ok(Release { classes, suppressed, loss })
}

fn check(
    columns: &[Column],
    rows: &[Vec<String>],
    secrets: &[String],
    rules: &Rules,
) -> Result<(), AnonymiseError> {
    if rules.k < 2 {
        return Err(AnonymiseError::TooSmall { k: rules.k });
    }
    if !(0.0..=1.0).contains(&rules.most_suppressed) {
        return Err(AnonymiseError::Share { share: rules.most_suppressed.to_string() });
    }
    let needless = rules.diversity == Diversity::None && secrets.is_empty();
    if !needless && secrets.len() != rows.len() {
        return Err(AnonymiseError::Secrets { secrets: secrets.len(), rows: rows.len() });
    }
    for (i, row) in rows.iter().enumerate() {
        if row.len() != columns.len() {
            return Err(AnonymiseError::RowLength { row: i, values: row.len(), columns: columns.len() });
        }
        if let Some((column, value)) =
            columns.iter().zip(row).find(|(column, value)| !column.hierarchy.takes(value))
        {
            let (column, value) = (column.name.clone(), value.clone());
            return Err(AnonymiseError::NotANumber { row: i, column, value });
        }
    }
    Ok(())
}

impl Search<'_> {
    fn is_safe(&self, rows: &[usize]) -> bool {
        let secret = |row: &usize| self.secrets.get(*row).map_or("", String::as_str);
        rows.len() >= self.rules.k && self.rules.diversity.holds(rows.iter().map(secret))
    }

    /// Cuts a safe class as long as that is safe and pays.
    fn refine(&mut self, rows: Vec<usize>, levels: Vec<usize>) {
        let mut open = vec![(rows, levels)];
        while let Some((rows, levels)) = open.pop() {
            let Some(cut) = self.best(&rows, &levels) else {
                self.close(rows, levels);
                continue;
            };
            self.allowance -= cut.dropped.len();
            self.suppressed.extend(cut.dropped);
            if !cut.rest.is_empty() {
                // Its parts were too small at the finer level, so it is cut along other columns only.
                open.push((cut.rest, levels.clone()));
            }
            let mut finer = levels;
            finer[cut.column] -= 1;
            open.extend(cut.parts.into_iter().map(|part| (part, finer.clone())));
        }
    }

    fn close(&mut self, rows: Vec<usize>, levels: Vec<usize>) {
        let label = |(column, level): (usize, &usize)| {
            self.columns[column].hierarchy.label(&self.rows[rows[0]][column], *level)
        };
        let labels = levels.iter().enumerate().map(label).collect();
        self.classes.push(Class { labels, levels, rows });
    }

    fn best(&self, rows: &[usize], levels: &[usize]) -> Option<Cut> {
        let cuts = (0..self.columns.len()).filter_map(|column| self.cut(rows, levels, column));
        // The first of equals, so that the same rows give the same release.
        cuts.reduce(|best, cut| if cut.gain > best.gain { cut } else { best })
    }

    /// Returns the cut of a class along `column`, if it is safe and pays.
    fn cut(&self, rows: &[usize], levels: &[usize], column: usize) -> Option<Cut> {
        let finer = levels[column].checked_sub(1)?;
        let hierarchy = &self.columns[column].hierarchy;
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for &row in rows {
            groups.entry(hierarchy.label(&self.rows[row][column], finer)).or_default().push(row);
        }
        let (parts, small): (Vec<_>, Vec<_>) = groups.into_values().partition(|part| self.is_safe(part));
        if parts.is_empty() {
            return None;
        }
        let mut rest: Vec<usize> = small.into_iter().flatten().collect();
        let mut dropped = Vec::new();
        if !rest.is_empty() && !self.is_safe(&rest) {
            if rest.len() > self.allowance {
                return None;
            }
            dropped = std::mem::take(&mut rest);
        }
        let penalty =
            |row: usize, level| hierarchy.penalty(&self.rows[row][column], level, &self.domains[column]);
        // All rows of a class share label and level, so one stands for its part.
        let before = penalty(rows[0], levels[column]);
        let won: f64 = parts.iter().map(|part| (before - penalty(part[0], finer)) * part.len() as f64).sum();
        let lost: f64 = dropped.iter().map(|&row| self.left_to_lose(row, levels)).sum();
        let gain = won - lost;
        // A finer label that costs nothing is taken as well: it may open the way to one that pays.
        let leads_on = dropped.is_empty() && rest.is_empty() && gain >= 0.0;
        (gain > 0.0 || leads_on).then_some(Cut { column, parts, rest, dropped, gain })
    }

    /// What leaving a row out costs beyond its present penalty: one per column.
    fn left_to_lose(&self, row: usize, levels: &[usize]) -> f64 {
        let columns = self.columns.iter().zip(&self.rows[row]).zip(levels).zip(&self.domains);
        columns
            .map(|(((column, value), level), domain)| 1.0 - column.hierarchy.penalty(value, *level, domain))
            .sum()
    }
}
