//! Voice's door: who may speak over HTTP, WebSocket and gRPC.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use ieum_core::{BoxFuture, Fault, Problem, Secret, describe};
use ieum_device::Credentials;
use ieum_dialogflow::{is_rest, rest_refusal};
use ieum_events::Visitors;
use ieum_gateway::{ApiError, Gateway, Origins, Partner, Passwords, SignedIn};

/// The longest problem+json that a door answers with, bytes.
const LONGEST_PROBLEM: usize = 64 * 1024;

/// The longest body, bytes: the longest recording in base64, and what stands around it.
const LONGEST_BODY: usize = ieum_voice::LONGEST_RECORDING / 3 * 4 + 64 * 1024;

/// The secrets that devices also come with by MQTT.
struct Secrets(Credentials);

impl Passwords for Secrets {
    fn verify<'a>(&'a self, name: &'a str, password: &'a Secret) -> BoxFuture<'a, Result<bool, Fault>> {
        Box::pin(async move {
            self.0.verify(name, password).await.map_err(|error| {
                tracing::warn!(error = %describe(&error), "checking a device's credentials failed");
                Fault::unavailable("device.credentials", "a device's secret cannot be checked now")
            })
        })
    }
}

/// Returns what knows the devices' secrets, also where they open nothing.
pub fn secrets(credentials: Credentials) -> Arc<dyn Passwords> {
    Arc::new(Secrets(credentials))
}

/// Puts voice's door around `router`: devices come with their secrets, services with keys, and without either those whom
/// `visitors` names. What each may do is for the routes to say.
pub fn guard(gateway: &Gateway, visitors: Visitors, credentials: Credentials, router: Router) -> Router {
    let router = router.layer(from_fn_with_state((visitors, gateway.origins().clone()), admit));
    let gateway = gateway.taking(LONGEST_BODY);
    gateway.public_with(secrets(credentials), router).layer(from_fn(in_their_words))
}

/// Tells a caller over gRPC, and one of Dialogflow's REST API, in its own language why the door does not open.
async fn in_their_words(request: Request, next: Next) -> Response {
    let is_grpc = ieum_wires::grpc::is_grpc(request.headers());
    let is_rest = is_rest(request.uri().path());
    let response = next.run(request).await;
    // What the routes themselves answer is in these words already.
    let refuses = !response.status().is_success() && (is_grpc || is_problem(&response));
    if !refuses || !(is_grpc || is_rest) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let body = axum::body::to_bytes(body, LONGEST_PROBLEM).await.unwrap_or_default();
    let fault = serde_json::from_slice::<Problem>(&body).map_or_else(
        |_| Fault::internal("voice.door", "the call was refused, and the reason could not be read"),
        Fault::from,
    );
    if is_grpc {
        return ieum_wires::grpc::refusal(&fault);
    }
    let mut refusal = rest_refusal(&fault);
    for name in [CONTENT_TYPE, CONTENT_LENGTH] {
        head.headers.remove(name);
    }
    // Such as how to sign in, and when to come again.
    refusal.headers_mut().extend(head.headers);
    refusal
}

fn is_problem(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"))
}

async fn admit(
    State((visitors, origins)): State<(Visitors, Origins)>,
    request: Request,
    next: Next,
) -> Response {
    let known = request.extensions();
    let is_known = known.get::<SignedIn>().is_some() || known.get::<Partner>().is_some();
    if is_known {
        return next.run(request).await;
    }
    let message = "speaking from another machine needs a device's id and secret (`Authorization: Basic`), or an API \
                   key with the scope voice:use in the header X-API-Key";
    match visitors.refuse(&origins, &request, Fault::unauthenticated("voice.nobody", message)) {
        None => next.run(request).await,
        Some(fault) => ApiError::from(fault).into_response(),
    }
}
