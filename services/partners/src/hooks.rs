//! What partners ask about their webhook endpoints.

use http::StatusCode;
use ieum_core::Timestamp;
use ieum_gateway::{ApiError, ApiJson, ApiQuery, Context};
use ieum_webhook::{DeliveryFilter, DeliverySearch, DeliveryState, MOST_LISTED, NewEndpoint, Replay};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::managed::{DeliveryId, EndpointId, Managed, Refused};
use crate::views::{
    AttemptView, Attempts, Deliveries, DeliveryView, NewWebhook, ProblemView, ResendSince, Resent, SentView,
    Webhook, WebhookWithSecret, Webhooks,
};
use crate::web::malformed;

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
    /// Only of this event, such as `event.data.updated`.
    event: Option<String>,
    /// Only of this message: its `webhook-id`.
    message: Option<String>,
    /// Only those accepted from this time on, RFC 3339.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Only those accepted before this time, RFC 3339.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

impl DeliveriesQuery {
    fn search(self, endpoint: ieum_core::Id) -> Result<DeliverySearch, ApiError> {
        let state = self.state.map(|state| {
            let known = DeliveryState::ALL.map(DeliveryState::name).join(", ");
            let unknown = || malformed("state", &format!("{state:?} is none of {known}"));
            DeliveryState::from_name(&state).ok_or_else(unknown)
        });
        let before = self.before.map(|before| {
            let unknown = |_| malformed("before", &format!("{before:?} is no delivery id"));
            before.parse().map_err(unknown)
        });
        if self.limit.is_some_and(|limit| !(1..=MOST_LISTED).contains(&limit)) {
            return Err(malformed("limit", &format!("must be 1 to {MOST_LISTED}")));
        }
        let filter = DeliveryFilter {
            endpoint: Some(endpoint),
            state: state.transpose()?,
            before: before.transpose()?,
            limit: self.limit.unwrap_or_default(),
        };
        let Self { event, message, since, until, .. } = self;
        Ok(DeliverySearch { filter, event, message, since, until })
    }
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
    Managed { webhooks, partner }: Managed,
    ApiJson(wish): ApiJson<NewWebhook>,
) -> Result<(StatusCode, ApiJson<WebhookWithSecret>), Refused> {
    let NewWebhook { url, events, ordered, filters } = wish;
    let filters = filters.into_iter().map(Into::into).collect();
    let registered = webhooks.register(NewEndpoint { partner, url, events, ordered, filters }).await?;
    let secret = registered.secret.expose().to_owned();
    Ok((StatusCode::CREATED, ApiJson(WebhookWithSecret { webhook: registered.endpoint.into(), secret })))
}

/// Lists the partner's webhook endpoints.
#[utoipa::path(get, path = "/api/partner/webhooks", tag = "webhooks", security(("key" = [])), responses(
    (status = 200, description = "The endpoints", body = Webhooks),
))]
pub(crate) async fn list(Managed { webhooks, partner }: Managed) -> Result<ApiJson<Webhooks>, Refused> {
    let endpoints = webhooks.endpoints(&partner).await?;
    Ok(ApiJson(Webhooks { webhooks: endpoints.into_iter().map(Into::into).collect() }))
}

/// Returns one webhook endpoint.
#[utoipa::path(get, path = "/api/partner/webhooks/{webhookId}", tag = "webhooks", security(("key" = [])),
    params(("webhookId" = String, Path, description = "The endpoint")), responses(
    (status = 200, description = "The endpoint", body = Webhook),
    (status = 404, description = "No such endpoint", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn show(
    Managed { webhooks, partner }: Managed,
    EndpointId(id): EndpointId,
) -> Result<ApiJson<Webhook>, Refused> {
    Ok(ApiJson(webhooks.endpoint(&partner, id).await?.into()))
}

/// Deletes a webhook endpoint and cancels what was to be sent to it.
#[utoipa::path(delete, path = "/api/partner/webhooks/{webhookId}", tag = "webhooks", security(("key" = [])),
    params(("webhookId" = String, Path, description = "The endpoint")), responses(
    (status = 204, description = "It is gone"),
    (status = 404, description = "No such endpoint", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn delete(
    Managed { webhooks, partner }: Managed,
    EndpointId(id): EndpointId,
) -> Result<StatusCode, Refused> {
    webhooks.delete(&partner, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Enables a disabled webhook endpoint; what was held back is sent.
#[utoipa::path(post, path = "/api/partner/webhooks/{webhookId}/enable", tag = "webhooks",
    security(("key" = [])), params(("webhookId" = String, Path, description = "The endpoint")), responses(
    (status = 200, description = "The endpoint", body = Webhook),
    (status = 404, description = "No such endpoint", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn enable(
    Managed { webhooks, partner }: Managed,
    EndpointId(id): EndpointId,
) -> Result<ApiJson<Webhook>, Refused> {
    webhooks.enable(&partner, id).await?;
    Ok(ApiJson(webhooks.endpoint(&partner, id).await?.into()))
}

/// Makes a new secret, shown this once. The one before signs along for a day.
#[utoipa::path(post, path = "/api/partner/webhooks/{webhookId}/rotate-secret", tag = "webhooks",
    security(("key" = [])), params(("webhookId" = String, Path, description = "The endpoint")), responses(
    (status = 200, description = "The endpoint and its new secret", body = WebhookWithSecret),
    (status = 404, description = "No such endpoint", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn rotate_secret(
    Managed { webhooks, partner }: Managed,
    EndpointId(id): EndpointId,
) -> Result<ApiJson<WebhookWithSecret>, Refused> {
    let secret = webhooks.rotate_secret(&partner, id).await?;
    let endpoint = webhooks.endpoint(&partner, id).await?;
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
    Managed { webhooks, partner }: Managed,
    EndpointId(id): EndpointId,
    ApiQuery(query): ApiQuery<DeliveriesQuery>,
) -> Result<ApiJson<Deliveries>, Refused> {
    let search = query.search(id)?;
    webhooks.endpoint(&partner, id).await?;
    let found = webhooks.search(&partner, &search).await?;
    Ok(ApiJson(Deliveries { deliveries: found.into_iter().map(DeliveryView::from).collect() }))
}

/// Returns a delivery with the body that is sent.
#[utoipa::path(get, path = "/api/partner/webhooks/deliveries/{deliveryId}", tag = "webhooks",
    security(("key" = [])), params(("deliveryId" = String, Path, description = "The delivery")), responses(
    (status = 200, description = "The delivery and its body", body = SentView),
    (status = 404, description = "No such delivery", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn delivery(
    Managed { webhooks, partner }: Managed,
    DeliveryId(id): DeliveryId,
) -> Result<ApiJson<SentView>, Refused> {
    Ok(ApiJson(webhooks.sent(&partner, id).await?.into()))
}

/// Sends the endpoint a trial message of the event `webhook.test`, whatever it subscribes to.
#[utoipa::path(post, path = "/api/partner/webhooks/{webhookId}/test", tag = "webhooks",
    security(("key" = [])), params(("webhookId" = String, Path, description = "The endpoint")), responses(
    (status = 202, description = "It is due", body = DeliveryView),
    (status = 404, description = "No such endpoint", body = ProblemView, content_type = "application/problem+json"),
    (status = 412, description = "The endpoint is disabled", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn send_test(
    Managed { webhooks, partner }: Managed,
    Context(cx): Context,
    EndpointId(id): EndpointId,
) -> Result<(StatusCode, ApiJson<DeliveryView>), Refused> {
    let delivery = webhooks.send_test(&cx, &partner, id).await?;
    Ok((StatusCode::ACCEPTED, ApiJson(delivery.into())))
}

/// Lists the attempts of a delivery.
#[utoipa::path(get, path = "/api/partner/webhooks/deliveries/{deliveryId}/attempts", tag = "webhooks",
    security(("key" = [])), params(("deliveryId" = String, Path, description = "The delivery")), responses(
    (status = 200, description = "The attempts", body = Attempts),
    (status = 404, description = "No such delivery", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn attempts(
    Managed { webhooks, partner }: Managed,
    DeliveryId(id): DeliveryId,
) -> Result<ApiJson<Attempts>, Refused> {
    let found = webhooks.attempts(&partner, id).await?;
    Ok(ApiJson(Attempts { attempts: found.into_iter().map(AttemptView::from).collect() }))
}

/// Sends a delivery again, under the same message id.
#[utoipa::path(post, path = "/api/partner/webhooks/deliveries/{deliveryId}/resend", tag = "webhooks",
    security(("key" = [])), params(("deliveryId" = String, Path, description = "The delivery")), responses(
    (status = 202, description = "It is due again", body = DeliveryView),
    (status = 404, description = "No such delivery", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn resend(
    Managed { webhooks, partner }: Managed,
    DeliveryId(id): DeliveryId,
) -> Result<(StatusCode, ApiJson<DeliveryView>), Refused> {
    let delivery = webhooks.resend(&partner, id).await?;
    Ok((StatusCode::ACCEPTED, ApiJson(delivery.into())))
}

/// Sends again what the endpoint missed since a time or within a span; with `delivered` all of it.
#[utoipa::path(post, path = "/api/partner/webhooks/{webhookId}/resend", tag = "webhooks",
    security(("key" = [])), params(("webhookId" = String, Path, description = "The endpoint")),
    request_body = ResendSince, responses(
    (status = 202, description = "How many are due again", body = Resent),
    (status = 404, description = "No such endpoint", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn resend_since(
    Managed { webhooks, partner }: Managed,
    EndpointId(id): EndpointId,
    ApiJson(wish): ApiJson<ResendSince>,
) -> Result<(StatusCode, ApiJson<Resent>), Refused> {
    let ResendSince { since, until, delivered } = wish;
    if until.is_some_and(|until| until < since) {
        return Err(malformed("until", "is before since").into());
    }
    let count = webhooks.replay(&partner, id, Replay { since, until, delivered }).await?;
    Ok((StatusCode::ACCEPTED, ApiJson(Resent { count })))
}
