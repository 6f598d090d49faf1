//! OpenWeatherMap's API (<https://openweathermap.org/api>): geocoding, current weather, five days in steps of three
//! hours, air pollution.

use ieum_client::RestClient;
use ieum_core::{Cx, Fault, Secret, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::form_urlencoded::Serializer;

/// What is known of a place, part by part. What nobody ever answered is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The place's name, in Korean where it has one.
    pub name_ko: String,
    /// The place's name.
    pub name_en: String,
    /// Now.
    pub current: Option<Known<Current>>,
    /// In steps of three hours.
    pub forecast: Option<Known<Forecast>>,
    /// The air.
    pub air: Option<Known<Components>>,
}

/// What one of the three said, and when it was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Known<T> {
    /// When it was asked.
    pub at: Timestamp,
    /// What it said.
    pub said: T,
}

/// One of the three that are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Current,
    Forecast,
    Air,
}

#[derive(Clone, Debug, Deserialize)]
struct Place {
    name: String,
    #[serde(default)]
    local_names: std::collections::BTreeMap<String, String>,
    lat: f64,
    lon: f64,
}

/// Current weather.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Current {
    pub weather: Vec<Sky>,
    pub main: Readings,
}

/// What the sky does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sky {
    /// The condition's number: 2xx thunderstorm, 3xx drizzle, 5xx rain, 6xx snow, 7xx mist, 800 clear, 80x clouds.
    pub id: u16,
}

/// Temperatures in °C, humidity in percent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Readings {
    pub temp: f64,
    #[serde(default)]
    pub feels_like: Option<f64>,
    #[serde(default)]
    pub humidity: Option<f64>,
}

/// Five days.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    pub list: Vec<Step>,
}

/// Three hours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Seconds since the Unix epoch.
    pub dt: i64,
    pub main: Readings,
    pub weather: Vec<Sky>,
    /// The probability of precipitation, 0 to 1.
    #[serde(default)]
    pub pop: f64,
}

#[derive(Clone, Debug, Deserialize)]
struct Pollution {
    list: Vec<Air>,
}

#[derive(Clone, Debug, Deserialize)]
struct Air {
    components: Components,
}

/// Concentrations, µg/m³.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Components {
    pub pm10: f64,
    pub pm2_5: f64,
    #[serde(default)]
    pub o3: f64,
}

// === Part ===

impl Part {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Current, Self::Forecast, Self::Air];
}

// === Report ===

impl Report {
    /// Whether nothing is missing.
    pub fn is_whole(&self) -> bool {
        Part::ALL.iter().all(|part| self.known_at(*part).is_some())
    }

    /// Returns when a part was known; `None` where it is missing.
    pub fn known_at(&self, part: Part) -> Option<Timestamp> {
        match part {
            Part::Current => self.current.as_ref().map(|known| known.at),
            Part::Forecast => self.forecast.as_ref().map(|known| known.at),
            Part::Air => self.air.as_ref().map(|known| known.at),
        }
    }

    /// Returns the report with the parts that it lacks from an earlier one.
    pub fn filled_from(self, earlier: Self) -> Self {
        Self {
            current: self.current.or(earlier.current),
            forecast: self.forecast.or(earlier.forecast),
            air: self.air.or(earlier.air),
            ..self
        }
    }

    /// Returns the report without the parts that were known only before `since`.
    pub fn known_since(self, since: Timestamp) -> Self {
        Self {
            current: self.current.filter(|known| known.at >= since),
            forecast: self.forecast.filter(|known| known.at >= since),
            air: self.air.filter(|known| known.at >= since),
            ..self
        }
    }
}

/// Asks for all that is known of a place, at once. Fails with `voice.weather.place_unknown`, and where not even one of
/// the three answers.
pub async fn fetch(
    cx: &Cx,
    source: &RestClient,
    key: &Secret,
    place: &str,
    now: Timestamp,
) -> Result<Report, Fault> {
    let found: Vec<Place> = ask(cx, source, "/geo/1.0/direct", key, &[("q", place), ("limit", "1")]).await?;
    let Some(found) = found.into_iter().next() else {
        return Err(Fault::not_found("voice.weather.place_unknown", format!("there is no place {place:?}")));
    };
    let (lat, lon) = (found.lat.to_string(), found.lon.to_string());
    let there = [("lat", lat.as_str()), ("lon", lon.as_str()), ("units", "metric"), ("lang", "kr")];
    let (current, forecast, air) = futures::join!(
        ask::<Current>(cx, source, "/data/2.5/weather", key, &there),
        ask::<Forecast>(cx, source, "/data/2.5/forecast", key, &there),
        ask::<Pollution>(cx, source, "/data/2.5/air_pollution", key, &there[..2]),
    );
    let lacking = [current.as_ref().err(), forecast.as_ref().err(), air.as_ref().err()];
    if let [Some(fault), Some(_), Some(_)] = lacking {
        return Err(fault.clone());
    }
    for fault in lacking.into_iter().flatten() {
        tracing::warn!(error = %fault, "a part of the weather is missing");
    }
    let name_ko = found.local_names.get("ko").cloned().unwrap_or_else(|| found.name.clone());
    let air = air.ok().and_then(|air| air.list.into_iter().next()).map(|air| air.components);
    Ok(Report {
        name_ko,
        name_en: found.name,
        current: current.ok().map(|said| Known { at: now, said }),
        forecast: forecast.ok().map(|said| Known { at: now, said }),
        air: air.map(|said| Known { at: now, said }),
    })
}

async fn ask<T: DeserializeOwned>(
    cx: &Cx,
    source: &RestClient,
    path: &str,
    key: &Secret,
    query: &[(&str, &str)],
) -> Result<T, Fault> {
    let text = Serializer::new(String::new()).extend_pairs(query).append_pair("appid", key.expose()).finish();
    source.get_json(cx, &format!("{path}?{text}")).await
}
