//! Words that several parts of understanding know, each list once: all of several, yes and no, what joins two, and what rings.

use std::collections::BTreeSet;

/// Words after which all of several are meant.
pub const ALL: [&str; 16] = [
    "모든",
    "전부",
    "다",
    "모두",
    "싹",
    "전체",
    "전부요",
    "다요",
    "모두요",
    "전부다",
    "둘다",
    "all",
    "every",
    "everything",
    "both",
    "each",
];

/// Words that agree, each alone.
pub const YES: [&str; 16] = [
    "응",
    "어",
    "네",
    "예",
    "그래",
    "그래요",
    "맞아",
    "맞아요",
    "좋아",
    "좋아요",
    "yes",
    "yeah",
    "yep",
    "sure",
    "ok",
    "okay",
];
/// Words that refuse, each alone.
pub const NO: [&str; 6] = ["아니", "아니요", "아니야", "아냐", "no", "nope"];

/// What follows the first of two Korean nouns that belong together, longer ones first.
pub const KOREAN_WITH: [&str; 5] = ["이랑 ", "랑 ", "하고 ", "과 ", "와 "];
/// What stands between two in English, longer ones first.
pub const ENGLISH_AND: [&str; 2] = [", and ", " and "];
/// What stands between two in both languages.
pub const COMMA: &str = ", ";

/// What rings, by its names in Korean and in English.
pub const KOREAN_RINGS: [&str; 4] = ["알람", "타이머", "알림", "리마인더"];
pub const ENGLISH_RINGS: [&str; 3] = ["alarm", "timer", "reminder"];

/// Tells whether a word is a name of what rings, of one or of several.
pub fn is_ring(word: &str) -> bool {
    let one = word.strip_suffix('s').unwrap_or(word);
    KOREAN_RINGS.contains(&word) || ENGLISH_RINGS.contains(&one)
}

/// Returns the topics of what rings that `text` names.
pub fn rings_in(text: &str) -> BTreeSet<&'static str> {
    let text = text.to_lowercase();
    // 알림 and 리마인더 are one.
    let topics = ENGLISH_RINGS.into_iter().chain(["reminder"]);
    let names = KOREAN_RINGS.into_iter().zip(topics).chain(ENGLISH_RINGS.into_iter().zip(ENGLISH_RINGS));
    names.filter(|(name, _)| text.contains(name)).map(|(_, topic)| topic).collect()
}

/// Returns all names of what rings.
pub fn rings() -> impl Iterator<Item = &'static str> {
    KOREAN_RINGS.into_iter().chain(ENGLISH_RINGS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rings_is_one_topic_by_all_its_names() {
        let found = |text| rings_in(text).into_iter().collect::<Vec<_>>();
        assert_eq!(found("알람이 시끄럽다"), ["alarm"]);
        assert_eq!(found("리마인더랑 알림"), ["reminder"]);
        assert_eq!(found("The Timer and my alarms"), ["alarm", "timer"]);
        assert!(found("the fan is loud").is_empty());
    }

    #[test]
    fn what_rings_is_known_by_its_names_alone() {
        for word in ["알람", "타이머", "alarm", "timers", "reminder"] {
            assert!(is_ring(word), "{word}");
        }
        for word in ["알람이", "timerss", "alarming", "s", ""] {
            assert!(!is_ring(word), "{word}");
        }
    }
}
