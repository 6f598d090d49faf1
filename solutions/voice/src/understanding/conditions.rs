//! Commands with a condition: "if it rains, turn off the fan", "비 오면 7시에 깨워 줘". Nothing here waits for what may happen
//! or not, so that they are refused and nothing is asked. A condition within the words of a reminder is a part of those,
//! and "when it is seven" is a time: "7시 되면 깨워 줘".

use ieum_contracts::voice::Meaning;
use ieum_understanding::value::{Kind, Language, find_kinds};
use jiff::Zoned;

use crate::rules::words;

/// The intent of a command with a condition.
pub const CONDITIONAL: &str = "dialog.conditional";

/// What begins a condition in English: each is followed by who or what, and by what that does.
const ENGLISH: [&str; 8] =
    ["if", "unless", "when", "whenever", "once", "as soon as", "in case", "provided that"];
/// What follows "once" where it begins one: "once a day" says how often.
const ONCE: [&str; 14] =
    ["i", "i'm", "we", "you", "he", "she", "it", "it's", "they", "the", "my", "our", "everyone", "nobody"];
/// Words that ask politely, and no condition.
const POLITE: [&str; 16] = [
    "you can",
    "you could",
    "you would",
    "you please",
    "you don't",
    "you like",
    "you want",
    "you will",
    "you may",
    "you have",
    "i may",
    "it's ok",
    "it's okay",
    "that's ok",
    "that's okay",
    "it's possible",
];
const POSSIBLE: [&str; 3] = ["possible", "necessary", "needed"];
/// Nouns that end as a Korean verb with a condition does: noodles and surfaces.
const NOUNS: [&str; 11] =
    ["라면", "소면", "쫄면", "밀면", "화면", "표면", "수면", "지면", "도면", "서면", "내면"];
/// Such verbs that only join what is said, or ask politely.
const JOINTS: [&str; 11] = [
    "그러면",
    "이러면",
    "그렇다면",
    "아니면",
    "가능하면",
    "괜찮으면",
    "괜찮으시면",
    "웬만하면",
    "이왕이면",
    "어쩌면",
    "되도록이면",
];
/// What a polite wish ends in after such a verb: "꺼 주면 좋겠어", "꺼 주면 안 돼?".
const WISHES: [&str; 9] = ["좋겠", "좋을", "돼", "되", "될", "됩", "고맙", "고마", "감사"];
/// Verbs that say when, where a time or a length of time is in front of them.
const TIMELY: [(&str, &str); 6] = [
    ("되면", "에"),
    ("가 되면", "에"),
    ("이 되면", "에"),
    ("지나면", " 뒤에"),
    ("이 지나면", " 뒤에"),
    ("있으면", " 뒤에"),
];
/// The most words of a sentence that is taken apart this way.
const MOST_WORDS: usize = 24;

/// Tells whether the doing of one of `acting` depends on a condition that `text` says.
pub fn is_conditional(text: &str, language: Language, acting: &[&Meaning]) -> bool {
    let text = text.to_lowercase();
    let all: Vec<&str> = text.split_whitespace().collect();
    let kept: Vec<String> = acting
        .iter()
        .flat_map(|meaning| ["message", "name"].iter().filter_map(|slot| words(meaning, slot)))
        .map(str::to_lowercase)
        .collect();
    condition(&all, language).is_some_and(|(from, to)| {
        let said = all[from..=to].join(" ");
        !kept.iter().any(|kept| kept.contains(&said))
    })
}

/// Returns what may be the command beside the condition that `text` says.
pub fn commands(text: &str, language: Language) -> Vec<String> {
    let all: Vec<&str> = text.split_whitespace().collect();
    let lower: Vec<String> = all.iter().map(|word| bare(word).to_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let Some((from, to)) = condition(&lower, language).filter(|_| all.len() <= MOST_WORDS) else {
        return Vec::new();
    };
    let joined = |words: &[&str]| words.join(" ").trim_end_matches([',', '.', '!']).to_owned();
    let before = all[..from].to_vec();
    let after = match language {
        // Where the condition ends is not known.
        Language::English => (to + 2..all.len()).map(|start| all[start..].to_vec()).collect(),
        Language::Korean => {
            let rest = all[to + 1..].to_vec();
            let with = (1..=from).rev().map(|end| [&all[..end], &rest[..]].concat());
            std::iter::once(rest.clone()).chain(with).collect::<Vec<_>>()
        }
    };
    let found = std::iter::once(before).chain(after).filter(|words| !words.is_empty());
    found.map(|words| joined(&words)).collect()
}

/// Returns a Korean sentence with times in the place of verbs that only say when: "7시 되면 깨워 줘" as "7시에 깨워 줘".
pub fn with_times(text: &str, language: Language, now: &Zoned) -> String {
    let mut said = text.to_owned();
    if language != Language::Korean || !TIMELY.iter().any(|(verb, _)| text.contains(verb)) {
        return said;
    }
    for (verb, time) in TIMELY {
        let Some(at) = said.find(verb) else { continue };
        let before = said[..at].trim_end();
        let kinds = if time == "에" { [Kind::Time] } else { [Kind::Duration] };
        let found = find_kinds(before, language, now, &kinds);
        let is_whole = |rest: &str| rest.is_empty() || rest.starts_with([' ', ',']);
        if found.iter().any(|found| found.span.end == before.len()) && is_whole(&said[at + verb.len()..]) {
            said = format!("{before}{time}{}", &said[at + verb.len()..]);
        }
    }
    said
}

/// Returns the first and the last word that mark a condition.
fn condition(all: &[&str], language: Language) -> Option<(usize, usize)> {
    let mut places = 0..all.len();
    match language {
        Language::English => places.find_map(|at| english(all, at)),
        Language::Korean => places.find(|at| korean(all, *at)).map(|at| (at, at)),
    }
}

fn english(all: &[&str], at: usize) -> Option<(usize, usize)> {
    let rest = all[at..].join(" ");
    let begin =
        ENGLISH.iter().find(|begin| rest.strip_prefix(**begin).is_some_and(|rest| rest.starts_with(' ')))?;
    let clause = rest[begin.len()..].trim_start();
    let mut said = clause.split(' ');
    let (first, second) = (said.next()?, said.next()?);
    let is_polite = POSSIBLE.contains(&first) || POLITE.contains(&&*format!("{first} {second}"));
    let is_often = *begin == "once" && !ONCE.contains(&first);
    (!is_polite && !is_often).then_some((at, at + begin.split(' ').count()))
}

fn korean(all: &[&str], at: usize) -> bool {
    let word = all[at];
    let next = all.get(at + 1).copied();
    let is_wish = |word: &str| WISHES.iter().any(|wish| word.starts_with(wish));
    let is_wished = match next {
        Some("안") => all.get(at + 2).is_some_and(|word| is_wish(word)),
        Some(next) => is_wish(next),
        // What is said last comes after its command: "7시에 깨워 줘 비 오면".
        None => !all[..at].iter().any(|word| word.ends_with("줘") || word.ends_with("세요")),
    };
    let is_verb = || {
        let stem = word.strip_suffix('면')?.chars().next_back()?;
        let is_noun = NOUNS.contains(&word) || word.ends_with("라면") && !word.ends_with("이라면");
        // It follows a vowel or ㄹ.
        Some(!is_noun && !JOINTS.contains(&word) && matches!(tail(stem)?, 0 | RIEUL))
    };
    let is_time = at > 0
        && ["때", "때는", "때마다", "경우", "경우에", "경우에는"].contains(&word)
        && all[at - 1]
            .chars()
            .next_back()
            .is_some_and(|last| tail(last) == Some(RIEUL) && !['일', '울', '월', '절'].contains(&last));
    !is_wished && (is_verb().unwrap_or_default() || is_time || (word.ends_with("거든") && next.is_some()))
}

const RIEUL: u32 = 8;

/// Returns the last sound of a Hangul syllable by its place, 0 where it has none.
fn tail(letter: char) -> Option<u32> {
    ('가'..='힣').contains(&letter).then(|| (u32::from(letter) - u32::from('가')) % 28)
}

fn bare(word: &str) -> &str {
    word.trim_matches([',', '.', '!', '?'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(text: &str) -> bool {
        let language = if text.is_ascii() { Language::English } else { Language::Korean };
        is_conditional(text, language, &[])
    }

    #[test]
    fn a_condition_is_told_from_what_only_looks_like_one() {
        for text in [
            "set an alarm for 7 am if it rains",
            "if it rains set an alarm for 7",
            "wake me up at 7 unless it is a holiday",
            "turn on the light when i get home",
            "turn off the oven once the cake is done",
            "turn on the fan as soon as it is hot",
            "비 오면 7시에 알람 맞춰 줘",
            "비가 오면 안방 불 켜 줘",
            "잠들면 불 꺼 줘",
            "더우면 선풍기 켜 줘",
            "집에 올 때 불 켜 줘",
            "비 오거든 창문 닫아 줘",
            "7시에 깨워 줘 비 오면",
            "내일이 휴일이라면 알람 꺼 줘",
        ] {
            assert!(is(text), "{text}");
        }
        for text in [
            "set an alarm for 7 if you can",
            "if possible wake me at 7",
            "remind me once a day",
            "set a timer for 5 minutes",
            "라면 타이머 3분 맞춰 줘",
            "컵라면 타이머 3분 맞춰 줘",
            "냉면 타이머 3분 맞춰 줘",
            "화면 켜 줘",
            "불 꺼 주면 좋겠어",
            "불 좀 꺼 주면 안 돼",
            "7시에 깨워 주면",
            "그러면 불 꺼 줘",
            "점심 때 알려 줘",
            "생일 때 알려 줘",
        ] {
            assert!(!is(text), "{text}");
        }
    }

    #[test]
    fn a_verb_after_a_time_says_when() {
        let now = crate::zone::here(&crate::zone::zone("Asia/Seoul"), ieum_core::Timestamp::default());
        for (text, wanted) in [
            ("7시 되면 깨워 줘", "7시에 깨워 줘"),
            ("7시가 되면 깨워 줘", "7시에 깨워 줘"),
            ("10분 지나면 알려 줘", "10분 뒤에 알려 줘"),
            ("10분 있으면 알려 줘", "10분 뒤에 알려 줘"),
            ("밥 되면 알려 줘", "밥 되면 알려 줘"),
        ] {
            assert_eq!(with_times(text, Language::Korean, &now), wanted);
        }
    }
}
