//! Cities and countries that people ask the time of, by their names in both languages.

use crate::tongue::Tongue;

const TABLE: &str = include_str!("../sentences/cities.txt");

/// Returns the names of a language, each with its zone.
fn all(tongue: Tongue) -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(move |line| {
        let (zone, names) = line.split_once('|')?;
        let (korean, english) = names.split_once('|')?;
        Some((tongue.pick(korean, english), zone))
    })
}

/// Returns the names that are known in a language, each once.
pub fn names(tongue: Tongue) -> Vec<&'static str> {
    let mut names: Vec<&str> = all(tongue).map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Returns the name as it is written, and its IANA zone.
pub fn find(tongue: Tongue, name: &str) -> Option<(&'static str, &'static str)> {
    let name = name.trim().to_lowercase();
    all(tongue).find(|(known, _)| known.to_lowercase() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_city_has_a_zone_that_there_is() {
        assert!(names(Tongue::Korean).len() > 400);
        for (name, zone) in all(Tongue::Korean).chain(all(Tongue::English)) {
            assert!(!name.is_empty() && crate::zone::known_zone(zone).is_some(), "{name}: {zone}");
        }
        assert_eq!(find(Tongue::English, "new york"), Some(("New York", "America/New_York")));
        assert_eq!(find(Tongue::Korean, "뉴욕"), Some(("뉴욕", "America/New_York")));
    }
}
