//! Notification: messages to people by email, SMS, push and in the page, as each of them wants them.

use std::collections::BTreeMap;

use ieum_core::{Cx, Fault, Timestamp};
use ieum_link::contract;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The bus topic of wishes for notifications; the key is the recipient and the data a [`SendNotification`].
pub const NOTIFICATION_REQUESTS: &str = "notification-requests";

/// The CloudEvents type of what [`NOTIFICATION_REQUESTS`] carries.
pub const NOTIFICATION_REQUESTED: &str = "notify.notification.requested.v1";

/// Sends messages and tells what became of them.
#[contract("notify.messages")]
pub trait NotifyMessages {
    /// Accepts a notification: one message per channel that the recipient wants for its kind. What was accepted is
    /// sent, or it is known why not; what is accepted again under the same id makes no second message. Fails with
    /// `notify.invalid`, `notify.template.unknown` and `notify.recipient.unknown`.
    #[command]
    async fn send(&self, cx: &Cx, wish: SendNotification) -> Result<NotificationStatus, Fault>;

    /// Returns what became of a notification. Fails with `notify.unknown`.
    #[query]
    async fn show(&self, cx: &Cx, ask: NotificationId) -> Result<NotificationStatus, Fault>;

    /// Returns a recipient's messages, the newest first.
    #[query]
    async fn list(&self, cx: &Cx, ask: ListMessages) -> Result<MessageList, Fault>;

    /// Notes that a message in the page was read. Fails with `notify.unknown`.
    #[command]
    async fn mark_read(&self, cx: &Cx, ask: MessageId) -> Result<MessageStatus, Fault>;

    /// Makes a failed or uncertain message due again, although the person may then get it twice. One that is due
    /// already stays so. Fails with `notify.unknown` and `notify.not_failed`.
    #[command]
    async fn resend(&self, cx: &Cx, ask: MessageId) -> Result<MessageStatus, Fault>;
}

/// Keeps who may be told, where, and how they want it.
#[contract("notify.recipients")]
pub trait NotifyRecipients {
    /// Saves a recipient, replacing what was known. Fails with `notify.invalid`.
    #[command]
    async fn save(&self, cx: &Cx, recipient: Recipient) -> Result<Recipient, Fault>;

    /// Returns a recipient. Fails with `notify.recipient.unknown`.
    #[query]
    async fn get(&self, cx: &Cx, ask: RecipientId) -> Result<Recipient, Fault>;

    /// Forgets a recipient with every message; nothing happens where none is known.
    #[command]
    async fn remove(&self, cx: &Cx, ask: RecipientId) -> Result<RecipientId, Fault>;
}

/// A way to reach a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Shown in the page.
    InApp,
    /// By SMTP.
    Email,
    /// By a provider of text messages.
    Sms,
    /// By a provider of push messages.
    Push,
}

/// A language that templates are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Locale {
    /// Korean.
    Ko,
    /// English.
    #[default]
    En,
}

// === Recipients ===

/// A person, or whoever reads messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Recipient {
    /// The id under which others send: letters, digits, `-`, `_`, `.`, `:` and `@`, at most 120.
    #[schema(example = "ada")]
    pub recipient_id: String,
    /// For people.
    #[serde(default)]
    #[schema(example = "Ada")]
    pub name: String,
    /// In which language.
    #[serde(default)]
    pub locale: Locale,
    /// The IANA time zone that quiet hours and digests go by, such as `Asia/Seoul`; `UTC` where empty.
    #[serde(default)]
    #[schema(example = "Asia/Seoul")]
    pub zone: String,
    /// Where the person is reached, per channel: an email address; a number such as `+821012345678`; a device's
    /// endpoint or topic at the push provider.
    #[serde(default)]
    #[schema(example = json!({"email": "ada@example.org"}))]
    pub addresses: BTreeMap<Channel, String>,
    /// What is wanted, and when.
    #[serde(default)]
    pub preferences: Preferences,
    /// The events whose alerts the person is told; `*` is all.
    #[serde(default)]
    #[schema(example = json!(["spring-concert"]))]
    pub follows: Vec<String>,
}

/// What a recipient wants. Asked again when a message is about to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preferences {
    /// The channels per kind of notification; a kind may end in `*`, the longest that fits counts, and an empty
    /// list is nothing at all. Where none fits: in the page and by email.
    #[serde(default)]
    #[schema(example = json!({"events.alert.*": ["in_app", "email"]}))]
    pub kinds: BTreeMap<String, Vec<Channel>>,
    /// When nothing but urgent messages arrives; the page excepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<QuietHours>,
    /// What is gathered into one email a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// Hours of every day in the recipient's zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuietHours {
    /// The first minute, such as `22:00`.
    #[schema(example = "22:00")]
    pub from: String,
    /// The minute after the last, such as `07:00`; before `from` it means the next day's.
    #[schema(example = "07:00")]
    pub until: String,
}

/// One email a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Digest {
    /// When, in the recipient's zone, such as `08:00`.
    #[schema(example = "08:00")]
    pub at: String,
    /// The kinds that are gathered; one may end in `*`. Urgent messages are not.
    #[schema(example = json!(["events.*"]))]
    pub kinds: Vec<String>,
}

/// Names a recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecipientId {
    /// The id.
    pub recipient_id: String,
}

// === Notifications ===

/// A wish to tell a recipient something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendNotification {
    /// The sender's id for it, the same whenever the wish is repeated; at most 150 characters.
    pub notification_id: String,
    /// To whom.
    pub recipient_id: String,
    /// What it is about, such as `events.alert.capacity`; preferences go by it.
    pub kind: String,
    /// The template to write it by.
    pub template: String,
    /// What the template is filled with.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// Whether it is told in quiet hours too, and never gathered.
    #[serde(default)]
    pub urgent: bool,
    /// Only these of the channels that the recipient wants; all of them where empty.
    #[serde(default)]
    pub channels: Vec<Channel>,
}

/// Names a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotificationId {
    /// The sender's id for it.
    pub notification_id: String,
}

/// What became of a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotificationStatus {
    /// The sender's id for it.
    pub notification_id: String,
    /// One per channel; none where the recipient wants none.
    pub messages: Vec<MessageStatus>,
}

/// Names a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageId {
    /// The message.
    pub message_id: String,
    /// Whose it must be; anybody's where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient_id: Option<String>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// It is to be sent.
    Pending,
    /// It is with a provider now, or was when a process died.
    Sending,
    /// It waits for the day's digest.
    Held,
    /// A provider took it; in the page, it can be read.
    Sent,
    /// It stands in a digest.
    Digested,
    /// The recipient does not want it any more, or has no address for it.
    Skipped,
    /// No provider takes it.
    Failed,
    /// A provider may have taken it, and repeating might tell it twice.
    Uncertain,
}

/// A message on one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageStatus {
    /// The message.
    pub message_id: String,
    /// The notification it belongs to.
    pub notification_id: String,
    /// To whom.
    #[schema(example = "ada")]
    pub recipient_id: String,
    /// How.
    pub channel: Channel,
    /// What it is about.
    #[schema(example = "events.alert.capacity")]
    pub kind: String,
    /// What became of it.
    pub state: MessageState,
    /// Why it is skipped, failed, uncertain or waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who took it, without credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// What the provider calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_reference: Option<String>,
    /// How often providers were asked.
    pub attempts: u32,
    /// The title, where it is written already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Spring concert: 90 % full")]
    pub title: Option<String>,
    /// The text, where it is written already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it is tried next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// When it was read in the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
}

/// Asks for messages of a recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListMessages {
    /// Whose; everybody's where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient_id: Option<String>,
    /// Only of this channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Only in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<MessageState>,
    /// Only what was not read.
    #[serde(default)]
    pub unread: bool,
    /// The last message of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// How many, at most 200; 50 where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Messages, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageList {
    /// The messages.
    pub messages: Vec<MessageStatus>,
    /// How many messages of the recipient in the page are not read.
    pub unread: u64,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 4] = [Self::InApp, Self::Email, Self::Sms, Self::Push];

    /// Returns the name as it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InApp => "in_app",
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Push => "push",
        }
    }
}

impl MessageState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Sending,
        Self::Held,
        Self::Sent,
        Self::Digested,
        Self::Skipped,
        Self::Failed,
        Self::Uncertain,
    ];

    /// Returns the name as it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Held => "held",
            Self::Sent => "sent",
            Self::Digested => "digested",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Uncertain => "uncertain",
        }
    }
}
