//! Reads single values of the merged table, and collects what is wrong with them.

use std::net::SocketAddr;
use std::time::Duration;

use ieum_core::{Timestamp, parse_duration};
use ipnet::IpNet;
use toml::{Table, Value};
use url::Url;

use super::{LinkCallers, Mistake};

/// Reads values by key and collects what is wrong.
pub struct Reader<'a> {
    pub table: &'a Table,
    pub mistakes: &'a mut Vec<Mistake>,
}

/// Says what is wrong with a URL that begins with none of the `known` schemes.
pub fn check_scheme(text: &str, known: &[&str]) -> Result<(), String> {
    let scheme = text.split(':').next().unwrap_or_default();
    if (text.contains(':') || text == "local") && known.contains(&scheme) {
        return Ok(());
    }
    let list: Vec<_> = known.iter().map(|scheme| format!("{scheme}:")).collect();
    Err(format!("begins with none of {}", list.join(" ")))
}

impl Reader<'_> {
    /// Notes a mistake.
    pub fn wrong(&mut self, key: &str, problem: impl Into<String>) {
        self.mistakes.push(Mistake { key: key.to_owned(), problem: problem.into() });
    }

    /// Returns what stands under `section.name`.
    pub fn value(&self, key: &str) -> Option<&Value> {
        let (section, name) = key.split_once('.')?;
        self.table.get(section)?.get(name)
    }

    /// Returns text; nothing where it is something else.
    pub fn text(&self, key: &str) -> String {
        self.value(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Returns an address and port.
    pub fn address(&mut self, key: &str) -> SocketAddr {
        let text = self.text(key);
        text.parse().unwrap_or_else(|_| {
            self.wrong(key, format!("{text:?} is not an address and port such as \"127.0.0.1:8080\""));
            SocketAddr::from(([127, 0, 0, 1], 0))
        })
    }

    /// Returns an http or https URL; `None` where it is empty.
    pub fn optional_url(&mut self, key: &str) -> Option<Url> {
        let text = self.text(key);
        if text.is_empty() {
            return None;
        }
        match Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Some(url),
            _ => {
                self.wrong(key, format!("{text:?} is no http or https URL"));
                None
            }
        }
    }

    /// Returns a span of time such as "10s".
    pub fn duration(&mut self, key: &str) -> Duration {
        let text = self.text(key);
        parse_duration(&text).unwrap_or_else(|error| {
            self.wrong(key, error.to_string());
            Duration::ZERO
        })
    }

    /// Returns a whole number of `least` to `most`.
    pub fn number(&mut self, key: &str, least: u32, most: u32) -> u32 {
        let number = self.value(key).and_then(Value::as_integer).unwrap_or_default();
        match u32::try_from(number) {
            Ok(number) if (least..=most).contains(&number) => number,
            _ => {
                self.wrong(key, format!("is {number}, expected {least} to {most}"));
                least
            }
        }
    }

    /// Returns a URL that begins with one of the `known` schemes.
    pub fn backend(&mut self, key: &str, known: &[&str]) -> String {
        let text = self.text(key);
        if let Err(problem) = check_scheme(&text, known) {
            self.wrong(key, problem);
        }
        text
    }

    /// Returns networks in CIDR form.
    pub fn networks(&mut self, key: &str) -> Vec<IpNet> {
        let list = self.list(key);
        let mut networks = Vec::new();
        for entry in list {
            match entry.as_str().map(str::parse) {
                Some(Ok(network)) => networks.push(network),
                _ => self.wrong(key, format!("{entry} is no network such as \"10.1.0.0/16\"")),
            }
        }
        networks
    }

    /// Returns who may come without a key.
    pub fn callers(&mut self, key: &str) -> LinkCallers {
        match self.text(key).as_str() {
            "loopback" => LinkCallers::Loopback,
            "anyone" => LinkCallers::Anyone,
            "nobody" => LinkCallers::Nobody,
            other => {
                let problem = format!("{other:?} is none of \"loopback\", \"anyone\", \"nobody\"");
                self.wrong(key, problem);
                LinkCallers::Nobody
            }
        }
    }

    /// Returns whether something is switched on.
    pub fn flag(&self, key: &str) -> bool {
        self.value(key).and_then(Value::as_bool).unwrap_or_default()
    }

    /// Returns the entries of a list.
    pub fn list(&self, key: &str) -> Vec<Value> {
        self.value(key).and_then(Value::as_array).cloned().unwrap_or_default()
    }

    /// Returns a moment.
    pub fn moment(&mut self, key: &str) -> Timestamp {
        let text = self.text(key);
        Timestamp::parse(&text).unwrap_or_else(|| {
            self.wrong(key, format!("{text:?} is no moment such as \"2027-11-30T00:00:00Z\""));
            Timestamp::default()
        })
    }
}
