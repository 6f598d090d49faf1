//! Topic names and topic filters: which are well formed, and which match (MQTT 5 §4.7).

use crate::Quality;

/// The most levels of a topic: a tree of devices needs few, and each level costs a node.
pub(crate) const MOST_LEVELS: usize = 128;

/// A filter as a client names it, taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Filter<'a> {
    /// The name of the group that shares it, for `$share/{group}/{filter}`.
    pub group: Option<&'a str>,
    /// What topics are compared with.
    pub pattern: &'a str,
}

/// How a subscription is served (MQTT 5 §3.8.3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Options {
    pub quality: Quality,
    /// Does not get what the same client publishes.
    pub no_local: bool,
    /// Keeps the retain flag as it was published.
    pub retain_as_published: bool,
    /// The subscription's number, 0 for none.
    pub identifier: u32,
}

/// Tells whether `topic` may be published to.
pub(crate) fn is_name(topic: &str) -> bool {
    is_plain(topic) && !topic.contains(['+', '#'])
}

/// Takes a filter apart, or returns `None` where it is not well formed.
pub(crate) fn read_filter(text: &str) -> Option<Filter<'_>> {
    let filter = match text.strip_prefix("$share/") {
        None => Filter { group: None, pattern: text },
        Some(rest) => {
            let (group, pattern) = rest.split_once('/')?;
            if group.is_empty() || group.contains(['+', '#']) {
                return None;
            }
            Filter { group: Some(group), pattern }
        }
    };
    is_pattern(filter.pattern).then_some(filter)
}

fn is_pattern(pattern: &str) -> bool {
    let mut levels = pattern.split('/').peekable();
    while let Some(level) = levels.next() {
        let fits = match level {
            "+" => true,
            "#" => levels.peek().is_none(),
            other => !other.contains(['+', '#']),
        };
        if !fits {
            return false;
        }
    }
    is_plain(pattern)
}

fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= usize::from(u16::MAX)
        && !text.contains('\0')
        && text.bytes().filter(|byte| *byte == b'/').count() < MOST_LEVELS
}

/// Tells whether `pattern` matches `topic`. A wildcard at the start matches no topic that begins with `$`.
pub(crate) fn matches(pattern: &str, topic: &str) -> bool {
    if topic.starts_with('$') && pattern.starts_with(['+', '#']) {
        return false;
    }
    covers_levels(pattern, topic)
}

/// Tells whether every topic that `filter` matches is matched by `pattern` too.
pub(crate) fn covers(pattern: &str, filter: &str) -> bool {
    if filter.starts_with('$') && pattern.starts_with(['+', '#']) {
        return false;
    }
    covers_levels(pattern, filter)
}

fn covers_levels(pattern: &str, other: &str) -> bool {
    let mut wanted = pattern.split('/');
    let mut given = other.split('/');
    loop {
        match (wanted.next(), given.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(level)) if level != "#" => {}
            (Some(level), Some(other)) if level == other => {}
            _ => return false,
        }
    }
}

/// Tells whether some topic is matched by both.
pub(crate) fn overlaps(one: &str, other: &str) -> bool {
    let dollar = |filter: &str| filter.starts_with('$');
    let wild = |filter: &str| filter.starts_with(['+', '#']);
    if dollar(one) && wild(other) || dollar(other) && wild(one) {
        return false;
    }
    let mut ones = one.split('/');
    let mut others = other.split('/');
    loop {
        match (ones.next(), others.next()) {
            (Some("#"), _) | (_, Some("#")) | (None, None) => return true,
            (Some(level), Some(other)) if level == other || level == "+" || other == "+" => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_matches_as_the_standard_says() {
        let hits = [
            ("sport/#", "sport"),
            ("sport/#", "sport/tennis/one"),
            ("#", "a/b"),
            ("+", "a"),
            ("/+", "/a"),
            ("+/+", "/a"),
            ("sport/+/one", "sport//one"),
            ("$SYS/#", "$SYS/a"),
        ];
        let misses =
            [("+", "a/b"), ("sport/+", "sport"), ("#", "$SYS/a"), ("+/a", "$SYS/a"), ("a", "A"), ("/+", "a")];
        assert!(hits.iter().all(|(filter, topic)| matches(filter, topic)));
        assert!(!misses.iter().any(|(filter, topic)| matches(filter, topic)));
    }

    #[test]
    fn a_filter_that_is_not_well_formed_is_refused() {
        for wrong in ["", "a#", "a/#/b", "a+/b", "$share/g", "$share//a", "$share/g+/a", "$share/g/", "a\0b"]
        {
            assert_eq!(read_filter(wrong), None, "{wrong:?}");
        }
        assert_eq!(read_filter("$share/g/a/#"), Some(Filter { group: Some("g"), pattern: "a/#" }));
        assert!(!is_name("a/+") && !is_name("") && is_name("a b/ü"));
        assert!(!is_name(&"/".repeat(MOST_LEVELS)));
    }

    #[test]
    fn a_pattern_covers_only_filters_that_ask_for_no_more() {
        assert!(covers("device/a/#", "device/a/#"));
        assert!(covers("device/a/#", "device/a/+/x"));
        assert!(covers("device/a/#", "device/a"));
        assert!(covers("device/+/event", "device/a/event"));
        for more in ["device/#", "device/+/event", "#", "+/a/#", "device/ab/x", "device/b/#"] {
            assert!(!covers("device/a/#", more), "{more}");
        }
        assert!(!covers("device/+", "device/#"));
        assert!(!covers("#", "$SYS/#"));
        assert!(overlaps("a/+/c", "a/b/#") && overlaps("#", "a") && overlaps("a/#", "a"));
        assert!(!overlaps("a/b", "a/c/#") && !overlaps("a/+", "a") && !overlaps("#", "$SYS/a"));
    }
}
