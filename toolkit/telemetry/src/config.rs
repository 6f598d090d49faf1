//! Settings of logs, traces and metrics.

use serde::{Deserialize, Deserializer};
use url::Url;

/// How and where a process tells about itself. Every key has a default.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// The name under which this process appears. Default `ieum`.
    pub service: String,
    /// What is logged, as `level` or `target=level,…` (the syntax of `tracing`'s filters). Default `info`.
    pub log: String,
    /// How logs are written. Default text.
    pub format: LogFormat,
    /// Base URL of an OTLP/HTTP collector, such as `http://collector:4318`; `None` exports no traces.
    pub otlp: Option<Url>,
    /// Share of traces that are exported, 0 to 1, the same traces in every process. Default 1.
    #[serde(deserialize_with = "share")]
    pub sample: f64,
    /// Different values per label of a metric; further ones are counted as `other`. Default 200.
    pub label_values: usize,
}

/// How logs are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            service: "ieum".into(),
            log: "info".into(),
            format: LogFormat::Text,
            otlp: None,
            sample: 1.0,
            label_values: 200,
        }
    }
}

fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let share = f64::deserialize(deserializer)?;
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err(serde::de::Error::custom(format!("sample: {share} is no share from 0 to 1")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_mistakes_told() {
        let config: TelemetryConfig =
            toml::from_str("otlp = \"http://collector:4318\"\nformat = \"json\"\nsample = 0.1")
                .expect("is right");
        assert_eq!(config.otlp.as_ref().map(Url::as_str), Some("http://collector:4318/"));
        assert_eq!((config.format, config.sample), (LogFormat::Json, 0.1));
        let told = toml::from_str::<TelemetryConfig>("sample = 2.0").expect_err("is wrong").to_string();
        assert!(told.contains("sample: 2 is no share from 0 to 1"), "{told}");
        assert!(toml::from_str::<TelemetryConfig>("oltp = \"http://x\"").is_err());
    }
}
