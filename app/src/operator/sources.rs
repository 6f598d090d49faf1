//! Sources of the hub: registering, listing, checking, removing.

use axum::extract::State;
use ieum_contracts::events::{
    EVENT_SERVICE_REGISTRY_CONTRACT, EventServiceConfig, EventServiceRegistry, EventServiceRegistryClient,
    ListSources, ProbeReport, Progress, Registered, Removed, SourceId, Sources,
};
use ieum_core::Fault;
use ieum_gateway::{ApiError, ApiJson, ApiPath, Context};
use ieum_partners::ProblemView;

use super::{Operator, known, views};

fn registry(operator: &Operator) -> Result<EventServiceRegistryClient, Fault> {
    Ok(EventServiceRegistryClient::new(operator.link(&EVENT_SERVICE_REGISTRY_CONTRACT)?))
}

/// Lists the sources with health and position.
#[utoipa::path(get, path = "/api/operator/sources", tag = "sources", operation_id = "listSources", responses(
    (status = 200, description = "The sources", body = views::SourcesView),
    (status = 501, description = "No part here answers it", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn list(
    State(operator): State<Operator>,
    Context(cx): Context,
) -> Result<ApiJson<Sources>, ApiError> {
    Ok(ApiJson(registry(&operator)?.list(&known(&cx), ListSources {}).await?))
}

/// Probes a system, saves it and begins to read it. Nothing is saved where the probe fails.
#[utoipa::path(post, path = "/api/operator/sources", tag = "sources", operation_id = "registerSource",
    request_body = views::SourceWish, responses(
    (status = 200, description = "It is registered", body = views::RegisteredView),
    (status = 400, description = "A field is wrong", body = ProblemView, content_type = "application/problem+json"),
    (status = 412, description = "The probe failed", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn register(
    State(operator): State<Operator>,
    Context(cx): Context,
    ApiJson(config): ApiJson<EventServiceConfig>,
) -> Result<ApiJson<Registered>, ApiError> {
    Ok(ApiJson(registry(&operator)?.register(&known(&cx), config).await?))
}

/// Probes a registered source again.
#[utoipa::path(post, path = "/api/operator/sources/{eventId}/check", tag = "sources", operation_id = "checkSource",
    params(("eventId" = String, Path, description = "The event id it is registered under")), responses(
    (status = 200, description = "What the probe found", body = views::ProbeView),
    (status = 404, description = "No such source", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn check(
    State(operator): State<Operator>,
    Context(cx): Context,
    ApiPath(event_id): ApiPath<String>,
) -> Result<ApiJson<ProbeReport>, ApiError> {
    Ok(ApiJson(registry(&operator)?.check(&known(&cx), SourceId { event_id }).await?))
}

/// Returns how far a source's registration is, step by step.
#[utoipa::path(get, path = "/api/operator/sources/{eventId}/progress", tag = "sources",
    operation_id = "sourceProgress",
    params(("eventId" = String, Path, description = "The event id it is registered under")), responses(
    (status = 200, description = "The steps", body = views::ProgressView),
    (status = 404, description = "No such source", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn progress(
    State(operator): State<Operator>,
    Context(cx): Context,
    ApiPath(event_id): ApiPath<String>,
) -> Result<ApiJson<Progress>, ApiError> {
    Ok(ApiJson(registry(&operator)?.progress(&known(&cx), SourceId { event_id }).await?))
}

/// Stops and removes a source. Its history stays.
#[utoipa::path(delete, path = "/api/operator/sources/{eventId}", tag = "sources", operation_id = "removeSource",
    params(("eventId" = String, Path, description = "The event id it is registered under")), responses(
    (status = 200, description = "It is removed", body = views::RemovedView),
    (status = 404, description = "No such source", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn remove(
    State(operator): State<Operator>,
    Context(cx): Context,
    ApiPath(event_id): ApiPath<String>,
) -> Result<ApiJson<Removed>, ApiError> {
    Ok(ApiJson(registry(&operator)?.remove(&known(&cx), SourceId { event_id }).await?))
}
