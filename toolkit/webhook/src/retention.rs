//! Letting go of what is over: delivered messages soon, failed ones later, what is still to be sent never.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ieum_core::Timestamp;
use ieum_store::{Row, Store, Transaction, Value};

use crate::endpoints::marks;
use crate::error::{WebhookError, at};

/// How many messages one transaction removes, so that a purge never keeps others waiting for long.
const MOST_AT_ONCE: u32 = 500;

/// How long messages stay with their deliveries and attempts, so that they can be looked at and sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// A message that arrived everywhere, from the last arrival on.
    pub delivered: Duration,
    /// A message that failed, was cancelled or that no endpoint took, from its acceptance on.
    pub failed: Duration,
}

/// What a purge removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Messages.
    pub messages: u64,
    /// Their deliveries.
    pub deliveries: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self { delivered: Duration::from_secs(30 * 86_400), failed: Duration::from_secs(90 * 86_400) }
    }
}

/// Removes what is over, group by group, each in a transaction of its own.
///
/// A message goes with all its deliveries or not at all: one without its deliveries would count as missed and
/// be sent again by [`crate::Webhooks::resend_since`].
pub(crate) async fn purge(
    store: &Store,
    retention: &Retention,
    now: Timestamp,
) -> Result<Purged, WebhookError> {
    let mut purged = Purged::default();
    loop {
        let mut tx = store.begin().await.map_err(at("beginning to purge messages"))?;
        let over = over(&mut tx, retention, now).await?;
        let group = remove(&mut tx, &over).await?;
        tx.commit().await.map_err(at("purging messages"))?;
        purged.messages += group.messages;
        purged.deliveries += group.deliveries;
        // A group that others changed meanwhile must not be asked for again and again.
        if over.len() < MOST_AT_ONCE as usize || group == Purged::default() {
            return Ok(purged);
        }
    }
}

/// Returns partner and id of messages that are over, the oldest first.
async fn over(
    tx: &mut Transaction,
    retention: &Retention,
    now: Timestamp,
) -> Result<Vec<(String, String)>, WebhookError> {
    let step = "finding messages that are over";
    let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    let before = |span| Timestamp::from_micros(now.as_micros().saturating_sub(micros(span)));
    let (delivered, failed) = (before(retention.delivered), before(retention.failed));
    let sql = format!(
        "SELECT m.partner, m.id FROM ieum_webhook_message m WHERE m.created_at < ? AND NOT EXISTS \
         (SELECT 1 FROM ieum_webhook_delivery d WHERE d.message_id = m.id AND d.partner = m.partner \
         AND (d.state IN ('pending', 'held') OR (d.state = 'delivered' AND d.finished_at >= ?) \
         OR (d.state IN ('exhausted', 'cancelled') AND m.created_at >= ?))) \
         AND (m.created_at < ? OR EXISTS (SELECT 1 FROM ieum_webhook_delivery d \
         WHERE d.message_id = m.id AND d.partner = m.partner)) \
         ORDER BY m.created_at LIMIT {MOST_AT_ONCE}"
    );
    let sooner = delivered.max(failed);
    let values: Vec<Value> = vec![sooner.into(), delivered.into(), failed.into(), failed.into()];
    let rows = tx.fetch_all(&sql, &values).await.map_err(at(step))?;
    let read = |row: &Row| Ok((row.text("partner")?, row.text("id")?));
    rows.iter().map(|row| read(row).map_err(at(step))).collect()
}

/// Removes these messages with their deliveries and attempts. One that is due again by now stays.
async fn remove(tx: &mut Transaction, over: &[(String, String)]) -> Result<Purged, WebhookError> {
    let mut purged = Purged::default();
    if over.is_empty() {
        return Ok(purged);
    }
    let deliveries = deliveries_of(tx, over).await?;
    for group in deliveries.chunks(MOST_AT_ONCE as usize) {
        let holes = marks(group.len());
        let sql = format!(
            "DELETE FROM ieum_webhook_delivery WHERE state IN ('delivered', 'exhausted', 'cancelled') \
             AND id IN ({holes})"
        );
        purged.deliveries += tx.execute(&sql, group).await.map_err(at("purging deliveries"))?;
        let sql = format!("DELETE FROM ieum_webhook_attempt WHERE delivery_id IN ({holes})");
        tx.execute(&sql, group).await.map_err(at("purging the delivery log"))?;
    }
    let mut by_partner: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (partner, id) in over {
        by_partner.entry(partner).or_default().push(id.as_str().into());
    }
    for (partner, ids) in by_partner {
        let sql = format!(
            "DELETE FROM ieum_webhook_message WHERE partner = ? AND id IN ({}) AND NOT EXISTS \
             (SELECT 1 FROM ieum_webhook_delivery d WHERE d.message_id = ieum_webhook_message.id \
             AND d.partner = ieum_webhook_message.partner)",
            marks(ids.len())
        );
        let values: Vec<Value> = std::iter::once(Value::from(partner)).chain(ids).collect();
        purged.messages += tx.execute(&sql, &values).await.map_err(at("purging messages"))?;
    }
    Ok(purged)
}

/// Returns the ids of the messages' deliveries. A message id may be in use by several partners.
async fn deliveries_of(tx: &mut Transaction, over: &[(String, String)]) -> Result<Vec<Value>, WebhookError> {
    let step = "finding deliveries that are over";
    let wanted: BTreeSet<(&str, &str)> =
        over.iter().map(|(partner, id)| (partner.as_str(), id.as_str())).collect();
    let ids: BTreeSet<&str> = over.iter().map(|(_, id)| id.as_str()).collect();
    let values: Vec<Value> = ids.into_iter().map(Value::from).collect();
    let sql = format!(
        "SELECT id, partner, message_id FROM ieum_webhook_delivery WHERE message_id IN ({})",
        marks(values.len())
    );
    let mut found = Vec::new();
    for row in tx.fetch_all(&sql, &values).await.map_err(at(step))? {
        let (partner, message) =
            (row.text("partner").map_err(at(step))?, row.text("message_id").map_err(at(step))?);
        if wanted.contains(&(partner.as_str(), message.as_str())) {
            found.push(row.text("id").map_err(at(step))?.into());
        }
    }
    Ok(found)
}
