//! Two things with one verb: "아이방 불이랑 거실 불 꺼 줘", "turn on the kitchen light and the bedroom light".

use ieum_contracts::voice::Meaning;
use ieum_understanding::value::Language;

const KOREAN: [&str; 7] = ["이랑 ", "랑 ", "하고 ", "와 ", "과 ", "도 ", ", "];
const ENGLISH: [&str; 4] = [", and ", " and also ", " and ", ", "];
/// Names of islands and provinces in front of a 도 that is their own.
const PLACES: [&str; 10] = ["제주", "강원", "경기", "충청", "전라", "경상", "남", "북", "울릉", "거제"];
/// The most words of a sentence that is taken apart this way.
const MOST_WORDS: usize = 16;
/// What can be asked for together.
const TOGETHER: [&str; 4] = ["device.", "weather.", "time.", "date."];

/// Returns what `text` means where two things share its verb; `one` understands a sentence about one.
pub fn shared(
    text: &str,
    language: Language,
    one: &dyn Fn(&str) -> Option<Vec<Meaning>>,
) -> Option<Vec<Meaning>> {
    if text.split_whitespace().count() > MOST_WORDS {
        return None;
    }
    let one = |text: &str| one(text).filter(|found| found.iter().all(is_together));
    let joints: &[&str] = match language {
        Language::Korean => &KOREAN,
        Language::English => &ENGLISH,
    };
    joints.iter().find_map(|joint| {
        let (left, right) = text.split_once(joint)?;
        if *joint == "도 " && PLACES.iter().any(|place| left.ends_with(place)) {
            return None;
        }
        let (mut first, second) = match language {
            Language::Korean => (with_tail(left, right, &one)?, one(right)?),
            Language::English => (one(left)?, with_head(left, right, &one)?),
        };
        first.extend(second);
        Some(first)
    })
}

fn is_together(meaning: &Meaning) -> bool {
    TOGETHER.iter().any(|topic| meaning.intent.starts_with(topic))
}

/// Understands the first thing with what ends the sentence after the second.
fn with_tail(left: &str, right: &str, one: &dyn Fn(&str) -> Option<Vec<Meaning>>) -> Option<Vec<Meaning>> {
    let words: Vec<&str> = right.split_whitespace().collect();
    let tails = (1..words.len()).map(|at| format!("{left} {}", words[at..].join(" ")));
    tails.chain([left.to_owned()]).find_map(|text| one(&text))
}

/// Understands the second thing with what begins the sentence before the first.
fn with_head(left: &str, right: &str, one: &dyn Fn(&str) -> Option<Vec<Meaning>>) -> Option<Vec<Meaning>> {
    let words: Vec<&str> = left.split_whitespace().collect();
    let heads = (1..words.len()).map(|at| format!("{} {right}", words[..at].join(" ")));
    heads.chain([right.to_owned()]).find_map(|text| one(&text))
}
