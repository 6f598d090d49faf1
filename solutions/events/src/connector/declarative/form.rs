//! Reads a mapping's settings and collects every mistake, so that all are named at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

/// A table of settings that is being read. Whatever nobody asked for is a mistake.
pub struct Form<'a> {
    path: String,
    table: Option<&'a serde_json::Map<String, Value>>,
    asked: BTreeSet<&'static str>,
}

/// The mistakes found so far, in the order of reading.
#[derive(Debug, Default)]
pub struct Mistakes(pub Vec<String>);

impl Mistakes {
    /// Notes a mistake.
    pub fn add(&mut self, path: &str, problem: impl std::fmt::Display) {
        self.0.push(format!("{path} {problem}"));
    }
}

impl<'a> Form<'a> {
    /// Begins to read a whole document.
    pub fn of(value: &'a Value, mistakes: &mut Mistakes) -> Self {
        if !value.is_object() {
            mistakes.add("the mapping", "is no table");
        }
        Self { path: String::new(), table: value.as_object(), asked: BTreeSet::new() }
    }

    /// Returns the full name of a setting.
    pub fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn take(&mut self, key: &'static str) -> Option<&'a Value> {
        self.asked.insert(key);
        self.table?.get(key)
    }

    /// Reads a table within; `None` where it is left out.
    pub fn table(&mut self, key: &'static str, mistakes: &mut Mistakes) -> Option<Form<'a>> {
        let value = self.take(key)?;
        if !value.is_object() {
            mistakes.add(&self.name(key), "is no table");
        }
        Some(Form { path: self.name(key), table: value.as_object(), asked: BTreeSet::new() })
    }

    /// Reads a text; `None` where it is left out.
    pub fn text(&mut self, key: &'static str, mistakes: &mut Mistakes) -> Option<String> {
        match self.take(key)? {
            Value::String(text) if text.len() <= 1_000 => Some(text.clone()),
            Value::String(_) => {
                mistakes.add(&self.name(key), "is longer than 1000 bytes");
                None
            }
            _ => {
                mistakes.add(&self.name(key), "is no text");
                None
            }
        }
    }

    /// Reads a text that must be there.
    pub fn required(&mut self, key: &'static str, mistakes: &mut Mistakes) -> String {
        let missing = self.table.is_some_and(|table| !table.contains_key(key));
        if missing {
            mistakes.add(&self.name(key), "is missing");
        }
        self.text(key, mistakes).unwrap_or_default()
    }

    /// Reads a JSON pointer (RFC 6901); `None` where it is left out.
    pub fn pointer(&mut self, key: &'static str, mistakes: &mut Mistakes) -> Option<String> {
        let text = self.text(key, mistakes)?;
        if !text.is_empty() && !text.starts_with('/') {
            mistakes.add(&self.name(key), format!("is {text:?}, no JSON pointer: it begins with /"));
        }
        Some(text)
    }

    /// Reads a JSON pointer that must be there.
    pub fn required_pointer(&mut self, key: &'static str, mistakes: &mut Mistakes) -> String {
        if self.table.is_some_and(|table| !table.contains_key(key)) {
            mistakes.add(&self.name(key), "is missing");
        }
        self.pointer(key, mistakes).unwrap_or_default()
    }

    /// Reads one of several words; the first where it is left out.
    pub fn word(
        &mut self,
        key: &'static str,
        words: &[&'static str],
        mistakes: &mut Mistakes,
    ) -> &'static str {
        let first = words.first().copied().unwrap_or_default();
        let Some(text) = self.text(key, mistakes) else { return first };
        words.iter().copied().find(|word| *word == text).unwrap_or_else(|| {
            mistakes.add(&self.name(key), format!("is {text:?}, none of {}", words.join(", ")));
            first
        })
    }

    /// Reads a whole number within a range; `default` where it is left out.
    pub fn number(
        &mut self,
        key: &'static str,
        range: std::ops::RangeInclusive<u64>,
        default: u64,
        mistakes: &mut Mistakes,
    ) -> u64 {
        let Some(value) = self.take(key) else { return default };
        value.as_u64().filter(|number| range.contains(number)).unwrap_or_else(|| {
            mistakes.add(&self.name(key), format!("is no number from {} to {}", range.start(), range.end()));
            default
        })
    }

    /// Reads a duration such as `"60s"`; `default` where it is left out.
    pub fn duration(&mut self, key: &'static str, default: Duration, mistakes: &mut Mistakes) -> Duration {
        let Some(text) = self.text(key, mistakes) else { return default };
        ieum_core::parse_duration(&text).unwrap_or_else(|error| {
            mistakes.add(&self.name(key), error);
            default
        })
    }

    /// Reads a list of texts; empty where it is left out.
    pub fn texts(&mut self, key: &'static str, mistakes: &mut Mistakes) -> Vec<String> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let texts =
            value.as_array().map(|list| list.iter().map(|text| text.as_str().map(str::to_owned)).collect());
        texts.flatten().unwrap_or_else(|| {
            mistakes.add(&self.name(key), "is no list of texts");
            Vec::new()
        })
    }

    /// Reads a table of texts; empty where it is left out.
    pub fn pairs(&mut self, key: &'static str, mistakes: &mut Mistakes) -> BTreeMap<String, String> {
        let Some(value) = self.take(key) else { return BTreeMap::new() };
        let pair = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
        let pairs = value.as_object().map(|table| table.iter().map(pair).collect::<Option<_>>());
        pairs.flatten().unwrap_or_else(|| {
            mistakes.add(&self.name(key), "is no table of texts");
            BTreeMap::new()
        })
    }

    /// Ends reading: whatever was not asked for is unknown.
    pub fn end(self, mistakes: &mut Mistakes) {
        let Some(table) = self.table else { return };
        for key in table.keys().filter(|key| !self.asked.contains(key.as_str())) {
            let known: Vec<&str> = self.asked.iter().copied().collect();
            mistakes.add(&self.name(key), format!("is unknown; here belong {}", known.join(", ")));
        }
    }
}
