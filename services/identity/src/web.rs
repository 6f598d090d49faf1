//! People and their devices over HTTP: `GET /api/users/{userId}`, `POST /api/users/{userId}/devices` and what belongs
//! to them.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use axum::{Extension, Router};
use http::header::CONTENT_TYPE;
use http::{StatusCode, header};
use ieum_contracts::identity::{
    DeviceId, DeviceList, Devices, ListDevices, ListUsers, RegisterDevice, Registration, RegistrationId,
    RegistrationState, SaveUser, User, UserId, UserList, Users,
};
use ieum_core::Fault;
use ieum_gateway::{ApiError, ApiJson, ApiPath, ApiQuery, Context, Partner, ProblemView};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::openapi::openapi_json;
use crate::service::Service;
use crate::views;

/// What a key needs to see people, and to change them.
const READ: &str = "users:read";
const WRITE: &str = "users:write";

type Web = State<Arc<Service>>;
/// The holder of the key that a request brought, if any.
type Visitor = Option<Extension<Partner>>;

/// Which people.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UsersQuery {
    /// After this id.
    after: Option<String>,
    /// At most so many; 50 where left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Returns the routes, to be put behind a door.
pub fn router(service: Arc<Service>) -> Router {
    let document: Arc<str> = openapi_json().into();
    let document = get(move || {
        let document = document.to_string();
        async move { ([(CONTENT_TYPE, "application/json")], document) }
    });
    Router::new()
        // Beside the people, whose ids are their own.
        .route("/api/identity/openapi.json", document)
        .route("/api/users", get(list))
        .route("/api/users/{user_id}", get(show).put(save).delete(remove))
        .route("/api/users/{user_id}/devices", get(devices).post(register))
        .route("/api/users/{user_id}/devices/{device_id}", delete(remove_device))
        .route("/api/users/{user_id}/registrations/{registration_id}", get(registration))
        .with_state(service)
}

fn require(visitor: &Visitor, scope: &str) -> Result<(), Fault> {
    visitor.as_deref().map_or(Ok(()), |partner| partner.require(scope))
}

/// Returns people in the order of their ids.
#[utoipa::path(get, path = "/api/users", tag = "people", operation_id = "listUsers", security((), ("key" = [])),
    params(UsersQuery), responses((status = 200, description = "The people", body = UserList)))]
pub(crate) async fn list(
    State(service): Web,
    visitor: Visitor,
    Context(cx): Context,
    ApiQuery(UsersQuery { after, limit }): ApiQuery<UsersQuery>,
) -> Result<ApiJson<UserList>, ApiError> {
    require(&visitor, READ)?;
    if limit.is_some_and(|limit| !(1..=200).contains(&limit)) {
        let fault = Fault::invalid_argument("identity.query", "field limit: must be a number from 1 to 200");
        return Err(ApiError::from(fault).at_field("limit"));
    }
    let ask = ListUsers { after, limit };
    Ok(ApiJson(Users::list(&*service, &cx, ask).await?))
}

/// Returns a person.
#[utoipa::path(get, path = "/api/users/{userId}", tag = "people", operation_id = "showUser", security((), ("key" = [])),
    params(("userId" = String, Path, description = "The person", example = "ada")), responses(
    (status = 200, description = "The person", body = User),
    (status = 404, description = "Nobody of this id is known", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn show(
    State(service): Web,
    visitor: Visitor,
    Context(cx): Context,
    ApiPath(user_id): ApiPath<String>,
) -> Result<ApiJson<User>, ApiError> {
    require(&visitor, READ)?;
    Ok(ApiJson(Users::get(&*service, &cx, UserId { user_id }).await?))
}

/// Saves a person, replacing what was known but the devices.
#[utoipa::path(put, path = "/api/users/{userId}", tag = "people", operation_id = "saveUser", security((), ("key" = [])),
    params(("userId" = String, Path, description = "The person", example = "ada")), request_body = views::SaveUser, responses(
    (status = 200, description = "The person as saved", body = User),
))]
pub(crate) async fn save(
    State(service): Web,
    visitor: Visitor,
    Context(cx): Context,
    ApiPath(user_id): ApiPath<String>,
    ApiJson(mut user): ApiJson<SaveUser>,
) -> Result<ApiJson<User>, ApiError> {
    require(&visitor, WRITE)?;
    user.id = user_id;
    Ok(ApiJson(Users::save(&*service, &cx, user).await?))
}

/// Forgets a person with every device; nothing happens where none is known.
///
/// The secrets that these devices connect with, made by `ieum device add`, are revoked, and open connections end.
#[utoipa::path(delete, path = "/api/users/{userId}", tag = "people", operation_id = "removeUser", security((), ("key" = [])),
    params(("userId" = String, Path, description = "The person", example = "ada")), responses((status = 204, description = "Nobody of this id is known now")))]
pub(crate) async fn remove(
    State(service): Web,
    visitor: Visitor,
    Context(cx): Context,
    ApiPath(user_id): ApiPath<String>,
) -> Result<StatusCode, ApiError> {
    require(&visitor, WRITE)?;
    Users::remove(&*service, &cx, UserId { user_id }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Returns a person's devices, at most 200.
#[utoipa::path(get, path = "/api/users/{userId}/devices", tag = "devices", operation_id = "listDevices", security((), ("key" = [])),
    params(("userId" = String, Path, description = "The person", example = "ada")), responses(
    (status = 200, description = "The devices", body = DeviceList),
    (status = 404, description = "Nobody of this id is known", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn devices(
    State(service): Web,
    visitor: Visitor,
    Context(cx): Context,
    ApiPath(user_id): ApiPath<String>,
) -> Result<ApiJson<DeviceList>, ApiError> {
    require(&visitor, READ)?;
    Users::get(&*service, &cx, UserId { user_id: user_id.clone() }).await?;
    let ask = ListDevices { user_id: Some(user_id), limit: Some(200), ..ListDevices::default() };
    Ok(ApiJson(Devices::list(&*service, &cx, ask).await?))
}

/// Makes a device the person's: 201 once it is, 202 with where to look while that is still under way. Under the same
/// `Idempotency-Key` it is one registration.
#[utoipa::path(post, path = "/api/users/{userId}/devices", tag = "devices", operation_id = "registerDevice", security((), ("key" = [])),
    params(("userId" = String, Path, description = "The person", example = "ada")), request_body = views::RegisterDevice, responses(
    (status = 201, description = "The device is the person's", body = Registration),
    (status = 202, description = "It goes on; the header Location says where to look", body = Registration),
    (status = 403, description = "The key may not, or the person is blocked", body = ProblemView, content_type = "application/problem+json"),
    (status = 404, description = "Nobody of this id is known", body = ProblemView, content_type = "application/problem+json"),
    (status = 409, description = "The device is somebody's already", body = ProblemView, content_type = "application/problem+json"),
    (status = 412, description = "The person's plan has no place for one more", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn register(
    State(service): Web,
    visitor: Visitor,
    Context(cx): Context,
    ApiPath(user_id): ApiPath<String>,
    ApiJson(mut wish): ApiJson<RegisterDevice>,
) -> Result<Response, ApiError> {
    require(&visitor, WRITE)?;
    wish.user_id = user_id;
    let registration = service.register(&cx, wish).await?;
    let status = match registration.state {
        RegistrationState::Done => StatusCode::CREATED,
        _ => StatusCode::ACCEPTED,
    };
    let place = format!("/api/users/{}/registrations/{}", registration.user_id, registration.registration_id);
    Ok((status, [(header::LOCATION, place)], ApiJson(registration)).into_response())
}

/// Returns where a registration stands.
#[utoipa::path(get, path = "/api/users/{userId}/registrations/{registrationId}", tag = "devices",
    operation_id = "showRegistration", security((), ("key" = [])),
    params(("userId" = String, Path, description = "The person", example = "ada"),
        ("registrationId" = String, Path, description = "The registration")), responses(
    (status = 200, description = "Where it stands", body = Registration),
    (status = 404, description = "The person has no such registration", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn registration(
    State(service): Web,
    visitor: Visitor,
    Context(cx): Context,
    ApiPath((user_id, registration_id)): ApiPath<(String, String)>,
) -> Result<Response, ApiError> {
    require(&visitor, READ)?;
    let found = service.registration(&cx, RegistrationId { registration_id }).await?;
    if found.user_id != user_id {
        let message = "that registration is somebody else's";
        return Err(Fault::not_found("identity.registration.unknown", message).into());
    }
    Ok(ApiJson(found).into_response())
}

/// Takes a device from its person and ends its charge.
///
/// The secrets that it connects with, made by `ieum device add`, are revoked, and open connections end: a device that is
/// nobody's does not speak on. Another secret lets it in again.
#[utoipa::path(delete, path = "/api/users/{userId}/devices/{deviceId}", tag = "devices", operation_id = "removeDevice",
    security((), ("key" = [])), params(("userId" = String, Path, description = "The person", example = "ada"),
        ("deviceId" = String, Path, description = "The device", example = "speaker-1")), responses(
    (status = 204, description = "It is nobody's now"),
    (status = 404, description = "The person has no such device", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn remove_device(
    State(service): Web,
    visitor: Visitor,
    Context(cx): Context,
    ApiPath((user_id, device_id)): ApiPath<(String, String)>,
) -> Result<StatusCode, ApiError> {
    require(&visitor, WRITE)?;
    let ask = DeviceId { device_id };
    let device = Devices::get(&*service, &cx, ask.clone()).await?;
    if device.user_id != user_id {
        return Err(Fault::not_found("identity.device.unknown", "that device is somebody else's").into());
    }
    Devices::remove(&*service, &cx, ask).await?;
    Ok(StatusCode::NO_CONTENT)
}
