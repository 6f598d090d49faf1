//! The delivery log: what was sent when, what came back, and where a message stands.

use ieum_core::{Id, Timestamp};
use ieum_store::{Row, Store, Value};
use serde::{Deserialize, Serialize};

use crate::deliveries::whole;
use crate::error::{WebhookError, at};

/// The most rows that one look at the log returns.
pub const MOST_LISTED: u32 = 500;

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Due now or later.
    Pending,
    /// Waits until its disabled endpoint is enabled.
    Held,
    /// A 2xx answer came.
    Delivered,
    /// The schedule is used up.
    Exhausted,
    /// Its endpoint was deleted.
    Cancelled,
}

/// One message on its way to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: Id,
    /// To which endpoint.
    pub endpoint_id: Id,
    /// Whose.
    pub partner: String,
    /// Which message: the `webhook-id`.
    pub message_id: String,
    /// The message's event.
    pub event: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// How many attempts were made ever.
    pub tries: u32,
    /// When the next attempt is due, where it is pending.
    pub due_at: Timestamp,
    /// The last attempt's HTTP status, where an answer came.
    pub last_status: Option<u16>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it was delivered or given up.
    pub finished_at: Option<Timestamp>,
}

/// One attempt of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, 1 for the first.
    pub number: u32,
    /// When it began.
    pub at: Timestamp,
    /// How long it took, milliseconds.
    pub elapsed_ms: u64,
    /// The HTTP status, where an answer came.
    pub status: Option<u16>,
    /// The first 1,024 bytes of the answer, or why none came.
    pub detail: String,
}

/// A delivery with what it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The delivery.
    pub delivery: Delivery,
    /// The body that is sent, JSON.
    pub body: String,
}

/// Which deliveries to show.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Only this endpoint's.
    pub endpoint: Option<Id>,
    /// Only these.
    pub state: Option<DeliveryState>,
    /// Only those made before this one: the last id of the page before.
    pub before: Option<Id>,
    /// How many, at most [`MOST_LISTED`]; 0 means 50.
    pub limit: u32,
}

/// Which deliveries to show, looked for more closely.
#[derive(Clone, Debug, Default)]
pub struct DeliverySearch {
    /// See there.
    pub filter: DeliveryFilter,
    /// Only of this event.
    pub event: Option<String>,
    /// Only of this message.
    pub message: Option<String>,
    /// Only those accepted from this time on.
    pub since: Option<Timestamp>,
    /// Only those accepted before this time.
    pub until: Option<Timestamp>,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Held, Self::Delivered, Self::Exhausted, Self::Cancelled];

    /// Returns the stored word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Held => "held",
            Self::Delivered => "delivered",
            Self::Exhausted => "exhausted",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the stored word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Returns the partner's deliveries, the newest first.
pub(crate) async fn list(
    store: &Store,
    partner: &str,
    search: &DeliverySearch,
) -> Result<Vec<Delivery>, WebhookError> {
    let filter = &search.filter;
    let wishes: [(&str, Option<Value>); 7] = [
        ("endpoint_id =", filter.endpoint.map(Value::from)),
        ("state =", filter.state.map(|state| state.name().into())),
        ("id <", filter.before.map(Value::from)),
        ("event =", search.event.as_deref().map(Value::from)),
        ("message_id =", search.message.as_deref().map(Value::from)),
        ("created_at >=", search.since.map(Value::from)),
        ("created_at <", search.until.map(Value::from)),
    ];
    let mut sql = "SELECT * FROM ieum_webhook_delivery WHERE partner = ?".to_owned();
    let mut values: Vec<Value> = vec![partner.into()];
    for (column, wish) in wishes {
        if let Some(wish) = wish {
            sql.push_str(&format!(" AND {column} ?"));
            values.push(wish);
        }
    }
    let limit = if filter.limit == 0 { 50 } else { filter.limit.min(MOST_LISTED) };
    sql.push_str(&format!(" ORDER BY id DESC LIMIT {limit}"));
    let rows = store.fetch_all(&sql, &values).await.map_err(at("listing deliveries"))?;
    rows.iter().map(read_delivery).collect()
}

/// Returns every delivery of a message id, over all partners: one stage of "where is event X?".
pub(crate) async fn of_message(store: &Store, message_id: &str) -> Result<Vec<Delivery>, WebhookError> {
    let rows = store
        .fetch_all(
            "SELECT * FROM ieum_webhook_delivery WHERE message_id = ? ORDER BY id",
            &[message_id.into()],
        )
        .await
        .map_err(at("finding the message's deliveries"))?;
    rows.iter().map(read_delivery).collect()
}

/// Returns a delivery, whoever's it is.
pub(crate) async fn find(store: &Store, id: Id) -> Result<Delivery, WebhookError> {
    let sql = "SELECT * FROM ieum_webhook_delivery WHERE id = ?";
    let row = store.fetch_optional(sql, &[id.into()]).await.map_err(at("finding the delivery"))?;
    read_delivery(&row.ok_or(WebhookError::NoDelivery(id))?)
}

/// Returns the partner's delivery with the body that is sent.
pub(crate) async fn sent(store: &Store, partner: &str, id: Id) -> Result<Sent, WebhookError> {
    let step = "reading the delivery";
    let sql = "SELECT * FROM ieum_webhook_delivery WHERE id = ? AND partner = ?";
    let row = store.fetch_optional(sql, &[id.into(), partner.into()]).await.map_err(at(step))?;
    let delivery = read_delivery(&row.ok_or(WebhookError::NoDelivery(id))?)?;
    let sql = "SELECT body FROM ieum_webhook_message WHERE partner = ? AND id = ?";
    let values = [partner.into(), delivery.message_id.as_str().into()];
    let row = store.fetch_optional(sql, &values).await.map_err(at(step))?;
    // Retention lets go of both at once, perhaps just now.
    let body = row.ok_or(WebhookError::NoDelivery(id))?.text("body").map_err(at(step))?;
    Ok(Sent { delivery, body })
}

/// Returns the attempts of the partner's delivery, the first first.
pub(crate) async fn attempts(store: &Store, partner: &str, id: Id) -> Result<Vec<Attempt>, WebhookError> {
    let owned = store
        .fetch_optional(
            "SELECT id FROM ieum_webhook_delivery WHERE id = ? AND partner = ?",
            &[id.into(), partner.into()],
        )
        .await
        .map_err(at("reading the delivery"))?;
    owned.ok_or(WebhookError::NoDelivery(id))?;
    let rows = store
        .fetch_all("SELECT * FROM ieum_webhook_attempt WHERE delivery_id = ? ORDER BY number", &[id.into()])
        .await
        .map_err(at("reading the delivery's attempts"))?;
    rows.iter().map(read_attempt).collect()
}

fn read_attempt(row: &Row) -> Result<Attempt, WebhookError> {
    let step = "reading an attempt";
    Ok(Attempt {
        number: whole(row.int("number").map_err(at(step))?),
        at: Timestamp::from_micros(row.int("at_time").map_err(at(step))?),
        elapsed_ms: u64::try_from(row.int("elapsed_ms").map_err(at(step))?).unwrap_or(0),
        status: status(row.opt_int("status").map_err(at(step))?),
        detail: row.text("detail").map_err(at(step))?,
    })
}

/// Reads one delivery.
pub(crate) fn read_delivery(row: &Row) -> Result<Delivery, WebhookError> {
    let step = "reading a delivery";
    let damaged = || WebhookError::Damaged { what: "a delivery".into() };
    let id = |name| row.text(name).map_err(at(step))?.parse().map_err(|_| damaged());
    let state = row.text("state").map_err(at(step))?;
    Ok(Delivery {
        id: id("id")?,
        endpoint_id: id("endpoint_id")?,
        partner: row.text("partner").map_err(at(step))?,
        message_id: row.text("message_id").map_err(at(step))?,
        event: row.text("event").map_err(at(step))?,
        state: DeliveryState::from_name(&state).ok_or_else(damaged)?,
        tries: whole(row.int("tries").map_err(at(step))?),
        due_at: Timestamp::from_micros(row.int("due_at").map_err(at(step))?),
        last_status: status(row.opt_int("last_status").map_err(at(step))?),
        created_at: Timestamp::from_micros(row.int("created_at").map_err(at(step))?),
        finished_at: row.opt_int("finished_at").map_err(at(step))?.map(Timestamp::from_micros),
    })
}

fn status(stored: Option<i64>) -> Option<u16> {
    stored.and_then(|status| u16::try_from(status).ok())
}
