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
            Effect::Schedule { kind, at, label, days, since } => {
                let (span, what) = ((since.unwrap_or(scene.now), *at), (*kind, label.as_str()));
                plan.schedules.push(schedule(scene, id, what, span, days));
            }
            Effect::Cancel { schedules } => {
                plan.cancelled.extend(schedules.iter().filter(|id| own.contains(id)).cloned());
                let planned =
                    |id: &str| schedules.iter().any(|one| named_in(scene.key, one).as_deref() == Some(id));
                plan.schedules.retain(|schedule| !planned(&schedule.id));
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
            Effect::Control { thing, device_id, action, level, color } => {
                if things.iter().any(|(device, id)| device == device_id && id == thing) {
                    let set = (*level, color.as_deref());
                    plan.replies.push(control(id, thing, device_id, *action, set));
                }
            }
        }
    }
    plan
}

/// Returns how later commands of the same sentence name what an effect of an earlier one schedules; see
/// [`ieum_contracts::voice::PluginAsk::earlier`].
pub fn of_this_turn(number: usize) -> String {
    format!("#{number}")
}

/// Returns the place among this turn's effects of what a name of this turn stands for.
pub fn place_of(name: &str) -> Option<usize> {
    name.strip_prefix('#')?.parse().ok()
}

/// Returns the id of what a name of this turn stands for.
fn named_in(key: &str, name: &str) -> Option<String> {
    name.strip_prefix('#').map(|number| format!("{key}:{number}"))
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
    what: (ScheduleKind, &str),
    span: (Timestamp, Timestamp),
    days: &[i8],
) -> Schedule {
    let payload = serde_json::to_value(Ring::of(scene, what, span, days)).unwrap_or_default();
    Schedule { id, name: RING.to_owned(), owner: scene.user_id.to_owned(), at: span.1, payload }
}

impl Ring {
    /// Returns what is kept of something that is set at `set_at` to ring at `at`.
    pub fn of(
        scene: &Scene<'_>,
        (kind, label): (ScheduleKind, &str),
        (set_at, at): (Timestamp, Timestamp),
        days: &[i8],
    ) -> Self {
        let time = (!days.is_empty()).then(|| here(&zone(scene.zone), at).time());
        Self {
            kind,
            label: label.to_owned(),
            user_id: scene.user_id.to_owned(),
            device_id: scene.device_id.map(str::to_owned),
            language: scene.language.to_owned(),
            zone: scene.zone.to_owned(),
            set_at,
            days: days.to_vec(),
            time,
        }
    }
}

fn control(
    id: String,
    thing: &str,
    device: &str,
    action: ControlAction,
    (level, color): (Option<f64>, Option<&str>),
) -> Reply {
    let mut payload = json!({ "thing": thing, "action": action, "level": level });
    // Whoever knows no colours is told what it always was.
    if let Some(color) = color {
        payload["color"] = json!(color);
    }
    Reply::to_device(id, device, "DEVICE_COMMAND", payload)
}

impl Plan {
    /// Writes the plan within `tx`: what takes the place of something that is cancelled is there as soon as that is gone,
    /// whatever is killed in between.
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

#[cfg(test)]
mod tests {
    use ieum_testkit::backend::SqlStore;

    use super::*;
    use crate::silent::silent_schedules;

    #[tokio::test]
    async fn what_takes_the_place_of_another_is_written_with_its_end_or_neither_is() {
        let sql = SqlStore::sqlite();
        let now = Timestamp::parse("2026-05-01T03:00:00Z").expect("is a time");
        let (store, schedules) = silent_schedules(&sql, now).await;
        let scene = |key| Scene {
            key,
            user_id: "ada",
            device_id: None,
            language: "ko",
            zone: "Asia/Seoul",
            now,
            speaks: false,
        };
        let effects = |minutes: u64, since| {
            let (at, label) = (now + std::time::Duration::from_secs(60 * minutes), String::new());
            let (kind, days) = (ScheduleKind::Timer, Vec::new());
            let cancel = Effect::Cancel { schedules: vec!["first:0".to_owned()] };
            vec![Effect::Schedule { kind, at, label, days, since }, cancel]
        };
        let first = plan(&scene("first"), &effects(5, None)[..1], &[], &[], &[]);
        let mut tx = store.begin_write().await.expect("begins");
        first.write(&mut tx, &Cx::root(), &schedules, now).await.expect("is written");
        tx.commit().await.expect("commits");
        let ids = async || {
            let all = schedules.list("ada").await.expect("lists").into_iter();
            all.map(|status| status.schedule.id).collect::<Vec<_>>()
        };
        assert_eq!(ids().await, ["first:0"]);
        let earlier = now - std::time::Duration::from_secs(60);
        let next = plan(&scene("next"), &effects(10, Some(earlier)), &ids().await, &[], &[]);
        // A process that is killed before the commit leaves what a rollback does.
        let mut tx = store.begin_write().await.expect("begins");
        next.write(&mut tx, &Cx::root(), &schedules, now).await.expect("is written");
        tx.rollback().await.expect("rolls back");
        assert_eq!(ids().await, ["first:0"]);
        let mut tx = store.begin_write().await.expect("begins");
        next.write(&mut tx, &Cx::root(), &schedules, now).await.expect("is written");
        tx.commit().await.expect("commits");
        assert_eq!(ids().await, ["next:0"]);
        let kept = schedules.list("ada").await.expect("lists").remove(0).schedule;
        let ring: Ring = serde_json::from_value(kept.payload).expect("is a ring");
        assert_eq!(kept.at.since(ring.set_at).as_secs(), 660);
    }
}
