//! Listens to live events and tells their followers of an alert, once when it is raised.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ieum_bus::{Consumer, Event};
use ieum_contracts::events::{Alert, EVENT_DATA_UPDATED, NormalizedEventData, Severity};
use ieum_contracts::notify::{Recipient, SendNotification};
use ieum_core::{Cx, Fault, Timestamp};
use ieum_store::Transaction;

use crate::service::Service;
use crate::store::followers;

/// An alert that comes back within this time is the same one: figures around a threshold go to and fro.
const SAME: Duration = Duration::from_secs(15 * 60);

/// Follows the topic of live events.
pub struct Alerts(pub Arc<Service>);

/// Whether an alert is raised, and when it was last told.
#[derive(Clone, Copy)]
struct Known {
    raised: bool,
    told_at: Timestamp,
}

#[async_trait]
impl Consumer for Alerts {
    async fn handle(&self, _cx: &Cx, event: &Event, tx: &mut Transaction) -> Result<(), Fault> {
        if event.kind != EVENT_DATA_UPDATED {
            return Ok(());
        }
        let data: NormalizedEventData = serde_json::from_value(event.data.clone()).map_err(|error| {
            Fault::invalid_argument("notify.invalid", format!("reading a live event: {error}"))
        })?;
        let now = self.0.clock.now();
        let known = known(tx, &data.event_id).await?;
        let serious: Vec<&Alert> =
            data.alerts.iter().filter(|alert| alert.severity != Severity::Info).collect();
        for alert in &serious {
            let before = known.get(&alert.kind);
            if before.is_some_and(|before| before.raised) {
                continue;
            }
            let anew = before.is_none_or(|before| now.since(before.told_at) >= SAME);
            let told_at = if anew { now } else { before.map_or(now, |before| before.told_at) };
            keep(tx, &data.event_id, &alert.kind, Known { raised: true, told_at }).await?;
            if anew {
                self.tell(tx, event, &data, alert).await?;
            }
        }
        for (kind, before) in known {
            if before.raised && !serious.iter().any(|alert| alert.kind == kind) {
                keep(tx, &data.event_id, &kind, Known { raised: false, ..before }).await?;
            }
        }
        Ok(())
    }
}

impl Alerts {
    async fn tell(
        &self,
        tx: &mut Transaction,
        event: &Event,
        data: &NormalizedEventData,
        alert: &Alert,
    ) -> Result<(), Fault> {
        let severity = match alert.severity {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        };
        let follows = |one: &Recipient| one.follows.iter().any(|id| id == "*" || *id == data.event_id);
        for follower in followers(tx).await?.into_iter().filter(follows) {
            let values = [
                ("eventName", data.event_name.as_str()),
                ("message", &alert.message),
                ("severity", severity),
                ("kind", &alert.kind),
            ];
            let wish = SendNotification {
                notification_id: format!("alert:{}:{}", event.id, alert.kind).chars().take(140).collect(),
                recipient_id: follower.recipient_id,
                kind: format!("events.alert.{}", alert.kind).chars().take(100).collect(),
                template: "event_alert".to_owned(),
                values: values.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
                urgent: alert.severity == Severity::Critical,
                channels: Vec::new(),
            };
            self.0.accept(tx, &wish).await?;
            self.0.accepted(&wish.recipient_id);
        }
        Ok(())
    }
}

async fn known(tx: &mut Transaction, event_id: &str) -> Result<HashMap<String, Known>, Fault> {
    let sql = "SELECT kind, raised, told_at FROM ieum_notify_alert WHERE event_id = ?";
    let mut known = HashMap::new();
    for row in tx.fetch_all(sql, &[event_id.into()]).await? {
        let one = Known { raised: row.int("raised")? != 0, told_at: row.timestamp("told_at")? };
        known.insert(row.text("kind")?, one);
    }
    Ok(known)
}

async fn keep(tx: &mut Transaction, event_id: &str, kind: &str, known: Known) -> Result<(), Fault> {
    let columns = ["event_id", "kind", "raised", "told_at"];
    let sql = tx.dialect().upsert("ieum_notify_alert", &["event_id", "kind"], &columns);
    let values = [event_id.into(), kind.into(), i64::from(known.raised).into(), known.told_at.into()];
    tx.execute(&sql, &values).await?;
    Ok(())
}
