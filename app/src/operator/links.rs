//! Links of this process: how they fare, and their breakers in a person's hand.

use axum::extract::State;
use ieum_contracts::platform::{
    LinkList, LinkStatus, ListLinks, PLATFORM_LINKS_CONTRACT, PlatformLinks, PlatformLinksClient, SteerLink,
};
use ieum_core::Fault;
use ieum_gateway::{ApiError, ApiJson, ApiPath, Context};
use ieum_partners::ProblemView;

use super::{Operator, known, views};

fn platform(operator: &Operator) -> Result<PlatformLinksClient, Fault> {
    Ok(PlatformLinksClient::new(operator.link(&PLATFORM_LINKS_CONTRACT)?))
}

/// Lists the links of this process.
#[utoipa::path(get, path = "/api/operator/links", tag = "links", operation_id = "listLinks", responses(
    (status = 200, description = "The links", body = views::LinksView),
))]
pub(super) async fn list(
    State(operator): State<Operator>,
    Context(cx): Context,
) -> Result<ApiJson<LinkList>, ApiError> {
    Ok(ApiJson(platform(&operator)?.list(&known(&cx), ListLinks {}).await?))
}

/// Takes a link's breaker into hand, or gives it back.
#[utoipa::path(post, path = "/api/operator/links/{name}", tag = "links", operation_id = "steerLink",
    params(("name" = String, Path, description = "The link")), request_body = views::Steering, responses(
    (status = 200, description = "The link", body = views::LinkView),
    (status = 400, description = "A reason is missing", body = ProblemView, content_type = "application/problem+json"),
    (status = 404, description = "No such link", body = ProblemView, content_type = "application/problem+json"),
    (status = 412, description = "Its breaker is off", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn steer(
    State(operator): State<Operator>,
    Context(cx): Context,
    ApiPath(name): ApiPath<String>,
    ApiJson(wish): ApiJson<views::Steering>,
) -> Result<ApiJson<LinkStatus>, ApiError> {
    let order = SteerLink { name, order: wish.order, reason: wish.reason };
    Ok(ApiJson(platform(&operator)?.steer(&known(&cx), order).await?))
}
