//! Lists made ready: words as a tree, numbers with their words, and room for anything.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Number, Value};

use crate::template::error::TemplateError;
use crate::template::file::{Context, Fractions, ListEntry, RangeEntry, ValueEntry};
use crate::template::graph::{Graph, Node, Rules};
use crate::template::parse::{is_template, parse};
use crate::template::text::{lower, tidy};
use crate::template::trie::Trie;
use crate::value::spell::spellings;

/// A list ready for matching.
#[derive(Clone, Debug)]
pub enum List {
    /// Words with what they stand for.
    Words(WordList),
    /// Numbers.
    Range(NumberList),
    /// Anything, but not nothing.
    Wildcard,
}

/// Words with what they stand for.
#[derive(Clone, Debug, Default)]
pub struct WordList {
    /// The values in the order written.
    pub values: Vec<ListValue>,
    /// Plain words with the number of their value.
    pub plain: Trie<u32>,
    /// Values that are templates.
    pub templates: Vec<(Graph, u32)>,
}

/// What a word of a list stands for.
#[derive(Clone, Debug, Default)]
pub struct ListValue {
    /// The slot's value; without it, what was said.
    pub meant: Option<Value>,
    /// Added to the match's context.
    pub context: Option<Context>,
    /// Handed to the caller with the slot.
    pub metadata: Option<Value>,
}

/// A range of numbers.
#[derive(Clone, Debug)]
pub struct NumberList {
    /// As written.
    pub range: RangeEntry,
    /// The numbers in words.
    pub words: Arc<Trie<f64>>,
}

/// Lists by name; those of a caller (the names of its things and rooms) are made the same way as those of a file.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    lists: HashMap<String, List>,
}

// === Lists ===

impl Lists {
    /// Adds a list of plain words that stand for themselves.
    pub fn with_names<'a>(mut self, list: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        let values = names.into_iter().map(|name| (name.to_owned(), ListValue::default()));
        self.lists.insert(list.to_owned(), List::Words(WordList::of_names(values)));
        self
    }

    /// Adds a list of plain words, each with what it stands for.
    pub fn with_values(mut self, list: &str, values: impl IntoIterator<Item = (String, ListValue)>) -> Self {
        self.lists.insert(list.to_owned(), List::Words(WordList::of_names(values)));
        self
    }

    /// Returns the list of that name.
    pub fn get(&self, name: &str) -> Option<&List> {
        self.lists.get(name)
    }

    /// Adds a list as it stands in a file.
    ///
    /// # Errors
    /// When the entry is none of the three kinds, holds nothing, or one of its templates is broken.
    pub fn add(
        &mut self,
        name: &str,
        entry: &ListEntry,
        rules: &Rules,
        spoken: &mut Spoken,
    ) -> Result<(), TemplateError> {
        let list = match entry {
            ListEntry { values: Some(values), .. } => {
                List::Words(WordList::compile(name, values, rules, spoken)?)
            }
            ListEntry { range: Some(range), .. } => List::Range(NumberList::compile(name, range, spoken)?),
            ListEntry { wildcard: true, .. } => List::Wildcard,
            _ => return Err(wrong(name, "it has neither values nor a range nor wildcard: true")),
        };
        self.lists.insert(name.to_owned(), list);
        Ok(())
    }

    /// Adds the range that a name written in place (`0..100,5`) stands for.
    ///
    /// # Errors
    /// When the range holds nothing.
    pub fn add_in_place(&mut self, name: &str, spoken: &mut Spoken) -> Result<(), TemplateError> {
        let Some((from, rest)) = name.split_once("..") else { return Ok(()) };
        let (to, step) = rest.split_once(',').unwrap_or((rest, "1"));
        let (Ok(from), Ok(to), Ok(step)) = (from.parse(), to.parse(), step.parse()) else { return Ok(()) };
        let range = RangeEntry {
            from,
            to,
            step,
            fractions: None,
            multiplier: None,
            digits: true,
            words: true,
            words_language: None,
        };
        self.lists.insert(name.to_owned(), List::Range(NumberList::compile(name, &range, spoken)?));
        Ok(())
    }
}

/// What tells ranges apart: language, first, last, step, fractions.
type RangeKey = (String, i64, i64, i64, Option<Fractions>);

/// The numbers in words made so far; many lists share a range.
#[derive(Debug)]
pub struct Spoken {
    /// The language of the file.
    pub language: String,
    /// Whether spaces between CJK characters mean nothing.
    pub ignore_whitespace: bool,
    /// How many parts of templates and numbers in words may still be made.
    pub left: usize,
    made: BTreeMap<RangeKey, Arc<Trie<f64>>>,
}

// === Spoken ===

impl Spoken {
    /// Starts with none; `left` parts may be made.
    pub fn new(language: &str, ignore_whitespace: bool, left: usize) -> Self {
        Self { language: language.to_owned(), ignore_whitespace, left, made: BTreeMap::new() }
    }

    /// Takes room for `parts` of `what`.
    ///
    /// # Errors
    /// When there is less.
    pub fn take(&mut self, parts: usize, what: impl FnOnce() -> String) -> Result<(), TemplateError> {
        let too_many = || TemplateError::TooMany { what: what(), parts, left: self.left };
        self.left = self.left.checked_sub(parts).ok_or_else(too_many)?;
        Ok(())
    }

    fn words(&mut self, name: &str, range: &RangeEntry) -> Result<Arc<Trie<f64>>, TemplateError> {
        let language = range.words_language.clone().unwrap_or_else(|| self.language.clone());
        let key = (language.clone(), range.from, range.to, range.step, range.fractions);
        if let Some(made) = self.made.get(&key) {
            return Ok(made.clone());
        }
        let numbers = numbers(range);
        self.take(numbers.len(), || format!("list {{{name}}}"))?;
        let mut trie = Trie::default();
        for number in numbers {
            for spelling in spellings(&language, number) {
                trie.insert(spelling.chars().map(lower), number);
            }
        }
        let made = Arc::new(trie);
        self.made.insert(key, made.clone());
        Ok(made)
    }
}

fn wrong(list: &str, why: &'static str) -> TemplateError {
    TemplateError::List { list: list.to_owned(), why }
}

/// The most numbers a range may hold.
const MOST_NUMBERS: i64 = 1_000_000;

fn numbers(range: &RangeEntry) -> Vec<f64> {
    let parts: &[f64] = match range.fractions {
        None => &[0.0],
        Some(Fractions::Halves) => &[0.0, 0.5],
        Some(Fractions::Tenths) => &[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
    };
    let whole = (range.from..=range.to).step_by(range.step as usize);
    whole.flat_map(|whole| parts.iter().map(move |part| whole as f64 + part)).collect()
}

// === NumberList ===

impl NumberList {
    fn compile(name: &str, range: &RangeEntry, spoken: &mut Spoken) -> Result<Self, TemplateError> {
        if range.from > range.to || range.step < 1 {
            return Err(wrong(name, "its range runs backwards or stands still"));
        }
        if range.to.saturating_sub(range.from) / range.step > MOST_NUMBERS {
            return Err(wrong(name, "its range holds more than a million numbers"));
        }
        let words = if range.words { spoken.words(name, range)? } else { Arc::default() };
        Ok(Self { range: range.clone(), words })
    }

    /// Returns whether the range holds `number`.
    pub fn holds(&self, number: f64) -> bool {
        let range = &self.range;
        let within = number >= range.from as f64 && number < range.to as f64 + 1.0;
        let whole = number.floor();
        let part = ((number - whole) * 10.0).round();
        let on_part = match range.fractions {
            None => number == whole && number <= range.to as f64,
            Some(Fractions::Halves) => part == 0.0 || (number - whole) == 0.5,
            Some(Fractions::Tenths) => ((number - whole) * 10.0 - part).abs() < 1e-9,
        };
        within && on_part && (whole as i64 - range.from) % range.step == 0
    }

    /// Returns the slot's value for a number that was said.
    pub fn value(&self, number: f64) -> Value {
        let number = number * self.range.multiplier.unwrap_or(1.0);
        if number.fract() == 0.0 && number.abs() < 9e15 {
            return Value::from(number as i64);
        }
        Number::from_f64(number).map_or(Value::Null, Value::Number)
    }
}

// === WordList ===

impl WordList {
    fn of_names(values: impl IntoIterator<Item = (String, ListValue)>) -> Self {
        let mut list = Self::default();
        for (name, value) in values {
            list.insert_plain(&name, value, false);
        }
        list
    }

    fn insert_plain(&mut self, words: &str, value: ListValue, ignore_whitespace: bool) {
        let words = tidy(words);
        let words = if ignore_whitespace { crate::template::text::without_cjk_spaces(&words) } else { words };
        // Nothing at all would match everywhere.
        if words.trim().is_empty() {
            return;
        }
        let number = self.values.len() as u32;
        let meant = value.meant.or_else(|| Some(Value::from(words.trim())));
        self.values.push(ListValue { meant, ..value });
        self.plain.insert(words.trim_start().chars().map(lower), number);
    }

    fn compile(
        name: &str,
        values: &[ValueEntry],
        rules: &Rules,
        spoken: &Spoken,
    ) -> Result<Self, TemplateError> {
        let mut list = Self::default();
        for entry in values {
            let (said, value) = match entry {
                ValueEntry::Plain(said) if !is_template(said) => {
                    (said, ListValue { meant: Some(Value::from(said.as_str())), ..ListValue::default() })
                }
                ValueEntry::Plain(said) => (said, ListValue::default()),
                ValueEntry::Full { said, meant, context, metadata } => (
                    said,
                    ListValue { meant: meant.clone(), context: context.clone(), metadata: metadata.clone() },
                ),
            };
            if !is_template(said) {
                list.insert_plain(said, value, spoken.ignore_whitespace);
                continue;
            }
            let graph = Graph::compile(&parse(said)?, rules, said, spoken.ignore_whitespace)?;
            if graph.nodes.iter().any(|node| matches!(node, Node::List(..))) {
                return Err(wrong(name, "one of its values uses another list"));
            }
            list.templates.push((graph, list.values.len() as u32));
            list.values.push(value);
        }
        Ok(list)
    }
}
