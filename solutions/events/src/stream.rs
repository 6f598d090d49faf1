//! The whole picture as it goes to everybody who watches: made once per change, a few times a second at most, and
//! handed to event streams (SSE) and WebSockets alike. Who is slow skips pictures and holds nobody up.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use axum::response::sse::Event as Sse;
use futures::Stream;
use http::{HeaderMap, Uri, header};
use ieum_contracts::events::{EventState, EventStates, ListEvents};
use ieum_core::{Cx, Fault, Moment, SharedClock};
use ieum_gateway::Origins;
use parking_lot::Mutex;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, watch};

use crate::door::{Sight, is_own_page};
use crate::realtime::Realtime;

/// Watchers at once.
const MOST_WATCHERS: usize = 1_024;

/// Ages go on while nothing changes; watchers hear at least this often.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// The time between two pictures.
const PACE: Duration = Duration::from_millis(120);

/// Who takes nothing off the wire for this long is gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// Pictures for everybody who watches.
pub struct Pictures {
    realtime: Arc<Realtime>,
    clock: SharedClock,
    newest: watch::Sender<Arc<Picture>>,
    making: tokio::sync::Mutex<Option<Moment>>,
    places: Arc<Semaphore>,
    closed: watch::Sender<bool>,
}

/// The live picture at one time, or why there is none.
pub struct Picture {
    states: Result<EventStates, Fault>,
    /// Its messages, by the events that somebody may see.
    made: Mutex<HashMap<Sight, Told>>,
}

/// One message, ready for the wire.
#[derive(Clone)]
struct Told {
    name: &'static str,
    json: Utf8Bytes,
    frame: Utf8Bytes,
}

/// A place among the watchers, and what may be seen from it.
pub struct Watcher {
    pictures: Arc<Pictures>,
    newest: watch::Receiver<Arc<Picture>>,
    sight: Sight,
    _place: OwnedSemaphorePermit,
}

impl Pictures {
    /// Makes pictures of the live states. Nothing is made before somebody watches.
    pub fn new(realtime: Arc<Realtime>, clock: SharedClock) -> Arc<Self> {
        let none = Picture { states: Ok(EventStates::default()), made: Mutex::default() };
        Arc::new(Self {
            realtime,
            clock,
            newest: watch::Sender::new(Arc::new(none)),
            making: tokio::sync::Mutex::new(None),
            places: Arc::new(Semaphore::new(MOST_WATCHERS)),
            closed: watch::Sender::new(false),
        })
    }

    /// Takes a place for somebody who may see `sight`. The first picture is there at once.
    /// Fails with `events.stream.too_many`.
    pub async fn watch(self: &Arc<Self>, sight: Sight) -> Result<Watcher, Fault> {
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            let message = format!("watching live states: {MOST_WATCHERS} streams are open already");
            return Err(
                Fault::resource_exhausted("events.stream.too_many", message).with_retry_after(HEARTBEAT)
            );
        };
        let mut made = self.making.lock().await;
        let now = self.clock.moment();
        if made.is_none() {
            tokio::spawn(keep_making(Arc::downgrade(self), self.realtime.changes(), self.clock.clone()));
        }
        // Many who come at once share a picture.
        if made.is_none_or(|made| now.since(made) >= PACE) {
            *made = Some(now);
            self.make().await;
        }
        drop(made);
        let mut newest = self.newest.subscribe();
        newest.mark_changed();
        Ok(Watcher { pictures: self.clone(), newest, sight, _place: place })
    }

    /// Ends every WebSocket. Event streams end with their connections.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }

    async fn make(&self) {
        let states = self.realtime.list(&Cx::root(), ListEvents::default()).await;
        self.newest.send_replace(Arc::new(Picture { states, made: Mutex::default() }));
    }
}

/// Makes a picture after each change and at each heartbeat, as long as there is somebody to make them for.
async fn keep_making(pictures: Weak<Pictures>, mut changes: broadcast::Receiver<String>, clock: SharedClock) {
    loop {
        tokio::select! {
            change = changes.recv() => if matches!(change, Err(RecvError::Closed)) { return },
            () = clock.sleep(HEARTBEAT) => {}
        }
        let Some(pictures) = pictures.upgrade() else { return };
        if pictures.newest.receiver_count() == 0 {
            continue;
        }
        let mut made = pictures.making.lock().await;
        let now = clock.moment();
        let wait = made.map_or(Duration::ZERO, |made| (made + PACE).since(now));
        *made = Some(now + wait);
        drop(made);
        clock.sleep(wait).await;
        // What changed meanwhile is in the picture.
        while changes.try_recv().is_ok() {}
        pictures.make().await;
    }
}

impl Picture {
    fn told(&self, sight: &Sight) -> Told {
        let mut made = self.made.lock();
        if let Some(told) = made.get(sight) {
            return told.clone();
        }
        let told = self.tell(sight);
        made.insert(sight.clone(), told.clone());
        told
    }

    fn tell(&self, sight: &Sight) -> Told {
        let (name, json) = match &self.states {
            Ok(states) if *sight == Sight::ALL => ("states", serde_json::to_string(states)),
            Ok(states) => {
                let mut own = states.clone();
                sight.narrow(&mut own);
                ("states", serde_json::to_string(&own))
            }
            Err(fault) => ("fault", serde_json::to_string(&fault.to_problem(None))),
        };
        let json = json.unwrap_or_else(|error| {
            tracing::error!(error = %error, "a live state has no JSON form");
            "{}".to_owned()
        });
        let frame = format!("{{\"event\":\"{name}\",\"data\":{json}}}");
        Told { name, json: json.into(), frame: frame.into() }
    }
}

impl Watcher {
    /// Waits for a picture that was not told yet; whatever came in between is skipped.
    async fn next(&mut self) -> Option<Told> {
        self.newest.changed().await.ok()?;
        let picture = self.newest.borrow_and_update().clone();
        Some(picture.told(&self.sight))
    }

    /// Returns the pictures as server-sent events.
    pub fn events(self) -> impl Stream<Item = Result<Sse, Infallible>> {
        futures::stream::unfold(self, |mut watcher| async move {
            let told = watcher.next().await?;
            Some((Ok(Sse::default().event(told.name).data(told.json.as_str())), watcher))
        })
    }

    /// Sends pictures into a WebSocket until either side ends it. What comes in is not listened to.
    pub async fn serve(mut self, mut socket: WebSocket) {
        let (clock, mut closed) = (self.pictures.clock.clone(), self.pictures.closed.subscribe());
        loop {
            let told = tokio::select! {
                told = self.next() => told,
                message = socket.recv() => match message {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => continue,
                },
                _ = closed.wait_for(|closed| *closed) => None,
            };
            let message = match told {
                Some(told) => Message::Text(told.frame),
                None => {
                    let frame = CloseFrame { code: close_code::AWAY, reason: "the hub stops".into() };
                    // Who is gone already needs no goodbye.
                    let _ = socket.send(Message::Close(Some(frame))).await;
                    return;
                }
            };
            let sent = tokio::select! {
                sent = socket.send(message) => sent.is_ok(),
                () = clock.sleep(PATIENCE) => false,
            };
            if !sent {
                return;
            }
        }
    }
}

/// Fails with `events.socket.origin` where a page of an origin opens the socket that is neither our own nor one of
/// `origins`. Browsers let any page open a
/// WebSocket anywhere and tell only whose it is (RFC 6455 §10.2); programs that are no browsers name no origin.
pub fn check_origin(origins: &Origins, headers: &HeaderMap, uri: &Uri) -> Result<(), Fault> {
    if is_own_page(uri, headers) || headers.get(header::ORIGIN).is_some_and(|origin| origins.hold(origin)) {
        return Ok(());
    }
    Err(Fault::permission_denied(
        "events.socket.origin",
        "opening the socket of live states: the page that asks is not one of this hub, and its origin is not named in \
         `gateway.origins`",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_and_programs_open_a_socket() {
        let opens = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().expect("is a value"));
            }
            let origins = Origins::from(vec!["https://board.example.org".parse().expect("is an origin")]);
            check_origin(&origins, &headers, &Uri::from_static("/api/events/socket")).is_ok()
        };
        assert!(opens(&[("host", "localhost:8080")]), "a program");
        assert!(opens(&[("host", "localhost:8080"), ("origin", "http://localhost:8080")]));
        assert!(!opens(&[("host", "localhost:8080"), ("origin", "https://evil.example")]));
        assert!(!opens(&[("host", "localhost:8080"), ("origin", "null")]));
        assert!(!opens(&[("host", "localhost:8080"), ("origin", "http://localhost:9090")]));
        assert!(opens(&[("host", "localhost:8080"), ("origin", "https://board.example.org")]), "it is named");
    }
}
