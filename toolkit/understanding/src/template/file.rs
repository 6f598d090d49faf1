//! An intents file as it is written: the format of Home Assistant's hassil, in JSON or YAML.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::template::error::TemplateError;

/// Names with values that go along with a match: the room of the device that listens, the kind of a thing.
pub type Context = Map<String, Value>;

/// Sentences, lists and rules of one language.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct IntentsFile {
    /// Language code (`ko`, `en`); words for numbers follow it.
    pub language: String,
    /// What can be meant, by name.
    #[serde(default)]
    pub intents: BTreeMap<String, IntentEntry>,
    /// Where values of slots come from, by name.
    #[serde(default)]
    pub lists: BTreeMap<String, ListEntry>,
    /// Parts of sentences, by name.
    #[serde(default)]
    pub expansion_rules: BTreeMap<String, String>,
    /// Words that may stand anywhere and mean nothing.
    #[serde(default)]
    pub skip_words: Vec<String>,
    /// How the language is matched.
    #[serde(default)]
    pub settings: Settings,
}

/// One intent.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct IntentEntry {
    /// Its groups of sentences.
    #[serde(default)]
    pub data: Vec<SentenceGroup>,
}

/// Sentences that fill the same slots under the same conditions.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct SentenceGroup {
    /// Templates.
    pub sentences: Vec<String>,
    /// Slots filled whenever one of the sentences is said.
    #[serde(default)]
    pub slots: Map<String, Value>,
    /// The key of the answer.
    #[serde(default)]
    pub response: Option<String>,
    /// What must hold for the sentences to count.
    #[serde(default)]
    pub requires_context: Context,
    /// What must not hold.
    #[serde(default)]
    pub excludes_context: Context,
    /// Rules for these sentences only.
    #[serde(default)]
    pub expansion_rules: BTreeMap<String, String>,
    /// Lists for these sentences only.
    #[serde(default)]
    pub lists: BTreeMap<String, ListEntry>,
    /// Handed to the caller as it is.
    #[serde(default)]
    pub metadata: Option<Value>,
    /// Words of which at least one must be said.
    #[serde(default)]
    pub required_keywords: Option<Vec<String>>,
}

/// How a language is matched.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Settings {
    /// Whether spaces between characters of CJK scripts mean nothing.
    #[serde(default)]
    pub ignore_whitespace: bool,
}

/// A list: one of the three is there.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ListEntry {
    /// Words and what they stand for.
    #[serde(default)]
    pub values: Option<Vec<ValueEntry>>,
    /// Numbers.
    #[serde(default)]
    pub range: Option<RangeEntry>,
    /// Whether any words will do.
    #[serde(default)]
    pub wildcard: bool,
}

/// One value of a list.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum ValueEntry {
    /// Words that stand for themselves.
    Plain(String),
    /// Words that stand for something.
    Full {
        /// What is said; may be a template.
        #[serde(rename = "in")]
        said: String,
        /// What it stands for; without it, what was said.
        #[serde(default, rename = "out")]
        meant: Option<Value>,
        /// Added to the match's context.
        #[serde(default)]
        context: Option<Context>,
        /// Handed to the caller with the slot.
        #[serde(default)]
        metadata: Option<Value>,
    },
}

/// A range of numbers, both ends included.
#[derive(Clone, Debug, Deserialize)]
pub struct RangeEntry {
    /// The first number.
    pub from: i64,
    /// The last number.
    pub to: i64,
    /// The distance between two.
    #[serde(default = "one")]
    pub step: i64,
    /// `halves` or `tenths` between the whole numbers.
    #[serde(default)]
    pub fractions: Option<Fractions>,
    /// What the slot's value is multiplied by.
    #[serde(default)]
    pub multiplier: Option<f64>,
    /// Whether digits count.
    #[serde(default = "yes")]
    pub digits: bool,
    /// Whether words count.
    #[serde(default = "yes")]
    pub words: bool,
    /// The language of the words, when it is another one.
    #[serde(default)]
    pub words_language: Option<String>,
}

/// Parts between the whole numbers of a range.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Fractions {
    /// Every half.
    Halves,
    /// Every tenth.
    Tenths,
}

fn one() -> i64 {
    1
}

fn yes() -> bool {
    true
}

// === IntentsFile ===

impl IntentsFile {
    /// Reads JSON.
    ///
    /// # Errors
    /// When it is not the JSON of an intents file.
    pub fn from_json(json: &str) -> Result<Self, TemplateError> {
        serde_json::from_str(json).map_err(TemplateError::Read)
    }

    /// Reads YAML.
    ///
    /// # Errors
    /// When it is not the YAML of an intents file.
    pub fn from_yaml(yaml: &str) -> Result<Self, TemplateError> {
        serde_saphyr::from_str(yaml).map_err(|cause| TemplateError::ReadYaml(Box::new(cause)))
    }

    /// Adds another file of the same language: its sentences join, its lists and rules replace those of their name.
    pub fn merge(&mut self, other: Self) {
        for (name, entry) in other.intents {
            self.intents.entry(name).or_default().data.extend(entry.data);
        }
        self.lists.extend(other.lists);
        self.expansion_rules.extend(other.expansion_rules);
        self.skip_words.extend(other.skip_words);
        self.settings.ignore_whitespace |= other.settings.ignore_whitespace;
    }
}
