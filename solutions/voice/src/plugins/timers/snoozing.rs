//! What rang a moment ago and is to ring again a little later.

use std::time::Duration;

use ieum_contracts::voice::{Effect, PluginAnswer, PluginAsk, ScheduleKind, ScheduleRang, SlotValue};

use crate::plugins::{fails, says, tongue};
use crate::tongue::duration;

/// How long after it rang something can be put off.
pub const LATELY: Duration = Duration::from_secs(600);
/// How much later it rings where nothing else is said, seconds.
const LATER: u64 = 600;

/// Has what rang last ring again.
pub fn snoozed(ask: &PluginAsk, rang: Option<ScheduleRang>) -> PluginAnswer {
    let tongue = tongue(ask);
    let said = ask.meaning.slots.get("duration").and_then(|slot| match slot.value {
        SlotValue::Duration { seconds } => Some(seconds).filter(|seconds| *seconds > 0),
        _ => None,
    });
    let seconds = said.unwrap_or(LATER);
    let length = duration(tongue, seconds);
    let Some(ScheduleRang { kind, label, .. }) = rang else {
        return fails(tongue.pick(
            format!("방금 울린 것이 없어요. {length} 뒤에 깨워 달라고 말씀하시면 그때 울릴게요."),
            format!("Nothing rang just now. Say: wake me up in {length}."),
        ));
    };
    let text = match kind {
        ScheduleKind::Reminder => tongue.pick(
            format!("{length} 뒤에 다시 알려 드릴게요: {label}."),
            format!("I will remind you again in {length}: {label}."),
        ),
        ScheduleKind::Alarm | ScheduleKind::Timer => {
            tongue.pick(format!("{length} 뒤에 다시 울릴게요."), format!("I will ring again in {length}."))
        }
    };
    let at = ask.now + Duration::from_secs(seconds);
    let effect = Effect::Schedule { kind, at, label, days: Vec::new(), since: None };
    PluginAnswer { effects: vec![effect], ..says(text) }
}
