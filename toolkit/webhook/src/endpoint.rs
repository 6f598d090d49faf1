//! An endpoint: where a partner's messages go, and the rules of its state.

use std::time::Duration;

use ieum_core::{Id, Secret, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::filter::{self, Filter};
use crate::key_pair::SigningPair;
use crate::signing::SigningSecret;

/// The longest URL that is taken, in bytes.
const LONGEST_URL: usize = 2_048;
/// The most event names an endpoint subscribes to.
const MOST_EVENTS: usize = 100;
/// The longest event name, in bytes.
const LONGEST_EVENT: usize = 128;

/// What a partner asks for when registering an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEndpoint {
    /// Whose endpoint it is.
    pub partner: String,
    /// Where messages are posted: `https`, or `http` where the outbound rules allow the address.
    pub url: String,
    /// The events wanted: names, or prefixes such as `event.*`; empty means all.
    pub events: Vec<String>,
    /// Whether a later message of the same key waits for the earlier one.
    pub ordered: bool,
    /// What must hold of a message's body, all of it; empty means nothing.
    pub filters: Vec<Filter>,
}

/// An endpoint as it is kept, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub id: Id,
    /// Whose endpoint it is.
    pub partner: String,
    /// Where messages are posted.
    pub url: String,
    /// See [`NewEndpoint::events`].
    pub events: Vec<String>,
    /// See [`NewEndpoint::ordered`].
    pub ordered: bool,
    /// See [`NewEndpoint::filters`].
    pub filters: Vec<Filter>,
    /// What receivers verify `v1a` signatures with; none of an endpoint from before there were any, until its
    /// secret is rotated.
    pub public_key: Option<String>,
    /// Whether it takes messages.
    pub state: EndpointState,
    /// Since when every attempt failed.
    pub failing_since: Option<Timestamp>,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// Whether an endpoint takes messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointState {
    /// Messages are sent.
    Active,
    /// Nothing is sent before this time: throttled by the receiver, or its breaker is open.
    Paused {
        /// When sending goes on.
        until: Timestamp,
    },
    /// Nothing is sent until somebody enables it.
    Disabled {
        /// Why.
        reason: DisabledReason,
        /// Since when.
        since: Timestamp,
    },
}

/// Why an endpoint is disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisabledReason {
    /// The receiver answered 410 Gone.
    Gone,
    /// Every attempt failed over the whole span that is allowed.
    Failing,
    /// Its owner or an operator asked for it.
    ByHand,
}

/// Says what is wrong with a registration, by field.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{field}: {problem}")]
pub struct EndpointError {
    /// The field at fault.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

/// The secrets of an endpoint, the newest first; older ones sign along until their time is up.
#[derive(Clone, Debug)]
pub struct SecretRing(Vec<RingEntry>);

#[derive(Clone, Debug)]
struct RingEntry {
    secret: SigningSecret,
    pair: Option<SigningPair>,
    expires: Option<Timestamp>,
}

/// The stored form of one secret. Not `Debug`, so that it cannot be logged.
#[derive(Serialize, Deserialize)]
struct StoredSecret {
    secret: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pair: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<i64>,
}

/// The most secrets that sign at once.
const MOST_SECRETS: usize = 3;

// === NewEndpoint ===

impl NewEndpoint {
    /// Checks the form of every field. Where the address leads is checked again at each attempt.
    pub fn check(&self) -> Result<(), EndpointError> {
        let wrong = |field, problem: String| Err(EndpointError { field, problem });
        if self.partner.is_empty() {
            return wrong("partner", "is empty".into());
        }
        if self.url.len() > LONGEST_URL {
            return wrong("url", format!("is longer than {LONGEST_URL} bytes"));
        }
        let url = match Url::parse(&self.url) {
            Ok(url) => url,
            Err(error) => return wrong("url", format!("is no URL: {error}")),
        };
        if !matches!(url.scheme(), "http" | "https") {
            return wrong("url", format!("has scheme {:?}; expected https or http", url.scheme()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return wrong("url", "must not carry a user name or password".into());
        }
        if url.fragment().is_some() {
            return wrong("url", "must not carry a fragment".into());
        }
        if self.events.len() > MOST_EVENTS {
            return wrong("events", format!("has more than {MOST_EVENTS} names"));
        }
        if let Some(name) = self.events.iter().find(|name| !is_event_pattern(name)) {
            return wrong(
                "events",
                format!("{name:?} is no event name such as event.data.updated or event.*"),
            );
        }
        filter::check(&self.filters).map_err(|problem| EndpointError { field: "filters", problem })
    }
}

fn is_event_pattern(name: &str) -> bool {
    let name = name.strip_suffix(".*").unwrap_or(name);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !name.is_empty() && name.len() <= LONGEST_EVENT && name.bytes().all(allowed)
}

/// Tells whether an endpoint with these wishes takes `event`.
pub fn wants(events: &[String], event: &str) -> bool {
    events.is_empty()
        || events.iter().any(|wish| match wish.strip_suffix('*') {
            Some(prefix) => event.starts_with(prefix),
            None => wish == event,
        })
}

// === EndpointState ===

impl EndpointState {
    /// Tells whether an endpoint that fails since `failing_since` is to be disabled at `now`.
    pub fn is_given_up(failing_since: Option<Timestamp>, allowed: Duration, now: Timestamp) -> bool {
        failing_since.is_some_and(|since| now.since(since) >= allowed)
    }
}

// === DisabledReason ===

impl DisabledReason {
    /// Returns the stored word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Failing => "failing",
            Self::ByHand => "by_hand",
        }
    }

    /// Reads the stored word.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Gone, Self::Failing, Self::ByHand].into_iter().find(|reason| reason.name() == name)
    }
}

// === SecretRing ===

impl SecretRing {
    /// Begins with one secret and one pair.
    pub fn new(secret: SigningSecret, pair: SigningPair) -> Self {
        Self(vec![RingEntry { secret, pair: Some(pair), expires: None }])
    }

    /// Puts `secret` and `pair` first; what signed before signs along until `now + overlap`.
    #[must_use]
    pub fn rotate(
        &self,
        secret: SigningSecret,
        pair: SigningPair,
        now: Timestamp,
        overlap: Duration,
    ) -> Self {
        let ends = now + overlap;
        let older = self.valid(now).map(|entry| {
            let expires = Some(entry.expires.map_or(ends, |expires| expires.min(ends)));
            RingEntry { expires, ..entry.clone() }
        });
        let newest = RingEntry { secret, pair: Some(pair), expires: None };
        Self(std::iter::once(newest).chain(older).take(MOST_SECRETS).collect())
    }

    /// Returns who signs at `now` by a shared secret, the newest first.
    pub fn signing(&self, now: Timestamp) -> Vec<SigningSecret> {
        self.valid(now).map(|entry| entry.secret.clone()).collect()
    }

    /// Returns who signs at `now` by a key pair, the newest first.
    pub fn pairs(&self, now: Timestamp) -> Vec<SigningPair> {
        self.valid(now).filter_map(|entry| entry.pair.clone()).collect()
    }

    fn valid(&self, now: Timestamp) -> impl Iterator<Item = &RingEntry> {
        self.0.iter().filter(move |entry| entry.expires.is_none_or(|expires| expires > now))
    }

    /// Returns the form that is sealed and stored.
    pub fn to_stored(&self) -> Secret {
        let entries: Vec<StoredSecret> = self
            .0
            .iter()
            .map(|entry| StoredSecret {
                secret: entry.secret.expose().to_owned(),
                pair: entry.pair.as_ref().map(|pair| pair.expose().to_owned()),
                expires: entry.expires.map(Timestamp::as_micros),
            })
            .collect();
        Secret::new(serde_json::to_string(&entries).expect("strings and numbers are JSON"))
    }

    /// Reads the stored form; `None` where it is damaged.
    pub fn from_stored(opened: &Secret) -> Option<Self> {
        let entries: Vec<StoredSecret> = serde_json::from_str(opened.expose()).ok()?;
        let entries = entries.into_iter().map(|entry| {
            let secret = SigningSecret::parse(&entry.secret).ok()?;
            let pair = entry.pair.map(|text| SigningPair::parse(&text)).transpose().ok()?;
            Some(RingEntry { secret, pair, expires: entry.expires.map(Timestamp::from_micros) })
        });
        entries.collect::<Option<Vec<_>>>().filter(|ring| !ring.is_empty()).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(url: &str, events: &[&str]) -> NewEndpoint {
        NewEndpoint {
            partner: "seoul".into(),
            url: url.into(),
            events: events.iter().map(|name| (*name).to_owned()).collect(),
            ordered: false,
            filters: Vec::new(),
        }
    }

    #[test]
    fn a_registration_names_the_field_at_fault() {
        let field = |new: NewEndpoint| new.check().expect_err("is wrong").field;
        assert_eq!(field(asked("nowhere", &[])), "url");
        assert_eq!(field(asked("ftp://receiver.example/", &[])), "url");
        assert_eq!(field(asked("https://user:word@receiver.example/", &[])), "url");
        assert_eq!(field(asked(&format!("https://receiver.example/{}", "x".repeat(3_000)), &[])), "url");
        assert_eq!(field(asked("https://receiver.example/", &["two words"])), "events");
        assert_eq!(field(asked("https://receiver.example/", &["*"])), "events");
        assert_eq!(asked("https://receiver.example/hook?x=1", &["event.*", "a.b"]).check(), Ok(()));
    }

    #[test]
    fn wishes_match_names_and_prefixes() {
        let wishes = ["event.*".to_owned(), "order.paid".to_owned()];
        assert!(wants(&wishes, "event.data.updated"));
        assert!(wants(&wishes, "order.paid"));
        assert!(!wants(&wishes, "order.paid.late"));
        assert!(!wants(&wishes, "events"));
        assert!(wants(&[], "anything"));
    }

    #[test]
    fn an_older_secret_signs_along_until_its_time_is_up() {
        let now = Timestamp::from_seconds(1_000);
        let day = Duration::from_secs(86_400);
        let (first, pair) = (SigningSecret::generate(), SigningPair::generate());
        let ring = SecretRing::new(first.clone(), pair.clone()).rotate(
            SigningSecret::generate(),
            SigningPair::generate(),
            now,
            day,
        );
        assert_eq!((ring.signing(now).len(), ring.pairs(now).len()), (2, 2));
        assert_eq!(ring.pairs(now)[1].public_key(), pair.public_key());
        assert_eq!(ring.signing(now)[1].expose(), first.expose());
        assert_eq!((ring.signing(now + day).len(), ring.pairs(now + day).len()), (1, 1));
        let read = SecretRing::from_stored(&ring.to_stored()).expect("reads back");
        assert_eq!((read.signing(now).len(), read.pairs(now).len()), (2, 2));
        let old = format!(r#"[{{"secret":"{}"}}]"#, first.expose());
        let old =
            SecretRing::from_stored(&Secret::new(old)).expect("a ring from before there were pairs reads");
        assert_eq!((old.signing(now).len(), old.pairs(now).len()), (1, 0));
        assert!(!format!("{ring:?}").contains(first.expose()));
        assert!(SecretRing::from_stored(&Secret::new("[]")).is_none());
    }

    #[test]
    fn an_endpoint_is_given_up_only_after_the_whole_span() {
        let since = Timestamp::from_seconds(0);
        let allowed = Duration::from_secs(100);
        assert!(!EndpointState::is_given_up(None, allowed, since + allowed));
        assert!(!EndpointState::is_given_up(Some(since), allowed, Timestamp::from_seconds(99)));
        assert!(EndpointState::is_given_up(Some(since), allowed, Timestamp::from_seconds(100)));
    }
}
