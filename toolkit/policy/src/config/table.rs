//! Reading a settings table key by key, so that every mistake is told at once and names its key.

use std::time::Duration;

use ieum_core::parse_duration;
use serde_json::{Map, Value};

/// A table under reading: what is taken from it, and what was wrong with it.
pub(super) struct Table<'a> {
    path: &'a str,
    entries: &'a Map<String, Value>,
    known: Vec<&'static str>,
    problems: Vec<String>,
}

impl<'a> Table<'a> {
    pub(super) fn new(path: &'a str, entries: &'a Map<String, Value>) -> Self {
        Self { path, entries, known: Vec::new(), problems: Vec::new() }
    }

    /// Ends the reading: keys nobody asked for are mistakes too.
    pub(super) fn finish(mut self) -> Vec<String> {
        for key in self.entries.keys().filter(|key| !self.known.contains(&key.as_str())) {
            let known = self.known.join(", ");
            self.problems.push(format!("{}: there is no such key; known are {known}", self.name(key)));
        }
        self.problems
    }

    /// Reads `key` into `target`, if it is there.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        target: &mut T,
        parse: impl FnOnce(&'a Value) -> Result<T, String>,
    ) {
        self.known.push(key);
        let Some(value) = self.entries.get(key) else { return };
        match parse(value) {
            Ok(parsed) => *target = parsed,
            Err(problem) => self.problems.push(format!("{}: {problem}", self.name(key))),
        }
    }

    /// Reads the table (or short form) `key`; `parse` gets the key's full name and tells its own mistakes.
    pub(super) fn read_nested<T>(
        &mut self,
        key: &'static str,
        target: &mut T,
        parse: impl FnOnce(&str, &Value, &T) -> Result<T, Vec<String>>,
    ) {
        self.known.push(key);
        let Some(value) = self.entries.get(key) else { return };
        match parse(&self.name(key), value, target) {
            Ok(parsed) => *target = parsed,
            Err(problems) => self.problems.extend(problems),
        }
    }

    /// Adds a mistake that concerns `key`.
    pub(super) fn complain(&mut self, key: &str, problem: &str) {
        self.problems.push(format!("{}: {problem}", self.name(key)));
    }

    fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

pub(super) fn is_off(value: &Value) -> bool {
    matches!(value, Value::Bool(false)) || value.as_str() == Some("off")
}

pub(super) fn duration(value: &Value) -> Result<Duration, String> {
    let text = value.as_str().ok_or_else(|| format!("{value} is no duration; write it as \"800ms\""))?;
    let span = parse_duration(text).map_err(|error| error.to_string())?;
    if span.is_zero() {
        Err(format!("{text:?} is too short; it must be longer than nothing"))
    } else {
        Ok(span)
    }
}

pub(super) fn count(value: &Value, least: u32) -> Result<u32, String> {
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    number
        .filter(|number| *number >= least)
        .ok_or_else(|| format!("{value} is no whole number of at least {least}"))
}

/// Reads `"50%"` as 50, from 0 to 100.
pub(super) fn percent(value: &Value) -> Result<u32, String> {
    let wrong = || format!("{value} is no share; write it as \"50%\", from \"0%\" to \"100%\"");
    let digits = value.as_str().and_then(|text| text.trim().strip_suffix('%')).ok_or_else(wrong)?;
    digits.trim().parse().ok().filter(|number| *number <= 100).ok_or_else(wrong)
}

/// Reads `"50%"` as 0.5, above 0 %.
pub(super) fn share(value: &Value) -> Result<f64, String> {
    match percent(value)? {
        0 => Err(format!("{value} would always be reached; write \"off\" to not look at it")),
        number => Ok(f64::from(number) / 100.0),
    }
}
