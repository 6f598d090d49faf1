//! The weather: a place found, then conditions, forecast and air asked for at once. A part that nobody answers is told as
//! it was known last, with its age, and left out where it never was.

mod age;
mod api;
mod grades;
mod story;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ieum_cache::Cache;
use ieum_client::{RestClient, RestConfig, RestConfigError};
use ieum_contracts::voice::{DescribePlugin, Plugin, PluginAnswer, PluginAsk, PluginDescription, SlotValue};
use ieum_core::{Code, Cx, Fault, Secret, SharedClock};
use ieum_policy::PolicyHandle;
use jiff::ToSpan;
use jiff::civil::Date;
use url::Url;

use super::{description, fails, says, tongue};
use crate::rules::words;
use crate::zone::{here, zone};
use age::age;
use api::Report;
use story::{Told, air, now_and_then};

/// How long a report is fresh.
const FRESH: Duration = Duration::from_secs(30 * 60);
/// How long the last known part of a place's report stays.
const KNOWN: Duration = Duration::from_secs(7 * 86_400);

/// How many days are forecast, today among them.
const FORECAST: usize = 5;

/// Where the weather comes from.
#[derive(Clone, Debug)]
pub struct WeatherOptions {
    /// OpenWeatherMap, or who answers like it.
    pub base: Url,
    /// The key; `None` answers that there is none.
    pub key: Option<Secret>,
    /// The place of people who name none, such as `Seoul`.
    pub place: String,
    /// What may be reached beyond the public internet.
    pub outbound: ieum_client::OutboundPolicy,
}

/// Tells the weather.
pub struct Weather {
    source: Option<RestClient>,
    key: Secret,
    place: String,
    cache: Arc<dyn Cache>,
    clock: SharedClock,
}

impl Weather {
    /// What it answers.
    pub const INTENTS: &'static [&'static str] = &["weather.query", "weather.air"];

    /// Makes the plugin.
    ///
    /// # Errors
    /// An address that may never be called.
    pub fn new(
        options: WeatherOptions,
        cache: Arc<dyn Cache>,
        clock: SharedClock,
    ) -> Result<Self, RestConfigError> {
        let WeatherOptions { base, key, place, outbound } = options;
        let config = RestConfig { outbound, ..RestConfig::new("weather", base) };
        let source = key.is_some().then(|| RestClient::new(config, clock.clone())).transpose()?;
        Ok(Self { source, key: key.unwrap_or_else(|| Secret::new("")), place, cache, clock })
    }

    /// Returns the policies of the calls to the weather service; `None` where nobody is asked.
    pub fn policies(&self) -> Option<PolicyHandle> {
        self.source.as_ref().map(|source| source.policies().handle())
    }

    /// Returns the report of a place: a fresh one, else a new one, and what is missing of that as it was known last.
    async fn report(&self, cx: &Cx, source: &RestClient, place: &str) -> Result<Report, Fault> {
        let place_key = place.to_lowercase();
        let (key, last) = (format!("weather:{place_key}"), format!("weather-last:{place_key}"));
        if let Some(report) = self.kept(&key).await {
            return Ok(report);
        }
        let now = self.clock.now();
        let last_known = async || self.kept(&last).await.map(|report| report.known_since(now - KNOWN));
        match api::fetch(cx, source, &self.key, place, now).await {
            Ok(report) if report.is_whole() => {
                self.keep(&report, [(&key, FRESH), (&last, KNOWN)]).await;
                Ok(report)
            }
            Ok(report) => {
                let report = match last_known().await {
                    Some(earlier) => report.filled_from(earlier),
                    None => report,
                };
                // What is not whole is asked for again sooner.
                self.keep(&report, [(&key, FRESH / 15), (&last, KNOWN)]).await;
                Ok(report)
            }
            Err(fault) if fault.code == Code::NotFound => Err(fault),
            Err(fault) => {
                tracing::warn!(error = %fault, "asking for the weather failed; telling the last that was known");
                last_known().await.ok_or(fault)
            }
        }
    }

    async fn keep(&self, report: &Report, keys: [(&str, Duration); 2]) {
        let Ok(bytes) = serde_json::to_vec(report) else { return };
        for (key, lifetime) in keys {
            // Without it the weather is only asked for sooner.
            let _ = self.cache.set(key, bytes.clone().into(), lifetime).await;
        }
    }

    async fn kept(&self, key: &str) -> Option<Report> {
        let bytes = self.cache.get(key).await.unwrap_or_default()?;
        serde_json::from_slice(&bytes).ok()
    }
}

/// Returns the days that are asked for: of several those that are not over, as nobody asks what the weekend was like; and
/// no more than a forecast has.
fn days_asked(first: Date, count: u32, today: Date) -> Vec<Date> {
    let days = |first: Date| first.series(1.day()).take(count.max(1) as usize).collect::<Vec<_>>();
    if count <= 1 {
        return vec![first];
    }
    let mut ahead: Vec<Date> = days(first).into_iter().filter(|day| *day >= today).collect();
    if ahead.is_empty() {
        ahead = days(first.saturating_add(7.days()));
    }
    ahead.truncate(FORECAST);
    ahead
}

#[async_trait]
impl Plugin for Weather {
    async fn describe(&self, _cx: &Cx, _ask: DescribePlugin) -> Result<PluginDescription, Fault> {
        Ok(description("weather", Self::INTENTS))
    }

    async fn handle(&self, cx: &Cx, ask: PluginAsk) -> Result<PluginAnswer, Fault> {
        let tongue = tongue(&ask);
        let Some(source) = &self.source else {
            return Ok(fails(tongue.pick(
                "날씨 서비스의 키가 설정되어 있지 않아요. 설정에 voice.weather_key를 넣어 주세요.",
                "No key for the weather service is set up. Please set voice.weather_key.",
            )));
        };
        let place = words(&ask.meaning, "place").unwrap_or(&self.place);
        let report = match self.report(cx, source, place).await {
            Ok(report) => report,
            Err(fault) if fault.code == Code::NotFound => {
                return Ok(fails(tongue.pick(
                    format!("{place}, 그런 곳을 찾지 못했어요."),
                    format!("I found no place called {place}."),
                )));
            }
            Err(fault) => {
                tracing::warn!(error = %fault, "no weather is known");
                return Ok(fails(
                    tongue.pick("지금은 날씨를 알 수 없어요.", "I cannot get the weather right now."),
                ));
            }
        };
        let zone = zone(&ask.zone);
        let today = here(&zone, ask.now).date();
        let days = match ask.meaning.slots.get("day").map(|slot| &slot.value) {
            Some(SlotValue::Day { date, days }) => days_asked(date.parse().unwrap_or(today), *days, today),
            _ => vec![today],
        };
        let mut told: Told = match ask.meaning.intent.as_str() {
            "weather.air" => air(tongue, &report, words(&ask.meaning, "air").unwrap_or("air")),
            _ => {
                let aspect = words(&ask.meaning, "aspect");
                days.iter().map(|day| now_and_then(tongue, &report, &zone, today, *day, aspect)).collect()
            }
        };
        if ask.meaning.intent == "weather.air" && !days.contains(&today) {
            told.text = format!("{} {}", story::air_is_of_now(tongue), told.text);
        }
        if let Some(age) = age(tongue, &report, &told.of, self.clock.now()) {
            told.text = format!("{} {age}", told.text);
        }
        Ok(says(told.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weekend_and_a_week_are_what_is_left_of_them() {
        let date = |day| jiff::civil::date(2026, 11, day);
        let asked = |first, count, today| -> Vec<i8> {
            days_asked(date(first), count, date(today)).into_iter().map(Date::day).collect()
        };
        assert_eq!(asked(21, 2, 22), [22], "of the weekend on its Sunday");
        assert_eq!(asked(16, 7, 22), [22], "of the week on its Sunday");
        assert_eq!(asked(16, 7, 18), [18, 19, 20, 21, 22]);
        assert_eq!(asked(14, 2, 18), [21, 22], "a weekend that is over is the next one");
        assert_eq!(asked(17, 1, 18), [17], "yesterday is yesterday");
        assert_eq!(asked(23, 7, 18), [23, 24, 25, 26, 27]);
    }
}
