//! Asks pretix to send its webhooks here, and to stop (<https://docs.pretix.eu/dev/api/resources/webhooks.html>).

use http::{HeaderName, HeaderValue, Method, StatusCode};
use ieum_client::Request;
use ieum_core::{Cx, Fault};
use serde_json::json;

use super::answers::{List, Webhook};
use crate::connector::source::SourceClient;
use crate::rules::garbage;

/// What the hub wants to hear of. Annulled scans have no webhook; the status shows them.
const ACTIONS: [&str; 15] = [
    "pretix.event.order.placed",
    "pretix.event.order.paid",
    "pretix.event.order.canceled",
    "pretix.event.order.reactivated",
    "pretix.event.order.expired",
    "pretix.event.order.expirychanged",
    "pretix.event.order.modified",
    "pretix.event.order.changed.*",
    "pretix.event.order.approved",
    "pretix.event.order.denied",
    "pretix.event.order.deleted",
    "pretix.event.order.payment.confirmed",
    "pretix.event.checkin",
    "pretix.event.checkin.reverted",
    "pretix.event.changed",
];

/// Adds a webhook to `url`, or finds the one that is there already.
pub async fn attach(
    client: &SourceClient,
    cx: &Cx,
    path: &str,
    event: &str,
    url: &str,
) -> Result<String, Fault> {
    let present: List<Webhook> = client.get_json(cx, &format!("{path}?enabled=true&page_size=50")).await?;
    if let Some(webhook) = present.results.iter().find(|webhook| webhook.target_url == url) {
        return Ok(webhook.id.to_string());
    }
    let wanted = json!({
        "enabled": true, "target_url": url, "all_events": false, "limit_events": [event],
        "action_types": ACTIONS, "comment": "ieum",
    });
    // pretix keeps answers by this header, so that a repeat adds no second webhook.
    let key = ieum_core::new_id().to_string();
    let value = HeaderValue::from_str(&key).map_err(|_| garbage("our own key", "fits into no header"))?;
    let name = HeaderName::from_static("x-idempotency-key");
    let request = Request::new(Method::POST, path).header(name, value).json(&wanted)?;
    let made: Webhook = client.send(&cx.with_idempotency_key(&key), request).await?.json()?;
    Ok(made.id.to_string())
}

/// Removes a webhook. One that is gone already is no failure.
pub async fn detach(client: &SourceClient, cx: &Cx, path: &str, id: &str) -> Result<(), Fault> {
    let request = Request::new(Method::DELETE, format!("{path}{id}/")).any_status();
    let response = client.send(cx, request).await?;
    match response.status {
        status if status.is_success() || status == StatusCode::NOT_FOUND => Ok(()),
        status => {
            let message = format!("removing the source's webhook {id}: answered {status}");
            Err(Fault::failed_precondition("events.pretix.webhook", message))
        }
    }
}
