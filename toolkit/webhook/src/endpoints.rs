//! Queries over endpoints.

use std::collections::BTreeSet;
use std::time::Duration;

use ieum_core::{Id, Timestamp};
use ieum_store::{Row, SealedColumn, Sealer, Store, Transaction, Value};

use crate::endpoint::{DisabledReason, Endpoint, EndpointState, NewEndpoint, SecretRing, wants};
use crate::error::{WebhookError, at};
use crate::key_pair::SigningPair;
use crate::signing::SigningSecret;

const COLUMNS: &str = "id, partner, url, events, ordered, filters, public_key, state, reason, state_since, \
    failing_since, not_before, created_at";

/// Where the sealed secrets stand.
pub(crate) const SECRETS: SealedColumn =
    SealedColumn { table: "ieum_webhook_endpoint", column: "secrets", id: "id" };

/// The most partners looked up at once.
const MOST_PARTNERS: usize = 1_000;

/// An endpoint with what sending needs.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub endpoint: Endpoint,
    pub ring: SecretRing,
}

/// What is kept of an endpoint's secrets, and what of them everybody may know.
pub(crate) struct Secrets {
    pub sealed: String,
    pub public_key: String,
}

/// Inserts an endpoint with its sealed secrets, unless the partner has `most` already.
pub(crate) async fn insert(
    tx: &mut Transaction,
    id: Id,
    new: &NewEndpoint,
    secrets: Secrets,
    most: usize,
    now: Timestamp,
) -> Result<(), WebhookError> {
    let count = tx
        .fetch_one(
            "SELECT COUNT(*) AS present FROM ieum_webhook_endpoint WHERE partner = ?",
            &[new.partner.as_str().into()],
        )
        .await
        .and_then(|row| row.int("present"))
        .map_err(at("counting the partner's endpoints"))?;
    if usize::try_from(count).unwrap_or(usize::MAX) >= most {
        return Err(WebhookError::TooMany { partner: new.partner.clone(), most });
    }
    let events = serde_json::to_string(&new.events).expect("strings are JSON");
    let filters = serde_json::to_string(&new.filters).expect("JSON is JSON");
    let values: Vec<Value> = vec![
        id.into(),
        new.partner.as_str().into(),
        new.url.as_str().into(),
        events.into(),
        i64::from(new.ordered).into(),
        filters.into(),
        secrets.public_key.into(),
        now.into(),
        secrets.sealed.into(),
        now.into(),
    ];
    tx.execute(
        "INSERT INTO ieum_webhook_endpoint (id, partner, url, events, ordered, filters, public_key, state, \
         state_since, not_before, secrets, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, 'active', ?, 0, ?, ?)",
        &values,
    )
    .await
    .map_err(at("saving the endpoint"))?;
    Ok(())
}

/// Returns the partner's endpoints, the oldest first.
pub(crate) async fn list(
    store: &Store,
    partner: &str,
    now: Timestamp,
) -> Result<Vec<Endpoint>, WebhookError> {
    let sql =
        format!("SELECT {COLUMNS} FROM ieum_webhook_endpoint WHERE partner = ? ORDER BY created_at, id");
    let rows = store.fetch_all(&sql, &[partner.into()]).await.map_err(at("listing endpoints"))?;
    rows.iter().map(|row| read(row, now)).collect()
}

/// Returns every partner's endpoints, by partner, the oldest first.
pub(crate) async fn list_all(store: &Store, now: Timestamp) -> Result<Vec<Endpoint>, WebhookError> {
    let sql = format!("SELECT {COLUMNS} FROM ieum_webhook_endpoint ORDER BY partner, created_at, id");
    let rows = store.fetch_all(&sql, &[]).await.map_err(at("listing endpoints"))?;
    rows.iter().map(|row| read(row, now)).collect()
}

/// Returns these partners' endpoints within a transaction: what accepting a message fans out to.
pub(crate) async fn list_within(
    tx: &mut Transaction,
    partners: &BTreeSet<&str>,
    now: Timestamp,
) -> Result<Vec<Endpoint>, WebhookError> {
    let step = "finding who wants the message";
    let partners: Vec<Value> = partners.iter().map(|partner| Value::from(*partner)).collect();
    let mut found = Vec::new();
    for group in partners.chunks(MOST_PARTNERS) {
        let mut group = group.to_vec();
        let holes = padded(&mut group);
        let sql = format!(
            "SELECT {COLUMNS} FROM ieum_webhook_endpoint WHERE partner IN ({holes}) ORDER BY created_at, id"
        );
        for row in tx.fetch_all(&sql, &group).await.map_err(at(step))? {
            found.push(read(&row, now)?);
        }
    }
    Ok(found)
}

/// Returns the partners that have an active endpoint which wants `event`, in order.
pub(crate) async fn subscribers(tx: &mut Transaction, event: &str) -> Result<Vec<String>, WebhookError> {
    let step = "finding who subscribes to the event";
    let rows = tx
        .fetch_all("SELECT partner, events FROM ieum_webhook_endpoint WHERE state = 'active'", &[])
        .await
        .map_err(at(step))?;
    let mut partners = BTreeSet::new();
    for row in &rows {
        let events = row.text("events").map_err(at(step))?;
        let events: Vec<String> = serde_json::from_str(&events)
            .map_err(|_| WebhookError::Damaged { what: "an endpoint's events".into() })?;
        if wants(&events, event) {
            partners.insert(row.text("partner").map_err(at(step))?);
        }
    }
    Ok(partners.into_iter().collect())
}

/// Returns one endpoint of the partner.
pub(crate) async fn get(
    store: &Store,
    partner: &str,
    id: Id,
    now: Timestamp,
) -> Result<Endpoint, WebhookError> {
    let sql = format!("SELECT {COLUMNS} FROM ieum_webhook_endpoint WHERE id = ? AND partner = ?");
    let row =
        store.fetch_optional(&sql, &[id.into(), partner.into()]).await.map_err(at("reading the endpoint"))?;
    read(&row.ok_or(WebhookError::NoEndpoint(id))?, now)
}

/// Returns the endpoints of these ids with their secrets. One whose secrets do not open is told in the log and
/// left out, so that it does not keep the others from being sent to.
pub(crate) async fn targets(
    tx: &mut Transaction,
    sealer: &Sealer,
    ids: &[String],
    now: Timestamp,
) -> Result<Vec<Target>, WebhookError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut values: Vec<Value> = ids.iter().map(|id| id.as_str().into()).collect();
    let holes = padded(&mut values);
    let sql = format!("SELECT {COLUMNS}, secrets FROM ieum_webhook_endpoint WHERE id IN ({holes})");
    let rows = tx.fetch_all(&sql, &values).await.map_err(at("reading endpoints to send to"))?;
    let mut targets = Vec::with_capacity(rows.len());
    for row in &rows {
        let endpoint = read(row, now)?;
        match ring(sealer, row, endpoint.id) {
            Ok(ring) => targets.push(Target { endpoint, ring }),
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                endpoint = %endpoint.id,
                "a webhook endpoint cannot be sent to"
            ),
        }
    }
    Ok(targets)
}

/// Deletes the endpoint and what was to be sent to it.
pub(crate) async fn delete(tx: &mut Transaction, partner: &str, id: Id) -> Result<(), WebhookError> {
    let gone = tx
        .execute(
            "DELETE FROM ieum_webhook_endpoint WHERE id = ? AND partner = ?",
            &[id.into(), partner.into()],
        )
        .await
        .map_err(at("deleting the endpoint"))?;
    if gone == 0 {
        return Err(WebhookError::NoEndpoint(id));
    }
    tx.execute(
        "UPDATE ieum_webhook_delivery SET state = 'cancelled', lease_until = 0 \
         WHERE endpoint_id = ? AND state IN ('pending', 'held')",
        &[id.into()],
    )
    .await
    .map_err(at("cancelling what was to be sent"))?;
    Ok(())
}

/// Disables the endpoint and holds back what is pending. Disabling twice keeps the first reason.
pub(crate) async fn disable(
    tx: &mut Transaction,
    id: Id,
    reason: DisabledReason,
    now: Timestamp,
) -> Result<bool, WebhookError> {
    let changed = tx
        .execute(
            "UPDATE ieum_webhook_endpoint SET state = 'disabled', reason = ?, state_since = ? \
             WHERE id = ? AND state = 'active'",
            &[reason.name().into(), now.into(), id.into()],
        )
        .await
        .map_err(at("disabling the endpoint"))?;
    tx.execute(
        "UPDATE ieum_webhook_delivery SET state = 'held', lease_until = 0 \
         WHERE endpoint_id = ? AND state = 'pending'",
        &[id.into()],
    )
    .await
    .map_err(at("holding back what was to be sent"))?;
    Ok(changed > 0)
}

/// Enables the endpoint; what was held back is due at once, with its whole schedule.
pub(crate) async fn enable(tx: &mut Transaction, id: Id, now: Timestamp) -> Result<(), WebhookError> {
    tx.execute(
        "UPDATE ieum_webhook_endpoint SET state = 'active', reason = NULL, state_since = ?, \
         failing_since = NULL, not_before = 0 WHERE id = ?",
        &[now.into(), id.into()],
    )
    .await
    .map_err(at("enabling the endpoint"))?;
    tx.execute(
        "UPDATE ieum_webhook_delivery SET state = 'pending', attempts = 0, due_at = ? \
         WHERE endpoint_id = ? AND state = 'held'",
        &[now.into(), id.into()],
    )
    .await
    .map_err(at("releasing what was held back"))?;
    Ok(())
}

/// Puts a new secret and a new pair first.
pub(crate) async fn rotate(
    tx: &mut Transaction,
    sealer: &Sealer,
    id: Id,
    (secret, pair): (&SigningSecret, &SigningPair),
    overlap: Duration,
    now: Timestamp,
) -> Result<(), WebhookError> {
    let row = tx
        .fetch_optional("SELECT secrets FROM ieum_webhook_endpoint WHERE id = ?", &[id.into()])
        .await
        .map_err(at("reading the endpoint's secrets"))?;
    let row = row.ok_or(WebhookError::NoEndpoint(id))?;
    let ring = ring(sealer, &row, id)?.rotate(secret.clone(), pair.clone(), now, overlap);
    tx.execute(
        "UPDATE ieum_webhook_endpoint SET secrets = ?, public_key = ? WHERE id = ?",
        &[seal(sealer, id, &ring).into(), pair.public_key().to_string().into(), id.into()],
    )
    .await
    .map_err(at("saving the endpoint's secrets"))?;
    Ok(())
}

/// Returns `count` placeholders.
pub(crate) fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// Repeats the last value until there are 1, 2, 4, 8 … of them, and returns their placeholders. What `IN` finds
/// stays the same, and a connection prepares ten statements instead of one for every length.
pub(crate) fn padded(values: &mut Vec<Value>) -> String {
    let count = values.len().next_power_of_two();
    if let Some(last) = values.last().cloned() {
        values.resize(count, last);
    }
    marks(count)
}

/// Returns the text to keep of an endpoint's secrets.
pub(crate) fn seal(sealer: &Sealer, id: Id, ring: &SecretRing) -> String {
    sealer.seal(&SECRETS.at(&id.to_string()), &ring.to_stored())
}

fn ring(sealer: &Sealer, row: &Row, id: Id) -> Result<SecretRing, WebhookError> {
    let stored = row.text("secrets").map_err(at("reading the endpoint's secrets"))?;
    let opened = sealer.open(&SECRETS.at(&id.to_string()), &stored).map_err(WebhookError::Seal)?;
    SecretRing::from_stored(&opened)
        .ok_or_else(|| WebhookError::Damaged { what: "an endpoint's secrets".into() })
}

fn read(row: &Row, now: Timestamp) -> Result<Endpoint, WebhookError> {
    let step = "reading an endpoint";
    let damaged = || WebhookError::Damaged { what: "an endpoint".into() };
    let id = row.text("id").map_err(at(step))?;
    let until = Timestamp::from_micros(row.int("not_before").map_err(at(step))?);
    let state = match row.text("state").map_err(at(step))?.as_str() {
        "active" if until > now => EndpointState::Paused { until },
        "active" => EndpointState::Active,
        _ => EndpointState::Disabled {
            reason: row
                .opt_text("reason")
                .map_err(at(step))?
                .and_then(|name| DisabledReason::from_name(&name))
                .ok_or_else(damaged)?,
            since: Timestamp::from_micros(row.int("state_since").map_err(at(step))?),
        },
    };
    let events = row.text("events").map_err(at(step))?;
    let filters = row.opt_text("filters").map_err(at(step))?;
    Ok(Endpoint {
        id: id.parse().map_err(|_| damaged())?,
        partner: row.text("partner").map_err(at(step))?,
        url: row.text("url").map_err(at(step))?,
        events: serde_json::from_str(&events).map_err(|_| damaged())?,
        ordered: row.int("ordered").map_err(at(step))? != 0,
        filters: serde_json::from_str(filters.as_deref().unwrap_or("[]")).map_err(|_| damaged())?,
        public_key: row.opt_text("public_key").map_err(at(step))?,
        state,
        failing_since: row.opt_int("failing_since").map_err(at(step))?.map(Timestamp::from_micros),
        created_at: Timestamp::from_micros(row.int("created_at").map_err(at(step))?),
    })
}
