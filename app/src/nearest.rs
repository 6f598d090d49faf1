//! The name that was meant, where a known one differs little from what was written.

/// Returns the one of `known` that differs least from `name`, if it differs little.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.map(|known| (distance(name, known), known));
    scored.min().filter(|(distance, _)| *distance <= 2).map(|(_, known)| known)
}

/// The Levenshtein distance.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, letter) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn what_differs_little_was_meant_and_what_differs_much_was_not() {
        let known = || ["kitchen", "lamp", "거실"].into_iter();
        assert_eq!(nearest("lampp", known()), Some("lamp"));
        assert_eq!(nearest("kicthen", known()), Some("kitchen"));
        assert_eq!(nearest("거실1", known()), Some("거실"));
        assert_eq!(nearest("bathroom", known()), None);
    }
}
