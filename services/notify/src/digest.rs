//! Gathers what waited into one email a day, once: the digest and the end of what it holds are one transaction.

use std::collections::BTreeMap;

use ieum_contracts::notify::{Channel, MessageState, SendNotification};
use ieum_core::{Fault, Timestamp};

use crate::outbox::{NewMessage, end_held, held, insert};
use crate::rules::{Asked, Plan, plan};
use crate::service::Service;
use crate::store::recipient_within;

/// The template and the kind of a digest.
pub const DIGEST: &str = "digest";

/// Makes every digest that is due; returns how many.
pub async fn make_due(service: &Service, now: Timestamp) -> Result<usize, Fault> {
    let mut made = 0;
    for (recipient, due) in service.store.due_digests(now).await? {
        made += usize::from(make(service, &recipient, due, now).await?);
    }
    Ok(made)
}

async fn make(service: &Service, recipient_id: &str, due: Timestamp, now: Timestamp) -> Result<bool, Fault> {
    let mut tx = service.store.begin().await?;
    let Some(recipient) = recipient_within(&mut tx, recipient_id).await? else { return Ok(false) };
    let mut items = Vec::new();
    for message in held(&mut tx, recipient_id, due).await? {
        let asked = Asked { channel: Channel::Email, kind: &message.kind, urgent: false, digest: false };
        // Preferences may have changed while it waited.
        if let Plan::Skip(why) = plan(&recipient, asked, now) {
            end_held(&mut tx, message.id, MessageState::Skipped, why, now).await?;
            continue;
        }
        match service.templates.write(&message.template, recipient.locale, &message.payload) {
            Ok(written) => {
                items.push(written.title);
                let id = digest_id(recipient_id, due);
                end_held(&mut tx, message.id, MessageState::Digested, &id, now).await?;
            }
            Err(fault) => {
                end_held(&mut tx, message.id, MessageState::Failed, &fault.message, now).await?;
            }
        }
    }
    let made = !items.is_empty();
    if made {
        // Kept as text, as every value is; the sender takes it apart again.
        let values = BTreeMap::from([("items".to_owned(), items.join("\n"))]);
        let wish = SendNotification {
            notification_id: digest_id(recipient_id, due),
            recipient_id: recipient_id.to_owned(),
            kind: DIGEST.to_owned(),
            template: DIGEST.to_owned(),
            values,
            ..SendNotification::default()
        };
        let message = NewMessage { wish: &wish, channel: Channel::Email, written: None };
        insert(&mut tx, &[message], true, now).await?;
    }
    tx.commit().await?;
    Ok(made)
}

/// One name per recipient and time, so that a second digest of the same day cannot be stored.
fn digest_id(recipient: &str, due: Timestamp) -> String {
    format!("digest:{}:{recipient}", due.as_seconds())
}

/// Returns what the template of a digest is filled with.
pub fn values(payload: &serde_json::Value) -> serde_json::Value {
    let text = payload.get("items").and_then(serde_json::Value::as_str).unwrap_or_default();
    let items: Vec<&str> = text.lines().collect();
    serde_json::json!({ "count": items.len(), "items": items })
}
