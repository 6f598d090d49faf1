//! Several commands with one verb: "아이방 불이랑 거실 불 꺼 줘", "cancel my alarm and all reminders".

use ieum_contracts::voice::{Meaning, Slot, SlotValue};
use ieum_understanding::several::{Part, may_join};
use ieum_understanding::value::Language;

use super::impossible::no_such;
use super::timed::spread;
use super::words::{ALL, COMMA, ENGLISH_AND, KOREAN_WITH, rings};

/// Names of islands and provinces in front of a 도 that is their own.
const PLACES: [&str; 10] = ["제주", "강원", "경기", "충청", "전라", "경상", "남", "북", "울릉", "거제"];
/// Joins what is asked for alone.
const OR: &str = " or ";
/// Joins what is said of the next one too.
const ALSO: &str = "도 ";
/// The most words of a sentence that is taken apart this way.
const MOST_WORDS: usize = 24;
/// The most words of a name that may have "and" in it, such as "fish and chips".
const LONGEST_NAME: usize = 3;
/// What can be asked for together.
const TOGETHER: [&str; 4] = ["device.", "weather.", "time.", "date."];
/// What can be set or cancelled together, each with a verb and a time of its own.
const RINGS: [&str; 3] = ["timer.", "alarm.", "reminder."];
/// Verbs that name what rings.
const RINGING: [&str; 4] = ["깨워", "깨우", "remind", "wake me"];
/// Nouns that are verbs with 하다: what 하고 joins after one is another command.
const VERBS: [&str; 12] =
    ["취소", "삭제", "설정", "시작", "중지", "정지", "추가", "연장", "단축", "변경", "확인", "예약"];
/// What a time of day is said with in Korean.
const CLOCK: [&str; 4] = ["시", ":", "정오", "자정"];
/// What a reminder is about begins so, where it shares what is in front of another's.
const ABOUT: [&str; 5] = ["to", "that", "about", "at", "in"];

/// Understands a sentence about one thing.
pub type One<'a> = &'a dyn Fn(&str) -> Option<Vec<Meaning>>;

/// Tells whether words name something that rings.
pub fn names_a_ring(text: &str) -> bool {
    let text = text.to_lowercase();
    rings().chain(RINGING).any(|name| text.contains(name))
}

/// Tells whether words that were taken for which one is meant, or for when, hold another command: joined to it, or to the
/// rest of the sentence.
pub fn hides_another(meaning: &Meaning, language: Language) -> bool {
    const NAMED: [&str; 3] = ["which", "label", "name"];
    const TIMED: [&str; 2] = ["when", "duration"];
    let slots = |names: &[&str]| names.iter().filter_map(|name| meaning.slots.get(*name)).collect::<Vec<_>>();
    let is_joined = |text: &str| {
        let text = format!(" {} ", text.to_lowercase());
        joints(language).any(|joint| text.contains(joint))
    };
    let is_unread =
        |slot: &Slot| matches!(slot.value, SlotValue::Text { .. }) && no_such(&slot.text, language).is_none();
    let is_long = |slot: &Slot| slot.text.split_whitespace().count() > LONGEST_NAME;
    slots(&NAMED).into_iter().any(|slot| {
        (names_a_ring(&slot.text) && may_join(&slot.text, language))
            || (is_joined(&slot.text) && is_long(slot))
    }) || slots(&TIMED).into_iter().any(|slot| is_unread(slot) && may_join(&slot.text, language))
}

/// Tells whether another command may hide in words that were taken as they are. Times that are read hide none.
pub fn may_hide(meaning: &Meaning, language: Language) -> bool {
    let is_kept =
        |slot: &Slot| matches!(slot.value, SlotValue::Text { .. }) && may_join(&slot.text, language);
    meaning.slots.iter().any(|(name, slot)| name != "every" && is_kept(slot))
}

/// Returns what `text` means where several things share its verb; `one` understands a sentence about one. Times of `rings`
/// are taken apart only where they are not read together.
pub fn shared(text: &str, language: Language, rings: bool, one: One<'_>) -> Option<Vec<Meaning>> {
    if text.split_whitespace().count() > MOST_WORDS {
        return None;
    }
    let alone = |text: &str| one(text).filter(|found| found.iter().all(|found| is_of(found, &TOGETHER)));
    joints(language).find_map(|joint| {
        let (left, right) = text.split_once(joint).filter(|(left, _)| !ends_command(left))?;
        if joint == ALSO && PLACES.iter().any(|place| left.ends_with(place)) {
            return None;
        }
        let (mut first, second) = match language {
            Language::Korean => {
                let second = || alone(right).or_else(|| shared(right, language, rings, one));
                let together = with_tail(left, right, &alone).zip(second());
                together.or_else(|| {
                    if !rings {
                        return None;
                    }
                    let ring = |text: &str| one(text).filter(|found| found.iter().all(is_ring));
                    let second = ring(right).or_else(|| shared(right, language, rings, one))?;
                    Some((rings_with_tail(left, right, &second, &ring)?, second))
                })?
            }
            Language::English if joint == OR => {
                let asked = |text: &str| {
                    one(text).filter(|found| found.iter().all(|found| found.intent.ends_with(".query")))
                };
                (asked(left)?, with_head(left, right, &asked)?)
            }
            Language::English => (alone(left)?, with_head(left, right, &alone)?),
        };
        first.extend(second);
        spread(&mut first);
        Some(first)
    })
}

/// Returns what an English `part` means with the verb of a command in front of it: "cancel my timer, | all reminders".
pub fn led(sentence: &str, part: &str, before: &[Part<Vec<Meaning>>], one: One<'_>) -> Option<Vec<Meaning>> {
    if sentence.split_whitespace().count() > MOST_WORDS {
        return None;
    }
    let is_about = part.split(' ').next().is_some_and(|word| ABOUT.contains(&word));
    before.iter().rev().find_map(|leader| {
        let said = sentence.get(leader.span.clone())?;
        let verb = leader.meaning.last()?;
        let words: Vec<&str> = said.split_whitespace().collect();
        // "Call mom at 9 and dad at 10" has one verb, "call mom at 9 and pick up the kids at 3" two.
        let own = part.split(' ').position(|word| ABOUT.contains(&word)).unwrap_or_default();
        let to = words
            .iter()
            .position(|word| *word == "to")
            .map_or(words.len(), |at| at + if own > 2 { 1 } else { 2 });
        let heads = heads(&words).filter(|length| verb.intent != "reminder.set" || is_about || *length == to);
        heads.map(|length| format!("{} {part}", words[..length.min(words.len())].join(" "))).find_map(
            |text| {
                let found = one(&text)?;
                (found.iter().all(|found| goes_with(found, verb))).then_some(found)
            },
        )
    })
}

/// Tells whether a meaning says all that its command needs: what does not may share the verb of another.
pub fn is_whole(meaning: &Meaning) -> bool {
    let value = |slot: &str| meaning.slots.get(slot).map(|slot| &slot.value);
    match meaning.intent.as_str() {
        "timer.start" => matches!(value("duration"), Some(SlotValue::Duration { .. })),
        "alarm.set" => matches!(value("when"), Some(SlotValue::Moment { .. })),
        "reminder.set" => value("message").is_some() && is_timed(meaning),
        // "Alarms" alone asks for them, and after "remove all timers and" does not.
        "timer.query" | "alarm.query" | "reminder.query" => meaning.text.split_whitespace().count() > 2,
        _ => !matches!(value("when"), Some(SlotValue::Text { .. })),
    }
}

/// Tells whether a joint after these words joins commands and not things.
fn ends_command(left: &str) -> bool {
    left.ends_with(' ') || VERBS.iter().any(|verb| left.ends_with(verb))
}

fn joints(language: Language) -> impl Iterator<Item = &'static str> {
    let (first, last): (&[&str], &[&str]) = match language {
        Language::Korean => (&KOREAN_WITH, &[ALSO, COMMA]),
        Language::English => (&ENGLISH_AND, &[" and also ", COMMA, OR]),
    };
    first.iter().chain(last).copied()
}

/// Tells whether all are meant after a word.
fn is_all(word: &str) -> bool {
    ALL.contains(&word) || word == "my"
}

fn is_of(meaning: &Meaning, topics: &[&str]) -> bool {
    topics.iter().any(|topic| meaning.intent.starts_with(topic))
}

fn is_ring(meaning: &Meaning) -> bool {
    is_of(meaning, &RINGS)
}

/// Tells whether `found` is the same kind of command as `other`, about the same or about something else that rings. Two
/// reminders go together only where each has its time.
fn goes_with(found: &Meaning, other: &Meaning) -> bool {
    if is_of(found, &TOGETHER) {
        return found.intent == other.intent;
    }
    let verb = |meaning: &Meaning| match meaning.intent.split_once('.') {
        Some((_, "set" | "start")) => "set".to_owned(),
        Some((_, verb)) => verb.to_owned(),
        None => String::new(),
    };
    let is_timed =
        |meaning: &Meaning| ["when", "every", "day"].iter().any(|slot| meaning.slots.contains_key(*slot));
    let are_timed = found.intent != "reminder.set" || (is_timed(found) && is_timed(other));
    let is_exact = |meaning: &Meaning| {
        meaning
            .slots
            .get("when")
            .is_none_or(|slot| matches!(slot.value, SlotValue::Moment { exact: true, .. }))
    };
    let are_timed = are_timed && (is_exact(found) || !is_exact(other));
    let is_asked_for = verb(found) == "query";
    is_ring(found) && verb(found) == verb(other) && are_timed && (is_asked_for || is_whole(found))
}

/// Returns how many of `words` may be what two commands share: up to a word for all of them first, then the fewest.
fn heads<'a>(words: &'a [&str]) -> impl Iterator<Item = usize> + 'a {
    let to_all = words.iter().position(|word| is_all(word)).map(|at| at + 1);
    to_all.into_iter().chain(1..=words.len())
}

/// Understands the first thing with what ends the sentence after the second.
fn with_tail(left: &str, right: &str, one: One<'_>) -> Option<Vec<Meaning>> {
    let words: Vec<&str> = right.split_whitespace().collect();
    let tails = (1..words.len()).map(|at| format!("{left} {}", words[at..].join(" ")));
    tails.chain([left.to_owned()]).find_map(|text| one(&text))
}

/// Understands the first of what rings with what ends the sentence after the second.
fn rings_with_tail(left: &str, right: &str, second: &[Meaning], one: One<'_>) -> Option<Vec<Meaning>> {
    let words: Vec<&str> = right.split_whitespace().collect();
    let to_all = words.iter().position(|word| is_all(word));
    let other = second.first()?;
    let about = |meaning: &Meaning| meaning.slots.get("message").map(|slot| slot.text.clone());
    let find = |at: usize, fits: &dyn Fn(&Meaning) -> bool| {
        let found = one(&format!("{left} {}", words[at..].join(" ")))?;
        found.iter().all(|found| goes_with(found, other) && fits(found)).then_some(found)
    };
    let is_own = |found: &Meaning| {
        about(found).is_none_or(|own| left.contains(own.split(' ').next().unwrap_or_default()))
    };
    // A day alone has its time after it, and a reminder may be about the same as the other.
    let is_day = !CLOCK.iter().any(|word| left.contains(word));
    let is_same = |found: &Meaning| is_day && is_set(found) && about(found) == about(other);
    let mut longest = 1..words.len();
    longest
        .find_map(|at| find(at, &is_same))
        .or_else(|| to_all.into_iter().chain((1..words.len()).rev()).find_map(|at| find(at, &is_own)))
}

/// Tells whether a time or a day is said, and read.
fn is_timed(meaning: &Meaning) -> bool {
    let read = |slot: &str| {
        meaning.slots.get(slot).is_some_and(|slot| !matches!(slot.value, SlotValue::Text { .. }))
    };
    read("when") || read("day") || meaning.slots.contains_key("every")
}

fn is_set(meaning: &Meaning) -> bool {
    ["alarm.set", "reminder.set"].contains(&meaning.intent.as_str())
}

/// Understands the second thing with what begins the sentence before the first.
fn with_head(left: &str, right: &str, one: One<'_>) -> Option<Vec<Meaning>> {
    let words: Vec<&str> = left.split_whitespace().collect();
    let heads = (1..words.len()).map(|at| format!("{} {right}", words[..at].join(" ")));
    heads.chain([right.to_owned()]).find_map(|text| one(&text))
}
