//! What people say of how things are beside what is to be done: "오늘 너무 덥다 선풍기 돌려 줘", "it's so hot, turn on the fan".
//! Such words ask for nothing, so that the command beside them is all that is meant. Those that say when, such as "내일
//! 시험이다", may be about the command, and are none.

use ieum_contracts::voice::{Meaning, Slot, SlotValue, Understand};
use ieum_understanding::value::{Found, Kind, Language, Value, find_kinds};
use jiff::{SignedDuration, Zoned};

use super::conditions::tail;
use super::moments::is_exact;
use super::named::named;
use super::negated::{ENGLISH_VERBS, acts, begins, plain};
use super::shared::is_whole;
use super::words::rings_in;
use crate::rules::topic;
use crate::tongue::Tongue;

/// What begins a remark in English.
const ENGLISH: [&str; 32] = [
    "i've",
    "i have",
    "i just",
    "i put",
    "it's",
    "it is",
    "its",
    "it feels",
    "it got",
    "i'm",
    "i am",
    "i feel",
    "i can't",
    "i cannot",
    "i could not",
    "i couldn't",
    "we're",
    "we are",
    "there's",
    "there is",
    "that's",
    "because",
    "since",
    "so hot",
    "so cold",
    "too hot",
    "too cold",
    "too dark",
    "so dark",
    "too bright",
    "too loud",
    "what a",
];
/// What begins one about something: "the room is too dark".
const SUBJECTS: [&str; 4] = ["the", "this", "my", "our"];
const ARE: [&str; 4] = ["is", "are", "feels", "got"];
/// What a verb follows that is no command.
const NO_COMMAND: [&str; 31] = [
    "to", "i", "you", "we", "they", "he", "she", "it", "not", "don't", "can't", "cannot", "can", "will",
    "would", "could", "should", "must", "may", "might", "do", "does", "did", "never", "the", "a", "my",
    "when", "if", "until", "that",
];
/// What leans on the verb after it where no mark stands between them, besides negated auxiliaries.
const LEANING: [&str; 12] = [
    "just",
    "always",
    "even",
    "ever",
    "still",
    "only",
    "often",
    "usually",
    "sometimes",
    "simply",
    "hardly",
    "barely",
];
/// What asks politely, the last of it in front of the verb.
const POLITE: [&str; 4] = ["can you", "could you", "would you", "will you"];

/// What ends a remark in Korean: a statement, and what is said for a cause.
const KOREAN: [&str; 13] =
    ["다", "네", "네요", "구나", "겠어", "겠어요", "니까", "라서", "워서", "해서", "파서", "려서", "길래"];
/// Feelings that end in no such way, and may have 요 after them.
const FEELINGS: [&str; 12] = [
    "더워",
    "추워",
    "어두워",
    "무서워",
    "시끄러워",
    "뜨거워",
    "답답해",
    "피곤해",
    "심심해",
    "배고파",
    "졸려",
    "죽겠어",
];
/// The most words of a remark.
const MOST_WORDS: usize = 10;
/// The most words of a sentence with one: what is said after each word of it is understood as a sentence of its own.
const LONGEST: usize = 40;
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Returns the commands that may be what is left of `text` without a remark in front of it, the longest first, each with
/// that remark.
pub fn after_remark(text: &str, language: Language) -> Vec<(&str, &str)> {
    if text.split_whitespace().count() > LONGEST {
        return Vec::new();
    }
    let mut starts = text.match_indices(' ').map(|(at, _)| at + 1).take(MOST_WORDS).collect::<Vec<_>>();
    starts.retain(|start| {
        let (remark, rest) = (&text[..*start], &text[*start..]);
        is_remark(remark, language) && (language == Language::Korean || begins_command(remark, rest))
    });
    starts.into_iter().map(|start| (&text[start..], text[..start].trim())).collect()
}

/// Tells whether words only say how things are.
pub fn is_remark(words: &str, language: Language) -> bool {
    let words = words.trim().trim_end_matches(['.', ',', '!', '~']).to_lowercase().replace('’', "'");
    let all: Vec<&str> = words.split_whitespace().collect();
    let Some(last) = all.last().filter(|_| all.len() <= MOST_WORDS) else { return false };
    match language {
        Language::English => {
            let rest =
                ["oh ", "ah ", "wow ", "hey "].iter().find_map(|oh| words.strip_prefix(oh)).unwrap_or(&words);
            ENGLISH.iter().any(|begin| begins(rest, begin))
                || (SUBJECTS.contains(&all[0]) && all[1..].iter().take(3).any(|word| ARE.contains(word)))
        }
        Language::Korean => {
            // "불 다" are all of them.
            let is_statement = last.chars().count() > 1 && KOREAN.iter().any(|end| last.ends_with(end));
            let is_feeling = FEELINGS.contains(&last.trim_end_matches('요'));
            is_statement || is_feeling || is_told(last)
        }
    }
}

/// Tells whether a remark may be said with these commands: what says when is said of none of them, and nothing is left out
/// that they lack.
pub fn goes_with(remark: &str, commands: &[Meaning], language: Language, now: &Zoned) -> bool {
    let found = find_kinds(remark, language, now, &[Kind::Time, Kind::Duration]);
    let of_today = are_of_today(remark, &found, now);
    if !is_about_its_ring(remark, commands) {
        return false;
    }
    commands.iter().all(|command| {
        let is_device = command.intent.starts_with("device.");
        let is_ring = acts(&command.intent) && is_whole(command) && !command.intent.starts_with("announce.");
        let is_question = command.intent.ends_with(".query");
        of_today && (is_device || is_question || (is_ring && found.is_empty()))
    })
}

/// Returns the topic of what rings that a remark names, where it names one: "it" is that in the command beside it.
pub fn ring(remark: &str) -> Option<&'static str> {
    let rings = rings_in(remark);
    rings.first().copied().filter(|_| rings.len() == 1)
}

/// Tells whether commands to "it" are about what rings where a remark names that: "the alarm is too loud, turn it off" is
/// about no lamp.
pub fn is_about_its_ring(remark: &str, commands: &[Meaning]) -> bool {
    let is_its = |command: &Meaning| ring(remark).is_some_and(|ring| topic(&command.intent) == ring);
    rings_in(remark).is_empty() || commands.iter().all(|command| !command.follows_up || is_its(command))
}

/// Tells whether words behind a command take it back, or make a tale of it: "불 꺼 줘 아니다", "불 켜 줘 라고 했다".
pub fn takes_back(words: &str, language: Language) -> bool {
    const KOREAN: [&str; 13] = [
        "아니다",
        "아니야",
        "됐다",
        "됐어",
        "싫다",
        "싫어",
        "라고",
        "다고",
        "그랬",
        "말했",
        "농담",
        "거짓말",
        "취소",
    ];
    const ENGLISH: [&str; 7] = [
        "that's not",
        "that is not",
        "that isn't",
        "that's wrong",
        "that's what",
        "i'm kidding",
        "i'm just kidding",
    ];
    let words = plain(words);
    match language {
        Language::English => ENGLISH.iter().any(|begin| begins(&words, begin)),
        Language::Korean => words.split(' ').any(|word| {
            let is_not = ["안", "안돼", "안돼요", "안된다", "안됩니다"].contains(&word);
            is_not || KOREAN.iter().any(|begin| word.starts_with(begin))
        }),
    }
}

/// Tells whether a command within a sentence is taken back behind it.
pub fn is_taken_back(text: &str, language: Language) -> bool {
    let text = plain(text);
    let mut rests = text.match_indices(' ').map(|(at, _)| (&text[..at], &text[at + 1..]));
    let ends_command = |said: &str| {
        let last = said.rsplit(' ').next().unwrap_or_default();
        ["줘", "줘요", "주세요", "켜", "꺼", "틀어"].iter().any(|end| last.ends_with(end))
    };
    rests.any(|(said, rest)| {
        (language == Language::English || ends_command(said)) && takes_back(rest, language)
    })
}

/// Returns the command in front of words that say nothing but that it is taken back: "불 꺼 줘 아니다", "turn on the fan,
/// never mind".
pub fn before_retraction(text: &str, language: Language) -> Option<&str> {
    const KOREAN: [&str; 13] = [
        "아니다",
        "아니야",
        "아냐",
        "됐다",
        "됐어",
        "됐어요",
        "싫다",
        "안 된다",
        "안된다",
        "안 돼",
        "안돼",
        "안 돼요",
        "안돼요",
    ];
    const ENGLISH: [&str; 4] = ["never mind", "nevermind", "forget it", "i'm kidding"];
    let text = text.trim_end_matches(['.', ',', '!', '~', ' ']);
    let ends: &[&str] = match language {
        Language::Korean => &KOREAN,
        Language::English => &ENGLISH,
    };
    ends.iter().find_map(|end| {
        let at = text.len().checked_sub(end.len())?;
        let is_last = text.get(at..)?.eq_ignore_ascii_case(end);
        let before = text[..at].strip_suffix(' ')?.trim_end_matches([',', '.', '!', '~', ' ']);
        (is_last && !before.is_empty()).then_some(before)
    })
}

/// Has commands to "it" be about the thing that the remark names: "the light is too bright, turn it off".
pub fn about(remark: &str, commands: &mut [Meaning], tongue: Tongue, ask: &Understand) {
    let is_it = |command: &&mut Meaning| {
        command.follows_up && command.intent.starts_with("device.") && !command.slots.contains_key("name")
    };
    let Some(found) = named(tongue, remark, &ask.things, &ask.areas) else { return };
    for command in commands.iter_mut().filter(is_it) {
        let slot = |text: &String| Slot { text: text.clone(), value: SlotValue::Text { text: text.clone() } };
        command.slots.insert("name".to_owned(), slot(&found.name));
        command.slots.extend(found.area.as_ref().map(|area| ("area".to_owned(), slot(area))));
    }
}

/// Leaves out what is no question but a remark beside what is to be done: "선풍기 켜 줘 너무 더워" asks for no weather.
pub fn leave_out(meanings: &mut Vec<Meaning>, language: Language) {
    const FELT: [&str; 8] = ["너무", "진짜", "정말", "되게", "엄청", "아", "so", "too"];
    if !meanings.iter().any(|meaning| acts(&meaning.intent)) {
        return;
    }
    meanings.retain(|meaning| {
        let is_felt = || meaning.text.split_whitespace().any(|word| FELT.contains(&word));
        meaning.intent != "weather.query" || !is_felt() || !is_remark(&meaning.text, language)
    });
}

/// Tells whether no other times are said in `text` than today, and what part of the day it is: "오늘 너무 덥다", "밤이라
/// 어두워". "오늘 밤에" says when.
pub fn tells_of_today(text: &str, language: Language, now: &Zoned) -> bool {
    let found = find_kinds(text, language, now, &[Kind::Time, Kind::Duration]);
    !found.is_empty() && are_of_today(text, &found, now)
}

fn are_of_today(text: &str, found: &[Found], now: &Zoned) -> bool {
    let is_told = |found: &Found| {
        let Value::Time(moment) = &found.value else { return false };
        let is_whole = moment.end().duration_since(moment.start()) == DAY;
        let is_part = || text[found.span.end..].starts_with(['이', '인']) && !is_exact(moment);
        let is_now = moment.start() == now.datetime();
        moment.start().date() == now.date() && (is_whole || is_part() || is_now)
    };
    found.iter().all(is_told)
}

fn begins_command(remark: &str, rest: &str) -> bool {
    let remark = remark.trim().to_lowercase().replace('’', "'");
    let said = remark.trim_end_matches([',', '.', '!']);
    let last = said.split_whitespace().next_back().unwrap_or_default();
    let is_command = is_polite(said) || !(leans(&remark) || NO_COMMAND.contains(&last));
    begins_with_verb(rest) && is_command && !said.is_empty()
}

/// Tells whether an English sentence only tells of what would be a command without the words in front of it: "I can't just
/// turn off the heater", "it's annoying that you turn off the lights".
pub fn tells_of_a_command(text: &str) -> bool {
    let text = text.to_lowercase().replace('’', "'");
    let mut parts = text.match_indices(' ').map(|(at, _)| text.split_at(at + 1));
    parts.any(|(said, rest)| {
        let said = said.trim();
        let is_of_you = || said.ends_with(" you") && !is_polite(said);
        begins_with_verb(rest) && is_remark(said, Language::English) && (leans(said) || is_of_you())
    })
}

fn begins_with_verb(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default().to_lowercase();
    ENGLISH_VERBS.contains(&&*first)
}

fn is_polite(remark: &str) -> bool {
    POLITE.iter().any(|polite| remark.ends_with(polite))
}

/// Tells whether the last word of a remark in small letters leans on the verb after it, with no mark between them.
fn leans(remark: &str) -> bool {
    const MARKS: [char; 3] = [',', '.', '!'];
    let last = remark.split_whitespace().next_back().unwrap_or_default();
    // "It's hot, just turn on the fan" has its mark in front.
    let begins_apart = remark.strip_suffix(last).is_some_and(|rest| rest.trim_end().ends_with(MARKS));
    last.ends_with("n't") || (LEANING.contains(&last) && !begins_apart)
}

/// Tells whether a Korean word is a verb in the past, 왔어, or says what goes with what follows, 추운데.
fn is_told(word: &str) -> bool {
    const SSANG_SIOT: u32 = 20;
    const NIEUN: u32 = 4;
    let ends = |stem: Option<&str>, sound| {
        let last = stem.and_then(|stem| stem.chars().next_back());
        last.is_some_and(|last| tail(last) == Some(sound) && !['있', '겠', '가'].contains(&last))
    };
    let past = word.strip_suffix("어요").or_else(|| word.strip_suffix('어'));
    ends(past, SSANG_SIOT) || ends(word.strip_suffix("데"), NIEUN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_how_things_are_is_told_from_what_is_asked_for() {
        for text in [
            "오늘 너무 덥다",
            "너무 더워",
            "추워요",
            "어두우니까",
            "밤이라 어두워",
            "엄마 왔어",
            "손이 시린데",
            "비 온다",
            "졸려서",
            "방이 너무 춥네",
            "it's so hot today",
            "It’s dark in here",
            "the room is too cold",
            "I'm freezing",
            "oh it's hot",
            "because it's cold",
        ] {
            let language = if text.contains(['i', 'e', 'o']) { Language::English } else { Language::Korean };
            assert!(is_remark(text, language), "{text}");
        }
        for text in [
            "거실 불 다",
            "라디오 틀어",
            "전화해",
            "불 켜져 있어",
            "비 오면",
            "집에 올 때",
            "play some jazz",
            "if it's hot",
            "when the room is dark",
            "is it hot",
            "call mom",
            "the kitchen light",
        ] {
            let language = if text.is_ascii() { Language::English } else { Language::Korean };
            assert!(!is_remark(text, language), "{text}");
        }
    }

    #[test]
    fn the_command_is_what_follows_the_remark() {
        let korean = after_remark("더워 죽겠다 선풍기 켜 줘", Language::Korean);
        assert_eq!(korean, [("죽겠다 선풍기 켜 줘", "더워"), ("선풍기 켜 줘", "더워 죽겠다")]);
        let english = |text| after_remark(text, Language::English);
        assert_eq!(english("it's hot turn on the fan"), [("turn on the fan", "it's hot")]);
        assert_eq!(english("it's hot can you turn on the fan"), [("turn on the fan", "it's hot can you")]);
        assert!(english("it's time to turn on the fan").is_empty());
        assert_eq!(english("it's hot, just turn on the fan"), [("turn on the fan", "it's hot, just")]);
        for text in [
            "i'm not sure i can turn on the fan",
            "it's annoying that you turn off the lights",
            "because you open the window",
            "I can't just turn off the heater",
            "I’m still turn off the heater",
            "it's cold because it isn't turn on the fan",
            "itself turn off the heater",
        ] {
            assert!(english(text).is_empty(), "{text}");
        }
        assert!(english("tell me if it's hot turn on the fan").is_empty());
    }

    #[test]
    fn what_tells_of_a_command_is_none() {
        for text in [
            "it's annoying that you turn off the lights",
            "because you open the window",
            "I can’t just turn off the heater",
            "I can't turn off the heater",
        ] {
            assert!(tells_of_a_command(text), "{text}");
        }
        for text in [
            "it's hot can you turn on the fan",
            "it's hot, just turn on the fan",
            "it's hot turn on the fan",
            "turn on the fan",
            "I can't sleep, turn off the fan",
        ] {
            assert!(!tells_of_a_command(text), "{text}");
        }
    }

    #[test]
    fn a_long_sentence_is_not_understood_again_after_each_word() {
        let long = |words: usize| format!("it's hot turn on the fan{}", " and the lamp".repeat(words));
        assert_eq!(after_remark(&long(3), Language::English).len(), 1);
        assert!(after_remark(&long(20), Language::English).is_empty());
        let korean = format!("더워 죽겠다 {}선풍기 켜 줘", "정말 ".repeat(50));
        assert!(after_remark(&korean, Language::Korean).is_empty());
    }

    #[test]
    fn what_takes_a_command_back_is_told_from_what_is_said_of_how_things_are() {
        for (words, language) in [
            ("아니다", Language::Korean),
            ("안 된다", Language::Korean),
            ("라고 했다", Language::Korean),
            ("엄마가 그랬다", Language::Korean),
            ("That’s not what I want", Language::English),
        ] {
            assert!(takes_back(words, language), "{words}");
        }
        for (words, language) in [
            ("너무 더워", Language::Korean),
            ("손님 왔다", Language::Korean),
            ("that's too bright", Language::English),
            ("it's so hot", Language::English),
        ] {
            assert!(!takes_back(words, language), "{words}");
        }
        let before = |text| before_retraction(text, Language::Korean);
        assert_eq!(before("불 꺼 줘, 아니다."), Some("불 꺼 줘"));
        assert_eq!(before("불 꺼 줘 안 돼"), Some("불 꺼 줘"));
        assert_eq!((before("아니다"), before("불 꺼 줘"), before("불이아니다")), (None, None, None));
        let before = |text| before_retraction(text, Language::English);
        assert_eq!(before("turn on the fan, never mind!"), Some("turn on the fan"));
        assert_eq!(before("never mind"), None);
    }
}
