//! The dialogue as Dialogflow's clients ask it, and the engines as `MLService` gives them.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures::channel::mpsc;
use futures::{SinkExt, StreamExt, stream};
use ieum_contracts::voice::{DialogAnswer, DialogOutcome, DialogTurn, Understand, Understanding};
use ieum_core::{Cx, Fault, SharedClock};
use ieum_dialogflow::ml::MlServer;
use ieum_dialogflow::{
    Agent, ContextStore, Detected, DialogflowServer, Encoding, Input, Intent, IntentRef, Query,
    ServerOptions, Sound, SoundFormat, SoundStream, Speech, Transcriber, Transcript, TranscriptStream,
};
use ieum_gateway::ApiError;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tower::ServiceExt;

use super::contexts::{contexts_of, state_of};
use super::events;
use super::own::OwnContexts;
use super::pieces::{Numbered, not_heard};
use super::slots::parameters_of;
use crate::audio;
use crate::dialogue::{DialogManager, Within};
use crate::parts::Taken;
use crate::rules::{LONGEST_NAME, LONGEST_TEXT};
use crate::speech::{Audio, Ears, SpeechError};
use crate::streaming::Growing;
use crate::tongue::Tongue;
use crate::understood::UNKNOWN;
use crate::web::Visitor;
use crate::zone::known_zone;

/// Dialogflow's number of 16-bit samples, and of a caller that leaves it open.
const LINEAR: [i32; 2] = [0, 1];

/// Returns Dialogflow's REST and gRPC paths and those of `MLService`, to be put behind a door. `contexts` keeps what
/// clients remember themselves. See [`Visitor`] for who may name whom. The contexts of a device that asks are its own; what
/// its sessions are about is its person's, so that two devices of one person that call a session `s` share it, and devices
/// of others do not.
pub fn router(manager: Arc<DialogManager>, contexts: Arc<dyn ContextStore>) -> Router {
    let served = Arc::new(Served { manager, contexts });
    served.router(Visitor::Anyone).layer(from_fn_with_state(served, admit))
}

/// Hands a request of a device to routes of its own.
async fn admit(State(served): State<Arc<Served>>, request: Request, next: Next) -> Response {
    match Visitor::of(request.extensions()) {
        Ok(Visitor::Anyone) => next.run(request).await,
        Ok(device) => served.router(device).oneshot(request).await.into_response(),
        Err(fault) => ApiError::from(fault).into_response(),
    }
}

/// What answers.
struct Served {
    manager: Arc<DialogManager>,
    contexts: Arc<dyn ContextStore>,
}

impl Served {
    /// Returns the paths as `visitor` may use them.
    fn router(&self, visitor: Visitor) -> Router {
        let (manager, clock) = (self.manager.clone(), self.manager.clock.clone());
        let languages = [Tongue::Korean, Tongue::English].map(|tongue| tongue.code().to_owned()).to_vec();
        let options = ServerOptions { languages, most_text: LONGEST_TEXT, ..ServerOptions::default() };
        let meanings = Meanings {
            engine: manager.understanding.clone(),
            zone: manager.zone.clone(),
            clock: clock.clone(),
        };
        let ears = manager.ears.clone().map(|ears| Arc::new(Hearing(ears)) as Arc<dyn Transcriber>);
        let contexts = OwnContexts::of(&visitor, self.contexts.clone());
        let talk = Arc::new(Talk { manager, visitor });
        let mut server = DialogflowServer::new(talk, contexts, options, clock.clone());
        if let Some(ears) = &ears {
            server = server.with_transcriber(ears.clone());
        }
        let engines = MlServer::new(Arc::new(meanings), ears, clock);
        server.router().merge(engines.router())
    }
}

/// The dialogue as an agent: a turn is answered with all its effects.
struct Talk {
    manager: Arc<DialogManager>,
    visitor: Visitor,
}

/// The understanding engine as an agent: a sentence is understood, and nothing happens.
struct Meanings {
    engine: Arc<dyn Understanding>,
    zone: String,
    clock: SharedClock,
}

/// The speech engine as a transcriber: it looks at a recording while it grows, and hears it whole at the end.
struct Hearing(Arc<dyn Ears>);

// === Talk ===

#[async_trait]
impl Agent for Talk {
    async fn detect(&self, cx: &Cx, query: Query) -> Result<Detected, Fault> {
        let zone = zone_of(&query)?;
        if let (Input::Sound(sound), Some(numbered)) = (&query.input, Numbered::of(&query)?) {
            return self.take(cx, &query, sound, &numbered).await;
        }
        let (text, meant) = match &query.input {
            Input::Event { name, .. } => (name.clone(), Some(events::meant(name))),
            Input::Text(_) | Input::Sound(_) => (text_of(&query)?, None),
        };
        let turn = turn_of(&query, text, self.visitor.device());
        let turn = self.visitor.pin(cx, &self.manager.directory, turn).await?;
        let topics = self.manager.plugins.topics();
        // What the client set, kept or let run out is what the session is about, unless it joins one of other doors.
        let state = (!joins(&query)).then(|| state_of(&query.contexts, &topics));
        let (answer, after) = self.manager.say_within(cx, turn, Within { state, zone, meant }).await?;
        let contexts = match answer.outcome {
            DialogOutcome::Answered | DialogOutcome::Asked => contexts_of(&after, &query.contexts, &topics),
            _ => Vec::new(),
        };
        let speech = self.spoken(&query, &answer).await;
        Ok(Detected { speech, contexts, ..detected_of(answer) })
    }

    /// Takes sound with a number of its own: it is a part of a recording, heard once all parts are there.
    fn takes_sound(&self, query: &Query) -> Result<bool, Fault> {
        Ok(Numbered::of(query)?.is_some())
    }

    /// Returns every intent that is answered, in any language, and the one of what is not understood. The kinds of values
    /// are no agent's own, as system entities are not with Dialogflow: none is listed.
    async fn intents(&self, _: &Cx, _: &str) -> Result<Vec<Intent>, Fault> {
        let known = |name: &String| Intent {
            reference: intent(name, false),
            events: events::of(name),
            action: name.clone(),
            ..Intent::default()
        };
        let unknown =
            Intent { reference: intent(UNKNOWN, true), action: UNKNOWN.to_owned(), ..Intent::default() };
        Ok(self.manager.plugins.intents().iter().map(known).chain([unknown]).collect())
    }
}

impl Talk {
    /// Keeps a part of a recording. It is no turn of the client's session: the whole is one of the device's or the person's
    /// own conversation, by whatever doors its parts come.
    async fn take(
        &self,
        cx: &Cx,
        query: &Query,
        sound: &Sound,
        numbered: &Numbered,
    ) -> Result<Detected, Fault> {
        let turn = turn_of(query, String::new(), self.visitor.device());
        let turn = self.visitor.pin(cx, &self.manager.directory, turn).await?;
        let answer = match self.manager.take(cx, numbered.piece(turn, sound)?).await? {
            Taken::Waiting(missing) => return Ok(numbered.kept(&missing)),
            Taken::Heard(answer) | Taken::Again(_, answer) => *answer,
        };
        let speech = self.spoken(query, &answer).await;
        let query_text = answer.heard.clone().unwrap_or_default();
        Ok(Detected { speech, query_text, is_apart: true, ..detected_of(answer) })
    }

    /// Returns an answer spoken, where the client wishes it in a form that there is.
    async fn spoken(&self, query: &Query, answer: &DialogAnswer) -> Option<Speech> {
        query.speech.as_ref().filter(|wish| LINEAR.contains(&wish.encoding))?;
        let spoken = self.manager.spoken(answer).await?;
        Some(Speech {
            encoding: Encoding::Linear16 as i32,
            sample_rate: spoken.rate,
            data: audio::to_wave(&spoken).into(),
        })
    }
}

/// Tells whether a client joins a conversation that is led by other doors too, by naming its `sessionId`.
fn joins(query: &Query) -> bool {
    query.payload.get("sessionId").is_some_and(Value::is_string)
}

/// Returns the turn of a query. A client may name a person or a device in its payload (`userId`, `deviceId`), and the
/// conversation (`sessionId`). Without a person or a device the session speaks for itself, as a device that is nobody's: the
/// name of a conversation makes nobody its owner. `device:ID` is that device's own conversation, and names it where who asks
/// may speak for it. A `device` that asks speaks for itself.
fn turn_of(query: &Query, text: String, device: Option<&str>) -> DialogTurn {
    let given = |name: &str| query.payload.get(name).and_then(Value::as_str).map(str::to_owned);
    let own = own_name(&query.session.session);
    let session = given("sessionId").unwrap_or_else(|| own.clone());
    let (user_id, mut device_id) = (given("userId"), given("deviceId"));
    if user_id.is_none() && device_id.is_none() {
        let whose = session.strip_prefix("device:").filter(|device| !device.is_empty());
        device_id = Some(device.or(whose).map_or_else(|| own.clone(), str::to_owned));
    }
    DialogTurn {
        user_id,
        device_id,
        session_id: Some(session),
        text,
        language: Some(query.language.clone()),
        area: given("area"),
        ..DialogTurn::default()
    }
}

/// Returns by which name a session is known here: by its digest where its own is too long, so that no two are one.
fn own_name(session: &str) -> String {
    let whole = format!("dialogflow:{session}");
    if whole.chars().count() <= LONGEST_NAME {
        return whole;
    }
    format!("dialogflow:{}", hex::encode(Sha256::digest(session)))
}

/// Returns the zone that a client names. Fails where there is none of that name.
fn zone_of(query: &Query) -> Result<Option<String>, Fault> {
    let unknown = query.time_zone.as_deref().filter(|name| known_zone(name).is_none());
    match unknown {
        None => Ok(query.time_zone.clone()),
        Some(name) => {
            let name: String = name.chars().take(LONGEST_NAME).collect();
            let message = format!(
                "query_params.time_zone: {name:?} is no time zone; name one of IANA's, such as Asia/Seoul"
            );
            Err(Fault::invalid_argument("voice.dialogflow.time_zone", message))
        }
    }
}

fn text_of(query: &Query) -> Result<String, Fault> {
    let refused = |what: &str| Err(Fault::invalid_argument("voice.dialogflow.input", what));
    match &query.input {
        Input::Text(text) => Ok(text.clone()),
        Input::Event { .. } => refused("query_input: only the dialogue takes events; send text"),
        Input::Sound(_) => refused("query_input: no speech engine is set here; send text"),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a share from 0 to 1 loses nothing that counts")]
fn detected_of(answer: DialogAnswer) -> Detected {
    let understood = !matches!(answer.outcome, DialogOutcome::NotUnderstood);
    let parameters = parameters_of(&answer.slots);
    Detected {
        language: answer.language,
        intent: Some(intent(&answer.intent, !understood)),
        confidence: answer.confidence as f32,
        action: answer.intent,
        parameters,
        complete: !answer.expects_answer,
        text: answer.text,
        ..Detected::default()
    }
}

fn intent(name: &str, is_fallback: bool) -> IntentRef {
    IntentRef { id: name.replace('.', "-"), display_name: name.to_owned(), is_fallback, ends: false }
}

// === Meanings ===

#[async_trait]
impl Agent for Meanings {
    async fn detect(&self, cx: &Cx, query: Query) -> Result<Detected, Fault> {
        let ask = Understand {
            text: text_of(&query)?,
            language: query.language.clone(),
            now: self.clock.now(),
            zone: zone_of(&query)?.unwrap_or_else(|| self.zone.clone()),
            session_id: query.session.session.clone(),
            ..Understand::default()
        };
        let first = self.engine.understand(cx, ask).await?.meanings.into_iter().next();
        let Some(meaning) = first else { return Ok(Detected::default()) };
        #[allow(clippy::cast_possible_truncation, reason = "a share from 0 to 1 loses nothing that counts")]
        Ok(Detected {
            intent: Some(intent(&meaning.intent, false)),
            confidence: meaning.confidence as f32,
            parameters: parameters_of(&meaning.slots),
            ..Detected::default()
        })
    }
}

// === Hearing ===

impl Transcriber for Hearing {
    fn transcribe(&self, _: &Cx, format: SoundFormat, sound: SoundStream) -> TranscriptStream {
        let ears = self.0.clone();
        let (mut told, heard) = mpsc::channel(8);
        let work = async move {
            let whole = hear(ears, &format, sound, &mut told).await;
            // Nobody is left to hear it where this fails.
            let _ = told.send(whole).await;
        };
        stream::select(heard, stream::once(work).filter_map(|()| std::future::ready(None))).boxed()
    }
}

type Told = mpsc::Sender<Result<Transcript, Fault>>;

/// Hears a stream: what was heard so far is told meanwhile, the whole is returned.
#[allow(clippy::cast_possible_truncation, reason = "a share from 0 to 1 loses nothing that counts")]
async fn hear(
    ears: Arc<dyn Ears>,
    format: &SoundFormat,
    sound: SoundStream,
    told: &mut Told,
) -> Result<Transcript, Fault> {
    let audio = recorded(&ears, format, sound, told).await?;
    let heard = ears.hear(audio, Tongue::of(&format.language), None).await;
    let heard = heard.map_err(|error| match error {
        SpeechError::TooLong { .. } => Fault::invalid_argument("voice.audio.too_long", error.to_string()),
        SpeechError::Missing { .. } => Fault::failed_precondition("voice.speech.missing", error.to_string()),
        _ => Fault::unavailable("voice.speech.failed", error.to_string()),
    })?;
    Ok(Transcript {
        text: heard.text,
        is_final: true,
        confidence: heard.confidence.unwrap_or_default() as f32,
    })
}

/// Records the stream, until somebody spoke and is silent where one utterance is wanted.
async fn recorded(
    ears: &Arc<dyn Ears>,
    format: &SoundFormat,
    mut sound: SoundStream,
    told: &mut Told,
) -> Result<Audio, Fault> {
    let first = sound.next().await.transpose()?.unwrap_or_default();
    if audio::is_wave(&first) {
        let mut file = first.to_vec();
        while let Some(piece) = sound.next().await {
            file.extend_from_slice(&piece?);
        }
        return audio::wave(&file);
    }
    if !matches!(format.encoding, Encoding::Linear16 | Encoding::Container) {
        return Err(not_heard(format.encoding));
    }
    let language = Tongue::of(&format.language).map(Tongue::code);
    let mut growing = Growing::new(Some(Arc::clone(ears)), format.sample_rate, language);
    let mut next = Some(Ok(first));
    while let Some(piece) = next {
        if let Some(so_far) = growing.take(&piece?)? {
            let partial = Transcript { text: so_far.text(), is_final: false, confidence: 0.0 };
            // Nobody is left to hear it where this fails.
            let _ = told.send(Ok(partial)).await;
        }
        if format.single_utterance && growing.has_ended() {
            break;
        }
        next = sound.next().await;
    }
    growing.finish()
}

#[cfg(test)]
mod tests {
    use ieum_dialogflow::SessionName;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_long_session_is_one_of_its_own_and_a_zone_is_a_zone_of_earth() {
        let long = "s".repeat(512);
        assert!(own_name(&long).len() <= LONGEST_NAME);
        assert_ne!(own_name(&long), own_name(&long[1..]));
        let mut query = Query::text(SessionName::new("p", "s"), "ko", "지금 몇 시야");
        assert_eq!(zone_of(&query), Ok(None));
        query.time_zone = Some("America/New_York".into());
        assert_eq!(zone_of(&query), Ok(query.time_zone.clone()));
        query.time_zone = Some("Mars/X".into());
        let fault = zone_of(&query).expect_err("is refused");
        assert!(fault.message.starts_with("query_params.time_zone"), "{fault}");
    }

    #[test]
    fn a_session_speaks_for_itself_unless_somebody_is_named() {
        let mut query = Query::text(SessionName::new("p", "s"), "ko", "지금 몇 시야");
        let turn = turn_of(&query, "지금 몇 시야".into(), None);
        assert_eq!((turn.user_id, turn.device_id.as_deref()), (None, Some("dialogflow:s")));
        let turn = turn_of(&query, "지금 몇 시야".into(), Some("kitchen"));
        assert_eq!(turn.device_id.as_deref(), Some("kitchen"), "a device that asks");
        query.payload = json!({"userId": "u-1", "area": "주방"}).as_object().cloned().expect("is an object");
        let turn = turn_of(&query, "지금 몇 시야".into(), None);
        assert_eq!((turn.user_id.as_deref(), turn.device_id), (Some("u-1"), None));
        assert_eq!((turn.session_id.as_deref(), turn.area.as_deref()), (Some("dialogflow:s"), Some("주방")));
    }

    #[test]
    fn the_name_of_a_conversation_makes_nobody_a_device_but_a_devices_own_one() {
        let of = |session: &str, device| {
            let mut query = Query::text(SessionName::new("p", "s"), "ko", "지금 몇 시야");
            query.payload = json!({ "sessionId": session }).as_object().cloned().expect("is an object");
            let turn = turn_of(&query, "지금 몇 시야".into(), device);
            assert_eq!((turn.user_id, turn.session_id.as_deref()), (None, Some(session)));
            turn.device_id.expect("speaks for itself")
        };
        assert_eq!(of("kitchen", None), "dialogflow:s", "whose kitchen is not said");
        assert_eq!(of("device:", None), "dialogflow:s");
        assert_eq!(of("device:kitchen", None), "kitchen");
        assert_eq!(
            of("device:kitchen", Some("hall")),
            "hall",
            "which is refused, as it may not speak for it"
        );
    }
}
