//! Queries over messages and deliveries: accepting, claiming, showing, sending again.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Id, Timestamp, TraceContext, new_id};
use ieum_store::{Dialect, Insert, Row, Sealer, Store, Transaction, Value};

use crate::endpoint::{Endpoint, EndpointState, wants};
use crate::endpoints::{self, Target, marks, padded};
use crate::error::{WebhookError, at};
use crate::filter::Body;
use crate::log::{Delivery, read_delivery};
use crate::message::TEST_EVENT;

/// The most message ids looked up at once.
const MOST_LOOKED_UP: usize = 1_000;

/// A delivery that this process may send until its lease ends.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    pub id: Id,
    pub target: Arc<Target>,
    pub message_id: String,
    pub event: String,
    pub body: bytes::Bytes,
    pub trace: TraceContext,
    /// Attempts made within the present schedule.
    pub attempts: u32,
    /// Attempts made ever; the log's next number follows it.
    pub tries: u32,
    pub lease_until: Timestamp,
}

/// What is claimed, by whom, for how long.
#[derive(Clone, Debug)]
pub(crate) struct Claim<'a> {
    pub sealer: &'a Sealer,
    pub owner: &'a str,
    pub most: usize,
    pub lease: Duration,
    pub without: &'a [String],
}

/// A checked message with its body, ready to be stored.
pub(crate) struct Accepted {
    pub partner: String,
    pub id: String,
    pub event: String,
    pub key: Option<String>,
    pub body: String,
    pub trace: TraceContext,
}

/// When messages were accepted, and when their first attempt is due.
#[derive(Clone, Copy)]
pub(crate) struct Acceptance {
    pub now: Timestamp,
    pub due: Timestamp,
}

/// Stores messages and one delivery per endpoint that wants them, in as few statements for many as for one.
/// Returns how many deliveries; a message whose id was accepted before, or whose partner has no endpoint,
/// makes none.
pub(crate) async fn accept(
    tx: &mut Transaction,
    messages: &[Accepted],
    acceptance: Acceptance,
) -> Result<usize, WebhookError> {
    plan_anew(tx).await?;
    let partners: BTreeSet<&str> = messages.iter().map(|one| one.partner.as_str()).collect();
    let present = endpoints::list_within(tx, &partners, acceptance.now).await?;
    let has_any = |partner: &str| present.iter().any(|endpoint| endpoint.partner == partner);
    let messages: Vec<&Accepted> = messages.iter().filter(|one| has_any(&one.partner)).collect();
    let known = known_messages(tx, &messages).await?;
    // The same id twice in one group counts once.
    let mut taken = known;
    let fresh: Vec<&Accepted> =
        messages.into_iter().filter(|one| taken.insert((one.partner.clone(), one.id.clone()))).collect();
    let mut deliveries = Vec::new();
    for one in &fresh {
        let body = Body::new(&one.body);
        let takers = present
            .iter()
            .filter(|endpoint| endpoint.partner == one.partner)
            .filter(|endpoint| !matches!(endpoint.state, EndpointState::Disabled { .. }))
            .filter(|endpoint| wants(&endpoint.events, &one.event) && body.meets(&endpoint.filters));
        for endpoint in takers {
            let order_key = if endpoint.ordered { one.key.clone() } else { None };
            deliveries.push(NewDelivery {
                endpoint: endpoint.id,
                partner: one.partner.clone(),
                message_id: one.id.clone(),
                event: one.event.clone(),
                order_key,
            });
        }
    }
    insert_messages(tx, fresh, acceptance).await?;
    let count = deliveries.len();
    insert_deliveries(tx, deliveries, acceptance.due, acceptance.now).await?;
    Ok(count)
}

/// Returns which of the messages were accepted before, as partner and id.
async fn known_messages(
    tx: &mut Transaction,
    messages: &[&Accepted],
) -> Result<BTreeSet<(String, String)>, WebhookError> {
    let step = "looking for known messages";
    let mut known = BTreeSet::new();
    for group in messages.chunks(MOST_LOOKED_UP) {
        let mut values: Vec<Value> = group.iter().map(|one| one.id.as_str().into()).collect();
        let sql =
            format!("SELECT partner, id FROM ieum_webhook_message WHERE id IN ({})", padded(&mut values));
        for row in tx.fetch_all(&sql, &values).await.map_err(at(step))? {
            known.insert((row.text("partner").map_err(at(step))?, row.text("id").map_err(at(step))?));
        }
    }
    Ok(known)
}

async fn insert_messages(
    tx: &mut Transaction,
    messages: Vec<&Accepted>,
    acceptance: Acceptance,
) -> Result<(), WebhookError> {
    let rows = messages.into_iter().map(|one| {
        vec![
            one.partner.as_str().into(),
            one.id.as_str().into(),
            one.event.as_str().into(),
            one.key.clone().into(),
            one.body.as_str().into(),
            one.trace.to_string().into(),
            acceptance.now.into(),
        ]
    });
    // Another transaction may have accepted the same id since it was looked for.
    Insert::into("ieum_webhook_message")
        .columns(["partner", "id", "event", "order_key", "body", "traceparent", "created_at"])
        .rows(rows)
        .or_ignore(["partner", "id"])
        .run_in(tx)
        .await
        .map_err(at("saving messages"))?;
    Ok(())
}

struct NewDelivery {
    endpoint: Id,
    partner: String,
    message_id: String,
    event: String,
    order_key: Option<String>,
}

async fn insert_deliveries(
    tx: &mut Transaction,
    deliveries: Vec<NewDelivery>,
    due: Timestamp,
    now: Timestamp,
) -> Result<(), WebhookError> {
    let rows = deliveries.into_iter().map(|one| {
        vec![
            new_id().into(),
            one.endpoint.into(),
            one.partner.into(),
            one.message_id.into(),
            one.event.into(),
            one.order_key.into(),
            "pending".into(),
            0_i64.into(),
            0_i64.into(),
            due.into(),
            0_i64.into(),
            now.into(),
        ]
    });
    Insert::into("ieum_webhook_delivery")
        .columns([
            "id",
            "endpoint_id",
            "partner",
            "message_id",
            "event",
            "order_key",
            "state",
            "attempts",
            "tries",
            "due_at",
            "lease_until",
            "created_at",
        ])
        .rows(rows)
        .or_ignore(["endpoint_id", "message_id"])
        .run_in(tx)
        .await
        .map_err(at("saving deliveries"))?;
    Ok(())
}

/// Leases due deliveries to `claim.owner`. Of an ordered endpoint's key only the earliest
/// unfinished delivery is ever due.
pub(crate) async fn claim(
    tx: &mut Transaction,
    dialect: Dialect,
    claim: &Claim<'_>,
    now: Timestamp,
) -> Result<Vec<Claimed>, WebhookError> {
    plan_anew(tx).await?;
    let rows = due_rows(tx, dialect, claim, now).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut ids = Vec::with_capacity(rows.len());
    let mut endpoint_ids = Vec::new();
    for row in &rows {
        ids.push(row.text("id").map_err(at("reading a due delivery"))?);
        endpoint_ids.push(row.text("endpoint_id").map_err(at("reading a due delivery"))?);
    }
    endpoint_ids.sort_unstable();
    endpoint_ids.dedup();
    let lease_until = now + claim.lease;
    let mut listed: Vec<Value> = ids.iter().map(|id| Value::from(id.as_str())).collect();
    let sql = format!(
        "UPDATE ieum_webhook_delivery SET lease_until = ?, lease_owner = ? WHERE id IN ({})",
        padded(&mut listed)
    );
    let mut values: Vec<Value> = vec![lease_until.into(), claim.owner.into()];
    values.append(&mut listed);
    tx.execute(&sql, &values).await.map_err(at("leasing due deliveries"))?;
    let targets = endpoints::targets(tx, claim.sealer, &endpoint_ids, now).await?;
    let targets: HashMap<String, Arc<Target>> =
        targets.into_iter().map(|target| (target.endpoint.id.to_string(), Arc::new(target))).collect();
    let bodies = bodies(tx, &rows).await?;
    let read = |row: &Row| read_claimed(row, &targets, &bodies, lease_until);
    rows.iter().filter_map(|row| read(row).transpose()).collect()
}

/// What is sent, and within which trace, by partner and message id.
type Bodies = HashMap<(String, String), (bytes::Bytes, TraceContext)>;

/// Reads the messages of due deliveries.
async fn bodies(tx: &mut Transaction, due: &[Row]) -> Result<Bodies, WebhookError> {
    let step = "reading due messages";
    let ids: BTreeSet<String> =
        due.iter().map(|row| row.text("message_id")).collect::<Result<_, _>>().map_err(at(step))?;
    let mut values: Vec<Value> = ids.into_iter().map(Value::from).collect();
    let holes = padded(&mut values);
    let sql =
        format!("SELECT partner, id, body, traceparent FROM ieum_webhook_message WHERE id IN ({holes})");
    let mut bodies = Bodies::new();
    for row in tx.fetch_all(&sql, &values).await.map_err(at(step))? {
        let text = |column| row.text(column).map_err(at(step));
        let trace = text("traceparent")?.parse().unwrap_or_else(|_| TraceContext::root());
        bodies.insert((text("partner")?, text("id")?), (text("body")?.into(), trace));
    }
    Ok(bodies)
}

async fn due_rows(
    tx: &mut Transaction,
    dialect: Dialect,
    claim: &Claim<'_>,
    now: Timestamp,
) -> Result<Vec<Row>, WebhookError> {
    let without = match claim.without.len() {
        0 => String::new(),
        count => format!("AND d.endpoint_id NOT IN ({})", marks(count)),
    };
    let lock = match dialect {
        Dialect::Sqlite => "",
        Dialect::Postgres => "FOR UPDATE OF d SKIP LOCKED",
        Dialect::MySql => "FOR UPDATE SKIP LOCKED",
    };
    // Endpoints that rest are left out, instead of those that work asked for, and messages are read later: by `IN`
    // or a join a planner may begin with those tables, and read the whole history instead of what is pending.
    let sql = format!(
        "SELECT d.id, d.endpoint_id, d.partner, d.message_id, d.event, d.attempts, d.tries \
         FROM ieum_webhook_delivery d WHERE d.state = 'pending' AND d.due_at <= ? AND d.lease_until <= ? \
         AND d.endpoint_id NOT IN (SELECT e.id FROM ieum_webhook_endpoint e \
             WHERE e.state <> 'active' OR e.not_before > ?) {without} \
         AND NOT EXISTS (SELECT 1 FROM ieum_webhook_delivery p WHERE p.endpoint_id = d.endpoint_id \
             AND p.order_key = d.order_key AND p.order_key IS NOT NULL AND p.state = 'pending' \
             AND p.id < d.id) \
         ORDER BY d.due_at LIMIT {} {lock}",
        claim.most
    );
    let mut values: Vec<Value> = vec![now.into(), now.into(), now.into()];
    values.extend(claim.without.iter().map(|id| Value::from(id.as_str())));
    tx.fetch_all(&sql, &values).await.map_err(at("finding due deliveries"))
}

fn read_claimed(
    row: &Row,
    targets: &HashMap<String, Arc<Target>>,
    bodies: &Bodies,
    lease_until: Timestamp,
) -> Result<Option<Claimed>, WebhookError> {
    let step = "reading a due delivery";
    let endpoint_id = row.text("endpoint_id").map_err(at(step))?;
    // Deleted between the two reads, and cancelled by whoever deleted it; or not to be opened now.
    let Some(target) = targets.get(&endpoint_id) else { return Ok(None) };
    let id = row.text("id").map_err(at(step))?;
    let message = (row.text("partner").map_err(at(step))?, row.text("message_id").map_err(at(step))?);
    let Some((body, trace)) = bodies.get(&message).cloned() else {
        // Told and passed over, so that it does not keep the others from being sent.
        tracing::error!(delivery = %id, message = message.1, "a webhook delivery has no message");
        return Ok(None);
    };
    Ok(Some(Claimed {
        id: id.parse().map_err(|_| WebhookError::Damaged { what: "a delivery's id".into() })?,
        target: Arc::clone(target),
        message_id: message.1,
        event: row.text("event").map_err(at(step))?,
        body,
        trace,
        attempts: whole(row.int("attempts").map_err(at(step))?),
        tries: whole(row.int("tries").map_err(at(step))?),
        lease_until,
    }))
}

/// Has PostgreSQL plan the transaction's statements for what the tables hold now. A plan that is kept from when they
/// were small reads them whole until they are next analysed, which at many thousand rows takes a second.
pub(crate) async fn plan_anew(tx: &mut Transaction) -> Result<(), WebhookError> {
    if tx.dialect() == Dialect::Postgres {
        tx.execute("SET LOCAL plan_cache_mode = force_custom_plan", &[])
            .await
            .map_err(at("planning anew"))?;
    }
    Ok(())
}

pub(crate) fn whole(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

/// Makes a finished, held or waiting delivery due now, with its whole schedule and the same message id.
pub(crate) async fn resend(
    store: &Store,
    partner: &str,
    id: Id,
    now: Timestamp,
) -> Result<Delivery, WebhookError> {
    let changed = store
        .execute(
            "UPDATE ieum_webhook_delivery SET state = 'pending', attempts = 0, due_at = ?, lease_until = 0, \
             lease_owner = NULL, finished_at = NULL WHERE id = ? AND partner = ? AND endpoint_id IN \
             (SELECT id FROM ieum_webhook_endpoint WHERE state = 'active')",
            &[now.into(), id.into(), partner.into()],
        )
        .await
        .map_err(at("making the delivery due again"))?;
    let row = store
        .fetch_optional(
            "SELECT * FROM ieum_webhook_delivery WHERE id = ? AND partner = ?",
            &[id.into(), partner.into()],
        )
        .await
        .map_err(at("reading the delivery"))?;
    let delivery = read_delivery(&row.ok_or(WebhookError::NoDelivery(id))?)?;
    if changed == 0 {
        return Err(WebhookError::NotActive(delivery.endpoint_id));
    }
    Ok(delivery)
}

/// Which messages an endpoint is to get again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Those accepted from this time on.
    pub since: Timestamp,
    /// Those accepted before this time; up to now where left out.
    pub until: Option<Timestamp>,
    /// Whether what arrived is sent again too, instead of only what did not.
    pub delivered: bool,
}

/// Makes messages of a span due again: failed, held and cancelled deliveries, delivered ones where asked for, and
/// messages the endpoint wants that had no delivery to it, such as those of a disabled time.
pub(crate) async fn replay(
    tx: &mut Transaction,
    partner: &str,
    endpoint: Id,
    replay: Replay,
    now: Timestamp,
) -> Result<u64, WebhookError> {
    let endpoint = active(tx, partner, endpoint, now).await?;
    let until = replay.until.unwrap_or(Timestamp::from_micros(i64::MAX));
    let states = match replay.delivered {
        true => "'exhausted', 'held', 'cancelled', 'delivered'",
        false => "'exhausted', 'held', 'cancelled'",
    };
    let sql = format!(
        "UPDATE ieum_webhook_delivery SET state = 'pending', attempts = 0, due_at = ?, lease_until = 0, \
         lease_owner = NULL, finished_at = NULL WHERE endpoint_id = ? AND created_at >= ? AND created_at < ? \
         AND state IN ({states})"
    );
    let values = [now.into(), endpoint.id.into(), replay.since.into(), until.into()];
    let due_again = tx.execute(&sql, &values).await.map_err(at("making deliveries due again"))?;
    let missed = missed(tx, &endpoint, replay.since, until).await?;
    let count = due_again + missed.len() as u64;
    insert_deliveries(tx, missed, now, now).await?;
    Ok(count)
}

/// Returns the messages of a span that an endpoint wants and has no delivery of.
async fn missed(
    tx: &mut Transaction,
    endpoint: &Endpoint,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<NewDelivery>, WebhookError> {
    let rows = tx
        .fetch_all(
            "SELECT m.id, m.event, m.order_key, m.body FROM ieum_webhook_message m WHERE m.partner = ? \
             AND m.created_at >= ? AND m.created_at < ? AND m.event <> ? AND NOT EXISTS (SELECT 1 \
             FROM ieum_webhook_delivery d WHERE d.endpoint_id = ? AND d.message_id = m.id) \
             ORDER BY m.created_at",
            &[
                endpoint.partner.as_str().into(),
                since.into(),
                until.into(),
                // A trial is for the endpoint it was asked of alone.
                TEST_EVENT.into(),
                endpoint.id.into(),
            ],
        )
        .await
        .map_err(at("finding missed messages"))?;
    let mut deliveries = Vec::new();
    for row in &rows {
        let step = "reading a missed message";
        let (event, body) = (row.text("event").map_err(at(step))?, row.text("body").map_err(at(step))?);
        if !wants(&endpoint.events, &event) || !Body::new(&body).meets(&endpoint.filters) {
            continue;
        }
        deliveries.push(NewDelivery {
            endpoint: endpoint.id,
            partner: endpoint.partner.clone(),
            message_id: row.text("id").map_err(at(step))?,
            event,
            order_key: if endpoint.ordered { row.opt_text("order_key").map_err(at(step))? } else { None },
        });
    }
    Ok(deliveries)
}

/// Stores a message for one endpoint alone, whatever it subscribes to.
pub(crate) async fn accept_for(
    tx: &mut Transaction,
    endpoint: Id,
    message: &Accepted,
    now: Timestamp,
) -> Result<(), WebhookError> {
    let endpoint = active(tx, &message.partner, endpoint, now).await?;
    let acceptance = Acceptance { now, due: now };
    insert_messages(tx, vec![message], acceptance).await?;
    let delivery = NewDelivery {
        endpoint: endpoint.id,
        partner: message.partner.clone(),
        message_id: message.id.clone(),
        event: message.event.clone(),
        order_key: None,
    };
    insert_deliveries(tx, vec![delivery], now, now).await
}

/// Returns the partner's endpoint. Fails where there is none or it is disabled.
async fn active(
    tx: &mut Transaction,
    partner: &str,
    id: Id,
    now: Timestamp,
) -> Result<Endpoint, WebhookError> {
    let present = endpoints::list_within(tx, &BTreeSet::from([partner]), now).await?;
    let endpoint = present.into_iter().find(|one| one.id == id).ok_or(WebhookError::NoEndpoint(id))?;
    match endpoint.state {
        EndpointState::Disabled { .. } => Err(WebhookError::NotActive(endpoint.id)),
        EndpointState::Active | EndpointState::Paused { .. } => Ok(endpoint),
    }
}
