//! A recipient's messages in the page: the list, its stream, reading, preferences.
//!
//! Whoever puts this behind a door decides who comes in. The holder of a key is the recipient `key:<id>` and sees
//! nobody else's messages; who comes in without one names the recipient in `?recipient=`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::sse::{Event as Sse, KeepAlive, Sse as SseAnswer};
use axum::routing::{get, post};
use axum::{Extension, Router};
use futures::Stream;
use http::header::CONTENT_TYPE;
use ieum_contracts::notify::{
    Channel, ListMessages, MessageId, MessageList, MessageStatus, NotifyMessages, NotifyRecipients,
    Recipient, RecipientId,
};
use ieum_core::{Cx, Fault, SharedClock};
use ieum_gateway::{ApiError, ApiJson, ApiPath, ApiQuery, Context, Partner, ProblemView};
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use utoipa::IntoParams;

use crate::openapi::openapi_json;
use crate::service::Service;
use crate::store::MOST_LISTED;

/// Streams at once. Each looks into the tables at every change.
const MOST_STREAMS: usize = 256;
/// Changes that another process made are seen after this time at the latest.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Changes within this time are told together; those of an open transaction are committed by then.
const GATHER: Duration = Duration::from_millis(200);

#[derive(Clone)]
pub(crate) struct Web {
    service: Arc<Service>,
    streams: Arc<Semaphore>,
}

/// The holder of the key that a request brought, if any.
type Visitor = Option<Extension<Partner>>;

/// Which messages.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Query {
    /// Whose; who comes with a key leaves it out.
    recipient: Option<String>,
    /// Only what was not read.
    #[serde(default)]
    #[param(value_type = Option<bool>)]
    unread: bool,
    /// The last message of the page before.
    before: Option<String>,
    /// How many, at most 200; 50 where left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Whose.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Whose {
    /// Whose; who comes with a key leaves it out.
    recipient: Option<String>,
}

/// Returns the routes, to be put behind a door.
pub fn router(service: Arc<Service>) -> Router {
    let web = Web { service, streams: Arc::new(Semaphore::new(MOST_STREAMS)) };
    let document: Arc<str> = openapi_json().into();
    let document = get(move || {
        let document = document.to_string();
        async move { ([(CONTENT_TYPE, "application/json")], document) }
    });
    Router::new()
        .route("/api/notifications", get(list))
        .route("/api/notifications/openapi.json", document)
        .route("/api/notifications/stream", get(stream))
        .route("/api/notifications/recipient", get(recipient).put(save_recipient))
        .route("/api/notifications/{message_id}/read", post(mark_read))
        .with_state(web)
}

/// Returns whose messages are asked for.
fn whose(visitor: &Visitor, named: Option<&str>) -> Result<String, Fault> {
    match (visitor, named) {
        (Some(partner), None) => Ok(format!("key:{}", partner.id())),
        (Some(partner), Some(named)) if named == format!("key:{}", partner.id()) => Ok(named.to_owned()),
        (Some(_), Some(_)) => {
            let message = "a key sees its own messages only; leave ?recipient= out";
            Err(Fault::permission_denied("notify.recipient.forbidden", message))
        }
        (None, Some(named)) => Ok(named.to_owned()),
        (None, None) => {
            let message = "whose messages is not said; add ?recipient= or bring a key";
            Err(Fault::invalid_argument("notify.recipient.missing", message))
        }
    }
}

fn asked(visitor: &Visitor, query: Query) -> Result<ListMessages, ApiError> {
    if query.limit.is_some_and(|limit| !(1..=MOST_LISTED).contains(&limit)) {
        let message = format!("field limit: must be 1 to {MOST_LISTED}");
        let fault = Fault::invalid_argument("notify.query.malformed", message);
        return Err(ApiError::from(fault).at_field("limit"));
    }
    Ok(ListMessages {
        recipient_id: Some(whose(visitor, query.recipient.as_deref())?),
        channel: Some(Channel::InApp),
        unread: query.unread,
        before: query.before,
        limit: query.limit,
        ..ListMessages::default()
    })
}

/// Lists a recipient's messages in the page, the newest first. Neither a key nor `recipient` is refused with 400.
#[utoipa::path(get, path = "/api/notifications", tag = "notifications", operation_id = "listNotifications", security((), ("key" = [])),
    params(Query), responses(
    (status = 200, description = "The messages", body = MessageList),
    (status = 403, description = "It is another's messages", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    State(web): State<Web>,
    visitor: Visitor,
    Context(cx): Context,
    ApiQuery(query): ApiQuery<Query>,
) -> Result<ApiJson<MessageList>, ApiError> {
    let ask = asked(&visitor, query)?;
    Ok(ApiJson(NotifyMessages::list(&*web.service, &cx, ask).await?))
}

/// Marks a message as read.
#[utoipa::path(post, path = "/api/notifications/{messageId}/read", tag = "notifications",
    operation_id = "markNotificationRead", security((), ("key" = [])),
    params(("messageId" = String, Path, description = "The message"), Whose), responses(
    (status = 200, description = "The message", body = MessageStatus),
    (status = 403, description = "It is another's messages", body = ProblemView, content_type = "application/problem+json"),
    (status = 404, description = "The recipient has no such message", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn mark_read(
    State(web): State<Web>,
    visitor: Visitor,
    Context(cx): Context,
    ApiPath(message_id): ApiPath<String>,
    ApiQuery(query): ApiQuery<Whose>,
) -> Result<ApiJson<MessageStatus>, ApiError> {
    let recipient_id = Some(whose(&visitor, query.recipient.as_deref())?);
    Ok(ApiJson(web.service.mark_read(&cx, MessageId { message_id, recipient_id }).await?))
}

/// Returns how a recipient wants to be told.
#[utoipa::path(get, path = "/api/notifications/recipient", tag = "recipient", operation_id = "showRecipient", security((), ("key" = [])),
    params(Whose), responses(
    (status = 200, description = "The recipient", body = Recipient),
    (status = 403, description = "It is another", body = ProblemView, content_type = "application/problem+json"),
    (status = 404, description = "Nobody is known by this id", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn recipient(
    State(web): State<Web>,
    visitor: Visitor,
    Context(cx): Context,
    ApiQuery(query): ApiQuery<Whose>,
) -> Result<ApiJson<Recipient>, ApiError> {
    let recipient_id = whose(&visitor, query.recipient.as_deref())?;
    Ok(ApiJson(NotifyRecipients::get(&*web.service, &cx, RecipientId { recipient_id }).await?))
}

/// Saves how a recipient wants to be told; the id in the body is not looked at. A key follows only events it may see.
#[utoipa::path(put, path = "/api/notifications/recipient", tag = "recipient", operation_id = "saveRecipient", security((), ("key" = [])),
    params(Whose), request_body = Recipient, responses(
    (status = 200, description = "The recipient as saved", body = Recipient),
    (status = 403, description = "It is another, or follows an event that the key may not see", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn save_recipient(
    State(web): State<Web>,
    visitor: Visitor,
    Context(cx): Context,
    ApiQuery(query): ApiQuery<Whose>,
    ApiJson(mut wish): ApiJson<Recipient>,
) -> Result<ApiJson<Recipient>, ApiError> {
    wish.recipient_id = whose(&visitor, query.recipient.as_deref())?;
    if let Some(partner) = visitor.as_deref() {
        // What a key may not see it is not told of either.
        for event_id in &wish.follows {
            partner.may_see(event_id)?;
        }
    }
    Ok(ApiJson(NotifyRecipients::save(&*web.service, &cx, wish).await?))
}

/// Streams the list: at once, after each change, and as a heartbeat.
#[utoipa::path(get, path = "/api/notifications/stream", tag = "live", operation_id = "streamNotifications", security((), ("key" = [])),
    params(Query), responses(
    (status = 200, description = "The stream, without an end; each message's data is like the answer of listNotifications",
        body = String, content_type = "text/event-stream"),
    (status = 403, description = "It is another's messages", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn stream(
    State(web): State<Web>,
    visitor: Visitor,
    Context(cx): Context,
    ApiQuery(query): ApiQuery<Query>,
) -> Result<impl IntoResponse, ApiError> {
    let ask = asked(&visitor, query)?;
    let Ok(place) = web.streams.clone().try_acquire_owned() else {
        let message = format!("streaming messages: {MOST_STREAMS} streams are open already");
        let fault = Fault::resource_exhausted("notify.stream.too_many", message);
        return Err(fault.with_retry_after(HEARTBEAT).into());
    };
    let watching = Watching { service: web.service, cx, ask, _place: place };
    Ok(SseAnswer::new(pictures(watching)).keep_alive(KeepAlive::default()))
}

/// One open stream.
struct Watching {
    service: Arc<Service>,
    cx: Cx,
    ask: ListMessages,
    _place: OwnedSemaphorePermit,
}

fn pictures(watching: Watching) -> impl Stream<Item = Result<Sse, Infallible>> {
    let changes = watching.service.changes.subscribe();
    let begin: (Watching, Receiver<String>, Option<MessageList>, bool) = (watching, changes, None, true);
    futures::stream::unfold(begin, |(watching, mut changes, mut shown, mut first)| async move {
        loop {
            if !first && !wait_for_change(&watching, &mut changes).await {
                return None;
            }
            first = false;
            let picture =
                match NotifyMessages::list(&*watching.service, &watching.cx, watching.ask.clone()).await {
                    // A heartbeat that brings nothing new is not told.
                    Ok(list) if shown.as_ref() == Some(&list) => continue,
                    Ok(list) => {
                        let picture = Sse::default().event("messages").json_data(&list);
                        shown = Some(list);
                        picture
                    }
                    Err(fault) => Sse::default().event("fault").json_data(fault.to_problem(None)),
                };
            let picture = picture.unwrap_or_else(|_| Sse::default().comment("a message has no JSON form"));
            return Some((Ok(picture), (watching, changes, shown, false)));
        }
    })
}

/// Waits for a change of this recipient's messages and a moment longer, or for the heartbeat. Returns false once there
/// is nobody to hear from.
async fn wait_for_change(watching: &Watching, changes: &mut Receiver<String>) -> bool {
    let clock: &SharedClock = &watching.service.clock;
    let heartbeat = clock.sleep(HEARTBEAT);
    tokio::pin!(heartbeat);
    loop {
        tokio::select! {
            change = changes.recv() => match change {
                Err(RecvError::Closed) => return false,
                Ok(whose) if watching.ask.recipient_id.as_ref() != Some(&whose) => {}
                Ok(_) | Err(RecvError::Lagged(_)) => {
                    clock.sleep(GATHER).await;
                    return true;
                }
            },
            () = &mut heartbeat => return true,
        }
    }
}
