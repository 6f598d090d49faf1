//! Partners' webhooks: every endpoint, its delivery log with bodies, sending again.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use ieum_contracts::partners::{ListKeys, PartnerKeys};
use ieum_core::{Cx, Fault, Id};
use ieum_gateway::{ApiError, ApiJson, ApiPath, ApiQuery, Context};
use ieum_partners::{AttemptView, DeliveryView, ProblemView, Webhook};
use ieum_webhook::{DeliveryFilter, DeliveryState, Webhooks};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Operator, keys, known};

/// Every webhook endpoint.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OperatedWebhooks {
    /// By partner, the oldest first.
    webhooks: Vec<OperatedWebhook>,
}

/// A partner's webhook endpoint.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OperatedWebhook {
    /// Whose: the key's id.
    partner: String,
    /// The key's name, where it is known.
    partner_name: String,
    /// The endpoint.
    #[serde(flatten)]
    webhook: Webhook,
}

/// Deliveries of an endpoint.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OperatedDeliveries {
    /// The newest first.
    deliveries: Vec<DeliveryView>,
}

/// A delivery with what was sent and what came back.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeliveryDetail {
    /// The delivery.
    delivery: DeliveryView,
    /// The body as it is sent, JSON.
    body: String,
    /// The attempts, the first first.
    attempts: Vec<AttemptView>,
}

/// Which deliveries to show.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeliveriesQuery {
    /// `pending`, `held`, `delivered`, `exhausted` or `cancelled`; all where left out.
    state: Option<String>,
    /// Only those before this delivery, for the next page.
    before: Option<String>,
    /// How many, at most 500; 50 where left out.
    limit: Option<u32>,
}

/// Lists every partner's webhook endpoints.
#[utoipa::path(get, path = "/api/operator/webhooks", tag = "webhooks", operation_id = "listWebhooks", responses(
    (status = 200, description = "The endpoints", body = OperatedWebhooks),
    (status = 501, description = "No part here sends any", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn list(
    State(operator): State<Operator>,
    Context(cx): Context,
) -> Result<ApiJson<OperatedWebhooks>, ApiError> {
    let found = operator.webhooks()?.all_endpoints().await.map_err(Fault::from)?;
    let names = names(&operator, &cx).await?;
    let show = |endpoint: ieum_webhook::Endpoint| OperatedWebhook {
        partner_name: names.get(&endpoint.partner).cloned().unwrap_or_default(),
        partner: endpoint.partner.clone(),
        webhook: endpoint.into(),
    };
    Ok(ApiJson(OperatedWebhooks { webhooks: found.into_iter().map(show).collect() }))
}

/// Returns the names of keys. A partner who brings a token has none.
async fn names(operator: &Operator, cx: &Cx) -> Result<BTreeMap<String, String>, Fault> {
    let keys = keys::desk(operator)?.list(&known(cx), ListKeys {}).await?.keys;
    Ok(keys.into_iter().map(|key| (key.key_id, key.name)).collect())
}

/// Enables a disabled endpoint; what was held back is sent.
#[utoipa::path(post, path = "/api/operator/webhooks/{partner}/{webhookId}/enable", tag = "webhooks",
    operation_id = "enableWebhook", params(("partner" = String, Path, description = "Whose"),
    ("webhookId" = String, Path, description = "The endpoint")), responses(
    (status = 200, description = "The endpoint", body = Webhook),
    (status = 404, description = "No such endpoint", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn enable(
    State(operator): State<Operator>,
    ApiPath((partner, id)): ApiPath<(String, String)>,
) -> Result<ApiJson<Webhook>, ApiError> {
    let (webhooks, id) = (operator.webhooks()?, endpoint_id(&id)?);
    webhooks.enable(&partner, id).await.map_err(Fault::from)?;
    shown(webhooks, &partner, id).await
}

/// Disables an endpoint; what is pending is held back.
#[utoipa::path(post, path = "/api/operator/webhooks/{partner}/{webhookId}/disable", tag = "webhooks",
    operation_id = "disableWebhook", params(("partner" = String, Path, description = "Whose"),
    ("webhookId" = String, Path, description = "The endpoint")), responses(
    (status = 200, description = "The endpoint", body = Webhook),
    (status = 404, description = "No such endpoint", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn disable(
    State(operator): State<Operator>,
    ApiPath((partner, id)): ApiPath<(String, String)>,
) -> Result<ApiJson<Webhook>, ApiError> {
    let (webhooks, id) = (operator.webhooks()?, endpoint_id(&id)?);
    webhooks.disable(&partner, id).await.map_err(Fault::from)?;
    shown(webhooks, &partner, id).await
}

async fn shown(webhooks: &Webhooks, partner: &str, id: Id) -> Result<ApiJson<Webhook>, ApiError> {
    Ok(ApiJson(webhooks.endpoint(partner, id).await.map_err(Fault::from)?.into()))
}

/// Lists the deliveries of an endpoint, the newest first.
#[utoipa::path(get, path = "/api/operator/webhooks/{partner}/{webhookId}/deliveries", tag = "webhooks",
    operation_id = "listDeliveries", params(("partner" = String, Path, description = "Whose"),
    ("webhookId" = String, Path, description = "The endpoint"), DeliveriesQuery), responses(
    (status = 200, description = "The deliveries", body = OperatedDeliveries),
    (status = 400, description = "A malformed query", body = ProblemView, content_type = "application/problem+json"),
    (status = 404, description = "No such endpoint", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn deliveries(
    State(operator): State<Operator>,
    ApiPath((partner, id)): ApiPath<(String, String)>,
    ApiQuery(query): ApiQuery<DeliveriesQuery>,
) -> Result<ApiJson<OperatedDeliveries>, ApiError> {
    let (webhooks, id) = (operator.webhooks()?, endpoint_id(&id)?);
    let filter = query.filter(id)?;
    webhooks.endpoint(&partner, id).await.map_err(Fault::from)?;
    let found = webhooks.deliveries(&partner, &filter).await.map_err(Fault::from)?;
    Ok(ApiJson(OperatedDeliveries { deliveries: found.into_iter().map(DeliveryView::from).collect() }))
}

impl DeliveriesQuery {
    fn filter(&self, endpoint: Id) -> Result<DeliveryFilter, ApiError> {
        let wrong = |field: &str, problem: String| {
            let fault =
                Fault::invalid_argument("operator.query_malformed", format!("field {field}: {problem}"));
            ApiError::from(fault).at_field(field)
        };
        let state = self.state.as_deref().map(|state| {
            let known = DeliveryState::ALL.map(DeliveryState::name).join(", ");
            DeliveryState::from_name(state)
                .ok_or_else(|| wrong("state", format!("{state:?} is none of {known}")))
        });
        let before = self.before.as_deref().map(|before| {
            before.parse().map_err(|_| wrong("before", format!("{before:?} is no delivery id")))
        });
        Ok(DeliveryFilter {
            endpoint: Some(endpoint),
            state: state.transpose()?,
            before: before.transpose()?,
            limit: self.limit.unwrap_or_default(),
        })
    }
}

/// Returns a delivery with the body that is sent and every attempt with its answer.
#[utoipa::path(get, path = "/api/operator/deliveries/{partner}/{deliveryId}", tag = "webhooks",
    operation_id = "showDelivery", params(("partner" = String, Path, description = "Whose"),
    ("deliveryId" = String, Path, description = "The delivery")), responses(
    (status = 200, description = "The delivery", body = DeliveryDetail),
    (status = 404, description = "No such delivery", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn delivery(
    State(operator): State<Operator>,
    ApiPath((partner, id)): ApiPath<(String, String)>,
) -> Result<ApiJson<DeliveryDetail>, ApiError> {
    let (webhooks, id) = (operator.webhooks()?, delivery_id(&id)?);
    let sent = webhooks.sent(&partner, id).await.map_err(Fault::from)?;
    let attempts = webhooks.attempts(&partner, id).await.map_err(Fault::from)?;
    Ok(ApiJson(DeliveryDetail {
        delivery: sent.delivery.into(),
        body: sent.body,
        attempts: attempts.into_iter().map(AttemptView::from).collect(),
    }))
}

/// Sends a delivery again, under the same message id.
#[utoipa::path(post, path = "/api/operator/deliveries/{partner}/{deliveryId}/resend", tag = "webhooks",
    operation_id = "resendDelivery", params(("partner" = String, Path, description = "Whose"),
    ("deliveryId" = String, Path, description = "The delivery")), responses(
    (status = 202, description = "It is due again", body = DeliveryView),
    (status = 404, description = "No such delivery", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn resend(
    State(operator): State<Operator>,
    ApiPath((partner, id)): ApiPath<(String, String)>,
) -> Result<(StatusCode, ApiJson<DeliveryView>), ApiError> {
    let again = operator.webhooks()?.resend(&partner, delivery_id(&id)?).await.map_err(Fault::from)?;
    Ok((StatusCode::ACCEPTED, ApiJson(again.into())))
}

/// What is no id names nothing that there is.
fn endpoint_id(text: &str) -> Result<Id, Fault> {
    text.parse()
        .map_err(|_| Fault::not_found("webhook.no_endpoint", format!("there is no endpoint {text:?}")))
}

fn delivery_id(text: &str) -> Result<Id, Fault> {
    text.parse()
        .map_err(|_| Fault::not_found("webhook.no_delivery", format!("there is no delivery {text:?}")))
}
