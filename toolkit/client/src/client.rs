//! The client of one source: policies, redirects, budget, limits, faults.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use ieum_core::{Code, Cx, Fault, Secret, SharedClock};
use ieum_policy::{Origin, PolicyService, PolicyStack};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt;
use url::Url;

use crate::body::read_body;
use crate::budget::read_wait;
use crate::redirect::{follow, same_origin};
use crate::request::Attempt;
use crate::{
    HttpOptions, HttpTransport, OutboundGuard, RateBudget, Request, Response, RestConfig, RestConfigError,
    Transport, WireRequest, WireResponse,
};

/// Calls one source's HTTP API. Cheap to clone; clones share policies and rate budget.
#[derive(Clone)]
pub struct RestClient {
    sender: Arc<Sender>,
    policies: PolicyStack,
    service: PolicyService<Attempt, Response>,
}

struct Sender {
    config: RestConfig,
    credentials: Option<(HeaderName, HeaderValue)>,
    secrets: Vec<Secret>,
    guard: OutboundGuard,
    transport: Arc<dyn Transport>,
    budget: RateBudget,
    clock: SharedClock,
}

// === RestClient ===

impl RestClient {
    /// Makes the client of a source over the real network. Fails where a setting makes no client; see
    /// [`RestConfigError`].
    pub fn new(config: RestConfig, clock: SharedClock) -> Result<Self, RestConfigError> {
        let guard = OutboundGuard::new(&config.outbound);
        let options = HttpOptions { connect: config.policy.connect, ..HttpOptions::default() };
        let transport = HttpTransport::new(guard, options)
            .map_err(|cause| RestConfigError::Transport { name: config.name.clone(), cause })?;
        Self::with_transport(config, clock, Arc::new(transport))
    }

    /// Makes the client of a source over `transport`. Addresses in place of names are still guarded; a
    /// name's addresses are the transport's to guard.
    pub fn with_transport(
        config: RestConfig,
        clock: SharedClock,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, RestConfigError> {
        let name = config.name.clone();
        let guard = OutboundGuard::new(&config.outbound);
        guard
            .check_url(&config.base)
            .map_err(|refused| RestConfigError::Base { name: name.clone(), refused })?;
        if config.base.query().is_some() || config.base.fragment().is_some() {
            return Err(RestConfigError::BaseQuery { name });
        }
        let credentials =
            config.auth.to_header().map_err(|_| RestConfigError::Credentials { name: name.clone() })?;
        let policies = PolicyStack::new(&name, &config.policy, clock.clone());
        let secrets = config.auth.secrets();
        let budget = RateBudget::default();
        let sender = Arc::new(Sender { config, credentials, secrets, guard, transport, budget, clock });
        let inner = sender.clone();
        let service = policies.apply(tower::service_fn(move |attempt: Attempt| {
            let sender = inner.clone();
            async move { sender.attempt(attempt).await }
        }));
        Ok(Self { sender, policies, service })
    }

    /// Sends `request`.
    ///
    /// Fails with the faults of the policies (`link.timeout` and the like), of the network (`client.…`),
    /// and with `client.status` for an answer of 400 and above (see [`Request::any_status`]), whose code is
    /// that of the status.
    pub async fn send(&self, cx: &Cx, request: Request) -> Result<Response, Fault> {
        let operation: Arc<str> = request.name().into();
        let attempt = Attempt { cx: cx.child(), request: Arc::new(request), operation };
        let begin = self.sender.clock.moment();
        let result = self.service.clone().oneshot(attempt).await;
        self.sender.measure(&result, self.sender.clock.moment().since(begin).as_secs_f64());
        result
    }

    /// Gets `path`. Fails as [`RestClient::send`].
    pub async fn get(&self, cx: &Cx, path: &str) -> Result<Response, Fault> {
        self.send(cx, Request::new(Method::GET, path)).await
    }

    /// Gets `path` and reads the answer as JSON. Fails as [`RestClient::send`] and with `client.bad_json`.
    pub async fn get_json<T: DeserializeOwned>(&self, cx: &Cx, path: &str) -> Result<T, Fault> {
        let accept = HeaderValue::from_static("application/json");
        self.send(cx, Request::new(Method::GET, path).header(header::ACCEPT, accept)).await?.json()
    }

    /// Posts `body` as JSON to `path` and reads the answer as JSON. Repeated only where `cx` carries an
    /// idempotency key. Fails as [`RestClient::send`], with `client.request_json` and `client.bad_json`.
    pub async fn post_json<T: DeserializeOwned>(
        &self,
        cx: &Cx,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Fault> {
        let accept = HeaderValue::from_static("application/json");
        let request = Request::new(Method::POST, path).header(header::ACCEPT, accept).json(body)?;
        self.send(cx, request).await?.json()
    }

    /// Returns what is known of the source's allowance.
    pub fn rate_state(&self) -> crate::RateState {
        self.sender.budget.state()
    }

    /// Returns the source's policies, to look at and to steer.
    pub fn policies(&self) -> &PolicyStack {
        &self.policies
    }

    /// Returns the settings. Secrets in them do not print.
    pub fn config(&self) -> &RestConfig {
        &self.sender.config
    }
}

impl fmt::Debug for RestClient {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RestClient").field("config", &self.sender.config).finish_non_exhaustive()
    }
}

// === Sender ===

impl Sender {
    /// Sends once, redirects followed, and reads the answer whole.
    async fn attempt(&self, attempt: Attempt) -> Result<Response, Fault> {
        let asked = self.redact(format!("{} of {}", attempt.operation, self.config.name));
        self.budget.take(self.clock.moment()).map_err(|fault| self.explain(&asked, fault))?;
        let result = self.exchange(&attempt, &asked).await;
        result.map_err(|fault| self.explain(&asked, fault))
    }

    async fn exchange(&self, attempt: &Attempt, asked: &str) -> Result<Response, Fault> {
        let mut request = self.wire_request(attempt)?;
        for _ in 0..=self.config.redirects {
            self.guard.check_url(&request.url)?;
            let answer = self.first_byte(request.clone()).await?;
            let (now, wall) = (self.clock.moment(), self.clock.now());
            if same_origin(&request.url, &self.config.base) {
                self.budget.learn(answer.status, &answer.headers, now, wall);
            }
            match follow(&request, answer.status, &answer.headers)? {
                Some(next) => request = next,
                None => return self.read(answer, &attempt.request, asked).await,
            }
        }
        let message = format!("more than {} redirects followed each other", self.config.redirects);
        Err(Fault::failed_precondition("client.too_many_redirects", message))
    }

    /// Sends and waits for the answer's head, no longer than the policy's `first_byte`, connecting
    /// included.
    async fn first_byte(&self, request: WireRequest) -> Result<WireResponse, Fault> {
        let limit = self.config.policy.first_byte;
        tokio::select! {
            biased;
            answer = self.transport.send(request) => Ok(answer?),
            () = self.clock.sleep(limit) => {
                let message = format!("no answer began within {} ms", limit.as_millis());
                Err(Fault::deadline_exceeded("client.first_byte", message))
            }
        }
    }

    async fn read(&self, answer: WireResponse, request: &Request, asked: &str) -> Result<Response, Fault> {
        let WireResponse { status, headers, body } = answer;
        let wait = read_wait(&headers, self.clock.now());
        let body = read_body(&headers, body, self.config.limits).await?;
        let code = status.as_u16();
        if code < 400 || (request.any_status && code < 500 && code != 429) {
            return Ok(Response { status, headers, body, origin: Origin::Live, asked: asked.to_owned() });
        }
        let mut message = format!("answered {code}");
        if let Some(why) = told(&body) {
            // Cut after taking secrets out: half a secret would not be found.
            let why: String = self.redact(why).chars().take(200).collect();
            message = format!("{message}: {why}");
        }
        let fault = Fault::new(Code::from_http_status(code), "client.status", message);
        Err(match wait {
            Some(wait) if fault.is_retryable() => fault.with_retry_after(wait),
            _ => fault,
        })
    }

    fn wire_request(&self, attempt: &Attempt) -> Result<WireRequest, Fault> {
        let (cx, request) = (&attempt.cx, &attempt.request);
        let url = self.address(&request.path)?;
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(
            header::USER_AGENT,
            HeaderValue::from_static(concat!("ieum/", env!("CARGO_PKG_VERSION"))),
        );
        for name in request.headers.keys() {
            headers.remove(name);
        }
        headers.extend(request.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        // Caller and tenant are our own affair; a source learns the trace and the idempotency key.
        let trace = HeaderValue::from_str(&cx.trace().to_string()).ok();
        headers.extend(trace.map(|value| (HeaderName::from_static(ieum_core::header::TRACEPARENT), value)));
        if let Some(key) = cx.idempotency_key().filter(|_| !request.is_safe()) {
            let value = HeaderValue::from_str(key).map_err(|_| {
                Fault::invalid_argument("client.idempotency_key", "the idempotency key fits into no header")
            })?;
            headers.insert(HeaderName::from_static(ieum_core::header::IDEMPOTENCY_KEY), value);
        }
        if let Some((name, value)) =
            self.credentials.as_ref().filter(|_| same_origin(&url, &self.config.base))
        {
            headers.insert(name.clone(), value.clone());
        }
        Ok(WireRequest { method: request.method.clone(), url, headers, body: request.body.clone() })
    }

    /// Puts `path` behind the base address. A path cannot lead to another origin; a whole address can.
    fn address(&self, path: &str) -> Result<Url, Fault> {
        let whole = path.starts_with("http://") || path.starts_with("https://");
        let text = match (whole, path.starts_with('/')) {
            (true, _) => path.to_owned(),
            (false, true) => format!("{}{path}", self.config.base.as_str().trim_end_matches('/')),
            (false, false) => format!("{}/{path}", self.config.base.as_str().trim_end_matches('/')),
        };
        let url = Url::parse(&text).ok();
        let url = url.filter(|url| whole || same_origin(url, &self.config.base));
        url.ok_or_else(|| Fault::invalid_argument("client.path", "the path makes no address"))
    }

    /// Says in the fault what was asked of whom.
    fn explain(&self, asked: &str, fault: Fault) -> Fault {
        Fault { message: format!("{asked}: {}", fault.message), ..fault }
    }

    /// Takes this client's secrets out of what a source said.
    fn redact(&self, text: String) -> String {
        let secrets = self.secrets.iter().filter(|secret| !secret.expose().is_empty());
        secrets.fold(text, |text, secret| text.replace(secret.expose(), "[secret]"))
    }

    fn measure(&self, result: &Result<Response, Fault>, seconds: f64) {
        let outcome = match result {
            Ok(response) if response.origin != Origin::Live => "fallback",
            Ok(response) if response.status == StatusCode::NOT_MODIFIED => "not_modified",
            Ok(_) => "ok",
            Err(fault) => fault.code.name(),
        };
        let name = self.config.name.clone();
        metrics::counter!("ieum_client_requests_total", "client" => name.clone(), "outcome" => outcome)
            .increment(1);
        metrics::histogram!("ieum_client_request_seconds", "client" => name).record(seconds);
    }
}

/// Returns what an error answer says of itself: one short line from the usual JSON members.
fn told(body: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let texts =
        ["detail", "message", "error", "title"].into_iter().filter_map(|name| value.get(name)?.as_str());
    let text: String = texts.take(1).flat_map(str::chars).filter(|letter| !letter.is_control()).collect();
    (!text.is_empty()).then_some(text)
}
