//! What happens besides an answer, decided before the transaction and written within it.

use ieum_contracts::voice::{ControlAction, Effect, ScheduleKind};
use ieum_core::{Cx, Fault, Timestamp};
use ieum_saga::{Schedule, Schedules};
use ieum_store::Transaction;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::store::{Reply, queue};

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
            Effect::Schedule { kind, at, label } => {
                plan.schedules.push(schedule(scene, id, *kind, *at, label))
            }
            Effect::Cancel { schedules } => {
                plan.cancelled.extend(schedules.iter().filter(|id| own.contains(id)).cloned());
            }
            Effect::Announce { area, text } => {
                let there = speakers.iter().filter(|(_, place)| area.is_none() || place == area);
                plan.replies.extend(there.map(|(device, _)| Reply {
                    id: format!("{id}:{device}"),
                    device: device.clone(),
                    kind: "DIALOG_RESPONSE",
                    payload: json!({ "text": text, "language": scene.language, "intent": "announce.say" }),
                }));
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

fn schedule(scene: &Scene<'_>, id: String, kind: ScheduleKind, at: Timestamp, label: &str) -> Schedule {
    let ring = Ring {
        kind,
        label: label.to_owned(),
        user_id: scene.user_id.to_owned(),
        device_id: scene.device_id.map(str::to_owned),
        language: scene.language.to_owned(),
        zone: scene.zone.to_owned(),
        set_at: scene.now,
    };
    let payload = serde_json::to_value(ring).unwrap_or_default();
    Schedule { id, name: RING.to_owned(), owner: scene.user_id.to_owned(), at, payload }
}

fn control(id: String, thing: &str, device: &str, action: ControlAction, level: Option<f64>) -> Reply {
    Reply {
        id,
        device: device.to_owned(),
        kind: "DEVICE_COMMAND",
        payload: json!({ "thing": thing, "action": action, "level": level }),
    }
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
