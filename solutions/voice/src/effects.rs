//! What happens besides an answer, decided before the transaction and written within it.

use ieum_contracts::voice::{ControlAction, Effect, ScheduleKind};
use ieum_core::{Cx, Fault, Timestamp};
use ieum_saga::{Schedule, Schedules};
use ieum_store::Transaction;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::replies::{Reply, queue};
use crate::tongue::Tongue;
use crate::zone::{here, zone};

/// The name under which timers, alarms and reminders are schedules.
pub const RING: &str = "voice.ring";

/// What a schedule needs when it is due.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ring {
    pub kind: ScheduleKind,
    pub label: String,
    pub user_id: String,
    pub device_id: Option<String>,
    pub language: String,
    pub zone: String,
    pub set_at: Timestamp,
    /// The days of the week on which it rings again and again, Monday 1; none for what rings once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<i8>,
    /// The time of day at which it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
}

/// Who a turn's effects are for.
pub struct Scene<'a> {
    /// The key of the turn: ids of effects begin with it.
    pub key: &'a str,
    pub user_id: &'a str,
    pub device_id: Option<&'a str>,
    pub language: &'a str,
    pub zone: &'a str,
    pub now: Timestamp,
    /// Whether there is an engine that speaks.
    pub speaks: bool,
}

/// What is to be written.
#[derive(Default)]
pub struct Plan {
    pub schedules: Vec<Schedule>,
    pub cancelled: Vec<String>,
    pub replies: Vec<Reply>,
}

/// Makes a plan of effects. `own` are the person's schedules: others cannot be cancelled; `speakers` the person's other
/// devices with their rooms, `things` what may be controlled as pairs of device and id.
pub fn plan(
    scene: &Scene<'_>,
    effects: &[Effect],
    own: &[String],
    speakers: &[(String, Option<String>)],
    things: &[(String, String)],
) -> Plan {
    let mut plan = Plan::default();
    for (number, effect) in effects.iter().enumerate() {
        let id = format!("{}:{number}", scene.key);
        match effect {
            Effect::Schedule { kind, at, label, days } => {
                plan.schedules.push(schedule(scene, id, (*kind, label), *at, days));
            }
            Effect::Cancel { schedules } => {
                plan.cancelled.extend(schedules.iter().filter(|id| own.contains(id)).cloned());
            }
            Effect::Announce { area, text } => {
                let there = speakers.iter().filter(|(_, place)| area.is_none() || place == area);
                let mut replies: Vec<Reply> =
                    there.flat_map(|(device, _)| announcement(scene, &id, device, text)).collect();
                // Where it was said nobody needs to hear it again.
                if let Some(first) =
                    replies.first_mut().filter(|_| area.is_none() && scene.device_id.is_some())
                {
                    first.person = Some(scene.user_id.to_owned());
                }
                plan.replies.append(&mut replies);
            }
            Effect::Control { thing, device_id, action, level } => {
                if things.iter().any(|(device, id)| device == device_id && id == thing) {
                    plan.replies.push(control(id, thing, device_id, *action, *level));
                }
            }
        }
    }
    plan
}

/// Says something on a device, aloud too where there is an engine.
fn announcement(scene: &Scene<'_>, id: &str, device: &str, text: &str) -> Vec<Reply> {
    let payload = json!({ "text": text, "language": scene.language, "intent": "announce.say" });
    let reply = Reply::to_device(format!("{id}:{device}"), device, "DIALOG_RESPONSE", payload);
    let tongue = Tongue::of(scene.language).unwrap_or(Tongue::Korean);
    let aloud = scene.speaks.then(|| reply.aloud(&reply.id, text, tongue));
    std::iter::once(reply.clone()).chain(aloud).collect()
}

fn schedule(
    scene: &Scene<'_>,
    id: String,
    (kind, label): (ScheduleKind, &str),
    at: Timestamp,
    days: &[i8],
) -> Schedule {
    let time = (!days.is_empty()).then(|| here(&zone(scene.zone), at).time());
    let ring = Ring {
        kind,
        label: label.to_owned(),
        user_id: scene.user_id.to_owned(),
        device_id: scene.device_id.map(str::to_owned),
        language: scene.language.to_owned(),
        zone: scene.zone.to_owned(),
        set_at: scene.now,
        days: days.to_vec(),
        time,
    };
    let payload = serde_json::to_value(ring).unwrap_or_default();
    Schedule { id, name: RING.to_owned(), owner: scene.user_id.to_owned(), at, payload }
}

fn control(id: String, thing: &str, device: &str, action: ControlAction, level: Option<f64>) -> Reply {
    let payload = json!({ "thing": thing, "action": action, "level": level });
    Reply::to_device(id, device, "DEVICE_COMMAND", payload)
}

impl Plan {
    /// Writes the plan within `tx`.
    pub async fn write(
        &self,
        tx: &mut Transaction,
        cx: &Cx,
        schedules: &Schedules,
        now: Timestamp,
    ) -> Result<(), Fault> {
        for id in &self.cancelled {
            schedules.cancel_in(tx, id).await?;
        }
        for schedule in &self.schedules {
            schedules.set_in(tx, cx, schedule).await?;
        }
        queue(tx, &self.replies, now).await
    }
}
