//! Partners' API keys: making, rotating, revoking, listing.

use axum::extract::State;
use ieum_contracts::partners::{
    CreateKey, IssuedKey, KeyId, KeyList, KeyStatus, ListKeys, PARTNER_KEYS_CONTRACT, PartnerKeys,
    PartnerKeysClient, RotateKey,
};
use ieum_core::Fault;
use ieum_gateway::{ApiError, ApiJson, ApiPath, Context};
use ieum_partners::ProblemView;

use super::{Operator, known, views};

/// Asks for the keys of partners.
pub(super) fn desk(operator: &Operator) -> Result<PartnerKeysClient, Fault> {
    Ok(PartnerKeysClient::new(operator.link(&PARTNER_KEYS_CONTRACT)?))
}

/// Lists the keys, without their texts.
#[utoipa::path(get, path = "/api/operator/keys", tag = "keys", operation_id = "listKeys", responses(
    (status = 200, description = "The keys", body = views::KeysView),
    (status = 501, description = "No part here answers it", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn list(
    State(operator): State<Operator>,
    Context(cx): Context,
) -> Result<ApiJson<KeyList>, ApiError> {
    Ok(ApiJson(desk(&operator)?.list(&known(&cx), ListKeys {}).await?))
}

/// Makes a key. The answer holds its text, shown this once.
#[utoipa::path(post, path = "/api/operator/keys", tag = "keys", operation_id = "createKey",
    request_body = views::KeyWish, responses(
    (status = 200, description = "The key and its text", body = views::IssuedKeyView),
    (status = 400, description = "A field is wrong", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn create(
    State(operator): State<Operator>,
    Context(cx): Context,
    ApiJson(wish): ApiJson<CreateKey>,
) -> Result<ApiJson<IssuedKey>, ApiError> {
    Ok(ApiJson(desk(&operator)?.create(&known(&cx), wish).await?))
}

/// Makes a second text for a key, shown this once; the first stays valid for the overlap.
#[utoipa::path(post, path = "/api/operator/keys/{keyId}/rotate", tag = "keys", operation_id = "rotateKey",
    params(("keyId" = String, Path, description = "The id within the key's text")),
    request_body = views::Overlap, responses(
    (status = 200, description = "The key and its new text", body = views::IssuedKeyView),
    (status = 404, description = "No such key", body = ProblemView, content_type = "application/problem+json"),
    (status = 412, description = "It is revoked", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn rotate(
    State(operator): State<Operator>,
    Context(cx): Context,
    ApiPath(key_id): ApiPath<String>,
    ApiJson(overlap): ApiJson<views::Overlap>,
) -> Result<ApiJson<IssuedKey>, ApiError> {
    let wish = RotateKey { key_id, overlap_seconds: overlap.overlap_seconds };
    Ok(ApiJson(desk(&operator)?.rotate(&known(&cx), wish).await?))
}

/// Ends a key.
#[utoipa::path(post, path = "/api/operator/keys/{keyId}/revoke", tag = "keys", operation_id = "revokeKey",
    params(("keyId" = String, Path, description = "The id within the key's text")), responses(
    (status = 200, description = "It is revoked", body = views::KeyView),
    (status = 404, description = "No such key", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn revoke(
    State(operator): State<Operator>,
    Context(cx): Context,
    ApiPath(key_id): ApiPath<String>,
) -> Result<ApiJson<KeyStatus>, ApiError> {
    Ok(ApiJson(desk(&operator)?.revoke(&known(&cx), KeyId { key_id }).await?))
}
