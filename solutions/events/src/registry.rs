//! Registers sources: probed, saved, then read, scheduled and watched.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_contracts::events::{
    ConnectorKind, EventServiceConfig, EventServiceRegistry, ListSources, ProbeReport, Progress, Registered,
    Removed, SourceId, SourceStatus, Sources,
};
use ieum_core::{Cx, Fault, Secret, SharedClock, new_id};
use rand::Rng;

use crate::collector::Collector;
use crate::connector::{Connector, invalid, probe, push};
use crate::driver::Driver;
use crate::programme::rules::read_room_lists;
use crate::programme::{ATTENDED_BY, ROOM_LISTS};
use crate::progress::progress;
use crate::realtime::Realtime;
use crate::rules::is_event_id;
use crate::store::{EventsStore, Source};

/// Keeps the list of sources.
pub struct Registry {
    pub(crate) store: EventsStore,
    pub(crate) collector: Arc<Collector>,
    pub(crate) driver: Arc<Driver>,
    pub(crate) realtime: Arc<Realtime>,
    pub(crate) clock: SharedClock,
}

#[async_trait]
impl EventServiceRegistry for Registry {
    async fn register(&self, cx: &Cx, config: EventServiceConfig) -> Result<Registered, Fault> {
        validate(&config)?;
        let event_id = config.event_id.clone();
        let connector = crate::connector::open(&config, self.collector.outbound(), &self.clock)?;
        let probe = self.probe(cx, &*connector, &config).await;
        if !probe.ok {
            return Err(probe_failed(&event_id, &probe));
        }
        let earlier = self.store.source(&event_id).await.ok();
        let secret = match &earlier {
            Some(earlier) => earlier.hook_secret.clone(),
            None => hook_secret(),
        };
        let replaced = self.store.save_source(&config, &secret, self.clock.now()).await?;
        self.collector.forget(&event_id);
        self.attach_webhook(cx, &config, &secret, earlier.as_ref()).await;
        self.driver.add(&config);
        tracing::info!(event_id, connector = ?config.connector, replaced, "source is registered");
        Ok(Registered { event_id, probe, replaced })
    }

    async fn list(&self, _: &Cx, _: ListSources) -> Result<Sources, Fault> {
        let mut sources = Vec::new();
        for source in self.store.sources().await? {
            let cursor = self.store.cursor(&source.config.event_id).await?;
            let scans = self.store.scan_counts(&source.config.event_id).await?;
            let gone_orders = self.store.gone_orders(&source.config.event_id).await?;
            sources.push(SourceStatus {
                event_id: source.config.event_id,
                service_name: source.config.service_name,
                connector: source.config.connector,
                api: source.config.endpoints.api,
                interval: source.config.sync_settings.interval,
                phase: cursor.phase,
                healthy: source.healthy,
                last_success_at: source.last_success_at,
                last_error: source.last_error,
                last_error_wording: source.last_error_wording,
                failures: source.failures,
                synced_rows: cursor.synced_rows,
                cursor: cursor.text,
                scans,
                gone_orders,
                swept_at: cursor.swept_at,
            });
        }
        Ok(Sources { sources })
    }

    async fn check(&self, cx: &Cx, ask: SourceId) -> Result<ProbeReport, Fault> {
        let source = self.store.source(&ask.event_id).await?;
        let connector = self.collector.connector(&source.config)?;
        Ok(self.probe(cx, &*connector, &source.config).await)
    }

    async fn progress(&self, _: &Cx, ask: SourceId) -> Result<Progress, Fault> {
        let source = self.store.source(&ask.event_id).await?;
        let cursor = self.store.cursor(&ask.event_id).await?;
        let read = self.store.read_counts(&ask.event_id, &cursor).await?;
        Ok(progress(&source, &cursor, read, self.driver.reads(&ask.event_id)))
    }

    async fn remove(&self, cx: &Cx, ask: SourceId) -> Result<Removed, Fault> {
        let source = self.store.source(&ask.event_id).await?;
        self.driver.remove(&ask.event_id);
        self.detach_webhook(cx, &source).await;
        self.store.remove_source(&ask.event_id).await?;
        self.collector.forget(&ask.event_id);
        self.realtime.hide(&ask.event_id).await;
        tracing::info!(event_id = ask.event_id, "source is removed");
        Ok(Removed { event_id: ask.event_id })
    }
}

impl Registry {
    async fn probe(&self, cx: &Cx, connector: &dyn Connector, config: &EventServiceConfig) -> ProbeReport {
        if config.connector == ConnectorKind::Push {
            return push::report(config);
        }
        probe::report(connector, cx, config, self.collector.outbound(), &self.clock).await
    }

    /// Asks the source for webhooks, where we have an address for it. Without them the source is still read
    /// on schedule, so a refusal is logged and no failure.
    async fn attach_webhook(
        &self,
        cx: &Cx,
        config: &EventServiceConfig,
        secret: &Secret,
        earlier: Option<&Source>,
    ) {
        let event_id = &config.event_id;
        if let Some(earlier) = earlier.filter(|earlier| earlier.config.endpoints != config.endpoints) {
            self.detach_webhook(cx, earlier).await;
        }
        let Some(address) = &config.endpoints.webhook else { return };
        let url = hook_url(address, event_id, secret);
        let attached = match self.collector.connector(config) {
            Ok(connector) => connector.attach_webhook(cx, &url).await,
            Err(fault) => Err(fault),
        };
        let saved = match attached {
            Ok(Some(id)) => self.store.set_webhook(event_id, &id).await,
            Ok(None) => Ok(()),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = saved {
            tracing::warn!(event_id, error = %fault, "asking the source for webhooks failed; it is read on schedule");
        }
    }

    async fn detach_webhook(&self, cx: &Cx, source: &Source) {
        let Some(id) = &source.webhook_id else { return };
        let detached = match self.collector.connector(&source.config) {
            Ok(connector) => connector.detach_webhook(cx, id).await,
            Err(fault) => Err(fault),
        };
        if let Err(fault) = detached {
            let event_id = &source.config.event_id;
            tracing::warn!(event_id, error = %fault, "asking the source to send no more webhooks failed");
        }
    }
}

/// Returns the address to which a source sends its webhooks.
fn hook_url(address: &str, event_id: &str, secret: &Secret) -> String {
    format!("{}/hooks/{event_id}/{}", address.trim_end_matches('/'), secret.expose())
}

fn hook_secret() -> Secret {
    let bytes: [u8; 16] = rand::rng().random();
    let random: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    // The id in front only keeps two secrets apart whatever the random source does.
    Secret::new(format!("{random}{}", new_id().simple()))
}

/// Fails with `events.source.invalid`, naming the first field that can never work.
fn validate(config: &EventServiceConfig) -> Result<(), Fault> {
    if !is_event_id(&config.event_id) {
        return Err(invalid("eventId", "is not 1 to 64 letters, digits, -, _ and ."));
    }
    if config.service_name.trim().is_empty() || config.service_name.len() > 200 {
        return Err(invalid("serviceName", "is empty or longer than 200 bytes"));
    }
    if !(1..=86_400).contains(&config.sync_settings.interval) {
        return Err(invalid("syncSettings.interval", "is not between 1 and 86400 seconds"));
    }
    if !(1..=60_000).contains(&config.sync_settings.requests_per_minute) {
        return Err(invalid("syncSettings.requestsPerMinute", "is not between 1 and 60000"));
    }
    let retry = &config.sync_settings.retry_policy;
    if !(1..=10).contains(&retry.attempts) {
        return Err(invalid("syncSettings.retryPolicy.attempts", "is not between 1 and 10"));
    }
    if !(1..=60_000).contains(&retry.first_ms) {
        return Err(invalid("syncSettings.retryPolicy.firstMs", "is not between 1 and 60000"));
    }
    if let Some(other) = config.options.get(ATTENDED_BY).filter(|other| !is_event_id(other)) {
        let shown: String = other.chars().take(64).collect();
        return Err(invalid("options.attendedBy", format!("is {shown:?}, no event id")));
    }
    if let Some(text) = config.options.get(ROOM_LISTS) {
        read_room_lists(text).map_err(|problem| invalid("options.roomLists", problem))?;
    }
    crate::gates::check_options(config)?;
    if let Some(address) = &config.endpoints.webhook {
        crate::connector::base_url("endpoints.webhook", address)?;
    }
    Ok(())
}

fn probe_failed(event_id: &str, probe: &ProbeReport) -> Fault {
    let failed: Vec<String> = probe
        .checks
        .iter()
        .filter(|check| !check.ok)
        .map(|check| {
            let advice = check.advice.as_ref().map(|advice| format!("; {advice}")).unwrap_or_default();
            format!("{}: {}{advice}", check.name, check.detail)
        })
        .collect();
    let message = format!("probing source {event_id}: {}", failed.join("; "));
    Fault::failed_precondition("events.source.probe_failed", message)
}
