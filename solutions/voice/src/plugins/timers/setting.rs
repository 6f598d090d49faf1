//! Timers, alarms and reminders that are set, once or on days of the week.

use ieum_contracts::voice::{Effect, PluginAnswer, PluginAsk, ScheduleKind, SlotValue};
use ieum_core::Timestamp;
use ieum_understanding::value::Language;
use jiff::civil::{Date, Time};

use super::saying::{again_at, name};
use crate::answers::{AM, HALF};
use crate::plugins::{asks, fails, says, tongue};
use crate::rules::words;
use crate::tongue::{Tongue, duration, moment, time, toward, with};
use crate::understanding::{Hour, NoSuch, hour, names_a_day, no_such, repeats, values};
use crate::zone::{here, moment as local_moment, zone};

/// Starts a timer.
pub fn start(ask: &PluginAsk) -> PluginAnswer {
    let tongue = tongue(ask);
    let Some(SlotValue::Duration { seconds }) = ask.meaning.slots.get("duration").map(|slot| &slot.value)
    else {
        return asks("duration", tongue.pick("몇 분으로 맞출까요?", "For how long?"));
    };
    if *seconds == 0 {
        return fails(tongue.pick("타이머는 1초부터 맞출 수 있어요.", "A timer needs at least one second."));
    }
    let length = duration(tongue, *seconds);
    let label = words(&ask.meaning, "label").unwrap_or_default();
    let text = match label {
        "" => tongue.pick(format!("{length} 타이머를 시작했어요."), format!("Timer set for {length}.")),
        label => tongue.pick(
            format!("{label} 타이머를 {} 시작했어요.", toward(&length)),
            format!("The {label} timer is set for {length}."),
        ),
    };
    set(ScheduleKind::Timer, ask.now + std::time::Duration::from_secs(*seconds), label, Vec::new(), text)
}

/// Sets an alarm.
pub fn wake(ask: &PluginAsk) -> PluginAnswer {
    let tongue = tongue(ask);
    let question = tongue.pick("몇 시에 울릴까요?", "For what time?");
    let again = again_of(ask);
    if again.as_ref().is_some_and(Vec::is_empty) {
        return fails(only_days(ask, ScheduleKind::Alarm));
    }
    if let Some(none) = unread(ask) {
        return asks("when", format!("{none} {question}"));
    }
    let Some((at, true)) = when(ask) else { return asks("when", question) };
    ring(ask, ScheduleKind::Alarm, "", at, again, &|at| {
        tongue.pick(format!("{at}에 알람을 맞췄어요."), format!("Alarm set for {at}."))
    })
}

/// Returns the ask with an alarm's hour in the morning, where it is one of both halves of a day to come.
pub fn rising(ask: &PluginAsk) -> PluginAsk {
    let mut ask = ask.clone();
    if let Some(hour) = hour_of(&ask) {
        put_when(&mut ask, hour.rising());
    }
    ask
}

/// Sets a reminder; asks for the half of the day first where its hour is one of both halves of a day to come.
pub fn remind_anew(ask: &PluginAsk) -> PluginAnswer {
    let mut ask = ask.clone();
    let again = again_of(&ask);
    let is_asked =
        again.as_ref().is_none_or(|days| !days.is_empty()) && words(&ask.meaning, "message").is_some();
    match (hour_of(&ask), words(&ask.meaning, HALF)) {
        (Some(Hour::Plain(first) | Hour::Either([first, _])), Some(_))
            if let Some(at) = corrected(&ask, first) =>
        {
            put_when(&mut ask, at);
        }
        (Some(Hour::Plain(at) | Hour::Either([at, _])), Some(AM)) => put_when(&mut ask, at),
        (Some(Hour::Plain(at) | Hour::Either([_, at])), Some(_)) | (Some(Hour::Plain(at)), None) => {
            put_when(&mut ask, at);
        }
        (Some(Hour::Either(both)), None) if is_asked => {
            return asks(HALF, which_half(&ask, both, again.as_deref()));
        }
        _ => {}
    }
    remind(&ask)
}

/// Returns the moment that an answer about the half of the day names, where it names an hour with it: on the day that was
/// said `first`, unless it names another.
fn corrected(ask: &PluginAsk, first: Timestamp) -> Option<Timestamp> {
    let (zone, language) = (zone(&ask.zone), language(ask));
    let said = &ask.meaning.slots.get(HALF)?.text;
    let now = here(&zone, ask.now);
    let Some(SlotValue::Moment { at, exact: true }) = values::moment(said, language, &now) else {
        return None;
    };
    if names_a_day(said, language, &now) {
        return Some(at);
    }
    local_moment(&zone, here(&zone, first).date().to_datetime(here(&zone, at).time()))
}

/// Asks whether the morning is meant or the afternoon.
fn which_half(ask: &PluginAsk, [morning, afternoon]: [Timestamp; 2], again: Option<&[i8]>) -> String {
    let (tongue, zone) = (tongue(ask), zone(&ask.zone));
    let early = match again {
        Some(days) => again_at(tongue, days, &time(tongue, &zone, morning)),
        None => moment(tongue, &zone, morning, ask.now),
    };
    let late = time(tongue, &zone, afternoon);
    tongue.pick(format!("{early}인가요, {late}인가요?"), format!("Do you mean {early} or {late}?"))
}

/// Returns what the time of day may be that was said with its day.
pub fn hour_of(ask: &PluginAsk) -> Option<Hour> {
    let slot = ask.meaning.slots.get("when")?;
    let SlotValue::Moment { at, exact: true } = slot.value else { return None };
    let now = here(&zone(&ask.zone), ask.now);
    Some(hour(&slot.text, at, again_of(ask).is_some(), language(ask), &now))
}

/// Puts another moment in the place of the one that was said.
pub fn put_when(ask: &mut PluginAsk, at: Timestamp) {
    if let Some(slot) = ask.meaning.slots.get_mut("when") {
        slot.value = SlotValue::Moment { at, exact: true };
    }
}

/// Sets a reminder.
pub fn remind(ask: &PluginAsk) -> PluginAnswer {
    let tongue = tongue(ask);
    let again = again_of(ask);
    if again.as_ref().is_some_and(Vec::is_empty) {
        return fails(only_days(ask, ScheduleKind::Reminder));
    }
    let Some(message) = words(&ask.meaning, "message") else {
        return asks("message", tongue.pick("무엇을 알려 드릴까요?", "What should I remind you of?"));
    };
    let question = tongue.pick("언제 알려 드릴까요?", "When should I remind you?");
    if let Some(none) = unread(ask) {
        return asks("when", format!("{none} {question}"));
    }
    let Some((at, exact)) = when(ask) else { return asks("when", question) };
    // A day without a time means its morning.
    let at = if exact { at } else { morning(ask, at) };
    ring(ask, ScheduleKind::Reminder, message, at, again, &|at| {
        tongue
            .pick(format!("{at}에 알려 드릴게요: {message}."), format!("I will remind you {at}: {message}."))
    })
}

/// Sets what rings at `at`, or on days at that time of day.
fn ring(
    ask: &PluginAsk,
    kind: ScheduleKind,
    label: &str,
    at: Timestamp,
    again: Option<Vec<i8>>,
    said: &dyn Fn(String) -> String,
) -> PluginAnswer {
    let (tongue, zone) = (tongue(ask), zone(&ask.zone));
    if let Some(days) = again {
        let clock = here(&zone, at).time();
        let Some(first) = crate::ring::next(&zone, &days, clock, ask.now) else {
            return fails(only_days(ask, kind));
        };
        let text = said(again_at(tongue, &days, &time(tongue, &zone, first)));
        return set(kind, first, label, days, text);
    }
    if at <= ask.now {
        return fails(past(tongue));
    }
    set(kind, at, label, Vec::new(), said(moment(tongue, &zone, at, ask.now)))
}

/// Returns nine o'clock on a day, or a part of the day's own beginning.
fn morning(ask: &PluginAsk, at: Timestamp) -> Timestamp {
    let zone = zone(&ask.zone);
    let local = here(&zone, at);
    if local.time() != Time::midnight() {
        return at;
    }
    local_moment(&zone, local.date().to_datetime(Time::constant(9, 0, 0, 0))).unwrap_or(at)
}

fn set(kind: ScheduleKind, at: Timestamp, label: &str, days: Vec<i8>, text: String) -> PluginAnswer {
    let label = label.to_owned();
    PluginAnswer { effects: vec![Effect::Schedule { kind, at, label, days, since: None }], ..says(text) }
}

/// Returns the days on which it is to ring again and again, Monday 1: none of them where it was said to ring again
/// otherwise, such as every hour.
pub fn again_of(ask: &PluginAsk) -> Option<Vec<i8>> {
    let meaning = &ask.meaning;
    if let Some(SlotValue::Text { text }) = meaning.slots.get("every").map(|slot| &slot.value) {
        return Some(text.split(',').filter_map(|day| day.parse().ok()).collect());
    }
    // What is moved may be said to repeat as well as the time that it is moved to.
    if meaning.intent.ends_with(".change") {
        return repeats(&meaning.slots.get("when")?.text, language(ask)).map(|again| again.days);
    }
    // A guess and an answer have no such slot; what a reminder is about may be a daily thing.
    let is_of_message = words(meaning, "message").is_some_and(|message| meaning.text.contains(message));
    repeats(&meaning.text, language(ask)).filter(|_| !is_of_message).map(|again| again.days)
}

/// Returns the moment that was said, and whether with a time of day. A day said apart is the day of the time.
pub fn when(ask: &PluginAsk) -> Option<(Timestamp, bool)> {
    let zone = zone(&ask.zone);
    let day = match ask.meaning.slots.get("day").map(|slot| &slot.value) {
        Some(SlotValue::Day { date, .. }) => date.parse::<Date>().ok(),
        _ => None,
    };
    match (ask.meaning.slots.get("when").map(|slot| &slot.value), day) {
        (Some(SlotValue::Moment { at, exact: true }), Some(day)) => {
            let at = local_moment(&zone, day.to_datetime(here(&zone, *at).time()))?;
            Some((at, true))
        }
        (Some(SlotValue::Moment { at, exact }), _) => Some((*at, *exact)),
        (_, Some(day)) => Some((local_moment(&zone, day.to_datetime(Time::midnight()))?, false)),
        _ => None,
    }
}

/// Says that there is no such day or time, where one was said that no calendar or clock has.
fn unread(ask: &PluginAsk) -> Option<&'static str> {
    let tongue = tongue(ask);
    let said = ask.meaning.slots.get("when");
    let text = match said {
        Some(slot) if matches!(slot.value, SlotValue::Moment { .. }) => return None,
        Some(slot) => &slot.text,
        None => &ask.meaning.text,
    };
    Some(match no_such(text, language(ask))? {
        NoSuch::Day => tongue.pick("그런 날짜는 없어요.", "There is no such date."),
        NoSuch::Time => tongue.pick("그런 시각은 없어요.", "There is no such time."),
    })
}

/// Says that it is too late.
pub fn past(tongue: Tongue) -> &'static str {
    tongue.pick("그 시간은 이미 지났어요.", "That time is over already.")
}

/// Says how often it cannot ring, and how it can.
fn only_days(ask: &PluginAsk, kind: ScheduleKind) -> String {
    let (tongue, language) = (tongue(ask), language(ask));
    let said = ask.meaning.slots.get("every").map_or("", |slot| &slot.text);
    let often = [said, &ask.meaning.text].into_iter().find_map(|words| repeats(words, language));
    let often = often.map(|again| again.often).unwrap_or_default();
    let name = name(tongue, kind);
    tongue.pick(
        format!(
            "{} 되풀이하는 {} 아직 맞출 수 없어요. 매일, 평일, 주말, 매주 무슨 요일처럼만 되풀이할 수 있어요. \
             아무것도 맞추지 않았어요.",
            often,
            with(name, "은", "는")
        )
        .trim_start()
        .to_owned(),
        format!(
            "I cannot repeat anything {often} yet, only on days, such as every day, every weekday or every Monday. \
             Nothing is set."
        ),
    )
}

pub fn language(ask: &PluginAsk) -> Language {
    tongue(ask).pick(Language::Korean, Language::English)
}

/// Says days of the week.
pub fn days_said(tongue: Tongue, days: &[i8]) -> String {
    const KOREAN: [&str; 7] = ["월", "화", "수", "목", "금", "토", "일"];
    const ENGLISH: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    match days {
        [1, 2, 3, 4, 5, 6, 7] => tongue.pick("매일", "every day").to_owned(),
        [1, 2, 3, 4, 5] => tongue.pick("평일마다", "every weekday").to_owned(),
        [6, 7] => tongue.pick("주말마다", "every Saturday and Sunday").to_owned(),
        days => {
            let names = tongue.pick(KOREAN, ENGLISH);
            let named = days.iter().filter_map(|day| names.get(usize::try_from(day - 1).ok()?));
            let named = named.copied().collect::<Vec<_>>();
            let all = match named.split_last() {
                Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
                _ => named.join(""),
            };
            tongue.pick(format!("매주 {}요일", named.join("·")), format!("every {all}"))
        }
    }
}
