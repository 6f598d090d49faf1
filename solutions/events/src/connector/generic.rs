//! The seed's own shape: `GET {api}/analytics/realtime` and a health URL that answers `{"status":"healthy"}`.

use async_trait::async_trait;
use ieum_client::OutboundPolicy;
use ieum_contracts::events::EventServiceConfig;
use ieum_core::{Cx, Fault, SharedClock};
use serde_json::Value;

use super::probe::Checked;
use super::source::{SourceClient, Told};
use super::{Connector, Hint, auth, base_url, client, invalid, rest_client};
use crate::facts::{Batch, Next};
use crate::rules::{garbage, read_realtime};

/// The only shape this connector reads.
const SCHEMA: &str = "event-realtime/1";

/// A source that counts its people itself.
pub struct Generic {
    client: SourceClient,
    health: SourceClient,
    health_path: String,
}

impl Generic {
    /// Makes the connector. Fails with `events.source.invalid`, naming the field.
    pub fn open(
        config: &EventServiceConfig,
        outbound: &OutboundPolicy,
        clock: &SharedClock,
    ) -> Result<Self, Fault> {
        if config.sync_settings.data_schema != SCHEMA {
            let problem =
                format!("is {:?}; this connector reads {SCHEMA:?}", config.sync_settings.data_schema);
            return Err(invalid("syncSettings.dataSchema", problem));
        }
        let api = base_url("endpoints.api", &config.endpoints.api)?;
        let text = config.endpoints.health_check.as_deref();
        let text = text.ok_or_else(|| invalid("endpoints.healthCheck", "is missing"))?;
        let mut health = base_url("endpoints.healthCheck", text)?;
        let health_path = health.to_string();
        health.set_query(None);
        health.set_fragment(None);
        let sign_in = auth(config, "Bearer")?;
        let client = client(config, "endpoints.api", api, sign_in.clone(), outbound, clock)?;
        let health = rest_client(config, "endpoints.healthCheck", health, sign_in, outbound, clock)?;
        Ok(Self { health: client.beside(health), client, health_path })
    }

    async fn read(&self, cx: &Cx) -> Result<Batch, Fault> {
        let answer: Value = self.client.get_json(cx, "/analytics/realtime").await?;
        let figures = Some(read_realtime(&answer)?);
        Ok(Batch { figures, next: Next::Done(String::new()), ..Batch::default() })
    }
}

#[async_trait]
impl Connector for Generic {
    async fn probe(&self, cx: &Cx) -> Vec<Checked> {
        let health = self.health(cx).await.map(|()| "status is healthy".to_owned());
        let sample = self.read(cx).await.map(|batch| {
            let figures = batch.figures.unwrap_or_default();
            format!("{} registered, {} inside", figures.total_registered, figures.current_attendees)
        });
        let checks = vec![
            Checked::of("health", &self.health.config().base, health),
            Checked::of("sample", &self.client.config().base, sample),
        ];
        checks
    }

    fn told(&self) -> Told {
        self.client.told()
    }

    async fn health(&self, cx: &Cx) -> Result<(), Fault> {
        let answer: Value = self.health.get_json(cx, &self.health_path).await?;
        match answer.get("status").and_then(Value::as_str) {
            Some("healthy") => Ok(()),
            Some(other) => {
                let other: String = other.chars().take(40).collect();
                let message = format!("asking the source's health: status is {other:?}, not \"healthy\"");
                Err(Fault::unavailable("events.source.unhealthy", message))
            }
            None => Err(garbage("status", "is missing or no text")),
        }
    }

    async fn initial(&self, cx: &Cx, _: Option<&str>) -> Result<Batch, Fault> {
        self.read(cx).await
    }

    async fn incremental(&self, cx: &Cx, _: &str) -> Result<Batch, Fault> {
        self.read(cx).await
    }

    async fn hinted(&self, cx: &Cx, _: &[Hint]) -> Result<Batch, Fault> {
        self.read(cx).await
    }

    fn read_hint(&self, body: &[u8]) -> Result<Option<Hint>, Fault> {
        let wrong = |problem: &str| {
            Fault::invalid_argument("events.hook.body", format!("reading a webhook: {problem}"))
        };
        let body: Value = serde_json::from_slice(body).map_err(|_| wrong("the body is no JSON"))?;
        let id = match body.get("id").or_else(|| body.get("notification_id")) {
            Some(Value::String(id)) if (1..=128).contains(&id.len()) => id.clone(),
            Some(Value::Number(id)) => id.to_string(),
            _ => return Err(wrong("field id is neither a text nor a number")),
        };
        let action = body.get("event").and_then(Value::as_str).unwrap_or("update");
        Ok(Some(Hint { notification_id: id, action: action.chars().take(100).collect(), order_code: None }))
    }
}
