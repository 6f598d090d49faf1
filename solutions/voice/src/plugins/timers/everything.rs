//! All timers, alarms and reminders at once.

use ieum_contracts::voice::{Effect, PluginAnswer, PluginAsk, ScheduleKind};

use super::Set;
use super::saying::{cancelled, name};
use super::which::agrees;
use crate::plugins::{asks, says, tongue};
use crate::tongue::{Tongue, with};

/// The intent that cancels all that is set, of every kind.
pub const EVERYTHING: &str = "everything.cancel";

/// Cancels all that is set. More than one of them are asked for first.
pub fn everything(all: &[(ScheduleKind, Vec<Set>)], ask: &PluginAsk) -> PluginAnswer {
    let tongue = tongue(ask);
    let counts: Vec<(ScheduleKind, usize)> =
        all.iter().map(|(kind, set)| (*kind, set.len())).filter(|(_, count)| *count > 0).collect();
    let is_asked = ask.meaning.slots.contains_key("sure");
    let told = counted(&counts, tongue);
    let text = match &counts[..] {
        [] => return says(tongue.pick("맞춰 둔 것이 없어요.", "Nothing is set.")),
        _ if is_asked && !agrees(ask) => return says(kept_as_it_is(tongue)),
        [(kind, 1)] => cancelled(1, tongue, *kind),
        _ if is_asked => {
            tongue.pick(format!("{} 취소했어요.", with(&told, "을", "를")), format!("I cancelled {told}."))
        }
        _ => {
            let question = tongue.pick(
                format!("{} 있어요. 모두 취소할까요?", with(&told, "이", "가")),
                format!("I have {told}. Cancel all of them?"),
            );
            return asks("sure", question);
        }
    };
    let schedules = all.iter().flat_map(|(_, set)| set).map(|set| set.id.clone()).collect();
    PluginAnswer { effects: vec![Effect::Cancel { schedules }], ..says(text) }
}

/// Says that nothing is cancelled after all.
pub fn kept_as_it_is(tongue: Tongue) -> &'static str {
    tongue.pick("그대로 둘게요.", "I will leave it.")
}

/// Says how many there are of each kind: `타이머 2개, 알람 1개`.
fn counted(counts: &[(ScheduleKind, usize)], tongue: Tongue) -> String {
    let each = |(kind, count): &(ScheduleKind, usize)| {
        let name = name(tongue, *kind);
        let several = if *count == 1 { "" } else { "s" };
        tongue.pick(format!("{name} {count}개"), format!("{count} {name}{several}"))
    };
    let mut said: Vec<String> = counts.iter().map(each).collect();
    let last = said.pop().unwrap_or_default();
    match (said.is_empty(), tongue) {
        (true, _) => last,
        (false, Tongue::Korean) => format!("{}, {last}", said.join(", ")),
        (false, Tongue::English) => format!("{} and {last}", said.join(", ")),
    }
}
