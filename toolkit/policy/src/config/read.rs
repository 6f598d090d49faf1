//! Reads a link's policies from its table in the settings.

use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::table::{Table, count, duration, is_off, percent, share};
use super::{
    BreakerConfig, BulkheadConfig, FallbackConfig, HedgeConfig, PolicyConfig, PolicyConfigError, RateConfig,
    RetryConfig,
};
use crate::{Gcra, HedgeAfter};

/// Replies that a fallback remembers unless told otherwise.
const ENTRIES: usize = 1_024;

type Problems = Vec<String>;

impl PolicyConfig {
    /// Returns these policies with what `table` says on top. Fails with every mistake at once.
    pub fn overlay(&self, table: &Map<String, Value>) -> Result<Self, PolicyConfigError> {
        let mut config = self.clone();
        let mut table = Table::new("", table);
        table.read("timeout", &mut config.timeout, duration);
        table.read("connect", &mut config.connect, duration);
        table.read("first_byte", &mut config.first_byte, duration);
        table.read("attempt", &mut config.attempt, |value| off_or(value, duration));
        table.read_nested("retry", &mut config.retry, read_retry);
        table.read_nested("hedge", &mut config.hedge, read_hedge);
        table.read_nested("breaker", &mut config.breaker, read_breaker);
        table.read_nested("bulkhead", &mut config.bulkhead, read_bulkhead);
        table.read_nested("rate", &mut config.rate, read_rate);
        table.read_nested("fallback", &mut config.fallback, read_fallback);
        if config.attempt.is_some_and(|attempt| attempt > config.timeout) {
            table.complain("attempt", "one attempt may not take longer than the whole call (timeout)");
        }
        if let Some(HedgeConfig { after: HedgeAfter::Fixed(delay), .. }) = config.hedge
            && delay >= config.timeout
        {
            table.complain("hedge", "the whole call (timeout) is over before a second send would begin");
        }
        match table.finish() {
            problems if problems.is_empty() => Ok(config),
            problems => Err(PolicyConfigError { problems }),
        }
    }
}

impl<'de> Deserialize<'de> for PolicyConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = Map::deserialize(deserializer)?;
        Self::default().overlay(&table).map_err(serde::de::Error::custom)
    }
}

fn off_or<T>(value: &Value, parse: impl FnOnce(&Value) -> Result<T, String>) -> Result<Option<T>, String> {
    if is_off(value) { Ok(None) } else { parse(value).map(Some) }
}

fn entries_of<'a>(name: &str, value: &'a Value, forms: &str) -> Result<&'a Map<String, Value>, Problems> {
    value.as_object().ok_or_else(|| vec![format!("{name}: {value} is not understood; write {forms}")])
}

fn finished<T>(table: Table<'_>, parsed: T) -> Result<T, Problems> {
    let problems = table.finish();
    if problems.is_empty() { Ok(parsed) } else { Err(problems) }
}

fn read_retry(name: &str, value: &Value, present: &RetryConfig) -> Result<RetryConfig, Problems> {
    let mut retry = present.clone();
    if is_off(value) {
        retry.attempts = 1;
        return Ok(retry);
    }
    let mut table = Table::new(name, entries_of(name, value, "\"off\" or { attempts = 3 }")?);
    table.read("attempts", &mut retry.attempts, |value| count(value, 1));
    table.read("first", &mut retry.first, duration);
    table.read("factor", &mut retry.factor, factor);
    table.read("most", &mut retry.most, duration);
    table.read("budget", &mut retry.budget, percent);
    if retry.first > retry.most {
        table.complain("first", "the first wait is longer than the longest (most)");
    }
    finished(table, retry)
}

fn factor(value: &Value) -> Result<f64, String> {
    let number = value.as_f64().filter(|number| (1.0..=100.0).contains(number));
    number.ok_or_else(|| format!("{value} is no number from 1 to 100"))
}

fn read_hedge(
    name: &str,
    value: &Value,
    present: &Option<HedgeConfig>,
) -> Result<Option<HedgeConfig>, Problems> {
    const FORMS: &str = "\"off\", \"p95\", \"150ms\" or { after = \"p95\" }";
    if is_off(value) {
        return Ok(None);
    }
    let mut hedge = present.unwrap_or_default();
    if value.is_string() {
        hedge.after = hedge_after(value).map_err(|problem| vec![format!("{name}: {problem}")])?;
        return Ok(Some(hedge));
    }
    let mut table = Table::new(name, entries_of(name, value, FORMS)?);
    table.read("after", &mut hedge.after, hedge_after);
    table.read("window", &mut hedge.window, duration);
    table.read("minimum", &mut hedge.minimum, |value| count(value, 1));
    finished(table, Some(hedge))
}

/// Reads `"p95"` or `"150ms"`.
fn hedge_after(value: &Value) -> Result<HedgeAfter, String> {
    let text = value.as_str().unwrap_or_default().trim();
    let percent = text.strip_prefix('p').map(|digits| digits.parse().ok());
    match percent {
        Some(Some(percent @ 1..=99)) => Ok(HedgeAfter::Percentile(percent)),
        Some(_) => Err(format!("{value} is no percentile; write it as \"p95\", from \"p1\" to \"p99\"")),
        None => duration(value).map(HedgeAfter::Fixed),
    }
}

fn read_breaker(
    name: &str,
    value: &Value,
    present: &Option<BreakerConfig>,
) -> Result<Option<BreakerConfig>, Problems> {
    if is_off(value) {
        return Ok(None);
    }
    let mut breaker = present.clone().unwrap_or_default();
    let mut table = Table::new(name, entries_of(name, value, "\"off\" or { failures = \"50%\" }")?);
    table.read("consecutive", &mut breaker.consecutive, |value| {
        off_or(value, |value| count(value, 0)).map(|most| most.filter(|most| *most > 0))
    });
    table.read("failures", &mut breaker.failures, |value| off_or(value, share));
    table.read("slow", &mut breaker.slow, |value| off_or(value, slow));
    table.read("window", &mut breaker.window, duration);
    table.read("minimum", &mut breaker.minimum, |value| count(value, 1));
    table.read("open", &mut breaker.open, duration);
    table.read("probes", &mut breaker.probes, |value| count(value, 1));
    finished(table, Some(breaker))
}

/// Reads `"80% over 2s"`.
fn slow(value: &Value) -> Result<(f64, Duration), String> {
    let text = value.as_str().and_then(|text| text.split_once(" over "));
    let (part, span) = text.ok_or_else(|| format!("{value} is not understood; write \"80% over 2s\""))?;
    Ok((share(&part.into())?, duration(&span.into())?))
}

fn read_bulkhead(
    name: &str,
    value: &Value,
    _present: &Option<BulkheadConfig>,
) -> Result<Option<BulkheadConfig>, Problems> {
    if is_off(value) {
        return Ok(None);
    }
    let mut bulkhead = BulkheadConfig { limit: 0, queue: 0 };
    if value.is_number() {
        bulkhead.limit = count(value, 1).map_err(|problem| vec![format!("{name}: {problem}")])?;
        return Ok(Some(bulkhead));
    }
    let mut table = Table::new(name, entries_of(name, value, "\"off\", 64 or { limit = 64, queue = 64 }")?);
    table.read("limit", &mut bulkhead.limit, |value| count(value, 1));
    table.read("queue", &mut bulkhead.queue, |value| count(value, 0));
    if bulkhead.limit == 0 {
        table.complain("limit", "it says how many calls run at once and must be given");
    }
    finished(table, Some(bulkhead))
}

fn read_rate(
    name: &str,
    value: &Value,
    _present: &Option<RateConfig>,
) -> Result<Option<RateConfig>, Problems> {
    const FORMS: &str = "\"off\", \"100/s\" or { limit = 100, per = \"1s\", burst = 20 }";
    if is_off(value) {
        return Ok(None);
    }
    let one = |problem: String| vec![format!("{name}: {problem}")];
    let (mut limit, mut per, mut burst) = (0, Duration::from_secs(1), None);
    if let Some(text) = value.as_str() {
        let short = per_unit(text).ok_or_else(|| one(format!("{value} is not understood; write {FORMS}")))?;
        (limit, per) = short;
    } else {
        let mut table = Table::new(name, entries_of(name, value, FORMS)?);
        table.read("limit", &mut limit, |value| count(value, 1));
        table.read("per", &mut per, duration);
        table.read("burst", &mut burst, |value| count(value, 1).map(Some));
        if limit == 0 {
            table.complain("limit", "it says how many calls may start and must be given");
        }
        finished(table, ())?;
    }
    let gcra = Gcra::new(limit, per, burst.unwrap_or(limit)).map_err(|error| one(error.to_string()))?;
    Ok(Some(RateConfig { gcra }))
}

/// Reads `"100/s"`, `"6000/m"` or `"100/10s"`.
fn per_unit(text: &str) -> Option<(u32, Duration)> {
    let (number, unit) = text.split_once('/')?;
    let number = number.trim().parse().ok().filter(|number| *number > 0)?;
    let unit = unit.trim();
    let span = if unit.starts_with(|letter: char| letter.is_ascii_digit()) {
        unit.to_owned()
    } else {
        format!("1{unit}")
    };
    Some((number, duration(&span.into()).ok()?))
}

fn read_fallback(name: &str, value: &Value, _present: &FallbackConfig) -> Result<FallbackConfig, Problems> {
    const FORMS: &str =
        "\"off\", \"last-good\", \"cache 30s\", { value = … }, { to = \"http://…\" } or { last_good = 1000 }";
    if is_off(value) {
        return Ok(FallbackConfig::Off);
    }
    let wrong = || vec![format!("{name}: {value} is not understood; write {FORMS}")];
    if let Some(text) = value.as_str() {
        if text == "last-good" {
            return Ok(FallbackConfig::LastGood { entries: ENTRIES });
        }
        let span = text.strip_prefix("cache ").ok_or_else(wrong)?;
        let within = duration(&span.into()).map_err(|problem| vec![format!("{name}: {problem}")])?;
        return Ok(FallbackConfig::Cache { within, entries: ENTRIES });
    }
    let entries = entries_of(name, value, FORMS)?;
    let (mut constant, mut to, mut last_good) = (None, None, None);
    let mut table = Table::new(name, entries);
    table.read("value", &mut constant, |value| Ok(Some(value.clone())));
    table.read("to", &mut to, |value| match value.as_str() {
        Some(url) if !url.is_empty() => Ok(Some(url.to_owned())),
        _ => Err(format!("{value} is no URL of a link")),
    });
    table.read("last_good", &mut last_good, |value| count(value, 1).map(Some));
    finished(table, ())?;
    match (constant, to, last_good) {
        (Some(value), None, None) => Ok(FallbackConfig::Value(value)),
        (None, Some(url), None) => Ok(FallbackConfig::To(url)),
        (None, None, Some(entries)) => Ok(FallbackConfig::LastGood { entries: entries as usize }),
        _ => Err(vec![format!("{name}: exactly one of value, to and last_good must be given")]),
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
