//! Timers, alarms and reminders that are moved, and timers that are made longer or shorter: the old one is cancelled and a
//! new one set in its place. Both are effects of one answer, written in its transaction.

use std::time::Duration;

use ieum_contracts::voice::{Effect, PluginAnswer, PluginAsk, ScheduleKind, Slot, SlotValue};
use ieum_core::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::Set;
use super::saying::{nothing_set, nothing_such, which_one, whose};
use super::setting::{again_of, hour_of, language, past, put_when, remind, wake, when};
use super::which::{Which, among, is_plain, on_the_day_of, which};
use crate::plugins::{asks, fails, says, tongue};
use crate::tongue::{duration, with};
use crate::understanding::{Hour, whole_duration};
use crate::zone::{here, moment, zone};

/// Moves one of those that are set to another time. What was not said of that is as it was: the day, the half of it, the
/// days on which it rings again, and what it is about.
pub fn moved(ask: &PluginAsk, set: &[Set], kind: ScheduleKind) -> PluginAnswer {
    let mut unsaid = ask.clone();
    unsaid.meaning.slots.remove("when");
    let meant = which(&unsaid, tongue(ask));
    let old = match those(ask, set, &meant, kind) {
        Ok(all) if all.len() > 1 && matches!(meant, Which::All | Which::AllOf(_)) => {
            return asks("which", which_one(&all, kind, false, ask));
        }
        Ok(all) => all[0],
        Err(answer) => return answer,
    };
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

/// Has timers ring later by what was said, or earlier.
pub fn stretched(ask: &PluginAsk, set: &[Set], longer: bool) -> PluginAnswer {
    let (tongue, kind) = (tongue(ask), ScheduleKind::Timer);
    let meant = which(&with_name(ask), tongue);
    let all = match those(ask, set, &meant, kind) {
        Ok(all) => all,
        Err(answer) => return answer,
    };
    let Some(SlotValue::Duration { seconds }) = ask.meaning.slots.get("duration").map(|slot| &slot.value)
    else {
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
    let Some((at, true)) = when(ask) else {
        return asks("when", tongue.pick("몇 분으로 바꿀까요?", "To how long?"));
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
    let meant = among(set, which, kind, ask);
    if meant.is_empty() {
        return Err(fails(nothing_such(set, tongue, kind, ask)));
    }
    if !is_plain(which, &meant) {
        let is_for_all = kind == ScheduleKind::Timer && ask.meaning.slots.contains_key("duration");
        return Err(asks("which", which_one(&meant, kind, is_for_all, ask)));
    }
    Ok(meant)
}

/// Says how an alarm or a reminder can be moved, where words that no sentence knows seem to put it off: a guess would set
/// another one, or a timer, for the length of time that was said.
pub fn only_to_a_time(ask: &PluginAsk) -> Option<PluginAnswer> {
    const MOVED: [&str; 13] = [
        "늦춰", "늦추", "미뤄", "미루", "당겨", "당기", "뒤로", "push", "postpone", "delay", "put off",
        "shift", "move",
    ];
    const ALARMS: [&str; 2] = ["알람", "alarm"];
    const REMINDERS: [&str; 3] = ["알림", "리마인더", "reminder"];
    let said = ask.meaning.text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if ask.meaning.confidence >= 1.0 || !says(&MOVED) {
        return None;
    }
    let (name, example) = match (says(&ALARMS), says(&REMINDERS)) {
        (true, _) => (("알람은", "An alarm"), ("알람 8시로 옮겨 줘", "move my alarm to 8")),
        (_, true) => (("알림은", "A reminder"), ("알림 8시로 옮겨 줘", "move the reminder to 8")),
        _ => return None,
    };
    Some(fails(tongue(ask).pick(
        format!(
            "{} \"{}\"처럼 시각을 말씀해 주시면 옮길 수 있어요. 아무것도 바꾸지 않았어요.",
            name.0, example.0
        ),
        format!("{} can be moved to a time: say \"{}\". Nothing is changed.", name.1, example.1),
    )))
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

/// Returns when something rings that is put off by a length of time: "한 시간 뒤로". An answer, and what is said to count
/// from now, is no such length.
fn put_off(said: &str, old: &Set, ask: &PluginAsk) -> Option<Timestamp> {
    let by = ["뒤", "후", "later"].into_iter().find_map(|later| said.trim().strip_suffix(later))?;
    let is_answer = !ask.meaning.text.to_lowercase().contains(said);
    let seconds = whole_duration(by, language(ask), &here(&zone(&ask.zone), ask.now))?;
    (!is_answer && seconds > 0).then(|| old.at + Duration::from_secs(seconds))
}

/// Returns how many midnights are between two moments.
fn days_between(zone: &TimeZone, one: Timestamp, other: Timestamp) -> i64 {
    let (one, other) = (here(zone, one).date(), here(zone, other).date());
    other.duration_since(one).as_hours() / 24
}

/// Returns the ask with the new time on the day of the old one and in its half, where none was said, and on its days.
fn as_it_was(ask: &PluginAsk, old: &Set, kind: ScheduleKind) -> PluginAsk {
    let mut ask = ask.clone();
    let zone = zone(&ask.zone);
    let mut days_on = 0;
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
            days_on = later.map_or(0, |later| days_between(&zone, old.at, later));
            let at = later.unwrap_or_else(on_its_day);
            put_when(&mut ask, at);
        }
        // A day alone is as good as the time that was set.
        Some((at, false)) if here(&zone, at).time() == Time::midnight() => {
            let day = here(&zone, at).date();
            if let Some(at) = moment(&zone, day.to_datetime(here(&zone, old.at).time())) {
                put_when(&mut ask, at);
            }
        }
        _ => {}
    }
    if again_of(&ask).is_none() && !old.ring.days.is_empty() {
        let mut days: Vec<i64> =
            old.ring.days.iter().map(|day| (i64::from(*day) - 1 + days_on).rem_euclid(7) + 1).collect();
        days.sort_unstable();
        let days = days.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
        let value = SlotValue::Text { text: days };
        ask.meaning.slots.insert("every".to_owned(), Slot { text: String::new(), value });
    }
    ask
}

#[cfg(test)]
mod tests {
    use ieum_contracts::voice::Meaning;

    use super::*;

    #[test]
    fn a_guess_puts_nothing_off() {
        let answer = |text: &str, confidence: f64| {
            let meaning = Meaning { text: text.into(), confidence, ..Meaning::default() };
            let language = if text.is_ascii() { "en" } else { "ko" };
            only_to_a_time(&PluginAsk { meaning, language: language.into(), ..PluginAsk::default() })
        };
        for (text, told) in [
            (
                "알람 30분 늦춰 줘",
                "알람은 \"알람 8시로 옮겨 줘\"처럼 시각을 말씀해 주시면 옮길 수 있어요. 아무것도 바꾸지 않았어요.",
            ),
            (
                "약 먹기 알림 30분만 미뤄 줘",
                "알림은 \"알림 8시로 옮겨 줘\"처럼 시각을 말씀해 주시면 옮길 수 있어요. 아무것도 바꾸지 않았어요.",
            ),
            (
                "Push my alarm back half an hour",
                "An alarm can be moved to a time: say \"move my alarm to 8\". Nothing is changed.",
            ),
            (
                "postpone the medicine reminder by 30 minutes",
                "A reminder can be moved to a time: say \"move the reminder to 8\". Nothing is changed.",
            ),
        ] {
            let guessed = answer(text, 0.9).expect("is answered");
            assert_eq!((&*guessed.text, guessed.effects.len()), (told, 0), "{text}");
            assert!(answer(text, 1.0).is_none(), "{text}");
        }
        for text in ["30분 타이머", "알람 7시", "wake me at 7", "move over"] {
            assert!(answer(text, 0.9).is_none(), "{text}");
        }
    }
}
