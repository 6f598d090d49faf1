//! What the handlers of webhooks share: whose webhooks they are, which one is meant, how it is refused.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use ieum_core::{Fault, Id};
use ieum_gateway::{ApiError, ApiPath, Partner};
use ieum_webhook::{WebhookError, Webhooks};

use crate::rules::scope;
use crate::web::Web;

/// The webhooks and the partner who asks, whose key may manage them.
pub(crate) struct Managed {
    pub webhooks: Webhooks,
    pub partner: String,
}

/// The endpoint that the path names. Whether it is the partner's own is asked where it is used.
pub(crate) struct EndpointId(pub Id);

/// The delivery that the path names.
pub(crate) struct DeliveryId(pub Id);

/// Why a wish about webhooks is refused.
pub(crate) struct Refused(ApiError);

// === Managed ===

impl FromRequestParts<Web> for Managed {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, ApiError> {
        let partner = Partner::from_request_parts(parts, web).await?;
        partner.require(scope::WEBHOOKS_WRITE)?;
        Ok(Self { webhooks: web.webhooks.clone(), partner: partner.id().to_owned() })
    }
}

// === EndpointId and DeliveryId ===

impl FromRequestParts<Web> for EndpointId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, ApiError> {
        named(parts, web, "webhook.no_endpoint", "endpoint").await.map(Self)
    }
}

impl FromRequestParts<Web> for DeliveryId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, ApiError> {
        named(parts, web, "webhook.no_delivery", "delivery").await.map(Self)
    }
}

/// Reads the path's id. What is no id names nothing that there is.
async fn named(parts: &mut Parts, web: &Web, reason: &'static str, what: &str) -> Result<Id, ApiError> {
    let ApiPath(text) = ApiPath::<String>::from_request_parts(parts, web).await?;
    text.parse().map_err(|_| Fault::not_found(reason, format!("there is no {what} {text:?}")).into())
}

// === Refused ===

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl From<WebhookError> for Refused {
    fn from(error: WebhookError) -> Self {
        if matches!(error, WebhookError::Store { .. } | WebhookError::Seal(_)) {
            tracing::error!(error = &error as &dyn std::error::Error, "managing webhooks failed");
        }
        let field = match &error {
            WebhookError::Endpoint(wrong) => Some(wrong.field),
            WebhookError::Address(_) => Some("url"),
            _ => None,
        };
        let refused = ApiError::from(Fault::from(error));
        Self(match field {
            Some(field) => refused.at_field(field),
            None => refused,
        })
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}
