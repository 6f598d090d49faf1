//! What becomes of a device's message: a turn, a fact on the bus, what it controls, or a clear refusal.

use std::sync::Arc;

use ieum_bus::Event;
use ieum_contracts::identity::DeviceSeen;
use ieum_contracts::voice::{DEVICE_NOTICED, DIALOG_EVENTS, DeviceNotice, DialogTurn, Dialogue};
use ieum_core::{Cx, Fault, SharedClock, new_id};
use serde_json::json;

use super::message::{AudioMessage, Envelope, EventMessage, TextMessage, ThingsData, read};
use crate::audio::{Assembled, Part};
use crate::dialogue::DialogManager;
use crate::directory::Who;
use crate::rules::{check_turn, turn_key};
use crate::store::{Reply, Thing, keep_things, queue};

/// The longest message that is looked at, bytes.
const LONGEST: usize = 1024 * 1024;
/// The most things that one device controls.
const MOST_THINGS: usize = 200;

/// Works on the messages of devices.
pub struct Desk {
    pub manager: Arc<DialogManager>,
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
                    _ => self.notice(received.device, id, envelope, &event).await,
                }
            }
            "telemetry" => {
                self.seen(received.device).await;
                Ok(())
            }
            _ => self.audio(received.device, id, read(received.payload)?).await,
        }
    }

    async fn text(&self, device: &str, id: &str, message: TextMessage) -> Result<(), Fault> {
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
        let mut turn = DialogTurn {
            turn_id: Some(id.to_owned()),
            device_id: Some(device.to_owned()),
            session_id: message.session_id.clone(),
            language: message.language,
            deliver: true,
            ..DialogTurn::default()
        };
        let Some(sequence) = message.sequence else {
            check_names(&turn)?;
            return self.manager.hear(&Cx::root(), turn, audio).await.map(drop);
        };
        let Some(session) = message.session_id else {
            let message = "field sessionId: parts of a recording say which one they belong to";
            return Err(Fault::invalid_argument("voice.message.invalid", message));
        };
        check_names(&turn)?;
        // All parts are one turn, whichever comes last.
        turn.turn_id = Some(session.clone());
        let last = message.last;
        let part = Part { device, session: &session, sequence, last, audio };
        match self.manager.store.assemble(&part, self.clock().now()).await? {
            Assembled::Waiting => Ok(()),
            Assembled::Missing(missing) if last => self.ask_again(device, &session, &missing).await,
            Assembled::Missing(_) => Ok(()),
            Assembled::Whole(audio) => {
                // A conversation goes on over recordings: it is the device's, not the recording's.
                turn.session_id = None;
                self.manager.hear(&Cx::root(), turn, audio).await?;
                self.manager.store.forget_parts(device, &session).await
            }
        }
    }

    /// Tells a device which parts of its recording are not there.
    async fn ask_again(&self, device: &str, session: &str, missing: &[u32]) -> Result<(), Fault> {
        let payload = json!({ "sessionId": session, "missing": missing });
        let id = format!("missing:{}", new_id());
        self.queue(Reply { id, device: device.to_owned(), kind: "AUDIO_MISSING", payload }).await
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

    async fn notice(
        &self,
        device: &str,
        id: &str,
        envelope: &Envelope,
        event: &EventMessage,
    ) -> Result<(), Fault> {
        let notice = DeviceNotice {
            device_id: device.to_owned(),
            user_id: self.user(device).await,
            event_type: event.event_type.chars().take(120).collect(),
            location: event.data["location"].as_str().map(|place| place.chars().take(120).collect()),
            at: envelope.at(self.clock().now()),
        };
        let turn = DialogTurn { device_id: Some(device.to_owned()), ..DialogTurn::default() };
        let told = Event::new(&Cx::root(), "/voice", DEVICE_NOTICED, notice.user_id.as_str(), &notice)?;
        let told = told.with_id(turn_key(&turn, id)).with_subject(device);
        Ok(self.manager.bus.publish(DIALOG_EVENTS, told).await?)
    }

    async fn seen(&self, device: &str) {
        let Some(devices) = &self.manager.directory.devices else { return };
        let seen = DeviceSeen { device_id: device.to_owned(), at: self.clock().now() };
        if let Err(fault) = devices.seen(&Cx::root(), seen).await {
            tracing::debug!(error = %fault, device, "noting that a device was heard of failed");
        }
    }

    /// Returns whose device it is.
    async fn user(&self, device: &str) -> String {
        let turn = DialogTurn { device_id: Some(device.to_owned()), ..DialogTurn::default() };
        match self.manager.directory.who(&Cx::root(), &turn).await {
            Who::Welcome(speaker) | Who::Blocked(speaker) => speaker.user.id,
            Who::NotFound(id) => id,
        }
    }

    /// Answers what can never be worked on.
    async fn refuse(&self, received: &Received<'_>, id: Option<String>, fault: &Fault) -> Result<(), Fault> {
        metrics::counter!("ieum_voice_refused_total", "kind" => label(received.kind)).increment(1);
        let turn = DialogTurn { device_id: Some(received.device.to_owned()), ..DialogTurn::default() };
        let content = Envelope::default().id(received.kind, received.payload, true).unwrap_or_default();
        let key = turn_key(&turn, id.as_deref().unwrap_or(&content));
        let payload = json!({ "turnId": id, "reason": fault.reason, "message": fault.message });
        let device = received.device.to_owned();
        let reply = Reply { id: format!("{key}:refused"), device, kind: "DIALOG_ERROR", payload };
        self.queue(reply).await
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
