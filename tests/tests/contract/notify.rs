//! `notify.messages` and `notify.recipients` over every way.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_contracts::notify::{
    Channel, Digest, ListMessages, Locale, MessageId, MessageList, MessageState, MessageStatus,
    NOTIFY_MESSAGES_CONTRACT, NOTIFY_RECIPIENTS_CONTRACT, NotificationId, NotificationStatus, NotifyMessages,
    NotifyMessagesClient, NotifyMessagesRoutes, NotifyRecipients, NotifyRecipientsClient,
    NotifyRecipientsRoutes, Preferences, QuietHours, Recipient, RecipientId, SendNotification,
};
use ieum_core::{Code, Cx, Fault, Timestamp};
use parking_lot::Mutex;

use crate::every_way::Ways;

/// Says back what it is told, in messages that use every kind of field.
struct Echo;

#[async_trait]
impl NotifyMessages for Echo {
    async fn send(&self, _: &Cx, wish: SendNotification) -> Result<NotificationStatus, Fault> {
        if wish.template == "missing" {
            return Err(Fault::invalid_argument(
                "notify.template.unknown",
                "looking for template \"missing\"",
            ));
        }
        let title = wish.values.get("이름").cloned();
        let message = |channel: Channel| MessageStatus {
            channel,
            notification_id: wish.notification_id.clone(),
            recipient_id: wish.recipient_id.clone(),
            kind: wish.kind.clone(),
            title: title.clone().filter(|_| wish.urgent),
            ..message(MessageState::Pending)
        };
        let messages = wish.channels.iter().copied().map(message).collect();
        Ok(NotificationStatus { notification_id: wish.notification_id.clone(), messages })
    }

    async fn show(&self, _: &Cx, ask: NotificationId) -> Result<NotificationStatus, Fault> {
        let messages = MessageState::ALL.map(message).into();
        Ok(NotificationStatus { notification_id: ask.notification_id, messages })
    }

    async fn list(&self, _: &Cx, ask: ListMessages) -> Result<MessageList, Fault> {
        let asked = MessageStatus {
            recipient_id: ask.recipient_id.unwrap_or_default(),
            channel: ask.channel.unwrap_or(Channel::InApp),
            attempts: ask.limit.unwrap_or(0),
            reason: ask.before,
            ..message(ask.state.unwrap_or(MessageState::Failed))
        };
        Ok(MessageList { messages: vec![asked], unread: if ask.unread { 1 << 52 } else { 0 } })
    }

    async fn mark_read(&self, _: &Cx, ask: MessageId) -> Result<MessageStatus, Fault> {
        let recipient_id = ask.recipient_id.unwrap_or_default();
        Ok(MessageStatus { message_id: ask.message_id, recipient_id, ..message(MessageState::Sent) })
    }

    async fn resend(&self, _: &Cx, ask: MessageId) -> Result<MessageStatus, Fault> {
        let what = format!("sending message {:?} again", ask.message_id);
        Err(Fault::failed_precondition("notify.not_failed", what))
    }
}

/// Keeps recipients in memory.
#[derive(Default)]
struct AddressBook(Mutex<Vec<Recipient>>);

#[async_trait]
impl NotifyRecipients for AddressBook {
    async fn save(&self, _: &Cx, recipient: Recipient) -> Result<Recipient, Fault> {
        self.0.lock().push(recipient.clone());
        Ok(recipient)
    }

    async fn get(&self, _: &Cx, ask: RecipientId) -> Result<Recipient, Fault> {
        let found = self.0.lock().iter().find(|known| known.recipient_id == ask.recipient_id).cloned();
        let what = || format!("looking for recipient {:?}", ask.recipient_id);
        found.ok_or_else(|| Fault::not_found("notify.recipient.unknown", what()))
    }

    async fn remove(&self, _: &Cx, ask: RecipientId) -> Result<RecipientId, Fault> {
        self.0.lock().retain(|known| known.recipient_id != ask.recipient_id);
        Ok(ask)
    }
}

fn message(state: MessageState) -> MessageStatus {
    MessageStatus {
        message_id: "m1".into(),
        notification_id: "n1".into(),
        recipient_id: "kim@example.org".into(),
        channel: Channel::Email,
        kind: "events.alert.capacity".into(),
        state,
        reason: None,
        provider: Some("smtp://mail.example.org".into()),
        provider_reference: None,
        attempts: u32::MAX,
        title: None,
        body: Some("첫 줄\r\n\n\"둘째\" 줄\u{0}".into()),
        created_at: Timestamp::from_millis(1_790_000_000_123),
        due_at: None,
        read_at: Some(Timestamp::from_seconds(1_790_000_001)),
    }
}

/// A recipient with every field filled.
fn kim() -> Recipient {
    let quiet = QuietHours { from: "22:00".into(), until: "07:00".into() };
    Recipient {
        recipient_id: "kim@example.org".into(),
        name: "김 이음".into(),
        locale: Locale::Ko,
        zone: "Asia/Seoul".into(),
        addresses: Channel::ALL.map(|channel| (channel, format!("{} 주소", channel.name()))).into(),
        preferences: Preferences {
            kinds: [("events.*".into(), vec![Channel::Push, Channel::Sms]), ("news".into(), Vec::new())]
                .into(),
            quiet: Some(quiet),
            digest: Some(Digest { at: "08:00".into(), kinds: vec!["events.programme.*".into()] }),
        },
        follows: vec!["*".into()],
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notify_messages_mean_the_same_every_way() {
    let ways = Ways::<dyn NotifyMessages> {
        contract: &NOTIFY_MESSAGES_CONTRACT,
        answerer: || Arc::new(Echo),
        routes: NotifyMessagesRoutes::of,
        meet: |link| Arc::new(NotifyMessagesClient::new(link)),
    };
    ways.run(|way, messages| async move {
        let (cx, direct) = (Cx::root(), Echo);
        let wish = SendNotification {
            notification_id: "n1".into(),
            recipient_id: "kim@example.org".into(),
            kind: "events.alert.capacity".into(),
            template: "alert".into(),
            values: [("이름".into(), "서울 박람회".into())].into(),
            urgent: true,
            channels: Channel::ALL.into(),
        };
        let sent = messages.send(&cx, wish.clone()).await.expect("is accepted");
        let channels: Vec<_> = sent.messages.iter().map(|message| message.channel).collect();
        assert_eq!(
            (channels, sent.messages[0].title.as_deref()),
            (Channel::ALL.into(), Some("서울 박람회")),
            "{way}"
        );
        assert_eq!(Ok(sent), direct.send(&cx, wish.clone()).await, "{way}");
        let unknown = messages.send(&cx, SendNotification { template: "missing".into(), ..wish }).await;
        let unknown = unknown.expect_err("is unknown");
        assert_eq!(
            (unknown.code, &*unknown.reason),
            (Code::InvalidArgument, "notify.template.unknown"),
            "{way}"
        );
        let shown = messages.show(&cx, NotificationId { notification_id: "n1".into() }).await;
        assert_eq!(shown.expect("is known").messages, MessageState::ALL.map(message), "{way}");
        let ask = ListMessages {
            recipient_id: Some("kim@example.org".into()),
            channel: Some(Channel::Push),
            state: Some(MessageState::Uncertain),
            unread: true,
            before: Some("m2".into()),
            limit: Some(200),
        };
        for ask in [ask, ListMessages::default()] {
            assert_eq!(messages.list(&cx, ask.clone()).await, direct.list(&cx, ask).await, "{way}");
        }
        let ask = MessageId { message_id: "m1".into(), recipient_id: Some("kim@example.org".into()) };
        assert_eq!(messages.mark_read(&cx, ask.clone()).await, Ok(message(MessageState::Sent)), "{way}");
        let sent = messages.resend(&cx, ask).await.expect_err("has not failed");
        assert_eq!((sent.code, &*sent.reason), (Code::FailedPrecondition, "notify.not_failed"), "{way}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notify_recipients_mean_the_same_every_way() {
    let ways = Ways::<dyn NotifyRecipients> {
        contract: &NOTIFY_RECIPIENTS_CONTRACT,
        answerer: || Arc::new(AddressBook::default()),
        routes: NotifyRecipientsRoutes::of,
        meet: |link| Arc::new(NotifyRecipientsClient::new(link)),
    };
    ways.run(|way, recipients| async move {
        let cx = Cx::root();
        let named = |id: &str| RecipientId { recipient_id: id.into() };
        let bare = Recipient { recipient_id: "bare".into(), ..Recipient::default() };
        for recipient in [kim(), bare] {
            let id = named(&recipient.recipient_id);
            assert_eq!(recipients.save(&cx, recipient.clone()).await, Ok(recipient.clone()), "{way}");
            assert_eq!(recipients.get(&cx, id).await, Ok(recipient), "{way}");
        }
        let kim = named("kim@example.org");
        assert_eq!(recipients.remove(&cx, kim.clone()).await, Ok(kim.clone()), "{way}");
        let unknown = recipients.get(&cx, kim).await.expect_err("is forgotten");
        assert_eq!((unknown.code, &*unknown.reason), (Code::NotFound, "notify.recipient.unknown"), "{way}");
    })
    .await;
}
