//! What providers over HTTP share: the client, and what an answer says about the message.

use std::time::Duration;

use http::StatusCode;
use ieum_client::{Auth, Response, RestClient, RestConfig};
use ieum_core::{Code, Fault};
use ieum_policy::{PolicyConfig, RetryConfig};
use url::Url;

use super::{ProviderContext, SendError};

/// How long a provider may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Reasons of faults from before the request was out.
const BEFORE_SENDING: [&str; 6] = [
    "client.connect",
    "client.connect_timeout",
    "client.address_refused",
    "client.rate_limited",
    "client.path",
    "link.rate_limited",
];

/// Makes a client that repeats nothing: what to repeat is decided where it is known what was sent.
pub fn client(name: &str, base: Url, auth: Auth, context: &ProviderContext) -> Result<RestClient, String> {
    let policy = PolicyConfig {
        timeout: PATIENCE,
        first_byte: PATIENCE,
        retry: RetryConfig { attempts: 1, ..PolicyConfig::default().retry },
        breaker: None,
        ..PolicyConfig::default()
    };
    let outbound = context.outbound.clone();
    let config = RestConfig { auth, policy, outbound, redirects: 0, ..RestConfig::new(name, base) };
    RestClient::new(config, context.clock.clone()).map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        format!("{error}{cause}")
    })
}

/// Returns where a provider's API is: `https:` unless `?tls=none`, and the URL's host and port.
pub fn base(url: &Url, encrypted: bool) -> Result<Url, String> {
    let scheme = if encrypted { "https" } else { "http" };
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{scheme}://{host}{port}/").parse().map_err(|error| format!("{host} is no host: {error}"))
}

/// Says what a failed call means: only where it failed before the request was out is nothing sent for sure.
pub fn failed(fault: Fault) -> SendError {
    let before_sending = BEFORE_SENDING.contains(&&*fault.reason);
    // 429 and 503 say that it was not taken.
    let turned_away =
        fault.reason == "client.status" && matches!(fault.code, Code::ResourceExhausted | Code::Unavailable);
    if before_sending || turned_away { SendError::NotSent(fault) } else { SendError::Uncertain(fault) }
}

/// Says what an answer of 400 to 499 means: a refusal of us is worth another provider, one of the message is not.
pub fn refused(provider: &str, answer: &Response, why: &str) -> SendError {
    let status = answer.status;
    let why: String = why.chars().filter(|letter| !letter.is_control()).take(200).collect();
    let message = format!("{provider} answered {}: {why}", status.as_u16());
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PAYMENT_REQUIRED => {
            SendError::NotSent(Fault::failed_precondition("notify.provider.refused_us", message))
        }
        _ => SendError::Refused(Fault::invalid_argument("notify.provider.refused", message)),
    }
}
