//! A linear classifier of sentences: trained in seconds, asked in microseconds, and it says when it does not know.
//!
//! Features are words, pairs of words and parts of words of two to five characters, weighed by how rare they are
//! (tf-idf). For each intent a linear support vector machine with squared loss separates it from all others
//! (Hsieh et al., 2008, dual coordinate descent). Sentences out of scope are one more class; what is refused is
//! decided by a threshold on the best score less half the score of that class, and the threshold is chosen on
//! sentences that were not trained on. Training is deterministic for a seed.

mod features;
mod machine;

use std::collections::BTreeMap;
use std::num::NonZero;

use features::Features;
use machine::separate;

/// A sentence with its intent; `None`: in scope of none.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The sentence.
    pub text: String,
    /// Its intent.
    pub intent: Option<String>,
}

/// How to train.
#[derive(Clone, Copy, Debug)]
pub struct Training {
    /// The price of a sentence on the wrong side; higher fits closer.
    pub cost: f32,
    /// The order of the sentences follows it.
    pub seed: u64,
    /// How many passes over the sentences at most.
    pub passes: usize,
    /// How many threads train; the result is the same for any number.
    pub threads: usize,
}

/// What a sentence is taken for.
#[derive(Clone, Debug, PartialEq)]
pub struct Guess<'a> {
    /// The intent with the best score.
    pub intent: &'a str,
    /// How sure: higher is surer, and at or above the threshold it is in scope.
    pub score: f32,
    /// Whether the score reaches the threshold.
    pub in_scope: bool,
}

/// A trained classifier.
#[derive(Clone, Debug)]
pub struct Classifier {
    features: Features,
    intents: Vec<String>,
    /// For each feature one weight per intent, the last one out of scope.
    weights: Vec<f32>,
    classes: usize,
    out_of_scope: bool,
    threshold: f32,
}

/// Why a classifier cannot be trained.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ClassifyError {
    /// There is nothing to tell apart.
    #[error("a classifier needs sentences of two intents or more, and {0} came")]
    TooFewIntents(usize),
}

/// Into how many parts examples are dealt out where each part is judged by the others.
const FOLDS: usize = 4;

/// How much the score of the class out of scope counts against the best intent.
const AGAINST: f32 = 0.5;

// === Training ===

impl Default for Training {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self { cost: 1.0, seed: 17, passes: 60, threads }
    }
}

// === Classifier ===

impl Classifier {
    /// Trains on examples. Nothing is refused before [`Classifier::choose_threshold`].
    ///
    /// # Errors
    /// When the examples are of fewer than two intents.
    pub fn train(examples: &[Example], training: Training) -> Result<Self, ClassifyError> {
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        for intent in examples.iter().filter_map(|example| example.intent.as_deref()) {
            numbers.insert(intent, 0);
        }
        if numbers.len() < 2 {
            return Err(ClassifyError::TooFewIntents(numbers.len()));
        }
        for (number, slot) in numbers.values_mut().enumerate() {
            *slot = number;
        }
        let features = Features::learn(examples.iter().map(|example| example.text.as_str()));
        let rows: Vec<_> = examples.iter().map(|example| features.of(&example.text)).collect();
        let nothing = numbers.len();
        let labels: Vec<usize> = examples
            .iter()
            .map(|example| example.intent.as_deref().map_or(nothing, |intent| numbers[intent]))
            .collect();
        let out_of_scope = labels.contains(&nothing);
        let classes = nothing + usize::from(out_of_scope);
        let columns = separate(&rows, &labels, classes, features.len(), training);
        let mut weights = vec![0.0; classes * features.len()];
        for (class, column) in columns.iter().enumerate() {
            for (feature, weight) in column.iter().enumerate() {
                weights[feature * classes + class] = *weight;
            }
        }
        let intents = numbers.keys().map(|intent| (*intent).to_owned()).collect();
        Ok(Self { features, intents, weights, classes, out_of_scope, threshold: f32::NEG_INFINITY })
    }

    /// Trains on all examples, and refuses by a threshold that `kept` of what is guessed right reaches. It is chosen on
    /// the examples themselves, each judged by a classifier that was trained without it and others: for where there
    /// are too few to set some aside.
    ///
    /// # Errors
    /// Those of [`train`](Self::train).
    pub fn train_judged(examples: &[Example], training: Training, kept: f64) -> Result<Self, ClassifyError> {
        let mut right: Vec<f32> = Vec::new();
        for fold in 0..FOLDS {
            let numbered = || examples.iter().enumerate();
            let known: Vec<Example> =
                numbered().filter(|(i, _)| i % FOLDS != fold).map(|(_, example)| example.clone()).collect();
            let judge = Self::train(&known, training)?;
            for (_, example) in numbered().filter(|(i, _)| i % FOLDS == fold) {
                let guess = judge.classify(&example.text);
                if example.intent.as_deref() == Some(guess.intent) {
                    right.push(guess.score);
                }
            }
        }
        right.sort_by(f32::total_cmp);
        let refused = ((1.0 - kept) * right.len() as f64) as usize;
        let threshold = right.get(refused).copied().unwrap_or(f32::NEG_INFINITY);
        Ok(Self { threshold, ..Self::train(examples, training)? })
    }

    /// Chooses the highest threshold at which the share of `validation` in scope that is still answered with its
    /// intent does not fall below `floor`. Returns that share; below `floor` where even without refusals it is less.
    pub fn choose_threshold(&mut self, validation: &[Example], floor: f64) -> f64 {
        self.threshold = f32::NEG_INFINITY;
        let in_scope: Vec<&Example> = validation.iter().filter(|example| example.intent.is_some()).collect();
        let mut right: Vec<f32> = Vec::new();
        for example in &in_scope {
            let guess = self.classify(&example.text);
            if example.intent.as_deref() == Some(guess.intent) {
                right.push(guess.score);
            }
        }
        right.sort_by(f32::total_cmp);
        let all = in_scope.len().max(1) as f64;
        let needed = (floor * all).ceil() as usize;
        let refused = right.len().saturating_sub(needed);
        if let Some(lowest) = right.get(refused).filter(|_| right.len() >= needed) {
            self.threshold = *lowest;
            return (right.len() - refused) as f64 / all;
        }
        right.len() as f64 / all
    }

    /// Returns what `text` is taken for.
    pub fn classify(&self, text: &str) -> Guess<'_> {
        let mut scores = vec![0.0_f32; self.classes];
        for (feature, value) in &self.features.of(text).entries {
            let start = *feature as usize * self.classes;
            for (score, weight) in scores.iter_mut().zip(&self.weights[start..start + self.classes]) {
                *score += value * weight;
            }
        }
        let (best, score) = scores[..self.intents.len()].iter().enumerate().fold(
            (0, f32::NEG_INFINITY),
            |best, (at, score)| if *score > best.1 { (at, *score) } else { best },
        );
        let against = if self.out_of_scope { AGAINST * scores[self.intents.len()] } else { 0.0 };
        let score = score - against;
        Guess { intent: &self.intents[best], score, in_scope: score >= self.threshold }
    }

    /// Returns the intents, in the order of the alphabet.
    pub fn intents(&self) -> &[String] {
        &self.intents
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn example(text: &str, intent: &str) -> Example {
        Example { text: text.to_owned(), intent: (!intent.is_empty()).then(|| intent.to_owned()) }
    }

    fn examples() -> Vec<Example> {
        [
            ("what is the weather today", "weather"),
            ("will it rain tomorrow", "weather"),
            ("how hot is it outside", "weather"),
            ("오늘 날씨 어때", "weather"),
            ("내일 비 와", "weather"),
            ("set a timer for five minutes", "timer"),
            ("start a ten minute timer", "timer"),
            ("타이머 오 분 맞춰 줘", "timer"),
            ("십 분 뒤에 알려 줘", "timer"),
            ("play some music", "music"),
            ("put on a song by somebody", "music"),
            ("노래 틀어 줘", "music"),
            ("who was the first king", ""),
            ("how deep is the sea", ""),
        ]
        .map(|(text, intent)| example(text, intent))
        .to_vec()
    }

    #[test]
    fn sentences_nobody_trained_are_told_apart() {
        let classifier = Classifier::train(&examples(), Training::default()).expect("it trains");
        for (text, intent) in [
            ("is it going to rain", "weather"),
            ("please start a timer", "timer"),
            ("노래 좀 틀어", "music"),
            ("내일 날씨 알려 줘", "weather"),
        ] {
            assert_eq!(classifier.classify(text).intent, intent, "{text}");
        }
    }

    #[test]
    fn training_is_the_same_for_any_number_of_threads() {
        let score = |threads| {
            let training = Training { threads, ..Training::default() };
            Classifier::train(&examples(), training)
                .expect("it trains")
                .classify("rain or timer")
                .score
                .to_bits()
        };
        assert_eq!(score(1), score(3));
    }

    #[test]
    fn the_threshold_keeps_the_floor_and_refuses_the_rest() {
        let mut classifier = Classifier::train(&examples(), Training::default()).expect("it trains");
        assert!(classifier.classify("xylophone quantum").in_scope, "nothing is refused before");
        let kept = classifier.choose_threshold(&examples(), 0.9);
        assert!(kept >= 0.9, "{kept}");
        assert!(!classifier.classify("how deep is the sea").in_scope);
        assert!(classifier.classify("set a timer for five minutes").in_scope);
    }

    #[test]
    fn examples_judge_each_other_where_there_are_few() {
        let all = Classifier::train_judged(&examples(), Training::default(), 1.0).expect("it trains");
        let half = Classifier::train_judged(&examples(), Training::default(), 0.5).expect("it trains");
        assert!(half.threshold > all.threshold && all.threshold.is_finite());
        assert!(half.classify("set a timer for five minutes").in_scope);
        assert!(!half.classify("how deep is the sea").in_scope);
    }

    #[test]
    fn one_intent_alone_is_refused() {
        let alone = [example("hello", "greet")];
        assert_eq!(
            Classifier::train(&alone, Training::default()).err(),
            Some(ClassifyError::TooFewIntents(1))
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_classifying_panic(text in ".{0,80}") {
            let classifier = Classifier::train(&examples(), Training { passes: 2, ..Training::default() }).expect("it trains");
            classifier.classify(&text);
        }
    }
}
