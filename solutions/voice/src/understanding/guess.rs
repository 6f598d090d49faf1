//! The classifier for sentences that no template knows, trained on sentences that come along.

use ieum_contracts::voice::{Meaning, Slot, Understand};
use ieum_understanding::classify::{Classifier, Example, Training};
use ieum_understanding::value::Language;
use jiff::Zoned;

use super::values::{day, duration, moment, time};
use crate::tongue::Tongue;

/// The share of what is guessed right that the threshold keeps.
const KEPT: f64 = 0.8;

/// Words that say nothing by themselves, however often they stand in what is asked for.
const EMPTY: &str = "a again ah an and are can do eh for hey hm i in is it just me my now of oh ok okay on or please so \
                     that the then this to uh um well you 그 그거 그냥 그래서 근데 아 어 어디야 음 이거 저기 좀 지금";

/// Tells whether there is a word in `text` that can be taken for something.
pub fn says_something(text: &str) -> bool {
    let mut words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.any(|word| EMPTY.split(' ').all(|empty| empty != word.to_lowercase()))
}

/// Guesses what sentences mean.
pub struct Guesser {
    classifier: Option<Classifier>,
}

impl Guesser {
    /// Trains on the sentences that come along.
    pub fn train() -> Self {
        let examples = examples(include_str!("../../sentences/examples.txt"));
        let classifier =
            Classifier::train_judged(&examples, Training { threads: 1, ..Training::default() }, KEPT);
        Self { classifier: classifier.ok() }
    }

    /// Returns what `ask` is taken for; `None` where it is taken for nothing that is known here.
    pub fn guess(&self, tongue: Tongue, ask: &Understand, now: &Zoned) -> Option<Meaning> {
        let guess = self.classifier.as_ref()?.classify(&ask.text);
        if !guess.in_scope || !says_something(&ask.text) {
            return None;
        }
        let language = tongue.pick(Language::Korean, Language::English);
        let words = |value| Slot { text: ask.text.clone(), value };
        let mut slots = std::collections::BTreeMap::new();
        match guess.intent.split('.').next().unwrap_or_default() {
            "timer" => slots
                .extend(duration(&ask.text, language, now).map(|value| ("duration".into(), words(value)))),
            "alarm" => {
                slots.extend(moment(&ask.text, language, now).map(|value| ("when".into(), words(value))))
            }
            "weather" if time(&ask.text, language, now).is_some() => {
                slots.insert("day".into(), words(day(&ask.text, language, now)));
            }
            _ => {}
        }
        // A score is no probability; squeezed into one it keeps its order.
        let confidence = f64::from(1.0 / (1.0 + (-2.0 * guess.score).exp()));
        Some(Meaning {
            intent: guess.intent.to_owned(),
            confidence,
            slots,
            text: ask.text.clone(),
            follows_up: false,
        })
    }
}

/// Reads `intent: sentence` lines; `-` is the intent of what is in scope of none.
fn examples(text: &str) -> Vec<Example> {
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let read = |line: &str| {
        let (intent, text) = line.split_once(':')?;
        let intent = (intent.trim() != "-").then(|| intent.trim().to_owned());
        Some(Example { text: text.trim().to_owned(), intent })
    };
    lines.filter_map(read).collect()
}

#[cfg(test)]
#[allow(clippy::print_stdout, reason = "the counts are what the test is run for")]
mod tests {
    use super::*;

    #[test]
    fn paraphrases_nobody_trained_are_understood_and_what_is_out_of_scope_is_refused() {
        let guesser = Guesser::train();
        let classifier = guesser.classifier.as_ref().expect("it trains");
        let held = examples(include_str!("../../sentences/heldout.txt"));
        let (inside, outside): (Vec<_>, Vec<_>) = held.iter().partition(|example| example.intent.is_some());
        let answered = |example: &&&Example| {
            let guess = classifier.classify(&example.text);
            guess.in_scope.then_some(guess.intent).map(str::to_owned) == example.intent
        };
        let right = inside.iter().filter(answered).count();
        let refused = outside.iter().filter(answered).count();
        println!("in scope {right} of {}, out of scope refused {refused} of {}", inside.len(), outside.len());
        assert!(right * 100 >= inside.len() * 85, "{right} of {}", inside.len());
        assert!(refused * 100 >= outside.len() * 90, "{refused} of {}", outside.len());
    }

    #[test]
    fn words_that_say_nothing_are_taken_for_nothing() {
        for text in ["지금", "지금 어디야", "음...", "the", "Please?", "now", "Okay, so", "?!", ""] {
            assert!(!says_something(text), "{text:?}");
        }
        for text in ["시간", "지금 시간", "the weather", "help"] {
            assert!(says_something(text), "{text:?}");
        }
    }

    #[test]
    fn no_sentence_is_both_trained_and_held_out() {
        let known = examples(include_str!("../../sentences/examples.txt"));
        let held = examples(include_str!("../../sentences/heldout.txt"));
        assert!(held.iter().all(|held| known.iter().all(|known| known.text != held.text)));
    }
}
