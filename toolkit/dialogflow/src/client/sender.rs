//! Sends one turn to a Dialogflow, over gRPC or REST, or to an `MLService`.

use std::time::Duration;

use http::{HeaderValue, Method, header};
use ieum_client::{Request, RestClient, RestConfig};
use ieum_core::{Cx, Fault, SharedClock};
use ieum_policy::{PolicyConfig, RetryConfig};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;

use super::token::TokenSource;
use super::{ClientError, ClientOptions, DialogflowAddress, Transport, kept_out};
use crate::channel::{self, ChannelOptions};
use crate::convert::{detected_of, request_message};
use crate::ml::{MlClient, MlOptions};
use crate::proto::v2::sessions_client::SessionsClient;
use crate::proto::{from_json, to_json, v2};
use crate::status::{fault_of, fault_of_body};
use crate::{Detected, Query, SessionName};

/// What of a name travels as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The longest answer, in bytes: speech is in it.
const LONGEST: usize = 16 << 20;
/// The limit of the REST client itself; the policies around both ways end calls much earlier.
const PATIENCE: Duration = Duration::from_secs(300);

/// The way to a Dialogflow.
pub struct Sender {
    address: DialogflowAddress,
    tokens: TokenSource,
    way: Way,
    pub(super) clock: SharedClock,
}

enum Way {
    Grpc(SessionsClient<Channel>),
    Rest(Box<RestClient>),
    Ml(MlClient),
}

impl Sender {
    pub fn new(
        address: &DialogflowAddress,
        options: &ClientOptions,
        clock: SharedClock,
    ) -> Result<Self, ClientError> {
        let tokens = TokenSource::new(&address.credentials, &address.base, clock.clone())?;
        let way = match address.transport {
            Transport::Grpc => {
                let (connect, keep_alive) = (options.policy.connect, options.keep_alive);
                let channel = channel::open(&address.origin(), ChannelOptions { connect, keep_alive });
                let client = SessionsClient::new(channel.map_err(ClientError::Grpc)?);
                Way::Grpc(client.max_decoding_message_size(LONGEST))
            }
            Transport::Rest => {
                let mut config = RestConfig::new("dialogflow", address.base.clone());
                config.outbound = options.outbound.clone();
                // A token goes nowhere else.
                config.redirects = 0;
                config.policy = PolicyConfig {
                    timeout: PATIENCE,
                    first_byte: PATIENCE,
                    connect: options.policy.connect,
                    retry: RetryConfig { attempts: 1, ..RetryConfig::default() },
                    breaker: None,
                    ..PolicyConfig::default()
                };
                Way::Rest(Box::new(RestClient::new(config, clock.clone()).map_err(ClientError::Rest)?))
            }
            Transport::Ml => {
                let connect = options.policy.connect;
                let options = MlOptions { timeout: PATIENCE, connect, keep_alive: options.keep_alive };
                let client = MlClient::new(&address.origin(), options, clock.clone());
                Way::Ml(client.map_err(ClientError::Ml)?)
            }
        };
        Ok(Self { address: address.clone(), tokens, way, clock })
    }

    /// Sends one turn.
    pub async fn detect(&self, cx: &Cx, query: &Query) -> Result<Detected, Fault> {
        let session = self.address.session(&query.session.session);
        let message = request_message(&session, query);
        let response = match &self.way {
            Way::Grpc(client) => self.over_grpc(cx, client.clone(), &session, message).await,
            Way::Rest(client) => self.over_rest(cx, client, &session, message).await,
            Way::Ml(client) => return client.detect(cx, query).await.map_err(kept_out),
        };
        detected_of(response.map_err(kept_out)?)
    }

    async fn over_grpc(
        &self,
        cx: &Cx,
        mut client: SessionsClient<Channel>,
        session: &SessionName,
        message: v2::DetectIntentRequest,
    ) -> Result<v2::DetectIntentResponse, Fault> {
        let request = self.signed(cx, session, message)?;
        let answer = client.detect_intent(request).await;
        answer.map(tonic::Response::into_inner).map_err(|status| fault_of("asking the Dialogflow", &status))
    }

    async fn over_rest(
        &self,
        cx: &Cx,
        client: &RestClient,
        session: &SessionName,
        message: v2::DetectIntentRequest,
    ) -> Result<v2::DetectIntentResponse, Fault> {
        let strange = |problem: String| Fault::internal("dialogflow.strange_answer", problem);
        let body = to_json(&message, false).map_err(|error| strange(error.to_string()))?;
        let path = format!("/v2/{}:detectIntent", utf8_percent_encode(&session.to_string(), PLAIN));
        let kind = HeaderValue::from_static("application/json");
        let mut request =
            Request::new(Method::POST, path).body(kind.clone(), body).header(header::ACCEPT, kind);
        if let Some(token) = self.tokens.header()? {
            request = request.header(header::AUTHORIZATION, token);
        }
        let answer = client.send(cx, request.any_status()).await?;
        if answer.status.is_success() {
            return from_json(&answer.body).map_err(|error| strange(error.to_string()));
        }
        Err(fault_of_body("asking the Dialogflow", answer.status.as_u16(), &answer.body))
    }

    /// Returns `message` with the time left, the token, and the header by which Google finds the region.
    pub(super) fn signed<T>(
        &self,
        cx: &Cx,
        session: &SessionName,
        message: T,
    ) -> Result<tonic::Request<T>, Fault> {
        let mut request = channel::request(message, cx, self.clock.moment());
        let metadata = request.metadata_mut();
        let route = format!("session={}", utf8_percent_encode(&session.to_string(), NON_ALPHANUMERIC));
        if let Ok(route) = MetadataValue::try_from(route) {
            metadata.insert("x-goog-request-params", route);
        }
        if let Some(token) = self.tokens.header()?
            && let Ok(token) = MetadataValue::try_from(token.as_bytes())
        {
            metadata.insert("authorization", token);
        }
        Ok(request)
    }

    /// Returns the gRPC client of a Dialogflow, which the other ways have not.
    pub(super) fn grpc(&self) -> Option<SessionsClient<Channel>> {
        match &self.way {
            Way::Grpc(client) => Some(client.clone()),
            Way::Rest(_) | Way::Ml(_) => None,
        }
    }

    /// Returns what answers.
    pub(super) fn engine(&self) -> &'static str {
        match &self.way {
            Way::Grpc(_) | Way::Rest(_) => "dialogflow",
            Way::Ml(_) => "ml",
        }
    }

    /// Returns the name of the session `id` at this agent.
    pub(super) fn session(&self, id: &str) -> SessionName {
        self.address.session(id)
    }
}
