//! What people who run the platform ask over HTTP: the same contracts that the command line asks, for the console.

mod bus;
mod dead;
mod door;
mod keys;
mod links;
mod openapi;
mod overview;
mod process;
mod sources;
mod views;
mod voice;
mod voice_counts;
mod voice_devices;
mod voice_replay;
mod webhooks;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{get, post};
use ieum_core::{Caller, Cx, Fault};
use ieum_link::{Contract, Link, Routes, local_link};
use ieum_telemetry::Health;
use ieum_voice::Trail;
use ieum_webhook::Webhooks;

use crate::commands::remote;
use crate::device::DeviceWatch;
use crate::parts::Parts;
use crate::platform::Platform;

/// Who is named where somebody came in without a key.
const WHO: &str = "console";

/// What the handlers work with.
#[derive(Clone)]
struct Operator {
    platform: Platform,
    routes: Routes,
    parts: Vec<&'static str>,
    webhooks: Option<Webhooks>,
    devices: Option<DeviceWatch>,
    trail: Option<Trail>,
    health: Health,
}

/// Returns the routes below `/api/operator`, behind their door.
pub fn router(platform: &Platform, parts: &Parts, health: Health) -> Router {
    let operator = Operator {
        platform: platform.clone(),
        routes: parts.routes(),
        parts: parts.names(),
        webhooks: parts.webhooks(),
        devices: parts.devices(platform),
        trail: parts.trail(),
        health,
    };
    let document = get(|| async { ([(CONTENT_TYPE, "application/json")], openapi::openapi_json()) });
    let routes = Router::new()
        .route("/overview", get(overview::show))
        .route("/where/{eventId}", get(overview::locate))
        .route("/sources", get(sources::list).post(sources::register))
        .route("/sources/{eventId}", axum::routing::delete(sources::remove))
        .route("/sources/{eventId}/check", post(sources::check))
        .route("/sources/{eventId}/progress", get(sources::progress))
        .route("/keys", get(keys::list).post(keys::create))
        .route("/keys/{keyId}/rotate", post(keys::rotate))
        .route("/keys/{keyId}/revoke", post(keys::revoke))
        .route("/webhooks", get(webhooks::list))
        .route("/webhooks/{partner}/{webhookId}/enable", post(webhooks::enable))
        .route("/webhooks/{partner}/{webhookId}/disable", post(webhooks::disable))
        .route("/webhooks/{partner}/{webhookId}/deliveries", get(webhooks::deliveries))
        .route("/deliveries/{partner}/{deliveryId}", get(webhooks::delivery))
        .route("/deliveries/{partner}/{deliveryId}/resend", post(webhooks::resend))
        .route("/dead", get(dead::list))
        .route("/dead/replay", post(dead::replay_all))
        .route("/dead/{id}", get(dead::show))
        .route("/dead/{id}/replay", post(dead::replay))
        .route("/dead/{id}/discard", post(dead::discard))
        .route("/links", get(links::list))
        .route("/links/{name}", post(links::steer))
        .route("/bus", get(bus::show))
        .route("/voice/devices", get(voice::devices).post(voice_devices::add))
        .route("/voice/devices/{deviceId}/rotate", post(voice_devices::rotate))
        .route("/voice/devices/{deviceId}/revoke", post(voice_devices::revoke))
        .route("/voice/turns", get(voice::turns))
        .route("/voice/turns/{id}/replay", post(voice_replay::replay))
        .route("/voice/statistics", get(voice_counts::statistics))
        .route("/openapi.json", document)
        .with_state(operator);
    door::guard(parts.gateway(), platform.settings.gateway.hub, Router::new().nest("/api/operator", routes))
}

impl Operator {
    /// Returns a way to whoever answers `contract`: a part of this process, or the one that `[links]` names.
    /// Fails with `operator.part_absent`.
    fn link(&self, contract: &'static Contract) -> Result<Link, Fault> {
        if self.routes.serves(contract.name) {
            return Ok(local_link(self.routes.clone(), self.platform.clock.clone()));
        }
        if !self.platform.settings.links.contains_key(contract.name) {
            return Err(absent(&format!("asking {}", contract.name)));
        }
        remote::direct(&self.platform.settings, contract).map_err(|error| {
            Fault::unavailable("operator.link", format!("linking {}: {error}", contract.name))
        })
    }

    /// Returns the webhooks sent from this process. Fails with `operator.part_absent`.
    fn webhooks(&self) -> Result<&Webhooks, Fault> {
        self.webhooks.as_ref().ok_or_else(|| absent("looking at webhooks"))
    }
}

fn absent(tried: &str) -> Fault {
    let message = format!(
        "{tried}, which no part of this process answers; open the console of the process that runs the part, \
         or name that process under [links]"
    );
    Fault::unimplemented("operator.part_absent", message)
}

/// Returns how many are asked for, `usual` where nobody says. Fails where it is none, or more than `most`.
fn count_of(
    field: &str,
    asked: Option<u32>,
    (usual, most): (u32, u32),
    reason: &'static str,
) -> Result<u32, Fault> {
    let count = asked.unwrap_or(usual);
    if (1..=most).contains(&count) {
        return Ok(count);
    }
    Err(Fault::invalid_argument(reason, format!("field {field}: {count} was given, expected 1 to {most}")))
}

/// Names who asks: the key's holder, else the console.
fn known(cx: &Cx) -> Cx {
    if cx.caller().is_some() { cx.clone() } else { cx.with_caller(Caller::new(WHO)) }
}

/// Returns the name under which a trail keeps who asked.
fn who(cx: &Cx) -> String {
    cx.caller().map_or(WHO, Caller::name).to_owned()
}
