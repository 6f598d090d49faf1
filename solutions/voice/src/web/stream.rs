//! Dialogues over WebSocket (RFC 6455): text frames hold the messages that devices know from MQTT, binary frames the
//! samples of a recording.
//!
//! | the client says | what happens |
//! |---|---|
//! | `{"type":"text","text":…}` | a turn |
//! | `{"type":"audio","sessionId":…,"sequence":…,"last":…,"audio":{…}}` | a part of a recording, in any order |
//! | `{"type":"audio","audio":{…}}` | a whole recording |
//! | `"area":…` besides | where that was said; `?area=` where nothing is said |
//! | a binary frame | samples at `?sampleRate=`, 16000 where nothing is said |
//! | `{"type":"end"}` | the binary frames so far are a recording |
//!
//! With `?partials=true` what was heard so far of binary frames is told meanwhile, as `DIALOG_PARTIAL`.
//! Answers come in the envelope of `device/{id}/response`, and so does what nobody asked for: what is sent to the device
//! or is for the person, such as that a timer rings. A device whose secret ends meanwhile is told so, and the stream
//! closed with the status 1008: at what it says or is told next, or where both are silent, as soon as it is asked whether it
//! is still there.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use futures::{SinkExt, StreamExt};
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderName, StatusCode};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use ieum_contracts::voice::{DialogAnswer, DialogTurn, Dialogue};
use ieum_core::{Code, Cx, Fault, new_id};
use ieum_gateway::{ApiError, ApiQuery, ProblemView};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use utoipa::IntoParams;

use super::closing::{Farewell, Socket, close};
use super::text::at_field;
use super::{Visitor, Web};
use crate::audio::{AudioData, USUAL_RATE, named_anew};
use crate::dialogue::DialogManager;
use crate::gateway::envelope::{message, sound};
use crate::parts::{Piece, Taken};
use crate::replies::{device_lane, person_lane};
use crate::rules::check_turn;
use crate::speech::Audio;
use crate::streaming::{Growing, SoFar};
use crate::streams::Listening;

/// The longest frame, bytes.
const LONGEST_FRAME: usize = 1024 * 1024;
/// Who says nothing for so long is asked whether it is still there, and gone where it did not answer three times.
const SILENCE: Duration = Duration::from_secs(100);
const SILENCES: u32 = 3;

/// Who speaks on the stream.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Speaks {
    /// Which device listens; one of this and `userId` is needed.
    device_id: Option<String>,
    /// Who speaks.
    user_id: Option<String>,
    /// Which conversation.
    session_id: Option<String>,
    /// `ko` or `en`.
    language: Option<String>,
    /// Where it is said.
    area: Option<String>,
    /// Samples a second of binary frames; 16000 where left out.
    sample_rate: Option<u32>,
    /// Whether to tell what was heard so far of binary frames.
    partials: Option<bool>,
}

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase")]
enum Said {
    Text {
        text: String,
        message_id: Option<String>,
        language: Option<String>,
        area: Option<String>,
    },
    Audio {
        audio: AudioData,
        session_id: Option<String>,
        sequence: Option<u32>,
        #[serde(default)]
        last: bool,
        area: Option<String>,
    },
    End {
        message_id: Option<String>,
    },
}

/// One client's stream.
struct Talk {
    manager: Arc<DialogManager>,
    visitor: Visitor,
    speaks: Speaks,
    recording: Growing,
}

/// Opens a stream of turns; see the module of the same name for its messages. Answers 426 to what is no upgrade.
#[utoipa::path(get, path = "/api/dialog/stream", tag = "dialog", operation_id = "stream",
    security((), ("key" = []), ("device" = [])),
    params(Speaks), responses(
    (status = 101, description = "It is a WebSocket from here on"),
    (status = 426, description = "It is no WebSocket", body = ProblemView, content_type = "application/problem+json"),
    (status = 503, description = "Too many streams are open", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn stream(
    State(web): State<Web>,
    visitor: Visitor,
    ApiQuery(mut speaks): ApiQuery<Speaks>,
    mut request: Request,
) -> Result<Response, ApiError> {
    let said = turn(&speaks, None, "-".to_owned());
    let said = visitor.pin(&Cx::root(), &web.manager.directory, said).await.map_err(at_field)?;
    check_turn(&said).map_err(at_field)?;
    (speaks.device_id, speaks.user_id) = (said.device_id, said.user_id);
    let headers = request.headers();
    let Some(key) = headers.get(SEC_WEBSOCKET_KEY).filter(|_| is_upgrade(headers)).cloned() else {
        let fault =
            Fault::failed_precondition("voice.stream.upgrade", "this is a WebSocket; ask for an upgrade");
        return Err(ApiError::from(fault).with_status(StatusCode::UPGRADE_REQUIRED));
    };
    let Ok(place) = web.streams.clone().try_acquire_owned() else {
        let message = "too many streams are open; try again in a moment";
        return Err(Fault::unavailable("voice.stream.full", message)
            .with_retry_after(Duration::from_secs(5))
            .into());
    };
    let upgraded = hyper::upgrade::on(&mut request);
    // Who is told that the stream is open is told everything from then on.
    let unasked = web.manager.streams.listen(speaks.lanes());
    web.manager.streams.clone().spawn(async move {
        if let Ok(stream) = upgraded.await {
            let recording = recording(&web.manager, &speaks);
            Talk { manager: web.manager, visitor, speaks, recording }.run(stream, unasked).await;
        }
        drop(place);
    });
    let accept = derive_accept_key(key.as_bytes());
    let headers = [
        (CONNECTION, "upgrade".to_owned()),
        (UPGRADE, "websocket".to_owned()),
        (SEC_WEBSOCKET_ACCEPT, accept),
    ];
    Ok((StatusCode::SWITCHING_PROTOCOLS, headers).into_response())
}

fn is_upgrade(headers: &HeaderMap) -> bool {
    let has = |name: HeaderName, token: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values
            .flat_map(|value| value.split(',').collect::<Vec<_>>())
            .any(|part| part.trim().eq_ignore_ascii_case(token))
    };
    has(CONNECTION, "upgrade")
        && has(UPGRADE, "websocket")
        && headers.get(SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13")
}

fn turn(speaks: &Speaks, turn_id: Option<String>, text: String) -> DialogTurn {
    DialogTurn {
        turn_id: Some(turn_id.unwrap_or_else(|| new_id().to_string())),
        user_id: speaks.user_id.clone(),
        device_id: speaks.device_id.clone(),
        session_id: speaks.session_id.clone(),
        text,
        language: speaks.language.clone(),
        area: speaks.area.clone(),
        ..DialogTurn::default()
    }
}

impl Speaks {
    /// Returns under which names something may be sent to whoever is at the stream.
    fn lanes(&self) -> Vec<String> {
        let device = self.device_id.as_deref().map(device_lane);
        device.into_iter().chain(self.user_id.as_deref().map(person_lane)).collect()
    }
}

/// Begins a recording of binary frames.
fn recording(manager: &DialogManager, speaks: &Speaks) -> Growing {
    let ears = manager.ears.clone().filter(|_| speaks.partials == Some(true));
    Growing::new(ears, speaks.sample_rate.unwrap_or(USUAL_RATE), speaks.language.as_deref())
}

impl Talk {
    async fn run(mut self, stream: Upgraded, mut unasked: Listening) {
        let config = WebSocketConfig::default()
            .max_message_size(Some(LONGEST_FRAME))
            .max_frame_size(Some(LONGEST_FRAME));
        let mut socket =
            WebSocketStream::from_raw_socket(TokioIo::new(stream), Role::Server, Some(config)).await;
        if let Some(farewell) = self.talk(&mut socket, &mut unasked).await {
            drop(unasked);
            close(socket, farewell, &self.manager.clock).await;
        }
    }

    /// Talks until one of both ends it, and returns what to say last; `None` where the client is gone.
    async fn talk(&mut self, socket: &mut Socket, unasked: &mut Listening) -> Option<Farewell> {
        let (mut silences, stopping) = (0, self.manager.streams.ending());
        loop {
            let unsaid = tokio::select! {
                next = socket.next() => Err(next),
                told = unasked.next() => Ok(Message::text(&*told)),
                () = stopping.cancelled() => return Some(Farewell::Stopping),
                () = self.manager.clock.sleep(SILENCE) => {
                    silences += 1;
                    if silences == SILENCES {
                        return Some(Farewell::Silent);
                    }
                    Ok(Message::Ping(Default::default()))
                }
            };
            let answered = match unsaid {
                Ok(message) => match ended(self.visitor.check().await) {
                    Some(fault) => Err(fault),
                    None if self.send(socket, message).await => continue,
                    None => return None,
                },
                Err(next) => {
                    silences = 0;
                    match next? {
                        Ok(Message::Text(text)) => self.said(text.as_bytes()).await,
                        Ok(Message::Binary(bytes)) => self.sounded(&bytes),
                        Ok(Message::Close(_)) => return Some(Farewell::Answered),
                        // Pings are answered by the library.
                        Ok(_) => Ok(Vec::new()),
                        Err(error) => return Farewell::of(&error),
                    }
                }
            };
            let is_over = answered.as_ref().is_err_and(|fault| fault.code == Code::Unauthenticated);
            for message in answered.unwrap_or_else(|fault| vec![refusal(&fault)]) {
                if !self.send(socket, Message::text(message.to_string())).await {
                    return None;
                }
            }
            if is_over {
                return Some(Farewell::SecretEnded);
            }
        }
    }

    /// Sends a message; returns false where the client is gone, or takes nothing for so long that it counts as gone.
    async fn send(&self, socket: &mut Socket, message: Message) -> bool {
        tokio::select! {
            sent = socket.send(message) => sent.is_ok(),
            () = self.manager.clock.sleep(SILENCE) => false,
        }
    }

    fn sounded(&mut self, bytes: &[u8]) -> Result<Vec<Value>, Fault> {
        let so_far = self.recording.take(bytes).inspect_err(|_| {
            self.recording = recording(&self.manager, &self.speaks);
        })?;
        let told =
            |SoFar { settled, rest }| envelope("DIALOG_PARTIAL", json!({ "settled": settled, "rest": rest }));
        Ok(so_far.map(told).into_iter().collect())
    }

    async fn said(&mut self, text: &[u8]) -> Result<Vec<Value>, Fault> {
        let said: Said = serde_json::from_slice(text).map_err(|error| {
            let problem: String = error.to_string().chars().take(200).collect();
            Fault::invalid_argument(
                "voice.message.invalid",
                format!("reading a message of the stream: {problem}"),
            )
        })?;
        self.visitor.check().await?;
        match said {
            Said::Text { text, message_id, language, area } => {
                let mut turn = turn(&self.speaks, message_id, text);
                turn.language = language.or(turn.language);
                turn.area = area.or(turn.area);
                Ok(vec![answer(&self.manager.say(&Cx::root(), turn).await?)])
            }
            Said::End { message_id } => {
                let next = recording(&self.manager, &self.speaks);
                let audio = std::mem::replace(&mut self.recording, next).finish()?;
                self.hear(turn(&self.speaks, message_id, String::new()), audio).await
            }
            Said::Audio { audio, session_id, sequence, last, area } => {
                let audio = audio.read()?;
                let whole = session_id.as_deref().filter(|_| sequence.is_none());
                let anew = whole.map(|name| named_anew(name, &audio.samples));
                let mut turn = turn(&self.speaks, anew.or_else(|| session_id.clone()), String::new());
                turn.area = area.or(turn.area);
                let Some(sequence) = sequence else { return self.hear(turn, audio).await };
                let piece = Piece { turn, recording: session_id.clone(), sequence, last, audio };
                match self.manager.take(&Cx::root(), piece).await? {
                    Taken::Heard(heard) | Taken::Again(_, heard) => self.told(&heard).await,
                    Taken::Waiting(missing) if last && !missing.is_empty() => {
                        let told = json!({ "sessionId": session_id, "missing": missing });
                        Ok(vec![envelope("AUDIO_MISSING", told)])
                    }
                    Taken::Waiting(_) => Ok(Vec::new()),
                }
            }
        }
    }

    async fn hear(&self, turn: DialogTurn, audio: Audio) -> Result<Vec<Value>, Fault> {
        self.told(&self.manager.hear(&Cx::root(), turn, audio).await?).await
    }

    /// Tells an answer, spoken too where an engine speaks.
    async fn told(&self, heard: &DialogAnswer) -> Result<Vec<Value>, Fault> {
        let mut told = vec![answer(heard)];
        if let Some(audio) = self.manager.spoken(heard).await {
            let audio = sound(&audio.samples, audio.rate);
            told.push(envelope("DIALOG_AUDIO", json!({ "turnId": heard.turn_id, "audio": audio })));
        }
        Ok(told)
    }
}

/// Returns why the stream is over: the secret is right no more. Where nobody can say, it was right the last time, and what
/// was taken for the client is not withheld.
fn ended(checked: Result<(), Fault>) -> Option<Fault> {
    checked.err().filter(|fault| fault.code == Code::Unauthenticated)
}

fn envelope(kind: &str, payload: Value) -> Value {
    message(&new_id().to_string(), ieum_core::system_clock().now(), kind, &payload)
}

fn answer(answer: &DialogAnswer) -> Value {
    envelope("DIALOG_RESPONSE", json!(answer))
}

fn refusal(fault: &Fault) -> Value {
    envelope("DIALOG_ERROR", json!({ "reason": fault.reason, "message": fault.message }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_secret_that_is_right_no_more_ends_a_stream() {
        assert!(ended(Ok(())).is_none());
        assert!(ended(Err(Fault::unavailable("identity.down", "asking"))).is_none(), "nobody can say");
        assert!(ended(Err(Fault::unauthenticated("gateway.password_ended", "it ended"))).is_some());
    }
}
