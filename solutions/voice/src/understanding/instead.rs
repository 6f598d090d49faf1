//! A command that says what is not meant beside what is: "7시 알람 맞추지 말고 8시 알람 맞춰 줘", "set the alarm for 8, not 7".
//! What is left is the command that is meant. Both must say a time, or what is not meant a kind alone, "알람 말고 타이머
//! 5분": what is left out of all is something else.

use ieum_understanding::value::{Kind, Language, find_kinds};
use jiff::Zoned;

use super::moments::{whole_duration, whole_moment};
use super::words::rings;

/// Verbs that are about what rings.
const WOKEN: [&str; 2] = ["깨워", "wake"];
/// What is said of all of them is an exception, and what is passed on may say anything.
const OTHERS: [&str; 8] = ["다 ", "모두", "전부", "나머지", "라고", "다고", "자고", "냐고"];
const KOREAN_DAYS: [&str; 6] = ["오늘", "내일", "모레", "글피", "요일", "매일"];
const ENGLISH_QUOTES: [&str; 6] = ["tell ", "announce ", "say ", "remind ", "everyone", "everybody"];
const ENGLISH_VERBS: [&str; 8] = ["set", "wake", "start", "make", "put", "change", "move", "get"];

/// Returns what such commands are about.
fn topics() -> impl Iterator<Item = &'static str> {
    rings().chain(WOKEN)
}

/// Returns the command without what is not meant; `None` where nothing such is said.
pub fn instead(text: &str, language: Language, now: &Zoned) -> Option<String> {
    let has_time = |words: &str| {
        !find_kinds(words, language, now, &[Kind::Time, Kind::Duration, Kind::Number]).is_empty()
    };
    match language {
        Language::Korean => korean(text, &has_time),
        Language::English => english(text, &has_time, now),
    }
}

fn korean(text: &str, has_time: &dyn Fn(&str) -> bool) -> Option<String> {
    let (not, meant) = ["지 말고 ", "지말고 ", " 말고 "].iter().find_map(|not| text.split_once(not))?;
    // Commands in front of what is not meant are meant.
    let begins =
        ["고 ", "줘 ", ", ", "그리고 "].iter().filter_map(|joint| Some(not.rfind(joint)? + joint.len()));
    let (before, not) = not.split_at(begins.max().unwrap_or_default());
    let about = |words: &str| topics().find(|topic| words.contains(topic));
    let is_exception = OTHERS.iter().any(|other| text.contains(other));
    let is_kind = topics().any(|topic| topic == not.trim()) && about(meant).is_some();
    if is_exception || !(has_time(not) || is_kind) || !has_time(meant) {
        return None;
    }
    let kind = match about(meant) {
        Some(_) => String::new(),
        None => format!("{} ", about(not)?),
    };
    let is_day = |word: &&str| KOREAN_DAYS.iter().any(|day| word.contains(day));
    let days: Vec<&str> = not.split_whitespace().filter(is_day).collect();
    let days = if meant.split_whitespace().any(|word| is_day(&word)) { Vec::new() } else { days };
    let meant = format!("{} {kind}{}", days.join(" "), meant.trim());
    Some(format!("{before}{}", meant.trim()))
}

fn english(text: &str, has_time: &dyn Fn(&str) -> bool, now: &Zoned) -> Option<String> {
    let text = text.trim().trim_end_matches(['.', '!']);
    // Every byte keeps its place, so that what is meant stays as it was said.
    let lower = text.to_ascii_lowercase();
    let as_said = |words: &str| {
        let at = lower.find(words)?;
        Some(text.get(at..at + words.len())?.trim_end_matches(',').trim().to_owned())
    };
    let about = |words: &str| topics().find(|topic| words.contains(topic));
    about(&lower)?;
    // What is kept or passed on may say what it likes.
    if ENGLISH_QUOTES.iter().any(|verb| lower.contains(verb)) {
        return None;
    }
    let is_time = |words: &str| {
        let bare = ["for ", "at ", "to "].iter().find_map(|joint| words.strip_prefix(joint)).unwrap_or(words);
        let bare = bare.trim();
        whole_moment(bare, Language::English, now).is_some()
            || whole_duration(bare, Language::English, now).is_some()
    };
    let is_kind = |words: &str| {
        let words = words.trim_start_matches("an ").trim_start_matches("a ").trim();
        topics().any(|topic| topic == words)
    };
    // "Not 7, set the alarm for 8", "not an alarm, set a timer".
    if let Some((not, meant)) = lower.strip_prefix("not ").and_then(|rest| rest.split_once([',', ';']))
        && (is_time(not.trim()) || is_kind(not))
        && about(meant).is_some()
    {
        return as_said(meant);
    }
    // "Set the alarm for 8, not 7".
    for not in [", not ", " not ", ", instead of ", " instead of ", " rather than "] {
        if let Some((meant, rest)) = lower.rsplit_once(not)
            && is_time(rest)
            && about(meant).is_some()
            && has_time(meant)
        {
            return as_said(meant);
        }
    }
    // "Don't set the alarm for 7, set it for 8".
    let begun = ["don't ", "dont ", "do not "].iter().find_map(|not| lower.strip_prefix(not))?;
    let (not, meant) = begun
        .split_once(", but ")
        .or_else(|| begun.split_once(", "))
        .or_else(|| begun.split_once(" but "))?;
    let meant = meant.trim();
    let is_command = ENGLISH_VERBS.iter().any(|verb| meant.split(' ').next() == Some(verb));
    if !is_command || !has_time(not) || !has_time(meant) {
        return None;
    }
    let topic = about(not)?.replace("wake", "alarm");
    Some(as_said(meant)?.replacen(" it ", &format!(" the {topic} "), 1))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn what_is_meant_is_told_from_what_is_not() {
        let now =
            date(2026, 5, 1).at(12, 0, 0, 0).to_zoned(crate::zone::zone("Asia/Seoul")).expect("is a moment");
        for (text, meant) in [
            ("7시 알람 맞추지 말고 8시 알람 맞춰 줘", Some("8시 알람 맞춰 줘")),
            ("내일 7시 알람 말고 8시 알람 맞춰 줘", Some("내일 8시 알람 맞춰 줘")),
            ("알람 7시 말고 8시로 맞춰 줘", Some("알람 8시로 맞춰 줘")),
            ("5분 타이머 말고 10분 타이머 맞춰 줘", Some("10분 타이머 맞춰 줘")),
            ("알람 말고 타이머 5분 맞춰 줘", Some("타이머 5분 맞춰 줘")),
            ("거실 불 켜고 7시 알람 말고 8시 알람 맞춰 줘", Some("거실 불 켜고 8시 알람 맞춰 줘")),
            ("7시 알람 말고 다 꺼 줘", None),
            ("7시에 바지 말고 치마 사라고 알려 줘", None),
            ("7시 알람 끄지 말고 그냥 둬", None),
            ("알람 맞추지 마", None),
        ] {
            assert_eq!(instead(text, Language::Korean, &now).as_deref(), meant, "{text}");
        }
        for (text, meant) in [
            ("not 7, set the alarm for 8", Some("set the alarm for 8")),
            ("not an alarm, set a timer for 5 minutes", Some("set a timer for 5 minutes")),
            ("set the alarm for 8, not 7", Some("set the alarm for 8")),
            ("Set an alarm for 8 not for 7.", Some("Set an alarm for 8")),
            ("don't wake me up at 7, set it for 8", Some("set the alarm for 8")),
            ("tell everyone the alarm is at 8, not 7", None),
            ("wake me up at 8 instead of 7", Some("wake me up at 8")),
            ("don't set the alarm for 7, set it for 8", Some("set the alarm for 8")),
            ("don't wake me at 7, wake me at 8", Some("wake me at 8")),
            ("don't set an alarm for 7", None),
            ("remind me not to eat at 8", None),
            ("cancel all alarms but not the 7 am one", None),
        ] {
            assert_eq!(instead(text, Language::English, &now).as_deref(), meant, "{text}");
        }
    }
}
