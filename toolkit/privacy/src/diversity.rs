//! How much the people of one class differ in what must stay secret.

use std::collections::BTreeMap;

/// What a class's secrets must be like, so that knowing the class does not tell the secret: l-diversity,
/// Machanavajjhala et al., "l-Diversity: Privacy Beyond k-Anonymity" (ACM TKDD 1, 2007).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Diversity {
    /// Nothing is asked.
    #[default]
    None,
    /// At least so many different secrets (distinct l-diversity).
    Distinct(usize),
    /// An entropy of at least the logarithm of this (entropy l-diversity): also where they differ, none prevails.
    Entropy(f64),
}

impl Diversity {
    /// Tells whether these secrets of one class are diverse enough.
    pub fn holds<'a>(self, secrets: impl IntoIterator<Item = &'a str>) -> bool {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for secret in secrets {
            *counts.entry(secret).or_default() += 1;
        }
        match self {
            Self::None => true,
            Self::Distinct(least) => counts.len() >= least,
            // A hair below, since logarithms of equal shares do not add up exactly.
            Self::Entropy(least) => entropy(&counts) >= least.ln() - 1e-12,
        }
    }
}

fn entropy(counts: &BTreeMap<&str, usize>) -> f64 {
    let all: usize = counts.values().sum();
    let share = |count: &usize| *count as f64 / all as f64;
    counts.values().map(share).map(|share| -share * share.ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_asks_for_more_than_different_secrets() {
        let even = ["flu", "cold", "flu", "cold"];
        let skewed = ["flu", "flu", "flu", "cold"];
        assert!(Diversity::Distinct(2).holds(even) && Diversity::Distinct(2).holds(skewed));
        assert!(Diversity::Entropy(2.0).holds(even) && !Diversity::Entropy(2.0).holds(skewed));
        assert!(!Diversity::Distinct(3).holds(even) && Diversity::None.holds([]));
    }
}
