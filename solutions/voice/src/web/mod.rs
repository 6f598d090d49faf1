//! Dialogues over HTTP: text in two versions, recordings, a WebSocket stream, and the shape Home Assistant asks in.
//!
//! Whoever puts this behind a door decides who comes in; see [`visitor`] for who may name whom.

pub(crate) mod assistant;
mod closing;
pub(crate) mod stream;
pub(crate) mod text;
pub(crate) mod upload;
pub(crate) mod versions;
mod visitor;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use http::header::CONTENT_TYPE;
use tokio::sync::Semaphore;

use crate::dialogue::DialogManager;
use crate::openapi::openapi_json;
use versions::Versions;
pub use visitor::Visitor;

/// Streams at once.
const MOST_STREAMS: usize = 1_000;

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Web {
    pub manager: Arc<DialogManager>,
    pub versions: Versions,
    pub streams: Arc<Semaphore>,
}

/// Returns the routes, to be put behind a door.
pub fn router(manager: Arc<DialogManager>, versions: Versions) -> Router {
    let web = Web { manager, versions, streams: Arc::new(Semaphore::new(MOST_STREAMS)) };
    let document: Arc<str> = openapi_json().into();
    let document = get(move || {
        let document = document.to_string();
        async move { ([(CONTENT_TYPE, "application/json")], document) }
    });
    Router::new()
        .route("/api/dialog/text", post(text::negotiated))
        .route("/api/v1/dialog/text", post(text::first))
        .route("/api/v2/dialog/text", post(text::second))
        .route("/api/dialog/audio", post(upload::audio))
        .route("/api/dialog/stream", get(stream::stream))
        .route("/api/conversation/process", post(assistant::process))
        .route("/api/voice/openapi.json", document)
        .with_state(web)
}
