//! What the pages' JSON looks like, for its description: the contract's messages field by field.
#![allow(dead_code, reason = "described, never made")]

use std::collections::BTreeMap;

use ieum_core::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// Messages, the newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageList {
    /// The messages.
    messages: Vec<MessageStatus>,
    /// How many messages of the recipient in the page are not read.
    unread: u64,
}

/// A message on one channel.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageStatus {
    /// The message.
    message_id: String,
    /// The notification it belongs to.
    notification_id: String,
    /// To whom.
    #[schema(example = "ada")]
    recipient_id: String,
    /// How.
    channel: Channel,
    /// What it is about.
    #[schema(example = "events.alert.capacity")]
    kind: String,
    /// What became of it.
    state: MessageState,
    /// Why it is skipped, failed, uncertain or waits.
    reason: Option<String>,
    /// Who took it, without credentials.
    provider: Option<String>,
    /// What the provider calls it.
    provider_reference: Option<String>,
    /// How often providers were asked.
    attempts: u32,
    /// The title, where it is written already.
    #[schema(example = "Spring concert: 90 % full")]
    title: Option<String>,
    /// The text, where it is written already.
    body: Option<String>,
    /// When it was accepted.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it is tried next.
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Timestamp>,
    /// When it was read in the page.
    #[schema(value_type = Option<String>, format = DateTime)]
    read_at: Option<Timestamp>,
}

/// A way to reach a person.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Channel {
    /// Shown in the page.
    InApp,
    /// By SMTP.
    Email,
    /// By a provider of text messages.
    Sms,
    /// By a provider of push messages.
    Push,
}

/// What became of a message.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MessageState {
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

/// A language that templates are written in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Locale {
    /// Korean.
    Ko,
    /// English.
    En,
}

/// A person, or whoever reads messages.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Recipient {
    /// The id under which others send: letters, digits, `-`, `_`, `.`, `:` and `@`, at most 120.
    #[schema(example = "ada")]
    recipient_id: String,
    /// For people.
    #[serde(default)]
    #[schema(example = "Ada")]
    name: String,
    /// In which language.
    #[serde(default)]
    locale: Locale,
    /// The IANA time zone that quiet hours and digests go by, such as `Asia/Seoul`; `UTC` where empty.
    #[serde(default)]
    #[schema(example = "Asia/Seoul")]
    zone: String,
    /// Where the person is reached, per channel: an email address; a number such as `+821012345678`; a device's
    /// endpoint or topic at the push provider.
    #[serde(default)]
    #[schema(example = json!({"email": "ada@example.org"}))]
    addresses: BTreeMap<Channel, String>,
    /// What is wanted, and when.
    #[serde(default)]
    preferences: Preferences,
    /// The events whose alerts the person is told; `*` is all.
    #[serde(default)]
    #[schema(example = json!(["spring-concert"]))]
    follows: Vec<String>,
}

/// What a recipient wants. Asked again when a message is about to be sent.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Preferences {
    /// The channels per kind of notification; a kind may end in `*`, the longest that fits counts, and an empty
    /// list is nothing at all. Where none fits: in the page and by email.
    #[serde(default)]
    #[schema(example = json!({"events.alert.*": ["in_app", "email"]}))]
    kinds: BTreeMap<String, Vec<Channel>>,
    /// When nothing but urgent messages arrives; the page excepted.
    quiet: Option<QuietHours>,
    /// What is gathered into one email a day.
    digest: Option<Digest>,
}

/// Hours of every day in the recipient's zone.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuietHours {
    /// The first minute, such as `22:00`.
    #[schema(example = "22:00")]
    from: String,
    /// The minute after the last, such as `07:00`; before `from` it means the next day's.
    #[schema(example = "07:00")]
    until: String,
}

/// One email a day.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Digest {
    /// When, in the recipient's zone, such as `08:00`.
    #[schema(example = "08:00")]
    at: String,
    /// The kinds that are gathered; one may end in `*`. Urgent messages are not.
    #[schema(example = json!(["events.*"]))]
    kinds: Vec<String>,
}
