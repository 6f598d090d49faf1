//! Sentences that say what is not to be done, and commands with an exception: nothing here does the opposite of what was
//! said. Words that only look like it are told apart: "don't forget to", "늦지 말라고 알려 줘".

use ieum_contracts::voice::Meaning;
use ieum_understanding::value::Language;

use super::conditions::{CONDITIONAL, is_conditional};
use super::words::rings;
use crate::tongue::Tongue;

/// The intent of what is not to be done.
pub const NEGATED: &str = "dialog.negated";
/// The intent of a command that leaves something out.
pub const EXCEPTED: &str = "dialog.excepted";

/// What ends a negated verb in Korean after 지, each a whole word or more of them.
const KOREAN: [&str; 18] = [
    "마",
    "마라",
    "마요",
    "마세요",
    "마셔",
    "마시고",
    "마십시오",
    "말",
    "말고",
    "말아",
    "말아라",
    "말아요",
    "말아줘",
    "말아줘요",
    "말아줄래",
    "말아주세요",
    "말자",
    "않아도",
];
/// What may follow such a word at the end of a sentence.
const KOREAN_AFTER: [&str; 12] =
    ["줘", "줘요", "주세요", "줄래", "줄래요", "주라", "돼", "돼요", "됩니다", "봐", "좀", "제발"];
/// What ends a sentence that says so otherwise.
const KOREAN_NEEDLESS: [&str; 16] = [
    "필요 없어",
    "필요 없어요",
    "필요없어",
    "필요없어요",
    "필요 없다",
    "필요 없습니다",
    "면 안 돼",
    "면 안 돼요",
    "면 안돼",
    "면 안돼요",
    "고 싶지 않아",
    "고 싶지 않아요",
    "고 싶지는 않아",
    "기 싫어",
    "기 싫어요",
    "안 할래",
];
const KOREAN_EXCEPT: [&str; 5] = ["빼고", "빼고는", "제외하고", "제외하고는", "제외한"];

/// What may stand in front of a negated verb in English.
const ENGLISH_BEFORE: [&str; 18] = [
    "please", "no", "hey", "ok", "okay", "and", "but", "so", "just", "oh", "wait", "well", "hm", "um", "uh",
    "actually", "sorry", "ieum",
];
/// Sentences that negate their verb in English begin so.
const ENGLISH: [&str; 26] = [
    "don't",
    "dont",
    "do not",
    "never",
    "must not",
    "you must not",
    "you mustn't",
    "you should not",
    "you shouldn't",
    "you need not",
    "you needn't",
    "you don't need to",
    "you do not need to",
    "you don't have to",
    "you do not have to",
    "no need to",
    "there is no need to",
    "there's no need to",
    "i don't want",
    "i do not want",
    "i don't need",
    "i do not need",
    "can you not",
    "could you not",
    "could you please not",
    "can you please not",
];
/// What only looks like it.
const ENGLISH_OTHER: [&str; 4] = ["forget", "never mind", "fail to", "miss"];
/// Verbs whose negation within a sentence is meant for whoever listens.
pub const ENGLISH_VERBS: [&str; 31] = [
    "set", "start", "make", "create", "put", "cancel", "stop", "delete", "remove", "clear", "turn", "switch",
    "end", "wake", "remind", "open", "close", "lock", "unlock", "dim", "raise", "lower", "add", "extend",
    "change", "move", "pause", "announce", "ring", "do", "touch",
];
const ENGLISH_EXCEPT: [&str; 7] =
    [" except ", " apart from ", " other than ", " excluding ", " all but ", " everything but ", " but not "];

/// Verbs that are about what rings.
const TOPICS: [&str; 6] = ["알려 주지", "깨우지", "취소", "remind", "wake me", "cancel"];

/// Returns what is meant in the place of `meanings` where the sentence says not to do what they would do.
pub fn refused(text: &str, tongue: Tongue, meanings: &[Meaning]) -> Option<Meaning> {
    let acting: Vec<&Meaning> = meanings.iter().filter(|meaning| acts(&meaning.intent)).collect();
    let intents: Vec<&str> = acting.iter().map(|meaning| meaning.intent.as_str()).collect();
    let text = plain(text);
    // What is not understood may be about what is done here all the same.
    let is_topic = || rings().chain(TOPICS).any(|topic| text.contains(topic));
    if intents.is_empty() && !(meanings.is_empty() && is_topic()) {
        return None;
    }
    // Words that are kept or passed on may negate whatever they like.
    let is_quoting = intents.iter().any(|intent| quotes(intent));
    let language = tongue.pick(Language::Korean, Language::English);
    let (negated, excepted) = match tongue {
        Tongue::Korean => (is_korean(&text, is_quoting), has_korean_exception(&text)),
        Tongue::English => (is_english(&text, is_quoting), has_english_exception(&text)),
    };
    let intent = match (negated, excepted && !is_quoting) {
        (true, _) => NEGATED,
        (false, true) => EXCEPTED,
        (false, false) if !acting.is_empty() && is_conditional(&text, language, &acting) => CONDITIONAL,
        (false, false) => return None,
    };
    Some(Meaning { intent: intent.to_owned(), confidence: 1.0, text, ..Meaning::default() })
}

/// Tells whether a command holds words that are kept or passed on as they are.
pub fn quotes(intent: &str) -> bool {
    matches!(intent, "reminder.set" | "announce.say")
}

pub fn acts(intent: &str) -> bool {
    let is_of = |topic: &&str| intent.strip_prefix(*topic).is_some_and(|rest| rest.starts_with('.'));
    ["timer", "alarm", "reminder", "everything", "device", "announce"].iter().any(is_of)
        && !intent.ends_with(".query")
}

/// Returns the words in small letters, one space between them, without marks.
pub fn plain(text: &str) -> String {
    let text = text.to_lowercase().replace('’', "'");
    let words = text.split(|letter: char| letter.is_whitespace() || ".,!?~;".contains(letter));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn is_korean(text: &str, is_quoting: bool) -> bool {
    let words: Vec<&str> = text.split(' ').collect();
    let ends_stem =
        |word: &str| ["지", "지는", "지도", "지를", "진", "질"].iter().any(|end| word.ends_with(end));
    let is_negation = |at: usize| {
        let word = words[at];
        let joined = word.rfind('지').is_some_and(|stem| {
            let rest = word[stem + '지'.len_utf8()..].trim_start_matches(['는', '도']);
            stem > 0 && KOREAN.contains(&rest)
        });
        joined || (at > 0 && KOREAN.contains(&word) && ends_stem(words[at - 1]))
    };
    let is_last = |at: usize| words[at + 1..].iter().all(|word| KOREAN_AFTER.contains(word));
    let ends = |ends: &[&str]| ends.iter().any(|end| text.ends_with(end));
    // "꺼 주면 안 돼?" asks for it.
    let is_asking = text.contains("주면 안");
    let is_needless = (ends(&KOREAN_NEEDLESS) && !is_asking)
        || (text.contains(" 안 ") && ends(&["도 돼", "도 돼요", "도 됩니다"]));
    is_needless || (0..words.len()).any(|at| is_negation(at) && (!is_quoting || is_last(at)))
}

fn has_korean_exception(text: &str) -> bool {
    let is_of_all = |rest: &str| {
        let mut words = rest.split(' ');
        words.any(|word| ["다", "모두", "전부", "나머지", "싹"].iter().any(|all| word.starts_with(all)))
    };
    let others = text.split_once("말고 ").is_some_and(|(_, rest)| is_of_all(rest));
    others || text.split(' ').any(|word| KOREAN_EXCEPT.iter().any(|except| word.ends_with(except)))
}

fn is_english(text: &str, is_quoting: bool) -> bool {
    if ENGLISH_OTHER.iter().any(|other| text.contains(other)) {
        return false;
    }
    let mut said = text;
    let is_begun = |said: &str| ENGLISH.iter().any(|begin| begins(said, begin));
    // "No need to" begins with such a word itself.
    while let Some((first, rest)) = said.split_once(' ')
        && ENGLISH_BEFORE.contains(&first)
        && !is_begun(said)
    {
        said = rest;
    }
    let is_taken_back = ["don't", "do not", "don't do it", "do not do it", "don't do that"]
        .iter()
        .any(|end| text.ends_with(&format!(" {end}")));
    let negates = |not: &str| {
        let mut rest = text;
        while let Some((_, after)) = rest.split_once(not) {
            if ENGLISH_VERBS.iter().any(|verb| begins(after, verb)) {
                return true;
            }
            rest = after;
        }
        false
    };
    let is_within = || ["don't ", "dont ", "do not ", "never "].iter().any(|not| negates(not));
    is_begun(said) || is_taken_back || (!is_quoting && is_within())
}

fn has_english_exception(text: &str) -> bool {
    ENGLISH_EXCEPT.iter().any(|except| text.contains(except))
}

/// Tells whether `text` begins with these whole words.
pub fn begins(text: &str, words: &str) -> bool {
    text.strip_prefix(words).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(intent: &str, text: &str) -> Option<String> {
        let tongue = Tongue::heard_in(text).unwrap_or(Tongue::English);
        let meaning = Meaning { intent: intent.to_owned(), ..Meaning::default() };
        refused(text, tongue, &[meaning]).map(|meaning| meaning.intent)
    }

    #[test]
    fn what_is_not_to_be_done_is_told_from_what_is() {
        for (intent, text) in [
            ("alarm.set", "do not set an alarm for 7 am"),
            ("alarm.set", "Please don’t wake me up at 7"),
            ("alarm.set", "I don't want an alarm tomorrow"),
            ("reminder.set", "don't remind me to eat at 8 am"),
            ("timer.cancel", "No, don't cancel the timer!"),
            ("timer.cancel", "never cancel my timers"),
            ("timer.start", "set a timer for 5 minutes, no, don't"),
            ("device.off", "could you please not turn off the light"),
            ("device.off", "turn on the lamp and don't turn off the fan"),
            ("timer.start", "타이머 5분 맞추지 마"),
            ("alarm.cancel", "알람 끄지 마"),
            ("alarm.cancel", "알람 취소하지 말아 줘"),
            ("alarm.cancel", "알람 끄지마요"),
            ("alarm.set", "내일 알람 맞추지 마!"),
            ("alarm.set", "내일 알람 맞추지 않아도 돼"),
            ("alarm.set", "알람 맞출 필요 없어"),
            ("alarm.cancel", "알람 안 꺼도 돼"),
            ("alarm.cancel", "알람 지우면 안 돼"),
            ("timer.cancel", "타이머 취소 안 할래"),
            ("reminder.set", "8시에 밥 먹으라고 알려 주지 마세요"),
            ("announce.say", "밥 먹으라고 전하지 말아 줘"),
        ] {
            assert_eq!(meant(intent, text).as_deref(), Some(NEGATED), "{text}");
        }
        for (intent, text) in [
            ("alarm.cancel", "7시 10분 알람 빼고 다 꺼 줘"),
            ("device.off", "거실 불 말고 다 꺼 줘"),
            ("alarm.cancel", "cancel all alarms except the 7:10 one"),
            ("device.off", "turn off everything but the lamp"),
        ] {
            assert_eq!(meant(intent, text).as_deref(), Some(EXCEPTED), "{text}");
        }
        for (intent, text) in [
            ("reminder.set", "don't forget to remind me to eat at 8 am"),
            ("reminder.set", "don't let me forget to call mom at 5"),
            ("reminder.set", "remind me not to eat at 8"),
            ("reminder.set", "remind me at 8 that we do not set the table except on Sundays"),
            ("announce.say", "announce please do not open the door"),
            ("alarm.query", "don't I have an alarm"),
            ("timer.start", "set a timer for 5 minutes"),
            ("reminder.set", "8시에 약 잊지 말라고 알려 줘"),
            ("reminder.set", "3시에 늦지 말라고 알려 줘"),
            ("announce.say", "욕실에 뛰지 말라고 전해 줘"),
            ("reminder.set", "7시에 강아지 마중 가라고 알려 줘"),
            ("reminder.set", "7시에 바지 말리라고 알려 줘"),
            ("reminder.set", "7시에 바지 말고 치마 사라고 알려 줘"),
            ("timer.shorten", "타이머에서 3분 빼 줘"),
            ("timer.start", "타이머 5분 맞춰 줘"),
        ] {
            assert_eq!(meant(intent, text), None, "{text}");
        }
    }
}
