//! What becomes of a device's message: a turn, a fact on the bus, what it controls, or a clear refusal.

use std::collections::HashSet;
use std::sync::Arc;

use ieum_contracts::voice::{DialogAnswer, DialogTurn, Dialogue};
use ieum_core::{Cx, Fault, SharedClock, new_id};
use serde_json::json;

use super::message::{AudioMessage, Envelope, EventMessage, TextMessage, ThingsData, read};
use super::refusals::Refusals;
use crate::dialogue::DialogManager;
use crate::directory::Who;
use crate::parts::{Piece, Taken};
use crate::replies::{Reply, queue, queue_again};
use crate::rules::{check_turn, is_anothers, turn_key};
use crate::store::{Thing, keep_things};

/// The longest message that is looked at, bytes.
const LONGEST: usize = 1024 * 1024;
/// The most things that one device controls.
const MOST_THINGS: usize = 200;

/// Works on the messages of devices.
pub struct Desk {
    pub manager: Arc<DialogManager>,
    refusals: Refusals,
}

/// A message as it came.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    pub device: &'a str,
    /// The last word of the topic.
    pub kind: &'a str,
    pub payload: &'a [u8],
    /// It may have come before.
    pub again: bool,
}

impl Desk {
    /// Works for this dialogue.
    pub fn new(manager: Arc<DialogManager>) -> Self {
        Self { manager, refusals: Refusals::default() }
    }

    /// Returns the time.
    pub fn clock(&self) -> &SharedClock {
        &self.manager.clock
    }

    /// Works on a message. A fault means that it should be tried again; what can never be worked on is answered with a
    /// refusal and done.
    pub async fn receive(&self, received: Received<'_>) -> Result<(), Fault> {
        metrics::counter!("ieum_voice_messages_total", "kind" => label(received.kind)).increment(1);
        let (envelope, worked) = match self.open(&received) {
            Ok(envelope) => {
                let id = envelope.id(received.kind, received.payload, received.again);
                let id = id.unwrap_or_else(|| new_id().to_string());
                let worked = self.work(&received, &envelope, &id).await;
                (Some(id), worked)
            }
            Err(fault) => (None, Err(fault)),
        };
        match worked {
            Err(fault) if !fault.is_retryable() => self.refuse(&received, envelope, &fault).await,
            worked => worked,
        }
    }

    fn open(&self, received: &Received<'_>) -> Result<Envelope, Fault> {
        if received.payload.len() > LONGEST {
            let message = format!("reading a device's message: it is longer than {LONGEST} bytes");
            return Err(Fault::invalid_argument("voice.message.too_long", message));
        }
        let envelope: Envelope = read(received.payload)?;
        envelope.check(received.device)?;
        Ok(envelope)
    }

    async fn work(&self, received: &Received<'_>, envelope: &Envelope, id: &str) -> Result<(), Fault> {
        match received.kind {
            "text" => self.text(received.device, id, read(received.payload)?).await,
            "event" => {
                let event: EventMessage = read(received.payload)?;
                match event.event_type.as_str() {
                    "text" => self.text(received.device, id, read(event.data.to_string().as_bytes())?).await,
                    "things" => self.things(received.device, read(event.data.to_string().as_bytes())?).await,
                    _ => self.notice(received.device, id, envelope, event).await,
                }
            }
            "telemetry" => self.measured(received.device, id, envelope, read(received.payload)?).await,
            _ => self.audio(received.device, id, read(received.payload)?).await,
        }
    }

    async fn text(&self, device: &str, id: &str, message: TextMessage) -> Result<(), Fault> {
        self.own_session(device, message.session_id.as_deref()).await?;
        let turn = DialogTurn {
            turn_id: Some(id.to_owned()),
            device_id: Some(device.to_owned()),
            session_id: message.session_id,
            text: message.text,
            language: message.language,
            area: message.area,
            deliver: true,
            ..DialogTurn::default()
        };
        self.manager.say(&Cx::root(), turn).await.map(drop)
    }

    async fn audio(&self, device: &str, id: &str, message: AudioMessage) -> Result<(), Fault> {
        let audio = message.audio.read()?;
        self.own_session(device, message.session_id.as_deref()).await?;
        let mut turn = DialogTurn {
            turn_id: Some(id.to_owned()),
            device_id: Some(device.to_owned()),
            session_id: message.session_id.clone(),
            language: message.language,
            area: message.area,
            deliver: true,
            ..DialogTurn::default()
        };
        let Some(sequence) = message.sequence else {
            check_names(&turn)?;
            return self.manager.hear(&Cx::root(), turn, audio).await.map(drop);
        };
        // A conversation goes on over recordings: it is the device's, not the recording's.
        let recording = turn.session_id.take();
        let piece = Piece { turn, recording: recording.clone(), sequence, last: message.last, audio };
        match self.manager.take(&Cx::root(), piece).await? {
            Taken::Waiting(missing) if message.last && !missing.is_empty() => {
                self.ask_again(device, &recording.unwrap_or_default(), &missing).await
            }
            Taken::Again(key, answer) if message.last => self.answer_again(device, key, &answer).await,
            Taken::Waiting(_) | Taken::Heard(_) | Taken::Again(..) => Ok(()),
        }
    }

    /// Gives a device an answer once more.
    async fn answer_again(&self, device: &str, key: String, answer: &DialogAnswer) -> Result<(), Fault> {
        let reply = Reply::to_device(key, device, "DIALOG_RESPONSE", json!(answer));
        let mut tx = self.manager.store.sql.begin_write().await?;
        queue_again(&mut tx, &reply, self.clock().now()).await?;
        tx.commit().await?;
        self.manager.waiting.notify_one();
        Ok(())
    }

    /// Tells a device which parts of its recording are not there.
    async fn ask_again(&self, device: &str, session: &str, missing: &[u32]) -> Result<(), Fault> {
        let payload = json!({ "sessionId": session, "missing": missing });
        let id = format!("missing:{}", new_id());
        self.queue(Reply::to_device(id, device, "AUDIO_MISSING", payload)).await
    }

    async fn queue(&self, reply: Reply) -> Result<(), Fault> {
        let mut tx = self.manager.store.sql.begin_write().await?;
        queue(&mut tx, &[reply], self.clock().now()).await?;
        tx.commit().await?;
        self.manager.waiting.notify_one();
        Ok(())
    }

    async fn things(&self, device: &str, data: ThingsData) -> Result<(), Fault> {
        let fits = |text: &str| !text.trim().is_empty() && text.chars().count() <= 120;
        let wrong = data.things.iter().any(|thing| {
            !fits(&thing.id) || !fits(&thing.name) || thing.area.as_deref().is_some_and(|area| !fits(area))
        });
        if wrong || data.things.len() > MOST_THINGS {
            let message = format!(
                "field data.things: at most {MOST_THINGS}, with id, name and area of 1 to 120 characters"
            );
            return Err(Fault::invalid_argument("voice.message.invalid", message));
        }
        let mut ids = HashSet::new();
        if let Some(twice) = data.things.iter().find(|thing| !ids.insert(thing.id.as_str())) {
            let message = format!("field data.things: the id {:?} is there twice", twice.id);
            return Err(Fault::invalid_argument("voice.message.invalid", message));
        }
        let owned = |thing: super::message::ThingData| Thing {
            device: device.to_owned(),
            id: thing.id,
            name: thing.name.trim().to_owned(),
            area: thing.area,
        };
        let things: Vec<Thing> = data.things.into_iter().map(owned).collect();
        let user = self.user(device).await;
        let mut tx = self.manager.store.sql.begin_write().await?;
        keep_things(&mut tx, &user, device, &things).await?;
        Ok(tx.commit().await?)
    }

    /// Fails where a device names the conversation of another one.
    async fn own_session(&self, device: &str, session: Option<&str>) -> Result<(), Fault> {
        // Most name none of these, and nobody need be asked.
        let Some(session) = session.filter(|session| is_anothers(session, device, None)) else {
            return Ok(());
        };
        let owner = self.user(device).await;
        if is_anothers(session, device, Some(&owner)) {
            let message = "field sessionId: names a conversation of another device or person";
            return Err(Fault::permission_denied("voice.message.foreign", message));
        }
        Ok(())
    }

    /// Returns whose device it is.
    pub(super) async fn user(&self, device: &str) -> String {
        user_of(self.who(device).await)
    }

    /// Returns who speaks where a device does.
    pub(super) async fn who(&self, device: &str) -> Who {
        let turn = DialogTurn { device_id: Some(device.to_owned()), ..DialogTurn::default() };
        self.manager.directory.who(&Cx::root(), &turn).await
    }

    /// Answers what can never be worked on. The same words said again are another mistake, unless it is known that they come
    /// again.
    async fn refuse(&self, received: &Received<'_>, id: Option<String>, fault: &Fault) -> Result<(), Fault> {
        metrics::counter!("ieum_voice_refused_total", "kind" => label(received.kind)).increment(1);
        if !self.refusals.may_tell(received.device, self.clock().now()) {
            return Ok(());
        }
        let turn = DialogTurn { device_id: Some(received.device.to_owned()), ..DialogTurn::default() };
        let nameless = || Envelope::default().id(received.kind, received.payload, received.again);
        let name = id.clone().or_else(nameless).unwrap_or_else(|| new_id().to_string());
        let key = turn_key(&turn, &name);
        let payload = json!({ "turnId": id, "reason": fault.reason, "message": fault.message });
        self.queue(Reply::to_device(format!("{key}:refused"), received.device, "DIALOG_ERROR", payload)).await
    }
}

/// Returns the id of who speaks, also of who is not known.
pub(super) fn user_of(who: Who) -> String {
    match who {
        Who::Welcome(speaker) | Who::Blocked(speaker) => speaker.user.id,
        Who::NotFound(id) => id,
    }
}

/// Checks what a turn says beside its words.
fn check_names(turn: &DialogTurn) -> Result<(), Fault> {
    check_turn(&DialogTurn { text: "-".to_owned(), ..turn.clone() })
}

/// Returns the label of a kind in metrics.
fn label(kind: &str) -> &'static str {
    match kind {
        "text" => "text",
        "event" => "event",
        "telemetry" => "telemetry",
        _ => "audio",
    }
}
