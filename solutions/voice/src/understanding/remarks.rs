//! What people say of how things are beside what is to be done: "오늘 너무 덥다 선풍기 돌려 줘", "it's so hot, turn on the fan".
//! Such words ask for nothing, so that the command beside them is all that is meant. Those that say when, such as "내일
//! 시험이다", may be about the command, and are none.

use ieum_contracts::voice::{Meaning, Slot, SlotValue, Understand};
use ieum_understanding::value::{Found, Kind, Language, Value, find_kinds};
use jiff::{SignedDuration, Zoned};

use super::conditions::tail;
use super::moments::is_exact;
use super::named::named;
use super::negated::{ENGLISH_VERBS, acts};
use super::shared::is_whole;
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
const NO_COMMAND: [&str; 30] = [
    "to", "i", "we", "they", "he", "she", "it", "not", "don't", "can't", "cannot", "can", "will", "would",
    "could", "should", "must", "may", "might", "do", "does", "did", "never", "the", "a", "my", "when", "if",
    "until", "that",
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
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Returns the commands that may be what is left of `text` without a remark in front of it, the longest first, each with
/// that remark.
pub fn after_remark(text: &str, language: Language) -> Vec<(&str, &str)> {
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
            let begins = |begin: &str| words.strip_prefix(begin).is_some_and(|rest| rest.starts_with(' '));
            let rest =
                ["oh ", "ah ", "wow ", "hey "].iter().find_map(|oh| words.strip_prefix(oh)).unwrap_or(&words);
            ENGLISH.iter().any(|begin| begins(begin) || rest.starts_with(begin))
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
    commands.iter().all(|command| {
        let is_device = command.intent.starts_with("device.");
        let is_ring = acts(&command.intent) && is_whole(command) && !command.intent.starts_with("announce.");
        let is_question = command.intent.ends_with(".query");
        of_today && (is_device || is_question || (is_ring && found.is_empty()))
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
    let remark = remark.trim().trim_end_matches([',', '.', '!']).to_lowercase();
    let last = remark.split_whitespace().next_back().unwrap_or_default();
    let first = rest.split_whitespace().next().unwrap_or_default().to_lowercase();
    let is_polite = POLITE.iter().any(|polite| remark.ends_with(polite));
    ENGLISH_VERBS.contains(&&*first) && (is_polite || !NO_COMMAND.contains(&last)) && !remark.is_empty()
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
        assert!(english("i'm not sure i can turn on the fan").is_empty());
        assert!(english("tell me if it's hot turn on the fan").is_empty());
    }
}
