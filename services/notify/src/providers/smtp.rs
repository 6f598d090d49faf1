//! Email by SMTP (RFC 5321): `smtp://user:password@host:587` with STARTTLS, `smtps://` encrypted from the start,
//! `smtp://host:25?tls=none` for a server on this machine or a closed network.
//!
//! Each message has a connection of its own and goes step by step, so that it is known whether the server may have it:
//! only from the message's end until its answer is that open.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use ieum_contracts::notify::Channel;
use ieum_core::{Cx, Fault, SharedClock};
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message};
use url::Url;

use super::{
    Letter, Provider, ProviderContext, Receipt, Repeat, SendError, decoded, is_encrypted, name_of, only,
};

/// How long connecting, encrypting, signing in and naming the addressee may take together.
const BEFORE: Duration = Duration::from_secs(10);
/// How long the server may take to answer for a message.
const AFTER: Duration = Duration::from_secs(15);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encryption {
    None,
    StartTls,
    FromTheStart,
}

struct Smtp {
    name: String,
    host: String,
    port: u16,
    encryption: Encryption,
    credentials: Option<Credentials>,
    from: Mailbox,
    clock: SharedClock,
}

pub(super) fn open(url: &Url, _: Channel, context: &ProviderContext) -> Result<Arc<dyn Provider>, String> {
    only(url, &["tls"])?;
    let encryption = match (url.scheme(), is_encrypted(url)?) {
        ("smtps", true) => Encryption::FromTheStart,
        ("smtps", false) => return Err("smtps: is encrypted; write smtp: for tls=none".to_owned()),
        (_, true) => Encryption::StartTls,
        (_, false) => Encryption::None,
    };
    let usual = match encryption {
        Encryption::None => 25,
        Encryption::StartTls => 587,
        Encryption::FromTheStart => 465,
    };
    let from: Mailbox =
        context.from.parse().map_err(|_| "the sender (notify.from) is no email address".to_owned())?;
    let credentials =
        url.password().map(|password| Credentials::new(decoded(url.username()), decoded(password)));
    Ok(Arc::new(Smtp {
        name: name_of(url),
        host: url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned(),
        port: url.port().unwrap_or(usual),
        encryption,
        credentials,
        from,
        clock: context.clock.clone(),
    }))
}

/// A step that did not work, and what that says.
enum Step {
    /// The server does not let us in, or not now.
    Ours(&'static str, Error),
    /// The server refuses the addressee or the message.
    Theirs(&'static str, Error),
}

impl Smtp {
    async fn connect(&self) -> Result<AsyncSmtpConnection, Step> {
        let hello = ClientId::Domain(self.from.email.domain().to_owned());
        let tls = || TlsParameters::new_rustls(self.host.clone());
        let failed = |step| move |error| Step::Ours(step, error);
        let from_the_start = match self.encryption {
            Encryption::FromTheStart => Some(tls().map_err(failed("preparing encryption"))?),
            _ => None,
        };
        let address = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(address, Some(BEFORE), &hello, from_the_start, None)
                .await
                .map_err(failed("connecting"))?;
        if self.encryption == Encryption::StartTls {
            let tls = tls().map_err(failed("preparing encryption"))?;
            connection.starttls(tls, &hello).await.map_err(failed("encrypting"))?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await.map_err(failed("signing in"))?;
        }
        Ok(connection)
    }

    /// Everything before the message itself. Dropping it midway leaves nothing behind.
    async fn begin(&self, to: Address) -> Result<AsyncSmtpConnection, Step> {
        let mut connection = self.connect().await?;
        let from = Mail::new(Some(self.from.email.clone()), Vec::new());
        connection.command(from).await.map_err(|error| Step::Ours("naming the sender", error))?;
        let to = Rcpt::new(to, Vec::new());
        connection.command(to).await.map_err(|error| Step::Theirs("naming the addressee", error))?;
        connection.command(Data).await.map_err(|error| Step::Theirs("announcing the message", error))?;
        Ok(connection)
    }

    fn write(&self, letter: &Letter, to: &Address) -> Result<Vec<u8>, SendError> {
        let micros = u64::try_from(self.clock.now().as_micros()).unwrap_or(0);
        let domain = self.from.email.domain();
        let auto = HeaderName::new_from_ascii_str("Auto-Submitted");
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.clone()))
            .subject(letter.title.clone())
            .date(UNIX_EPOCH + Duration::from_micros(micros))
            .message_id(Some(format!("<{}@{domain}>", letter.id)))
            // RFC 3834: so that no machine answers a machine.
            .raw_header(HeaderValue::new(auto, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(letter.body.clone());
        let refused = |error: lettre::error::Error| {
            SendError::Refused(Fault::invalid_argument("notify.email.unwritable", error.to_string()))
        };
        Ok(message.map_err(refused)?.formatted())
    }

    fn fault(&self, step: &str, error: &Error) -> Fault {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
        let message: String = format!("{step} at {}: {error}{cause}", self.name)
            .chars()
            .map(|letter| if letter.is_control() { ' ' } else { letter })
            .take(300)
            .collect();
        Fault::unavailable("notify.provider.smtp", message)
    }

    fn judge(&self, step: Step) -> SendError {
        match step {
            Step::Ours(step, error) => SendError::NotSent(self.fault(step, &error)),
            Step::Theirs(step, error) if error.is_permanent() => SendError::Refused(self.fault(step, &error)),
            Step::Theirs(step, error) => SendError::NotSent(self.fault(step, &error)),
        }
    }

    fn late(&self, what: &str, limit: Duration) -> Fault {
        let message = format!("{what} at {}: no answer within {} s", self.name, limit.as_secs());
        Fault::deadline_exceeded("notify.provider.smtp_late", message)
    }
}

#[async_trait]
impl Provider for Smtp {
    fn name(&self) -> &str {
        &self.name
    }

    fn repeat(&self) -> Repeat {
        Repeat::Doubles
    }

    async fn send(&self, _cx: &Cx, letter: &Letter) -> Result<Receipt, SendError> {
        let to: Address = letter.to.parse().map_err(|_| {
            SendError::Refused(Fault::invalid_argument(
                "notify.email.address",
                "the address is no email address",
            ))
        })?;
        let message = self.write(letter, &to)?;
        let mut connection = tokio::select! {
            begun = self.begin(to) => begun.map_err(|step| self.judge(step))?,
            () = self.clock.sleep(BEFORE) => return Err(SendError::NotSent(self.late("beginning a message", BEFORE))),
        };
        let answer = tokio::select! {
            answer = connection.message(&message) => answer,
            () = self.clock.sleep(AFTER) => return Err(SendError::Uncertain(self.late("ending a message", AFTER))),
        };
        let step = "ending a message";
        let reference = match answer {
            Ok(answer) => answer.first_line().unwrap_or_default().chars().take(300).collect(),
            Err(error) if error.is_permanent() => return Err(SendError::Refused(self.fault(step, &error))),
            Err(error) if error.is_transient() => return Err(SendError::NotSent(self.fault(step, &error))),
            Err(error) => return Err(SendError::Uncertain(self.fault(step, &error))),
        };
        // It is taken; how we part changes nothing.
        tokio::select! {
            _ = connection.quit() => {}
            () = self.clock.sleep(Duration::from_secs(1)) => {}
        }
        Ok(Receipt { reference })
    }

    async fn check(&self) -> Result<(), Fault> {
        let connected = tokio::select! {
            connected = self.connect() => connected,
            () = self.clock.sleep(BEFORE) => return Err(self.late("connecting", BEFORE)),
        };
        match connected {
            Ok(mut connection) => {
                let _ = connection.quit().await;
                Ok(())
            }
            Err(Step::Ours(step, error) | Step::Theirs(step, error)) => Err(self.fault(step, &error)),
        }
    }
}
