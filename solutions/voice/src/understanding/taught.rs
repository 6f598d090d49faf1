//! Sentences that plugins bring: compiled beside those that come along, a broken one left out by itself.

use std::collections::BTreeMap;

use ieum_understanding::template::{IntentEntry, IntentsFile, ListEntry, Recogniser, SentenceGroup};

use crate::tongue::Tongue;

/// The sentences of one plugin as they are written, by language.
#[derive(Clone, Debug, Default)]
pub struct Lessons(pub BTreeMap<&'static str, Lesson>);

/// Sentences of one language.
#[derive(Clone, Debug, Default)]
pub struct Lesson {
    /// Templates by intent.
    pub sentences: BTreeMap<String, Vec<String>>,
    /// What slots may hold; one that no list is given for takes any words.
    pub lists: BTreeMap<String, ListEntry>,
}

/// The sentences of one plugin, compiled.
#[derive(Debug, Default)]
pub struct Taught {
    korean: Option<Recogniser>,
    english: Option<Recogniser>,
    /// How many there are.
    pub sentences: usize,
}

/// The most parts that the templates of one plugin and the numbers of its ranges may have together: far more than people
/// write, and some tens of megabytes.
const MOST_PARTS: usize = 200_000;

// === Taught ===

impl Taught {
    /// Compiles `lessons`; returns besides what is wrong with those that are left out, each with its place and text.
    pub fn compile(lessons: Lessons) -> (Self, Vec<String>) {
        let mut taught = Self::default();
        let mut problems = Vec::new();
        let mut left = MOST_PARTS;
        for (language, lesson) in lessons.0 {
            let mut file = lesson.file(language);
            let compiled = Recogniser::compile_within(&file, &mut left).or_else(|_| {
                file = without_broken(&file, language, left, &mut problems);
                Recogniser::compile_within(&file, &mut left)
            });
            let recogniser = match compiled {
                Ok(recogniser) => recogniser,
                Err(error) => {
                    problems.push(format!("sentences.{language}: {error}"));
                    continue;
                }
            };
            taught.sentences += file.intents.values().map(sentences).map(Iterator::count).sum::<usize>();
            match Tongue::of(language) {
                Some(Tongue::Korean) => taught.korean = Some(recogniser),
                _ => taught.english = Some(recogniser),
            }
        }
        (taught, problems)
    }

    /// Returns what knows the sentences of a language.
    pub fn recogniser(&self, tongue: Tongue) -> Option<&Recogniser> {
        tongue.pick(&self.korean, &self.english).as_ref()
    }
}

/// Returns the file without the lists and templates that cannot be compiled within the `left` parts.
fn without_broken(
    file: &IntentsFile,
    language: &str,
    mut left: usize,
    problems: &mut Vec<String>,
) -> IntentsFile {
    let mut fits = |file: IntentsFile| Recogniser::compile_within(&file, &mut left).map(drop);
    let empty = IntentsFile { intents: BTreeMap::new(), lists: BTreeMap::new(), ..file.clone() };
    let mut sound = empty.clone();
    for (name, list) in &file.lists {
        let lists = BTreeMap::from([(name.clone(), list.clone())]);
        match fits(IntentsFile { lists, ..empty.clone() }) {
            Ok(()) => drop(sound.lists.insert(name.clone(), list.clone())),
            Err(error) => problems.push(format!("lists.{language}.{name}: {error}")),
        }
    }
    for (intent, entry) in &file.intents {
        let mut kept = Vec::new();
        for (at, sentence) in sentences(entry).enumerate() {
            let checked = match slots(sentence).find(|slot| !sound.lists.contains_key(*slot)) {
                Some(list) => Err(format!("it names the list {list}, which is left out")),
                None => fits(alone(&empty, intent, sentence)).map_err(|error| error.to_string()),
            };
            match checked {
                Ok(()) => kept.push(sentence.clone()),
                Err(problem) => problems.push(format!("sentences.{language}.{intent}[{at}]: {problem}")),
            }
        }
        sound.intents.insert(intent.clone(), says(kept));
    }
    sound
}

/// Returns a file with one sentence. The lists it names are sound, and stand there without what they hold: they need not
/// be compiled for each sentence.
fn alone(empty: &IntentsFile, intent: &str, sentence: &str) -> IntentsFile {
    let any = || ListEntry { wildcard: true, ..ListEntry::default() };
    let lists = slots(sentence).map(|slot| (slot.to_owned(), any())).collect();
    let intents = [(intent.to_owned(), says(vec![sentence.to_owned()]))].into();
    IntentsFile { lists, intents, ..empty.clone() }
}

fn sentences(entry: &IntentEntry) -> impl Iterator<Item = &String> {
    entry.data.iter().flat_map(|group| &group.sentences)
}

fn says(sentences: Vec<String>) -> IntentEntry {
    IntentEntry { data: vec![SentenceGroup { sentences, ..SentenceGroup::default() }] }
}

// === Lesson ===

impl Lesson {
    fn file(&self, language: &str) -> IntentsFile {
        let mut lists = self.lists.clone();
        let templates = self.sentences.values().flatten();
        for slot in templates.flat_map(|template| slots(template)) {
            let any = || ListEntry { wildcard: true, ..ListEntry::default() };
            lists.entry(slot.to_owned()).or_insert_with(any);
        }
        let intents = self.sentences.iter().map(|(intent, said)| (intent.clone(), says(said.clone())));
        IntentsFile {
            language: language.to_owned(),
            intents: intents.collect(),
            lists,
            ..IntentsFile::default()
        }
    }
}

/// Returns the lists that a template names in braces; a range of numbers written in place is none.
fn slots(template: &str) -> impl Iterator<Item = &str> {
    let braces = template.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    let names = braces.map(|(name, _)| name.split(':').next().unwrap_or(name).trim_start_matches('@'));
    names.filter(|name| !name.contains(".."))
}

#[cfg(test)]
mod tests {
    use ieum_understanding::template::{RangeEntry, Situation};

    use super::*;

    fn lesson(sentences: &[&str]) -> Lesson {
        let said = sentences.iter().map(|sentence| (*sentence).to_owned()).collect();
        Lesson { sentences: [("coffee.order".to_owned(), said)].into(), lists: BTreeMap::new() }
    }

    #[test]
    fn a_slot_without_a_list_takes_any_words_and_one_with_numbers_takes_them_as_words_too() {
        let mut korean = lesson(&["{drink} {count} 잔 (주문|시켜)[ ]줘"]);
        let range = serde_json::from_value::<RangeEntry>(serde_json::json!({ "from": 1, "to": 20 }));
        let range = Some(range.expect("is a range"));
        korean.lists.insert("count".to_owned(), ListEntry { range, ..ListEntry::default() });
        let (taught, problems) = Taught::compile(Lessons([("ko", korean)].into()));
        assert_eq!((problems, taught.sentences), (vec![], 1));
        let recogniser = taught.recogniser(Tongue::Korean).expect("is compiled");
        for (said, drink, count) in
            [("아메리카노 두 잔 시켜 줘", "아메리카노", 2.0), ("라떼 3 잔 주문줘", "라떼", 3.0)]
        {
            let found = recogniser.recognise(said, &Situation::default()).expect(said);
            assert_eq!(found.slot("drink").and_then(|drink| drink.as_str()), Some(drink));
            assert_eq!(found.slot("count").and_then(serde_json::Value::as_f64), Some(count), "{said}");
        }
        assert!(recogniser.recognise("커피 백 잔 시켜 줘", &Situation::default()).is_none(), "is too many");
        assert!(taught.recogniser(Tongue::English).is_none());
    }

    #[test]
    fn a_broken_template_is_left_out_with_its_text_and_place_and_the_others_stay() {
        let english = lesson(&["order (a|an coffee", "order <drink>", "order a coffee"]);
        let (taught, problems) = Taught::compile(Lessons([("en", english)].into()));
        assert_eq!(taught.sentences, 1);
        assert_eq!(
            problems,
            [
                "sentences.en.coffee.order[0]: template \"order (a|an coffee\" cannot be parsed: a bracket is not \
                 closed",
                "sentences.en.coffee.order[1]: template \"order <drink>\" uses <drink>, which is not among the \
                 expansion rules",
            ]
        );
        let recogniser = taught.recogniser(Tongue::English).expect("is compiled");
        assert!(recogniser.recognise("Order a coffee!", &Situation::default()).is_some());
    }
    #[test]
    fn what_would_eat_all_memory_is_left_out_with_a_sentence_and_the_rest_stays() {
        // Eight words in any order are some 70,000 parts, and each of these is within the bound of one template.
        let many = |letter: char| {
            let words = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|word| format!("{word}{letter}"));
            format!("({})", words.join(";"))
        };
        let [first, second, third, fourth] = ['k', 'l', 'm', 'n'].map(many);
        let english =
            lesson(&[&first, &second, &third, &fourth, "make {1..900000} coffees", "order a coffee"]);
        let (taught, problems) = Taught::compile(Lessons([("en", english)].into()));
        assert!(problems.iter().any(|problem| problem.contains("coffee.order[3]")), "{problems:?}");
        let numbers = problems.last().expect("is told");
        assert!(
            numbers.starts_with("sentences.en.coffee.order[4]: list {1..900000} needs 900000 parts"),
            "{numbers}"
        );
        assert_eq!(taught.sentences, 6 - problems.len());
        let recogniser = taught.recogniser(Tongue::English).expect("is compiled");
        assert!(recogniser.recognise("Order a coffee!", &Situation::default()).is_some());
    }

    #[test]
    fn a_list_that_cannot_be_used_is_left_out_with_the_sentences_that_name_it() {
        let mut english = lesson(&["order {count} coffees", "order a coffee"]);
        english.lists.insert("count".to_owned(), ListEntry::default());
        let (taught, problems) = Taught::compile(Lessons([("en", english)].into()));
        assert_eq!((taught.sentences, problems.len()), (1, 2), "{problems:?}");
        assert!(problems[0].starts_with("lists.en.count: ") && problems[1].contains("names the list count"));
    }
}
