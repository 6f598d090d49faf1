//! How a column's values grow coarser, step by step: bands, times, prefixes, roll-ups.

use std::collections::{BTreeMap, BTreeSet};

use crate::HierarchyError;

/// The label of everything.
pub(crate) const ANY: &str = "*";

/// A column by which a person may be found again (a quasi-identifier).
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// How its values grow coarser.
    pub hierarchy: Hierarchy,
}

/// How values grow coarser. Level 0 is the value itself; the last level is `*`, everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hierarchy(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// The widths of the levels above 0.
    Bands { widths: Vec<i64>, unit: Unit },
    /// The lengths of the levels above 0.
    Prefixes(Vec<usize>),
    /// What each category rolls up to, and how many steps there are between a leaf and `*`.
    Categories { parents: BTreeMap<String, String>, depth: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Number,
    Seconds,
}

impl Column {
    /// Names a column and its hierarchy.
    pub fn new(name: &str, hierarchy: Hierarchy) -> Self {
        Self { name: name.to_owned(), hierarchy }
    }
}

impl Hierarchy {
    /// Whole numbers in bands such as `20-29`, each width a multiple of the one before.
    ///
    /// # Errors
    /// Names the width that cuts a band of the width before it.
    pub fn bands(widths: &[i64]) -> Result<Self, HierarchyError> {
        check_widths(widths)?;
        Ok(Self(Kind::Bands { widths: widths.to_vec(), unit: Unit::Number }))
    }

    /// Times as whole seconds since the Unix epoch, in spans of so many seconds, each a multiple of the one before.
    ///
    /// # Errors
    /// Names the span that cuts one of the length before it.
    pub fn times(seconds: &[i64]) -> Result<Self, HierarchyError> {
        check_widths(seconds)?;
        Ok(Self(Kind::Bands { widths: seconds.to_vec(), unit: Unit::Seconds }))
    }

    /// Codes by their first characters, such as zip codes by 3 and then 1: `131**`.
    ///
    /// # Errors
    /// Names the length that is not shorter than the one before it.
    pub fn prefixes(lengths: &[usize]) -> Result<Self, HierarchyError> {
        for pair in lengths.windows(2) {
            if pair[1] >= pair[0] {
                return Err(HierarchyError::Prefix { length: pair[1], before: pair[0] });
            }
        }
        Ok(Self(Kind::Prefixes(lengths.to_vec())))
    }

    /// Categories that roll up: pairs of a category and the one above it. What has none above it rolls up to `*`.
    ///
    /// # Errors
    /// Names a category that is its own ancestor.
    pub fn categories<'a>(
        above: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, HierarchyError> {
        let parents: BTreeMap<String, String> =
            above.into_iter().map(|(below, above)| (below.to_owned(), above.to_owned())).collect();
        let mut depth = 0;
        for category in parents.keys() {
            let mut steps = 0;
            let mut at = category;
            while let Some(next) = parents.get(at) {
                steps += 1;
                if steps > parents.len() {
                    return Err(HierarchyError::Circle { category: category.clone() });
                }
                at = next;
            }
            depth = depth.max(steps);
        }
        Ok(Self(Kind::Categories { parents, depth }))
    }

    /// Categories of which none is nearer to another: the value itself, or `*`.
    pub fn flat() -> Self {
        Self(Kind::Categories { parents: BTreeMap::new(), depth: 0 })
    }

    /// Returns the number of the coarsest level, that of `*`.
    pub fn top(&self) -> usize {
        1 + match &self.0 {
            Kind::Bands { widths, .. } => widths.len(),
            Kind::Prefixes(lengths) => lengths.len(),
            Kind::Categories { depth, .. } => *depth,
        }
    }

    /// Tells whether `value` is one of this column: of bands and times only whole numbers are. An empty value is
    /// always one: it stands for what is not known, and stays apart from everything below `*`.
    pub fn takes(&self, value: &str) -> bool {
        match &self.0 {
            Kind::Bands { .. } => value.is_empty() || value.parse::<i64>().is_ok(),
            Kind::Prefixes(_) | Kind::Categories { .. } => true,
        }
    }

    /// Returns what stands for `value` at `level`. Levels above the coarsest are the coarsest.
    pub fn label(&self, value: &str, level: usize) -> String {
        if level >= self.top() {
            return ANY.to_owned();
        }
        if level == 0 || value.is_empty() {
            return value.to_owned();
        }
        match &self.0 {
            Kind::Bands { widths, unit } => band(value, widths[level - 1], *unit),
            Kind::Prefixes(lengths) => prefix(value, lengths[level - 1]),
            Kind::Categories { parents, depth } => rolled(value, parents, level, *depth),
        }
    }

    /// Returns how much of the column a value at `level` covers, 0 for the value itself and 1 for everything: the
    /// normalised certainty penalty of Xu et al., "Utility-based anonymization using local recoding" (KDD 2006).
    /// `values` are all values that occur.
    pub fn penalty(&self, value: &str, level: usize, values: &BTreeSet<String>) -> f64 {
        if level == 0 {
            return 0.0;
        }
        if level >= self.top() {
            return if values.len() > 1 { 1.0 } else { 0.0 };
        }
        match &self.0 {
            Kind::Bands { widths, .. } if !value.is_empty() => {
                let numbers = || values.iter().filter_map(|value| value.parse::<i64>().ok());
                let (Some(least), Some(most)) = (numbers().min(), numbers().max()) else { return 0.0 };
                // A width of 10 spans 9 steps; the whole column spans `most - least` of them.
                let range = most.saturating_sub(least) as f64;
                if range <= 0.0 { 0.0 } else { ((widths[level - 1] - 1) as f64 / range).min(1.0) }
            }
            _ => {
                let label = self.label(value, level);
                let covered = values.iter().filter(|other| self.label(other, level) == label).count();
                if covered <= 1 { 0.0 } else { covered as f64 / values.len() as f64 }
            }
        }
    }
}

fn check_widths(widths: &[i64]) -> Result<(), HierarchyError> {
    let mut before = 1;
    for &width in widths {
        if width < 1 || width % before != 0 {
            return Err(HierarchyError::Width { width, before });
        }
        before = width;
    }
    Ok(())
}

fn band(value: &str, width: i64, unit: Unit) -> String {
    // Values were checked by `takes`; another one stands alone, which shows nothing more than it did.
    let Ok(number) = value.parse::<i64>() else { return value.to_owned() };
    let low = number.div_euclid(width).saturating_mul(width);
    match unit {
        Unit::Number if width == 1 => low.to_string(),
        Unit::Number => format!("{low}-{}", low.saturating_add(width - 1)),
        Unit::Seconds => format!("{low}+{width}s"),
    }
}

fn prefix(value: &str, length: usize) -> String {
    let kept: String = value.chars().take(length).collect();
    let cut = value.chars().count().saturating_sub(length);
    format!("{kept}{}", ANY.repeat(cut))
}

/// Climbs so that every leaf reaches a root at the last level below `*`, however deep it lies: a shallow one stays
/// what it is for longer.
fn rolled(value: &str, parents: &BTreeMap<String, String>, level: usize, depth: usize) -> String {
    let mut path = vec![value];
    while let Some(next) = parents.get(path[path.len() - 1]) {
        path.push(next);
    }
    let own = path.len() - 1;
    let steps = level.saturating_sub(depth - own);
    path[steps.min(own)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_grow_coarser_up_to_everything() {
        let labels = |hierarchy: &Hierarchy, value: &str| {
            (0..=hierarchy.top()).map(|level| hierarchy.label(value, level)).collect::<Vec<_>>()
        };
        let ages = Hierarchy::bands(&[5, 10]).expect("nest");
        assert_eq!(labels(&ages, "37"), ["37", "35-39", "30-39", "*"]);
        assert_eq!(labels(&ages, "-3"), ["-3", "-5--1", "-10--1", "*"]);
        assert_eq!(labels(&ages, ""), ["", "", "", "*"]);
        let times = Hierarchy::times(&[900, 3_600]).expect("nest");
        assert_eq!(labels(&times, "4000"), ["4000", "3600+900s", "3600+3600s", "*"]);
        let zips = Hierarchy::prefixes(&[3, 1]).expect("shrink");
        assert_eq!(labels(&zips, "13053"), ["13053", "130**", "1****", "*"]);
        let places = Hierarchy::categories([("Mapo", "Seoul"), ("Seoul", "Korea"), ("Lyon", "France")])
            .expect("is a tree");
        assert_eq!(labels(&places, "Mapo"), ["Mapo", "Seoul", "Korea", "*"]);
        assert_eq!(labels(&places, "Lyon"), ["Lyon", "Lyon", "France", "*"]);
        assert_eq!(labels(&Hierarchy::flat(), "M"), ["M", "*"]);
    }

    #[test]
    fn a_hierarchy_that_does_not_nest_is_refused() {
        assert_eq!(Hierarchy::bands(&[10, 25]), Err(HierarchyError::Width { width: 25, before: 10 }));
        assert_eq!(Hierarchy::times(&[0]), Err(HierarchyError::Width { width: 0, before: 1 }));
        assert_eq!(Hierarchy::prefixes(&[3, 3]), Err(HierarchyError::Prefix { length: 3, before: 3 }));
        let circle = Hierarchy::categories([("a", "b"), ("b", "a")]);
        assert_eq!(circle, Err(HierarchyError::Circle { category: "a".into() }));
    }

    #[test]
    fn a_penalty_is_the_share_of_the_column_that_a_value_covers() {
        let values: BTreeSet<String> = ["20", "24", "31", "40"].map(str::to_owned).into();
        let ages = Hierarchy::bands(&[11]).expect("nest");
        assert_eq!(ages.penalty("24", 0, &values), 0.0);
        assert_eq!(ages.penalty("24", 1, &values), 0.5);
        assert_eq!(ages.penalty("24", 2, &values), 1.0);
        let places = Hierarchy::categories([("20", "low"), ("24", "low")]).expect("is a tree");
        assert_eq!(places.penalty("24", 1, &values), 0.5);
        assert_eq!(places.penalty("40", 1, &values), 0.0);
    }
}
