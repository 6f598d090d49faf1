//! Dialogues over WebSocket (RFC 6455): text frames hold the messages that devices know from MQTT, binary frames the
//! samples of a recording.
//!
//! | the client says | what happens |
//! |---|---|
//! | `{"type":"text","text":…}` | a turn |
//! | `{"type":"audio","sessionId":…,"sequence":…,"last":…,"audio":{…}}` | a part of a recording, in any order |
//! | `{"type":"audio","audio":{…}}` | a whole recording |
//! | a binary frame | samples at `?sampleRate=`, 16000 where nothing is said |
//! | `{"type":"end"}` | the binary frames so far are a recording |
//!
//! With `?partials=true` what was heard so far of binary frames is told meanwhile, as `DIALOG_PARTIAL`.
//! Answers come in the envelope of `device/{id}/response`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::{SinkExt, StreamExt};
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderName, StatusCode};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use ieum_contracts::voice::{DialogAnswer, DialogTurn, Dialogue};
use ieum_core::{Cx, Fault, new_id};
use ieum_gateway::{ApiError, ApiQuery, ProblemView};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use utoipa::IntoParams;

use super::text::at_field;
use super::{Visitor, Web, require};
use crate::audio::{Assembled, AudioData, Part, USUAL_RATE};
use crate::dialogue::DialogManager;
use crate::rules::check_turn;
use crate::streaming::{Growing, SoFar};

/// The longest frame, bytes.
const LONGEST_FRAME: usize = 1024 * 1024;
/// Who says nothing for so long is gone.
const SILENCE: Duration = Duration::from_secs(300);

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
    },
    Audio {
        audio: AudioData,
        session_id: Option<String>,
        sequence: Option<u32>,
        #[serde(default)]
        last: bool,
    },
    End {
        message_id: Option<String>,
    },
}

/// One client's stream.
struct Talk {
    manager: Arc<DialogManager>,
    speaks: Speaks,
    recording: Growing,
}

/// Opens a stream of turns; see the module of the same name for its messages. Answers 426 to what is no upgrade.
#[utoipa::path(get, path = "/api/dialog/stream", tag = "dialog", operation_id = "stream", security((), ("key" = [])),
    params(Speaks), responses(
    (status = 101, description = "It is a WebSocket from here on"),
    (status = 426, description = "It is no WebSocket", body = ProblemView, content_type = "application/problem+json"),
    (status = 503, description = "Too many streams are open", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn stream(
    State(web): State<Web>,
    visitor: Visitor,
    ApiQuery(speaks): ApiQuery<Speaks>,
    mut request: Request,
) -> Result<Response, ApiError> {
    require(&visitor)?;
    check_turn(&turn(&speaks, None, "-".to_owned())).map_err(at_field)?;
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
    tokio::spawn(async move {
        if let Ok(stream) = upgraded.await {
            let recording = recording(&web.manager, &speaks);
            Talk { manager: web.manager, speaks, recording }.run(stream).await;
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

/// Begins a recording of binary frames.
fn recording(manager: &DialogManager, speaks: &Speaks) -> Growing {
    let ears = manager.ears.clone().filter(|_| speaks.partials == Some(true));
    Growing::new(ears, speaks.sample_rate.unwrap_or(USUAL_RATE), speaks.language.as_deref())
}

impl Talk {
    async fn run(mut self, stream: Upgraded) {
        let config = WebSocketConfig::default()
            .max_message_size(Some(LONGEST_FRAME))
            .max_frame_size(Some(LONGEST_FRAME));
        let mut socket =
            WebSocketStream::from_raw_socket(TokioIo::new(stream), Role::Server, Some(config)).await;
        loop {
            let next = tokio::select! {
                next = socket.next() => next,
                () = self.manager.clock.sleep(SILENCE) => None,
            };
            let answered = match next {
                Some(Ok(Message::Text(text))) => self.said(text.as_bytes()).await,
                Some(Ok(Message::Binary(bytes))) => self.sounded(&bytes),
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                // Pings are answered by the library.
                Some(Ok(_)) => Ok(Vec::new()),
            };
            for message in answered.unwrap_or_else(|fault| vec![refusal(&fault)]) {
                if socket.send(Message::text(message.to_string())).await.is_err() {
                    return;
                }
            }
        }
        // Whoever is gone need not be told.
        let _ = socket.close(None).await;
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
        match said {
            Said::Text { text, message_id, language } => {
                let mut turn = turn(&self.speaks, message_id, text);
                turn.language = language.or(turn.language);
                Ok(vec![answer(&self.manager.say(&Cx::root(), turn).await?)])
            }
            Said::End { message_id } => {
                let next = recording(&self.manager, &self.speaks);
                let audio = std::mem::replace(&mut self.recording, next).finish()?;
                self.hear(message_id, audio).await
            }
            Said::Audio { audio, session_id, sequence: Some(sequence), last } => {
                let Some(session) = session_id else {
                    let message = "field sessionId: parts of a recording say which one they belong to";
                    return Err(Fault::invalid_argument("voice.message.invalid", message));
                };
                self.part(session, sequence, last, &audio).await
            }
            Said::Audio { audio, session_id, .. } => {
                let audio = audio.read()?;
                self.hear(session_id, audio).await
            }
        }
    }

    async fn part(
        &self,
        session: String,
        sequence: u32,
        last: bool,
        audio: &AudioData,
    ) -> Result<Vec<Value>, Fault> {
        let audio = audio.read()?;
        let checked =
            DialogTurn { session_id: Some(session.clone()), ..turn(&self.speaks, None, "-".to_owned()) };
        check_turn(&checked)?;
        let device = self.speaks.device_id.as_deref().or(self.speaks.user_id.as_deref()).unwrap_or_default();
        let part = Part { device, session: &session, sequence, last, audio };
        match self.manager.store.assemble(&part, self.manager.clock.now()).await? {
            Assembled::Missing(missing) if last => {
                Ok(vec![envelope("AUDIO_MISSING", json!({ "sessionId": session, "missing": missing }))])
            }
            Assembled::Waiting | Assembled::Missing(_) => Ok(Vec::new()),
            Assembled::Whole(audio) => {
                let answered = self.hear(Some(session.clone()), audio).await?;
                self.manager.store.forget_parts(device, &session).await?;
                Ok(answered)
            }
        }
    }

    async fn hear(&self, id: Option<String>, audio: crate::speech::Audio) -> Result<Vec<Value>, Fault> {
        let heard = self.manager.hear(&Cx::root(), turn(&self.speaks, id, String::new()), audio).await?;
        let mut told = vec![answer(&heard)];
        if let Some(audio) = self.manager.spoken(&heard).await {
            let data = BASE64_STANDARD.encode(&audio.samples);
            let audio = json!({ "data": data, "format": "PCM", "sampleRate": audio.rate });
            told.push(envelope("DIALOG_AUDIO", json!({ "turnId": heard.turn_id, "audio": audio })));
        }
        Ok(told)
    }
}

fn envelope(kind: &str, payload: Value) -> Value {
    let now = ieum_core::system_clock().now();
    json!({ "messageId": new_id(), "timestamp": now.as_millis(), "type": kind, "payload": payload })
}

fn answer(answer: &DialogAnswer) -> Value {
    envelope("DIALOG_RESPONSE", json!(answer))
}

fn refusal(fault: &Fault) -> Value {
    envelope("DIALOG_ERROR", json!({ "reason": fault.reason, "message": fault.message }))
}
