//! Meets the contracts `notify.messages` and `notify.recipients`.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_contracts::notify::{
    Channel, ListMessages, Locale, MessageId, MessageList, MessageState, MessageStatus, NotificationId,
    NotificationStatus, NotifyMessages, NotifyRecipients, Recipient, RecipientId, SendNotification,
};
use ieum_core::{Cx, Fault, SharedClock};
use ieum_store::Transaction;
use serde_json::Value;
use tokio::sync::{Notify, broadcast};

use crate::outbox::{NewMessage, insert};
use crate::rules;
use crate::store::{NotifyStore, recipient_within};
use crate::templates::Templates;

/// How many changes a slow listener may lag behind before it reads the whole again.
const LISTENER_LAG: usize = 256;

/// Accepts notifications and keeps recipients.
pub struct Service {
    pub store: NotifyStore,
    pub templates: Arc<Templates>,
    pub clock: SharedClock,
    /// Told when something may be due.
    pub due: Notify,
    /// Tells whose messages in the page changed.
    pub changes: broadcast::Sender<String>,
}

impl Service {
    pub fn new(store: NotifyStore, templates: Templates, clock: SharedClock) -> Self {
        let changes = broadcast::channel(LISTENER_LAG).0;
        Self { store, templates: Arc::new(templates), clock, due: Notify::new(), changes }
    }

    /// Accepts a notification within the caller's transaction.
    pub async fn accept(&self, tx: &mut Transaction, wish: &SendNotification) -> Result<(), Fault> {
        rules::check_wish(wish)?;
        let Some(recipient) = recipient_within(tx, &wish.recipient_id).await? else {
            return Err(unknown_recipient(&wish.recipient_id));
        };
        let values = serde_json::to_value(&wish.values).unwrap_or(Value::Null);
        // In both languages, since the recipient may change it before the message is sent.
        for locale in [Locale::Ko, Locale::En] {
            self.templates.write(&wish.template, locale, &values)?;
        }
        let written = self.templates.write(&wish.template, recipient.locale, &values)?;
        let wanted = rules::channels(&recipient.preferences, &wish.kind);
        let asked = |channel: &Channel| wish.channels.is_empty() || wish.channels.contains(channel);
        let messages: Vec<NewMessage<'_>> = Channel::ALL
            .into_iter()
            .filter(|channel| wanted.contains(channel) && asked(channel))
            .map(|channel| NewMessage {
                wish,
                channel,
                written: (channel == Channel::InApp).then_some(&written),
            })
            .collect();
        insert(tx, &messages, false, self.clock.now()).await?;
        Ok(())
    }

    /// Tells the sender and open pages that something was accepted.
    pub fn accepted(&self, recipient: &str) {
        self.due.notify_one();
        // Nobody listening is no failure.
        let _ = self.changes.send(recipient.to_owned());
    }

    async fn known_message(&self, ask: &MessageId) -> Result<MessageStatus, Fault> {
        let found = self.store.message(&ask.message_id).await?;
        let is_whose = |message: &MessageStatus| {
            ask.recipient_id.as_ref().is_none_or(|recipient| *recipient == message.recipient_id)
        };
        found.filter(is_whose).ok_or_else(|| unknown(&format!("message {:?}", ask.message_id)))
    }
}

#[async_trait]
impl NotifyMessages for Service {
    async fn send(&self, _cx: &Cx, wish: SendNotification) -> Result<NotificationStatus, Fault> {
        let mut tx = self.store.begin().await?;
        self.accept(&mut tx, &wish).await?;
        tx.commit().await?;
        self.accepted(&wish.recipient_id);
        let id = wish.notification_id;
        let empty = NotificationStatus { notification_id: id.clone(), messages: Vec::new() };
        let mut status = self.store.notification(&id).await?.unwrap_or(empty);
        status.messages.retain(|message| message.recipient_id == wish.recipient_id);
        Ok(status)
    }

    async fn show(&self, _cx: &Cx, ask: NotificationId) -> Result<NotificationStatus, Fault> {
        let id = ask.notification_id;
        self.store.notification(&id).await?.ok_or_else(|| unknown(&format!("notification {id:?}")))
    }

    async fn list(&self, _cx: &Cx, ask: ListMessages) -> Result<MessageList, Fault> {
        let messages = self.store.list(&ask).await?;
        let unread = match &ask.recipient_id {
            Some(recipient) => self.store.unread(recipient).await?,
            None => 0,
        };
        Ok(MessageList { messages, unread })
    }

    async fn mark_read(&self, _cx: &Cx, ask: MessageId) -> Result<MessageStatus, Fault> {
        let message = self.known_message(&ask).await?;
        self.store.mark_read(&message.message_id, self.clock.now()).await?;
        let _ = self.changes.send(message.recipient_id.clone());
        self.known_message(&ask).await
    }

    async fn resend(&self, _cx: &Cx, ask: MessageId) -> Result<MessageStatus, Fault> {
        let message = self.known_message(&ask).await?;
        let changed = self.store.resend(&message.message_id, self.clock.now()).await?;
        // The command may come twice: the second finds the message due.
        if !changed && message.state != MessageState::Pending {
            let states = [MessageState::Failed, MessageState::Uncertain].map(MessageState::name).join(" or ");
            let message = format!("sending a message again: it is {}, not {states}", message.state.name());
            return Err(Fault::failed_precondition("notify.not_failed", message));
        }
        self.due.notify_one();
        self.known_message(&ask).await
    }
}

#[async_trait]
impl NotifyRecipients for Service {
    async fn save(&self, _cx: &Cx, recipient: Recipient) -> Result<Recipient, Fault> {
        rules::check_recipient(&recipient)?;
        self.store.save_recipient(&recipient, self.clock.now()).await?;
        Ok(recipient)
    }

    async fn get(&self, _cx: &Cx, ask: RecipientId) -> Result<Recipient, Fault> {
        let found = self.store.recipient(&ask.recipient_id).await?;
        found.ok_or_else(|| unknown_recipient(&ask.recipient_id))
    }

    async fn remove(&self, _cx: &Cx, ask: RecipientId) -> Result<RecipientId, Fault> {
        self.store.remove_recipient(&ask.recipient_id).await?;
        Ok(ask)
    }
}

fn unknown(what: &str) -> Fault {
    Fault::not_found("notify.unknown", format!("there is no {what}"))
}

fn unknown_recipient(id: &str) -> Fault {
    let id: String = id.chars().take(120).collect();
    Fault::not_found("notify.recipient.unknown", format!("there is no recipient {id:?}; save one first"))
}
