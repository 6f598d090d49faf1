//! Commands with a condition: "if it rains, turn off the fan", "비 오면 7시에 깨워 줘". Nothing here waits for what may happen
//! or not, so that they are refused and nothing is asked. A condition within the words of a reminder is a part of those
//! where its time is said apart from them, and "when it is seven" is a time: "7시 되면 깨워 줘".

use ieum_contracts::voice::Meaning;
use ieum_understanding::value::{Kind, Language, find_kinds};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::negated::plain;
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
const POLITE: [&str; 29] = [
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
    "it is ok",
    "it is okay",
    "that is ok",
    "that is okay",
    "it is possible",
    "it's not too",
    "it is not too",
    "it isn't too",
    "not too",
    "at all possible",
    "you wouldn't",
    "you'd",
    "i could",
];
const POSSIBLE: [&str; 3] = ["possible", "necessary", "needed"];
/// Nouns that end as a Korean verb with a condition does: noodles and surfaces.
const NOUNS: [&str; 11] =
    ["라면", "소면", "쫄면", "밀면", "화면", "표면", "수면", "지면", "도면", "서면", "내면"];
/// Such verbs that only join what is said, or ask politely.
const JOINTS: [&str; 17] = [
    "그러면",
    "이러면",
    "그렇다면",
    "아니면",
    "가능하면",
    "가능하다면",
    "가능하시면",
    "괜찮다면",
    "기왕이면",
    "왜냐하면",
    "말하자면",
    "괜찮으면",
    "괜찮으시면",
    "웬만하면",
    "이왕이면",
    "어쩌면",
    "되도록이면",
];
/// What a polite wish ends in after such a verb: "꺼 주면 좋겠어", "꺼 주면 안 돼?".
const WISHES: [&str; 15] = [
    "좋겠", "좋을", "돼", "되", "될", "됩", "안돼", "안되", "안될", "안됩", "어때", "어떨", "고맙", "고마",
    "감사",
];
/// The same after a verb in the past: "깨워 줬으면 해".
const WISHES_IN_THE_PAST: [&str; 4] = ["해", "합니다", "하는데", "싶"];
/// What has a wish ask whether something can be done, by its first word: "할 수 있으면", "시간 되시면".
const ABLE: [(&str, &[&str]); 2] =
    [("수", &["있으면", "있으시면", "있다면"]), ("시간", &["되면", "되시면", "있으면"])];
/// Verbs that say when, where a time or a length of time is in front of them.
const TIMELY: [&str; 6] = ["가 되면", "이 되면", "되면", "이 지나면", "지나면", "있으면"];
/// What may stand between that and the verb.
const ABOUT: [&str; 3] = ["쯤", "만", "정도"];
/// What begins a time in English in the place of "at".
const IT_IS: [&str; 3] = ["it's ", "it is ", "the time is "];
/// What a timer is set for is no condition: its end.
const ITS: [&str; 6] = ["it", "it's", "they", "they're", "time", "time's"];
const AT_ITS_END: [&str; 4] = ["끝나면", "되면", "울리면", "다되면"];
/// What "if" and "when" follow where they begin what is to be found out: "remind me to ask if it rains".
const FOUND_OUT: [&str; 12] =
    ["ask", "see", "check", "know", "find", "tell", "wonder", "decide", "sure", "learn", "say", "hear"];
/// What a Korean reminder ends in, which passes on nothing.
const TOLD: [&str; 3] = ["알려 줘", "알려줘", "알려 주세요"];
/// The most words of a sentence that is taken apart this way.
const MOST_WORDS: usize = 24;

/// Tells whether the doing of one of `acting` depends on a condition that `text` says.
pub fn is_conditional(text: &str, language: Language, acting: &[&Meaning]) -> bool {
    let text = plain(text);
    let all: Vec<&str> = text.split_whitespace().collect();
    let of = |names: &[&str]| -> Vec<String> {
        let slots = acting.iter().flat_map(|meaning| names.iter().filter_map(|slot| words(meaning, slot)));
        slots.map(plain).collect()
    };
    let (kept, names) = (of(&["message", "name"]), of(&["label", "which"]));
    let is_timer = acting.iter().any(|meaning| meaning.intent == "timer.start");
    condition(&all, language).is_some_and(|(from, to)| {
        let said = all[from..=to].join(" ");
        if acting.iter().any(|meaning| waits(meaning, (&all[..from], &all[to + 1..]), &text, language)) {
            return true;
        }
        // A condition may be a part of what something is called, and not all of it.
        let is_of_a_name = |name: &String| name.find(&said).is_some_and(|at| at + said.len() < name.len());
        let is_kept = kept.iter().any(|kept| kept.contains(&said)) || names.iter().any(is_of_a_name);
        let is_told_anyway = is_timer && is_its_end(&all[from..], language);
        !(is_kept || is_told_anyway)
    })
}

/// Tells whether a reminder waits for a condition that its words hold: one that stands where a time does, or after the time,
/// or in front of it. `before` and `after` are the words around what marks the condition.
fn waits(meaning: &Meaning, (before, after): (&[&str], &[&str]), text: &str, language: Language) -> bool {
    let epoch = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    let is_timed = || ["when", "every", "day"].iter().any(|slot| meaning.slots.contains_key(*slot));
    let (before, after) = (before.join(" "), after.join(" "));
    match (language, &*meaning.intent) {
        (Language::English, "reminder.set") => {
            let is_found_out = before.split(' ').any(|word| FOUND_OUT.contains(&word));
            let ends_with_time = || {
                let found = find_kinds(&before, language, &epoch, &[Kind::Time]);
                found.last().is_some_and(|last| last.span.end == before.len())
            };
            !is_found_out && (!is_timed() || ends_with_time())
        }
        (Language::Korean, "reminder.set") => {
            let found = find_kinds(&after, language, &epoch, &[Kind::Time, Kind::Duration]);
            found.first().is_some_and(|first| first.span.start == 0)
        }
        // Told at once it would be told whatever happens.
        (Language::Korean, "announce.say") => {
            let message = words(meaning, "message").map(plain).unwrap_or_default();
            text.starts_with(&message)
                && !meaning.slots.contains_key("area")
                && TOLD.iter().any(|end| text.ends_with(end))
        }
        _ => false,
    }
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
    if language == Language::English {
        let lower = said.to_lowercase();
        let time = IT_IS.iter().find_map(|it| {
            let at = lower.find(&format!("when {it}"))?;
            let time = &said.get(at + "when ".len() + it.len()..)?;
            begins_with_a_time(time, language, now).then(|| format!("{}at {time}", &said[..at]))
        });
        return time.unwrap_or(said);
    }
    for verb in TIMELY.iter().filter(|verb| text.contains(**verb)) {
        let Some(at) = said.find(verb) else { continue };
        let mut before = said[..at].trim_end();
        before = ABOUT.iter().find_map(|about| before.strip_suffix(about)).unwrap_or(before).trim_end();
        let ends = |kind| {
            let found = find_kinds(before, language, now, &[kind]);
            found.iter().any(|found| found.span.end == before.len())
        };
        let time = match (verb.ends_with("되면") && ends(Kind::Time), ends(Kind::Duration)) {
            (true, _) => "에",
            (false, true) => " 뒤에",
            (false, false) => continue,
        };
        let rest = &said[at + verb.len()..];
        if rest.is_empty() || rest.starts_with([' ', ',']) {
            said = format!("{before}{time}{rest}");
        }
    }
    said
}

/// Tells whether words begin with a time of day or a length of time.
fn begins_with_a_time(text: &str, language: Language, now: &Zoned) -> bool {
    let found = find_kinds(text, language, now, &[Kind::Time, Kind::Duration, Kind::Number]);
    found.first().is_some_and(|found| found.span.start == 0)
}

/// Tells whether a condition is that a timer ends, which it tells anyway.
fn is_its_end(said: &[&str], language: Language) -> bool {
    match language {
        Language::English => {
            let clause = &said[1..];
            let ends = ["done", "over", "up", "finished", "ready", "rings", "ends", "off"];
            let is_its = clause.first().is_some_and(|first| ITS.contains(first))
                || clause.starts_with(&["the", "timer"]);
            is_its && clause.iter().any(|word| ends.contains(word))
        }
        Language::Korean => said.first().is_some_and(|word| AT_ITS_END.contains(word)),
    }
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
    let first = said.next()?;
    said.next()?;
    let begins = |polite: &str| {
        clause.strip_prefix(polite).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    let is_polite = POSSIBLE.contains(&first) || POLITE.iter().any(|polite| begins(polite));
    let is_often = *begin == "once" && !ONCE.contains(&first);
    // "When fifteen minutes are over", "when it's seven": whatever the day is, it begins so.
    let it_is = IT_IS.iter().find_map(|it| clause.strip_prefix(it)).unwrap_or(clause);
    let is_time = ["when", "once"].contains(begin)
        && begins_with_a_time(it_is, Language::English, &Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC));
    (!is_polite && !is_often && !is_time).then_some((at, at + begin.split(' ').count()))
}

fn korean(all: &[&str], at: usize) -> bool {
    let word = all[at];
    let next = all.get(at + 1).copied();
    let is_past = word.ends_with("으면");
    let is_wish = |word: &str| {
        WISHES.iter().any(|wish| word.starts_with(wish))
            || (is_past && WISHES_IN_THE_PAST.iter().any(|wish| word.starts_with(wish)))
    };
    let is_able = at > 0 && ABLE.iter().any(|(first, able)| all[at - 1] == *first && able.contains(&word));
    let is_wished = match next {
        Some("안") => all.get(at + 2).is_some_and(|word| is_wish(word)),
        Some(next) => is_wish(next),
        // What is said last comes after its command: "7시에 깨워 줘 비 오면".
        None => !all[..at].iter().any(|word| word.ends_with("줘") || word.ends_with("세요")),
    };
    let is_verb = || {
        let stem = word.strip_suffix('면')?.chars().next_back()?;
        let is_noodle =
            word.ends_with("라면") && !["이라면", "니라면"].iter().any(|verb| word.ends_with(verb));
        let is_noun = NOUNS.contains(&word) || word.ends_with("화면") || is_noodle;
        // It follows a vowel or ㄹ.
        Some(!is_noun && !JOINTS.contains(&word) && matches!(tail(stem)?, 0 | RIEUL))
    };
    let is_time = at > 0
        && ["때", "때는", "때마다", "경우", "경우에", "경우에는"].contains(&word)
        && all[at - 1]
            .chars()
            .next_back()
            .is_some_and(|last| tail(last) == Some(RIEUL) && !['일', '울', '월', '절'].contains(&last));
    !is_wished
        && !is_able
        && (is_verb().unwrap_or_default() || is_time || (word.ends_with("거든") && next.is_some()))
}

const RIEUL: u32 = 8;

/// Returns the last sound of a Hangul syllable by its place, 0 where it has none.
pub fn tail(letter: char) -> Option<u32> {
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
            "휴일 아니라면 7시에 깨워 줘",
            "turn on the sprinkler if it's not raining",
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
            "wake me up at 7 if it is possible",
            "wake me up at 7 if you wouldn't mind",
            "wake me up when it's 7",
            "tell me when fifteen minutes are over",
            "let me know when a quarter of an hour has gone by",
            "7시에 깨워 줬으면 해",
            "7시에 깨워 줬으면 하는데",
            "불 꺼 주면 안될까",
            "될 수 있으면 7시에 깨워 주세요",
            "시간 되시면 7시에 깨워 주세요",
            "가능하시면 7시에 깨워 주세요",
            "잠금화면 켜 줘",
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
            ("5분 되면 알려 줘", "5분 뒤에 알려 줘"),
            ("30분이 되면 깨워 줘", "30분 뒤에 깨워 줘"),
            ("10분쯤 지나면 알려 줘", "10분 뒤에 알려 줘"),
            ("10분만 있으면 알려 줘", "10분 뒤에 알려 줘"),
        ] {
            assert_eq!(with_times(text, Language::Korean, &now), wanted);
        }
        for (text, wanted) in [
            ("Wake me up when it's 7 am", "Wake me up at 7 am"),
            ("call when it's ready", "call when it's ready"),
        ] {
            assert_eq!(with_times(text, Language::English, &now), wanted);
        }
    }
}
