//! What a plugin from outside says of itself, taken in within bounds and refused by field.

use std::collections::BTreeMap;

use ieum_contracts::voice::{PluginDescription, PluginList, PluginWord};
use ieum_core::Fault;
use ieum_understanding::template::{Fractions, ListEntry, RangeEntry, ValueEntry};

use crate::rules::LONGEST_NAME;
use crate::tongue::Tongue;
use crate::understanding::taught::{Lesson, Lessons};

/// The most intents of one plugin.
const MOST_INTENTS: usize = 100;
/// The most sentences of one plugin and language, and characters of one.
const MOST_SENTENCES: usize = 500;
const LONGEST_SENTENCE: usize = 500;
/// The most lists of one plugin and language, words of one list, and characters of a word.
const MOST_LISTS: usize = 50;
const MOST_WORDS: usize = 1_000;
const LONGEST_WORD: usize = 100;
/// The most numbers of a range: each is kept as words too.
const MOST_NUMBERS: i64 = 10_000;

/// What is believed of a description.
pub struct Described {
    /// The intents it answers.
    pub intents: Vec<String>,
    /// How they are said.
    pub lessons: Lessons,
    /// What is left out, each with its place.
    pub left_out: Vec<String>,
}

/// Says which field is wrong, and how.
type Wrong = String;

/// Takes a description in. What another one answers already, `taken`, is left out, and so is what no one here speaks.
/// Fails with `voice.plugin.garbage`, naming the field.
pub fn describe(description: PluginDescription, taken: &[&str]) -> Result<Described, Fault> {
    check(&description).map_err(|problem| {
        let message = format!("reading what a plugin says of itself: {problem}");
        Fault::failed_precondition("voice.plugin.garbage", message)
    })?;
    let mut left_out = Vec::new();
    let (intents, others): (Vec<_>, Vec<_>) =
        description.intents.into_iter().partition(|intent| !taken.contains(&intent.as_str()));
    left_out.extend(others.iter().map(|intent| format!("intents: the platform answers {intent} itself")));
    let mut lists = description.lists;
    let mut lessons = Lessons::default();
    for (language, sentences) in description.sentences {
        let Some(tongue) = Tongue::of(&language) else {
            left_out.push(format!("sentences.{language}: is not spoken here; expected ko or en"));
            continue;
        };
        let (sentences, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
            sentences.into_iter().partition(|(intent, _)| intents.contains(intent));
        let not_its_own = |intent| format!("sentences.{language}.{intent}: is none of its intents");
        left_out.extend(others.keys().map(not_its_own));
        let lists = lists.remove(&language).unwrap_or_default().into_iter();
        let lists = lists.map(|(name, list)| (name, entry(list))).collect();
        lessons.0.insert(tongue.code(), Lesson { sentences, lists });
    }
    Ok(Described { intents, lessons, left_out })
}

fn check(description: &PluginDescription) -> Result<(), Wrong> {
    let PluginDescription { name, intents, sentences, lists } = description;
    length("name", name, LONGEST_NAME)?;
    count("intents", intents.len(), MOST_INTENTS)?;
    for (at, intent) in intents.iter().enumerate() {
        is_word(&format!("intents[{at}]"), intent)?;
    }
    count("sentences", sentences.len(), MOST_INTENTS)?;
    for (language, by_intent) in sentences {
        let place = format!("sentences.{}", shortened(language));
        count(&place, by_intent.values().map(Vec::len).sum(), MOST_SENTENCES)?;
        for (intent, said) in by_intent {
            is_word(&place, intent)?;
            for (at, sentence) in said.iter().enumerate() {
                length(&format!("{place}.{intent}[{at}]"), sentence, LONGEST_SENTENCE)?;
            }
        }
    }
    count("lists", lists.len(), MOST_INTENTS)?;
    for (language, by_name) in lists {
        let place = format!("lists.{}", shortened(language));
        count(&place, by_name.len(), MOST_LISTS)?;
        for (name, list) in by_name {
            is_word(&place, name)?;
            check_list(&format!("{place}.{name}"), list)?;
        }
    }
    Ok(())
}

fn check_list(place: &str, list: &PluginList) -> Result<(), Wrong> {
    match list {
        PluginList::Range { from, to } => {
            let numbers = to.checked_sub(*from).filter(|span| (0..MOST_NUMBERS).contains(span));
            let wrong =
                || format!("field {place}.range: expected from <= to and at most {MOST_NUMBERS} numbers");
            numbers.map(drop).ok_or_else(wrong)
        }
        PluginList::Values(words) => {
            count(&format!("{place}.values"), words.len(), MOST_WORDS)?;
            for (at, word) in words.iter().enumerate() {
                let place = format!("{place}.values[{at}]");
                let (said, meant) = match word {
                    PluginWord::Plain(said) => (said, said),
                    PluginWord::Standing { said, meant } => (said, meant),
                };
                length(&place, said, LONGEST_WORD)?;
                length(&place, meant, LONGEST_WORD)?;
                if said.contains(|letter| "()[]{}<>|;".contains(letter)) {
                    return Err(format!("field {place}: a word has no brackets, bars or semicolons"));
                }
            }
            Ok(())
        }
    }
}

fn entry(list: PluginList) -> ListEntry {
    match list {
        PluginList::Values(words) => {
            let value = |word| match word {
                PluginWord::Plain(said) => ValueEntry::Plain(said),
                PluginWord::Standing { said, meant } => {
                    let meant = Some(serde_json::Value::String(meant));
                    ValueEntry::Full { said, meant, context: None, metadata: None }
                }
            };
            let values = Some(words.into_iter().map(value).collect());
            ListEntry { values, ..ListEntry::default() }
        }
        PluginList::Range { from, to } => {
            let fractions: Option<Fractions> = None;
            let (multiplier, words_language) = (None, None);
            let range = RangeEntry {
                from,
                to,
                step: 1,
                fractions,
                multiplier,
                digits: true,
                words: true,
                words_language,
            };
            ListEntry { range: Some(range), ..ListEntry::default() }
        }
    }
}

fn count(place: &str, count: usize, most: usize) -> Result<(), Wrong> {
    if count > most { Err(format!("field {place}: has more than {most} entries")) } else { Ok(()) }
}

fn length(place: &str, text: &str, most: usize) -> Result<(), Wrong> {
    let is_sound = (1..=most).contains(&text.trim().chars().count()) && !text.chars().any(char::is_control);
    if is_sound { Ok(()) } else { Err(format!("field {place}: has no 1 to {most} characters")) }
}

/// Refuses a name that could not stand in a path, a metric or a template.
fn is_word(place: &str, text: &str) -> Result<(), Wrong> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    if (1..=LONGEST_NAME).contains(&text.len()) && text.chars().all(plain) {
        return Ok(());
    }
    let text = shortened(text);
    Err(format!("field {place}: {text:?} is no name of 1 to {LONGEST_NAME} ASCII letters, digits, . _ -"))
}

fn shortened(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn taken_in(value: serde_json::Value) -> Result<Described, String> {
        let description = serde_json::from_value(value).expect("is a description");
        describe(description, &["time.query"]).map_err(|fault| fault.message)
    }

    #[test]
    fn what_others_answer_and_what_nobody_speaks_is_left_out_and_the_rest_is_taken_in() {
        let described = taken_in(json!({
            "name": "coffee",
            "intents": ["coffee.order", "time.query"],
            "sentences": {
                "ko": { "coffee.order": ["커피 {count} 잔"], "time.query": ["몇 시"], "tea.order": ["차 한 잔"] },
                "fr": { "coffee.order": ["un café"] },
            },
            "lists": { "ko": { "count": { "range": { "from": 1, "to": 9 } },
                               "drink": { "values": ["커피", { "in": "라떼", "out": "latte" }] } } },
        }))
        .expect("is taken in");
        assert_eq!(described.intents, ["coffee.order"]);
        assert_eq!(
            described.left_out,
            [
                "intents: the platform answers time.query itself",
                "sentences.fr: is not spoken here; expected ko or en",
                "sentences.ko.tea.order: is none of its intents",
                "sentences.ko.time.query: is none of its intents",
            ]
        );
        let korean = &described.lessons.0["ko"];
        assert_eq!((korean.sentences.len(), korean.lists.len()), (1, 2));
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_by_field() {
        let with = |field: &str, value: serde_json::Value| {
            let mut description = json!({ "name": "coffee", "intents": ["coffee.order"] });
            description[field] = value;
            taken_in(description).err().unwrap_or_default()
        };
        let words: Vec<String> = (0..=MOST_WORDS).map(|at| at.to_string()).collect();
        for (field, value, part) in [
            ("name", json!(""), "field name: has no 1 to 120"),
            ("intents", json!(["a b"]), "field intents[0]: \"a b\" is no name"),
            ("intents", json!(vec!["a"; MOST_INTENTS + 1]), "field intents: has more than 100"),
            ("sentences", json!({ "ko": { "a": ["x", ""] } }), "field sentences.ko.a[1]: has no 1 to 500"),
            ("sentences", json!({ "ko": { "a": ["x\ny"] } }), "field sentences.ko.a[0]"),
            (
                "sentences",
                json!({ "ko": { "a": vec!["x"; MOST_SENTENCES + 1] } }),
                "field sentences.ko: has more",
            ),
            ("lists", json!({ "ko": { "a b": { "values": [] } } }), "field lists.ko: \"a b\" is no name"),
            ("lists", json!({ "ko": { "a": { "values": words } } }), "field lists.ko.a.values: has more"),
            (
                "lists",
                json!({ "ko": { "a": { "values": ["(x"] } } }),
                "field lists.ko.a.values[0]: a word has",
            ),
            (
                "lists",
                json!({ "ko": { "a": { "range": { "from": 2, "to": 1 } } } }),
                "field lists.ko.a.range",
            ),
            (
                "lists",
                json!({ "ko": { "a": { "range": { "from": 0, "to": 10_000 } } } }),
                "field lists.ko.a.range",
            ),
            (
                "lists",
                json!({ "ko": { "a": { "range": { "from": i64::MIN, "to": i64::MAX } } } }),
                "field lists.ko.a.range",
            ),
        ] {
            let message = with(field, value);
            assert!(message.contains(part), "{field}: {message}");
        }
    }
}
