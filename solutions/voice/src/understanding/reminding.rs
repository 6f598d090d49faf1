//! What a reminder is about, apart from when: a time at an edge of the message is when, and a Korean verb gets the ending
//! back that was cut from it.

use std::collections::BTreeMap;

use ieum_contracts::voice::{Slot, SlotValue};
use ieum_understanding::template::Recognised;
use ieum_understanding::value::{Kind, Language, Value, find_kinds};
use jiff::Zoned;

use super::repeats::at_edge;
use super::values::when;

/// Stems of verbs in front of 라고: another word there is what something is.
const STEMS: [&str; 46] = [
    "가",
    "오",
    "보",
    "사",
    "자",
    "내",
    "타",
    "쓰",
    "끄",
    "켜",
    "주",
    "널",
    "걸",
    "열",
    "갈",
    "빨",
    "풀",
    "들",
    "쉬",
    "빼",
    "깨",
    "세",
    "서",
    "만들",
    "돌리",
    "버리",
    "챙기",
    "마시",
    "치우",
    "부르",
    "나가",
    "나오",
    "배우",
    "만나",
    "바꾸",
    "보내",
    "맡기",
    "꺼내",
    "일어나",
    "비우",
    "채우",
    "끓이",
    "돌아오",
    "데려오",
    "잠그",
    "말",
];
/// Words that another one has to follow.
const ENGLISH_PARTS: [&str; 4] = [" the", " a", " my", " our"];
/// What is left of a time in English.
const JOINTS: [&str; 8] = [" at", " on", " in", " by", " for", " from", " around", " about"];

/// Completes the slots of a reminder that `found` has in `part`.
pub fn complete(
    slots: &mut BTreeMap<String, Slot>,
    found: &Recognised,
    part: &str,
    language: Language,
    now: &Zoned,
) {
    let Some(Slot { text, .. }) = slots.get("message") else { return };
    let span = found.slots.iter().find(|slot| slot.name == "message").and_then(|slot| slot.span.clone());
    let following = span.and_then(|span| part.get(span.end..)).unwrap_or_default();
    let mut message = match language {
        Language::Korean => with_ending(text.trim(), following),
        Language::English => text.trim().to_owned(),
    };
    let said = slots.get("when").map(|slot| slot.text.clone());
    let again = if slots.contains_key("every") { None } else { repeated(&message, language) };
    let bare = again.as_ref().map_or(&message, |(rest, _)| rest);
    let time = apart(bare, language, now).filter(|(rest, _)| !rest.is_empty());
    let rest = time.as_ref().map_or(bare, |(rest, _)| rest).clone();
    let parts = [again.map(|(_, again)| again), time.map(|(_, time)| time)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if !parts.is_empty() {
        let between = if language == Language::English { " at " } else { " " };
        let words = parts.into_iter().chain(said).collect::<Vec<_>>().join(between);
        if let Some(read) = when(&words, language, now) {
            message = rest;
            slots.extend(read);
        }
    }
    slots.insert(
        "message".to_owned(),
        Slot { text: message.clone(), value: SlotValue::Text { text: message } },
    );
}

/// Takes words that say how often, at the beginning or the end of a message, from it: the rest and those words.
fn repeated(message: &str, language: Language) -> Option<(String, String)> {
    let often = at_edge(message, language)?;
    let rest = message.get(..often.start)?.to_owned() + message.get(often.end..)?;
    let rest = rest.trim();
    let rest = JOINTS.iter().find_map(|joint| rest.strip_suffix(joint)).unwrap_or(rest);
    // "Read the daily" is no more than half a message.
    let is_part = ENGLISH_PARTS.iter().any(|part| rest.ends_with(part));
    (!rest.is_empty() && !is_part).then(|| (rest.to_owned(), message[often].to_owned()))
}

/// Takes a time at the beginning or the end of a message from it.
fn apart(message: &str, language: Language, now: &Zoned) -> Option<(String, String)> {
    let found = find_kinds(message, language, now, &[Kind::Time]);
    let times: Vec<_> = found.into_iter().filter(|found| matches!(found.value, Value::Time(_))).collect();
    let last = times.last().filter(|last| last.span.end == message.len());
    let cut = |start: usize, end: usize| {
        let before = message[..start].trim();
        let before = JOINTS.iter().find_map(|joint| before.strip_suffix(joint)).unwrap_or(before);
        let after = message[end..].trim();
        let after = after.strip_prefix("에는 ").or_else(|| after.strip_prefix("에 ")).unwrap_or(after);
        (format!("{before} {after}").trim().to_owned(), message[start..end].to_owned())
    };
    match (last, times.first()) {
        (Some(last), _) => {
            // Two that stand side by side are one: "at five tomorrow".
            let start = times
                .iter()
                .rev()
                .skip(1)
                .find(|one| message[one.span.end..last.span.start].trim().is_empty());
            Some(cut(start.map_or(last.span.start, |one| one.span.start), last.span.end))
        }
        (None, Some(first)) if first.span.start == 0 && language == Language::Korean => {
            Some(cut(0, first.span.end))
        }
        _ => None,
    }
}

/// Returns what is to be done or what is, given what follows it: "약 먹으" before "라고" is "약 먹기".
pub fn with_ending(message: &str, following: &str) -> String {
    let following = following.trim_start();
    let last = message.rsplit(' ').next().unwrap_or(message);
    if following.starts_with("하라고") {
        return format!("{message}하기");
    }
    if following.starts_with("라고") {
        if let Some(stem) = message.strip_suffix('으') {
            return format!("{stem}기");
        }
        if STEMS.contains(&last) || last.ends_with('하') {
            return format!("{message}기");
        }
        let closed = |word: &str| {
            word.chars()
                .next_back()
                .is_some_and(|last| ('가'..='힣').contains(&last) && (u32::from(last) - 0xac00) % 28 != 0)
        };
        return message.strip_suffix('이').filter(|word| closed(word)).unwrap_or(message).to_owned();
    }
    if following.starts_with("다고") {
        return format!("{message}다");
    }
    if following.starts_with("는 거") || following.starts_with("는 것") {
        return format!("{message}기");
    }
    message.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_gets_back_the_ending_that_was_cut_from_it() {
        for (message, following, wanted) in [
            ("약 먹으", "라고 알려 줘", "약 먹기"),
            ("월세 내", "라고 알려 줘", "월세 내기"),
            ("빨래 널", "라고 알려 줘", "빨래 널기"),
            ("운동", "하라고 알려 줘", "운동하기"),
            ("약 잊지 말", "라고 알려 줘", "약 잊지 말기"),
            ("회의", "라고 알려 줘", "회의"),
            ("약속이", "라고 알려 줘", "약속"),
            ("휴가", "라고 알려 줘", "휴가"),
            ("회의 있", "다고 알려 줘", "회의 있다"),
            ("회의", "를 알려 줘", "회의"),
        ] {
            assert_eq!(with_ending(message, following), wanted, "{message}{following}");
        }
    }
}
