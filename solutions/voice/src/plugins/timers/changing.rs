//! Timers, alarms and reminders that are moved, and timers that are made longer or shorter: the old one is cancelled and a
//! new one set in its place. Both are effects of one answer, written in its transaction.

use std::time::Duration;

use ieum_contracts::voice::{Effect, PluginAnswer, PluginAsk, ScheduleKind, Slot, SlotValue};
use ieum_core::Timestamp;
use jiff::civil::Time;

use super::Set;
use super::among::{among, is_plain};
use super::everything::kept_as_it_is;
use super::one_day::{by_its_days, one_day_of, only_one_day, with_weekend};
use super::saying::{nothing_set, nothing_such, which_one, whose};
use super::setting::{again_of, hour_of, past, put_when, remind, start, wake, when};
use super::shifting::{by_how_long, on_days, put_off, said, shifted};
use super::which::{Which, on_the_day_of, which};
use crate::plugins::{asks, fails, says, tongue};
use crate::tongue::{duration, with};
use crate::understanding::Hour;
use crate::zone::{here, moment, zone};

/// Moves one of those that are set to another time. What was not said of that is as it was: the day, the half of it, the
/// days on which it rings again, and what it is about.
pub fn moved(ask: &PluginAsk, set: &[Set], kind: ScheduleKind) -> PluginAnswer {
    let mut unsaid = with_name(ask);
    unsaid.meaning.slots.remove("when");
    let meant = which(&unsaid, tongue(ask));
    if is_another(ask, set, &meant, kind) {
        return start(&from_now(ask, &meant));
    }
    let old = match those(ask, set, &meant, kind) {
        Ok(all) if all.len() > 1 && is_for_several(&meant) => {
            return asks("which", which_one(&all, kind, false, ask));
        }
        Ok(all) => all[0],
        Err(answer) => match by_its_days(ask, set) {
            Some(old) => old,
            None => return one_day_of(ask, set, kind).unwrap_or(answer),
        },
    };
    if let Some(answer) = by_how_long(ask) {
        return answer;
    }
    if let Some(answer) = only_one_day(ask, old, kind) {
        return answer;
    }
    let ask = &with_weekend(ask, old);
    let mut answer = match kind {
        ScheduleKind::Timer => restarted(ask, old),
        ScheduleKind::Alarm => wake(&as_it_was(ask, old, kind)),
        ScheduleKind::Reminder => {
            let mut ask = as_it_was(ask, old, kind);
            let (text, about) = (old.ring.label.clone(), "message".to_owned());
            ask.meaning.slots.insert(about, Slot { text: text.clone(), value: SlotValue::Text { text } });
            remind(&ask)
        }
    };
    if !answer.effects.is_empty() {
        answer.effects.insert(0, Effect::Cancel { schedules: vec![old.id.clone()] });
    }
    answer
}

/// Tells whether several may be meant at once.
fn is_for_several(which: &Which) -> bool {
    matches!(which, Which::All | Which::AllOf(_) | Which::Several(..) | Which::Rest(..))
}

/// Has timers ring later by what was said, or earlier.
pub fn stretched(ask: &PluginAsk, set: &[Set], longer: bool) -> PluginAnswer {
    let (tongue, kind) = (tongue(ask), ScheduleKind::Timer);
    let meant = which(&with_name(ask), tongue);
    let all = match those(ask, set, &meant, kind) {
        Ok(all) => all,
        Err(answer) => return answer,
    };
    let Some(SlotValue::Duration { seconds }) = said(ask, "duration").map(|slot| &slot.value) else {
        let question = if longer {
            tongue.pick("얼마나 늘릴까요?", "By how long?")
        } else {
            tongue.pick("얼마나 줄일까요?", "By how much?")
        };
        return asks("duration", question);
    };
    let by = Duration::from_secs(*seconds);
    if by.is_zero() {
        return fails(tongue.pick("1초부터 바꿀 수 있어요.", "I can change it by one second or more."));
    }
    if let Some(short) = all.iter().find(|set| !longer && set.at.since(ask.now) <= by) {
        return fails(too_short(ask, short, *seconds));
    }
    let mut effects = vec![Effect::Cancel { schedules: all.iter().map(|set| set.id.clone()).collect() }];
    let mut texts = Vec::new();
    for set in all {
        let at = if longer { set.at + by } else { set.at - by };
        effects.push(timer(set, at, Some(set.ring.set_at)));
        texts.push(stretched_by(ask, set, at, longer));
    }
    PluginAnswer { effects, ..says(texts.join(" ")) }
}

/// Says how long a timer runs from now that rings at `at` instead.
fn stretched_by(ask: &PluginAsk, set: &Set, at: Timestamp, longer: bool) -> String {
    let tongue = tongue(ask);
    let by = if longer { at.since(set.at) } else { set.at.since(at) };
    let (name, by) = (whose(set, tongue), duration(tongue, by.as_secs()));
    let left = duration(tongue, at.since(ask.now).as_secs().max(1));
    let (did, added) = if longer { ("늘렸어요", "added") } else { ("줄였어요", "took") };
    let from = if longer { "to" } else { "off" };
    tongue.pick(
        format!("{name}를 {by} {did}. 이제 {left} 남았어요."),
        format!("I {added} {by} {from} the {name}: {left} left."),
    )
}

/// Says that a timer has less left than is to be taken off.
fn too_short(ask: &PluginAsk, set: &Set, seconds: u64) -> String {
    let tongue = tongue(ask);
    let (name, by) = (whose(set, tongue), duration(tongue, seconds));
    let left = duration(tongue, set.at.since(ask.now).as_secs().max(1));
    tongue.pick(
        format!("{name}가 {left}밖에 남지 않아서 {} 줄일 수 없어요.", with(&by, "을", "를")),
        format!("The {name} has only {left} left, so I cannot take {by} off."),
    )
}

/// Has a timer ring at another moment: its length counts from now.
fn restarted(ask: &PluginAsk, old: &Set) -> PluginAnswer {
    let tongue = tongue(ask);
    let Some(at) = end(ask) else {
        return asks("duration", tongue.pick("몇 분으로 바꿀까요?", "To how long?"));
    };
    if at <= ask.now {
        return fails(past(tongue));
    }
    let (name, left) = (whose(old, tongue), duration(tongue, at.since(ask.now).as_secs().max(1)));
    let text = tongue.pick(
        format!("{name}를 바꿨어요. 이제 {left} 남았어요."),
        format!("I changed the {name}: {left} left."),
    );
    PluginAnswer { effects: vec![timer(old, at, None)], ..says(text) }
}

/// Returns when a timer is to ring that was said to be changed: a number alone is one of minutes.
fn end(ask: &PluginAsk) -> Option<Timestamp> {
    let value = |slot| said(ask, slot).map(|slot| &slot.value);
    match (value("minutes"), value("duration")) {
        (Some(SlotValue::Number { number }), _) => Some(ask.now + Duration::from_secs_f64(number * 60.0)),
        (_, Some(SlotValue::Duration { seconds })) => Some(ask.now + Duration::from_secs(*seconds)),
        _ => when(ask).filter(|(_, exact)| *exact).map(|(at, _)| at),
    }
}

/// Tells whether what may be said of a timer that runs is said of a new one: "set the timer to 15 minutes", where no such
/// timer runs.
fn is_another(ask: &PluginAsk, set: &[Set], which: &Which, kind: ScheduleKind) -> bool {
    let is_named = matches!(which, Which::Unsaid | Which::Others(_) | Which::Named(_));
    is_named && said(ask, "otherwise").is_some() && among(set, which, kind, ask).is_empty()
}

/// Returns the ask with the length of a new timer, and its name.
fn from_now(ask: &PluginAsk, which: &Which) -> PluginAsk {
    let mut ask = ask.clone();
    if let Which::Named(name) = which {
        let value = SlotValue::Text { text: name.clone() };
        ask.meaning.slots.insert("label".to_owned(), Slot { text: name.clone(), value });
    }
    if let Some(at) = end(&ask) {
        let value = SlotValue::Duration { seconds: at.since(ask.now).as_secs() };
        ask.meaning.slots.insert("duration".to_owned(), Slot { text: String::new(), value });
    }
    ask
}

fn timer(old: &Set, at: Timestamp, since: Option<Timestamp>) -> Effect {
    let label = old.ring.label.clone();
    Effect::Schedule { kind: ScheduleKind::Timer, at, label, days: Vec::new(), since }
}

/// Returns those that are meant, or the answer where there is none or that is not known.
fn those<'a>(
    ask: &PluginAsk,
    set: &'a [Set],
    which: &Which,
    kind: ScheduleKind,
) -> Result<Vec<&'a Set>, PluginAnswer> {
    let tongue = tongue(ask);
    if set.is_empty() {
        return Err(says(nothing_set(tongue, kind)));
    }
    if *which == Which::Nothing {
        return Err(says(kept_as_it_is(tongue)));
    }
    let meant = among(set, which, kind, ask);
    if meant.is_empty() {
        return Err(fails(nothing_such(set, tongue, kind, ask)));
    }
    if !is_plain(which, &meant, set) {
        let is_for_all = kind == ScheduleKind::Timer && ask.meaning.slots.contains_key("duration");
        return Err(asks("which", which_one(&meant, kind, is_for_all, ask)));
    }
    Ok(meant)
}

/// Returns the ask with the name that was said with the length of time as which one is meant: "라면 5분 더".
fn with_name(ask: &PluginAsk) -> PluginAsk {
    let mut ask = ask.clone();
    let slots = &mut ask.meaning.slots;
    if let Some(label) = slots.remove("label").filter(|_| !slots.contains_key("which")) {
        slots.insert("which".to_owned(), label);
    }
    ask
}

/// Returns the ask with the new time on the day of the old one and in its half, where none was said, and on its days.
fn as_it_was(ask: &PluginAsk, old: &Set, kind: ScheduleKind) -> PluginAsk {
    if let Some(ask) = shifted(ask, old) {
        return ask;
    }
    let mut ask = ask.clone();
    let zone = zone(&ask.zone);
    let mut put_off_to = old.at;
    match when(&ask) {
        Some((at, true)) => {
            let said = ask.meaning.slots.get("when").map(|slot| slot.text.to_lowercase()).unwrap_or_default();
            let on_its_day = || {
                on_the_day_of(&said, at, old.at, &ask).unwrap_or_else(|| match hour_of(&ask) {
                    Some(Hour::Either([_, later]))
                        if kind != ScheduleKind::Alarm && here(&zone, old.at).hour() >= 12 =>
                    {
                        later
                    }
                    Some(hour) => hour.rising(),
                    None => at,
                })
            };
            let later = put_off(&said, old, &ask);
            put_off_to = later.unwrap_or(old.at);
            let at = later.unwrap_or_else(on_its_day);
            put_when(&mut ask, at);
        }
        // A day alone is as good as the time that was set.
        Some((at, false)) if here(&zone, at).time() == Time::midnight() => {
            let said = ask.meaning.slots.get("when").map(|slot| slot.text.to_lowercase()).unwrap_or_default();
            let day = here(&zone, put_off(&said, old, &ask).unwrap_or(at)).date();
            if let Some(at) = moment(&zone, day.to_datetime(here(&zone, old.at).time())) {
                put_when(&mut ask, at);
            }
        }
        _ => {}
    }
    if again_of(&ask).is_none() {
        on_days(&mut ask, old, put_off_to);
    }
    ask
}
