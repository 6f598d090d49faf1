//! What partners ask about their webhook endpoints.

use axum::extract::State;
use http::StatusCode;
use ieum_core::{Fault, Id};
use ieum_gateway::{ApiError, ApiJson, ApiPath, ApiQuery, Partner};
use ieum_webhook::{DeliveryFilter, DeliveryState, NewEndpoint, WebhookError};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::rules::scope;
use crate::views::{
    AttemptView, Attempts, Deliveries, DeliveryView, NewWebhook, ProblemView, ResendSince, Resent, Webhook,
    WebhookWithSecret, Webhooks,
};
use crate::web::{Web, malformed};

/// Which deliveries to show.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeliveriesQuery {
    /// `pending`, `held`, `delivered`, `exhausted` or `cancelled`.
    state: Option<String>,
    /// The last id of the page before.
    #[param(value_type = Option<String>)]
    before: Option<String>,
    /// How many, at most 500; 50 where left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Registers a webhook endpoint. The answer holds its secret, shown this once.
#[utoipa::path(post, path = "/api/partner/webhooks", tag = "webhooks", security(("key" = [])),
    request_body = NewWebhook, responses(
    (status = 201, description = "The endpoint and its secret", body = WebhookWithSecret),
    (status = 400, description = "A malformed field or a forbidden address", body = ProblemView, content_type = "application/problem+json"),
    (status = 403, description = "The key lacks webhooks:write", body = ProblemView, content_type = "application/problem+json"),
    (status = 429, description = "Too many endpoints or requests", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn register(
    State(web): State<Web>,
    partner: Partner,
    ApiJson(wish): ApiJson<NewWebhook>,
) -> Result<(StatusCode, ApiJson<WebhookWithSecret>), ApiError> {
    partner.require(scope::WEBHOOKS_WRITE)?;
    let NewWebhook { url, events, ordered } = wish;
    let new = NewEndpoint { partner: partner.id().to_owned(), url, events, ordered };
    let registered = web.webhooks.register(new).await.map_err(refuse)?;
    let secret = registered.secret.expose().to_owned();
    Ok((StatusCode::CREATED, ApiJson(WebhookWithSecret { webhook: registered.endpoint.into(), secret })))
}

/// Lists the partner's webhook endpoints.
#[utoipa::path(get, path = "/api/partner/webhooks", tag = "webhooks", security(("key" = [])), responses(
    (status = 200, description = "The endpoints", body = Webhooks),
))]
pub(crate) async fn list(State(web): State<Web>, partner: Partner) -> Result<ApiJson<Webhooks>, ApiError> {
    partner.require(scope::WEBHOOKS_WRITE)?;
    let endpoints = web.webhooks.endpoints(partner.id()).await.map_err(refuse)?;
    Ok(ApiJson(Webhooks { webhooks: endpoints.into_iter().map(Into::into).collect() }))
}

/// Returns one webhook endpoint.
#[utoipa::path(get, path = "/api/partner/webhooks/{webhookId}", tag = "webhooks", security(("key" = [])),
    params(("webhookId" = String, Path, description = "The endpoint")), responses(
    (status = 200, description = "The endpoint", body = Webhook),
    (status = 404, description = "No such endpoint", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn show(
    State(web): State<Web>,
    partner: Partner,
    ApiPath(id): ApiPath<String>,
) -> Result<ApiJson<Webhook>, ApiError> {
    partner.require(scope::WEBHOOKS_WRITE)?;
    let id = endpoint_id(&id)?;
    let endpoint = web.webhooks.endpoint(partner.id(), id).await;
    endpoint.map(|endpoint| ApiJson(endpoint.into())).map_err(refuse)
}

/// Deletes a webhook endpoint and cancels what was to be sent to it.
#[utoipa::path(delete, path = "/api/partner/webhooks/{webhookId}", tag = "webhooks", security(("key" = [])),
    params(("webhookId" = String, Path, description = "The endpoint")), responses(
    (status = 204, description = "It is gone"),
    (status = 404, description = "No such endpoint", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn delete(
    State(web): State<Web>,
    partner: Partner,
    ApiPath(id): ApiPath<String>,
) -> Result<StatusCode, ApiError> {
    partner.require(scope::WEBHOOKS_WRITE)?;
    let id = endpoint_id(&id)?;
    web.webhooks.delete(partner.id(), id).await.map_err(refuse)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Enables a disabled webhook endpoint; what was held back is sent.
#[utoipa::path(post, path = "/api/partner/webhooks/{webhookId}/enable", tag = "webhooks",
    security(("key" = [])), params(("webhookId" = String, Path, description = "The endpoint")), responses(
    (status = 200, description = "The endpoint", body = Webhook),
    (status = 404, description = "No such endpoint", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn enable(
    State(web): State<Web>,
    partner: Partner,
    ApiPath(id): ApiPath<String>,
) -> Result<ApiJson<Webhook>, ApiError> {
    partner.require(scope::WEBHOOKS_WRITE)?;
    let id = endpoint_id(&id)?;
    web.webhooks.enable(partner.id(), id).await.map_err(refuse)?;
    let endpoint = web.webhooks.endpoint(partner.id(), id).await;
    endpoint.map(|endpoint| ApiJson(endpoint.into())).map_err(refuse)
}

/// Makes a new secret, shown this once. The one before signs along for a day.
#[utoipa::path(post, path = "/api/partner/webhooks/{webhookId}/rotate-secret", tag = "webhooks",
    security(("key" = [])), params(("webhookId" = String, Path, description = "The endpoint")), responses(
    (status = 200, description = "The endpoint and its new secret", body = WebhookWithSecret),
    (status = 404, description = "No such endpoint", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn rotate_secret(
    State(web): State<Web>,
    partner: Partner,
    ApiPath(id): ApiPath<String>,
) -> Result<ApiJson<WebhookWithSecret>, ApiError> {
    partner.require(scope::WEBHOOKS_WRITE)?;
    let id = endpoint_id(&id)?;
    let secret = web.webhooks.rotate_secret(partner.id(), id).await.map_err(refuse)?;
    let endpoint = web.webhooks.endpoint(partner.id(), id).await.map_err(refuse)?;
    Ok(ApiJson(WebhookWithSecret { webhook: endpoint.into(), secret: secret.expose().to_owned() }))
}

/// Lists the deliveries of a webhook endpoint, the newest first.
#[utoipa::path(get, path = "/api/partner/webhooks/{webhookId}/deliveries", tag = "webhooks",
    security(("key" = [])),
    params(("webhookId" = String, Path, description = "The endpoint"), DeliveriesQuery), responses(
    (status = 200, description = "The deliveries", body = Deliveries),
    (status = 404, description = "No such endpoint", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn deliveries(
    State(web): State<Web>,
    partner: Partner,
    ApiPath(id): ApiPath<String>,
    ApiQuery(query): ApiQuery<DeliveriesQuery>,
) -> Result<ApiJson<Deliveries>, ApiError> {
    partner.require(scope::WEBHOOKS_WRITE)?;
    let id = endpoint_id(&id)?;
    let mut filter = DeliveryFilter { endpoint: Some(id), ..DeliveryFilter::default() };
    filter.limit = query.limit.unwrap_or_default();
    if let Some(state) = query.state {
        let known = DeliveryState::ALL.map(DeliveryState::name).join(", ");
        let unknown = || malformed("state", &format!("{state:?} is none of {known}"));
        filter.state = Some(DeliveryState::from_name(&state).ok_or_else(unknown)?);
    }
    if let Some(before) = query.before {
        let unknown = |_| malformed("before", &format!("{before:?} is no delivery id"));
        filter.before = Some(before.parse().map_err(unknown)?);
    }
    web.webhooks.endpoint(partner.id(), id).await.map_err(refuse)?;
    let found = web.webhooks.deliveries(partner.id(), &filter).await.map_err(refuse)?;
    Ok(ApiJson(Deliveries { deliveries: found.into_iter().map(DeliveryView::from).collect() }))
}

/// Lists the attempts of a delivery.
#[utoipa::path(get, path = "/api/partner/webhooks/deliveries/{deliveryId}/attempts", tag = "webhooks",
    security(("key" = [])), params(("deliveryId" = String, Path, description = "The delivery")), responses(
    (status = 200, description = "The attempts", body = Attempts),
    (status = 404, description = "No such delivery", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn attempts(
    State(web): State<Web>,
    partner: Partner,
    ApiPath(id): ApiPath<String>,
) -> Result<ApiJson<Attempts>, ApiError> {
    partner.require(scope::WEBHOOKS_WRITE)?;
    let id = delivery_id(&id)?;
    let found = web.webhooks.attempts(partner.id(), id).await.map_err(refuse)?;
    Ok(ApiJson(Attempts { attempts: found.into_iter().map(AttemptView::from).collect() }))
}

/// Sends a delivery again, under the same message id.
#[utoipa::path(post, path = "/api/partner/webhooks/deliveries/{deliveryId}/resend", tag = "webhooks",
    security(("key" = [])), params(("deliveryId" = String, Path, description = "The delivery")), responses(
    (status = 202, description = "It is due again", body = DeliveryView),
    (status = 404, description = "No such delivery", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn resend(
    State(web): State<Web>,
    partner: Partner,
    ApiPath(id): ApiPath<String>,
) -> Result<(StatusCode, ApiJson<DeliveryView>), ApiError> {
    partner.require(scope::WEBHOOKS_WRITE)?;
    let id = delivery_id(&id)?;
    let delivery = web.webhooks.resend(partner.id(), id).await.map_err(refuse)?;
    Ok((StatusCode::ACCEPTED, ApiJson(delivery.into())))
}

/// Sends again what the endpoint missed since a time.
#[utoipa::path(post, path = "/api/partner/webhooks/{webhookId}/resend", tag = "webhooks",
    security(("key" = [])), params(("webhookId" = String, Path, description = "The endpoint")),
    request_body = ResendSince, responses(
    (status = 202, description = "How many are due again", body = Resent),
    (status = 404, description = "No such endpoint", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn resend_since(
    State(web): State<Web>,
    partner: Partner,
    ApiPath(id): ApiPath<String>,
    ApiJson(wish): ApiJson<ResendSince>,
) -> Result<(StatusCode, ApiJson<Resent>), ApiError> {
    partner.require(scope::WEBHOOKS_WRITE)?;
    let id = endpoint_id(&id)?;
    let count = web.webhooks.resend_since(partner.id(), id, wish.since).await;
    let count = count.map_err(refuse)?;
    Ok((StatusCode::ACCEPTED, ApiJson(Resent { count })))
}

fn refuse(error: WebhookError) -> ApiError {
    if let WebhookError::Store { source, .. } = &error {
        tracing::error!(error = source as &dyn std::error::Error, step = %error, "managing webhooks failed");
    }
    let field = match &error {
        WebhookError::Endpoint(wrong) => Some(wrong.field),
        WebhookError::Address(_) => Some("url"),
        _ => None,
    };
    let refused = ApiError::from(Fault::from(error));
    match field {
        Some(field) => refused.at_field(field),
        None => refused,
    }
}

fn endpoint_id(text: &str) -> Result<Id, ApiError> {
    let unknown = |_| Fault::not_found("webhook.no_endpoint", format!("there is no endpoint {text:?}"));
    text.parse().map_err(unknown).map_err(ApiError::from)
}

fn delivery_id(text: &str) -> Result<Id, ApiError> {
    let unknown = |_| Fault::not_found("webhook.no_delivery", format!("there is no delivery {text:?}"));
    text.parse().map_err(unknown).map_err(ApiError::from)
}
