//! People and their devices over HTTP: `GET /api/users/{userId}`, `POST /api/users/{userId}/devices` and what belongs
//! to them.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use axum::{Extension, Router};
use http::{StatusCode, header};
use ieum_contracts::identity::{
    DeviceId, DeviceList, Devices, ListDevices, ListUsers, RegisterDevice, RegistrationId, RegistrationState,
    SaveUser, User, UserId, UserList, Users,
};
use ieum_core::Fault;
use ieum_gateway::{ApiError, ApiJson, ApiPath, ApiQuery, Context, Partner};

use crate::service::Service;

/// What a key needs to see people, and to change them.
const READ: &str = "users:read";
const WRITE: &str = "users:write";

type Web = State<Arc<Service>>;
/// The holder of the key that a request brought, if any.
type Visitor = Option<Extension<Partner>>;

/// Returns the routes, to be put behind a door.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
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

async fn list(
    State(service): Web,
    visitor: Visitor,
    Context(cx): Context,
    ApiQuery(ask): ApiQuery<ListUsers>,
) -> Result<ApiJson<UserList>, ApiError> {
    require(&visitor, READ)?;
    Ok(ApiJson(Users::list(&*service, &cx, ask).await?))
}

async fn show(
    State(service): Web,
    visitor: Visitor,
    Context(cx): Context,
    ApiPath(user_id): ApiPath<String>,
) -> Result<ApiJson<User>, ApiError> {
    require(&visitor, READ)?;
    Ok(ApiJson(Users::get(&*service, &cx, UserId { user_id }).await?))
}

async fn save(
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

async fn remove(
    State(service): Web,
    visitor: Visitor,
    Context(cx): Context,
    ApiPath(user_id): ApiPath<String>,
) -> Result<StatusCode, ApiError> {
    require(&visitor, WRITE)?;
    Users::remove(&*service, &cx, UserId { user_id }).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn devices(
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

/// 201 once the device is the person's; 202 with where to look while it is still under way.
async fn register(
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

async fn registration(
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

async fn remove_device(
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
