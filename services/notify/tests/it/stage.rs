//! The service over its own store, a clock that stands still, and scripted providers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ieum_bus::{Bus, BusOptions, open_bus};
use ieum_contracts::notify::{
    Channel, Digest, ListMessages, MessageState, MessageStatus, NotificationId, NotifyMessages,
    NotifyMessagesClient, NotifyRecipients, NotifyRecipientsClient, Preferences, Recipient, SendNotification,
};
use ieum_core::{Cx, Fault, ManualClock, SharedClock, Timestamp, new_id, system_clock};
use ieum_link::loopback;
use ieum_notify::{NotifyDeps, NotifyOptions, NotifyPart, Provider, Repeat};
use ieum_store::{Store, StoreOptions, Synchronous, migrate};

use crate::script::Script;

/// Noon in Seoul.
pub const NOON: &str = "2026-05-01T03:00:00Z";

pub struct Stage {
    pub store: Store,
    pub clock: ManualClock,
    pub bus: Bus,
    pub part: Arc<NotifyPart>,
    pub messages: NotifyMessagesClient,
    pub recipients: NotifyRecipientsClient,
    pub mail: Arc<Script>,
    pub spare_mail: Arc<Script>,
    pub push: Arc<Script>,
    pub spare_push: Arc<Script>,
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("is a time")
}

/// A context with a key of its own, as callers of commands have it.
pub fn cx() -> Cx {
    Cx::root().with_idempotency_key(&new_id().to_string())
}

impl Stage {
    pub async fn over(url: &str) -> Self {
        let options = StoreOptions { sqlite_synchronous: Synchronous::Off, ..StoreOptions::default() };
        let store = Store::open(url, &options).await.expect("opens the store");
        let mut migrations = NotifyPart::migrations();
        migrations.extend(ieum_bus::migrations());
        migrate(&store, &migrations, |_| {}).await.expect("makes the tables");
        let clock = ManualClock::at(at(NOON));
        let bus =
            open_bus("local:", store.clone(), system_clock(), BusOptions::default()).await.expect("opens");
        let mail = Script::new("mail", Repeat::Doubles);
        let spare_mail = Script::new("spare-mail", Repeat::Doubles);
        let push = Script::new("push", Repeat::Harmless);
        let spare_push = Script::new("spare-push", Repeat::Harmless);
        let lists = [(Channel::Email, [&mail, &spare_mail]), (Channel::Push, [&push, &spare_push])];
        let lists =
            lists.map(|(channel, list)| (channel, list.map(|one| one.clone() as Arc<dyn Provider>).to_vec()));
        let part = wired(&store, &bus, clock.shared(), lists.into());
        let messages = NotifyMessagesClient::new(loopback(part.routes(), system_clock()));
        let recipients = NotifyRecipientsClient::new(loopback(part.routes(), system_clock()));
        let stage =
            Self { store, clock, bus, part, messages, recipients, mail, spare_mail, push, spare_push };
        stage.save(|_| {}).await;
        stage
    }

    /// Returns another process over the same store, clock and providers.
    pub fn another(&self) -> Arc<NotifyPart> {
        let lists = [
            (Channel::Email, vec![self.mail.clone() as Arc<dyn Provider>, self.spare_mail.clone()]),
            (Channel::Push, vec![self.push.clone() as Arc<dyn Provider>, self.spare_push.clone()]),
        ];
        wired(&self.store, &self.bus, self.clock.shared(), lists.into())
    }

    /// Saves the recipient `ada` with a change.
    pub async fn save(&self, change: impl FnOnce(&mut Recipient)) {
        let mut recipient = ada();
        change(&mut recipient);
        self.recipients.save(&cx(), recipient).await.expect("is saved");
    }

    pub async fn send(&self, id: &str, kind: &str) -> Vec<MessageStatus> {
        self.try_send(wish(id, kind)).await.expect("is accepted")
    }

    pub async fn try_send(&self, wish: SendNotification) -> Result<Vec<MessageStatus>, Fault> {
        Ok(self.messages.send(&cx(), wish).await?.messages)
    }

    /// Returns the state and the reason of a notification's message on a channel.
    pub async fn state(&self, id: &str, channel: Channel) -> (MessageState, String) {
        let message = self.message(id, channel).await;
        (message.state, message.reason.unwrap_or_default())
    }

    pub async fn message(&self, id: &str, channel: Channel) -> MessageStatus {
        let ask = NotificationId { notification_id: id.to_owned() };
        let status = self.messages.show(&Cx::root(), ask).await.expect("is known");
        status.messages.into_iter().find(|message| message.channel == channel).expect("has such a message")
    }

    pub async fn all(&self) -> Vec<MessageStatus> {
        let ask = ListMessages { limit: Some(200), ..ListMessages::default() };
        self.messages.list(&Cx::root(), ask).await.expect("are listed").messages
    }

    /// Sends until nothing is due now.
    pub async fn settle(&self) {
        while self.part.send_due().await.expect("sends") > 0 {}
    }

    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn wired(
    store: &Store,
    bus: &Bus,
    clock: SharedClock,
    providers: HashMap<Channel, Vec<Arc<dyn Provider>>>,
) -> Arc<NotifyPart> {
    let (store, bus, options) = (store.clone(), bus.clone(), NotifyOptions::default());
    Arc::new(NotifyPart::new(NotifyDeps { store, bus, clock, providers, options }).expect("is wired"))
}

pub fn ada() -> Recipient {
    Recipient {
        recipient_id: "ada".into(),
        name: "Ada".into(),
        zone: "Asia/Seoul".into(),
        addresses: [(Channel::Email, "ada@example.org".into()), (Channel::Push, "topic-of-ada".into())]
            .into(),
        preferences: Preferences {
            kinds: [
                ("everywhere".to_owned(), vec![Channel::InApp, Channel::Email, Channel::Push]),
                ("mail".to_owned(), vec![Channel::Email]),
                ("push".to_owned(), vec![Channel::Push]),
                ("daily".to_owned(), vec![Channel::Email]),
                ("nothing".to_owned(), vec![]),
            ]
            .into(),
            quiet: None,
            digest: Some(Digest { at: "08:00".into(), kinds: vec!["daily".into()] }),
        },
        ..Recipient::default()
    }
}

pub fn wish(id: &str, kind: &str) -> SendNotification {
    SendNotification {
        notification_id: id.to_owned(),
        recipient_id: "ada".to_owned(),
        kind: kind.to_owned(),
        template: "message".to_owned(),
        values: [("title".to_owned(), format!("Title of {id}")), ("text".to_owned(), "Text".to_owned())]
            .into(),
        ..SendNotification::default()
    }
}
