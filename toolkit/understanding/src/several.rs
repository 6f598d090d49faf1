//! A sentence with several commands, taken apart where each part is understood.
//!
//! A sentence that is understood as a whole stays whole: "add salt and pepper" is one command. Else, and also where
//! it was understood only because some slot takes any words, it is split at the words that join commands, and the
//! split counts only when every part is understood. Korean verbs that lean on the next one (`켜고`) are tried in the
//! form they have at the end (`켜`).

use std::collections::HashSet;
use std::ops::Range;

use crate::value::Language;

const ENGLISH: &[&str] = &[
    " and then ",
    " and after that ",
    " and also ",
    ", and ",
    " then ",
    " and ",
    " also ",
    ", ",
    "; ",
    ". ",
    "! ",
    "? ",
];
const KOREAN: &[&str] = &[
    " 그리고 나서 ",
    " 그런 다음 ",
    " 그다음에 ",
    " 그리고 ",
    "라고 하고 ",
    "하고 나서 ",
    "고 나서 ",
    "한 다음에 ",
    "한 뒤에 ",
    "하고 ",
    "주고 ",
    "고 ",
    "이랑 ",
    "랑 ",
    ", ",
    "줘 ",
    ". ",
    "! ",
    "? ",
];
/// What a command after another may begin with besides.
const LEADING: &[&str] = &[
    "and then ",
    "and also ",
    "and ",
    "then ",
    "also ",
    "그리고 나서 ",
    "그리고 ",
    "그다음에 ",
    "그 다음에 ",
    "그런 다음 ",
];
/// What the joint takes from the verb in front of it: what to put there instead.
const KOREAN_ENDINGS: &[(&str, &[&str])] = &[
    ("라고 하고 ", &["라고 알려 줘"]),
    ("하고 나서 ", &["해", "해줘", ""]),
    ("고 나서 ", &["", "어", "아"]),
    ("한 다음에 ", &["해", "해줘", ""]),
    ("한 뒤에 ", &["해", "해줘", ""]),
    ("하고 ", &["해", "해줘", ""]),
    ("주고 ", &["줘"]),
    ("줘 ", &["줘"]),
    ("고 ", &["", "어", "아", "줘"]),
];

/// One command of a sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct Part<T> {
    /// What was understood.
    pub meaning: T,
    /// Where it stands, in bytes of the sentence, without the word that joins it to the next.
    pub span: Range<usize>,
}

/// One sentence understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Understood<T> {
    /// What was understood.
    pub meaning: T,
    /// Whether some slot took words that nobody listed: then another command may hide among them.
    pub open: bool,
}

/// What understands a single command, told of those in front of it.
pub type Understand<'a, T> = &'a dyn Fn(&str, &[Part<T>]) -> Option<Understood<T>>;

/// The most commands one sentence is taken to hold.
const MOST_PARTS: usize = 8;

/// Takes `text` apart into commands that `understand` knows; `None` when there is no way to understand all of it. What
/// is meant may depend on the commands in front: "set a timer for ten minutes and then cancel it".
pub fn take_apart<T>(text: &str, language: Language, understand: Understand<T>) -> Option<Vec<Part<T>>> {
    let mut sentence = Sentence { text, language, understand, parts: Vec::new(), dead: HashSet::new() };
    sentence.split(0, MOST_PARTS).then_some(sentence.parts)
}

/// Takes apart what `understand` knows of the beginning of `text`, or else of its end, as much as there is; returns the
/// rest too, which nobody knows. `None` where neither is known.
pub fn take_apart_partly<'a, T>(
    text: &'a str,
    language: Language,
    understand: Understand<T>,
) -> Option<(Vec<Part<T>>, &'a str)> {
    let joints = joints(text, language);
    let begun = joints.iter().rev().find_map(|(at, joint)| {
        let ended = ended(&text[..*at], joint, language);
        let parts = ended.into_iter().find_map(|text| take_apart(&text, language, understand))?;
        Some((parts, &text[at + joint.len()..]))
    });
    begun.or_else(|| {
        joints.iter().find_map(|(at, joint)| {
            Some((take_apart(&text[at + joint.len()..], language, understand)?, &text[..*at]))
        })
    })
}

/// Returns the part in front of a joint with the endings that the joint may have taken from it.
fn ended(text: &str, joint: &str, language: Language) -> Vec<String> {
    let endings = KOREAN_ENDINGS.iter().find(|(taken, _)| *taken == joint && language == Language::Korean);
    let Some((_, endings)) = endings else { return vec![text.to_owned()] };
    endings.iter().map(|ending| format!("{text}{ending}")).chain(contracted(text)).collect()
}

/// A sentence while it is taken apart.
struct Sentence<'a, T> {
    text: &'a str,
    language: Language,
    understand: Understand<'a, T>,
    /// The commands found so far.
    parts: Vec<Part<T>>,
    /// What cannot be understood: from where, with how many commands at most, after a command that began where.
    dead: HashSet<(usize, usize, Option<usize>)>,
}

impl<T> Sentence<'_, T> {
    /// Finds the commands from `start` on, `left` of them at most.
    fn split(&mut self, start: usize, left: usize) -> bool {
        let start = start + leading(&self.text[start..]);
        let place = (start, left, self.parts.last().map(|part| part.span.start));
        if self.dead.contains(&place) {
            return false;
        }
        let rest = &self.text[start..];
        let whole = (self.understand)(rest, &self.parts);
        if whole.as_ref().is_none_or(|whole| whole.open) && left > 1 {
            for (at, joint) in joints(rest, self.language) {
                let Some(meaning) = self.first(&rest[..at], joint) else { continue };
                self.parts.push(Part { meaning, span: start..start + at });
                if self.split(start + at + joint.len(), left - 1) {
                    return true;
                }
                self.parts.pop();
            }
        }
        let Some(whole) = whole else {
            self.dead.insert(place);
            return false;
        };
        self.parts.push(Part { meaning: whole.meaning, span: start..self.text.len() });
        true
    }

    /// Understands the part in front of a joint, with the ending that the joint took from it.
    fn first(&self, text: &str, joint: &str) -> Option<T> {
        let ended = ended(text, joint, self.language);
        ended.iter().find_map(|text| Some((self.understand)(text, &self.parts)?.meaning))
    }
}

/// Returns where the words that join commands end in `text`, from the left.
pub fn ends_of_joints(text: &str, language: Language) -> Vec<usize> {
    joints(text, language).into_iter().map(|(at, joint)| at + joint.len()).collect()
}

/// Tells whether words may join two commands, within themselves or with what follows them.
pub fn may_join(words: &str, language: Language) -> bool {
    !joints(&format!("{words} "), language).is_empty()
}

/// Returns how long the words are that only join what follows them to what is in front.
fn leading(text: &str) -> usize {
    let text = lower(text);
    LEADING.iter().find(|words| text.starts_with(**words)).map_or(0, |words| words.len())
}

/// Returns where joints stand, from the left; of several at one place the longest first.
fn joints(text: &str, language: Language) -> Vec<(usize, &'static str)> {
    let words = match language {
        Language::Korean => KOREAN,
        Language::English => ENGLISH,
    };
    let mut found: Vec<(usize, &str)> = words
        .iter()
        .flat_map(|joint| lower(text).match_indices(*joint).map(|(at, _)| (at, *joint)).collect::<Vec<_>>())
        .filter(|(at, joint)| {
            *at > 0 && text.is_char_boundary(*at) && text.is_char_boundary(*at + joint.len())
        })
        .collect();
    found.sort_by_key(|(at, joint)| (*at, std::cmp::Reverse(joint.len())));
    found
}

/// Lower case only where it keeps every byte in its place.
fn lower(text: &str) -> String {
    text.to_ascii_lowercase()
}

/// Returns a verb's stem in the form it has at the end, where its last vowel melts into that: 맞추 becomes 맞춰, 시키 시켜
/// (Hangul Orthography, §34 to §36).
fn contracted(stem: &str) -> Option<String> {
    const VOWELS: u32 = 28;
    let last = stem.chars().next_back().filter(|last| ('가'..='힣').contains(last))?;
    let place = u32::from(last) - u32::from('가');
    // Vowels in their order in Unicode; a syllable that ends in a consonant melts into nothing.
    let melted = match (place % VOWELS, place / VOWELS % 21) {
        (0, 8) => 9,   // ㅗ, ㅘ
        (0, 13) => 14, // ㅜ, ㅝ
        (0, 18) => 4,  // ㅡ, ㅓ
        (0, 20) => 6,  // ㅣ, ㅕ
        _ => return None,
    };
    let place = place / (VOWELS * 21) * (VOWELS * 21) + melted * VOWELS;
    let before = &stem[..stem.len() - last.len_utf8()];
    Some(format!("{before}{}", char::from_u32(u32::from('가') + place)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::builtin;
    use crate::template::{Lists, Recogniser, Situation};

    fn intents(text: &str, language: Language, code: &str) -> Option<Vec<String>> {
        let file = builtin::sentences(code).expect("a language we have").expect("a file that reads");
        let recogniser = Recogniser::compile(&file).expect("it compiles");
        let names = Lists::default()
            .with_names("name", ["불", "선풍기", "light", "fan", "salt and pepper mill"])
            .with_names("area", ["거실", "kitchen"]);
        let situation = Situation { lists: names, prefer: Some("name".to_owned()), ..Situation::default() };
        let understand = |part: &str, _: &[Part<String>]| {
            let found = recogniser.recognise(part, &situation)?;
            Some(Understood { open: found.slots.iter().any(|slot| slot.wildcard), meaning: found.intent })
        };
        let parts = take_apart(text, language, &understand)?;
        Some(parts.into_iter().map(|part| part.meaning).collect())
    }

    #[test]
    fn korean_commands_come_apart_at_their_verbs() {
        let ko = |text: &str| intents(text, Language::Korean, "ko");
        assert_eq!(ko("불 끄고 선풍기 켜 줘"), Some(vec!["device.off".into(), "device.on".into()]));
        assert_eq!(
            ko("거실 불 켜고 오 분 타이머 맞춰 줘"),
            Some(vec!["device.on".into(), "timer.start".into()])
        );
        assert_eq!(
            ko("지금 몇 시야 그리고 오늘 날씨 어때"),
            Some(vec!["time.query".into(), "weather.query".into()])
        );
        for verb in ["맞춰 주고", "맞춰주고", "맞추고"] {
            let text = format!("오 분 타이머 {verb} 지금 몇 시야");
            assert_eq!(ko(&text), Some(vec!["timer.start".into(), "time.query".into()]), "{text}");
        }
        assert_eq!(
            ko("오 분 타이머랑 내일 일곱 시 알람"),
            Some(vec!["timer.start".into(), "alarm.set".into()])
        );
        let lights: Vec<String> = vec!["device.on".into(), "timer.start".into()];
        assert_eq!(ko("거실 불 켜 줘 오 분 타이머 맞춰 줘"), Some(lights.clone()));
        assert_eq!(ko("거실 불 켜 줘. 오 분 타이머 맞춰 줘"), Some(lights));
        assert_eq!(ko("불 끄고 아무도 모르는 말"), None);
    }

    #[test]
    fn english_commands_come_apart_and_names_with_and_stay_whole() {
        let en = |text| intents(text, Language::English, "en");
        assert_eq!(
            en("turn off the light and then turn on the fan"),
            Some(vec!["device.off".into(), "device.on".into()])
        );
        assert_eq!(
            en("What time is it, and set a timer for five minutes"),
            Some(vec!["time.query".into(), "timer.start".into()])
        );
        assert_eq!(
            en("What time is it? Set a timer for five minutes"),
            Some(vec!["time.query".into(), "timer.start".into()])
        );
        assert_eq!(en("turn on the salt and pepper mill"), Some(vec!["device.on".into()]));
        assert_eq!(en("turn on the light and sing like nobody"), None);
    }

    #[test]
    fn of_a_sentence_that_is_known_in_part_the_rest_is_told() {
        let known = |part: &str, _: &[Part<String>]| {
            let known = ["start", "stop", "불 꺼", "불 켜 줘"].contains(&part);
            known.then(|| Understood { meaning: part.to_owned(), open: false })
        };
        for (text, language, wanted) in [
            ("start and stop and sing", Language::English, Some((vec!["start", "stop"], "sing"))),
            ("I am home, start", Language::English, Some((vec!["start"], "I am home"))),
            ("불 끄고 노래해 줘", Language::Korean, Some((vec!["불 꺼"], "노래해 줘"))),
            ("노래하고 불 켜 줘", Language::Korean, Some((vec!["불 켜 줘"], "노래"))),
            ("sing and dance", Language::English, None),
        ] {
            let found = take_apart_partly(text, language, &known);
            let found = found
                .map(|(parts, rest)| (parts.into_iter().map(|part| part.meaning).collect::<Vec<_>>(), rest));
            let wanted =
                wanted.map(|(parts, rest)| (parts.into_iter().map(str::to_owned).collect::<Vec<_>>(), rest));
            assert_eq!(found, wanted, "{text}");
        }
    }

    #[test]
    fn a_command_is_understood_by_those_in_front_of_it() {
        let understand = |part: &str, before: &[Part<String>]| {
            let meaning = match (part, before.last()) {
                ("start", None) => "started".to_owned(),
                ("stop it", Some(last)) => format!("stopped what is {}", last.meaning),
                _ => return None,
            };
            Some(Understood { meaning, open: false })
        };
        let parts = |text| {
            let parts = take_apart(text, Language::English, &understand)?.into_iter();
            Some(parts.map(|part| part.meaning).collect::<Vec<_>>())
        };
        let started = "started".to_owned();
        assert_eq!(parts("start and then stop it"), Some(vec![started, "stopped what is started".into()]));
        assert_eq!(parts("stop it and then start"), None);
        assert_eq!(parts("stop it"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_taking_apart_panic(text in "(.| and |고 |, ){0,30}") {
            for language in [Language::Korean, Language::English] {
                let parts = take_apart(&text, language, &|part, _: &[Part<()>]| (part.len() < 4).then_some(Understood { meaning: (), open: true }));
                prop_assert!(parts.into_iter().flatten().all(|part| text.get(part.span).is_some()));
            }
        }
    }
}
