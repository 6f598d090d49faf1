//! What the client library tells of itself: brought into our log, and kept where it says why nothing works.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};

use super::address::Address;

/// How long a client is listened to that is made only to hear what it complains about.
const LISTENING: Duration = Duration::from_secs(8);
/// One step of listening.
const STEP: Duration = Duration::from_millis(100);

/// Why brokers that are there do not talk with us. Each lasts until somebody changes something.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("it does not let us in: {said}; look at user, password and sasl= in the URL")]
    Login { said: String },
    #[error(
        "its certificate does not hold: no authority that counts has signed it, or it is for another name; name the \
         authority's file by ca= in the URL"
    )]
    Certificate,
    #[error("it ends connections that are not TLS; write kafkas:// for this port, or name another")]
    WantsTls,
    #[error("it ends connections without a login; write user:password@ before the host in the URL")]
    WantsLogin,
    #[error("it does not speak TLS on this port; write kafka://, or name its port for TLS")]
    LacksTls,
}

/// Tells of broken connections as details: whoever waited for an answer says it louder, once. Cloning shares what
/// was heard.
#[derive(Clone, Debug, Default)]
pub(super) struct Quiet {
    heard: Arc<Mutex<Option<Trouble>>>,
}

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.hear(message);
        tell(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.hear(reason);
        tracing::debug!(error = %error, reason, "kafka client");
    }
}

impl ConsumerContext for Quiet {}

/// Passes a line of the client library on.
pub(super) fn tell(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::error!(facility, message, "kafka client");
        }
        _ => tracing::debug!(facility, message, "kafka client"),
    }
}

/// Connects only to hear why that fails; blocks until something was heard, for at most [`LISTENING`].
pub(super) fn listen(address: &Address) -> KafkaResult<Option<Trouble>> {
    let context = Quiet::default();
    let mut settings = address.settings();
    settings.set_log_level(RDKafkaLogLevel::Info);
    let consumer: BaseConsumer<Quiet> = settings.create_with_context(context.clone())?;
    #[allow(clippy::disallowed_methods, reason = "bounds blocking calls of the client library")]
    let begun = Instant::now();
    while begun.elapsed() < LISTENING {
        let answered = consumer.fetch_metadata(None, STEP).is_ok();
        let _ = consumer.poll(STEP);
        let heard = context.take();
        if heard.is_some() || answered {
            return Ok(heard);
        }
    }
    Ok(None)
}

// === Quiet ===

impl Quiet {
    /// Returns the trouble that was heard last, and forgets it.
    pub(super) fn take(&self) -> Option<Trouble> {
        self.heard.lock().take()
    }

    fn hear(&self, text: &str) {
        if let Some(trouble) = Trouble::of(text) {
            *self.heard.lock() = Some(trouble);
        }
    }
}

// === Trouble ===

impl Trouble {
    /// Understands what librdkafka writes (`rd_kafka_broker_fail` and `rdkafka_ssl.c` of its release 2.12).
    fn of(text: &str) -> Option<Self> {
        if let Some((_, said)) = text.split_once("SASL authentication error: ") {
            // Behind it stands for how long the connection was there.
            let said = said.split(" (after ").next().unwrap_or(said);
            return Some(Self::Login { said: said.to_owned() });
        }
        if let Some((_, known)) = text.split_once("broker's supported mechanisms: ") {
            let known = known.split(" (after ").next().unwrap_or(known).trim();
            return Some(Self::Login { said: format!("for sasl= it takes {}", known.to_lowercase()) });
        }
        let has = |part: &str| text.contains(part);
        if has("certificate verify failed") || has("certificate could not be verified") {
            return Some(Self::Certificate);
        }
        // A TLS alert (RFC 8446 §6: 0x15, then the version 0x0301 to 0x0303) taken for the length of an answer.
        if has("connecting to a SSL listener?") || has("Invalid response size 35251") {
            return Some(Self::WantsTls);
        }
        if has("might require SASL authentication") {
            return Some(Self::WantsLogin);
        }
        if has("connecting to a PLAINTEXT broker listener?") || has("wrong version number") {
            return Some(Self::LacksTls);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_library_complains_about_is_understood() {
        let login = "sasl_ssl://a:1/bootstrap: SASL authentication error: Authentication failed: no such user \
                     (after 12ms in state AUTH_REQ)";
        let said = "Authentication failed: no such user".to_owned();
        assert_eq!(Trouble::of(login), Some(Trouble::Login { said }));
        let refused = "a:1: SSL handshake failed: error:0A000086: certificate verify failed: …";
        assert_eq!(Trouble::of(refused), Some(Trouble::Certificate));
        let plain = "Disconnected: requesting ApiVersion: might be caused by incorrect security.protocol \
                     configuration (connecting to a SSL listener?) or broker version is < 0.10";
        assert_eq!(Trouble::of(plain), Some(Trouble::WantsTls));
        let alert = "Receive failed: Invalid response size 352518912 (0..100000000): increase receive.message.max.bytes";
        assert_eq!(Trouble::of(alert), Some(Trouble::WantsTls));
        assert_eq!(Trouble::of("a:1: Connect to ipv4#127.0.0.1:1 failed: Connection refused"), None);
    }
}
