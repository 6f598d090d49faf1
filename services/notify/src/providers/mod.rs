//! Who takes messages: mail servers and providers of SMS and push, each behind one URL.

mod ntfy;
mod rest;
mod sigv4;
mod smtp;
mod sns;

use std::sync::Arc;

use async_trait::async_trait;
use ieum_client::OutboundPolicy;
use ieum_contracts::notify::Channel;
use ieum_core::{Cx, Fault, Id, Secret, SharedClock, redact_url};
use url::Url;

/// A message as a provider gets it.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The message's id, the same on every attempt.
    pub id: Id,
    /// The address on the provider's channel.
    pub to: String,
    /// One line.
    pub title: String,
    /// Plain text.
    pub body: String,
}

/// What a provider says of a message it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What it calls the message.
    pub reference: String,
}

/// What repeating a message does that may have been taken already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// The person sees it once: the provider knows the message by its id.
    Harmless,
    /// The person may see it twice.
    Doubles,
}

/// Says what did not work, and above all whether the message may be with the person anyway.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SendError {
    /// Nothing was taken; another provider, or this one later, may.
    #[error("nothing was sent")]
    NotSent(#[source] Fault),
    /// This message or address is refused for good.
    #[error("the message was refused for good")]
    Refused(#[source] Fault),
    /// It may have been taken: the answer was lost.
    #[error("the message may have been sent")]
    Uncertain(#[source] Fault),
}

/// Takes messages of one channel.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// Its name in rows, metrics and logs: the address without credentials.
    fn name(&self) -> &str;

    /// What a repetition does.
    fn repeat(&self) -> Repeat;

    /// Hands one message over, once: it repeats nothing by itself.
    async fn send(&self, cx: &Cx, letter: &Letter) -> Result<Receipt, SendError>;

    /// Tells whether it can be reached and lets us in, without sending anything.
    async fn check(&self) -> Result<(), Fault>;
}

/// What providers stand on.
#[derive(Clone)]
pub struct ProviderContext {
    /// What may be called beyond the public internet.
    pub outbound: OutboundPolicy,
    /// The time.
    pub clock: SharedClock,
    /// Whom email comes from, such as `Ieum <no-reply@example.org>`.
    pub from: String,
}

/// Says why a URL makes no provider. Credentials are no part of it.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The text is no URL with a host.
    #[error("{scheme}: is no address such as smtp://user:password@host:587")]
    Address {
        /// The scheme, which holds no secret.
        scheme: String,
    },
    /// The scheme takes no messages of this channel.
    #[error("{scheme}: takes no {channel}; expected one of {known}")]
    Scheme {
        /// The scheme.
        scheme: String,
        /// The channel.
        channel: &'static str,
        /// Those that do.
        known: String,
    },
    /// Two providers of a channel could not be told apart.
    #[error("{name}: stands there twice")]
    Twice {
        /// Scheme, host and port.
        name: String,
    },
    /// A part of the URL is missing or wrong.
    #[error("{url}: {problem}")]
    Part {
        /// The URL without credentials.
        url: String,
        /// What is wrong.
        problem: String,
    },
}

type Open = fn(&Url, Channel, &ProviderContext) -> Result<Arc<dyn Provider>, String>;

/// Every scheme, what it takes, and who opens it.
const SCHEMES: [(&str, &[Channel], Open); 4] = [
    ("smtp", &[Channel::Email], smtp::open),
    ("smtps", &[Channel::Email], smtp::open),
    ("sns", &[Channel::Sms, Channel::Push], sns::open),
    ("ntfy", &[Channel::Push], ntfy::open),
];

/// Returns the schemes that take messages of `channel`.
pub fn provider_schemes(channel: Channel) -> Vec<&'static str> {
    SCHEMES.iter().filter(|(_, takes, _)| takes.contains(&channel)).map(|(scheme, ..)| *scheme).collect()
}

/// Opens the provider at a URL. Nothing is called yet; see [`Provider::check`].
///
/// # Errors
/// Says what of the URL is wrong.
pub fn open_provider(
    text: &str,
    channel: Channel,
    context: &ProviderContext,
) -> Result<Arc<dyn Provider>, ProviderError> {
    let (url, open) = parse(text, channel)?;
    open(&url, channel, context).map_err(|problem| ProviderError::Part { url: redact_url(text), problem })
}

fn parse(text: &str, channel: Channel) -> Result<(Url, Open), ProviderError> {
    let scheme = text.split(':').next().unwrap_or_default();
    let found = SCHEMES.iter().find(|(name, takes, _)| *name == scheme && takes.contains(&channel));
    let Some((_, _, open)) = found else {
        let known: Vec<String> = provider_schemes(channel).iter().map(|name| format!("{name}:")).collect();
        // Only what is written like a scheme is shown: a text without one may be a secret.
        let shown = if scheme.len() < text.len() { scheme } else { "the address" };
        let (scheme, known) = (shown.to_owned(), known.join(" "));
        return Err(ProviderError::Scheme { scheme, channel: channel.name(), known });
    };
    let url = Url::parse(text).ok().filter(Url::has_host);
    let url = url.ok_or_else(|| ProviderError::Address { scheme: scheme.to_owned() })?;
    Ok((url, *open))
}

/// Opens the providers of a channel, in the order in which they are asked.
///
/// # Errors
/// Says what of which URL is wrong, or which stands there twice.
pub fn open_providers(
    urls: &[Secret],
    channel: Channel,
    context: &ProviderContext,
) -> Result<Vec<Arc<dyn Provider>>, ProviderError> {
    let mut all: Vec<Arc<dyn Provider>> = Vec::new();
    for url in urls {
        let provider = open_provider(url.expose(), channel, context)?;
        if all.iter().any(|other| other.name() == provider.name()) {
            return Err(ProviderError::Twice { name: provider.name().to_owned() });
        }
        all.push(provider);
    }
    Ok(all)
}

/// Checks what can be checked of a provider's URL without opening it: scheme and host.
///
/// # Errors
/// Says what is wrong, without credentials.
pub fn check_provider_url(text: &str, channel: Channel) -> Result<(), ProviderError> {
    parse(text, channel).map(drop)
}

/// Tells whether email can come from `text`, such as `Ieum <no-reply@example.org>`.
pub fn is_sender(text: &str) -> bool {
    text.parse::<lettre::message::Mailbox>().is_ok()
}

/// Returns the value of `name` in the URL's query.
fn option(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Fails where the query holds anything but `known`.
fn only(url: &Url, known: &[&str]) -> Result<(), String> {
    match url.query_pairs().find(|(key, _)| !known.contains(&key.as_ref())) {
        Some((key, _)) => Err(format!("?{key}= is none of {}", known.join(", "))),
        None => Ok(()),
    }
}

/// Reads `?tls=`: whether the way is encrypted, which it is where nothing is said.
fn is_encrypted(url: &Url) -> Result<bool, String> {
    match option(url, "tls").as_deref() {
        None | Some("required") => Ok(true),
        Some("none") => Ok(false),
        Some(other) => Err(format!("tls={other} is neither required nor none")),
    }
}

/// Returns a part of a URL as it was meant.
fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}

/// Returns scheme, host and port, which tell providers apart and hold no secret.
fn name_of(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> ProviderContext {
        let from = "Ieum <no-reply@example.org>".to_owned();
        ProviderContext { outbound: OutboundPolicy::default(), clock: ieum_core::system_clock(), from }
    }

    fn refused(text: &str, channel: Channel) -> String {
        let error = open_provider(text, channel, &context()).err().expect("is refused");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        error.to_string()
    }

    #[test]
    fn a_url_that_makes_no_provider_is_refused_without_its_secret() {
        assert_eq!(
            refused("http://u:hunter2@host", Channel::Sms),
            "http: takes no sms; expected one of sns:"
        );
        assert_eq!(
            refused("hunter2", Channel::Push),
            "the address: takes no push; expected one of sns: ntfy:"
        );
        assert!(refused("smtp:hunter2", Channel::Email).starts_with("smtp: is no address"));
        assert!(refused("smtp://u:hunter2@host?tls=maybe", Channel::Email).contains("tls=maybe"));
        assert!(refused("smtp://u:hunter2@host?tsl=none", Channel::Email).contains("?tsl="));
        assert!(refused("sns://u:hunter2@sns.eu-west-1.amazonaws.com", Channel::Sms).contains("region"));
        assert!(refused("sns://sns.eu-west-1.amazonaws.com/eu-west-1", Channel::Sms).contains("access key"));
        let good = open_provider("smtp://u:hunter2@host:2525", Channel::Email, &context()).expect("is right");
        assert_eq!(good.name(), "smtp://host:2525");
        let twice = ["smtp://a:b@host", "smtp://c:d@host"].map(Secret::new);
        let error = open_providers(&twice, Channel::Email, &context()).err().expect("is refused");
        assert_eq!(error.to_string(), "smtp://host: stands there twice");
    }
}
